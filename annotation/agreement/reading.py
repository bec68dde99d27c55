"""Reads a file of ratings, CSV or Parquet, with the columns `unit`, `annotator` and `score`.

The ratings file of this project is read as it is. What cannot be taken is refused with file,
line and column; an empty score is no rating.
"""

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from annotation.agreement.patterns import DuplicateRating, Ratings, Score, code_ratings

NEEDED = ("unit", "annotator", "score")


class Unreadable(Exception):
    """The file cannot be taken; the message says where and what to do."""


@dataclass(frozen=True, slots=True)
class RatingsFile:
    """What a file of ratings held.

    :ivar people: the annotators' names by code.
    :ivar empty: rows without a score, which are no ratings.
    :ivar left_out: rows that the filters did not name.
    :ivar notes: what the reader should know about how it was read.
    """

    ratings: Ratings
    people: tuple[str, ...]
    empty: int
    left_out: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    unit: str
    annotator: str
    score: str


def read_ratings(
    path: Path,
    *,
    domain: Sequence[str] | None = None,
    where: Mapping[str, str] | None = None,
    cluster: str | None = None,
) -> RatingsFile:
    """Read the file; Parquet by its ending, else CSV.

    :param domain: all scores there are, as they are written; None: those found, sorted.
    :param where: only rows whose column has this value.
    :param cluster: the column that names what is resampled as a whole (e.g. `dialogue`).
    :raises Unreadable: with file, line and column.
    """
    rows: list[_Row] = []
    clusters: list[str] = []
    empty = left_out = 0
    dimensions: set[str] = set()
    batches: set[str] = set()
    for line, cells in _rows(path, where or {}, cluster):
        if any(cells[name] != value for name, value in (where or {}).items()):
            left_out += 1
            continue
        for name in ("unit", "annotator"):
            if not cells[name]:
                raise Unreadable(f"{path}, line {line}, column {name}: it is empty")
        if not cells["score"]:
            empty += 1
            continue
        rows.append(_Row(line, cells["unit"], cells["annotator"], cells["score"]))
        dimensions.add(cells.get("dimension", ""))
        batches.add(cells.get("batch", ""))
        if cluster is not None:
            clusters.append(cells[cluster])
    scores, used = _scores(path, rows, domain)
    notes = list(_notes(domain, used, dimensions))
    try:
        ratings = code_ratings(
            [row.unit for row in rows],
            [row.annotator for row in rows],
            scores,
            domain=used,
            clusters=clusters if cluster is not None else None,
        )
    except DuplicateRating as error:
        row, before = rows[error.second], rows[error.first]
        raise Unreadable(
            f"{path}, line {row.line}, column annotator: {row.annotator} rated {row.unit} on line "
            f"{before.line} already; one person counts once for a unit. Keep one of the two"
            + (", or look at one dimension with --where" if len(dimensions) > 1 else "")
            + (", or look at one batch with --where batch=SLUG" if len(batches) > 1 else "")
        ) from None
    except ValueError as error:
        raise Unreadable(f"{path}, column {cluster}: {error}") from None
    # Codes are given in the order of the names, as `numpy.unique` sorts them.
    people = tuple(sorted({row.annotator for row in rows}))
    return RatingsFile(ratings, people, empty, left_out, tuple(notes))


def _notes(
    domain: Sequence[str] | None, used: Sequence[Score], dimensions: set[str]
) -> Iterator[str]:
    if domain is None:
        listed = ",".join(map(str, used))
        yield (
            f"no --domain: took the scores found, {listed}; AC, Brennan-Prediger and weights "
            "change where a score that exists was never given"
        )
    if len(dimensions) > 1:
        yield (
            f"the file has {len(dimensions)} dimensions, pooled here; for one of them add "
            "--where dimension=NAME"
        )


def _rows(
    path: Path, where: Mapping[str, str], cluster: str | None
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line, cells) of each row, once the columns are seen to be there."""
    source = _parquet(path) if path.suffix.lower() == ".parquet" else _csv(path)
    columns = next(source)[1]
    wanted = [*NEEDED, *where, *([cluster] if cluster else [])]
    if missing := [name for name in wanted if name not in columns]:
        raise Unreadable(
            f"{path}, line 1: there is no column {', '.join(missing)}; it has {', '.join(columns)}"
        )
    for line, cells in source:
        if len(cells) != len(columns):
            raise Unreadable(
                f"{path}, line {line}: {len(cells)} cells where the header has {len(columns)}"
            )
        yield line, dict(zip(columns, cells, strict=True))


def _csv(path: Path) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(sys.maxsize)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, None)
            if header is None:
                raise Unreadable(f"{path}, line 1: the file is empty")
            yield 1, [name.strip() for name in header]
            before = reader.line_num
            for cells in reader:
                line, before = before + 1, reader.line_num
                if cells:
                    yield line, [cell.strip() for cell in cells]
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path}: not UTF-8 at byte {error.start}") from error
    except csv.Error as error:
        raise Unreadable(f"{path}, line {reader.line_num}: {error}") from error
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from error


def _parquet(path: Path) -> Iterator[tuple[int, list[str]]]:
    # Slow to import, and CSV needs none of it.
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            yield 1, list(names)
            line = 0
            for batch in file.iter_batches():
                for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    line += 1
                    yield line, ["" if cell is None else str(cell) for cell in row]
    except pa.ArrowException as error:
        raise Unreadable(f"{path}: not a Parquet file: {error}") from error
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror or error}") from error


def _scores(
    path: Path, rows: Sequence[_Row], domain: Sequence[str] | None
) -> tuple[list[Any], list[Score]]:
    """Return the scores and the domain, all numbers or all texts."""
    if domain is not None:
        listed = [one.strip() for one in domain]
        if len(set(listed)) != len(listed) or "" in listed:
            raise Unreadable("--domain names a score twice, or an empty one")
        as_numbers = [number_of(one) for one in listed]
        if None in as_numbers:
            place: dict[Any, Score] = {one: one for one in listed}
            return _placed(path, rows, place, lambda text: text), list(place.values())
        place = {number: number for number in as_numbers if number is not None}
        if len(place) != len(listed):
            raise Unreadable("--domain names a score twice")
        return _placed(path, rows, place, number_of), list(place.values())
    if not rows:
        raise Unreadable(f"{path}: it has no rating, so no scores are known; name them by --domain")
    found = {row.score: number_of(row.score) for row in rows}
    numeric = [text for text, number in found.items() if number is not None]
    if not numeric:
        return [row.score for row in rows], sorted(found)
    for row in rows:
        if found[row.score] is None:
            raise Unreadable(
                f"{path}, line {row.line}, column score: {row.score!r} is no number, others are; "
                "leave the cell empty where there is no rating, or name all scores with --domain"
            )
    return [found[row.score] for row in rows], sorted(
        {one for one in found.values() if one is not None}
    )


def _placed(path: Path, rows: Sequence[_Row], place: Mapping[Any, Score], read: Any) -> list[Score]:
    scores = []
    for row in rows:
        score = place.get(read(row.score))
        if score is None:
            raise Unreadable(
                f"{path}, line {row.line}, column score: {row.score!r} is not in the domain "
                f"{','.join(map(str, place))}; leave the cell empty where there is no rating"
            )
        scores.append(score)
    return scores


def number_of(text: str) -> int | float | None:
    """Return the finite number a cell says, or None."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return None
    if not isfinite(number):
        return None
    return int(number) if number.is_integer() else number
