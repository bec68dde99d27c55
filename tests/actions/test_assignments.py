"""Claiming, leases, skips: who gets which item, and when it comes back."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection

from annotation.actions.assignments import (
    NothingToAnnotate,
    claim_next,
    flag,
    free_all_held,
    open_assignment,
    prepare_next,
    release_lapsed,
    renew_lease,
    skip,
    unpark,
)
from annotation.actions.batches import pause_batch
from annotation.actions.drafts import save_draft
from annotation.actions.judgments import submit_judgment
from annotation.choices import (
    AssignmentState,
    BatchKind,
    BatchState,
    ItemOrder,
    SeatState,
    SkipReason,
)
from annotation.errors import NotAllowed
from annotation.models import Assignment, Judgment, Seat
from tests.factories import (
    NOW,
    make_batch,
    make_item,
    make_items,
    make_lead,
    make_member,
    make_tree,
)
from tests.worlds import full_body, open_batch_with

LEASE = timedelta(minutes=60)
pytestmark = pytest.mark.django_db


def test_claim_next_gives_the_held_item_again():
    batch, [ann, _] = open_batch_with(items=3)

    first = claim_next(batch, by=ann, now=NOW)
    again = claim_next(batch, by=ann, now=NOW)

    assert again == first
    assert first.state == AssignmentState.HELD
    assert first.lease_until == NOW + LEASE


def test_claim_next_refuses_somebody_who_is_not_in_the_batch():
    batch, _ = open_batch_with()

    with pytest.raises(NotAllowed):
        claim_next(batch, by=make_member(), now=NOW)


def test_claim_next_refuses_a_paused_member_who_would_have_had_an_item():
    batch, [ann, _] = open_batch_with()
    batch.participations.filter(member=ann).update(paused_at=NOW, pause_reason="Wait.")

    with pytest.raises(NotAllowed):
        claim_next(batch, by=ann, now=NOW)


@pytest.mark.parametrize("state", [BatchState.PAUSED, BatchState.CLOSED])
def test_claim_next_hands_out_nothing_of_a_batch_that_is_not_open(state):
    batch, [ann, _] = open_batch_with(state=state)

    with pytest.raises(NothingToAnnotate):
        claim_next(batch, by=ann, now=NOW)


def test_claim_next_never_offers_the_same_item_twice():
    batch, [ann, ben] = open_batch_with(items=1, seats=2)
    held = claim_next(batch, by=ann, now=NOW)
    submit_judgment(held, by=ann, body=full_body(held), key="k", now=NOW)

    with pytest.raises(NothingToAnnotate):
        claim_next(batch, by=ann, now=NOW)

    assert claim_next(batch, by=ben, now=NOW).item == held.item


def test_overlap_cannot_be_exceeded_since_there_is_no_seat():
    batch, [ann, ben, eve] = open_batch_with(items=1, seats=2, people=3)
    claim_next(batch, by=ann, now=NOW)
    claim_next(batch, by=ben, now=NOW)

    with pytest.raises(NothingToAnnotate) as refused:
        claim_next(batch, by=eve, now=NOW)

    assert "10:00 at the latest" in str(refused.value)


def test_both_orders_of_a_pair_are_shown():
    batch, [ann, ben] = open_batch_with(items=1, seats=2)

    shown = {claim_next(batch, by=one, now=NOW).shown_first for one in (ann, ben)}

    assert shown == {1, 2}


def test_items_begun_by_others_come_before_untouched_ones():
    batch, [ann, ben] = open_batch_with(items=6, seats=2)
    begun = claim_next(batch, by=ann, now=NOW)

    assert claim_next(batch, by=ben, now=NOW).item == begun.item


def test_the_next_item_is_of_the_same_dialogue_where_the_order_says_so():
    ann = make_member()
    batch = make_batch(kind=BatchKind.CONVERSATION_PAIR, members=[ann])
    for _ in range(4):
        sides = list(make_tree(paths=3).responses.full().order_by("pk"))
        for one, two in ((0, 1), (1, 2), (2, 0)):
            make_item(batch, sides[one], sides[two])
    dialogues = []
    for number in range(12):
        held = claim_next(batch, by=ann, now=NOW)
        dialogues.append(held.item.dialogue_id)
        submit_judgment(held, by=ann, body=full_body(held), key=f"{number}", now=NOW)

    blocks = [dialogues[at : at + 3] for at in range(0, 12, 3)]

    assert all(len(set(block)) == 1 for block in blocks)
    assert len(set(dialogues)) == 4


def test_shuffled_orders_differ_between_people_and_cover_everything():
    ann, ben = make_member(), make_member()
    batch = make_batch(members=[ann, ben], order=ItemOrder.SHUFFLED)
    make_items(batch, items=8, seats=2)
    orders = []
    for person in (ann, ben):
        order = []
        for _ in range(8):
            held = claim_next(batch, by=person, now=NOW)
            order.append(held.item_id)
            skip(held, by=person, reason=SkipReason.OTHER, now=NOW)
        orders.append(order)

    assert set(orders[0]) == set(orders[1])
    assert orders[0] != orders[1]


def test_prepare_next_holds_a_second_item_and_no_third():
    batch, [ann, _] = open_batch_with(items=4)
    first = claim_next(batch, by=ann, now=NOW)

    second = prepare_next(first, now=NOW)
    third = prepare_next(first, now=NOW)

    assert second is not None
    assert second.item != first.item
    assert third == second
    assert Assignment.objects.held().filter(member=ann).count() == 2
    assert claim_next(batch, by=ann, now=NOW) == first


def test_a_prepared_item_that_is_not_opened_goes_to_somebody_else_soon():
    batch, [ann, ben] = open_batch_with(items=2, seats=1)
    first = claim_next(batch, by=ann, now=NOW)
    prepared = prepare_next(first, now=NOW)
    assert prepared is not None
    assert prepared.opened_at is None
    soon = NOW + timedelta(minutes=20)

    passed_on = claim_next(batch, by=ben, now=soon)

    assert passed_on.item == prepared.item
    first.refresh_from_db()
    assert first.state == AssignmentState.HELD


def test_preparing_again_keeps_the_prepared_item_for_longer():
    batch, [ann, ben] = open_batch_with(items=2, seats=1)
    first = claim_next(batch, by=ann, now=NOW)
    prepared = prepare_next(first, now=NOW)

    assert prepare_next(first, now=NOW + timedelta(minutes=10)) == prepared

    with pytest.raises(NothingToAnnotate):
        claim_next(batch, by=ben, now=NOW + timedelta(minutes=25))


def test_what_was_prepared_before_a_pause_is_not_begun_in_it():
    batch, [ann, _] = open_batch_with(items=2)
    first = claim_next(batch, by=ann, now=NOW)
    open_assignment(first, now=NOW)
    prepare_next(first, now=NOW)
    paused = pause_batch(batch, by=make_lead(), now=NOW)

    assert claim_next(paused, by=ann, now=NOW) == first
    with pytest.raises(NothingToAnnotate):
        claim_next(paused, by=ann, now=NOW, besides=first)


def test_nothing_is_prepared_after_an_item_that_is_already_sent():
    batch, [ann, _] = open_batch_with(items=2)
    first = claim_next(batch, by=ann, now=NOW)
    submit_judgment(first, by=ann, body=full_body(first), key="k", now=NOW)
    first.refresh_from_db()

    assert prepare_next(first, now=NOW) is None


def test_a_lapsed_seat_is_passed_on_and_the_draft_is_kept():
    batch, [ann, ben] = open_batch_with(items=1, seats=1)
    late = claim_next(batch, by=ann, now=NOW)
    save_draft(late, by=ann, body={"ratings": {}}, version=0, now=NOW)

    passed_on = claim_next(batch, by=ben, now=NOW + LEASE)

    late.refresh_from_db()
    assert passed_on.item == late.item
    assert late.state == AssignmentState.LAPSED
    assert late.draft.body == {"ratings": {}}


def test_a_person_may_be_offered_again_what_lapsed():
    batch, [ann, _] = open_batch_with(items=1, seats=1)
    late = claim_next(batch, by=ann, now=NOW)
    release_lapsed(now=NOW + LEASE)

    again = claim_next(batch, by=ann, now=NOW + LEASE)

    assert again.pk == late.pk
    assert again.state == AssignmentState.HELD


def test_a_saved_draft_renews_the_lease():
    batch, [ann, _] = open_batch_with()
    held = claim_next(batch, by=ann, now=NOW)
    later = NOW + timedelta(minutes=50)

    saved = save_draft(held, by=ann, body={}, version=0, now=later)

    held.refresh_from_db()
    assert saved.seat_held
    assert held.lease_until == later + LEASE
    assert release_lapsed(now=NOW + LEASE) == 0


def test_renew_lease_says_no_once_the_seat_is_gone():
    batch, [ann, _] = open_batch_with()
    held = claim_next(batch, by=ann, now=NOW)
    release_lapsed(now=NOW + LEASE)

    assert renew_lease(held, now=NOW + LEASE) is False


def test_opening_is_noted_once():
    batch, [ann, _] = open_batch_with()
    held = claim_next(batch, by=ann, now=NOW)

    open_assignment(held, now=NOW)
    open_assignment(Assignment.objects.get(pk=held.pk), now=NOW + LEASE / 2)

    held.refresh_from_db()
    assert held.opened_at == NOW


def test_a_skip_frees_the_seat_and_is_remembered():
    batch, [ann, ben] = open_batch_with(items=1, seats=1)
    held = claim_next(batch, by=ann, now=NOW)

    skip(held, by=ann, reason=SkipReason.LANGUAGE, note="Thai", now=NOW)

    with pytest.raises(NothingToAnnotate):
        claim_next(batch, by=ann, now=NOW)
    held.refresh_from_db()
    assert (held.state, held.skip_reason, held.skip_note) == ("skipped", "language", "Thai")
    assert claim_next(batch, by=ben, now=NOW).item == held.item


def test_three_skips_park_the_item_until_the_lead_offers_it_again():
    batch, people = open_batch_with(items=1, seats=1, people=4)
    for person in people[:3]:
        skip(claim_next(batch, by=person, now=NOW), by=person, reason=SkipReason.UNCLEAR, now=NOW)
    item = batch.items.get()

    with pytest.raises(NothingToAnnotate):
        claim_next(batch, by=people[3], now=NOW)
    assert item.parked_at == NOW

    unpark(item, by=people[0])
    assert claim_next(batch, by=people[3], now=NOW).item == item


def test_a_flag_says_why_and_can_be_taken_away():
    batch, [ann, ben] = open_batch_with()
    held = claim_next(batch, by=ann, now=NOW)

    flag(held, by=ann, note="The prompt is cut off.", now=NOW)
    assert held.flagged_at == NOW
    with pytest.raises(NotAllowed):
        flag(held, by=ben, note="mine", now=NOW)

    flag(held, by=ann, note="", now=NOW)
    assert held.flagged_at is None


def test_freeing_all_held_leaves_no_seat_taken_without_a_judgment():
    batch, [ann, ben] = open_batch_with(items=2, seats=2)
    done = claim_next(batch, by=ann, now=NOW)
    submit_judgment(done, by=ann, body=full_body(done), key="k", now=NOW)
    claim_next(batch, by=ann, now=NOW)
    claim_next(batch, by=ben, now=NOW)

    assert free_all_held(batch, now=NOW) == 2
    assert Seat.objects.filter(state=SeatState.TAKEN).count() == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_sixteen_people_at_once_fill_every_seat_once():
    batch, people = open_batch_with(items=30, seats=2, people=16)
    barrier = Barrier(len(people))
    trouble: list[BaseException] = []

    def work(person):
        try:
            barrier.wait()
            for number in range(200):
                try:
                    held = claim_next(batch, by=person, now=NOW)
                except NothingToAnnotate:
                    return
                submit_judgment(held, by=person, body=full_body(held), key=f"{number}", now=NOW)
        except BaseException as error:
            trouble.append(error)
        finally:
            connection.close()

    threads = [Thread(target=work, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert trouble == []
    assert Judgment.objects.filter(batch=batch).count() == 60
    assert Seat.objects.filter(state=SeatState.TAKEN).count() == 60
    numbers = Judgment.objects.filter(batch=batch).order_by("number")
    assert list(numbers.values_list("number", flat=True)) == list(range(1, 61))
    for item in batch.items.all():
        assert sorted(item.judgments.values_list("shown_first", flat=True)) == [1, 2]
