"""Handing out seats: claiming, leases, skipping, flagging.

Right on both databases without row locks of its own making: a seat is taken by one conditional
UPDATE, and constraints refuse what must not be. Locks are taken in one order, member first.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import BigIntegerField, Exists, OuterRef, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Mod

from annotation.actions.storable import refuse_unstorable
from annotation.choices import (
    AssignmentState,
    BatchState,
    ItemOrder,
    SeatState,
    SkipReason,
)
from annotation.errors import AnnotationError, NotAllowed
from annotation.models.assignments import Assignment, Seat
from annotation.models.batches import Batch, Item
from annotation.models.projects import Member
from annotation.permissions import can_judge
from annotation.sampling import draw

MOST_HELD = 2
"""The open item and the prepared next."""

SKIPS_THAT_PARK = 3
CANDIDATES = 24
ORDER_PRIME = 2_147_483_647
"""A Mersenne prime above any item's position: `position * a mod p` is a permutation."""


class NothingToAnnotate(AnnotationError):
    """No seat is open for this person now."""

    status = 404


class LeaseLost(AnnotationError):
    """The seat is somebody else's now."""


class NotHeld(AnnotationError):
    """The person does not hold this item."""


def claim_next(
    batch: Batch,
    *,
    by: Member,
    now: datetime,
    after: Item | None = None,
    another: bool = False,
) -> Assignment:
    """Return the item to judge next: the oldest one held in the batch, else a newly taken seat.

    `after` is the item just left, whose dialogue goes first where the order says so. `another`
    takes a seat even where one is held, to prepare the next item while one is judged.

    :raises NotAllowed: if the member is not in the batch, or paused in it.
    :raises NothingToAnnotate: if no seat is open for them; the message says what they can do.
    """
    if not can_judge(by, batch):
        raise NotAllowed("You are not in this batch, or you are paused in it. Ask the lead.")
    release_lapsed(now=now, batch=batch)
    with transaction.atomic():
        Member.objects.select_for_update().get(pk=by.pk)
        mine = list(
            Assignment.objects.held()
            .filter(member=by, item__batch=batch)
            .select_related("item")
            .order_by("claimed_at", "pk")
        )
        if mine and not (another and len(mine) < MOST_HELD):
            return mine[-1] if another else mine[0]
        if batch.state != BatchState.OPEN:
            raise NothingToAnnotate(_why_nothing(batch, by))
        for _ in range(2):  # an empty answer is checked once more
            for seat in _candidates(batch, by, after):
                taken = _take(seat, by=by, now=now, lease=_lease(batch))
                if taken is not None:
                    return taken
        raise NothingToAnnotate(_why_nothing(batch, by))


def prepare_next(assignment: Assignment, *, now: datetime) -> Assignment | None:
    """Take the seat after `assignment` ahead of time; return None where none is open."""
    try:
        return claim_next(
            assignment.item.batch,
            by=assignment.member,
            now=now,
            after=assignment.item,
            another=True,
        )
    except (NothingToAnnotate, NotAllowed):
        return None


def open_assignment(assignment: Assignment, *, now: datetime) -> None:
    """Note that the item was opened, and renew the lease of one that is held."""
    if assignment.opened_at is None:
        Assignment.objects.filter(pk=assignment.pk, opened_at=None).update(opened_at=now)
        assignment.opened_at = now
    renew_lease(assignment, now=now)


def renew_lease(assignment: Assignment, *, now: datetime) -> bool:
    """Hold the seat for another lease; return False where it is not held any more.

    A lease that ran out and was not swept yet is renewed too: nobody else has the seat.
    """
    until = now + _lease(assignment.item.batch)
    renewed = Assignment.objects.held().filter(pk=assignment.pk).update(lease_until=until)
    if renewed:
        assignment.lease_until = until
    return bool(renewed)


