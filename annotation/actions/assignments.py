"""Handing out seats: claiming, leases, skipping, flagging.

Right on both databases without row locks of its own making: a seat is taken by one conditional
UPDATE, and constraints refuse what must not be. Locks are taken in one order, member first.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import BigIntegerField, Exists, Max, OuterRef, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Greatest, Mod
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from annotation.actions.storable import refuse_unstorable
from annotation.choices import (
    ANNOTATING,
    DECIDING,
    SEATED,
    AssignmentState,
    BatchState,
    ItemOrder,
    SeatState,
    SkipReason,
)
from annotation.errors import AnnotationError, NotAllowed
from annotation.labels import label
from annotation.models.assignments import Assignment, Seat
from annotation.models.batches import Batch, Item
from annotation.models.content import Dialogue
from annotation.models.marks import Mark
from annotation.models.projects import Member
from annotation.reports.checks import checks_for
from annotation.reports.participations import why_not
from annotation.sampling import draw, shuffled_place

PREPARED_LEASE = timedelta(minutes=20)
"""How long an item is held that was prepared and never opened: it must not keep others waiting."""

SKIPS_THAT_PARK = 3
CANDIDATES = 24
LOOKED_AHEAD = (48, 200, 800)
"""How many places of a person's order are looked at first; then all that is open, at a price."""
LATELY = 2000
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
    besides: Assignment | None = None,
) -> Assignment:
    """Return the item to judge next: the oldest one held and not set aside, else a new seat.

    `after` is the item just left, whose dialogue goes first where the order says so. `besides`
    is the item being judged, while the next one is prepared: with it two are held, never more.

    :raises NotAllowed: if the member is not in the batch, paused in it, or has not passed the
        qualification it asks; the message says which.
    :raises NothingToAnnotate: if no seat is open for them; the message says what they can do.
    """
    if reason := why_not(by, batch):
        raise NotAllowed(reason)
    release_lapsed(now=now, batch=batch)
    mine = Assignment.objects.held().annotating().filter(member=by, item__batch=batch)
    mine = mine.filter(aside_at=None).select_related("item__response_1", "item__response_2")
    mine = mine.order_by("claimed_at", "pk")
    if besides is not None:
        mine = mine.exclude(pk=besides.pk)
    if batch.state != BatchState.OPEN:
        mine = mine.exclude(opened_at=None)  # prepared before the pause: nothing new is shown
    if (held := mine.first()) is not None:
        held.item.batch, held.member = batch, by
        return held
    with transaction.atomic():
        Member.objects.select_for_update().get(pk=by.pk)
        if (held := mine.first()) is not None:
            return held
        if batch.state != BatchState.OPEN:
            raise NothingToAnnotate(_why_nothing(batch, by))
        lease = _lease(batch) if besides is None else min(_lease(batch), PREPARED_LEASE)
        for _try in range(2):  # an empty answer is checked once more
            for seat in _candidates(batch, by, after, now=now):
                taken = _take(seat, by=by, now=now, lease=lease)
                if taken is not None:
                    return taken
        raise NothingToAnnotate(_why_nothing(batch, by))


def peek_next(batch: Batch, *, by: Member, now: datetime) -> Item | None:
    """Return the item that would be taken next, without taking it; None where nothing is open."""
    if batch.state != BatchState.OPEN or why_not(by, batch):
        return None
    seat = next(iter(_candidates(batch, by, None, now=now)), None)
    if seat is None:
        return None
    sides = ("batch", "dialogue", "response_1", "response_2")
    return Item.objects.select_related(*sides).get(pk=seat.item_id)


def prepare_next(assignment: Assignment, *, now: datetime) -> Assignment | None:
    """Hold the item that will follow `assignment`, unopened; return None where there is none.

    Its lease is short, so that it goes to somebody else soon where it is not opened; preparing
    it again renews it.
    """
    if assignment.state != AssignmentState.HELD or assignment.purpose in DECIDING:
        return None
    try:
        following = claim_next(
            assignment.item.batch,
            by=assignment.member,
            now=now,
            after=assignment.item,
            besides=assignment,
        )
    except (NothingToAnnotate, NotAllowed):
        return None
    extend_lease(following, until=now + min(_lease(assignment.item.batch), PREPARED_LEASE))
    return following


