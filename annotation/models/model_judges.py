"""Models used as judges: their runs over a batch."""

from django.db import models

from annotation.models.batches import Batch
from annotation.models.jobs import Job
from annotation.models.projects import Project


class Run(Job):
    """One model's pass over one batch: which model, how asked, and what came of it."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="runs")
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="runs")
    model = models.CharField(max_length=200)
    options = models.JSONField(default=dict)
    number = models.PositiveBigIntegerField(default=0)
    report = models.JSONField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.model} on {self.batch_id}"
