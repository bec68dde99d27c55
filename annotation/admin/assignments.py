"""Seats, assignments, drafts and holds, to look at."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.actions.judgments import admit_surplus
from annotation.admin.base import ViewOnlyAdmin, act_on_each
from annotation.choices import AssignmentState, SkipReason
from annotation.models.assignments import Assignment, Draft, Hold, Seat
from annotation.models.projects import Member


@admin.register(Seat)
class SeatAdmin(ViewOnlyAdmin[Seat]):
    project_path: ClassVar[str] = "item__batch__project"
    list_display = ("pk", "item", "number", "purpose", "state", "shown_first")
    list_filter = ("state", "purpose", ("item__batch", admin.RelatedOnlyFieldListFilter))
    search_fields = ("item__public_id", "item__batch__slug")
    ordering = ("item", "number")
    list_select_related = ("item",)


@admin.register(Assignment)
class AssignmentAdmin(ViewOnlyAdmin[Assignment]):
    project_path: ClassVar[str] = "item__batch__project"
    list_display = (
        "public_id",
        "item",
        "member",
        "state",
        "seat",
        "lease_until",
        "submitted_at",
        "skip_reason",
        "flagged_at",
    )
    list_filter = (
        "state",
        "skip_reason",
        ("flagged_at", admin.EmptyFieldListFilter),
        ("item__batch", admin.RelatedOnlyFieldListFilter),
    )
    search_fields = ("public_id", "member__pseudonym", "item__public_id", "flag_note", "skip_note")
    ordering = ("-claimed_at", "-pk")
    date_hierarchy = "claimed_at"
    list_select_related = ("item", "member", "seat")
    actions = ("admit_chosen",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Assignment]:
        """Leave out who would rather not: that is theirs, and nobody counts it."""
        return (
            super()
            .get_queryset(request)
            .exclude(state=AssignmentState.SKIPPED, skip_reason=SkipReason.RATHER_NOT)
        )

    @admin.action(description=gettext_lazy("Admit late work to an extra seat"))
    def admit_chosen(self, request: HttpRequest, chosen: QuerySet[Assignment]) -> None:
        def admit(assignment: Assignment, lead: Member) -> None:
            admit_surplus(assignment, by=lead, now=timezone.now())

        act_on_each(request, chosen, admit, done=_("%(count)s admitted."))


@admin.register(Draft)
class DraftAdmin(ViewOnlyAdmin[Draft]):
    """That there is a draft, and since when; what stands in it is its writer's until submitted."""

    project_path: ClassVar[str] = "assignment__item__batch__project"
    list_display = ("assignment", "version", "saved_at")
    search_fields = ("assignment__public_id", "assignment__member__pseudonym")
    ordering = ("-saved_at", "-pk")
    list_select_related = ("assignment",)
    fields = ("assignment", "version", "saved_at")


@admin.register(Hold)
class HoldAdmin(ViewOnlyAdmin[Hold]):
    project_path: ClassVar[str] = "assignment__item__batch__project"
    list_display = ("assignment", "made_at", "until")
    search_fields = ("assignment__public_id", "assignment__member__pseudonym")
    ordering = ("-made_at", "-pk")
    list_select_related = ("assignment",)
