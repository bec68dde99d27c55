"""Batches: making, opening, pausing, closing, reopening; seats and overlap.

Each action notes itself in the batch's history. Two leads at once take turns by a lock on the
project's row, which nobody else locks: rows of the work are locked in the order in which a
submission does it (assignment, seat, and the batch last), so that the two never wait in a circle.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from annotation import sampling
from annotation.actions.assignments import free_all_held, unpark
from annotation.actions.checks import place_checks
from annotation.actions.guidelines import publish_documents
from annotation.actions.history import locked_batch, note, take_turn
from annotation.choices import BatchState, OnDifference, SeatCause, SeatPurpose, SeatState
from annotation.errors import AnnotationError, Invalid, NotAllowed
from annotation.labels import label
from annotation.models.assignments import Seat
from annotation.models.batches import Batch, Item, Participation
from annotation.models.projects import Member
from annotation.permissions import can_lead
from annotation.reports.batches import (
    MOST_OVERLAP,
    BatchPlan,
    found_items,
    no_items,
    overlap_out_of_range,
    problems_of,
    settings_for,
    too_few_members,
)
from annotation.reports.items import draw_key, seats_needed

ROWS_AT_ONCE = 1000


class BatchRefused(Invalid):
    """The batch cannot be made or opened so; `problems` says each reason and what to do."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(self.problems))


class WrongState(AnnotationError):
    """The batch is in a state that does not allow this."""


@dataclass(frozen=True, slots=True)
class OverlapChange:
    """What changing the overlap did, in seats.

    :ivar still_taken: seats above the new overlap that somebody holds or has submitted; what is
        held there and lapses becomes open again, so lower once more when they are done.
    """

    added: int = 0
    closed: int = 0
    still_taken: int = 0


def create_batch(plan: BatchPlan, *, by: Member, now: datetime, opened: bool = False) -> Batch:
    """Make the batch with its items as a draft; seats come when it opens.

    With `opened` it opens at once; where it cannot, no draft is left behind.

    :raises NotAllowed: unless `by` is a lead of the rubric's project.
    :raises BatchRefused: with every problem there is; nothing is written.
    """
    if not can_lead(by) or by.project_id != plan.rubric.project_id:
        raise NotAllowed(_("Only a lead of the project makes batches."))
    with transaction.atomic():
        take_turn(plan.rubric.project_id)
        problems = problems_of(plan, opening=opened)
        if problems:
            raise BatchRefused(problems)
        found = found_items(plan)
        if not found.items:
            raise BatchRefused([no_items(found)])
        guideline = plan.guideline
        if plan.guideline_texts:
            slug = guideline.slug if guideline else plan.slug
            guideline = publish_documents(slug, documents=plan.guideline_texts, by=by, now=now)
        batch = Batch(
            project=plan.rubric.project,
            slug=plan.slug,
            title=plan.title.strip(),
            kind=plan.kind,
            purpose=plan.purpose,
            rubric=plan.rubric,
            guideline=guideline,
            settings=settings_for(plan.kind, plan.settings).as_json(),
            choice=plan.choice.as_json(),
            left_out={**found.left_out, "dialogues_without_item": found.without_item},
            order=plan.order,
            lease_minutes=plan.lease_minutes,
            seed=plan.drawn_seed,
            created_by=by,
            created_at=now,
        )
        note(batch, "created", f"{len(found.items)} items", by=by, now=now)
        batch.save()
        Participation.objects.bulk_create(
            Participation(batch=batch, member=member) for member in dict.fromkeys(plan.members)
        )
        Item.objects.bulk_create(
            (
                Item(
                    batch=batch,
                    dialogue_id=item.dialogue,
                    response_1_id=item.response_1,
                    response_2_id=item.response_2,
                    position=position,
                    coin=sampling.coin(str(batch.seed), item.key),
                    fork_depth=item.fork_depth,
                    counts=asdict(item.load),
                    review_draw=sampling.draw(f"{batch.seed}", "review", item.key)
                    % Item.REVIEW_DRAWS,
                )
                for position, item in enumerate(found.items)
            ),
            batch_size=ROWS_AT_ONCE,
        )
        return open_batch(batch, by=by, now=now) if opened else batch


def discard_batch(batch: Batch, *, by: Member) -> None:
    """Delete a batch that was never opened, with its items.

    :raises WrongState: if it was opened: then it is closed, not deleted.
    """
    with transaction.atomic():
        locked = locked_batch(batch, by)
        _must_be(locked, BatchState.DRAFT, what=pgettext("done to a batch", "discarded"))
        if locked.gold_answers.exists():
            raise WrongState(
                _("%(batch)s has known answers, which are evidence and stay: leave it a draft.")
                % {"batch": locked.slug}
            )
        locked.items.filter(repeat_of__isnull=False).delete()
        locked.delete()


