"""Whether the votes on an item differ, and how many items wait because theirs do."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Count, Q

from annotation.choices import (
    AssignmentState,
    Cause,
    OnDifference,
    PreferenceScope,
    SeatCause,
    SeatPurpose,
    SeatState,
)
from annotation.models.assignments import Seat
from annotation.models.batches import Batch, Item
from annotation.models.judgments import Judgment
from annotation.reports.gold import outside_order


@dataclass(frozen=True, slots=True)
class Waits:
    """Items whose votes differ, by what became of the seat that followed.

    :ivar rule: what the batch does with them. :ivar open: nobody has the seat yet.
    :ivar held: somebody has it. :ivar settled: it is filled.
    """

    rule: OnDifference
    open: int = 0
    held: int = 0
    settled: int = 0

    @property
    def waiting(self) -> int:
        return self.open + self.held

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), "rule": str(self.rule)}


def overlap_votes(item: Item) -> list[Judgment] | None:
    """Return the live judgments of the overlap seats, or None while one is still to come.

    Four queries.
    """
    seats = item.seats.filter(purpose=SeatPurpose.OVERLAP).exclude(state=SeatState.CLOSED)
    wanted = seats.count()
    rows = (
        Judgment.objects.filter(
            assignment__seat__in=seats, assignment__state=AssignmentState.SUBMITTED
        )
        .exclude(cause=Cause.WITHDRAWAL)
        .order_by("revision")
        .prefetch_related("ratings", "preferences")
    )
    newest = {judgment.assignment_id: judgment for judgment in rows}
    return list(newest.values()) if wanted > 1 and len(newest) == wanted else None


def votes_differ(votes: Sequence[Judgment], *, points: int) -> bool:
    """Say whether overall outcomes differ, or two scores of one unit by `points` or more.

    By response and never by screen side; strength plays no part. Not applicable and points
    outside the order are no scores. With `points` 0 scores are not compared.
    """
    overall = {
        (one.outcome, one.preferred_id)
        for vote in votes
        for one in vote.preferences.all()
        if one.scope == PreferenceScope.OVERALL
    }
    if len(overall) > 1:
        return True
    if not points or not votes:
        return False
    outside = outside_order(votes[0].batch)
    scores: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for vote in votes:
        for one in vote.ratings.all():
            if one.score is not None and (one.dimension_id, one.score) not in outside:
                scores[one.response_id, one.dimension_id].append(one.score)
    return any(max(some) - min(some) >= points for some in scores.values())


def waits_of(batch: Batch) -> Waits:
    """Return how many of the batch's items wait because their votes differ. One query."""
    filled = Q(assignments__state=AssignmentState.SUBMITTED)
    counted = Seat.objects.filter(item__batch=batch, cause=SeatCause.DIFFERENCE).aggregate(
        free=Count("pk", filter=Q(state=SeatState.OPEN), distinct=True),
        taken=Count("pk", filter=Q(state=SeatState.TAKEN), distinct=True),
        filled=Count("pk", filter=Q(state=SeatState.TAKEN) & filled, distinct=True),
    )
    return Waits(
        rule=batch.parsed_settings().on_difference,
        open=counted["free"],
        held=counted["taken"] - counted["filled"],
        settled=counted["filled"],
    )
