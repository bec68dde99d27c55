"""Evidence, to look at and never to change."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from annotation.actions.gold import gold_from_judgment
from annotation.admin.base import (
    ViewOnlyAdmin,
    ViewOnlyInline,
    acting_lead,
    form_page,
    lead_of,
)
from annotation.errors import AnnotationError
from annotation.forms.quality import GoldFromJudgmentForm
from annotation.models.judgments import Judgment, Preference, Rating, Remark


class RatingInline(ViewOnlyInline):
    model = Rating
    fields = ("dimension", "response", "score", "not_applicable", "origin", "branch", "reason")
    ordering = ("dimension__position", "response__depth", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rating]:
        return super().get_queryset(request).select_related("dimension", "response")


class PreferenceInline(ViewOnlyInline):
    model = Preference
    fields = ("scope", "dimension", "outcome", "preferred", "strength", "origin", "contradiction")
    ordering = ("scope", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Preference]:
        return super().get_queryset(request).select_related("dimension", "preferred")


class RemarkInline(ViewOnlyInline):
    model = Remark
    fields = ("kind", "response", "text", "language")
    ordering = ("kind", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Remark]:
        return super().get_queryset(request).select_related("response")


@admin.register(Judgment)
class JudgmentAdmin(ViewOnlyAdmin[Judgment]):
    project_path: ClassVar[str] = "batch__project"
    list_display = (
        "public_id",
        "batch",
        "number",
        "item",
        "member",
        "revision",
        "cause",
        "shown_first",
        "saw_others",
        "submitted_at",
    )
    list_filter = ("cause", "saw_others", ("batch", admin.RelatedOnlyFieldListFilter))
    search_fields = ("public_id", "member__pseudonym", "item__public_id", "batch__slug")
    ordering = ("-submitted_at", "-pk")
    date_hierarchy = "submitted_at"
    list_select_related = ("batch", "item", "member")
    inlines = (RatingInline, PreferenceInline, RemarkInline)
    actions = ("make_gold",)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.gold_view)
        return [path("<int:pk>/gold/", view, name="annotation_judgment_gold"), *super().get_urls()]

    @admin.action(description=gettext_lazy("Make known answers of it (one judgment)"))
    def make_gold(self, request: HttpRequest, chosen: QuerySet[Judgment]) -> HttpResponse | None:
        if len(chosen) != 1:
            messages.error(request, _("Choose one judgment."))
            return None
        return redirect("admin:annotation_judgment_gold", chosen[0].pk)

    def gold_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Choose the dimensions on which what the judgment says becomes known."""
        if lead_of(request) is None:
            raise PermissionDenied
        judgment = get_object_or_404(
            self.get_queryset(request).select_related("item__batch__rubric"), pk=pk
        )
        form = GoldFromJudgmentForm(request.POST or None, judgment=judgment)
        if request.method == "POST" and form.is_valid():
            try:
                rows = gold_from_judgment(
                    judgment, by=acting_lead(request), now=timezone.now(), **form.cleaned_data
                )
            except AnnotationError as refused:
                form.add_error(None, str(refused))
            else:
                said = ngettext(
                    "%(count)s known answer to the item is kept.",
                    "%(count)s known answers to the item are kept.",
                    len(rows),
                )
                messages.success(request, said % {"count": len(rows)})
                return redirect("admin:annotation_goldanswer_changelist")
        title = _("Known answers from %(judgment)s") % {"judgment": judgment}
        status = 422 if form.errors else 200
        return form_page(request, self, form, title=title, submit=_("Keep"), status=status)


class _PartAdmin(ViewOnlyAdmin[Any]):
    """A part of a judgment."""

    project_path: ClassVar[str] = "judgment__batch__project"
    ordering = ("-judgment__submitted_at", "-pk")


@admin.register(Rating)
class RatingAdmin(_PartAdmin):
    list_display = ("judgment", "dimension", "response", "score", "not_applicable", "origin")
    list_filter = (
        "score",
        "origin",
        "not_applicable",
        ("dimension", admin.RelatedOnlyFieldListFilter),
        ("judgment__batch", admin.RelatedOnlyFieldListFilter),
    )
    search_fields = ("reason", "response__public_id", "judgment__member__pseudonym")
    list_select_related = ("judgment", "dimension", "response")


@admin.register(Preference)
class PreferenceAdmin(_PartAdmin):
    list_display = ("judgment", "scope", "dimension", "outcome", "preferred", "strength", "origin")
    list_filter = (
        "scope",
        "outcome",
        "contradiction",
        ("judgment__batch", admin.RelatedOnlyFieldListFilter),
    )
    search_fields = ("preferred__public_id", "judgment__member__pseudonym")
    list_select_related = ("judgment", "dimension", "preferred")


@admin.register(Remark)
class RemarkAdmin(_PartAdmin):
    list_display = ("judgment", "kind", "response", "language", "text")
    list_filter = ("kind", "language", ("judgment__batch", admin.RelatedOnlyFieldListFilter))
    search_fields = ("text", "judgment__member__pseudonym")
    list_select_related = ("judgment", "response")
