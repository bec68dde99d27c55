"""Asking from within an item, answering in place, and the desk."""

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.actions.assignments import claim_next
from annotation.actions.guidelines import publish_documents
from annotation.actions.lead_questions import About, answer_question, ask_lead
from annotation.choices import Role
from annotation.models import LeadQuestion
from annotation.reports.guidelines import current_guideline
from tests.factories import make_lead, make_member
from tests.worlds import open_batch_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead():
    return make_lead("okafor")


@pytest.fixture
def mine(lead, client):
    """An item that its annotator holds; they are signed in."""
    rules = publish_documents("rules", documents={"en": "Be fair."}, by=lead, now=timezone.now())
    batch, (asker, _) = open_batch_with(guideline=rules)
    client.force_login(asker.user)
    return claim_next(batch, by=asker, now=timezone.now())


def asked(assignment, text="Is a crop an image?", **about):
    return ask_lead(
        assignment, text=text, about=About(**about), by=assignment.member, now=timezone.now()
    )


def url(name, thing):
    return reverse(f"annotation:{name}", args=[thing.public_id])


def page_of(client, name="annotation:desk", **query):
    return client.get(reverse(name), query).content.decode()


def test_a_script_that_asks_twice_asks_once_and_gets_what_was_asked(client, mine):
    place = f"{mine.item.response_1.depth}.{mine.item.response_1.public_id}"
    body = {"text": "Is a crop an image?", "place": place, "dimension": "text_quality", "key": "k"}

    client.post(url("ask", mine), body, headers={"Accept": "application/json"})
    again = client.post(url("ask", mine), body, headers={"Accept": "application/json"})

    question = LeadQuestion.objects.get()
    assert (question.depth, question.response, question.dimension.key) == (
        2,
        mine.item.response_1,
        "text_quality",
    )
    assert "not answered yet" in again.json()["list"]


def test_without_a_script_the_item_comes_back_with_a_word(client, mine):
    client.get(url("assignment", mine))

    sent = client.post(url("ask", mine), {"text": "Is it?", "place": "", "dimension": ""})
    empty = client.post(url("ask", mine), {"text": ""}, follow=True)

    assert sent.url == url("assignment", mine)
    assert "Write the question" in empty.content.decode()


@pytest.mark.parametrize(
    "body",
    [
        {"text": "x", "place": "99"},
        {"text": "x", "place": "1.nowhere"},
        {"text": ""},
        {"text": "\x00"},
    ],
)
def test_a_question_that_cannot_be_kept_is_refused_in_words(client, mine, body):
    answer = client.post(url("ask", mine), body, headers={"Accept": "application/json"})

    assert (answer.status_code, bool(answer.json()["message"])) == (422, True)


def test_the_desk_has_ones_own_questions_only_and_the_answer_leads_back(client, mine, lead):
    question = asked(mine, depth=2)
    waiting = page_of(client)
    answer_question(question, answer="*Yes.*", by=lead, now=timezone.now())
    answered = page_of(client)

    back = client.post(url("question-seen", question))
    after = page_of(client)
    client.force_login(make_member().user)

    assert "not answered yet" in waiting
    assert "Is a crop an image?" in answered
    assert "<em>Yes.</em>" in answered
    assert back.url == f"{url('assignment', mine)}#turn-2"
    assert "Is a crop an image?" not in after
    assert client.post(url("question-seen", question)).status_code == 404
    assert client.post(url("ask", mine), {"text": "x"}).status_code == 404


def test_annotators_see_no_page_of_questions(client, mine):
    question = asked(mine)

    assert client.get(reverse("annotation:questions")).status_code == 403
    for name in ("question-answer", "question-note"):
        assert client.post(url(name, question), {"answer": "x"}).status_code == 403


def test_the_lead_answers_in_place_and_makes_it_a_note(client, mine, lead):
    question = asked(mine, depth=2, response=mine.item.response_1.public_id)
    client.force_login(lead.user)
    page = page_of(client, "annotation:questions", batch=mine.item.batch.slug)
    answer = {"answer": "Yes.", "note": "on", "dimension": "text_quality"}

    part = client.post(
        url("question-answer", question), answer, headers={"HX-Request": "true"}
    ).content.decode()

    assert mine.item.response_1.text in page
    assert "1 waits for an answer" in page
    assert "1 judgment of this item is still to come" not in page
    assert "2 judgments of this item are still to come" in page
    assert part.lstrip().startswith("<article")
    assert "A note of the guideline since version 2." in part
    assert current_guideline(mine.item.batch).notes[0]["dimension"] == "text_quality"
    client.force_login(mine.member.user)
    assert "It is now a note of the guideline" in page_of(client)


def test_a_late_second_answer_is_told_what_was_said(client, mine, lead):
    question = asked(mine)
    answer_question(question, answer="Yes.", by=lead, now=timezone.now())
    client.force_login(make_member(Role.REVIEWER).user)

    late = client.post(
        url("question-answer", question), {"answer": "No."}, headers={"HX-Request": "true"}
    )

    assert late.status_code == 422
    assert "It was answered meanwhile" in late.content.decode()
    assert "Yes." in late.content.decode()


def test_reviewers_answer_and_make_no_notes(client, mine):
    question = asked(mine)
    client.force_login(make_member(Role.REVIEWER).user)

    page = page_of(client, "annotation:questions")
    client.post(url("question-answer", question), {"answer": "Yes."})
    client.post(url("question-note", question), {"dimension": ""})

    question.refresh_from_db()
    assert "guideline note" not in page
    assert (question.answer, question.note_in) == ("Yes.", None)


def test_the_batch_says_how_many_questions_wait(client, mine, lead):
    asked(mine)
    client.force_login(lead.user)

    page = client.get(reverse("annotation:batch", args=[mine.item.batch.slug])).content.decode()

    assert f'href="/questions/?batch={mine.item.batch.slug}">1 question</a>' in page


def test_ten_questions_take_as_many_queries_as_one(
    client, mine, lead, django_assert_max_num_queries
):
    client.force_login(lead.user)
    for number in range(4):
        asked(mine, text=f"Question {number}", depth=1)
    client.get(reverse("annotation:questions"))

    with django_assert_max_num_queries(14):
        page = page_of(client, "annotation:questions")
    assert page.count("<article") == 4
