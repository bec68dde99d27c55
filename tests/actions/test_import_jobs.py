"""Imports asked for on a page and done by a worker."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from annotation.actions import jobs
from annotation.actions.import_jobs import ImportRefused, Wanted, request_import, work_on_import
from annotation.choices import JobState
from annotation.errors import NotAllowed
from annotation.models import Dialogue, Import, Slot
from tests.actions.test_imports import draw
from tests.factories import NOW, make_lead, make_member
from tests.formats.files import crucial, written

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(tmp_path, settings):
    settings.IMPORT_ROOT = tmp_path / "incoming"
    settings.IMPORT_ROOT.mkdir()
    return settings.IMPORT_ROOT


def upload_of(value, name="dialogues.json"):
    return SimpleUploadedFile(name, json.dumps(value).encode())


def work(job):
    work_on_import(job.pk, clock=lambda: NOW)
    job.refresh_from_db()
    return job


def test_an_upload_is_imported_under_its_own_name():
    lead = make_lead()

    job = request_import(Wanted(upload=upload_of([crucial(7)])), by=lead, now=NOW)

    assert (job.state, job.name, job.created_by) == (JobState.WAITING, "dialogues.json", lead)
    work(job)
    assert (job.state, job.error, job.report["records"]["new"]) == (JobState.DONE, "", 1)
    assert job.records.get().file == "dialogues.json"
    assert Dialogue.objects.get().imported_in == job


def test_an_upload_sees_no_pictures_of_the_upload_folder(media):
    (media / "imports" / "images").mkdir(parents=True)
    draw(media / "imports", **{"7-1": "red", "7-2": "red", "7-p": "red"})

    work(request_import(Wanted(upload=upload_of([crucial(7)])), by=make_lead(), now=NOW))

    assert set(Slot.objects.values_list("state", flat=True)) == {"missing"}


def test_a_path_below_the_import_folder_is_imported_with_its_pictures(root):
    (root / "set").mkdir()
    written(root / "set", [crucial(7)])
    draw(root / "elsewhere", **{"7-1": "red"})
    draw(root / "set", **{"7-p": "red"})

    job = request_import(Wanted(path="set", images="elsewhere"), by=make_lead(), now=NOW)
    work(job)

    assert job.records.get().file == "set/file.json"
    assert sorted(Slot.objects.values_list("name", "state")) == [
        ("images/7-1.png", "stored"),
        ("images/7-2.png", "missing"),
        ("images/7-p.png", "stored"),
    ]


@pytest.mark.parametrize(
    ("wanted", "fields"),
    [
        (Wanted(), {"upload"}),
        (Wanted(upload=upload_of([]), path="set"), {"upload"}),
        (Wanted(path="../secret.json"), {"path"}),
        (Wanted(path="/etc/passwd"), {"path"}),
        (Wanted(path="none.json"), {"path"}),
        (Wanted(path="a\0b"), {"path"}),
        (Wanted(path="link/secret.json"), {"path"}),
        (Wanted(path="set", images=".."), {"images"}),
        (Wanted(path="set", format="csv"), {"format"}),
    ],
)
def test_what_cannot_be_started_names_the_field(root, wanted, fields):
    (root / "set").mkdir()
    (root.parent / "secret.json").write_text("[]")
    (root / "link").symlink_to(root.parent)

    with pytest.raises(ImportRefused) as refusal:
        request_import(wanted, by=make_lead(), now=NOW)

    assert refusal.value.fields.keys() == fields
    assert Import.objects.count() == 0


def test_an_upload_too_large_is_refused(settings):
    settings.IMPORT_UPLOAD_MAX_BYTES = 10

    with pytest.raises(ImportRefused) as refusal:
        request_import(Wanted(upload=upload_of([crucial(7)])), by=make_lead(), now=NOW)

    assert "larger than" in refusal.value.fields["upload"]


def test_without_an_import_folder_a_path_is_refused(settings):
    settings.IMPORT_ROOT = None

    with pytest.raises(ImportRefused) as refusal:
        request_import(Wanted(path="set"), by=make_lead(), now=NOW)

    assert "no IMPORT_ROOT" in refusal.value.fields["path"]


def test_an_annotator_imports_nothing():
    with pytest.raises(NotAllowed):
        request_import(Wanted(upload=upload_of([])), by=make_member(), now=NOW)


def test_a_file_of_no_known_format_parks_the_job_with_the_reason():
    job = request_import(Wanted(upload=upload_of([{"a": 1}])), by=make_lead(), now=NOW)

    work(job)

    assert job.state == JobState.FAILED
    assert "has none of the known formats" in job.error
    assert job.attempt == 1


def test_a_link_out_of_a_folder_is_not_imported(root):
    (root / "set").mkdir()
    written(root / "set", [crucial(7)], "good.json")
    written(root.parent, [crucial(8)], "secret.json")
    (root / "set" / "link.json").symlink_to(root.parent / "secret.json")

    job = work(request_import(Wanted(path="set"), by=make_lead(), now=NOW))

    assert [one["file"] for one in job.report["files"]] == ["set/good.json"]


def test_a_failure_lets_the_job_wait_and_the_next_attempt_goes_on(root, monkeypatch):
    monkeypatch.setattr("annotation.actions.records.CHUNK_RECORDS", 1)
    written(root, [crucial(7), crucial(8)])
    job = request_import(Wanted(path="file.json"), by=make_lead(), now=NOW)
    reads = []

    real = jobs.beat

    def break_once(*args, **kwargs):
        reads.append(kwargs["progress"])
        if reads == [0, 1]:
            raise OSError("disk gone")
        return real(*args, **kwargs)

    monkeypatch.setattr(jobs, "beat", break_once)
    work(job)
    assert (job.state, job.error) == (JobState.WAITING, "OSError: disk gone")
    assert job.records.count() == 1

    work(job)

    assert (job.state, job.attempt, job.error) == (JobState.DONE, 2, "")
    assert job.report["records"] == {
        "read": 2,
        "new": 1,
        "same": 1,
        "duplicate": 0,
        "prefix": 0,
        "refused": 0,
    }
    assert Dialogue.objects.count() == 2


def test_a_worker_that_lost_its_job_writes_nothing_more(root, monkeypatch):
    written(root, [crucial(7)])
    job = request_import(Wanted(path="file.json"), by=make_lead(), now=NOW)
    taken = jobs.take(Import, job.pk, now=NOW)
    monkeypatch.setattr(jobs, "take", lambda *args, **kwargs: taken)
    Import.objects.filter(pk=job.pk).update(attempt=2)

    work(job)

    assert (job.state, job.attempt, job.records.count()) == (JobState.RUNNING, 2, 0)
    assert Dialogue.objects.count() == 0


def test_a_dry_run_job_leaves_only_its_report(root):
    written(root, [crucial(7)])

    job = work(request_import(Wanted(path="file.json", dry_run=True), by=make_lead(), now=NOW))

    assert (job.state, job.report["records"]["new"]) == (JobState.DONE, 1)
    assert (job.report["dry_run"], Dialogue.objects.count(), job.records.count()) == (True, 0, 0)
