"""Files that came in."""

from django.db import models

from annotation.models.jobs import Job
from annotation.models.projects import Project


class Import(Job):
    """One run of the importer over one or more files, and its report."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="imports")
    name = models.CharField(max_length=255)
    upload = models.FileField(upload_to="imports/", blank=True)
    options = models.JSONField(default=dict)
    report = models.JSONField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.public_id})"
