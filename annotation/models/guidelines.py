"""What annotators are told: numbered versions of a Markdown text, and who has read which."""

from django.db import models
from django.db.models import F, Q

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
    """One version in one language: the general text, and texts by dimension key.

    `written_in` is the version in which this language's texts were last given: where it is less
    than `number`, they were carried over and say nothing of what changed since. `notes` are what
    questions taught, in the shape of `formats.guidelines.Note`, the same in every language.
    """

    guideline = models.ForeignKey(Guideline, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveSmallIntegerField()
    language = models.CharField(max_length=16, default="en")
    text = models.TextField(blank=True)
    by_dimension = models.JSONField(default=dict, blank=True)
    written_in = models.PositiveSmallIntegerField(default=1)
    notes = models.JSONField(default=list, blank=True)
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
            models.CheckConstraint(
                condition=Q(written_in__gte=1, written_in__lte=F("number")),
                name="annotation_guidelineversion_written_by_then",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.guideline_id} {self.number} {self.language}"


class GuidelineReading(models.Model):
    """A member has had a version before them.

    `confirmed_at` is when they said so, having been shown what changed. It is empty for the
    version that was on screen with their first item: there was no change to compare.
    """

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="guideline_readings")
    version = models.ForeignKey(GuidelineVersion, on_delete=models.CASCADE, related_name="readings")
    shown_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member", "version"], name="annotation_guidelinereading_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} read {self.version_id}"
