"""How often a person has had an item held for a break today."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from annotation.models.assignments import Hold, day_of
from annotation.models.batches import Batch
from annotation.models.projects import Member


@dataclass(frozen=True, slots=True)
class Holds:
    """A person's holds in one batch today. :ivar minutes: how long one lasts."""

    used: int
    most: int
    minutes: int

    @property
    def are_left(self) -> bool:
        return self.used < self.most


def holds_of(member: Member, batch: Batch, *, at: datetime) -> Holds:
    """Return the member's holds in the batch on the local day of `at`. One query."""
    return holds_by_batch(member, [batch], at=at)[batch.pk]


def holds_by_batch(member: Member, batches: Iterable[Batch], *, at: datetime) -> dict[int, Holds]:
    """Return `holds_of` for each batch by its primary key. One query."""
    asked = list(batches)
    made = Hold.objects.filter(
        assignment__member=member, assignment__item__batch__in=asked, made_at__gte=day_of(at)
    )
    used = dict(made.order_by().values_list("assignment__item__batch").annotate(holds=Count("pk")))
    return {
        one.pk: Holds(
            used=used.get(one.pk, 0),
            most=one.parsed_settings().holds_per_day,
            minutes=one.parsed_settings().hold_minutes,
        )
        for one in asked
    }
