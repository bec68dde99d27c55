"""What no database here can hold is left out or refused wherever it comes in, never a 500.

PostgreSQL refuses U+0000 in texts and both U+0000 and lone surrogates in JSON, so these say more there.
"""

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.actions.assignments import claim_next, flag, skip
from annotation.actions.drafts import save_draft
from annotation.actions.judgments import submit_judgment
from annotation.choices import AssignmentState, SkipReason
from annotation.errors import Invalid
from annotation.forms.judgments import fields_of
from annotation.models import Draft, Judgment, Void
from tests.factories import NOW, make_batch, make_items, make_lead
from tests.judged import judge
from tests.worlds import full_body, open_batch_with

pytestmark = pytest.mark.django_db

EVIDENCE = '{"active_ms": {"1": 5}, "images_seen": ["\\ud800", "a\\u0000"]}'


@pytest.fixture
def held(client):
    """An item in the hands of the signed-in annotator."""
    batch, (annotator, _) = open_batch_with(items=2)
    client.force_login(annotator.user)
    return claim_next(batch, by=annotator, now=timezone.now())


def test_a_draft_is_kept_without_the_characters_that_cannot_be_stored(client, held):
    posted = {"rationale": "A is\0 better", "ratio\0nale": "x", "evidence": EVIDENCE}

    answer = client.post(reverse("annotation:assignment-draft", args=[held.public_id]), posted)

    assert answer.status_code == 204
    body = Draft.objects.get().body
    assert body["remarks"]["rationale"]["text"] == "A is better"
    assert body["evidence"]["images_seen"] == ["", "a"]


def test_a_submission_is_kept_without_them(client, held):
    body = full_body(held)
    fields = fields_of(body) | {"rationale": "Clear\0er.", "submission_key": "k", "do": "submit"}

    answer = client.post(reverse("annotation:assignment", args=[held.public_id]), fields)

    assert answer.status_code == 302
    assert Judgment.objects.get().remarks.get().text == "Clearer."


def test_a_submission_key_that_cannot_be_stored_is_refused(client, held):
    fields = fields_of(full_body(held)) | {"submission_key": "k\0", "do": "submit"}

    answer = client.post(reverse("annotation:assignment", args=[held.public_id]), fields)

    assert answer.status_code == 422
    assert not Judgment.objects.exists()


@pytest.mark.parametrize("name", ["flag", "skip"])
def test_notes_to_the_lead_are_kept_without_them(client, held, name):
    posted = {"note": "the pic\0ture is cut", "reason": SkipReason.IMAGE_MISSING}

    client.post(reverse(f"annotation:assignment-{name}", args=[held.public_id]), posted)

    held.refresh_from_db()
    assert (held.flag_note or held.skip_note) == "the picture is cut"


@pytest.mark.parametrize("bad", ["a\0", "a\ud800"])
def test_the_actions_refuse_them_and_name_the_place(held, bad):
    by, now = held.member, timezone.now()
    body = {"remarks": {"rationale": {"text": bad, "language": ""}}}

    with pytest.raises(Invalid) as drafted:
        save_draft(held, by=by, body=body, version=0, now=now)
    with pytest.raises(Invalid) as sent:
        submit_judgment(held, by=by, body=body, key="k", now=now)
    with pytest.raises(Invalid) as flagged:
        flag(held, by=by, note=bad, now=now)
    with pytest.raises(Invalid) as skipped:
        skip(held, by=by, reason=SkipReason.OTHER, note=bad, now=now)

    assert list(drafted.value.fields) == list(sent.value.fields) == ["remarks.rationale.text"]
    assert list(flagged.value.fields) == list(skipped.value.fields) == ["note"]
    held.refresh_from_db()
    assert held.state == AssignmentState.HELD


@pytest.mark.parametrize("number", ["9" * 5000, "-" + "9" * 5000])
def test_a_number_of_thousands_of_digits_is_refused_and_no_error(client, held, number):
    fields = fields_of(full_body(held))
    score = next(name for name in fields if name.startswith("score."))

    answer = client.post(
        reverse("annotation:assignment", args=[held.public_id]),
        fields | {score: number, "submission_key": "k", "guideline_version": number},
    )

    assert answer.status_code == 422


@pytest.mark.parametrize(
    "address",
    [
        "/items/%00/",
        "/items/%00/draft/",
        "/my-work/?page=%00",
        "/exports/?batch=%00",
        "/exports/%00/file/",
        "/sign-in/%00/",
        "/api/v1/exports/%00/",
        "/admin/annotation/member/?q=%00",
        "/admin/annotation/void/add/?name=%00",
    ],
)
def test_an_address_with_a_nul_is_a_bad_request(client, address):
    client.force_login(make_lead().user)

    assert client.get(address).status_code == 400


def test_forms_of_a_lead_refuse_a_nul(client):
    lead = make_lead()
    batch = make_batch(slug="cats")
    item = make_items(batch, items=1)[0]
    judgment = judge(item, lead, overall=item.response_1, at=NOW)
    lead.user.is_staff = True
    lead.user.save()
    client.force_login(lead.user)

    exported = client.post("/exports/", {"batches": ["cats\0"], "format": "swift\0"})
    offered = client.post(
        reverse("annotation:batch-offer-again", args=[batch.slug]),
        {"item": [f"{item.public_id}\0x"]},
    )
    voided = client.post(
        "/admin/annotation/void/add/",
        {"kind": "judgment", "name": judgment.public_id, "reason": "a\0"},
    )
    named = client.post(
        "/admin/annotation/void/add/", {"kind": "judgment", "name": "a\0", "reason": "a"}
    )

    assert exported.status_code == 422
    assert offered.status_code == 302
    assert (voided.status_code, named.status_code) == (422, 422)
    assert b"Null characters" in voided.content
    assert not Void.objects.exists()
