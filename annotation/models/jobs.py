"""Long work as rows: what every job has in common."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from annotation.choices import JobState
from annotation.labels import choices
from annotation.models.projects import Member, new_public_id

HEARTBEAT_LIMIT = timedelta(seconds=60)
"""A running job whose heart has not beaten for this long is free to be taken again."""

MOST_ATTEMPTS = 3


class JobQuerySet(models.QuerySet["Job"]):
    def takeable(self, *, at: datetime) -> Self:
        """Waiting, or running with a heart that stopped; parked ones never."""
        return self.filter(
            Q(state=JobState.WAITING)
            | Q(state=JobState.RUNNING, heartbeat_at__lt=at - HEARTBEAT_LIMIT)
        )

    def unfinished(self) -> Self:
        return self.filter(state__in=[JobState.WAITING, JobState.RUNNING])


class Job(models.Model):
    """One piece of long work. A worker takes it by a conditional UPDATE (`actions.jobs`)."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    state = models.CharField(max_length=16, choices=choices(JobState), default=JobState.WAITING)
    attempt = models.PositiveSmallIntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    progress = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True, blank=True)
    error = models.TextField(blank=True)
    created_by = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[Self]] = JobQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{type(self).__name__.lower()} {self.public_id} ({self.state})"
