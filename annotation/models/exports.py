"""Files that went out."""

from django.db import models

from annotation.models.batches import Batch
from annotation.models.jobs import Job
from annotation.models.projects import Project


class Export(Job):
    """One export of named snapshots.

    `options` is what was asked (`formats.manifest` documents it); `snapshot` is {batch slug:
    number}; `files` lists {"name", "bytes", "sha256", "rows"} of what `file` (a tar archive)
    holds; `manifest` is the manifest as written.
    """

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="exports")
    batches = models.ManyToManyField(Batch, related_name="exports")
    options = models.JSONField(default=dict)
    snapshot = models.JSONField(default=dict)
    file = models.FileField(max_length=200, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    manifest = models.JSONField(null=True, blank=True)

    def __str__(self) -> str:
        return f"export {self.public_id} ({self.state})"
