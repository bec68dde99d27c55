"""Known answers."""

from django.db import models
from django.db.models import Q

from annotation.choices import Outcome
from annotation.labels import choices
from annotation.models.batches import Batch, Item
from annotation.models.content import Response
from annotation.models.projects import Member
from annotation.models.rubric import Dimension


class GoldAnswer(models.Model):
    """A known answer to one question of an item: a score with tolerance, or a preference.

    A score is of `response` on `dimension`; an outcome is a preference on `dimension`, or overall
    where there is none, and `response` the side preferred. Answers are evidence: of several to
    one question the one with the highest number stands. `feedback` is shown in training.
    """

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="gold_answers")
    number = models.PositiveBigIntegerField()
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="gold_answers")
    dimension = models.ForeignKey(
        Dimension, on_delete=models.PROTECT, related_name="gold_answers", null=True, blank=True
    )
    response = models.ForeignKey(
        Response, on_delete=models.PROTECT, related_name="gold_answers", null=True, blank=True
    )
    score = models.SmallIntegerField(null=True, blank=True)
    tolerance = models.PositiveSmallIntegerField(default=0)
    outcome = models.CharField(max_length=16, choices=choices(Outcome), blank=True)
    feedback = models.TextField(blank=True)
    created_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "number"], name="annotation_goldanswer_number_in_batch"
            ),
            models.CheckConstraint(
                condition=(
                    Q(score__isnull=False, outcome="", response__isnull=False)
                    | Q(score__isnull=True) & ~Q(outcome="")
                ),
                name="annotation_goldanswer_score_or_outcome",
            ),
        ]

    def __str__(self) -> str:
        return f"gold answer to {self.item_id}"