def open_batch(batch: Batch, *, by: Member, now: datetime) -> Batch:
    """Let a draft's items be claimed, making their seats; or let a paused batch go on.

    :raises WrongState: if it is open or closed.
    :raises BatchRefused: if it has no items, or fewer members than an item has seats.
    """
    with transaction.atomic():
        locked = locked_batch(batch, by)
        _must_be(
            locked, BatchState.DRAFT, BatchState.PAUSED, what=pgettext("done to a batch", "opened")
        )
        if locked.state == BatchState.PAUSED:
            return _enter(locked, BatchState.OPEN, "resumed", by=by, now=now)
        repeats, gold = place_checks(locked, by=by, now=now)
        seats = _make_seats(locked)
        locked.opened_at = now
        detail = f"{seats} seats" + (f", {repeats} repeats, {gold} gold" if repeats or gold else "")
        return _enter(locked, BatchState.OPEN, "opened", detail, by=by, now=now)


def pause_batch(batch: Batch, *, by: Member, now: datetime) -> Batch:
    """Hand nothing out any more; what is held can still be submitted.

    :raises WrongState: unless it is open.
    """
    with transaction.atomic():
        locked = locked_batch(batch, by)
        _must_be(locked, BatchState.OPEN, what=pgettext("done to a batch", "paused"))
        return _enter(locked, BatchState.PAUSED, "paused", by=by, now=now)


def close_batch(batch: Batch, *, by: Member, now: datetime) -> Batch:
    """End the work: seats are freed, drafts stay readable to their owners, no new revisions.

    :raises WrongState: unless it is open or paused.
    """
    with transaction.atomic():
        locked = locked_batch(batch, by)
        _must_be(
            locked, BatchState.OPEN, BatchState.PAUSED, what=pgettext("done to a batch", "closed")
        )
        locked.items.exclude(reopened_at=None).update(reopened_at=None)
        locked.closed_at = now
        _enter(locked, BatchState.CLOSED, "closed", by=by, now=now)
    # Committed first, so that nobody claims what is being freed.
    free_all_held(locked, now=now)
    return locked


def reopen_batch(batch: Batch, *, by: Member, now: datetime) -> Batch:
    """Open a closed batch again: open seats can be claimed, work corrected.

    :raises WrongState: unless it is closed.
    :raises BatchRefused: if it has no seats, as one that an import made.
    """
    with transaction.atomic():
        locked = locked_batch(batch, by)
        _must_be(locked, BatchState.CLOSED, what=pgettext("done to a batch", "reopened"))
        if not Seat.objects.filter(item__batch=locked, purpose=SeatPurpose.OVERLAP).exists():
            raise BatchRefused([_("The batch holds imported judgments only: nobody works in it.")])
        locked.closed_at = None
        return _enter(locked, BatchState.OPEN, "reopened", by=by, now=now)


def reopen_items(items: Iterable[Item], *, by: Member, now: datetime) -> int:
    """Let the chosen items of a closed batch be corrected; return how many are newly so.

    :raises WrongState: if the batch is not closed, or the items are of several batches.
    """
    batch, pks = _one_batch(items)
    with transaction.atomic():
        locked = locked_batch(batch, by)
        _must_be(
            locked, BatchState.CLOSED, what=pgettext("done to a batch", "reopened item by item")
        )
        changed = locked.items.filter(pk__in=pks, reopened_at=None).update(reopened_at=now)
        note(locked, "items reopened", f"{changed} items", by=by, now=now)
        locked.save(update_fields=["history"])
    return changed


def offer_again(items: Iterable[Item], *, by: Member, now: datetime) -> int:
    """Offer parked items to those who did not skip them; return how many were parked.

    :raises WrongState: if the items are of several batches.
    """
    batch, pks = _one_batch(items)
    with transaction.atomic():
        locked = locked_batch(batch, by)
        parked = list(locked.items.parked().filter(pk__in=pks))
        for item in parked:
            unpark(item, by=by)
        note(locked, "items offered again", f"{len(parked)} items", by=by, now=now)
        locked.save(update_fields=["history"])
    return len(parked)