def open_assignment(assignment: Assignment, *, now: datetime) -> None:
    """Note that the item was opened, and renew the lease of one that is held."""
    note_opened(assignment, now=now)
    renew_lease(assignment, now=now)


def note_opened(assignment: Assignment, *, now: datetime) -> None:
    """Note when the item was first in view, and that it is not set aside.

    A prepared one is not opened until it is shown.
    """
    if assignment.opened_at is None or assignment.aside_at is not None:
        Assignment.objects.filter(pk=assignment.pk).update(
            opened_at=Coalesce("opened_at", Value(now)), aside_at=None
        )
        assignment.opened_at = assignment.opened_at or now
        assignment.aside_at = None


def renew_lease(assignment: Assignment, *, now: datetime) -> bool:
    """Hold the seat for another lease; return False where it is not held any more.

    A lease that ran out and was not swept yet is renewed too: nobody else has the seat.
    """
    return extend_lease(assignment, until=now + _lease(assignment.item.batch))


def extend_lease(assignment: Assignment, *, until: datetime) -> bool:
    """Hold the seat until then, or for as long as it is held already if that is longer."""
    held = Assignment.objects.held().filter(pk=assignment.pk)
    if not held.update(lease_until=Greatest("lease_until", Value(until))):
        return False
    if assignment.lease_until is None or assignment.lease_until < until:
        assignment.lease_until = until
    return True


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
    """Give a lapsed assignment a seat of its kind again if one is open; return whether it has one.

    Call inside a transaction.
    """
    batch = assignment.item.batch
    deciding = assignment.purpose in DECIDING
    if batch.state == BatchState.CLOSED and not deciding:
        return False
    purposes = [assignment.purpose] if deciding else ANNOTATING
    free = assignment.item.seats.filter(state=SeatState.OPEN, purpose__in=purposes)
    for seat in free.order_by("number"):
        if _hold(seat):
            assignment.seat = seat
            assignment.purpose = seat.purpose
            assignment.state = AssignmentState.HELD
            assignment.lease_until = now + _lease(batch)
            assignment.save(update_fields=["seat", "purpose", "state", "lease_until"])
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

    Three people's skips park the item for the lead; `rather_not` is none of them.

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
            raise NotHeld(_("This item was not with you any more, so there was nothing to skip."))
        _free(seat_id, assignment.item.batch)
        skips = assignment.item.assignments.filter(state=AssignmentState.SKIPPED)
        # That somebody would rather not says nothing about the item, and nothing about them.
        if skips.exclude(skip_reason=SkipReason.RATHER_NOT).count() >= SKIPS_THAT_PARK:
            Item.objects.filter(pk=assignment.item_id, parked_at=None).update(parked_at=now)


def flag(assignment: Assignment, *, by: Member, note: str, now: datetime) -> None:
    """Mark the item for the lead, with a word about why; an empty note takes the flag away.

    :raises NotAllowed: if it is another person's assignment.
    :raises Invalid: if the note holds what cannot be stored.
    """
    if assignment.member_id != by.pk:
        raise NotAllowed(_("This is another person's item."))
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
    return let_lapse(Assignment.objects.held().filter(item__batch=batch))


def locked_assignment(pk: int, *also: str, **only: Member) -> Assignment:
    """Lock an assignment, then read it with item and batch, and with what `also` names.

    Read after the lock and not with it: on PostgreSQL, rows that are joined to one that was
    waited for are as old as the wait, and a batch may have closed in it. Two queries; call
    inside a transaction.

    :param only: what it must be, such as `member=by`.
    :raises Assignment.DoesNotExist: where there is none such.
    """
    Assignment.objects.select_for_update().get(pk=pk, **only)
    return Assignment.objects.select_related("item__batch", *also).get(pk=pk)


