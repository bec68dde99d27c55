"""Computed figures and model runs, to look at."""

from typing import ClassVar

from django.contrib import admin

from annotation.admin.base import ViewOnlyAdmin
from annotation.models.figures import Figure
from annotation.models.model_judges import Run


@admin.register(Figure)
class FigureAdmin(ViewOnlyAdmin[Figure]):
    project_path: ClassVar[str] = "batch__project"
    list_display = ("batch", "kind", "number", "state", "attempt", "created_at", "finished_at")
    list_filter = ("kind", "state", ("batch", admin.RelatedOnlyFieldListFilter))
    search_fields = ("batch__slug",)
    ordering = ("-created_at", "-pk")
    list_select_related = ("batch",)


@admin.register(Run)
class RunAdmin(ViewOnlyAdmin[Run]):
    list_display = ("batch", "model", "number", "state", "attempt", "created_at", "finished_at")
    list_filter = ("model", "state", ("batch", admin.RelatedOnlyFieldListFilter))
    search_fields = ("batch__slug", "model")
    ordering = ("-created_at", "-pk")
    list_select_related = ("batch",)
