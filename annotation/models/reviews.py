"""Evidence about evidence: reviews, and what a lead takes out of figures and exports."""

from typing import Self

from django.db import models
from django.db.models import Q

from annotation.choices import ReviewOutcome, VoidTarget
from annotation.labels import choices
from annotation.models.batches import Batch, Item
from annotation.models.content import Dialogue, Image
from annotation.models.judgments import Judgment
from annotation.models.projects import Member, new_public_id


class Review(models.Model):
    """A reviewer's word on one judgment; of several on one the newest counts.

    A fix is the reviewer's own judgment. A return names `places`: {"response": public id,
    "dimension": key} or {"preference": its key}. `blind` says that the reviewer had judged the
    item alone before they saw this judgment.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="reviews")
    number = models.PositiveBigIntegerField()
    judgment = models.ForeignKey(Judgment, on_delete=models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="reviews")
    outcome = models.CharField(max_length=8, choices=choices(ReviewOutcome))
    fix = models.ForeignKey(
        Judgment, on_delete=models.PROTECT, related_name="fixes", null=True, blank=True
    )
    note = models.TextField(blank=True)
    places = models.JSONField(default=list, blank=True)
    blind = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "number"], name="annotation_review_number_in_batch"
            ),
            models.CheckConstraint(
                condition=~Q(outcome=ReviewOutcome.RETURN) | ~Q(note=""),
                name="annotation_review_return_says_why",
            ),
            models.CheckConstraint(
                condition=(
                    Q(outcome=ReviewOutcome.FIX, fix__isnull=False)
                    | (~Q(outcome=ReviewOutcome.FIX) & Q(fix__isnull=True))
                ),
                name="annotation_review_fix_has_judgment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} of {self.judgment_id}"


class SightQuerySet(models.QuerySet["Sight"]):
    def of_dialogue(self, member_id: int, dialogue_id: int) -> Self:
        """What the member has seen of others' judgments of this dialogue, in any item or batch."""
        return self.filter(member=member_id).filter(
            Q(item__dialogue=dialogue_id) | Q(item=None, batch__items__dialogue=dialogue_id)
        )


class Sight(models.Model):
    """A member has seen others' judgments: of one item, or without an item of the whole batch.

    What they judge of these dialogues from `seen_others_at` on is not independent.
    """

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="sights")
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="sights")
    item = models.ForeignKey(
        Item, on_delete=models.CASCADE, related_name="sights", null=True, blank=True
    )
    seen_others_at = models.DateTimeField()

    objects = SightQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member", "item"],
                condition=Q(item__isnull=False),
                name="annotation_sight_item_once",
            ),
            models.UniqueConstraint(
                fields=["member", "batch"],
                condition=Q(item__isnull=True),
                name="annotation_sight_batch_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} saw {self.item_id or self.batch_id}"


class VoidQuerySet(models.QuerySet["Void"]):
    def standing(self, *, number: int) -> Self:
        """Voids within the snapshot that no later row of the snapshot lifts."""
        lifted = Void.objects.filter(lifts__isnull=False, number__lte=number).values("lifts_id")
        return self.filter(number__lte=number, lifts=None).exclude(pk__in=lifted)


class Void(models.Model):
    """Something is out of figures and exports of one batch, with a reason; `lifts` undoes it.

    What touches several batches (a person, a dialogue, an image) is one row in each, so that
    each batch's snapshots stay numbers.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="voids")
    number = models.PositiveBigIntegerField()
    target = models.CharField(max_length=16, choices=choices(VoidTarget))
    judgment = models.ForeignKey(
        Judgment, on_delete=models.PROTECT, related_name="voids", null=True, blank=True
    )
    member = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="voids", null=True, blank=True
    )
    since = models.DateTimeField(null=True, blank=True)
    item = models.ForeignKey(
        Item, on_delete=models.PROTECT, related_name="voids", null=True, blank=True
    )
    dialogue = models.ForeignKey(
        Dialogue, on_delete=models.PROTECT, related_name="voids", null=True, blank=True
    )
    image = models.ForeignKey(
        Image, on_delete=models.PROTECT, related_name="voids", null=True, blank=True
    )
    lifts = models.ForeignKey(
        "Void", on_delete=models.PROTECT, related_name="lifted_by", null=True, blank=True
    )
    reason = models.TextField()
    created_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    objects = VoidQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "number"], name="annotation_void_number_in_batch"
            ),
            models.UniqueConstraint(
                fields=["lifts"],
                condition=Q(lifts__isnull=False),
                name="annotation_void_lifted_once",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="annotation_void_says_why"),
            models.CheckConstraint(
                condition=(
                    Q(target=VoidTarget.JUDGMENT, judgment__isnull=False)
                    | Q(target=VoidTarget.MEMBER, member__isnull=False)
                    | Q(target=VoidTarget.ITEM, item__isnull=False)
                    | Q(target=VoidTarget.DIALOGUE, dialogue__isnull=False)
                    | Q(target=VoidTarget.IMAGE, image__isnull=False)
                ),
                name="annotation_void_names_target",
            ),
        ]

    def __str__(self) -> str:
        return f"void {self.target} in {self.batch_id}"
