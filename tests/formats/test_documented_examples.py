"""What the documentation of our own format shows can be imported as it stands."""

import json
import re
from pathlib import Path

from annotation.formats.records import Entry
from tests.formats.files import entries_of, written

DOCUMENT = Path(__file__).parents[2] / "docs" / "canonical-format.md"


def test_every_example_of_the_canonical_format_is_read(tmp_path):
    examples = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)

    entries = [
        entry for text in examples for entry in entries_of(written(tmp_path, json.loads(text)))
    ]

    assert [type(entry) for entry in entries] == [Entry, Entry]
    path, tree = entries
    assert [len(record.turns) for record in path.records] == [2]
    assert [score.dimension for score in path.records[0].scores] == [
        "text_quality",
        "helpfulness",
        "style_coherence",
    ]
    assert [len(record.turns) for record in tree.records] == [1, 2, 1]
    assert [one.outcome for one in tree.preferences] == ["first", "tie"]
