"""Seats are places with a purpose; an assignment is one person's dealing with one item."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from annotation.choices import (
    SEATED,
    AssignmentState,
    BatchState,
    SeatPurpose,
    SeatState,
    SkipReason,
)
from annotation.models.batches import Item
from annotation.models.projects import Member, new_public_id


class SeatQuerySet(models.QuerySet["Seat"]):
    def claimable(self) -> Self:
        """Open overlap and extra seats of offered items of open batches."""
        return self.filter(
            state=SeatState.OPEN,
            purpose__in=[SeatPurpose.OVERLAP, SeatPurpose.EXTRA],
            item__parked_at=None,
            item__batch__state=BatchState.OPEN,
        )

    def not_refused_by(self, member: Member) -> Self:
        """Leave out items this member has dealt with, but for those they let lapse."""
        dealt = (
            Assignment.objects.filter(member=member)
            .exclude(state=AssignmentState.LAPSED)
            .values("item_id")
        )
        return self.exclude(item__in=dealt)


class Seat(models.Model):
    """A place at an item. There is no seat to exceed the overlap with."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="seats")
    number = models.PositiveSmallIntegerField()
    purpose = models.CharField(
        max_length=16, choices=SeatPurpose.choices(), default=SeatPurpose.OVERLAP
    )
    state = models.CharField(max_length=8, choices=SeatState.choices(), default=SeatState.OPEN)
    shown_first = models.PositiveSmallIntegerField(default=1)

    objects = SeatQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "number"], name="annotation_seat_number_at_item"
            ),
            models.CheckConstraint(
                condition=Q(shown_first__in=[1, 2]), name="annotation_seat_shown_first"
            ),
            models.CheckConstraint(
                condition=Q(state__in=list(SeatState)), name="annotation_seat_known_state"
            ),
        ]
        indexes = [
            models.Index(
                fields=["item"], condition=Q(state=SeatState.OPEN), name="annotation_seat_open"
            ),
        ]

    def __str__(self) -> str:
        return f"seat {self.number} of {self.item_id}"


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def held(self) -> Self:
        return self.filter(state=AssignmentState.HELD)

    def lapsing(self, *, at: datetime) -> Self:
        """Held past their lease."""
        return self.held().filter(lease_until__lte=at)

    def submitted(self) -> Self:
        return self.filter(state=AssignmentState.SUBMITTED)

    def worked_on(self) -> Self:
        """What 'my work' shows: submitted, returned or kept as surplus."""
        return self.filter(
            state__in=[
                AssignmentState.SUBMITTED,
                AssignmentState.RETURNED,
                AssignmentState.SURPLUS,
            ]
        )


class Assignment(models.Model):
    """One member's dealing with one item; never overwritten by the next member's.

    `shown_first` is the seat's at the time, so that it outlives the seat. `opened_at` is when
    the page was first seen; a prepared next item is held and not yet opened.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="assignments")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="assignments")
    seat = models.ForeignKey(
        Seat, on_delete=models.PROTECT, related_name="assignments", null=True, blank=True
    )
    state = models.CharField(max_length=16, choices=AssignmentState.choices())
    shown_first = models.PositiveSmallIntegerField(default=1)
    lease_until = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    skip_reason = models.CharField(max_length=20, choices=SkipReason.choices(), blank=True)
    skip_note = models.TextField(blank=True)
    flagged_at = models.DateTimeField(null=True, blank=True)
    flag_note = models.TextField(blank=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "member"], name="annotation_assignment_once_each"
            ),
            models.UniqueConstraint(
                fields=["seat"],
                condition=Q(state__in=SEATED),
                name="annotation_assignment_one_in_seat",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=SEATED) | Q(seat__isnull=False),
                name="annotation_assignment_seated_has_seat",
            ),
            models.CheckConstraint(
                condition=~Q(state=AssignmentState.HELD) | Q(lease_until__isnull=False),
                name="annotation_assignment_held_has_lease",
            ),
            models.CheckConstraint(
                condition=Q(state=AssignmentState.SKIPPED) | Q(skip_reason=""),
                name="annotation_assignment_reason_if_skipped",
            ),
            models.CheckConstraint(
                condition=Q(state__in=list(AssignmentState)),
                name="annotation_assignment_known_state",
            ),
        ]
        indexes = [
            models.Index(fields=["member", "state"], name="annotation_assignment_mine"),
            models.Index(
                fields=["lease_until"],
                condition=Q(state=AssignmentState.HELD),
                name="annotation_assignment_leases",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} at {self.item_id} ({self.state})"


class Draft(models.Model):
    """What is entered and not submitted. `body` has the shape `actions.judgments` reads."""

    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, related_name="draft")
    version = models.PositiveIntegerField(default=0)
    body = models.JSONField(default=dict)
    saved_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"draft {self.version} of {self.assignment_id}"
