"""The exports page: options, progress, download; and whose it is."""

import re

import pytest
from django.urls import reverse

from annotation import tasks
from annotation.actions.exports import build_export
from annotation.choices import BatchKind, BatchState, JobState
from annotation.models import Export, Project
from tests.factories import NOW, make_batch, make_items, make_lead, make_member
from tests.judged import judge

pytestmark = pytest.mark.django_db

PAGE = "/exports/"


@pytest.fixture
def sent(monkeypatch):
    """Catch what would go to the broker; return the ids of the exports sent."""
    ids = []
    monkeypatch.setattr(tasks.build_export, "delay", lambda *, export_id: ids.append(export_id))
    return ids


@pytest.fixture
def lead(client):
    """A signed-in lead."""
    lead = make_lead()
    client.force_login(lead.user)
    return lead


@pytest.fixture
def judged():
    """Three decided pairs of the batch `cats`."""
    batch = make_batch(slug="cats")
    for item in make_items(batch, items=3):
        judge(item, make_member(), overall=item.response_1)
    return batch


def entered(*batches, **changes):
    return {
        "batches": [batch.slug for batch in batches],
        "format": "swift",
        "dimension": "overall",
        "source": "preferences",
        "min_gap": "1",
        "aggregate": "majority",
        "ties": "",
        "margin": "none",
        "split": "",
        "seed": "0",
        "text": "shown",
        "images": "copy",
        "response_images": "refuse",
        "set": "final",
    } | changes


def test_a_lead_starts_an_export_sees_it_made_and_downloads_it(
    client, lead, judged, sent, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        started = client.post(PAGE, entered(judged, split="90/5/5", seed="4"))
    waiting = client.get(PAGE).content.decode()
    tasks.build_export(export_id=sent[0])
    done = client.get(PAGE).content.decode()
    export = Export.objects.get()
    file = client.get(reverse("annotation:export-file", args=[export.public_id]))

    assert started.status_code == 302
    assert (export.options["split"], export.options["seed"], export.created_by) == (
        "90/5/5",
        4,
        lead,
    )
    assert "0 of 3 judgments" in waiting
    assert 'hx-trigger="every 2s"' in waiting
    assert "3 of 3 judgments." in done
    assert 'hx-trigger="every 2s"' not in done
    assert export.sha256 in done
    with export.file.open() as stored:
        content = stored.read()
    assert file.getvalue() == content
    assert file["Content-Disposition"] == f'attachment; filename="{export.public_id}.tar"'
    assert file["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"


def test_htmx_gets_the_list_alone(client, lead, judged):
    part = client.get(PAGE, headers={"HX-Request": "true"}).content.decode()

    assert part.lstrip().startswith("<section")
    assert 'id="export-list"' in part
    assert "<form" not in part


def test_a_cut_download_goes_on_from_the_middle(client, lead, judged, sent):
    client.post(PAGE, entered(judged))
    export = Export.objects.get()
    build_export(export.pk, clock=lambda: NOW)
    url = reverse("annotation:export-file", args=[export.public_id])
    whole = client.get(url).getvalue()

    rest = client.get(
        url, headers={"Range": "bytes=500-", "If-Range": f'"{Export.objects.get().sha256}"'}
    )
    behind = client.get(url, headers={"Range": f"bytes={len(whole)}-"})

    assert (rest.status_code, rest.getvalue()) == (206, whole[500:])
    assert rest["Content-Range"] == f"bytes 500-{len(whole) - 1}/{len(whole)}"
    assert (behind.status_code, behind["Content-Range"]) == (416, f"bytes */{len(whole)}")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"ties": "keep"}, "so a tie cannot be kept"),
        ({"split": "much"}, "is no split"),
        ({"format": "csv"}, "csv"),
        ({"batches": []}, "This field is required"),
        ({"set": "independent"}, "independent is for ratings"),
    ],
)
def test_what_cannot_be_made_comes_back_with_the_reason_at_its_field(
    client, lead, judged, sent, changes, told
):
    response = client.post(PAGE, entered(judged, **changes))

    assert response.status_code == 422
    assert told in response.content.decode()
    assert "Nothing was started." in response.content.decode()
    assert not Export.objects.exists()
    assert sent == []


