"""What follows when votes differ: one more seat, or one for an adjudicator; once, and undone."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from annotation.actions.assignments import claim_next
from annotation.actions.judgments import submit_judgment, withdraw_judgment
from annotation.choices import BatchSettings, OnDifference, SeatCause, SeatPurpose, SeatState
from annotation.models import Batch, Judgment, Seat
from annotation.reports.pairs import Snapshot, pair_pages
from annotation.reports.votes import votes_differ, waits_of
from tests.factories import NOW
from tests.worlds import full_body, open_batch_with


def differing(*, people=3, rule=OnDifference.THIRD_SEAT, **more):
    settings = BatchSettings(on_difference=rule, **more)
    batch, members = open_batch_with(people=people, settings=settings)
    return batch, members


def vote(batch, member, *, side=1, score=2, key="k"):
    """Submit the member's judgment of the batch's next item, that side preferred."""
    assignment = claim_next(batch, by=member, now=NOW)
    item = assignment.item
    preferred = item.response_1 if side == 1 else item.response_2
    body = full_body(assignment, score=score, preferred=preferred)
    return submit_judgment(assignment, by=member, body=body, key=key, now=NOW)


def made(batch):
    return list(
        Seat.objects.filter(item__batch=batch, cause=SeatCause.DIFFERENCE).values_list(
            "purpose", "state"
        )
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("rule", "purpose"),
    [
        (OnDifference.THIRD_SEAT, SeatPurpose.EXTRA),
        (OnDifference.ADJUDICATE, SeatPurpose.ADJUDICATION),
    ],
)
def test_two_outcomes_open_the_seat_the_batch_says(rule, purpose):
    batch, (one, other, _third) = differing(rule=rule)
    vote(batch, one, side=1)
    assert made(batch) == []

    vote(batch, other, side=2)

    assert made(batch) == [(purpose, SeatState.OPEN)]
    waits = waits_of(batch)
    assert (waits.open, waits.held, waits.settled) == (1, 0, 0)


@pytest.mark.django_db
def test_where_differences_are_left_nothing_opens():
    batch, (one, other, _third) = differing(rule=OnDifference.LEAVE)
    vote(batch, one, side=1)
    vote(batch, other, side=2)

    assert made(batch) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("first", "second", "points", "opens"),
    [(2, 2, 2, False), (2, 1, 2, False), (3, 1, 2, True), (2, 1, 1, True), (3, 0, 0, False)],
)
def test_scores_differ_from_so_many_points_on(first, second, points, opens):
    batch, (one, other, _third) = differing(difference_points=points)
    vote(batch, one, score=first)
    vote(batch, other, score=second)

    assert bool(made(batch)) is opens


@pytest.mark.django_db
def test_the_third_seat_looks_like_any_other_and_stays_out_of_agreement():
    batch, (one, other, third) = differing()
    vote(batch, one, side=1)
    vote(batch, other, side=2)

    judgment = vote(batch, third, side=2)

    assert judgment.seat.purpose == SeatPurpose.EXTRA
    batch.refresh_from_db()
    number = batch.last_number
    mine = Judgment.objects.filter(batch=batch)
    assert {row.member for row in mine.independent(number=number)} == {one, other}
    assert mine.final(number=number).count() == 3
    assert waits_of(batch).settled == 1
    (pair,) = [pair for page in pair_pages(Snapshot.now(batch), size=10) for pair in page.pairs]
    assert len(pair.judgments) == 3


@pytest.mark.django_db
def test_those_who_voted_are_not_offered_the_third_seat():
    batch, (one, other, _third) = differing()
    vote(batch, one, side=1)
    vote(batch, other, side=2)

    for member in (one, other):
        with pytest.raises(Exception, match="done everything"):
            claim_next(batch, by=member, now=NOW)


@pytest.mark.django_db
def test_an_adjudicators_seat_is_offered_to_no_annotator_and_taken_back_by_none():
    batch, (one, other, third) = differing(rule=OnDifference.ADJUDICATE)
    vote(batch, one, side=1)
    vote(batch, other, side=2)

    with pytest.raises(Exception, match="done everything"):
        claim_next(batch, by=third, now=NOW)


@pytest.mark.django_db
def test_a_vote_taken_back_or_corrected_closes_the_seat_and_may_open_it_again():
    batch, (one, other, _third) = differing()
    vote(batch, one, side=1)
    judgment = vote(batch, other, side=2)
    assignment = judgment.assignment

    withdraw_judgment(assignment, by=other, key="undo", now=NOW)
    assert made(batch) == [(SeatPurpose.EXTRA, SeatState.CLOSED)]

    body = full_body(assignment, preferred=assignment.item.response_2)
    submit_judgment(assignment, by=other, body=body, key="k2", now=NOW)
    assert made(batch) == [(SeatPurpose.EXTRA, SeatState.OPEN)]

    agreeing = full_body(assignment, preferred=assignment.item.response_1)
    submit_judgment(assignment, by=other, body=agreeing, key="k3", now=NOW)
    assert made(batch) == [(SeatPurpose.EXTRA, SeatState.CLOSED)]


@pytest.mark.django_db
def test_a_seat_somebody_has_taken_stays_when_the_votes_agree_again():
    batch, (one, other, third) = differing()
    vote(batch, one, side=1)
    judgment = vote(batch, other, side=2)
    claim_next(batch, by=third, now=NOW)

    body = full_body(judgment.assignment, preferred=judgment.item.response_1)
    submit_judgment(judgment.assignment, by=other, body=body, key="k2", now=NOW)

    assert made(batch) == [(SeatPurpose.EXTRA, SeatState.TAKEN)]


@pytest.mark.django_db
def test_two_ways_of_being_undecided_differ():
    batch, (one, other, _third) = differing()
    judgments = [vote(batch, one, side=1), vote(batch, other, side=1)]

    assert not votes_differ(judgments, points=2)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="one writer at a time on SQLite")
def test_two_last_votes_at_once_open_one_seat():
    batch, (one, other, _third) = differing()
    held = [claim_next(batch, by=member, now=NOW) for member in (one, other)]
    bodies = [
        full_body(held[0], preferred=held[0].item.response_1),
        full_body(held[1], preferred=held[1].item.response_2),
    ]
    barrier = Barrier(2)

    def send(place):
        try:
            barrier.wait(10)
            submit_judgment(
                held[place], by=held[place].member, body=bodies[place], key="k", now=NOW
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(send, range(2)))

    assert made(Batch.objects.get(pk=batch.pk)) == [(SeatPurpose.EXTRA, SeatState.OPEN)]
