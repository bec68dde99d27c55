"""Evidence: judgments with their ratings, preferences and remarks."""

from collections.abc import Callable
from typing import Self, cast

from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery

from annotation.choices import (
    DECIDING,
    BatchPurpose,
    Branch,
    Cause,
    Origin,
    Outcome,
    PreferenceScope,
    RemarkKind,
    SeatPurpose,
)
from annotation.labels import choices
from annotation.models.assignments import Assignment, Seat
from annotation.models.batches import Batch, Item
from annotation.models.content import Response, Slot
from annotation.models.guidelines import GuidelineVersion
from annotation.models.projects import Member, new_public_id
from annotation.models.rubric import HIGHEST_SCORE, LOWEST_SCORE, Dimension

Usable = Callable[["JudgmentQuerySet"], "JudgmentQuerySet"]
"""Leaves rows out of a query."""


class JudgmentQuerySet(models.QuerySet["Judgment"]):
    def up_to(self, number: int) -> Self:
        """The snapshot: rows whose number is at most `number`."""
        return self.filter(number__lte=number)

    def current(self, *, number: int) -> Self:
        """Of each assignment the highest revision within the snapshot, withdrawals left out."""
        later = Judgment.objects.filter(
            assignment=OuterRef("assignment"),
            revision__gt=OuterRef("revision"),
            number__lte=number,
        )
        return self.up_to(number).exclude(Exists(later)).exclude(cause=Cause.WITHDRAWAL)

    def live(self, *, number: int) -> Self:
        """The latest of each assignment that is seated or was imported."""
        return self.current(number=number).exclude(seat=None)

    def final(self, *, number: int, usable: "Usable | None" = None) -> Self:
        """What stands: what exports carry. Adjudicated over fixed over live.

        Where an item has a live adjudication, the newest stands alone. Else each annotator's
        live judgment stands; but where the newest review of it was a fix, the reviewer's
        judgment stands in its place, until a newer review says otherwise. A reviewer's judgment
        that fixes nothing stands nowhere, nor does a fix of what its author took back.

        :param usable: leaves out voided judgments, which have numbers of their own (see
            `reports.voids.Voids.outside`): a voided fix or adjudication decides nothing.
        """
        leave = usable or (lambda rows: rows)
        live = leave(Judgment.objects.live(number=number))
        newest_review = Judgment.objects.filter(
            assignment=OuterRef("assignment"), reviews__number__lte=number
        ).order_by("-reviews__number")
        fixed_in = Subquery(newest_review.values("reviews__fix__assignment")[:1])
        fixes = live.filter(assignment=OuterRef("fixed_in"))
        fixed_now = (
            Judgment.objects.live(number=number)
            .filter(item=OuterRef("item"))
            .exclude(seat__purpose__in=DECIDING)
            .annotate(fixed_in=fixed_in)
            .filter(fixed_in=OuterRef("assignment"))
        )
        adjudications = live.filter(item=OuterRef("item"), seat__purpose=SeatPurpose.ADJUDICATION)
        is_adjudication = Q(seat__purpose=SeatPurpose.ADJUDICATION)
        standing = (
            leave(self.live(number=number))
            .annotate(fixed_in=fixed_in)
            .exclude(~Q(seat__purpose__in=DECIDING) & Exists(fixes))
            .exclude(Q(seat__purpose=SeatPurpose.REVIEW) & ~Exists(fixed_now))
            .exclude(~is_adjudication & Exists(adjudications))
            .exclude(is_adjudication & Exists(adjudications.filter(number__gt=OuterRef("number"))))
        )
        return cast("Self", standing)

    def independent(self, *, number: int) -> Self:
        """Per overlap seat the latest judgment made before its author saw anything of others'.

        What agreement is computed from: overlap seats of measured batches and items only, so no
        gold, repeat, reference, review, adjudication, extra or surplus row is among them.
        """
        mine = self.filter(
            batch__purpose__in=[BatchPurpose.PILOT, BatchPurpose.MAIN],
            seat__purpose=SeatPurpose.OVERLAP,
            saw_others=False,
            item__repeat_of=None,
            item__is_gold=False,
        )
        later = Judgment.objects.filter(
            assignment=OuterRef("assignment"),
            revision__gt=OuterRef("revision"),
            number__lte=number,
            saw_others=False,
        )
        withdrawn = Judgment.objects.filter(
            assignment=OuterRef("assignment"),
            revision__gt=OuterRef("revision"),
            number__lte=number,
            cause=Cause.WITHDRAWAL,
        )
        return (
            mine.up_to(number)
            .exclude(Exists(later))
            .exclude(Exists(withdrawn))
            .exclude(cause__in=[Cause.WITHDRAWAL, Cause.FIX, Cause.ADJUDICATION, Cause.IMPORT])
        )


