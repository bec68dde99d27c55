"""The folder of an export: whole or not at all, balanced, the same for ever, as people preferred."""

import json
import os
import signal
import time
from contextlib import suppress
from random import Random

import datasets
import pytest
from django.core.files.storage import default_storage
from django.db import connection, connections

from annotation.actions.export_files import (
    CannotHold,
    FolderTaken,
    OriginalMissing,
    write_folder,
)
from annotation.actions.voids import AlreadyVoid, Target, lift, void
from annotation.choices import BatchKind, BatchSettings, Cause, SeatPurpose
from annotation.errors import NotFound
from annotation.formats.manifest import file_digest, verified
from annotation.formats.options import ExportOptions
from annotation.formats.pairs import parse_pairs
from annotation.formats.write_ratings import read_ratings
from annotation.models import Judgment, Void
from annotation.reports.agreement import batch_agreement
from annotation.reports.pairs import Snapshot
from tests.exported import decided_batch, digests, export, rows_of
from tests.factories import (
    NOW,
    make_batch,
    make_item,
    make_items,
    make_lead,
    make_member,
    make_slot,
    make_tree,
)
from tests.judged import judge, make_picture
from tests.worlds import open_batch_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def judged():
    """Four turn pairs with pictures on which two people judged."""
    return decided_batch()


def test_what_was_preferred_is_chosen_with_the_pictures_of_both_sides(judged, tmp_path):
    out = tmp_path / "out"

    told = export(judged, out, format="swift")

    rows = rows_of(out / "pairs.jsonl")
    preferred = {item.dialogue.content_key: item.response_2.text for item in judged.items.all()}
    assert len(rows) == 3
    for row in rows:
        assert row["messages"][-1]["content"] == preferred[row["dialogue"]] + "<image>"
        assert len(row["images"]) == 2
        assert len(row["rejected_images"]) == 1
        for path in row["images"] + row["rejected_images"]:
            assert path.split("/")[-1].split(".")[0] == file_digest(out / path)[1]
    assert told["decisions"] == {"made": 4, "written": 3, "excluded": {"no_majority": 1}}
    assert told["judgments"] == {
        "submitted": 9,
        "exported": 6,
        "excluded": {"pair_without_row": 2, "superseded": 1},
    }
    assert verified(out) == []


