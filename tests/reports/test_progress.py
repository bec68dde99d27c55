"""How far batches are."""

import json
from datetime import date, timedelta

import pytest

from annotation.actions.assignments import claim_next, flag, skip
from annotation.actions.judgments import submit_judgment
from annotation.choices import AssignmentState, BatchState, SeatPurpose, SkipReason
from annotation.models import Assignment, Item, Participation, Seat
from annotation.reports.progress import batch_progress, batch_rows, waiting_items
from tests.conftest import NOW
from tests.factories import make_batch, make_items, make_member, make_project
from tests.worlds import full_body, open_batch_with

pytestmark = pytest.mark.django_db


def submit(batch, member, *, at=NOW, minutes: float = 0):
    assignment = claim_next(batch, by=member, now=at)
    body = full_body(assignment)
    if minutes:
        body["evidence"] = {"active_ms": {"1": int(minutes * 60_000)}}
    submit_judgment(assignment, by=member, body=body, key=str(assignment.pk), now=at)
    return assignment


def test_seats_are_submitted_held_parked_or_open():
    batch, (heron, larch) = open_batch_with(items=4, seats=2)
    submit(batch, heron)
    claim_next(batch, by=heron, now=NOW)
    claim_next(batch, by=larch, now=NOW)
    begun = Seat.objects.filter(state="taken").values("item")
    untouched = batch.items.exclude(pk__in=begun).order_by("position")
    Item.objects.filter(pk=untouched[0].pk).update(parked_at=NOW)
    Seat.objects.filter(item=untouched[1], number=2).update(state="closed")
    Seat.objects.create(item=untouched[1], number=3, purpose=SeatPurpose.REVIEW)

    seats = batch_progress(batch, now=NOW).seats

    assert (seats.total, seats.submitted, seats.held, seats.parked) == (7, 1, 2, 2)
    assert seats.open == seats.total - 5
    assert seats.percent == 14


def test_an_item_is_done_when_its_last_overlap_seat_is():
    batch, (heron, larch) = open_batch_with(items=1, seats=2)
    Seat.objects.create(item=batch.items.get(), number=3, purpose=SeatPurpose.EXTRA)

    submit(batch, heron)
    assert batch_progress(batch, now=NOW).items_done == 0
    submit(batch, larch)
    assert batch_progress(batch, now=NOW).items_done == 1


def test_pace_and_the_day_it_will_be_done():
    batch, (heron, _) = open_batch_with(items=8, seats=1)
    for day in (0, 1, 1, 3):
        submit(batch, heron, at=NOW + timedelta(days=day, hours=1))

    progress = batch_progress(batch, now=NOW + timedelta(days=4))

    assert progress.pace == 1.0
    assert progress.done_by == date(2026, 3, 10)
    assert batch_progress(batch, now=NOW + timedelta(days=30)).done_by is None


def test_time_is_the_median_of_what_the_tab_was_visible():
    batch, (heron, larch) = open_batch_with(items=3, seats=2)
    Item.objects.update(counts={"minutes": 12.5})
    for minutes in (4, 10):
        submit(batch, heron, minutes=minutes)
    submit(batch, larch, minutes=20)
    submit(batch, larch)

    progress = batch_progress(batch, now=NOW)

    assert (progress.minutes, progress.announced, progress.timed) == (10, 12.5, 3)
    assert {row.pseudonym: row.minutes for row in progress.annotators} == {
        heron.pseudonym: 7,
        larch.pseudonym: 20,
    }


def test_a_preference_kept_against_ones_own_scores_is_counted():
    batch, (heron, larch) = open_batch_with(items=1, seats=2)
    submit(batch, heron)
    assignment = claim_next(batch, by=larch, now=NOW)
    body = full_body(assignment)
    one, two = list(body["ratings"])
    preferred = body["preferences"]["overall"]["preferred"]
    for response in (one, two):
        for answer in body["ratings"][response].values():
            answer["score"] = 0 if response == preferred else 3
    for preference in body["preferences"].values():
        preference["contradiction"] = "kept"
    submit_judgment(assignment, by=larch, body=body, key="k", now=NOW)

    progress = batch_progress(batch, now=NOW)

    assert (progress.contradicting, progress.compared, progress.judgments) == (1, 2, 2)
    assert progress.contradicting_percent == 50