def test_a_second_export_is_told_to_wait(client, lead, judged, sent):
    client.post(PAGE, entered(judged))

    response = client.post(PAGE, entered(judged))

    assert response.status_code == 409
    assert "An export is being made." in response.content.decode()
    assert Export.objects.count() == 1


def test_a_conversation_batch_is_refused_for_pairs_in_words(client, lead, sent):
    singles = make_batch(kind=BatchKind.CONVERSATION, slug="singles")

    response = client.post(PAGE, entered(singles))

    assert "No pairs in singles." in response.content.decode()


def test_a_refused_export_shows_what_to_do(client, lead, judged, sent):
    client.post(PAGE, entered(judged))
    Export.objects.update(state=JobState.FAILED, error="Have them dropped <b>")

    page = client.get(PAGE).content.decode()

    assert "Have them dropped &lt;b&gt;" in page


def test_after_a_refusal_the_fold_with_the_way_out_is_open_and_the_form_as_it_was(
    client, lead, judged, sent
):
    before = client.get(PAGE).content.decode()
    client.post(PAGE, entered(judged, format="trl", seed="4"))
    Export.objects.update(state=JobState.FAILED, error="Have them dropped.")

    after = client.get(PAGE, {"again": Export.objects.get().public_id}).content.decode()

    assert before.count('class="export-group" open') == 0
    fold = after.index('class="export-group" open')
    assert after.index("Where a format falls short") - fold < 100
    assert re.search(r'value="trl"[^>]*checked', after)
    assert re.search(r'name="seed" value="4"', after)
    assert re.search(r'name="batches" value="cats"[^>]*checked', after)


def test_the_page_offers_opened_batches_of_the_project_and_the_one_it_was_asked_for(
    client, lead, judged
):
    make_batch(slug="draft", state=BatchState.DRAFT)
    foreign = make_batch(slug="foreign")
    foreign.project = Project.objects.create(slug="other", name="Other")
    foreign.save()

    page = client.get(PAGE, {"batch": "cats"}).content.decode()

    assert 'value="cats" id="id_batches_0" checked' in page or (
        'value="cats"' in page and "checked" in page
    )
    assert 'value="draft"' not in page
    assert 'value="foreign"' not in page


def test_only_leads_of_the_project_see_the_page_or_a_file(client, lead, judged, sent):
    client.post(PAGE, entered(judged))
    export = Export.objects.get()
    build_export(export.pk, clock=lambda: NOW)
    file = reverse("annotation:export-file", args=[export.public_id])
    stranger = make_lead()
    stranger.project = Project.objects.create(slug="other", name="Other")
    stranger.save()

    client.force_login(stranger.user)
    assert client.get(file).status_code == 404
    assert export.public_id not in client.get(PAGE).content.decode()
    client.force_login(make_member().user)
    assert {client.get(url).status_code for url in (PAGE, file)} == {403}
    client.logout()
    assert {client.get(url).status_code for url in (PAGE, file)} == {302}
    client.force_login(lead.user)
    assert client.post(file).status_code == 405
    assert client.put(PAGE).status_code == 405


@pytest.mark.parametrize("exports", [1, 3])
def test_the_page_costs_the_same_for_one_export_and_three(
    client, lead, judged, exports, django_assert_num_queries
):
    for _ in range(exports):
        Export.objects.create(
            project=lead.project, state=JobState.DONE, created_at=NOW, created_by=lead,
            snapshot={"cats": 3}, options={"format": "swift"},
        )  # fmt: skip

    with django_assert_num_queries(9):
        client.get(PAGE)