def add_members(batch: Batch, members: Iterable[Member], *, by: Member, now: datetime) -> int:
    """Let more members work in the batch; return how many are new.

    Where everyone judges every item, each new member brings a seat at each.

    :raises BatchRefused: if one is not an active member of the batch's project.
    :raises WrongState: if the batch is closed.
    """
    wanted = list(dict.fromkeys(members))
    with transaction.atomic():
        locked = locked_batch(batch, by)
        _must_be(locked, *_NOT_CLOSED, what=pgettext("done to a batch", "given members"))
        strangers = [
            one.pseudonym
            for one in wanted
            if one.project_id != locked.project_id or one.ended_at is not None
        ]
        if strangers:
            raise BatchRefused(
                [
                    _("Not active members of this project: %(names)s.")
                    % {"names": ", ".join(strangers)}
                ]
            )
        there = set(locked.participations.values_list("member", flat=True))
        new = [one for one in wanted if one.pk not in there]
        Participation.objects.bulk_create(Participation(batch=locked, member=one) for one in new)
        if locked.state != BatchState.DRAFT:
            # Everyone meets the gold, whatever the overlap.
            everyone = locked.parsed_settings().everyone
            items = locked.items.all() if everyone else locked.items.filter(is_gold=True)
            for _member in new:
                _add_seats(list(items), purpose=SeatPurpose.OVERLAP)
        names = ", ".join(one.pseudonym for one in new)
        note(locked, "members added", names, by=by, now=now)
        locked.save(update_fields=["history"])
    return len(new)


def add_seats(
    items: Iterable[Item],
    *,
    count: int = 1,
    purpose: SeatPurpose = SeatPurpose.EXTRA,
    by: Member,
    now: datetime,
) -> int:
    """Add `count` seats to each of the items; return how many seats that is.

    Extra seats are offered like others, and their judgments enter no agreement figure.

    :raises WrongState: unless the batch is open or paused.
    """
    batch, pks = _one_batch(items)
    if not 1 <= count <= MOST_OVERLAP:
        raise BatchRefused([_("Add between 1 and %(most)s seats.") % {"most": MOST_OVERLAP}])
    cause = SeatCause.PLANNED if purpose == SeatPurpose.OVERLAP else SeatCause.LEAD
    with transaction.atomic():
        locked = locked_batch(batch, by)
        _must_be(
            locked,
            BatchState.OPEN,
            BatchState.PAUSED,
            what=pgettext("done to a batch", "given seats"),
        )
        chosen = list(locked.items.filter(pk__in=pks))
        for _seat_more in range(count):
            _add_seats(chosen, purpose=purpose, cause=cause)
        detail = f"{count} {purpose} at each of {len(chosen)} items"
        note(locked, "seats added", detail, by=by, now=now)
        locked.save(update_fields=["history"])
    return count * len(chosen)


def set_overlap(batch: Batch, overlap: int, *, by: Member, now: datetime) -> OverlapChange:
    """Raise or lower how many independent judgments each item needs; mixed overlap ends.

    Raising opens seats that were closed and adds the rest; lowering closes open seats. Nobody
    loses what they hold or have done.

    :raises BatchRefused: if the batch has fewer members, or the number makes no sense.
    :raises WrongState: if the batch is closed.
    """
    with transaction.atomic():
        locked = locked_batch(batch, by)
        _must_be(locked, *_NOT_CLOSED, what=pgettext("done to a batch", "given another overlap"))
        if not 1 <= overlap <= MOST_OVERLAP:
            raise BatchRefused([overlap_out_of_range()])
        change = OverlapChange()
        if locked.state != BatchState.DRAFT:
            _enough_members(locked, overlap)
            change = _apply_overlap(locked, overlap)
        settings = replace(
            locked.parsed_settings(),
            overlap=overlap,
            overlap_high=0,
            overlap_high_share=0.0,
            everyone=False,
        )
        locked.settings = settings.as_json()
        detail = f"{overlap}: {change.added} seats added, {change.closed} closed"
        note(locked, "overlap set", detail, by=by, now=now)
        locked.save(update_fields=["settings", "history"])
    return change


_NOT_CLOSED = (BatchState.DRAFT, BatchState.OPEN, BatchState.PAUSED)


# --- Seats ---------------------------------------------------------------------------------


def _make_seats(batch: Batch) -> int:
    """Make the overlap seats of a draft's items; return how many."""
    items = list(
        batch.items.select_related("dialogue", "response_1__turn", "response_2__turn").order_by(
            "position"
        )
    )
    if not items:
        raise BatchRefused([_("The batch has no items: nothing could be judged.")])
    settings = batch.parsed_settings()
    members = batch.participations.count()
    keys = {item.pk: draw_key(item) for item in items}
    # A repeat has the key of its original, and so as many seats; gold has one for everyone.
    tasks = {keys[item.pk]: item.dialogue.task for item in items if not item.is_gold}
    wanted = seats_needed(tasks, settings, members=members, seed=batch.seed)
    spare = settings.on_difference == OnDifference.THIRD_SEAT
    _enough_members(batch, max(wanted.values(), default=1) + spare)
    seats = [
        _seat(item, number, SeatPurpose.OVERLAP)
        for item in items
        for number in range(1, (members if item.is_gold else wanted[keys[item.pk]]) + 1)
    ]
    Seat.objects.bulk_create(seats, batch_size=ROWS_AT_ONCE)
    return len(seats)


