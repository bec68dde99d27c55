"""One tidy row per rating, as CSV and as Parquet, for any statistics program.

`python -m annotation.agreement` reads it: it needs the columns `unit`, `annotator` and `score`.
`unit` names the dimension and the response. `score` is empty where the rating enters no ordinal
statistic; `answer` has what was stored and `left_out` says why.

Text cells that a spreadsheet would run as a formula are guarded in CSV: a cell that begins with
one of `= + - @`, a tab, a carriage return or an apostrophe gets an apostrophe in front. It is undone
by taking one leading apostrophe away (`unguarded`), so nothing is lost. Cells of number columns
are numbers or empty and are never guarded. Parquet needs no guard and has none.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path
from typing import IO, Any, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
_NEEDS_QUOTES = re.compile(r'[,"\r\n]')
_ROWS_PER_GROUP = 10_000


@dataclass(frozen=True, slots=True)
class RatingRow:
    """One rating of one thing by one person on one dimension. Empty text is none."""

    project: str
    batch: str
    item: str  # content key of the item
    dialogue: str  # content key of the root
    unit: str  # dimension and response
    annotator: str  # pseudonym
    score: int | None  # what enters ordinal statistics, else None
    dimension: str
    level: str  # local or global
    turn: int  # depth of the rated response, from 1
    response: str  # content key; a global rating names the last response of its path
    answer: str  # the score as stored, or "not_applicable"
    left_out: str  # why `score` is None
    origin: str  # given, by_rule, proposed, carried
    reason: str
    tags: str  # joined by a space
    branch: str  # which picture an image dimension was about
    purpose: str  # of the seat
    set: str  # independent or final
    judgment: int  # evidence number in the batch
    revision: int
    cause: str
    guideline: int | None
    language: str
    model: str  # who made the response, where known
    images: int  # pictures that the file names for the response
    active_ms: int | None
    submitted_at: str  # ISO 8601, UTC
    marks: str = ""  # content marks of the dialogue, each with its origin


COLUMNS = tuple(field.name for field in fields(RatingRow))
_TYPES = get_type_hints(RatingRow)
_cells = attrgetter(*COLUMNS)
_TEXT = tuple(_TYPES[name] is str for name in COLUMNS)


def guarded(cell: str) -> str:
    """Return the cell so that no spreadsheet runs it; `unguarded` gives it back."""
    return "'" + cell if cell.startswith(_FORMULA) else cell


def unguarded(cell: str) -> str:
    """Return the cell as it was before `guarded`."""
    return cell.removeprefix("'")


def header_line() -> bytes:
    """Return the CSV header line."""
    return _csv_line(COLUMNS)


def rating_line(row: RatingRow) -> bytes:
    """Return one CSV line: UTF-8, LF, quoted only where needed, text cells guarded."""
    cells = _cells(row)
    return _csv_line(
        [
            guarded(cell) if is_text else ("" if cell is None else str(cell))
            for cell, is_text in zip(cells, _TEXT, strict=True)
        ]
    )


def read_ratings(lines: Iterable[str]) -> Iterator[RatingRow]:
    """Read the CSV back, guard undone. The file must be opened with newline=""."""
    for record in csv.DictReader(lines):
        values: dict[str, Any] = {}
        for name, is_text in zip(COLUMNS, _TEXT, strict=True):
            cell = record[name]
            values[name] = unguarded(cell) if is_text else (int(cell) if cell else None)
        yield RatingRow(**values)


class RatingsParquet:
    """Writes rating rows to a Parquet file, a row group at a time, in bounded memory."""

    schema = pa.schema(
        [
            pa.field(name, pa.string() if is_text else pa.int64())
            for name, is_text in zip(COLUMNS, _TEXT, strict=True)
        ]
    )

    def __init__(self, target: Path | IO[bytes]) -> None:
        """Open the file; the caller closes the writer."""
        self._writer = pq.ParquetWriter(target, self.schema, compression="zstd")
        self._rows: list[RatingRow] = []

    def add(self, row: RatingRow) -> None:
        """Take one row; groups are cut by count, so the same rows give the same bytes."""
        self._rows.append(row)
        if len(self._rows) == _ROWS_PER_GROUP:
            self._flush()

    def close(self) -> None:
        """Write what is left and the footer."""
        if self._rows:
            self._flush()
        self._writer.close()

    def _flush(self) -> None:
        columns = zip(*map(_cells, self._rows), strict=True)
        arrays = [pa.array(list(c), f.type) for c, f in zip(columns, self.schema, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self.schema))
        self._rows = []


def _csv_line(cells: Iterable[str]) -> bytes:
    return (",".join(_quoted(cell) for cell in cells) + "\n").encode("utf-8")


def _quoted(cell: str) -> str:
    """Quote as RFC 4180 asks. The csv module of Python 3.11 forgets a lone carriage return."""
    if _NEEDS_QUOTES.search(cell):
        return '"' + cell.replace('"', '""') + '"'
    return cell
