"""Deciding between judgments: with a reason, beside them and never among them."""

from datetime import timedelta

import pytest

from annotation.actions.adjudications import adjudicate, begin_adjudication, open_adjudication
from annotation.actions.assignments import claim_next, release_lapsed
from annotation.actions.judgments import submit_judgment
from annotation.actions.reviews import Looked, NoPlace, begin_fix, fix
from annotation.choices import (
    AssignmentState,
    BatchKind,
    BatchSettings,
    Cause,
    Origin,
    ReasonRule,
    Role,
    SeatPurpose,
)
from annotation.errors import AnnotationError, Invalid, NotAllowed
from annotation.models import Judgment, Seat, Sight
from annotation.reports.adjudications import adjudication_rows
from annotation.reports.comparing import agreed_answers
from annotation.reports.reviews import open_adjudications
from tests.actions.test_reviews import judged, reviewer
from tests.factories import NOW, make_lead, make_member
from tests.worlds import full_body, open_batch_with

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=5)


def test_a_lead_opens_an_adjudication_once():
    _, [one, _] = judged()
    lead = make_lead()

    seat = open_adjudication(one.item, by=lead, now=LATER)

    assert seat.purpose == SeatPurpose.ADJUDICATION
    assert open_adjudication(one.item, by=lead, now=LATER) == seat
    assert list(open_adjudications(one.batch.project)) == [seat]
    with pytest.raises(NotAllowed):
        open_adjudication(one.item, by=reviewer(), now=LATER)


def test_one_judgment_alone_is_not_adjudicated():
    batch, members = open_batch_with()
    held = claim_next(batch, by=members[0], now=NOW)
    submit_judgment(held, by=members[0], body=full_body(held), key="k", now=NOW)

    with pytest.raises(AnnotationError, match="two judgments"):
        open_adjudication(held.item, by=make_lead(), now=LATER)


def test_the_deciding_judgment_stands_alone_and_enters_no_agreement():
    _, [one, two] = judged()
    lead = make_lead()
    open_adjudication(one.item, by=lead, now=LATER)
    mine = begin_adjudication(one.item, by=lead, now=LATER)

    judgment = adjudicate(
        mine, by=lead, body=full_body(mine, score=0), reason="The legs float.", key="d", now=LATER
    )

    assert (judgment.cause, judgment.saw_others) == (Cause.ADJUDICATION, True)
    assert judgment.seat.purpose == SeatPurpose.ADJUDICATION
    assert judgment.remarks.get(kind="rationale").text == "The legs float."
    assert list(Judgment.objects.final(number=99)) == [judgment]
    assert set(Judgment.objects.independent(number=99)) == {one, two}
    assert not open_adjudications(one.batch.project).exists()
    assert Sight.objects.filter(member=lead, item=one.item).exists()


def test_without_a_reason_or_with_an_answer_missing_nothing_is_decided():
    _, [one, _] = judged()
    lead = make_lead()
    open_adjudication(one.item, by=lead, now=LATER)
    mine = begin_adjudication(one.item, by=lead, now=LATER)

    with pytest.raises(Invalid, match="Say why"):
        adjudicate(mine, by=lead, body=full_body(mine), reason="  ", key="d", now=LATER)
    with pytest.raises(Invalid):
        adjudicate(mine, by=lead, body={}, reason="why", key="d", now=LATER)
    assert Judgment.objects.count() == 2


def test_agreed_answers_are_stored_as_proposed_and_decided_ones_as_given():
    _, [one, _] = judged()  # scores 1 and 2 everywhere, side 1 preferred by both
    lead = make_lead()
    open_adjudication(one.item, by=lead, now=LATER)
    mine = begin_adjudication(one.item, by=lead, now=LATER)
    agreed = agreed_answers(one.item)
    assert set(agreed) == {name for name in agreed if name.startswith("preference.")} != set()

    judgment = adjudicate(mine, by=lead, body=full_body(mine), reason="why", key="d", now=LATER)

    assert set(judgment.ratings.values_list("origin", flat=True)) == {Origin.GIVEN}
    assert set(judgment.preferences.values_list("origin", flat=True)) == {Origin.PROPOSED}