@pytest.mark.parametrize(
    "options",
    [
        {"format": "canonical", "dimension": "all"},
        {"format": "canonical", "text": "raw", "split": "50/25/25", "seed": 3},
        {"format": "swift", "aggregate": "raw", "margin": "strength"},
        {"format": "swift", "source": "scores", "dimension": "text_quality", "margin": "gap"},
        {"format": "trl", "response_images": "drop", "split": "80/10/10"},
        {"format": "ratings"},
        {"format": "ratings", "set": "independent"},
        {"format": "swift", "images": "link"},
        {"format": "swift", "images": "none"},
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_every_kind_of_export_is_sound_and_the_same_ten_times(judged, tmp_path, options):
    for number in range(10):
        export(judged, tmp_path / str(number), **options)

    first = digests(tmp_path / "0")
    assert all(digests(tmp_path / str(number)) == first for number in range(10))
    assert verified(tmp_path / "0") == []


def test_a_snapshot_stays_the_same_while_work_goes_on(judged, tmp_path):
    number = Snapshot.now(judged).number
    export(judged, tmp_path / "before", number=number)
    item = judged.items.first()

    judge(item, make_member(name="late"), overall=item.response_1)

    export(judged, tmp_path / "after", number=number)
    export(judged, tmp_path / "now")
    assert digests(tmp_path / "after") == digests(tmp_path / "before")
    assert digests(tmp_path / "now") != digests(tmp_path / "before")


def test_canonical_pairs_hold_every_vote_and_what_was_decided(judged, tmp_path):
    told = export(judged, tmp_path / "out", format="canonical")

    with (tmp_path / "out" / "pairs.jsonl").open("rb") as file:
        pairs = list(parse_pairs(file))
    assert [len(pair.judgments) for pair in pairs] == [2, 2, 2, 2]
    assert [pair.aggregates[0].outcome for pair in pairs] == ["prefers"] * 3 + ["no_majority"]
    assert told["decisions"] == {"made": 4, "written": 4, "excluded": {}}


def test_trl_refuses_the_pictures_of_responses_and_leaves_nothing_behind(judged, tmp_path):
    with pytest.raises(CannotHold, match="3 rows: TRL cannot hold the pictures of responses"):
        export(judged, tmp_path / "out", format="trl")

    assert list(tmp_path.glob("*out*")) == []


def test_trl_told_to_drop_counts_what_it_dropped_and_loads_with_open_pictures(judged, tmp_path):
    out = tmp_path / "out"
    told = export(judged, out, format="trl", response_images="drop")

    assert told["lost"] == {"response_images": 3}
    assert "response images dropped: 3" in (out / "README.md").read_text()
    rows = datasets.load_dataset(
        "json", data_files=str(out / "pairs.jsonl"), split="train", cache_dir=str(tmp_path / "c")
    )
    rows = rows.map(lambda row: {"images": [str(out / path) for path in row["images"]]})
    rows = rows.cast_column("images", datasets.List(datasets.Image()))
    assert [row["images"][0].size for row in rows] == [(8, 6)] * 3


def test_a_conversation_pair_is_refused_by_trl_and_whole_in_swift(tmp_path):
    batch = make_batch(kind=BatchKind.CONVERSATION_PAIR)
    tree = make_tree(paths=2, turns=3, fork=2)
    item = make_item(batch, *tree.responses.full().order_by("content_key"))
    judge(item, make_member(), overall=item.response_1)

    with pytest.raises(CannotHold, match="side of several messages"):
        export(batch, tmp_path / "trl", format="trl")
    told = export(batch, tmp_path / "last", format="trl", last_response_only=True)
    export(batch, tmp_path / "swift", format="swift")

    assert told["decisions"]["excluded"] == {"contexts_differ": 1}
    (row,) = rows_of(tmp_path / "swift" / "pairs.jsonl")
    assert [message["role"] for message in row["messages"]] == ["user", "assistant"] * 3
    assert [message.get("loss") for message in row["messages"]] == [
        None,
        False,
        None,
        True,
        None,
        True,
    ]


def test_no_dialogue_and_no_picture_stands_in_two_splits(tmp_path):
    batch = make_batch()
    items = make_items(batch, items=24)
    for number, item in enumerate(items):
        make_slot(response=item.response_1, image=make_picture(number // 2))
        judge(item, make_member(), overall=item.response_1)

    told = export(batch, tmp_path / "out", format="swift", split="40/30/30", seed=5)

    split_of = {}
    for split, rows in told["splits"]["rows"].items():
        path = tmp_path / "out" / f"{split}.jsonl"
        assert path.exists() == bool(rows)
        for row in rows_of(path) if rows else ():
            for path in row["images"] + row["rejected_images"] + [row["dialogue"]]:
                assert split_of.setdefault(path, split) == split
    assert len(split_of) == 24 + 12
    assert "train" in split_of.values()
    assert sum(told["splits"]["rows"].values()) == 24
    assert (told["splits"]["groups"], told["splits"]["largest_group"]) == (12, 2)
    assert sum(told["splits"]["dialogues"].values()) == 24


def test_ratings_are_one_row_each_in_csv_and_parquet(judged, tmp_path):
    told = export(judged, tmp_path / "out", format="ratings")

    with (tmp_path / "out" / "ratings.csv").open(newline="", encoding="utf-8") as file:
        rows = list(read_ratings(file))
    assert sorted((row.annotator, row.score) for row in rows) == (
        [("kim", 1)] * 3 + [("kim", 3)] * 3 + [("robin", 1)] * 4 + [("robin", 3)] * 4
    )
    assert {row.left_out for row in rows} == {""}
    assert told["judgments"] == {
        "submitted": 9,
        "exported": 7,
        "excluded": {"superseded": 1, "no_ratings": 1},
    }
    assert datasets.Dataset.from_parquet(
        str(tmp_path / "out" / "ratings.parquet"), cache_dir=str(tmp_path / "c")
    )["score"] == [row.score for row in rows]


def test_it_says_who_rated_how_the_items_came_and_how_far_people_agreed(tmp_path):
    settings = BatchSettings(overlap=2, population="Four teachers who speak English.")
    batch, people = open_batch_with(items=3, settings=settings)
    for person in people:
        for item in batch.items.all():
            judge(item, person, overall=item.response_1)
    item = batch.items.first()
    judge(item, make_member(), overall=item.response_2, purpose=SeatPurpose.EXTRA)

    export(batch, tmp_path / "out", format="ratings")

    told = json.loads((tmp_path / "out" / "reliability.json").read_text(encoding="utf-8"))
    [said] = told["batches"]
    found = batch_agreement(batch)
    assert said["raters"] == {
        "population": "Four teachers who speak English.", "number": 2, "qualification": "",
    }  # fmt: skip
    assert (said["sample"]["items"], said["sample"]["judgments_per_item"]) == (3, 2)
    assert (said["independence"]["submitted"], said["independence"]["independent"]) == (7, 6)
    assert sum(said["independence"]["left_out"].values()) == 1
    [overall] = [one for one in said["agreement"] if one["of"] == "preference.overall"]
    [exact] = [one for one in overall["figures"] if one["measure"] == "percent_agreement"]
    assert (overall["pairable_units"], exact["value"]) == (3, 1.0)
    assert exact["low"] == round(found.preferences[0].agreement.figure("percent_agreement").low, 6)
    readme = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "2 annotators (Four teachers who speak English). 6 independent judgments of 3" in readme
    assert "| preference.overall | 3 |" in readme


def test_a_folder_that_is_not_empty_is_left_alone(judged, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")

    with pytest.raises(FolderTaken):
        export(judged, tmp_path / "out")
    assert [path.name for path in tmp_path.glob("**/*.txt")] == ["mine.txt"]


def test_a_break_in_the_middle_leaves_no_folder(judged, tmp_path):
    def break_at_the_pictures(_):
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        write_folder(
            tmp_path / "out",
            project=judged.project,
            snapshots=[Snapshot.now(judged)],
            options=ExportOptions(),
            progress=break_at_the_pictures,
        )

    assert not (tmp_path / "out").exists()
    assert list(tmp_path.glob(".out*")) == []


def test_a_picture_that_is_gone_or_altered_in_the_store_stops_the_export(judged, tmp_path):
    picture = make_picture(0)
    with default_storage.open(picture.original.name, "wb") as file:
        file.write(b"other")

    with pytest.raises(OriginalMissing, match="is not what it was"):
        export(judged, tmp_path / "out", format="swift")

    default_storage.delete(picture.original.name)
    with pytest.raises(OriginalMissing, match="is gone"):
        export(judged, tmp_path / "out", format="swift")
    assert not (tmp_path / "out").exists()


def test_a_conversation_batch_has_ratings_and_no_pairs(tmp_path):
    batch = make_batch(kind=BatchKind.CONVERSATION)
    (item,) = make_items(batch)
    judge(item, make_member(), scores={(item.response_1, "helpfulness"): 2})

    with pytest.raises(CannotHold, match="Export its ratings"):
        export(batch, tmp_path / "pairs")
    told = export(batch, tmp_path / "ratings", format="ratings")
    assert told["judgments"] == {"submitted": 1, "exported": 1, "excluded": {}}


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happened_every_judgment_is_exported_or_excluded_by_reason(tmp_path, seed):
    random = Random(seed)
    batch = make_batch()
    items = make_items(batch, items=4)
    people, lead = [make_member() for _ in range(4)], make_lead()
    for _ in range(40):
        item, person = random.choice(items), random.choice(people)
        earlier = Judgment.objects.filter(item=item, member=person).order_by("-revision").first()
        answers = {
            "overall": random.choice([item.response_1, item.response_2, "tie", "both_bad"]),
            "scores": {(item.response_1, "text_quality"): random.randrange(4)},
        }
        match random.randrange(8):
            case 0 if earlier:
                judge(item, person, cause=Cause.WITHDRAWAL)
            case 1 if earlier:
                _try(lambda j=earlier: void(Target(judgment=j), by=lead, reason="x", now=NOW))
            case 2:
                standing = Void.objects.standing(number=10**6).first()
                if standing:
                    lift(standing, by=lead, reason="x", now=NOW)
            case 3:
                target = random.choice([Target(item=item), Target(member=person)])
                _try(lambda t=target: void(t, by=lead, reason="x", now=NOW))
            case 4 if not earlier:
                judge(item, person, seated=False, **answers)
            case _:
                judge(item, person, cause=Cause.CORRECTION if earlier else Cause.FIRST, **answers)

    newest = Snapshot.now(batch).number
    for number in (newest, newest // 2):
        with connection.cursor() as cursor:
            query = "SELECT count(*) FROM annotation_judgment WHERE batch_id = %s AND number <= %s"
            cursor.execute(query, [batch.pk, number])
            (counted,) = cursor.fetchone()
        for options in ({"format": "canonical"}, {"format": "swift"}, {"format": "ratings"}):
            out = tmp_path / f"{number}-{options['format']}"
            told = export(batch, out, number=number, **options)["judgments"]
            assert told["submitted"] == counted
            assert told["submitted"] == told["exported"] + sum(told["excluded"].values())
            assert verified(out) == []


def _try(act):
    with suppress(AlreadyVoid, NotFound):
        act()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_writer_killed_at_any_moment_leaves_a_whole_folder_or_none(tmp_path):
    batch = make_batch()
    for number, item in enumerate(make_items(batch, items=12)):
        make_slot(response=item.response_1, image=make_picture(number))
        judge(item, make_member(), overall=item.response_1)
    started = time.monotonic()
    export(batch, tmp_path / "whole", format="swift")
    lasts = time.monotonic() - started

    found = []
    for number in range(8):
        out = tmp_path / f"killed-{number}"
        connections.close_all()  # a connection is not shared by two processes
        child = os.fork()
        if child == 0:
            export(batch, out, format="swift")
            os._exit(0)
        time.sleep(lasts * (number + 1) / 6)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        found.append(out.exists())
        assert not out.exists() or verified(out) == []

    assert False in found
