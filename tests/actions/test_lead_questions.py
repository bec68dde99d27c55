"""Asking the lead about an item, and answering."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from annotation.actions.assignments import claim_next
from annotation.actions.drafts import save_draft
from annotation.actions.guidelines import publish_documents
from annotation.actions.lead_questions import (
    MOST_OPEN,
    About,
    AnsweredAlready,
    TooManyOpen,
    answer_question,
    ask_lead,
    make_note,
    see_answer,
)
from annotation.choices import Role
from annotation.errors import Invalid, NotAllowed
from annotation.models import Draft, LeadQuestion
from annotation.reports.guidelines import current_guideline
from annotation.reports.lead_questions import own_questions
from tests.conftest import NOW
from tests.factories import make_lead, make_member
from tests.worlds import open_batch_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead():
    return make_lead("okafor")


def held(lead):
    rules = publish_documents("rules", documents={"en": "Be fair."}, by=lead, now=NOW)
    batch, (asker, _) = open_batch_with(guideline=rules)
    return claim_next(batch, by=asker, now=NOW)


def ask(assignment, text="Is a crop an image?", **more):
    about = more.pop("about", About())
    values = {"text": text, "about": about, "by": assignment.member, "now": NOW}
    return ask_lead(assignment, **{**values, **more})


def test_asking_leaves_the_item_and_its_draft_as_they_were(lead):
    mine = held(lead)
    save_draft(mine, by=mine.member, body={"remarks": {}}, version=0, now=NOW)
    before = Draft.objects.values().get()
    lease = mine.lease_until

    ask(mine, now=NOW + timedelta(minutes=1))

    mine.refresh_from_db()
    assert Draft.objects.values().get() == before
    assert (mine.state, mine.lease_until) == ("held", lease)


def test_a_question_sent_twice_is_asked_once(lead):
    mine = held(lead)

    assert ask(mine, key="one").pk == ask(mine, key="one").pk
    assert ask(mine, key="two").pk != ask(mine, key="one").pk


def test_a_question_names_its_place_as_who_asked_saw_it(lead):
    mine = held(lead)
    item = mine.item
    shown_as_b = item.response_2 if mine.shown_first == 1 else item.response_1
    dimension = item.batch.rubric.dimensions.get(key="text_quality")

    ask(mine, about=About(shown_as_b.depth, shown_as_b.public_id, dimension.key))
    ask(mine, about=About(response=shown_as_b.public_id), now=NOW + timedelta(minutes=1))
    ask(mine, now=NOW + timedelta(minutes=2))

    places = [one.place for one in own_questions(mine.member, now=NOW + timedelta(hours=1))]
    assert places == ["Turn 2, B. text_quality.", "Whole, B.", "The whole item."]


@pytest.mark.parametrize(
    "about",
    [
        About(depth=9),
        About(response="elsewhere"),
        About(dimension="no_dimension"),
    ],
)
def test_a_place_that_is_not_on_the_item_is_refused(lead, about):
    with pytest.raises(Invalid, match="not on this item"):
        ask(held(lead), about=about)


@pytest.mark.parametrize("text", ["  ", "a\x00b", "x" * 4001])
def test_a_text_that_cannot_be_kept_is_refused(lead, text):
    with pytest.raises(Invalid):
        ask(held(lead), text=text)

    assert not LeadQuestion.objects.exists()


def test_nobody_asks_about_another_persons_item_or_without_end(lead):
    mine = held(lead)
    with pytest.raises(NotAllowed):
        ask(mine, by=make_member())

    for _ in range(MOST_OPEN):
        ask(mine)

    with pytest.raises(TooManyOpen):
        ask(mine)


def test_reviewers_answer_and_the_first_answer_counts(lead):
    question = ask(held(lead))
    reviewer = make_member(Role.REVIEWER)

    answer_question(question, answer=" Yes. ", by=reviewer, now=NOW)

    with pytest.raises(AnsweredAlready):
        answer_question(question, answer="No.", by=lead, now=NOW)
    with pytest.raises(NotAllowed):
        answer_question(question, answer="No.", by=make_member(), now=NOW)
    question.refresh_from_db()
    assert (question.answer, question.answered_by) == ("Yes.", reviewer)


def test_an_answer_becomes_a_note_that_quotes_the_question_and_names_nobody(lead):
    mine = held(lead)
    dimension = mine.item.batch.rubric.dimensions.get(key="text_quality")
    question = ask(mine, text="Is a crop\nan image?", about=About(dimension=dimension.key))

    answer_question(
        question, answer="Yes.", as_note=True, dimension="text_quality", by=lead, now=NOW
    )

    version = current_guideline(mine.item.batch)
    (note,) = version.notes
    assert (version.number, question.note_in) == (2, 2)
    assert note["text"] == "> Is a crop\n> an image?\n\nYes."
    assert (note["dimension"], note["item"]) == ("text_quality", mine.item.public_id)
    assert note["shown_first"] == mine.shown_first
    assert mine.member.pseudonym not in str(note) + version.sentence
    with pytest.raises(Invalid, match="note already"):
        make_note(question, dimension="", by=lead, now=NOW)


def test_where_the_note_is_refused_the_answer_is_not_given_either(lead):
    question = ask(held(lead))
    reviewer = make_member(Role.REVIEWER)

    with pytest.raises(NotAllowed):
        answer_question(question, answer="Yes.", as_note=True, by=reviewer, now=NOW)

    question.refresh_from_db()
    assert question.answered_at is None


def test_an_answer_leaves_the_desk_when_it_was_seen(lead):
    question = ask(held(lead))
    asker = question.assignment.member
    see_answer(question, by=asker, now=NOW)
    assert len(own_questions(asker, now=NOW)) == 1  # an open one cannot be put away

    answer_question(question, answer="Yes.", by=lead, now=NOW)
    with pytest.raises(NotAllowed):
        see_answer(question, by=lead, now=NOW)
    assert len(own_questions(asker, now=NOW)) == 1
    see_answer(question, by=asker, now=NOW)

    assert own_questions(asker, now=NOW) == []


@pytest.mark.django_db(transaction=True)
def test_of_answers_given_at_the_same_time_one_counts_and_each_note_has_its_version(lead):
    mine = held(lead)
    questions = [ask(mine, text=f"Question {n}?") for n in range(3)]
    people = [lead, make_lead("noor")]

    def answer(question, by):
        try:
            answer_question(question, answer=by.pseudonym, as_note=True, by=by, now=NOW)
        except AnsweredAlready:
            return "late"
        finally:
            connection.close()
        return by.pseudonym

    with ThreadPoolExecutor(6) as pool:
        tries = [
            (question.pk, pool.submit(answer, LeadQuestion.objects.get(pk=question.pk), by))
            for question in questions
            for by in people
        ]
        ends = [(pk, one.result(timeout=60)) for pk, one in tries]

    answers = dict(LeadQuestion.objects.values_list("pk", "answer"))
    assert sorted((pk, end) for pk, end in ends if end != "late") == sorted(answers.items())
    newest = current_guideline(mine.item.batch)
    assert newest.number == 4
    assert [note["number"] for note in newest.notes] == [2, 3, 4]