def release_lapsed(*, now: datetime, batch: Batch | None = None) -> int:
    """Free the seats whose lease ran out; keep assignment and draft. Return how many.

    One conditional UPDATE per assignment, so two sweeps and a late save cannot collide.
    """
    lapsing = Assignment.objects.lapsing(at=now)
    if batch is not None:
        lapsing = lapsing.filter(item__batch=batch)
    released = 0
    for assignment in lapsing.select_related("item__batch").order_by("pk"):
        with transaction.atomic():
            changed = (
                Assignment.objects.lapsing(at=now)
                .filter(pk=assignment.pk)
                .update(state=AssignmentState.LAPSED, seat=None, lease_until=None)
            )
            if changed:
                _free(assignment.seat_id, assignment.item.batch)
                released += 1
    return released


def take_back(assignment: Assignment, *, now: datetime) -> bool:
    """Give a lapsed assignment a seat again if one is open; return whether it has one.

    Call inside a transaction.
    """
    batch = assignment.item.batch
    if batch.state == BatchState.CLOSED:
        return False
    for seat in assignment.item.seats.filter(state=SeatState.OPEN).order_by("number"):
        if _hold(seat):
            assignment.seat = seat
            assignment.state = AssignmentState.HELD
            assignment.lease_until = now + _lease(batch)
            assignment.save(update_fields=["seat", "state", "lease_until"])
            return True
    return False


def skip(
    assignment: Assignment,
    *,
    by: Member,
    reason: SkipReason,
    note: str = "",
    now: datetime,
) -> None:
    """Give the seat back for good: never offered to this person again, remembered with reason.

    Three people's skips park the item for the lead.

    :raises NotHeld: if the item is not held by them any more.
    :raises Invalid: if the note holds what cannot be stored.
    """
    refuse_unstorable(note, place="note")
    with transaction.atomic():
        seat_id = assignment.seat_id
        changed = (
            Assignment.objects.filter(pk=assignment.pk, member=by)
            .filter(state__in=[AssignmentState.HELD, AssignmentState.LAPSED])
            .update(
                state=AssignmentState.SKIPPED,
                seat=None,
                lease_until=None,
                skip_reason=reason,
                skip_note=note.strip(),
            )
        )
        if not changed:
            raise NotHeld("This item was not with you any more, so there was nothing to skip.")
        _free(seat_id, assignment.item.batch)
        skips = assignment.item.assignments.filter(state=AssignmentState.SKIPPED).count()
        if skips >= SKIPS_THAT_PARK:
            Item.objects.filter(pk=assignment.item_id, parked_at=None).update(parked_at=now)


def flag(assignment: Assignment, *, by: Member, note: str, now: datetime) -> None:
    """Mark the item for the lead, with a word about why; an empty note takes the flag away.

    :raises NotAllowed: if it is another person's assignment.
    :raises Invalid: if the note holds what cannot be stored.
    """
    if assignment.member_id != by.pk:
        raise NotAllowed("This is another person's item.")
    refuse_unstorable(note, place="note")
    note = note.strip()
    assignment.flagged_at = now if note else None
    assignment.flag_note = note
    assignment.save(update_fields=["flagged_at", "flag_note"])


def unpark(item: Item, *, by: Member) -> None:
    """Offer a parked item again to those who did not skip it."""
    Item.objects.filter(pk=item.pk).update(parked_at=None)


def free_all_held(batch: Batch, *, now: datetime) -> int:
    """Let every held assignment of the batch lapse, as when it closes. Return how many."""
    held = list(Assignment.objects.held().filter(item__batch=batch).values_list("pk", "seat_id"))
    freed = 0
    for pk, seat_id in held:
        with transaction.atomic():
            # What was submitted meanwhile keeps its seat.
            changed = (
                Assignment.objects.held()
                .filter(pk=pk)
                .update(state=AssignmentState.LAPSED, seat=None, lease_until=None)
            )
            if changed:
                Seat.objects.filter(pk=seat_id).update(state=SeatState.OPEN)
                freed += 1
    return freed


def _lease(batch: Batch) -> timedelta:
    return timedelta(minutes=batch.lease_minutes)


