"""Byte ranges of downloads."""

import io

import pytest

from annotation.formats.ranges import ByteRange, Unsatisfiable, asked_range, pieces


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-9", (0, 9)),
        ("bytes=90-", (90, 99)),
        ("bytes=90-500", (90, 99)),
        ("bytes=-5", (95, 99)),
        ("bytes=-500", (0, 99)),
        ("bytes=99-99", (99, 99)),
    ],
)
def test_a_range_is_read_as_the_standard_says(header, expected):
    assert asked_range(header, 100) == ByteRange(*expected, 100)


@pytest.mark.parametrize(
    "header", [None, "", "bytes=-", "bytes=5-4", "items=0-5", "bytes=0-1,5-6", "x"]
)
def test_what_is_no_single_range_gets_the_whole_file(header):
    assert asked_range(header, 100) is None


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=100-", 100), ("bytes=0-", 0), ("bytes=-0", 9)]
)
def test_a_range_behind_the_end_is_refused(header, size):
    with pytest.raises(Unsatisfiable, match=rf"bytes \*/{size}"):
        asked_range(header, size)


def test_pieces_are_the_range_and_close_the_file():
    file = io.BytesIO(bytes(range(100)))

    assert b"".join(pieces(file, ByteRange(10, 19, 100))) == bytes(range(10, 20))
    assert file.closed
