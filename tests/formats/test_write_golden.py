"""One golden file per format. `python -m tests.golden.pairs` writes them again."""

import pytest

from annotation.formats.pairs import pair_line, parse_pairs
from tests.golden.pairs import HERE, golden, sample_pairs, with_decisions


@pytest.mark.parametrize("name", sorted(golden()))
def test_a_format_still_writes_its_golden_file_byte_for_byte(name):
    assert (HERE / name).read_bytes() == golden()[name]


def test_the_canonical_golden_file_reads_back_as_the_same_pairs():
    lines = (HERE / "pairs.canonical.jsonl").read_bytes().splitlines(keepends=True)

    read = list(parse_pairs(lines))

    assert read == [with_decisions(pair) for pair in sample_pairs()]
    assert [pair_line(pair) for pair in read] == lines
