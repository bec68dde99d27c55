"""What is rated: published, versioned sets of dimensions. Texts are {language: text}."""

from django.db import models
from django.db.models import Q

from annotation.choices import ImageRule, Level
from annotation.labels import choices
from annotation.models.projects import Project

LOWEST_SCORE, HIGHEST_SCORE = -1, 10


class Rubric(models.Model):
    """One published version; never changed afterwards."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="rubrics")
    slug = models.SlugField(max_length=64)
    version = models.PositiveSmallIntegerField()
    title = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)
    published_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "slug", "version"], name="annotation_rubric_version_in_project"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slug} {self.version}"


class Dimension(models.Model):
    """One thing that is rated.

    `reason` is the rubric's default reason rule as `choices.ReasonRule` writes it; `tags` the
    kinds of fault [{"key": ..., "name": {...}}]; `automatic` a value offered by rule, e.g.
    {"when": "images_on_one_turn", "score": 3}.
    """

    rubric = models.ForeignKey(Rubric, on_delete=models.CASCADE, related_name="dimensions")
    key = models.SlugField(max_length=64)
    code = models.CharField(max_length=8, blank=True)
    level = models.CharField(max_length=8, choices=choices(Level))
    position = models.PositiveSmallIntegerField()
    image_rule = models.CharField(max_length=16, choices=choices(ImageRule), default=ImageRule.NONE)
    name = models.JSONField(default=dict)
    short_name = models.JSONField(default=dict)
    question = models.JSONField(default=dict)
    guidance = models.JSONField(default=list)
    tags = models.JSONField(default=list)
    reason = models.CharField(max_length=100, default="never")
    automatic = models.JSONField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rubric", "key"], name="annotation_dimension_key_in_rubric"
            ),
            models.UniqueConstraint(
                fields=["rubric", "position"], name="annotation_dimension_position_in_rubric"
            ),
            models.CheckConstraint(
                condition=Q(level__in=list(Level)), name="annotation_dimension_known_level"
            ),
        ]

    def __str__(self) -> str:
        return self.key


class ScalePoint(models.Model):
    """One score with its meaning. `in_order` is false for a point outside the scale's order."""

    dimension = models.ForeignKey(Dimension, on_delete=models.CASCADE, related_name="points")
    score = models.SmallIntegerField()
    in_order = models.BooleanField(default=True)
    word = models.JSONField(default=dict)
    meaning = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dimension", "score"], name="annotation_scalepoint_score_in_dimension"
            ),
            models.CheckConstraint(
                condition=Q(score__gte=LOWEST_SCORE, score__lte=HIGHEST_SCORE),
                name="annotation_scalepoint_score_in_bounds",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dimension_id}: {self.score}"
