"""Training: after an item the person reads what is known; never before, and nobody else."""

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.actions.assignments import claim_next
from annotation.actions.gold import KnownAnswer, set_gold_answers
from annotation.actions.judgments import submit_judgment
from annotation.choices import BatchPurpose, BatchSettings
from annotation.models import Assignment
from tests.factories import NOW, make_batch, make_items, make_lead, make_member
from tests.worlds import full_body

pytestmark = pytest.mark.django_db

SECRET = "The second picture shows another roof."


def held(purpose=BatchPurpose.TRAINING, *, settings=None):
    """A person who holds an item with known answers, in a batch of the purpose."""
    person = make_member()
    settings = settings or BatchSettings(everyone=True)
    batch = make_batch(purpose=purpose, members=[person], settings=settings)
    (item,) = make_items(batch, items=1, seats=1)
    set_gold_answers(
        [
            KnownAnswer(item, "overall", response="2", outcome="prefers"),
            KnownAnswer(item, "text_quality", response="1", score=1, tolerance=1, feedback=SECRET),
            KnownAnswer(item, "text_quality", response="2", score=0),
        ],
        by=make_lead(),
        now=NOW,
    )
    return claim_next(batch, by=person, now=timezone.now()), person


def address(assignment):
    return reverse("annotation:assignment-feedback", args=[assignment.public_id])


def submit(assignment, person):
    body = full_body(assignment, score=2)
    submit_judgment(assignment, by=person, body=body, key="k", now=timezone.now())


def test_before_the_item_is_submitted_nothing_of_what_is_known_reaches_the_person(client):
    assignment, person = held()
    client.force_login(person.user)

    pages = [
        client.get(reverse("annotation:assignment", args=[assignment.public_id])),
        client.get(reverse("annotation:assignment-draft", args=[assignment.public_id])),
        client.get("/"),
    ]

    assert client.get(address(assignment)).status_code == 404
    assert all(SECRET not in page.content.decode() for page in pages)


def test_after_it_the_person_reads_their_answers_beside_the_known_ones_and_goes_on(client):
    assignment, person = held()
    submit(assignment, person)
    Assignment.objects.filter(pk=assignment.pk).update(shown_first=1)
    client.force_login(person.user)

    page = " ".join(client.get(address(assignment)).content.decode().split())

    assert "1 of 3 answers are as expected" in page
    assert SECRET in page
    assert "near enough" in page
    assert "A, turn 2: text_quality" in page
    assert "prefers A" in page
    assert "prefers B" in page
    assert reverse("annotation:next", args=[assignment.item.batch.slug]) in page


def test_the_submission_leads_to_what_is_known(client):
    assignment, person = held()
    client.force_login(person.user)
    from annotation.forms.judgments import fields_of  # noqa: PLC0415

    sent = client.post(
        reverse("annotation:assignment", args=[assignment.public_id]),
        {**fields_of(full_body(assignment, score=2)), "submission_key": "k"},
    )

    assert sent.status_code == 302
    assert sent["Location"] == address(assignment)


@pytest.mark.parametrize("purpose", [BatchPurpose.QUALIFICATION, BatchPurpose.MAIN])
def test_only_training_tells_what_is_known(client, purpose):
    assignment, person = held(purpose)
    submit(assignment, person)
    client.force_login(person.user)

    assert client.get(address(assignment)).status_code == 404


def test_another_persons_feedback_does_not_exist(client):
    assignment, person = held()
    submit(assignment, person)
    client.force_login(make_member().user)

    assert client.get(address(assignment)).status_code == 404
