"""What annotators ask the lead from within an item, and the answers."""

from typing import Self

from django.db import models
from django.db.models import Q

from annotation.models.assignments import Assignment
from annotation.models.content import Response
from annotation.models.projects import Member, Project, new_public_id
from annotation.models.rubric import Dimension


class LeadQuestionQuerySet(models.QuerySet["LeadQuestion"]):
    def of_project(self, project: Project) -> Self:
        return self.filter(assignment__item__batch__project=project)

    def asked_by(self, member: Member) -> Self:
        return self.filter(assignment__member=member)

    def open(self) -> Self:
        return self.filter(answered_at=None)


class LeadQuestion(models.Model):
    """One question about an item: the whole, a turn (`depth`), or one answer of it (`response`).

    With a `response` and no `depth` it is about the whole side that the response ends. `key` is
    the page's name for one sending, so that a lost reply asks nothing twice. `note_in` is the
    version of the guideline in which the answer became a note.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="questions")
    key = models.CharField(max_length=64)
    depth = models.PositiveSmallIntegerField(null=True, blank=True)
    response = models.ForeignKey(
        Response, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    dimension = models.ForeignKey(
        Dimension, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    text = models.TextField()
    asked_at = models.DateTimeField()
    answer = models.TextField(blank=True)
    answered_by = models.ForeignKey(
        Member, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    answered_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    note_in = models.PositiveSmallIntegerField(null=True, blank=True)

    objects = LeadQuestionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["assignment", "key"], name="annotation_leadquestion_sent_once"
            ),
            models.CheckConstraint(condition=~Q(text=""), name="annotation_leadquestion_has_text"),
            models.CheckConstraint(
                condition=(
                    Q(answer="", answered_by=None, answered_at=None)
                    | (~Q(answer="") & Q(answered_by__isnull=False, answered_at__isnull=False))
                ),
                name="annotation_leadquestion_answer_whole",
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=False) | Q(seen_at=None, note_in=None),
                name="annotation_leadquestion_answered_first",
            ),
        ]
        indexes = [
            models.Index(
                fields=["assignment"],
                condition=Q(answered_at=None),
                name="annotation_leadquestion_open",
            ),
        ]

    def __str__(self) -> str:
        return f"question of {self.assignment_id}"
