"""What annotators are told: numbered versions of a Markdown text."""

from django.db import models

from annotation.models.projects import Member, Project


class Guideline(models.Model):
    """A text under one name; a batch points at it, a judgment at the version on screen."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="guidelines")
    slug = models.SlugField(max_length=100)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "slug"], name="annotation_guideline_slug_in_project"
            ),
        ]

    def __str__(self) -> str:
        return self.slug


class GuidelineVersion(models.Model):
    """One version in one language: the general text, and texts by dimension key."""

    guideline = models.ForeignKey(Guideline, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveSmallIntegerField()
    language = models.CharField(max_length=16, default="en")
    text = models.TextField(blank=True)
    by_dimension = models.JSONField(default=dict, blank=True)
    sentence = models.CharField(max_length=300, blank=True)
    published_by = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    published_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["guideline", "number", "language"],
                name="annotation_guidelineversion_number_in_language",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.guideline_id} {self.number} {self.language}"