def _free(seat_id: int | None, batch: Batch) -> None:
    """Open the seat again; where the overlap was lowered meanwhile, that action closes it."""
    if seat_id is not None:
        Seat.objects.filter(pk=seat_id, state=SeatState.TAKEN).update(state=SeatState.OPEN)


def _hold(seat: Seat) -> bool:
    """Take an open seat; False where somebody else was quicker."""
    return bool(Seat.objects.filter(pk=seat.pk, state=SeatState.OPEN).update(state=SeatState.TAKEN))


def _take(seat: Seat, *, by: Member, now: datetime, lease: timedelta) -> Assignment | None:
    try:
        with transaction.atomic():
            if not _hold(seat):
                return None
            assignment, _ = Assignment.objects.update_or_create(
                item_id=seat.item_id,
                member=by,
                defaults={
                    "seat": seat,
                    "state": AssignmentState.HELD,
                    "shown_first": seat.shown_first,
                    "lease_until": now + lease,
                    "claimed_at": now,
                },
            )
            return assignment
    except IntegrityError:
        return None


def _candidates(batch: Batch, by: Member, after: Item | None) -> Iterable[Seat]:
    """Open seats in the order this person should meet them: at most one an item.

    The dialogue just left first where the order says so, then items begun by others, then
    untouched ones; within each the person's own order. Three short queries, run as needed.
    """
    open_seats = (
        Seat.objects.claimable()
        .not_refused_by(by)
        .filter(item__batch=batch)
        .annotate(place=_place(batch, by))
    )
    lower = Seat.objects.filter(
        item=OuterRef("item"), state=SeatState.OPEN, number__lt=OuterRef("number")
    )
    first_of_item = open_seats.exclude(Exists(lower)).order_by("place", "pk")
    begun = Seat.objects.filter(item=OuterRef("item"), state=SeatState.TAKEN)
    if after is None:
        after = _last_item(batch, by)
    if after is not None and batch.order == ItemOrder.BY_DIALOGUE:
        yield from first_of_item.filter(item__dialogue=after.dialogue_id).order_by(
            "item__position", "pk"
        )[:CANDIDATES]
    yield from first_of_item.filter(Exists(begun))[:CANDIDATES]
    yield from first_of_item.exclude(Exists(begun))[:CANDIDATES]


def _last_item(batch: Batch, by: Member) -> Item | None:
    last = (
        Assignment.objects.filter(member=by, item__batch=batch)
        .select_related("item")
        .order_by("-claimed_at", "-pk")
        .first()
    )
    return last.item if last else None


def _place(batch: Batch, by: Member) -> Combinable:
    """The item's place in this person's own order, computed where the rows are.

    Shuffled: a permutation of positions. By dialogue: the batch's order, entered at a place of
    the person's own, so that people do not all meet the same dialogues tired.
    """
    seed = f"{batch.seed}"
    position = Cast("item__position", BigIntegerField())
    if batch.order == ItemOrder.SHUFFLED:
        factor = 1 + draw(seed, "order", by.pseudonym) % (ORDER_PRIME - 1)
        return Mod((position + 1) * factor, Value(ORDER_PRIME), output_field=BigIntegerField())
    length = max(1, batch.items.count())
    start = draw(seed, "order", by.pseudonym) % length
    return Mod(position + (length - start), Value(length), output_field=BigIntegerField())


def _why_nothing(batch: Batch, by: Member) -> str:
    if batch.state != BatchState.OPEN:
        return f"The batch is {batch.state}: nothing is handed out. What you hold is kept."
    held: QuerySet[Assignment] = Assignment.objects.held().filter(item__batch=batch)
    soonest = held.exclude(member=by).order_by("lease_until").first()
    if soonest is not None and soonest.lease_until is not None:
        return (
            "Everything left for you is with others now. "
            f"The next seat comes free at {soonest.lease_until:%H:%M} UTC at the latest."
        )
    return "You have done everything that is yours in this batch."
