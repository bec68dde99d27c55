"""Gold and repeats as one person meets them: when each is offered, and how many items are open.

Neither can be told by order, timing or totals: each has a place in the person's own work, drawn
from the batch's seed, and a person's number of open items falls by one with each they take,
whether it will be asked again or not.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, Max, OuterRef, Q

from annotation import sampling
from annotation.choices import AssignmentState, SeatPurpose
from annotation.models.assignments import Assignment, AssignmentQuerySet, Seat, SeatQuerySet
from annotation.models.batches import Batch, Item
from annotation.models.expressions import RowCount
from annotation.models.projects import Member

MOST_COUNTED = 1000
"""How many open items of a batch are counted: more are more than anybody does in a week."""

GIVEN_UP = (AssignmentState.LAPSED, AssignmentState.SKIPPED)


@dataclass(frozen=True, slots=True)
class Checks:
    """Open seats of gold and repeats that this person may take now, at most one an item.

    A repeat's seat says the side that the person was not shown first: it is not saved so.

    :ivar due: whose place in the person's work has come.
    :ivar later: the others, for when nothing else is left.
    """

    due: tuple[Seat, ...] = ()
    later: tuple[Seat, ...] = ()


@dataclass(frozen=True, slots=True)
class _Repeat:
    """An open seat of a repeat: how many own items were begun, and done, since its original."""

    seat: Seat
    key: str
    submitted: bool
    begun: int
    done: int


def checks_for(batch: Batch, member: Member, *, now: datetime) -> Checks:
    """Return the gold and repeats the person may take. Two queries where there are none."""
    settings = batch.parsed_settings()
    seed, who = f"{batch.seed}", member.pseudonym
    free = _claimable([batch], member).bearable_to(member, at=now)
    placed: list[tuple[int, Seat, bool]] = []
    own = _own([batch], member).exclude(state__in=GIVEN_UP)
    for at, seat in _gold(batch, member, free):
        placed.append((at, seat, own.count() >= at))
    for one in _repeats([batch], member, free)[batch.pk]:
        if one.submitted and one.done >= settings.repeat_gap:
            after = sampling.repeat_due(seed, one.key, member=who, gap=settings.repeat_gap)
            placed.append((after - one.done, one.seat, one.done >= after))
    placed.sort(key=lambda row: (row[0], row[1].pk))
    return Checks(
        due=tuple(seat for _at, seat, due in placed if due),
        later=tuple(seat for _at, seat, due in placed if not due),
    )


def open_items(batch: Batch, member: Member, *, at: datetime) -> int:
    """Return how many items of the batch the person can still be given; see `open_items_of`."""
    return open_items_of([batch], member, at=at)[batch.pk]


def open_items_of(batches: Sequence[Batch], member: Member, *, at: datetime) -> dict[int, int]:
    """Return by batch how many items the person can still be given, as things stand at `at`.

    A repeat counts from the beginning for whoever may still judge its original, as long as
    enough is left to come between; so taking an item lowers the number by one, whatever it is.
    Repeats for which too little is left go from the number together, before their originals
    are met. No more than `MOST_COUNTED`: where it says so, there may be more. Three to six
    queries, however many batches, and however large they are.
    """
    mine = _claimable(batches, member).bearable_to(member, at=at)
    firsts = _items_by_batch(
        batches, _not_judged_elsewhere(mine.filter(item__repeat_of=None), member)
    )
    repeats = _repeats(batches, member, mine)
    counts: dict[int, int] = {}
    for batch in batches:
        gap, count = batch.parsed_settings().repeat_gap, firsts.get(batch.pk, 0)
        for begun in sorted((one.begun for one in repeats[batch.pk]), reverse=True):
            if begun + count >= gap:
                count += 1
        counts[batch.pk] = count
    repeated = set(
        Item.objects.filter(batch__in=batches, repeat_of__isnull=False)
        .values_list("batch", flat=True)
        .distinct()
    )
    enough = [
        one
        for one in batches
        if one.pk in repeated and counts[one.pk] - 1 >= one.parsed_settings().repeat_gap
    ]
    if enough:
        originals = mine.filter(item__repeat_of=None, purpose=SeatPurpose.OVERLAP).values("item")
        to_come = mine.filter(item__repeat_of__in=originals, item__batch__in=enough)
        for batch_id, count in _items_by_batch(enough, to_come).items():
            counts[batch_id] += count
    return {pk: min(count, MOST_COUNTED) for pk, count in counts.items()}


def _items_by_batch(batches: Sequence[Batch], seats: SeatQuerySet) -> dict[int, int]:
    """Count the items of the seats by batch, none further than `MOST_COUNTED`. One query."""
    items = Item.objects.filter(batch=OuterRef("pk"), pk__in=seats.order_by().values("item"))
    counted = RowCount(items.order_by().values("pk")[:MOST_COUNTED])
    rows = Batch.objects.filter(pk__in=[one.pk for one in batches]).annotate(counted=counted)
    return dict(rows.values_list("pk", "counted"))


def _claimable(batches: Iterable[Batch], member: Member) -> SeatQuerySet:
    return Seat.objects.claimable().not_refused_by(member).filter(item__batch__in=list(batches))


def _own(batches: Iterable[Batch], member: Member) -> AssignmentQuerySet:
    return Assignment.objects.annotating().filter(member=member, item__batch__in=list(batches))


def _not_judged_elsewhere(seats: SeatQuerySet, member: Member) -> SeatQuerySet:
    """Leave out gold that the person judged where it comes from: they would know it again."""
    same = Q(item__response_2=OuterRef("item__response_2")) | Q(
        item__response_2=None, item__response_1=OuterRef("item__response_1")
    )
    before = Assignment.objects.worked_on().filter(
        same, member=member, item__response_1=OuterRef("item__response_1")
    )
    return seats.exclude(Q(item__is_gold=True) & Exists(before))


def _gold(batch: Batch, member: Member, seats: SeatQuerySet) -> list[tuple[int, Seat]]:
    """Return the open gold as (own items before it, seat). One query where there is none."""
    golds = [
        (pk, f"{one} {two}")
        for pk, one, two in batch.items.filter(is_gold=True).values_list(
            "pk", "response_1__content_key", "response_2__content_key"
        )
    ]
    if not golds:
        return []
    settings = batch.parsed_settings()
    people = max(1, batch.participations.count())
    high = settings.overlap_high_share * max(0, settings.overlap_high - settings.overlap)
    each = people if settings.everyone else settings.overlap + high
    last = batch.items.aggregate(last=Max("position"))["last"] or 0
    plan = sampling.gold_due(
        f"{batch.seed}",
        golds,
        member=member.pseudonym,
        workload=max(len(golds), round((last + 1 - len(golds)) * each / people)),
        key=lambda gold: gold[1],
    )
    free: dict[int, Seat] = {}
    mine = _not_judged_elsewhere(seats.filter(item__is_gold=True), member)
    for seat in mine.order_by("-number"):
        free[seat.item_id] = seat
    return [(at, free[pk]) for (pk, _key), at in plan if pk in free]


def _repeats(
    batches: Sequence[Batch], member: Member, free: SeatQuerySet
) -> dict[int, list[_Repeat]]:
    """Return by batch the open repeats of what the person has in hand or done.

    One query where there is none, else three.
    """
    found: dict[int, list[_Repeat]] = {batch.pk: [] for batch in batches}
    mine = _own(batches, member)
    originals = {
        one.item_id: one
        for one in mine.filter(
            state__in=[AssignmentState.HELD, AssignmentState.SUBMITTED],
            seat__purpose=SeatPurpose.OVERLAP,
            item__repeats__isnull=False,
        )
    }
    if not originals:
        return found
    seats = {
        seat.item_id: seat
        for seat in free.filter(item__repeat_of__in=originals)
        .select_related("item__response_1", "item__response_2")
        .order_by("-number")
    }
    times: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
    begun = mine.exclude(state__in=GIVEN_UP)
    for batch_id, at, state in begun.values_list("item__batch", "claimed_at", "state"):
        times[batch_id].append((at, state))
    for seat in seats.values():
        item = seat.item
        first = originals[item.repeat_of_id or 0]
        seat.shown_first = sampling.swapped(first.shown_first)
        since = [state for at, state in times[item.batch_id] if at > first.claimed_at]
        found[item.batch_id].append(
            _Repeat(
                seat=seat,
                key=_key(item),
                submitted=first.state == AssignmentState.SUBMITTED,
                begun=len(since),
                done=len([state for state in since if state != AssignmentState.HELD]),
            )
        )
    return found


def _key(item: Item) -> str:
    two = item.response_2.content_key if item.response_2 else None
    return f"{item.response_1.content_key} {two}"
