"""Sets of work: a batch, who is in it, and its items."""

from typing import Self

from django.db import models
from django.db.models import F, Q

from annotation.choices import BatchKind, BatchPurpose, BatchSettings, BatchState, ItemOrder
from annotation.labels import choices
from annotation.models.content import Dialogue, Response
from annotation.models.guidelines import Guideline
from annotation.models.imports import Import
from annotation.models.projects import Member, Project, new_public_id
from annotation.models.rubric import Rubric


class BatchQuerySet(models.QuerySet["Batch"]):
    def open(self) -> Self:
        return self.filter(state=BatchState.OPEN)

    def measured(self) -> Self:
        """Batches whose judgments may enter figures: no training, trial or reference."""
        return self.filter(purpose__in=[BatchPurpose.PILOT, BatchPurpose.MAIN])


class Batch(models.Model):
    """A set of items of one kind, with the settings that decide what is asked.

    `last_number` is the number of the batch's newest evidence row; it is raised under this row's
    lock, so numbers follow the order of commits. `choice` says how the dialogues were chosen,
    `left_out` what gave no item and why. `history` lists what was done to the batch, oldest
    first: {"at", "by" (a pseudonym), "what", "detail"}. Since `calibration_opened_at` the batch's
    members may read each other's judgments.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="batches")
    slug = models.SlugField(max_length=100)
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=choices(BatchKind))
    purpose = models.CharField(
        max_length=16, choices=choices(BatchPurpose), default=BatchPurpose.MAIN
    )
    state = models.CharField(max_length=8, choices=choices(BatchState), default=BatchState.DRAFT)
    rubric = models.ForeignKey(Rubric, on_delete=models.PROTECT, related_name="batches")
    guideline = models.ForeignKey(
        Guideline, on_delete=models.PROTECT, related_name="batches", null=True, blank=True
    )
    members: "models.ManyToManyField[Member, Participation]" = models.ManyToManyField(
        Member, through="Participation", related_name="batches"
    )
    settings = models.JSONField(default=dict)
    choice = models.JSONField(default=dict, blank=True)
    left_out = models.JSONField(default=dict, blank=True)
    history = models.JSONField(default=list, blank=True)
    order = models.CharField(
        max_length=16, choices=choices(ItemOrder), default=ItemOrder.BY_DIALOGUE
    )
    lease_minutes = models.PositiveIntegerField(default=60)
    seed = models.PositiveBigIntegerField(default=0)
    last_number = models.PositiveBigIntegerField(default=0)
    imported_in = models.ForeignKey(
        Import, on_delete=models.PROTECT, related_name="batches", null=True, blank=True
    )
    created_by = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    created_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    calibration_opened_at = models.DateTimeField(null=True, blank=True)

    objects = BatchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "batches"
        constraints = [
            models.UniqueConstraint(
                fields=["project", "slug"], name="annotation_batch_slug_in_project"
            ),
            models.CheckConstraint(
                condition=Q(lease_minutes__gt=0), name="annotation_batch_lease_lasts"
            ),
            models.CheckConstraint(
                condition=Q(state=BatchState.DRAFT) | Q(opened_at__isnull=False),
                name="annotation_batch_begun_has_opened_at",
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    def parsed_settings(self) -> BatchSettings:
        """Return `settings` as its dataclass."""
        return BatchSettings.from_json(self.settings)


class Participation(models.Model):
    """A member of a batch. A paused one keeps what they hold and is offered nothing new.

    `waived_at` is when a lead let the person in without the qualification that the batch asks.
    """

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="participations")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="participations")
    paused_at = models.DateTimeField(null=True, blank=True)
    pause_reason = models.CharField(max_length=300, blank=True)
    waived_at = models.DateTimeField(null=True, blank=True)
    waive_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "member"], name="annotation_participation_once_in_batch"
            ),
            models.CheckConstraint(
                condition=Q(paused_at=None) | ~Q(pause_reason=""),
                name="annotation_participation_pause_says_why",
            ),
            models.CheckConstraint(
                condition=Q(waived_at=None) | ~Q(waive_reason=""),
                name="annotation_participation_waiver_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} in {self.batch_id}"


def _draws(share: float) -> int:
    return round(share * Item.REVIEW_DRAWS)


class ItemQuerySet(models.QuerySet["Item"]):
    def offered(self) -> Self:
        """Items that may be handed out: not parked for the lead."""
        return self.filter(parked_at=None)

    def parked(self) -> Self:
        return self.filter(parked_at__isnull=False)

    def with_sides(self) -> Self:
        """Load what an item's sides are read from, its batch and its dialogue."""
        return self.select_related("batch", "dialogue", "response_1", "response_2")

    def to_review(self, settings: BatchSettings) -> Self:
        """The seeded share whose judgments are reviewed."""
        return self.filter(review_draw__lt=_draws(settings.review_share))

    def to_review_blind(self, settings: BatchSettings) -> Self:
        """The seeded part of it that a reviewer judges alone first."""
        share = settings.review_share * settings.review_blind_share
        return self.filter(review_draw__lt=_draws(share))

    def measured(self) -> Self:
        """Items whose judgments may enter figures: no repeats, no gold."""
        return self.filter(repeat_of=None, is_gold=False)

    def checks(self) -> Self:
        """Repeats and mixed-in gold: what a person's work is checked by."""
        return self.filter(Q(repeat_of__isnull=False) | Q(is_gold=True))


