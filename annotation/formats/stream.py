"""Cutting a file into the bytes of its records, one at a time, whatever stands in them.

A parser that reads the whole file as one value ends at the first bad record, and may mend what
it cannot hold (a lone surrogate becomes "?"). So the file is only cut here, at the commas of its
outer list or at its line ends, and each record is decoded by itself: memory is one record, a bad
record spoils no other, and a record's size and nesting are bounded before it is decoded.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

from annotation.formats.fields import MOST_DEPTH

CHUNK = 64 * 1024
MOST_BYTES = 4 * 1024 * 1024
"""Largest record, in bytes. The largest published one has 60 kB."""

LIST_NAME = b"dialogues"
"""The name of the list where a file is one object."""

BOM = b"\xef\xbb\xbf"
_OUTSIDE = re.compile(rb'["{}\[\],]')
_INSIDE = re.compile(rb'["\\]')
_LIST_AHEAD = re.compile(rb"\s*:\s*\[")


class Layout(StrEnum):
    """How the records of a file are set apart."""

    LIST = "list"  # one JSON list
    LINES = "lines"  # one record a line
    OBJECT = "object"  # one object, with the records in its list "dialogues"
    SINGLE = "single"  # one record is the whole file


@dataclass(frozen=True, slots=True)
class Piece:
    """The bytes of one record, or why it has none.

    :ivar place: for a person: ``[12]`` or ``line 4``.
    :ivar offset: of its first byte in the file.
    :ivar fault: "", or why `data` is empty: too large, nested too deep, file broken off here.
    """

    place: str
    offset: int
    data: bytes
    fault: str = ""


def pieces(file: BinaryIO, layout: Layout) -> Iterator[Piece]:
    """Yield the records' bytes in order. `file` stands at its start; a byte order mark is skipped."""
    if file.read(len(BOM)) != BOM:
        file.seek(0)
    match layout:
        case Layout.LINES:
            yield from _lines(file)
        case Layout.SINGLE:
            yield _single(file)
        case _:
            yield from _Cutter(file, inside_object=layout is Layout.OBJECT).cut()


def _lines(file: BinaryIO) -> Iterator[Piece]:
    number = 0
    offset = file.tell()
    while line := file.readline(MOST_BYTES + 1):
        number += 1
        start = offset
        offset += len(line)
        place = f"line {number}"
        if len(line) > MOST_BYTES and not line.endswith(b"\n"):
            while rest := file.readline(CHUNK):
                offset += len(rest)
                if rest.endswith(b"\n"):
                    break
            yield Piece(place, start, b"", f"is larger than {MOST_BYTES:,} bytes")
        elif line.strip():
            fault = _too_deep(line)
            yield Piece(place, start, b"" if fault else line, fault)


def _single(file: BinaryIO) -> Piece:
    data = file.read(MOST_BYTES + 1)
    fault = f"is larger than {MOST_BYTES:,} bytes" if len(data) > MOST_BYTES else _too_deep(data)
    return Piece("the file", 0, b"" if fault else data, fault)


def _too_deep(data: bytes) -> str:
    """Return the fault of bytes nested deeper than the limit, else ""."""
    depth = position = 0
    in_text = False
    while match := (_INSIDE if in_text else _OUTSIDE).search(data, position):
        position = match.end()
        match match[0]:
            case b'"':
                in_text = not in_text
            case b"\\":
                position += 1
            case b"{" | b"[":
                depth += 1
                if depth > MOST_DEPTH:
                    return f"is nested deeper than {MOST_DEPTH}"
            case b"}" | b"]":
                depth -= 1
    return ""