def let_lapse(held: "QuerySet[Assignment]", *, unopened: bool = False) -> int:
    """Free the seats of held assignments; assignment and draft stay. Return how many.

    `unopened` leaves alone what somebody has opened.
    """
    # What was submitted or opened meanwhile keeps its seat: each row is asked again by
    # conditions on itself, since a join would be judged by what was read before the wait.
    still = Assignment.objects.held()
    if unopened:
        held, still = held.filter(opened_at=None), still.filter(opened_at=None)
    freed = 0
    for pk, seat_id in list(held.values_list("pk", "seat_id")):
        with transaction.atomic():
            changed = still.filter(pk=pk).update(
                state=AssignmentState.LAPSED, seat=None, lease_until=None
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


def _is_offered(seat: Seat) -> bool:
    """Lock the dialogue of a seat just taken, as a report does; say whether it is still offered.

    Nobody waits here who holds another dialogue: a claim takes one seat, or gives it back.
    """
    item = Item.objects.filter(pk=seat.item_id).values("dialogue")
    dialogues = Dialogue.objects.select_for_update(no_key=True).filter(pk__in=item)
    return dialogues.values_list("held_back_at", flat=True).get() is None


def _take(seat: Seat, *, by: Member, now: datetime, lease: timedelta) -> Assignment | None:
    try:
        with transaction.atomic():
            if not _hold(seat):
                return None
            if not _is_offered(seat):
                transaction.set_rollback(True)
                return None
            held: dict[str, Any] = {
                "seat": seat,
                "state": AssignmentState.HELD,
                "purpose": seat.purpose,
                "shown_first": seat.shown_first,
                "lease_until": now + lease,
                "claimed_at": now,
                "aside_at": None,
            }
            again = Assignment.objects.filter(item=seat.item_id, member=by)
            if again.update(**held):  # one that lapsed
                return again.get()
            return Assignment.objects.create(item_id=seat.item_id, member=by, **held)
    except IntegrityError:
        return None


def _candidates(batch: Batch, by: Member, after: Item | None, *, now: datetime) -> Iterable[Seat]:
    """Open seats in the order this person should meet them: at most one an item.

    The dialogue just left first where the order says so, so that gold and repeats stand where
    another dialogue would; then gold and repeats whose place in the person's own work has come;
    then items that others began lately, then the batch from its beginning in the person's own
    order; gold and repeats that are left when nothing else is. Each a short query, run as needed;
    what it costs does not grow with the batch until nearly nothing is open.
    """
    open_seats = (
        Seat.objects.claimable()
        .not_refused_by(by)
        .bearable_to(by, at=now)
        .filter(item__batch=batch, item__repeat_of=None, item__is_gold=False)
    )
    lower = Seat.objects.filter(
        item=OuterRef("item"), state=SeatState.OPEN, number__lt=OuterRef("number")
    )
    first_of_item = open_seats.exclude(Exists(lower))
    if after is None:
        after = _last_item(batch, by)
    if after is not None and batch.order == ItemOrder.BY_DIALOGUE:
        yield from first_of_item.filter(item__dialogue=after.dialogue_id).order_by(
            "item__position", "pk"
        )[:CANDIDATES]
    checks = checks_for(batch, by, now=now)
    yield from checks.due
    last = batch.items.aggregate(last=Max("position"))["last"]
    if last is None:
        return
    own_order = _OwnOrder(batch, by, length=last + 1)
    # Asked with the items themselves: a query of a query would begin at all that is open.
    if begun := list(_begun_lately(batch, by)):
        seats = first_of_item.filter(item__in=begun)
        yield from seats.annotate(place=own_order.rough).order_by("place", "pk")[:CANDIDATES]
    done = 0
    for ahead in LOOKED_AHEAD:
        places = {own_order.position(at): at for at in range(done, min(ahead, last + 1))}
        seats = first_of_item.filter(item__position__in=list(places)).select_related("item")
        yield from sorted(seats, key=lambda seat: places[seat.item.position])
        done = ahead
    if last >= done:
        yield from first_of_item.annotate(place=own_order.rough).order_by("place", "pk")[
            :CANDIDATES
        ]
    yield from checks.later


def _begun_lately(batch: Batch, by: Member) -> QuerySet[Assignment, int]:
    """The items that others hold or have done, among the newest assignments of all.

    Older ones are met in the person's own order.
    """
    newest = Assignment.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return (
        Assignment.objects.filter(pk__gt=newest - LATELY, item__batch=batch, state__in=SEATED)
        .exclude(member=by)
        .values_list("item", flat=True)
        .distinct()
    )


def _last_item(batch: Batch, by: Member) -> Item | None:
    last = (
        Assignment.objects.annotating()
        .filter(member=by, item__batch=batch)
        .select_related("item")
        .order_by("-claimed_at", "-pk")
        .first()
    )
    return last.item if last else None


class _OwnOrder:
    """The order in which one person meets the items of a batch.

    Shuffled: a permutation of positions. By dialogue: the batch's order, entered at a place of
    the person's own, so that people do not all meet the same dialogues tired.
    """

    def __init__(self, batch: Batch, by: Member, *, length: int) -> None:
        self.seed, self.person, self.length = f"{batch.seed}", by.pseudonym, length
        self.shuffled = batch.order == ItemOrder.SHUFFLED
        self.start = draw(self.seed, "order", self.person) % length

    def position(self, at: int) -> int:
        """Return the position of the item that comes `at` that place, from 0."""
        if self.shuffled:
            return shuffled_place(self.seed, "order", self.person, at=at, length=self.length)
        return (self.start + at) % self.length

    @property
    def rough(self) -> Combinable:
        """An order of the person's own that the database computes: by dialogue it is this one."""
        position = Cast("item__position", BigIntegerField())
        if self.shuffled:
            factor = 1 + draw(self.seed, "order", self.person) % (ORDER_PRIME - 1)
            place = (position + 1) * factor
            return Mod(place, Value(ORDER_PRIME), output_field=BigIntegerField())
        ahead = position + (self.length - self.start)
        return Mod(ahead, Value(self.length), output_field=BigIntegerField())


def _why_nothing(batch: Batch, by: Member) -> str:
    if batch.state != BatchState.OPEN:
        return _("The batch is %(state)s: nothing is handed out. What you hold is kept.") % {
            "state": label(BatchState(batch.state))
        }
    if left_out := _left_out(batch, by):
        return left_out
    held: QuerySet[Assignment] = Assignment.objects.held().annotating().filter(item__batch=batch)
    soonest = held.exclude(member=by).order_by("lease_until").first()
    if soonest is not None and soonest.lease_until is not None:
        return _(
            "Everything left for you is with others now. "
            "The next seat comes free at %(time)s at the latest."
        ) % {"time": f"{localtime(soonest.lease_until):%H:%M}"}
    return _("You have done everything that is yours in this batch.")


def _left_out(batch: Batch, by: Member) -> str:
    """Say that what is open is marked, so that it is not offered to this person; "" if nothing is."""
    open_seats = (
        Seat.objects.claimable()
        .not_refused_by(by)
        .filter(item__batch=batch, item__repeat_of=None, item__is_gold=False)
    )
    if not open_seats.exists():
        return ""
    unwanted = Mark.objects.standing().filter(key__in=by.opt_outs.values("key"))
    if open_seats.filter(item__dialogue__in=unwanted.values("dialogue")).exists():
        return _(
            "Some items are left out because they carry marks that you chose not to see. "
            "You can change this on the desk, under “Marked content”."
        )
    return _(
        "Some items are left out because you have opened as many with their marks today as the "
        "daily limit allows. They are offered again tomorrow."
    )
