"""Seats are places with a purpose; an assignment is one person's dealing with one item."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.timezone import localtime

from annotation.choices import (
    DECIDING,
    SEATED,
    AssignmentState,
    BatchState,
    SeatCause,
    SeatPurpose,
    SeatState,
    SkipReason,
)
from annotation.labels import choices
from annotation.models.batches import Item
from annotation.models.categories import Category, OptOut
from annotation.models.expressions import RowCount
from annotation.models.marks import Mark
from annotation.models.projects import Member, new_public_id

ANNOTATORS = (SeatPurpose.OVERLAP, SeatPurpose.EXTRA)
"""Purposes of the seats that are offered to annotators."""


def day_of(at: datetime) -> datetime:
    """Return when the local day of `at` began."""
    return localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)


def unbearable(member: Member, *, at: datetime) -> Exists:
    """Whether a seat's dialogue is marked with what the person does not want, or has enough of.

    Enough is a category's daily limit of items opened on the local day of `at`, with those that
    are held and not opened yet. Part of a query on seats; no query of its own.
    """
    unwanted = OptOut.objects.filter(member=member).values("key")
    marked = Mark.objects.standing().filter(dialogue=OuterRef("item__dialogue"))
    met = Assignment.objects.filter(member=member).filter(
        Q(opened_at__gte=day_of(at)) | Q(state=AssignmentState.HELD, opened_at=None),
        Exists(marked.filter(key=OuterRef(OuterRef("key")))),
    )
    enough = (
        Category.objects.filter(project=member.project_id, daily_limit__isnull=False)
        .annotate(met=RowCount(met))
        .filter(met__gte=F("daily_limit"))
        .values("key")
    )
    return Exists(marked.filter(Q(key__in=unwanted) | Q(key__in=enough)))


class SeatQuerySet(models.QuerySet["Seat"]):
    def claimable(self) -> Self:
        """Open overlap and extra seats of offered items of open batches."""
        return self.filter(
            state=SeatState.OPEN,
            purpose__in=ANNOTATORS,
            item__parked_at=None,
            item__dialogue__held_back_at=None,
            item__batch__state=BatchState.OPEN,
        )

    def bearable_to(self, member: Member, *, at: datetime) -> Self:
        """Leave out what is marked with what this person does not want, or has had enough of."""
        return self.exclude(unbearable(member, at=at))

    def not_refused_by(self, member: Member) -> Self:
        """Leave out items this member has dealt with, but for those they let lapse.

        Nor are they offered what they have read others' judgments of.
        """
        dealt = (
            Assignment.objects.filter(member=member)
            .exclude(state=AssignmentState.LAPSED)
            .values("item_id")
        )
        return self.exclude(item__in=dealt).exclude(item__sights__member=member)


class Seat(models.Model):
    """A place at an item. There is no seat to exceed the overlap with.

    `cause` says why there is one beside those the overlap asks for; an overlap seat has none,
    so what was added because votes differed can never be taken for an independent vote.
    """

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="seats")
    number = models.PositiveSmallIntegerField()
    purpose = models.CharField(
        max_length=16, choices=choices(SeatPurpose), default=SeatPurpose.OVERLAP
    )
    state = models.CharField(max_length=8, choices=choices(SeatState), default=SeatState.OPEN)
    shown_first = models.PositiveSmallIntegerField(default=1)
    cause = models.CharField(max_length=12, choices=choices(SeatCause), blank=True)

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
            models.CheckConstraint(
                condition=~Q(purpose=SeatPurpose.OVERLAP) | Q(cause=SeatCause.PLANNED),
                name="annotation_seat_overlap_is_planned",
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

    def annotating(self) -> Self:
        """The annotators' own: neither a reviewer's nor an adjudicator's."""
        return self.exclude(purpose__in=DECIDING)

    def figured(self) -> Self:
        """Leave out those whose person would rather not: they enter nobody's figures."""
        return self.exclude(state=AssignmentState.SKIPPED, skip_reason=SkipReason.RATHER_NOT)

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

    `shown_first` and `purpose` are the seat's at the time, so that they outlive the seat.
    `opened_at` is when the page was first seen; a prepared next item is held and not yet opened.
    `about` is the assignment whose judgment a reviewer is fixing here.
    What was set `aside_at` some time keeps its seat as long as its lease, and is not offered as
    the next.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="assignments")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="assignments")
    seat = models.ForeignKey(
        Seat, on_delete=models.PROTECT, related_name="assignments", null=True, blank=True
    )
    state = models.CharField(max_length=16, choices=choices(AssignmentState))
    purpose = models.CharField(
        max_length=16, choices=choices(SeatPurpose), default=SeatPurpose.OVERLAP
    )
    about = models.ForeignKey(
        "Assignment", on_delete=models.PROTECT, related_name="fixed_in", null=True, blank=True
    )
    shown_first = models.PositiveSmallIntegerField(default=1)
    lease_until = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    aside_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    skip_reason = models.CharField(max_length=20, choices=choices(SkipReason), blank=True)
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
            models.CheckConstraint(
                condition=Q(about__isnull=True) | Q(purpose=SeatPurpose.REVIEW),
                name="annotation_assignment_about_if_review",
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


class Hold(models.Model):
    """One time that a person had an item kept for them beyond its lease, for a break."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="holds")
    made_at = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(until__gt=F("made_at")), name="annotation_hold_lasts"
            ),
        ]

    def __str__(self) -> str:
        return f"hold of {self.assignment_id} until {self.until:%H:%M}"


class Draft(models.Model):
    """What is entered and not submitted. `body` has the shape `actions.judgments` reads."""

    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, related_name="draft")
    version = models.PositiveIntegerField(default=0)
    body = models.JSONField(default=dict)
    saved_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"draft {self.version} of {self.assignment_id}"