class _Cutter:
    """Cuts one JSON list at the commas of its first level, in one pass over the file."""

    def __init__(self, file: BinaryIO, *, inside_object: bool) -> None:
        self.file = file
        self.base = 1 if inside_object else 0  # brackets open around the list
        self.depth = 0
        self.deepest = 0
        self.index = 0
        self.in_text = False
        self.begun = False  # inside the list
        self.ended = False
        self.parts: list[bytes] = []
        self.size = 0
        self.start = 0
        self.after_comma = False

    def cut(self) -> Iterator[Piece]:
        """Yield each element's bytes; where the list breaks off, a last piece says so."""
        base = self.file.tell()
        chunk = self.file.read(CHUNK)
        if self.base:
            skipped = list_start(chunk)
            self.depth, base, chunk = 1, base + skipped, chunk[skipped:]
        carried = 0
        while chunk:
            position = carried
            carried = 0
            kept = 0
            while match := (_INSIDE if self.in_text else _OUTSIDE).search(chunk, position):
                position = match.end()
                sign = match[0]
                if sign == b"\\":
                    carried = max(0, position + 1 - len(chunk))
                    position += 1
                elif sign == b'"':
                    self.in_text = not self.in_text
                elif not self.begun:
                    self._open(sign, at=base + position)
                    kept = position
                elif self._at_border(sign):
                    self._keep(chunk[kept : position - 1])
                    yield from self._element(ends=sign != b",")
                    kept = position
                    self.start = base + position
                    if self.ended:
                        yield from self._rest(sign, chunk[position:], base + position)
                        return
                else:
                    self._nest(sign)
            if self.begun:
                self._keep(chunk[kept:])
            base += len(chunk)
            chunk = self.file.read(CHUNK)
        yield self._piece(f"the file breaks off here, at byte {base:,}, inside its list")

    def _open(self, sign: bytes, *, at: int) -> None:
        self.depth += 1
        self.begun = sign == b"["
        self.start = at

    def _at_border(self, sign: bytes) -> bool:
        return self.depth == self.base + 1 and sign in b",]}"

    def _nest(self, sign: bytes) -> None:
        if sign in b"{[":
            self.depth += 1
            self.deepest = max(self.deepest, self.depth - self.base - 1)
        elif sign in b"}]":
            self.depth -= 1

    def _keep(self, data: bytes) -> None:
        """Add to the element; beyond the limit only its size grows."""
        self.size += len(data)
        if self.size <= MOST_BYTES and self.deepest <= MOST_DEPTH:
            self.parts.append(data)
        else:
            self.parts.clear()

    def _element(self, *, ends: bool) -> Iterator[Piece]:
        fault = ""
        if self.size > MOST_BYTES:
            fault = f"is larger than {MOST_BYTES:,} bytes"
        elif self.deepest > MOST_DEPTH:
            fault = f"is nested deeper than {MOST_DEPTH}"
        piece = self._piece(fault)
        empty_list = ends and self.index == 0 and not fault and not piece.data.strip()
        if not empty_list:
            yield piece
            self.index += 1
        self.parts, self.size, self.deepest = [], 0, 0
        self.ended = ends

    def _piece(self, fault: str) -> Piece:
        data = b"" if fault else b"".join(self.parts)
        return Piece(f"[{self.index}]", self.start, data, fault)

    def _rest(self, sign: bytes, data: bytes, offset: int) -> Iterator[Piece]:
        """Yield a last piece where the list ends wrongly or, in a list file, something follows."""
        if sign == b"}":
            yield self._piece(
                f"a }} that closes nothing, at byte {offset - 1:,}; reading ended here"
            )
            return
        if self.base:
            return
        while data:
            if found := data.strip():
                at = offset + data.index(found[:1])
                yield self._piece(f"something follows the end of the list, at byte {at:,}")
                return
            offset += len(data)
            data = self.file.read(CHUNK)


def list_start(head: bytes) -> int:
    """Return the offset of the list `dialogues` of an object that starts in `head`, or -1."""
    depth = position = 0
    while match := _OUTSIDE.search(head, position):
        position = match.end()
        if match[0] == b'"':
            end = _text_end(head, position)
            if end < 0:
                return -1
            ahead = _LIST_AHEAD.match(head, end + 1)
            if depth == 1 and ahead and head[position:end] == LIST_NAME:
                return ahead.end() - 1
            position = end + 1
        elif match[0] in b"{[":
            depth += 1
        elif match[0] in b"}]":
            depth -= 1
    return -1


def _text_end(head: bytes, position: int) -> int:
    """Return the offset of the quote that ends the text which starts at `position`, or -1."""
    while match := _INSIDE.search(head, position):
        if match[0] == b'"':
            return match.start()
        position = match.end() + 1
    return -1