def test_no_reason_of_a_single_rating_is_asked_of_who_decides():
    always = {"text_quality": ReasonRule(always=True)}
    _, [one, _] = judged(settings=BatchSettings(reasons=always))
    lead = make_lead()
    open_adjudication(one.item, by=lead, now=LATER)
    mine = begin_adjudication(one.item, by=lead, now=LATER)

    adjudicate(mine, by=lead, body=full_body(mine, reason=""), reason="why", key="d", now=LATER)


def test_nobody_decides_about_their_own_judgment_or_fix():
    _, [one, _two] = judged()
    open_adjudication(one.item, by=make_lead(), now=LATER)
    author = one.member
    type(author).objects.filter(pk=author.pk).update(role=Role.REVIEWER)
    author.role = Role.REVIEWER
    heron = reviewer()
    mine = begin_fix(Looked(one), by=heron, now=LATER)
    fix(Looked(one), by=heron, body=full_body(mine), key="f", now=LATER)

    for member in (author, heron):
        with pytest.raises(NotAllowed, match="yourself"):
            begin_adjudication(one.item, by=member, now=LATER)
    with pytest.raises(NotAllowed):
        begin_adjudication(one.item, by=make_member(), now=LATER)


def test_who_is_deciding_keeps_others_away_until_their_time_runs_out():
    batch, [one, _] = judged()
    lead, heron = make_lead(), reviewer()
    open_adjudication(one.item, by=lead, now=NOW)
    begin_adjudication(one.item, by=lead, now=NOW)
    with pytest.raises(NoPlace):
        begin_adjudication(one.item, by=heron, now=NOW)
    (row,) = adjudication_rows(open_adjudications(batch.project), heron)
    assert (row.held_by, row.mine, row.judgments) == (lead.pseudonym, False, 2)

    release_lapsed(now=NOW + timedelta(hours=2))

    mine = begin_adjudication(one.item, by=heron, now=NOW + timedelta(hours=2))
    assert mine.state == AssignmentState.HELD
    assert Seat.objects.filter(purpose=SeatPurpose.ADJUDICATION).count() == 1


def test_deciding_again_is_another_version_and_the_same_key_is_the_same_decision():
    _, [one, _] = judged()
    lead = make_lead()
    open_adjudication(one.item, by=lead, now=LATER)
    mine = begin_adjudication(one.item, by=lead, now=LATER)
    body = full_body(mine, score=0)
    first = adjudicate(mine, by=lead, body=body, reason="why", key="d", now=LATER)

    assert adjudicate(mine, by=lead, body=body, reason="why", key="d", now=LATER) == first
    other = full_body(mine, score=1)
    second = adjudicate(mine, by=lead, body=other, reason="better", key="e", now=LATER)

    assert (second.revision, second.cause) == (2, Cause.ADJUDICATION)
    assert list(Judgment.objects.final(number=99)) == [second]


def test_a_lapsed_annotator_never_takes_the_deciding_seat():
    batch, members = open_batch_with(people=3, seats=3, kind=BatchKind.TURN_PAIR)
    late = claim_next(batch, by=members[2], now=NOW)
    for member in members[:2]:
        held = claim_next(batch, by=member, now=NOW)
        submit_judgment(held, by=member, body=full_body(held), key="k", now=NOW)
    release_lapsed(now=NOW + timedelta(hours=2), batch=batch)
    Seat.objects.filter(state="open").update(state="closed")
    open_adjudication(late.item, by=make_lead(), now=LATER)

    sent = submit_judgment(
        late, by=members[2], body=full_body(late), key="k", now=NOW + timedelta(hours=3)
    )

    assert sent.seat is None
    assert Seat.objects.get(purpose=SeatPurpose.ADJUDICATION).state == "open"
