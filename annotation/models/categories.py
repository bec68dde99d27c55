"""Kinds of content that are hard to look at, and who would rather not meet them."""

from django.db import models
from django.db.models import Q

from annotation.models.projects import Member, Project

LONGEST_KEY = 100


class Category(models.Model):
    """A kind of content: data of a project. Marks name it by `key` and may name an unknown one.

    `name` and `description` are texts by language. `daily_limit` is how many items of it a person
    is given a day, or None. `words` are the operator's: a dialogue that has one is marked.
    """

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="categories")
    key = models.CharField(max_length=LONGEST_KEY)
    name = models.JSONField(default=dict)
    description = models.JSONField(default=dict, blank=True)
    daily_limit = models.PositiveSmallIntegerField(null=True, blank=True)
    words = models.JSONField(default=list, blank=True)
    changed_by = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "categories"
        constraints = [
            models.UniqueConstraint(
                fields=["project", "key"], name="annotation_category_key_in_project"
            ),
            models.CheckConstraint(condition=~Q(key=""), name="annotation_category_has_key"),
        ]

    def __str__(self) -> str:
        return self.key


class OptOut(models.Model):
    """A person's word that they do not want items of a category. Theirs alone, and no figure's."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="opt_outs")
    key = models.CharField(max_length=LONGEST_KEY)
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "key"], name="annotation_opt_out_once"),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} without {self.key}"
