"""Imports in the admin: started, refused, watched."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from annotation import tasks
from annotation.actions.import_jobs import work_on_import
from annotation.choices import JobState
from annotation.models import Dialogue, Import
from tests.factories import NOW, make_lead, make_member
from tests.formats.files import crucial, written

pytestmark = pytest.mark.django_db

ADD = reverse("admin:annotation_import_add")


def signed_in(client, member):
    member.user.is_staff = True
    member.user.save()
    client.force_login(member.user)
    return client


@pytest.fixture
def sent(monkeypatch):
    """Take what is sent to the workers."""
    sent = []
    monkeypatch.setattr(tasks.run_import, "delay", lambda **kwargs: sent.append(kwargs))
    return sent


@pytest.fixture
def root(tmp_path, settings):
    settings.IMPORT_ROOT = tmp_path / "incoming"
    settings.IMPORT_ROOT.mkdir()
    return settings.IMPORT_ROOT


def test_a_lead_uploads_a_file_and_sees_its_report(
    client, sent, django_capture_on_commit_callbacks
):
    lead = make_lead()
    upload = SimpleUploadedFile("mine.json", json.dumps([crucial(7)]).encode())

    with django_capture_on_commit_callbacks(execute=True):
        answer = signed_in(client, lead).post(ADD, {"upload": upload, "format": "auto"})

    job = Import.objects.get()
    page = reverse("admin:annotation_import_change", args=[job.pk])
    assert (answer.status_code, answer["Location"]) == (302, page)
    assert sent == [{"import_id": job.pk}]
    assert (job.name, job.created_by, job.state) == ("mine.json", lead, JobState.WAITING)

    waiting = client.get(page).content.decode()
    assert 'hx-trigger="every 2s"' in waiting

    work_on_import(job.pk, clock=lambda: NOW)
    done = client.get(page).content.decode()
    assert "Records: 1 read: 1 new" in done
    assert 'hx-trigger="every 2s"' not in done


def test_the_page_works_under_the_strict_policy(client, sent):
    job = Import.objects.create(project=make_lead().project, name="x", created_at=NOW)

    page = signed_in(client, make_lead()).get(
        reverse("admin:annotation_import_change", args=[job.pk])
    )

    body = page.content.decode()
    assert "default-src 'none'" in page["Content-Security-Policy"]
    assert "style=" not in body
    assert "<script>" not in body


def test_a_path_below_the_import_folder_starts_a_job(client, sent, root):
    written(root, [crucial(7)])

    signed_in(client, make_lead()).post(
        ADD, {"path": "file.json", "format": "intermt-crucial", "strict": "on", "dry_run": "on"}
    )

    assert Import.objects.get().options == {
        "path": "file.json",
        "images": "",
        "format": "intermt-crucial",
        "strict": True,
        "dry_run": True,
    }


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({}, "upload", "Give either a file or a path."),
        ({"path": "../../etc/passwd"}, "path", "There is no "),
        ({"path": "/etc/passwd"}, "path", "There is no "),
        ({"path": "file.json", "images": "../"}, "images", "There is no "),
        ({"path": "file.json", "format": "csv"}, "format", "Select a valid choice."),
    ],
)
def test_what_cannot_be_imported_is_said_at_its_field(client, sent, root, values, field, message):
    written(root, [crucial(7)])

    answer = signed_in(client, make_lead()).post(ADD, {"format": "auto", **values})

    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {field}
    assert answer.context["form"].errors[field][0].startswith(message)
    assert (Import.objects.count(), sent) == (0, [])


def test_a_file_too_large_is_said_at_its_field(client, sent, settings):
    settings.IMPORT_UPLOAD_MAX_BYTES = 10
    upload = SimpleUploadedFile("mine.json", b"[" + b" " * 20 + b"]")

    answer = signed_in(client, make_lead()).post(ADD, {"upload": upload, "format": "auto"})

    assert answer.status_code == 422
    assert "larger than" in answer.context["form"].errors["upload"][0]


@pytest.mark.parametrize("name", ["add", "changelist"])
def test_only_leads_import(client, name):
    url = reverse(f"admin:annotation_import_{name}")

    assert client.get(url).status_code == 302
    assert signed_in(client, make_member()).get(url).status_code == 403
    assert signed_in(client, make_lead()).get(url).status_code == 200


def test_the_changing_part_shows_how_far_the_import_is(client):
    lead = make_lead()
    job = Import.objects.create(
        project=lead.project, name="x", created_at=NOW, state=JobState.RUNNING, progress=41
    )
    url = reverse("admin:annotation_import_progress", args=[job.pk])

    body = signed_in(client, lead).get(url).content.decode()

    assert "41 records read" in body
    assert f'hx-get="{url}"' in body
    assert "<html" not in body
    client.force_login(make_member().user)
    assert client.get(url).status_code in {302, 404}


def test_a_parked_import_can_be_tried_again(client, sent, django_capture_on_commit_callbacks):
    lead = make_lead()
    failed = Import.objects.create(
        project=lead.project, name="x", created_at=NOW, state=JobState.FAILED, attempt=3, error="!"
    )
    done = Import.objects.create(
        project=lead.project, name="y", created_at=NOW, state=JobState.DONE
    )

    with django_capture_on_commit_callbacks(execute=True):
        signed_in(client, lead).post(
            reverse("admin:annotation_import_changelist"),
            {"action": "retry", "_selected_action": [failed.pk, done.pk]},
        )

    failed.refresh_from_db()
    assert (failed.state, failed.attempt) == (JobState.WAITING, 0)
    assert sent == [{"import_id": failed.pk}]


def test_an_error_is_shown(client):
    lead = make_lead()
    job = Import.objects.create(
        project=lead.project, name="x", created_at=NOW, state=JobState.FAILED, error="<b>no</b>"
    )

    body = (
        signed_in(client, lead)
        .get(reverse("admin:annotation_import_change", args=[job.pk]))
        .content.decode()
    )

    assert "&lt;b&gt;no&lt;/b&gt;" in body
    assert Dialogue.objects.count() == 0
