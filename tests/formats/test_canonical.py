"""Our own format: paths and trees, and what their branches become."""

import json

import pytest

from annotation.formats.records import Preference, Refused, Slot
from tests.formats.files import entries_of, tree, written


def test_a_tree_gives_one_record_for_each_end(tmp_path):
    (entry,) = entries_of(written(tmp_path, tree()))

    assert [
        (record.position, record.external_id, [turn.response.text for turn in record.turns])
        for record in entry.records
    ] == [
        (0, "tree-1/1", ["Museum <Image, hall> and park."]),
        (1, "tree-1/2", ["Museum <Image, hall> and park.", "Home."]),
        (2, "tree-1/3", ["Museum <Image, hall> and park.", "Sea."]),
        (3, "tree-1/4", ["Museum <Image, hall> and park.", "No."]),
        (4, "tree-1/5", ["Rest."]),
    ]
    first = entry.records[0]
    assert (first.dialogue_id, first.task, first.source, first.language, first.marks) == (
        "tree-1",
        "Travel",
        "ours",
        "en",
        ("sensitive",),
    )
    assert first.turns[0].response.source.as_json() == {
        "model": "model-x",
        "sampling": {"temperature": 0.7},
    }


def test_scores_of_a_shared_response_come_once(tmp_path):
    (entry,) = entries_of(written(tmp_path, tree()))

    assert [
        [(score.dimension, score.turn, score.score) for score in record.scores]
        for record in entry.records
    ] == [[("text_quality", 1, 3), ("helpfulness", None, 2)], [], [], [], []]


def test_preferences_name_the_records_that_hold_the_two_sides(tmp_path):
    (entry,) = entries_of(written(tmp_path, tree()))

    assert entry.preferences == (
        Preference(0, 4, 1, "", "first", strength=2),
        Preference(3, 4, None, "helpfulness", "tie"),
    )


def test_an_entry_of_a_picture_list_overrides_what_the_text_says(tmp_path):
    (entry,) = entries_of(written(tmp_path, tree()))

    assert entry.records[0].turns[0].response.slots == (
        Slot(0, "hall.png", offset=7, length=13, kind="Image", caption="the great hall"),
    )
    assert entry.records[4].turns[0].response.slots == (Slot(0, "", never_made=True),)


def test_lines_of_paths_are_read_one_by_one(tmp_path):
    path = tmp_path / "paths.jsonl"
    lines = [
        {
            "format": "intermt-annotate/1",
            "id": f"p{number}",
            "turns": [{"prompt": "Hi", "response": {"text": f"Hello {number}"}}],
            "scores": {"helpfulness": {"not_applicable": True, "reason": "No task."}},
        }
        for number in range(3)
    ]
    path.write_text("\n".join(json.dumps(line) for line in lines))

    entries = entries_of(path)

    assert [entry.records[0].external_id for entry in entries] == ["p0", "p1", "p2"]
    (score,) = entries[0].records[0].scores
    assert (score.score, score.not_applicable, score.reason) == (None, True, "No task.")
    assert entries[2].records[0].place == "line 3"


def changed(path, value):
    """Return the tree with the value at a dotted path replaced."""
    body = tree()
    *way, last = path.split(".")
    at = body
    for part in way:
        at = at[int(part)] if part.isdigit() else at[part]
    at[int(last) if last.isdigit() else last] = value
    return body


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("format", "intermt-annotate/2", "format"),
        ("prompt.responses", [], "prompt.responses"),
        ("prompt.responses.1.id", "a1", "prompt.responses[1]"),
        ("prompt.responses.0.end", False, "prompt.responses[0].path_scores"),
        (
            "prompt.responses.0.scores",
            {"text_quality": "good"},
            "prompt.responses[0].scores.text_quality",
        ),
        ("preferences.0.second", "zz", "preferences[0].second"),
        ("preferences.0.second", "a3", "preferences[0].second"),
        ("preferences.0.outcome", "both", "preferences[0].outcome"),
        ("preferences.0.strength", 3, "preferences[0].strength"),
        ("preferences.1.first", "a9", "preferences[1].first"),
        (
            "prompt.responses.0.images.0",
            {"path": "x.png", "offset": 28, "length": 9},
            "prompt.responses[0].images[0].offset",
        ),
        ("id", "x" * 195, "id"),
    ],
)
def test_a_tree_that_contradicts_itself_is_refused_with_the_path(tmp_path, path, value, field):
    (entry,) = entries_of(written(tmp_path, changed(path, value)))

    assert isinstance(entry, Refused)
    assert entry.field == field