class Item(models.Model):
    """What one annotator reads in one sitting: one full path, or two sides of one dialogue.

    `response_1` and `response_2` name the sides by their last response, ordered by content key.
    `coin` is the side (1 or 2) that an odd-numbered seat is shown first. `fork_depth` is the
    first turn at which the sides differ, counted from 1. `reopened` lets a closed batch take
    corrections of this item. `review_draw` is the item's seeded number below `REVIEW_DRAWS`: the
    lowest are reviewed, the lowest of those blind; None is never drawn. `repeat_of` and
    `is_gold` are fixed when the batch opens: answers that become known later (`GoldAnswer`) do
    not make an item gold where it was judged.
    """

    REVIEW_DRAWS = 1_000_000

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items")
    dialogue = models.ForeignKey(Dialogue, on_delete=models.PROTECT, related_name="items")
    response_1 = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="items_as_1")
    response_2 = models.ForeignKey(
        Response, on_delete=models.PROTECT, related_name="items_as_2", null=True, blank=True
    )
    repeat_of = models.ForeignKey(
        "Item", on_delete=models.PROTECT, related_name="repeats", null=True, blank=True
    )
    is_gold = models.BooleanField(default=False)
    position = models.PositiveIntegerField()
    coin = models.PositiveSmallIntegerField(default=1)
    fork_depth = models.PositiveSmallIntegerField(null=True, blank=True)
    parked_at = models.DateTimeField(null=True, blank=True)
    reopened_at = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict, blank=True)
    review_draw = models.PositiveIntegerField(null=True, blank=True)

    objects = ItemQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["batch"], condition=Q(is_gold=True), name="annotation_item_gold"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "position"], name="annotation_item_position_in_batch"
            ),
            models.UniqueConstraint(
                fields=["batch", "response_1", "response_2"],
                condition=Q(response_2__isnull=False, repeat_of__isnull=True),
                name="annotation_item_pair_once_in_batch",
            ),
            models.UniqueConstraint(
                fields=["batch", "response_1"],
                condition=Q(response_2__isnull=True, repeat_of__isnull=True),
                name="annotation_item_path_once_in_batch",
            ),
            models.CheckConstraint(
                condition=Q(response_2__isnull=True) | ~Q(response_1=F("response_2")),
                name="annotation_item_sides_differ",
            ),
            models.CheckConstraint(condition=Q(coin__in=[1, 2]), name="annotation_item_coin"),
            models.CheckConstraint(
                condition=(
                    Q(response_2__isnull=True, fork_depth__isnull=True)
                    | Q(response_2__isnull=False, fork_depth__isnull=False, fork_depth__gt=0)
                ),
                name="annotation_item_pair_has_fork",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}/{self.position}"

    @property
    def ends(self) -> tuple[Response, ...]:
        """The last response of each side, as stored."""
        return (self.response_1, self.response_2) if self.response_2 else (self.response_1,)
