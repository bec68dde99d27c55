"""Breaks: an item held for longer, a few times a day, and items set aside."""

from datetime import timedelta

import pytest

from annotation.actions.assignments import claim_next, open_assignment, release_lapsed, renew_lease
from annotation.actions.holds import MOST_ASIDE, CannotHold, hold, set_aside
from annotation.actions.judgments import submit_judgment
from annotation.choices import AssignmentState, BatchSettings
from annotation.models import Assignment, Hold
from annotation.reports.holds import holds_of
from tests.factories import NOW
from tests.worlds import full_body, open_batch_with

pytestmark = pytest.mark.django_db
HOURS = timedelta(hours=1)


def held(**world):
    batch, [ann, ben] = open_batch_with(**world)
    return claim_next(batch, by=ann, now=NOW), ann, ben


def test_a_held_item_outlives_its_lease_and_then_lapses():
    item, ann, _ = held()

    hold(item, by=ann, now=NOW)

    assert release_lapsed(now=NOW + 1.5 * HOURS) == 0
    assert release_lapsed(now=NOW + 2 * HOURS) == 1


def test_going_on_does_not_shorten_a_hold():
    item, ann, _ = held()
    hold(item, by=ann, now=NOW)

    assert renew_lease(item, now=NOW)

    item.refresh_from_db()
    assert item.lease_until == NOW + 2 * HOURS


def test_a_person_has_as_many_holds_a_day_as_the_batch_gives():
    item, ann, ben = held(settings=BatchSettings(holds_per_day=2, hold_minutes=30))
    batch = item.item.batch
    for minutes in (-2, -1):
        hold(item, by=ann, now=NOW + timedelta(minutes=minutes))

    with pytest.raises(CannotHold, match="used your 2 holds of today"):
        hold(item, by=ann, now=NOW)

    assert (holds_of(ann, batch, at=NOW).used, holds_of(ben, batch, at=NOW).used) == (2, 0)
    assert not holds_of(ann, batch, at=NOW).are_left
    assert hold(item, by=ann, now=NOW + 24 * HOURS).until == NOW + 24.5 * HOURS


def test_what_is_asked_twice_at_once_is_one_hold():
    item, ann, _ = held()

    first = hold(item, by=ann, now=NOW)

    assert hold(item, by=ann, now=NOW + timedelta(seconds=1)) == first
    assert hold(item, by=ann, now=NOW + timedelta(minutes=1)) != first


def test_a_batch_may_hold_nothing():
    item, ann, _ = held(settings=BatchSettings(holds_per_day=0))

    with pytest.raises(CannotHold, match="does not hold items"):
        hold(item, by=ann, now=NOW)


def test_a_lapsed_item_is_held_again_where_its_seat_is_free():
    item, ann, ben = held(items=1, seats=1)
    release_lapsed(now=NOW + HOURS)
    item.refresh_from_db()

    hold(item, by=ann, now=NOW + HOURS)

    item.refresh_from_db()
    assert item.state == AssignmentState.HELD
    release_lapsed(now=NOW + 4 * HOURS)
    claim_next(item.item.batch, by=ben, now=NOW + 4 * HOURS)
    with pytest.raises(CannotHold, match="somebody else's"):
        hold(item, by=ann, now=NOW + 4 * HOURS)
    assert Hold.objects.count() == 1


def test_what_is_sent_can_neither_be_held_nor_set_aside():
    item, ann, _ = held()
    submit_judgment(item, by=ann, body=full_body(item), key="k", now=NOW)

    for keep in (hold, set_aside):
        with pytest.raises(CannotHold, match="done"):
            keep(item, by=ann, now=NOW)


def test_an_item_set_aside_lets_others_come_first_until_it_is_opened_again():
    item, ann, _ = held(items=3)
    open_assignment(item, now=NOW)

    set_aside(item, by=ann, now=NOW)

    following = claim_next(item.item.batch, by=ann, now=NOW)
    assert following != item
    item.refresh_from_db()
    assert item.state == AssignmentState.HELD
    open_assignment(item, now=NOW)
    assert claim_next(item.item.batch, by=ann, now=NOW) == item


def test_only_a_few_items_are_set_aside_at_once():
    item, ann, _ = held(items=MOST_ASIDE + 1)
    for _ in range(MOST_ASIDE):
        set_aside(claim_next(item.item.batch, by=ann, now=NOW), by=ann, now=NOW)
    last = claim_next(item.item.batch, by=ann, now=NOW)

    with pytest.raises(CannotHold, match="Finish one of them first"):
        set_aside(last, by=ann, now=NOW)

    assert Assignment.objects.held().filter(member=ann, aside_at=None).get() == last
