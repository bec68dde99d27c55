"""Exports: whole or not at all, balanced, the same for ever, and as people preferred."""

import hashlib
import io
import json
import os
import signal
import tarfile
import time
from contextlib import suppress
from datetime import timedelta
from random import Random

import datasets
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, connections

from annotation.actions.export_files import (
    CannotHold,
    FolderTaken,
    OriginalMissing,
    write_folder,
)
from annotation.actions.exports import ExportUnderWay, build_export, read_options, request_export
from annotation.actions.voids import AlreadyVoid, Target, lift, void
from annotation.choices import BatchKind, Cause, JobState
from annotation.errors import Invalid, NotAllowed, NotFound
from annotation.formats.manifest import file_digest, read_manifest, verified
from annotation.formats.options import ExportOptions
from annotation.formats.pairs import parse_pairs
from annotation.formats.write_ratings import read_ratings
from annotation.models import Dialogue, Export, Image, Judgment, Response, Turn, Void
from annotation.reports.pairs import Snapshot
from tests.factories import (
    NOW,
    make_batch,
    make_import,
    make_item,
    make_items,
    make_lead,
    make_member,
    make_project,
    make_rubric,
    make_slot,
    make_tree,
)
from tests.judged import judge, make_picture

pytestmark = pytest.mark.django_db


def export(batch, out, number=None, **options):
    snapshot = Snapshot.now(batch) if number is None else Snapshot(batch, number)
    return write_folder(
        out, project=batch.project, snapshots=[snapshot], options=ExportOptions(**options)
    )


def rows_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): file_digest(path)[1]
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def judged():
    """Four turn pairs with pictures in their prompts and responses; two people each.

    Three are decided, the second side preferred; on the fourth the two differ.
    """
    batch = make_batch(slug="cats")
    items = make_items(batch, items=4)
    people = [make_member(name="robin"), make_member(name="kim")]
    for number, item in enumerate(items):
        make_slot(turn=item.response_1.turn, image=make_picture(number))
        make_slot(response=item.response_2, image=make_picture(100 + number))
        for person in people:
            judge(
                item,
                person,
                overall=item.response_2,
                scores={(item.response_1, "text_quality"): 1, (item.response_2, "text_quality"): 3},
                rationale='=HYPERLINK("x") "B" is better',
            )
    judge(items[3], people[1], overall=items[3].response_1, cause=Cause.CORRECTION)
    return batch


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


# The same on every database


def fixed_world():
    """Return a batch whose every exported byte is written here: no counter, no clock, no chance."""
    project, lead = make_project(), make_lead(name="lead")
    rubric = make_rubric(slug="fixed", local=["text_quality"], global_=["helpfulness"])
    batch = make_batch(slug="fixed", rubric=rubric)
    people = [make_member(name=name) for name in ("kim", "robin", "山田")]
    for number in range(6):
        name = f"{number:064x}"
        content = b"picture %d" % number
        digest = hashlib.sha256(content).hexdigest()
        picture = Image.objects.create(
            project=project, sha256=digest, pixel_sha256=digest, mime="image/png",
            byte_size=len(content), width=8, height=6,
            original=default_storage.save(f"originals/{digest}.png", ContentFile(content)),
        )  # fmt: skip
        tree = Dialogue.objects.create(
            project=project, imported_in=make_import(), content_key=name, created_at=NOW
        )
        root = Turn.objects.create(
            dialogue=tree, content_key=name, depth=1, prompt="Draw “it” <Image, x>]]"
        )
        make_slot(turn=root, image=picture)
        sides = []
        for side in ("a", "b"):
            response = Response.objects.create(
                dialogue=tree, turn=root, depth=1, content_key=side + name[1:],
                text=f"Réponse {side}\u2028 😀 {number}", source={"model": f"model-{side}"},
            )  # fmt: skip
            response.lineage = f"/{response.pk}/"
            response.save()
            sides.append(response)
        item = make_item(batch, *sides, position=number)
        for place, person in enumerate(people):
            judge(
                item,
                person,
                overall=sides[(number * place) % 2],
                scores={(side, "text_quality"): (number + place) % 4 for side in sides},
                rationale="B “is” better",
                at=NOW + timedelta(minutes=number, microseconds=place),
                shown_first=1 + place % 2,
            )
    void(Target(item=batch.items.order_by("position").last()), by=lead, reason="broken", now=NOW)
    return batch


@pytest.mark.parametrize(
    ("options", "sha256"),
    [
        (
            {"format": "canonical", "split": "60/20/20", "seed": 3},
            "9ed30c7e8244aa74d3ea2b64553f6438f9ce31c03bde3b743315c8fe511987af",
        ),
        (
            {"format": "swift", "aggregate": "raw", "text": "raw"},
            "ff5529a4213ce09b6a56401afc1f9684e6b67de43cca7e03b6b1616ef6f4b226",
        ),
    ],
    ids=["canonical", "swift"],
)
def test_a_snapshot_has_the_same_sha256_on_every_database(options, sha256):
    job = ask(fixed_world(), **options)

    build_export(job.pk, clock=lambda: NOW)

    job.refresh_from_db()
    assert job.sha256 == sha256


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


# As a job