def _enough_members(batch: Batch, seats: int) -> None:
    members = batch.participations.filter(member__ended_at=None).count()
    if members < max(1, seats):
        raise BatchRefused([too_few_members(members, max(1, seats))])


def _seat(
    item: Item, number: int, purpose: SeatPurpose, cause: SeatCause = SeatCause.PLANNED
) -> Seat:
    return Seat(
        item=item,
        number=number,
        purpose=purpose,
        cause=cause,
        shown_first=sampling.shown_first(item.coin, number),
    )


def _add_seats(
    items: list[Item], *, purpose: SeatPurpose, cause: SeatCause = SeatCause.PLANNED
) -> None:
    """Add one seat to each item, numbered after its last."""
    last: defaultdict[int, int] = defaultdict(int)
    rows = Seat.objects.filter(item__in=items).values_list("item", "number")
    for item, number in rows:
        last[item] = max(last[item], number)
    Seat.objects.bulk_create(
        (_seat(item, last[item.pk] + 1, purpose, cause) for item in items),
        batch_size=ROWS_AT_ONCE,
    )


def _apply_overlap(batch: Batch, overlap: int) -> OverlapChange:
    """Make each item's overlap seats that are not closed `overlap` in number, where it can."""
    seats: defaultdict[int, list[Seat]] = defaultdict(list)
    for seat in Seat.objects.filter(item__batch=batch).order_by("item", "number"):
        seats[seat.item_id].append(seat)
    opened: list[int] = []
    closed: list[int] = []
    new: list[Seat] = []
    above = 0
    for item in batch.items.filter(is_gold=False).order_by("position"):
        mine = [seat for seat in seats[item.pk] if seat.purpose == SeatPurpose.OVERLAP]
        shut = [seat for seat in mine if seat.state == SeatState.CLOSED]
        free = [seat for seat in mine if seat.state == SeatState.OPEN]
        missing = overlap - (len(mine) - len(shut))
        if missing >= 0:
            opened += [seat.pk for seat in shut[:missing]]
            last = max((seat.number for seat in seats[item.pk]), default=0)
            new += [
                _seat(item, last + number, SeatPurpose.OVERLAP)
                for number in range(1, missing - len(shut[:missing]) + 1)
            ]
        else:
            excess = free[missing:]
            closed += [seat.pk for seat in excess]
            above += -missing - len(excess)
    Seat.objects.bulk_create(new, batch_size=ROWS_AT_ONCE)
    reopened = _change_seats(opened, SeatState.CLOSED, SeatState.OPEN)
    shut_now = _change_seats(closed, SeatState.OPEN, SeatState.CLOSED)
    return OverlapChange(
        added=len(new) + reopened, closed=shut_now, still_taken=above + len(closed) - shut_now
    )


def _change_seats(pks: list[int], before: SeatState, after: SeatState) -> int:
    """Change the seats that are still in the state they were read in; return how many were."""
    return sum(
        Seat.objects.filter(pk__in=pks[start : start + ROWS_AT_ONCE], state=before).update(
            state=after
        )
        for start in range(0, len(pks), ROWS_AT_ONCE)
    )


# --- States --------------------------------------------------------------------------------


def _must_be(batch: Batch, *states: BatchState, what: str) -> None:
    if batch.state not in states:
        raise WrongState(
            _("%(batch)s is %(state)s: it can be %(done)s only while %(needed)s.")
            % {
                "batch": batch.slug,
                "state": label(BatchState(batch.state)),
                "done": what,
                "needed": _(" or ").join(label(state) for state in states),
            }
        )


def _enter(
    batch: Batch, state: BatchState, what: str, detail: str = "", *, by: Member, now: datetime
) -> Batch:
    batch.state = state
    note(batch, what, detail, by=by, now=now)
    batch.save(update_fields=["state", "opened_at", "closed_at", "history"])
    return batch


def _one_batch(items: Iterable[Item]) -> tuple[Batch, list[int]]:
    chosen = list(items)
    batches = {item.batch_id for item in chosen}
    if len(batches) != 1:
        raise WrongState(_("Choose items of one batch."))
    return chosen[0].batch, [item.pk for item in chosen]