def test_what_waits_for_the_lead_says_who_said_what():
    batch, (heron, larch) = open_batch_with(items=2, seats=2)
    skipped = claim_next(batch, by=heron, now=NOW)
    skip(skipped, by=heron, reason=SkipReason.LANGUAGE, note="It is Finnish.", now=NOW)
    Item.objects.filter(pk=skipped.item_id).update(parked_at=NOW)
    flagged = claim_next(batch, by=larch, now=NOW)
    flag(flagged, by=larch, note="Which picture counts?", now=NOW)

    parked, asked = waiting_items(batch)

    assert (parked.kind, parked.item) == ("parked", skipped.item.public_id)
    assert parked.said == ((heron.pseudonym, "language", "It is Finnish."),)
    assert parked.prompt == skipped.item.response_1.turn.prompt
    assert (asked.kind, asked.item) == ("flagged", flagged.item.public_id)
    assert asked.said == ((larch.pseudonym, "", "Which picture counts?"),)
    progress = batch_progress(batch, now=NOW)
    assert (progress.parked, progress.flagged, progress.surplus, progress.waits) == (1, 1, 0, 2)


def test_each_annotator_has_a_row_those_who_left_the_batch_too():
    batch, (heron, larch) = open_batch_with(items=3, seats=2)
    submit(batch, heron)
    skip(claim_next(batch, by=heron, now=NOW), by=heron, reason=SkipReason.OTHER, now=NOW)
    Participation.objects.filter(member=heron).delete()
    Participation.objects.filter(member=larch).update(paused_at=NOW, pause_reason="Wait.")

    rows = {row.pseudonym: row for row in batch_progress(batch, now=NOW).annotators}

    assert set(rows) == {heron.pseudonym, larch.pseudonym}
    gone, idle = rows[heron.pseudonym], rows[larch.pseudonym]
    assert (gone.submitted, gone.skipped, gone.last_at) == (1, 1, NOW)
    assert (idle.submitted, idle.paused, idle.last_at) == (0, True, None)


def test_other_batches_are_not_counted():
    batch, (heron, _) = open_batch_with(items=1, seats=1)
    other, (stranger, _) = open_batch_with(items=2, seats=2)
    submit(other, stranger, minutes=5)
    Item.objects.filter(batch=other).update(parked_at=NOW)

    progress = batch_progress(batch, now=NOW)

    assert (progress.seats.total, progress.seats.submitted, progress.parked) == (1, 0, 0)
    assert (progress.minutes, progress.judgments, progress.pace) == (None, 0, 0)
    assert [row.submitted for row in progress.annotators] == [0, 0]
    assert heron.pseudonym in {row.pseudonym for row in progress.annotators}


def test_a_draft_has_no_seats_and_no_pace():
    batch = make_batch(state=BatchState.DRAFT)
    make_items(batch, items=2, seats=0)

    progress = batch_progress(batch, now=NOW)

    assert (progress.seats.total, progress.seats.percent, progress.items) == (0, 0, 2)
    assert (progress.pace, progress.done_by) == (0, None)


def test_progress_in_json_and_words_says_the_same():
    batch, (heron, _) = open_batch_with(items=2, seats=2, slug="wave-1")
    submit(batch, heron, minutes=3)

    progress = batch_progress(batch, now=NOW)

    body = json.loads(json.dumps(progress.as_json()))
    assert body["seats"] == {"total": 4, "submitted": 1, "held": 0, "parked": 0, "open": 3}
    assert (body["slug"], body["at"], body["minutes"]) == ("wave-1", NOW.isoformat(), 3.0)
    words = progress.in_words()
    assert "1 of 4 submitted (25 %), 0 held, 0 parked, 3 open" in words
    assert "3 min an item (median of 1)" in words


def test_the_list_has_a_row_for_each_batch_newest_first():
    older, (heron, _) = open_batch_with(items=2, seats=2)
    newer = make_batch(state=BatchState.DRAFT, members=[make_member()])
    submit(older, heron)
    Item.objects.filter(batch=older, seats__state="open").update(parked_at=NOW)

    rows = batch_rows(make_project())

    assert [row.slug for row in rows] == [newer.slug, older.slug]
    empty, busy = rows
    assert (empty.items, empty.members, empty.seats.total) == (0, 1, 0)
    assert (busy.items, busy.members, busy.parked_items) == (2, 2, 2)
    assert (busy.seats.submitted, busy.seats.parked, busy.seats.open) == (1, 3, 0)


@pytest.mark.parametrize("count", [1, 3])
def test_progress_takes_as_many_queries_for_three_people_as_for_one(
    count, django_assert_num_queries
):
    batch, people = open_batch_with(items=count, seats=count, people=count)
    for member in people:
        submit(batch, member)
    assert Assignment.objects.filter(state=AssignmentState.SUBMITTED).count() == count

    with django_assert_num_queries(17):
        batch_progress(batch, now=NOW)
    with django_assert_num_queries(4):
        batch_rows(batch.project)
