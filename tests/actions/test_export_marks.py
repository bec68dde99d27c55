"""Exports carry content marks with their origin, and can leave the marked out, counted."""

import pytest
from django.core.management import CommandError, call_command

from annotation.actions.exports import request_export
from annotation.actions.marks import end_mark
from annotation.choices import MarkOrigin
from annotation.errors import Invalid, NotFound
from annotation.formats.manifest import verified
from annotation.formats.options import ExportOptions
from annotation.formats.write_ratings import read_ratings
from annotation.models import Mark
from annotation.reports.exports import errata_since
from tests.exported import decided_batch, digests, export, rows_of
from tests.factories import NOW, make_lead, make_mark

pytestmark = pytest.mark.django_db


@pytest.fixture
def marked():
    """Four judged pairs: one with a marked picture and a word, one with another mark, two plain."""
    batch = decided_batch()
    first, second, *_ = batch.items.order_by("position")
    slot = first.response_1.turn.slots.get()
    make_mark(first.dialogue, "disaster", slot=slot)
    make_mark(first.dialogue, "injury", origin=MarkOrigin.WORDS)
    make_mark(second.dialogue, "injury")
    return batch


def told_marks(path) -> list:
    return [row["marks"] for row in rows_of(path)]


def test_every_record_carries_its_dialogues_marks_with_their_origin(marked, tmp_path):
    first = marked.items.order_by("position").first()

    export(marked, tmp_path / "canonical")
    export(marked, tmp_path / "swift", format="swift")
    export(marked, tmp_path / "ratings", format="ratings")

    assert told_marks(tmp_path / "canonical" / "pairs.jsonl") == [
        [
            {
                "category": "disaster",
                "origin": "file",
                "node": first.response_1.turn.content_key,
                "slot": 0,
            },
            {"category": "injury", "origin": "words", "node": None, "slot": None},
        ],
        [{"category": "injury", "origin": "file", "node": None, "slot": None}],
        [],
        [],
    ]
    assert told_marks(tmp_path / "swift" / "pairs.jsonl") == [
        "disaster (file), injury (words)",
        "injury (file)",
        "",
    ]
    with (tmp_path / "ratings" / "ratings.csv").open(newline="", encoding="utf-8") as file:
        marks = {row.dialogue: row.marks for row in read_ratings(file)}
    assert marks[first.dialogue.content_key] == "disaster (file), injury (words)"
    assert sorted(marks.values()) == [
        "",
        "",
        "disaster (file), injury (words)",
        "injury (file)",
    ]


@pytest.mark.parametrize("format", ["canonical", "swift", "ratings"])
@pytest.mark.parametrize(
    ("without", "excluded", "left"),
    [
        ("disaster", {"marked_disaster": 2}, 3),
        ("injury, disaster", {"marked_disaster": 2, "marked_injury": 2}, 2),
        ("all", {"marked_disaster": 2, "marked_injury": 2}, 2),
        ("injury", {"marked_injury": 4}, 2),
    ],
)
def test_marked_dialogues_are_left_out_and_the_sums_balance(
    marked, tmp_path, format, without, excluded, left
):
    told = export(marked, tmp_path / "out", format=format, without_marks=without)

    sums = told["judgments"]
    marks = {name: n for name, n in sums["excluded"].items() if name.startswith("marked_")}
    assert marks == excluded
    assert sums["submitted"] == sums["exported"] + sum(sums["excluded"].values())
    assert verified(tmp_path / "out") == []
    dialogues = {row["dialogue"] for row in rows_of(tmp_path / "out" / "index.jsonl")}
    assert len(dialogues) == left
    readme = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "content mark" in readme.split("## Rules")[1]
    assert all(
        f"- judgments, {name.replace('_', ' ')}: {n}" in readme for name, n in excluded.items()
    )
    assert told["options"]["without_marks"] == ",".join(
        sorted(one.strip() for one in without.split(","))
    )


def test_a_dialogue_stands_in_the_same_split_with_and_without_the_filter(marked, tmp_path):
    split = {"split": "50/25/25", "seed": 4}
    export(marked, tmp_path / "all", **split)
    export(marked, tmp_path / "some", without_marks="disaster", **split)

    def places(folder):
        return {
            row["dialogue"]: path.stem
            for path in folder.glob("*.jsonl")
            if path.stem != "index"
            for row in rows_of(path)
        }

    some, everything = places(tmp_path / "some"), places(tmp_path / "all")
    assert len(some) == 3
    assert some.items() <= everything.items()


def test_marks_at_a_number_give_the_same_bytes_though_marks_come_and_go(marked, tmp_path):
    export(marked, tmp_path / "before", without_marks="disaster")
    end_mark(Mark.objects.get(key="disaster"), by=make_lead(), why="It is a drill.", now=NOW)
    third = marked.items.order_by("position")[2]
    make_mark(third.dialogue, "disaster")

    told = export(marked, tmp_path / "then", without_marks="disaster", marks_at=3)
    now = export(marked, tmp_path / "now", without_marks="disaster")

    assert digests(tmp_path / "before") == digests(tmp_path / "then")
    assert told["options"]["marks_at"] == 3
    assert now["options"]["marks_at"] == 5
    first = marked.items.order_by("position").first().dialogue.content_key
    assert first in {row["dialogue"] for row in rows_of(tmp_path / "now" / "index.jsonl")}
    with pytest.raises(NotFound, match="at number 5"):
        export(marked, tmp_path / "later", marks_at=6)


def test_errata_tell_that_a_pair_is_marked_since(marked, tmp_path):
    export(marked, tmp_path / "out")
    assert errata_since(marked.project, tmp_path / "out") == []

    make_mark(marked.items.order_by("position")[2].dialogue, "disaster")

    assert [one.what for one in errata_since(marked.project, tmp_path / "out")] == ["changed"]


def test_a_mark_that_nobody_knows_is_refused_by_action_command_and_folder(marked, tmp_path):
    with pytest.raises(Invalid, match="disastre is none of all, disaster, injury"):
        export(marked, tmp_path / "out", without_marks="disastre,injury")
    with pytest.raises(CommandError, match="disastre is none of"):
        call_command(
            "export_pairs", "--batch", "cats", "--out", str(tmp_path / "out"),
            "--without-marks", "disastre",
        )  # fmt: skip
    options = ExportOptions(without_marks="disastre")
    with pytest.raises(Invalid, match="disastre is none of"):
        request_export([marked], options=options, by=make_lead(), now=NOW)

    assert not (tmp_path / "out").exists()


def test_a_job_is_of_the_marks_at_the_time_it_was_asked_for(marked):
    job = request_export([marked], options=ExportOptions(), by=make_lead(), now=NOW)

    make_mark(marked.items.order_by("position")[2].dialogue, "disaster")

    assert job.options["marks_at"] == 3


def test_the_command_leaves_out_what_it_is_told(marked, tmp_path, capsys):
    out = tmp_path / "out"

    call_command(
        "export_pairs", "--batch", "cats", "--out", str(out), "--without-marks", "all"
    )  # fmt: skip

    assert "marked_disaster 2, marked_injury 2" in capsys.readouterr().out
    assert told_marks(out / "pairs.jsonl") == [[], []]
