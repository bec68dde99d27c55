"""Computed numbers: what agreement was at a snapshot."""

from django.db import models
from django.db.models import Q

from annotation.choices import JobState
from annotation.models.batches import Batch
from annotation.models.jobs import Job


class Figure(Job):
    """One report of one batch at one number; an older one never replaces a newer."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="figures")
    kind = models.CharField(max_length=40)
    number = models.PositiveBigIntegerField()
    body = models.JSONField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "kind", "number"], name="annotation_figure_once_at_number"
            ),
            models.CheckConstraint(
                condition=~Q(state=JobState.DONE) | Q(body__isnull=False),
                name="annotation_figure_done_has_body",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.batch_id} at {self.number}"
