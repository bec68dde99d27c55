"""Exports as jobs: of the snapshot that was asked for, once, and the same on every database."""

import io
import json
import tarfile
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from annotation.actions.exports import ExportUnderWay, build_export, read_options, request_export
from annotation.choices import BatchKind, JobState
from annotation.errors import Invalid, NotAllowed
from annotation.formats.manifest import read_manifest, verified
from annotation.formats.options import ExportOptions
from annotation.models import Export
from tests.exported import decided_batch, fixed_world
from tests.factories import (
    NOW,
    make_batch,
    make_lead,
    make_member,
)
from tests.judged import judge

pytestmark = pytest.mark.django_db


@pytest.fixture
def judged():
    """Four turn pairs with pictures on which two people judged."""
    return decided_batch()


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
    assert "have the pictures of responses dropped" in job.error
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
    options = ExportOptions(format="swift", source="scores", min_gap=0.5, split="90/5/5", seed=4)

    assert ExportOptions.from_json(json.loads(json.dumps(options.as_json()))) == options


@pytest.mark.parametrize(
    ("options", "sha256"),
    [
        (
            {"format": "canonical", "split": "60/20/20", "seed": 3},
            "f4eaf2c420bc13569a195cc455ee9f16cc0abd2c3df58a1a0702faad4b110fb2",
        ),
        (
            {"format": "swift", "aggregate": "raw", "text": "raw"},
            "7a24e916ff4a579b08fb1bc579aa143c2a28fd1448c382579872548a570ca1cd",
        ),
    ],
    ids=["canonical", "swift"],
)
def test_a_snapshot_has_the_same_sha256_on_every_database(options, sha256):
    job = ask(fixed_world(), **options)

    build_export(job.pk, clock=lambda: NOW)

    job.refresh_from_db()
    assert job.sha256 == sha256
