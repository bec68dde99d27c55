"""Pausing a person: visible to them, reversible, in the history; and waiving a qualification."""

import pytest

from annotation.actions.assignments import claim_next
from annotation.actions.gold import KnownAnswer, set_gold_answers
from annotation.actions.judgments import submit_judgment
from annotation.actions.participations import pause_member, resume_member, waive_qualification
from annotation.choices import BatchPurpose, BatchSettings, BatchState
from annotation.errors import Invalid, NotAllowed, NotFound
from annotation.models import Participation
from annotation.reports.desk import desk
from annotation.reports.participations import test_result as result_of
from tests.factories import NOW, make_batch, make_items, make_lead, make_member
from tests.worlds import full_body, open_batch_with

pytestmark = pytest.mark.django_db


def test_a_paused_person_gets_nothing_new_keeps_what_they_hold_and_reads_why():
    batch, (person, _other) = open_batch_with(items=3)
    lead = make_lead()
    held = claim_next(batch, by=person, now=NOW)

    assert pause_member(person, batch=batch, reason="Let us talk first", by=lead, now=NOW) == 1

    with pytest.raises(NotAllowed, match=r"Paused by the lead: Let us talk first\. What you hold"):
        claim_next(batch, by=person, now=NOW)
    submit_judgment(held, by=person, body=full_body(held), key="k", now=NOW)
    (queue,) = desk(person, at=NOW).queues
    assert "Let us talk first." in queue.barred
    assert queue.open == 0
    batch.refresh_from_db()
    assert batch.history[-1] == {
        "at": NOW.isoformat(), "by": lead.pseudonym, "what": "member paused",
        "detail": f"{person.pseudonym}: Let us talk first",
    }  # fmt: skip


def test_a_person_goes_on_as_if_nothing_had_been():
    batch, (person, _other) = open_batch_with(items=3)
    lead = make_lead()
    pause_member(person, batch=batch, reason="Wait.", by=lead, now=NOW)

    assert resume_member(person, batch=batch, by=lead, now=NOW) == 1

    assert claim_next(batch, by=person, now=NOW)
    assert desk(person, at=NOW).queues[0].barred == ""
    batch.refresh_from_db()
    assert [entry["what"] for entry in batch.history] == ["member paused", "member goes on"]
    assert resume_member(person, batch=batch, by=lead, now=NOW) == 0


def test_all_batches_that_are_not_closed_are_paused_at_once():
    one, (person, _other) = open_batch_with()
    another = make_batch(members=[person])
    closed = make_batch(members=[person], state=BatchState.CLOSED, closed_at=NOW)

    assert pause_member(person, reason="Wait.", by=make_lead(), now=NOW) == 2

    paused = Participation.objects.filter(paused_at=NOW).values_list("batch", flat=True)
    assert set(paused) == {one.pk, another.pk}
    assert closed.pk not in paused


@pytest.mark.parametrize("reason", ["", "   ", "x" * 301, "nul \x00"])
def test_a_pause_says_why_in_a_sentence(reason):
    batch, (person, _other) = open_batch_with()

    with pytest.raises(Invalid):
        pause_member(person, batch=batch, reason=reason, by=make_lead(), now=NOW)

    assert not Participation.objects.exclude(paused_at=None).exists()


def test_only_leads_pause_and_only_who_is_in_the_batch():
    batch, (person, other) = open_batch_with()

    with pytest.raises(NotAllowed):
        pause_member(person, batch=batch, reason="Wait.", by=other, now=NOW)
    with pytest.raises(NotFound):
        pause_member(make_member(), batch=batch, reason="Wait.", by=make_lead(), now=NOW)


def qualification(person, *, items=2, mark=0.8):
    """An open qualification whose known answers are: side 1 preferred, text quality 2 of both."""
    lead = make_lead()
    settings = BatchSettings(everyone=True, pass_mark=mark)
    batch = make_batch(
        purpose=BatchPurpose.QUALIFICATION, members=[person], settings=settings, slug="exam"
    )
    for item in make_items(batch, items=items, seats=1):
        set_gold_answers(
            [
                KnownAnswer(item, "overall", response="1", outcome="prefers"),
                KnownAnswer(item, "text_quality", response="1", score=2),
                KnownAnswer(item, "text_quality", response="2", score=3, tolerance=1),
            ],
            by=lead,
            now=NOW,
        )
    return batch


def take(batch, person, *, score=2, side=1, key="k"):
    held = claim_next(batch, by=person, now=NOW)
    preferred = held.item.response_1 if side == 1 else held.item.response_2
    body = full_body(held, score=score, preferred=preferred)
    return submit_judgment(held, by=person, body=body, key=key, now=NOW)


def gated(person):
    batch = make_batch(members=[person], settings=BatchSettings(requires="exam"))
    make_items(batch, items=2)
    return batch


def test_a_batch_that_requires_a_qualification_opens_only_to_who_passed():
    person = make_member()
    exam, main = qualification(person), gated(person)

    with pytest.raises(NotAllowed, match="First finish the qualification"):
        claim_next(main, by=person, now=NOW)
    take(exam, person)
    assert result_of(exam, person).in_words() == ""
    take(exam, person)

    result = result_of(exam, person)
    assert (result.answered, result.hits, result.needed, result.passed) == (6, 6, 5, True)
    assert "You have passed: 6 of 6" in result.in_words()
    assert claim_next(main, by=person, now=NOW)


def test_who_does_not_pass_reads_the_result_and_a_lead_may_let_them_in():
    person, lead = make_member(), make_lead()
    exam, main = qualification(person), gated(person)
    take(exam, person, side=2)
    take(exam, person, score=0)

    with pytest.raises(NotAllowed, match="Not passed: 3 of 6 answers were as expected, and 5"):
        claim_next(main, by=person, now=NOW)
    desk_of = {queue.slug: queue for queue in desk(person, at=NOW).queues}
    assert "Not passed: 3 of 6" in desk_of[main.slug].barred
    assert "Not passed: 3 of 6" in desk_of["exam"].result

    waive_qualification(person, batch=main, reason="Did the pilot.", by=lead, now=NOW)

    assert claim_next(main, by=person, now=NOW)
    main.refresh_from_db()
    assert main.history[-1]["what"] == "qualification waived"


def test_what_counts_in_a_qualification_is_what_was_said_first():
    person = make_member()
    exam = qualification(person, items=1)
    wrong = take(exam, person, score=0, side=2)

    body = full_body(wrong.assignment, preferred=wrong.item.response_1)
    submit_judgment(wrong.assignment, by=person, body=body, key="k2", now=NOW)

    assert result_of(exam, person).hits == 0
