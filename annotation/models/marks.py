"""What is said of a dialogue's content: marks with their origin, and reports that wait for a lead."""

from typing import Self

from django.db import models
from django.db.models import Q

from annotation.choices import MarkOrigin, ReportOutcome
from annotation.labels import choices
from annotation.models.categories import LONGEST_KEY
from annotation.models.content import Dialogue, Slot
from annotation.models.imports import Import
from annotation.models.jobs import Job
from annotation.models.projects import Member, Project, new_public_id


class MarkQuerySet(models.QuerySet["Mark"]):
    def standing(self, *, number: int | None = None) -> Self:
        """Marks that nobody has ended: now, or at a number of the project's marks."""
        if number is None:
            return self.filter(ended_number=None)
        return self.filter(
            Q(ended_number=None) | Q(ended_number__gt=number),
            number__lte=number,
        )


class Mark(models.Model):
    """A dialogue, or the picture of one slot, is said to show what a category names.

    `key` is a category's, or a word of the file that no category has. `detail` is what it rests
    on: the word that was found, or the reporter's. Numbers count the project's marks and endings
    in the order of commits, so that `standing(number=N)` is the same set for ever. A mark is
    never deleted: it is ended, by whom and when; `ended_why` is empty where the word list changed
    and says why where a person ended it, and then no list and no file makes it again.
    """

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="marks")
    number = models.PositiveBigIntegerField()
    dialogue = models.ForeignKey(Dialogue, on_delete=models.CASCADE, related_name="mark_rows")
    slot = models.ForeignKey(
        Slot, on_delete=models.CASCADE, related_name="mark_rows", null=True, blank=True
    )
    key = models.CharField(max_length=LONGEST_KEY)
    origin = models.CharField(max_length=8, choices=choices(MarkOrigin))
    detail = models.CharField(max_length=200, blank=True)
    imported_in = models.ForeignKey(
        Import, on_delete=models.PROTECT, related_name="marks", null=True, blank=True
    )
    made_by = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    made_at = models.DateTimeField()
    ended_number = models.PositiveBigIntegerField(null=True, blank=True)
    ended_by = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=300, blank=True)

    objects = MarkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "number"], name="annotation_mark_number_in_project"
            ),
            models.UniqueConstraint(
                fields=["dialogue", "key", "origin"],
                condition=Q(slot__isnull=True, ended_number__isnull=True),
                name="annotation_mark_once_on_dialogue",
            ),
            models.UniqueConstraint(
                fields=["slot", "key", "origin"],
                condition=Q(slot__isnull=False, ended_number__isnull=True),
                name="annotation_mark_once_on_slot",
            ),
            models.CheckConstraint(condition=~Q(key=""), name="annotation_mark_names_category"),
            models.CheckConstraint(
                condition=Q(origin__in=list(MarkOrigin)), name="annotation_mark_known_origin"
            ),
            models.CheckConstraint(
                condition=(
                    Q(ended_number__isnull=True, ended_at__isnull=True)
                    | Q(ended_number__isnull=False, ended_at__isnull=False)
                ),
                name="annotation_mark_ended_has_time",
            ),
        ]
        indexes = [models.Index(fields=["project", "key"], name="annotation_mark_keys")]

    def __str__(self) -> str:
        return f"{self.key} ({self.origin}) on {self.dialogue_id}"


class MarkRun(Job):
    """One pass of the operator's word lists over all stored dialogues; its progress counts them."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="mark_runs")
    added = models.PositiveIntegerField(default=0)
    ended = models.PositiveIntegerField(default=0)


class ContentReport(models.Model):
    """An annotator's word that a dialogue should be looked at; it waits until a lead settles it.

    `key` is the category they chose, or empty: none of them.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    dialogue = models.ForeignKey(Dialogue, on_delete=models.PROTECT, related_name="reports")
    key = models.CharField(max_length=LONGEST_KEY, blank=True)
    note = models.TextField(blank=True)
    made_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="content_reports")
    made_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=choices(ReportOutcome), blank=True)
    settled_by = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_note = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dialogue", "made_by"],
                condition=Q(settled_at__isnull=True),
                name="annotation_report_open_once_each",
            ),
            models.CheckConstraint(
                condition=(
                    Q(outcome="", settled_at__isnull=True, settled_by__isnull=True)
                    | (
                        Q(outcome__in=list(ReportOutcome))
                        & Q(settled_at__isnull=False, settled_by__isnull=False)
                    )
                ),
                name="annotation_report_settled_says_how",
            ),
        ]

    def __str__(self) -> str:
        return f"report of {self.dialogue_id}"
