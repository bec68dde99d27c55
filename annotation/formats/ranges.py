"""Byte ranges of a download that was cut (RFC 9110, section 14)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_CHUNK = 1 << 18


class Unsatisfiable(ValueError):
    """The range begins behind the end."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The bytes from `start` up to and with `end` of a file of `size` bytes."""

    start: int
    end: int
    size: int

    @property
    def length(self) -> int:
        """Return how many bytes are sent."""
        return self.end - self.start + 1

    @property
    def header(self) -> str:
        """Return the Content-Range header."""
        return f"bytes {self.start}-{self.end}/{self.size}"


def asked_range(header: str | None, size: int) -> ByteRange | None:
    """Return the range asked for; None for the whole file.

    Several ranges, other units and nonsense are ignored, as the RFC allows: the whole file is
    sent. Raise `Unsatisfiable` where nothing of the range is in the file.
    """
    match = _RANGE.fullmatch((header or "").strip())
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        start, end = max(0, size - int(match[2])), size - 1
    else:
        start, end = int(match[1]), min(int(match[2] or size - 1), size - 1)
        if match[2] and int(match[2]) < start:
            return None
    if start >= size or start > end:
        raise Unsatisfiable(f"bytes */{size}")
    return ByteRange(start, end, size)


def pieces(file: IO[bytes], wanted: ByteRange) -> Iterator[bytes]:
    """Yield the bytes of the range and close the file."""
    with file:
        file.seek(wanted.start)
        left = wanted.length
        while left and (piece := file.read(min(_CHUNK, left))):
            left -= len(piece)
            yield piece
