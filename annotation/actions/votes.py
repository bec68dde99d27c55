"""What follows when the votes on an item differ: another seat, or one for an adjudicator."""

from django.db import IntegrityError, transaction

from annotation import sampling
from annotation.choices import OnDifference, SeatCause, SeatPurpose, SeatState
from annotation.models.assignments import Seat
from annotation.models.batches import Item
from annotation.reports.votes import overlap_votes, votes_differ

PURPOSES = {
    OnDifference.THIRD_SEAT: SeatPurpose.EXTRA,
    OnDifference.ADJUDICATE: SeatPurpose.ADJUDICATION,
}
ATTEMPTS = 5


def follow_up(item: Item) -> None:
    """Open the seat that the batch wants where votes differ, once; close it where they agree again.

    Call after a judgment of the item was numbered, in the same transaction: the number is taken
    under the batch's row lock, so of two last votes at once the later sees the earlier, and both
    cannot open a seat. A seat that somebody holds or has filled stays.
    """
    settings = item.batch.parsed_settings()
    purpose = PURPOSES.get(settings.on_difference)
    if purpose is None or item.repeat_of_id is not None or item.is_gold:
        return
    votes = overlap_votes(item)
    wanted = votes is not None and votes_differ(votes, points=settings.difference_points)
    made = Seat.objects.filter(item=item, purpose=purpose, cause=SeatCause.DIFFERENCE)
    if not wanted:
        made.filter(state=SeatState.OPEN).update(state=SeatState.CLOSED)
    elif not made.filter(state=SeatState.CLOSED).update(state=SeatState.OPEN) and not made.exists():
        _make(item, purpose)


def _make(item: Item, purpose: SeatPurpose) -> None:
    """Make the seat after the item's last; a lead may be adding seats at this very moment."""
    for attempt in range(ATTEMPTS):
        number = 1 + (item.seats.order_by("-number").values_list("number", flat=True)[0])
        try:
            with transaction.atomic():
                Seat.objects.create(
                    item=item,
                    number=number,
                    purpose=purpose,
                    cause=SeatCause.DIFFERENCE,
                    shown_first=sampling.shown_first(item.coin, number),
                )
        except IntegrityError:
            if attempt == ATTEMPTS - 1:
                raise
        else:
            return
