"""The tidy ratings file: CSV with its guard, Parquet with its types."""

import io
from dataclasses import replace

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.formats.write_ratings import (
    COLUMNS,
    RatingsParquet,
    guarded,
    header_line,
    rating_line,
    read_ratings,
    unguarded,
)
from tests.golden.pairs import sample_ratings


def csv_of(rows):
    return (header_line() + b"".join(rating_line(row) for row in rows)).decode()


def parquet_of(rows):
    out = io.BytesIO()
    writer = RatingsParquet(out)
    for row in rows:
        writer.add(row)
    writer.close()
    return out.getvalue()


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'quoted", "''"])
def test_a_cell_that_a_spreadsheet_would_run_is_guarded_and_comes_back(cell):
    assert guarded(cell) == "'" + cell
    assert unguarded(guarded(cell)) == cell


@given(st.text())
def test_the_guard_is_undone_for_any_text_and_leaves_no_formula(text):
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30))
def test_any_reason_survives_the_file(text):
    row = replace(sample_ratings()[0], reason=text.replace("\x00", ""))

    assert list(read_ratings(io.StringIO(csv_of([row]), newline=""))) == [row]


def test_numbers_are_numbers_and_missing_is_empty():
    row = replace(sample_ratings()[1], score=-1)

    cells = rating_line(row).decode().split(",")

    assert cells[COLUMNS.index("score")] == "-1"
    assert list(read_ratings(io.StringIO(csv_of([row]), newline=""))) == [row]
    assert b"\r" not in csv_of(sample_ratings()).encode()


def test_parquet_holds_the_same_rows_unguarded_and_the_same_bytes_each_time():
    rows = sample_ratings() * 6000

    first = parquet_of(rows)

    table = pq.read_table(io.BytesIO(first))
    assert table.column_names == list(COLUMNS)
    assert table.slice(0, 2).to_pylist() == [
        {name: getattr(row, name) for name in COLUMNS} for row in rows[:2]
    ]
    assert table.num_rows == 12_000
    assert first == parquet_of(rows)


def test_an_empty_file_still_has_its_columns():
    assert pq.read_table(io.BytesIO(parquet_of([]))).column_names == list(COLUMNS)
    assert list(read_ratings(io.StringIO(csv_of([]), newline=""))) == []
