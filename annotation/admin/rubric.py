"""Rubrics, to look at: a published version is never changed."""

from typing import ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy

from annotation.admin.base import ViewOnlyAdmin, ViewOnlyInline
from annotation.models.rubric import Dimension, Rubric, ScalePoint
from annotation.reports.words import in_language


class DimensionInline(ViewOnlyInline):
    model = Dimension
    fields = ("position", "key", "code", "level", "image_rule", "reason")
    ordering = ("position",)


@admin.register(Rubric)
class RubricAdmin(ViewOnlyAdmin[Rubric]):
    list_display = ("slug", "version", "called", "published_at", "digest")
    search_fields = ("slug",)
    ordering = ("slug", "-version")
    inlines = (DimensionInline,)

    @admin.display(description=gettext_lazy("title"))
    def called(self, rubric: Rubric) -> str:
        return in_language(rubric.title)


class ScalePointInline(ViewOnlyInline):
    model = ScalePoint
    show_change_link = False
    fields = ("score", "in_order", "word", "meaning")
    ordering = ("score",)


@admin.register(Dimension)
class DimensionAdmin(ViewOnlyAdmin[Dimension]):
    project_path: ClassVar[str] = "rubric__project"
    list_display = ("key", "rubric", "code", "level", "called", "image_rule", "reason")
    list_filter = ("level", ("rubric", admin.RelatedOnlyFieldListFilter))
    search_fields = ("key", "code")
    ordering = ("rubric", "position")
    list_select_related = ("rubric",)
    inlines = (ScalePointInline,)

    @admin.display(description=gettext_lazy("name"))
    def called(self, dimension: Dimension) -> str:
        return in_language(dimension.name)


@admin.register(ScalePoint)
class ScalePointAdmin(ViewOnlyAdmin[ScalePoint]):
    project_path: ClassVar[str] = "dimension__rubric__project"
    list_display = ("dimension", "score", "in_order", "called")
    list_filter = ("in_order",)
    search_fields = ("dimension__key",)
    ordering = ("dimension", "score")
    list_select_related = ("dimension",)

    @admin.display(description=gettext_lazy("word"))
    def called(self, point: ScalePoint) -> str:
        return in_language(point.word)
