"""What waits to be decided between judgments, and what a reviewer has begun."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from annotation.choices import ANNOTATING, DECIDING, AssignmentState, SeatPurpose, SeatState
from annotation.models.assignments import Assignment, Seat
from annotation.models.projects import Member
from annotation.reports.desk import titles_of
from annotation.reports.reviews import turns_of

MOST_SHOWN = 50
LATELY = 5


@dataclass(frozen=True, slots=True)
class Undecided:
    """One item that waits for a decision.

    :ivar judgments: how many stand side by side. :ivar held_by: who is deciding it now, or "".
    :ivar own: the reader has judged it, so somebody else decides.
    """

    item: str
    batch: str
    title: str
    turns: str
    judgments: int
    held_by: str
    mine: bool
    own: bool


@dataclass(frozen=True, slots=True)
class Begun:
    """A review or an adjudication that somebody has begun and not sent."""

    public_id: str
    item: str
    title: str
    batch: str
    purpose: str
    fixes: str
    lease_until: datetime | None


@dataclass(frozen=True, slots=True)
class Decided:
    """An item that somebody has decided."""

    item: str
    title: str
    batch: str
    at: datetime | None


def adjudication_rows(seats: "QuerySet[Seat]", member: Member) -> list[Undecided]:
    """Return the first open adjudications as lines. Three queries."""
    own = Assignment.objects.annotating().filter(
        item=OuterRef("item"), member=member, judgments__isnull=False
    )
    submitted = Q(
        item__assignments__state=AssignmentState.SUBMITTED,
        item__assignments__purpose__in=ANNOTATING,
    )
    rows = list(
        seats.select_related("item__batch", "item__response_1", "item__response_2").annotate(
            own=Exists(own), sides=Count("item__assignments", filter=submitted, distinct=True)
        )[:MOST_SHOWN]
    )
    titles = titles_of({row.item.dialogue_id for row in rows})
    held = {
        one.seat_id: one.member
        for one in Assignment.objects.held().filter(seat__in=rows).select_related("member")
    }
    return [
        Undecided(
            item=row.item.public_id,
            batch=row.item.batch.title,
            title=titles.get(row.item.dialogue_id, ""),
            turns=turns_of(row.item),
            judgments=row.sides,
            held_by=held[row.pk].pseudonym
            if row.state == SeatState.TAKEN and row.pk in held
            else "",
            mine=row.pk in held and held[row.pk].pk == member.pk,
            own=row.own,
        )
        for row in rows
    ]


def adjudicated_among(items: Collection[str]) -> dict[str, bool]:
    """Return which of the items, by public id, wait to be decided (False) or are decided (True).

    One query.
    """
    sent = Assignment.objects.submitted().filter(seat=OuterRef("pk"))
    seats = Seat.objects.filter(item__public_id__in=items, purpose=SeatPurpose.ADJUDICATION)
    rows = seats.exclude(state=SeatState.CLOSED).annotate(sent=Exists(sent))
    return dict(rows.values_list("item__public_id", "sent"))


def begun_by(member: Member) -> list[Begun]:
    """Return what the member has begun and not sent, the oldest first. Two queries."""
    rows = list(
        Assignment.objects.filter(
            member=member,
            purpose__in=DECIDING,
            state__in=[AssignmentState.HELD, AssignmentState.LAPSED],
        )
        .select_related("item__batch", "about__member")
        .order_by("claimed_at", "pk")[:MOST_SHOWN]
    )
    titles = titles_of({row.item.dialogue_id for row in rows})
    return [
        Begun(
            public_id=row.public_id,
            item=row.item.public_id,
            title=titles.get(row.item.dialogue_id, ""),
            batch=row.item.batch.title,
            purpose=SeatPurpose(row.purpose).value,
            fixes=row.about.member.pseudonym if row.about else "",
            lease_until=row.lease_until,
        )
        for row in rows
    ]


def decided_by(member: Member) -> list[Decided]:
    """Return what the member decided last, the newest first. Two queries."""
    rows = list(
        Assignment.objects.submitted()
        .filter(member=member, purpose=SeatPurpose.ADJUDICATION)
        .select_related("item__batch")
        .order_by("-submitted_at", "-pk")[:LATELY]
    )
    titles = titles_of({row.item.dialogue_id for row in rows})
    return [
        Decided(
            item=row.item.public_id,
            title=titles.get(row.item.dialogue_id, ""),
            batch=row.item.batch.title,
            at=row.submitted_at,
        )
        for row in rows
    ]
