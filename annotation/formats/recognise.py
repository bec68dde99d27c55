"""Which format and layout a file has, and its entries."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple

from annotation.formats import (
    canonical,
    intermt_crucial,
    intermt_pairs,
    intermt_score,
    intermt_site,
)
from annotation.formats.reading import value_of
from annotation.formats.records import Entry, FormatError, Refused, Unfit
from annotation.formats.stream import (
    BOM,
    CHUNK,
    MOST_BYTES,
    Layout,
    Piece,
    list_start,
    pieces,
)

LOOKED_AT = 10
"""How many records may be unreadable before the format is given up."""


class Format(NamedTuple):
    """One outside format: what it is called, looks like, and how its records are read."""

    name: str
    looked_for: str
    looks_like: Callable[[Any], bool]
    entries: Callable[[Iterable[Piece]], Iterator[Entry | Refused]]


FORMATS = MappingProxyType(
    {
        module.NAME: Format(module.NAME, module.LOOKED_FOR, module.looks_like, module.entries)
        for module in (intermt_crucial, intermt_score, intermt_pairs, intermt_site, canonical)
    }
)
"""All formats by name, in the order in which they are tried."""

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a file was found to be."""

    path: Path
    format: Format
    layout: Layout
    byte_order_mark: bool

    def entries(self, *, see: Callable[[int], None] | None = None) -> Iterator[Entry | Refused]:
        """Yield what each place of the file gives, in order; memory is one entry.

        :param see: is told the byte at which each piece of the file starts.
        """
        with self.path.open("rb") as file:
            yield from self.format.entries(_seen(pieces(file, self.layout), see))


def _seen(cut: Iterable[Piece], see: Callable[[int], None] | None) -> Iterator[Piece]:
    for piece in cut:
        if see is not None:
            see(piece.offset)
        yield piece


def recognise(path: Path, *, name: str = AUTO) -> Recognised:
    """Return the format and layout of a file.

    :param name: a format's name where it is known, else ``auto``.
    :raises FormatError: the file cannot be read, is no JSON, or has no known format; the message
        says what was looked for.
    """
    if name != AUTO and name not in FORMATS:
        raise FormatError(f"{name} is no format; known are {', '.join(FORMATS)} and {AUTO}")
    try:
        with path.open("rb") as file:
            marked = file.read(len(BOM)) == BOM
            file.seek(len(BOM) if marked else 0)
            layout = _layout(file, path)
            file.seek(0)
            found = _format(file, layout, path, name)
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror or error}") from None
    return Recognised(path, found, layout, marked)


def _layout(file: BinaryIO, path: Path) -> Layout:
    start = file.tell()
    head = file.read(CHUNK)
    stripped = head.lstrip(b" \t\r\n")
    if not stripped:
        raise FormatError(f"{path}: is empty")
    if stripped[:1] == b"[":
        return Layout.LIST
    if stripped[:1] != b"{":
        at = start + len(head) - len(stripped)
        line = head[: len(head) - len(stripped)].count(b"\n") + 1
        raise FormatError(
            f"{path}: is no JSON: {_shown(stripped)} at byte {at} (line {line}), "
            "where a list, an object or lines of objects were looked for"
        )
    if list_start(head) >= 0:
        return Layout.OBJECT
    file.seek(start)
    return _lines_or_single(file)


def _lines_or_single(file: BinaryIO) -> Layout:
    """Tell lines of objects from one object over many lines, by the first line that holds text."""
    while line := file.readline(MOST_BYTES + 1):
        if line.strip():
            return Layout.LINES if line.rstrip().endswith(b"}") else Layout.SINGLE
    return Layout.LINES


def _shown(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "a UTF-16 byte order mark"
    return ascii(data[:12].decode("utf-8", "replace"))


def _format(file: BinaryIO, layout: Layout, path: Path, name: str) -> Format:
    """Return the format that one of the first records looks like."""
    named = [FORMATS[name]] if name != AUTO else list(FORMATS.values())
    faults: list[str] = []
    keys: list[str] = []
    for piece in islice(pieces(file, layout), LOOKED_AT):
        try:
            value = value_of(piece).value
        except Unfit as unfit:
            faults.append(f"{piece.place} (byte {piece.offset:,}): {unfit}")
            continue
        for one in named:
            if one.looks_like(value):
                return one
        keys.append(_keys(value))
    if faults and not keys:
        raise FormatError(f"{path}: holds no JSON record that can be read: {faults[0]}")
    looked_for = "; ".join(f"{one.name}: {one.looked_for}" for one in named)
    found = f"found {keys[0]}" if keys else "found an empty list"
    raise FormatError(f"{path}: has none of the known formats. Looked for {looked_for}. {found}.")


def _keys(value: Any) -> str:
    if not isinstance(value, dict):
        return f"a {type(value).__name__}"
    shown = ", ".join(f'"{key[:40]}"' for key in list(value)[:12])
    return f"objects with {shown or 'nothing in them'}"
