"""Evidence, to look at and never to change."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from annotation.admin.base import ViewOnlyAdmin, ViewOnlyInline
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
