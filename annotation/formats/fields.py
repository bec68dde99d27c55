"""Reading one JSON value field by field, with the path of whatever is unfit.

`decode` turns the bytes of one record into values that a database on UTF-8 can hold and another
program can read: no lone surrogate, no NUL, no NaN, no number beyond 53 bits, no name twice.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from annotation.formats.records import MOST_ID, MOST_MARK, MOST_NAME, MOST_PICTURES, Unfit

MOST_DEPTH = 160
"""Deepest nesting of one record; a tree in our own format takes four levels a turn."""

_WIDEST = 2**53
_BAD_CHARACTER = re.compile("[\x00\ud800-\udfff]")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class _Misfit:
    """Stands in a decoded value where there is something that cannot be taken."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


def _whole(literal: str) -> int | _Misfit:
    if len(literal) > 17 or abs(int(literal)) > _WIDEST:
        return _Misfit(f"the number {_short(literal)} is too large")
    return int(literal)


def _fraction(literal: str) -> float | _Misfit:
    value = float(literal)
    return value if math.isfinite(value) else _Misfit(f"the number {_short(literal)} is too large")


def _constant(literal: str) -> _Misfit:
    return _Misfit(f"{literal} is not a number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Misfit:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        return _Misfit(f"the name {_short(twice)!r} stands twice")
    return value


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_whole, parse_float=_fraction, parse_constant=_constant
)


def decode(data: bytes) -> Any:
    """Return the value of one record's bytes.

    :raises Unfit: it is no UTF-8, no JSON, or holds something that cannot be taken.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unfit("", f"not UTF-8 at byte {error.start} of the record") from None
    try:
        value = _decoder.decode(text.strip(" \t\r\n"))
    except json.JSONDecodeError as error:
        raise Unfit("", f"not JSON: {error.msg} at character {error.pos} of the record") from None
    except RecursionError:
        raise Unfit("", f"nested deeper than {MOST_DEPTH}") from None
    for path, reason in _misfits(value):
        raise Unfit(path, reason)
    return value


def _misfits(root: Any) -> Iterator[tuple[str, str]]:
    """Yield (path, reason) of everything in a decoded value that cannot be taken."""
    pending = [("", root)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, _Misfit):
            yield path, value.reason
        elif isinstance(value, str):
            if match := _BAD_CHARACTER.search(value):
                what = (
                    "NUL"
                    if match[0] == "\0"
                    else f"half of a surrogate pair, U+{ord(match[0]):04X}"
                )
                yield path, f"holds {what} at character {match.start()}"
        elif isinstance(value, dict):
            for name in value:
                if _BAD_CHARACTER.search(name):
                    yield path, "a name holds NUL or half of a surrogate pair"
            pending.extend((_join(path, name), child) for name, child in value.items())
        elif isinstance(value, list):
            pending.extend((f"{path}[{index}]", child) for index, child in enumerate(value))


def _join(path: str, name: str) -> str:
    part = name if _PLAIN_NAME.fullmatch(name) else f"[{json.dumps(_short(name))}]"
    return f"{path}.{part}" if path and not part.startswith("[") else f"{path}{part}"


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."


def _kind(value: Any) -> str:
    """Return what a JSON value is, in JSON's own words."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return f"the number {value}"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "an object"


@dataclass(frozen=True, slots=True)
class At:
    """A value and where it stands. Every getter raises `Unfit` with the path of what is wrong."""

    value: Any
    path: str = ""

    def unfit(self, reason: str) -> Unfit:
        return Unfit(self.path, reason)

    def has(self, name: str) -> bool:
        return isinstance(self.value, dict) and name in self.value

    def object(self) -> Self:
        if not isinstance(self.value, dict):
            raise self.unfit(f"should be an object, is {_kind(self.value)}")
        return self

    def child(self, name: str) -> Self:
        """Return the named value; an absent one is None."""
        return type(self)(self.object().value.get(name), _join(self.path, name))

    def needed(self, name: str) -> Self:
        if name not in self.object().value:
            raise Unfit(_join(self.path, name), "is missing")
        return self.child(name)

    def items(self, *, at_least: int = 0, at_most: int | None = None) -> list[Self]:
        if not isinstance(self.value, list):
            raise self.unfit(f"should be a list, is {_kind(self.value)}")
        if len(self.value) < at_least:
            raise self.unfit("is empty")
        if at_most is not None and len(self.value) > at_most:
            raise self.unfit(f"holds {len(self.value)} entries; at most {at_most} are taken")
        return [type(self)(one, f"{self.path}[{index}]") for index, one in enumerate(self.value)]

    def text(self) -> str:
        if not isinstance(self.value, str):
            raise self.unfit(f"should be a text, is {_kind(self.value)}")
        return self.value

    def optional_text(self, *, at_most: int | None = None) -> str:
        """Return a text, or "" for null and absent."""
        if self.value is None:
            return ""
        text = self.text()
        if at_most is not None and len(text) > at_most:
            raise self.unfit(f"is longer than {at_most} characters")
        return text

    def identifier(self) -> str:
        """Return an id as text: a text or whole number; "" for null and absent."""
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return str(self.value)
        return self.optional_text(at_most=MOST_ID)

    def whole(self) -> int:
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self.unfit(f"should be a whole number, is {_kind(self.value)}")
        return int(self.value)

    def flag(self) -> bool:
        """Return true or false; absent and null are false."""
        if self.value is None:
            return False
        if not isinstance(self.value, bool):
            raise self.unfit(f"should be true or false, is {_kind(self.value)}")
        return self.value

    def texts(self) -> tuple[str, ...]:
        """Return a list of texts; absent and null are an empty one."""
        return () if self.value is None else tuple(one.text() for one in self.items())

    def keys(self) -> tuple[str, ...]:
        """Return a list of content marks; absent and null are an empty one, blanks are none."""
        told = () if self.value is None else self.items()
        keys = (one.optional_text(at_most=MOST_MARK).strip() for one in told)
        return tuple(key for key in keys if key)

    def names(self) -> tuple[str | None, ...]:
        """Return a picture list as it came; absent and null are an empty one."""
        if self.value is None:
            return ()
        return tuple(one.name() for one in self.items(at_most=MOST_PICTURES))

    def name(self) -> str | None:
        if self.value is None:
            return None
        return self.optional_text(at_most=MOST_NAME)