def ask(batch, by=None, **options):
    return request_export([batch], options=ExportOptions(**options), by=by or make_lead(), now=NOW)


def test_a_job_builds_the_archive_of_the_snapshot_it_was_asked_for(judged, tmp_path):
    job = ask(judged, format="swift")
    item = judged.items.first()
    judge(item, make_member(name="late"), overall=item.response_1)

    build_export(job.pk, clock=lambda: NOW)

    job.refresh_from_db()
    assert (job.state, job.attempt, job.progress, job.total) == (JobState.DONE, 1, 9, 9)
    with job.file.open() as file:
        content = file.read()
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        assert {(entry.mtime, entry.uid, entry.uname) for entry in tar} == {(0, 0, "")}
        tar.extractall(tmp_path, filter="data")
    folder = tmp_path / "cats-9-swift"
    assert verified(folder) == []
    assert read_manifest(folder) == job.manifest
    assert job.manifest["snapshots"][0]["number"] == 9


def test_ten_jobs_of_one_snapshot_have_one_sha256(judged):
    lead = make_lead()
    hashes = set()
    for _ in range(10):
        job = ask(judged, by=lead, format="canonical")
        build_export(job.pk, clock=lambda: NOW)
        job.refresh_from_db()
        hashes.add(job.sha256)

    assert len(hashes) == 1
    assert len(hashes.pop()) == 64


def test_a_job_runs_once_however_often_it_is_sent(judged):
    job = ask(judged)
    build_export(job.pk, clock=lambda: NOW)
    build_export(job.pk, clock=lambda: NOW)

    job.refresh_from_db()
    assert job.attempt == 1


def test_a_job_that_the_format_cannot_hold_is_parked_with_the_reason(judged):
    job = ask(judged, format="trl")

    build_export(job.pk, clock=lambda: NOW)

    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.FAILED, 1)
    assert "--response-images drop" in job.error
    assert not job.file


def test_a_worker_that_was_thought_dead_changes_nothing_when_it_comes_back(judged):
    job = ask(judged)
    times = iter(NOW + timedelta(minutes=minutes) for minutes in range(0, 900, 3))

    def slow_clock():
        now = next(times)
        if now >= NOW + timedelta(minutes=6):
            # Meanwhile another worker took it.
            Export.objects.filter(pk=job.pk).update(attempt=2)
        return now

    build_export(job.pk, clock=slow_clock)

    job.refresh_from_db()
    assert (job.state, job.attempt, job.file.name) == (JobState.RUNNING, 2, "")


def test_the_next_worker_clears_what_a_killed_one_left(judged, settings):
    job = ask(judged)
    Export.objects.filter(pk=job.pk).update(
        state=JobState.RUNNING, attempt=1, heartbeat_at=NOW - timedelta(minutes=2)
    )
    left = settings.EXPORT_ROOT / "work" / f"{job.public_id}-1" / "half.jsonl"
    left.parent.mkdir(parents=True)
    left.write_text("half")
    stored = default_storage.save(f"exports/{job.public_id}-1.tar", ContentFile(b"half"))

    build_export(job.pk, clock=lambda: NOW)

    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.DONE, 2)
    assert list((settings.EXPORT_ROOT / "work").iterdir()) == []
    assert not default_storage.exists(stored)
    assert default_storage.exists(job.file.name)


def test_one_export_of_a_project_is_made_at_a_time(judged):
    lead = make_lead()
    first = ask(judged, by=lead)

    with pytest.raises(ExportUnderWay):
        ask(judged, by=lead)
    build_export(first.pk, clock=lambda: NOW)
    ask(judged, by=lead)


def test_only_a_lead_asks_and_only_for_what_can_be_made(judged):
    singles = make_batch(kind=BatchKind.CONVERSATION)

    with pytest.raises(NotAllowed):
        ask(judged, by=make_member())
    with pytest.raises(Invalid, match="links"):
        ask(judged, images="link")
    with pytest.raises(Invalid, match="there are no pairs"):
        ask(singles)
    with pytest.raises(Invalid, match="'text_qality' is none of"):
        ask(judged, dimension="text_qality")
    with pytest.raises(Invalid, match="at least one batch"):
        request_export([], options=ExportOptions(), by=make_lead(), now=NOW)
    assert not Export.objects.exists()
    assert ask(singles, format="ratings").state == JobState.WAITING


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"format": "csv"}, "format"),
        ({"format": "swift", "ties": "keep"}, "ties"),
        ({"set": "independent"}, "set"),
        ({"split": "9"}, "split"),
        ({"format": "ratings", "split": "9/1"}, "split"),
        ({"seed": -1}, "seed"),
        ({"seed": "1"}, "seed"),
        ({"min_gap": 12}, "min_gap"),
        ({"last_response_only": "yes"}, "last_response_only"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_options_that_cannot_be_taken_are_named(body, field):
    with pytest.raises(Invalid) as refused:
        read_options(body)
    assert list(refused.value.fields) == [field]


def test_options_survive_being_stored():
    options = ExportOptions(format="swift", min_gap=0.5, split="90/5/5", seed=4)

    assert ExportOptions.from_json(json.loads(json.dumps(options.as_json()))) == options