class Judgment(models.Model):
    """One submission by one person of one item. Never updated; a correction is a new revision.

    `batch`, `item` and `member` repeat what the assignment says, so that a snapshot is read
    without joins. `shown_first` (1 or 2) is the side that stood as A: what the letters in the
    texts meant. `saw_others` is true once the author had seen anything of others' judgments.
    Times are aware; `active_ms` is milliseconds of visible tab by turn depth {"1": 41200, ...};
    `images_shown` lists SHA-256 of the files shown, `images_seen` and `images_opened` those
    looked at.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="judgments")
    number = models.PositiveBigIntegerField()
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="judgments")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="judgments")
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="judgments")
    seat = models.ForeignKey(
        Seat, on_delete=models.PROTECT, related_name="judgments", null=True, blank=True
    )
    revision = models.PositiveSmallIntegerField(default=1)
    cause = models.CharField(max_length=16, choices=choices(Cause))
    submission_key = models.CharField(max_length=64)
    body_digest = models.CharField(max_length=64, blank=True)
    guideline_version = models.ForeignKey(
        GuidelineVersion, on_delete=models.PROTECT, related_name="judgments", null=True, blank=True
    )
    interface_version = models.CharField(max_length=40, blank=True)
    language = models.CharField(max_length=16, blank=True)
    shown_first = models.PositiveSmallIntegerField(default=1)
    overall_scale = models.CharField(max_length=20, blank=True)
    saw_others = models.BooleanField(default=False)
    submitted_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    first_input_at = models.DateTimeField(null=True, blank=True)
    last_input_at = models.DateTimeField(null=True, blank=True)
    active_ms = models.JSONField(default=dict, blank=True)
    images_shown = models.JSONField(default=list, blank=True)
    images_seen = models.JSONField(default=list, blank=True)
    images_opened = models.JSONField(default=list, blank=True)

    objects = JudgmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["assignment", "revision"], name="annotation_judgment_revision_once"
            ),
            models.UniqueConstraint(
                fields=["batch", "number"], name="annotation_judgment_number_in_batch"
            ),
            models.UniqueConstraint(
                fields=["assignment", "submission_key"], name="annotation_judgment_sent_once"
            ),
            models.CheckConstraint(
                condition=Q(revision__gt=0), name="annotation_judgment_revision_from_one"
            ),
            models.CheckConstraint(
                condition=Q(shown_first__in=[1, 2]), name="annotation_judgment_shown_first"
            ),
            models.CheckConstraint(
                condition=Q(cause__in=list(Cause)), name="annotation_judgment_known_cause"
            ),
        ]

    def __str__(self) -> str:
        return f"judgment {self.number} of batch {self.batch_id}"


class RatingQuerySet(models.QuerySet["Rating"]):
    def scored(self) -> Self:
        """Ratings with a score; the others say 'not applicable'."""
        return self.filter(score__isnull=False)

    def ordinal(self) -> Self:
        """What may enter an ordinal statistic: given or confirmed scores within the order."""
        outside = models.Exists(
            Dimension.objects.filter(
                pk=OuterRef("dimension"),
                points__score=OuterRef("score"),
                points__in_order=False,
            )
        )
        return self.scored().filter(origin__in=[Origin.GIVEN, Origin.PROPOSED]).exclude(outside)


class Rating(models.Model):
    """How good one thing is: a response, or a full path named by its last response.

    The row exists when the person answered: a score, or not applicable. `branch` says what an
    image dimension was about on this turn. `steps_named` marks an imported reason that names
    more steps than the record has turns.
    """

    judgment = models.ForeignKey(Judgment, on_delete=models.PROTECT, related_name="ratings")
    response = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="ratings")
    dimension = models.ForeignKey(Dimension, on_delete=models.PROTECT, related_name="ratings")
    score = models.SmallIntegerField(null=True, blank=True)
    not_applicable = models.BooleanField(default=False)
    origin = models.CharField(max_length=8, choices=choices(Origin), default=Origin.GIVEN)
    carried_from = models.ForeignKey(
        "Rating", on_delete=models.PROTECT, related_name="carried_to", null=True, blank=True
    )
    branch = models.CharField(max_length=16, choices=choices(Branch), blank=True)
    reason = models.TextField(blank=True)
    reason_language = models.CharField(max_length=16, blank=True)
    tags = models.JSONField(default=list, blank=True)
    steps_named = models.PositiveSmallIntegerField(null=True, blank=True)

    objects = RatingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["judgment", "response", "dimension"], name="annotation_rating_unit_once"
            ),
            models.CheckConstraint(
                condition=(
                    Q(not_applicable=True, score__isnull=True)
                    | Q(not_applicable=False, score__isnull=False)
                ),
                name="annotation_rating_score_or_not_applicable",
            ),
            models.CheckConstraint(
                condition=Q(score__isnull=True)
                | Q(score__gte=LOWEST_SCORE, score__lte=HIGHEST_SCORE),
                name="annotation_rating_score_in_bounds",
            ),
            models.CheckConstraint(
                condition=Q(origin=Origin.CARRIED, carried_from__isnull=False)
                | (~Q(origin=Origin.CARRIED) & Q(carried_from__isnull=True)),
                name="annotation_rating_carried_says_from",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dimension_id}={self.score} by {self.judgment_id}"


class PreferenceQuerySet(models.QuerySet["Preference"]):
    def overall(self) -> Self:
        return self.filter(scope=PreferenceScope.OVERALL)


class Preference(models.Model):
    """Which of the item's two sides is better: on a dimension, overall, or at the fork.

    `preferred` is the side's last response (at the fork: the response at the fork). `strength`
    is 1, or 2 for "much". `contradiction` says what became of the question asked when the
    dimension's scores said otherwise: "", "kept" or "changed".
    """

    judgment = models.ForeignKey(Judgment, on_delete=models.PROTECT, related_name="preferences")
    scope = models.CharField(max_length=16, choices=choices(PreferenceScope))
    dimension = models.ForeignKey(
        Dimension, on_delete=models.PROTECT, related_name="preferences", null=True, blank=True
    )
    outcome = models.CharField(max_length=16, choices=choices(Outcome))
    preferred = models.ForeignKey(
        Response, on_delete=models.PROTECT, related_name="preferences", null=True, blank=True
    )
    strength = models.PositiveSmallIntegerField(null=True, blank=True)
    origin = models.CharField(max_length=8, choices=choices(Origin), default=Origin.GIVEN)
    in_bulk = models.BooleanField(default=False)
    contradiction = models.CharField(max_length=8, blank=True)

    objects = PreferenceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["judgment", "dimension"],
                condition=Q(dimension__isnull=False),
                name="annotation_preference_dimension_once",
            ),
            models.UniqueConstraint(
                fields=["judgment", "scope"],
                condition=Q(dimension__isnull=True),
                name="annotation_preference_overall_once",
            ),
            models.CheckConstraint(
                condition=(
                    Q(scope=PreferenceScope.DIMENSION, dimension__isnull=False)
                    | (~Q(scope=PreferenceScope.DIMENSION) & Q(dimension__isnull=True))
                ),
                name="annotation_preference_scope_has_dimension",
            ),
            models.CheckConstraint(
                condition=(
                    Q(
                        outcome=Outcome.PREFERS,
                        preferred__isnull=False,
                        strength__isnull=False,
                        strength__in=[1, 2],
                    )
                    | (
                        ~Q(outcome=Outcome.PREFERS)
                        & Q(preferred__isnull=True, strength__isnull=True)
                    )
                ),
                name="annotation_preference_prefers_one",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=list(Outcome)), name="annotation_preference_known_outcome"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.outcome} by {self.judgment_id}"


class Remark(models.Model):
    """A text that is no reason: critique or refinement of a response, rationale, image remark."""

    judgment = models.ForeignKey(Judgment, on_delete=models.PROTECT, related_name="remarks")
    kind = models.CharField(max_length=16, choices=choices(RemarkKind))
    response = models.ForeignKey(
        Response, on_delete=models.PROTECT, related_name="remarks", null=True, blank=True
    )
    slot = models.ForeignKey(
        Slot, on_delete=models.PROTECT, related_name="remarks", null=True, blank=True
    )
    text = models.TextField()
    language = models.CharField(max_length=16, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["judgment", "kind", "response"],
                condition=Q(response__isnull=False, slot__isnull=True),
                name="annotation_remark_response_once",
            ),
            models.UniqueConstraint(
                fields=["judgment", "slot"],
                condition=Q(slot__isnull=False),
                name="annotation_remark_slot_once",
            ),
            models.UniqueConstraint(
                fields=["judgment", "kind"],
                condition=Q(response__isnull=True, slot__isnull=True),
                name="annotation_remark_rationale_once",
            ),
            models.CheckConstraint(
                condition=(
                    Q(kind=RemarkKind.RATIONALE, response__isnull=True, slot__isnull=True)
                    | Q(kind=RemarkKind.IMAGE, slot__isnull=False)
                    | Q(
                        kind__in=[RemarkKind.CRITIQUE, RemarkKind.REFINEMENT],
                        response__isnull=False,
                        slot__isnull=True,
                    )
                ),
                name="annotation_remark_kind_names_target",
            ),
            models.CheckConstraint(condition=~Q(text=""), name="annotation_remark_says_something"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.judgment_id}"
