"""Questions to the lead, to look at."""

from typing import ClassVar

from django.contrib import admin
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy

from annotation.admin.base import ViewOnlyAdmin
from annotation.models.lead_questions import LeadQuestion


@admin.register(LeadQuestion)
class LeadQuestionAdmin(ViewOnlyAdmin[LeadQuestion]):
    project_path: ClassVar[str] = "assignment__item__batch__project"
    list_display = ("public_id", "start", "assignment", "asked_at", "answered_by", "answered_at")
    list_filter = (
        ("answered_at", admin.EmptyFieldListFilter),
        ("assignment__item__batch", admin.RelatedOnlyFieldListFilter),
    )
    search_fields = ("public_id", "text", "answer", "assignment__member__pseudonym")
    ordering = ("-asked_at", "-pk")
    date_hierarchy = "asked_at"
    list_select_related = ("assignment", "answered_by")

    @admin.display(description=gettext_lazy("text"))
    def start(self, question: LeadQuestion) -> str:
        return Truncator(question.text).chars(80)
