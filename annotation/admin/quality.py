"""Known answers, to look at and never to change."""

from typing import ClassVar

from django.contrib import admin

from annotation.admin.base import ViewOnlyAdmin
from annotation.models.quality import GoldAnswer


@admin.register(GoldAnswer)
class GoldAnswerAdmin(ViewOnlyAdmin[GoldAnswer]):
    project_path: ClassVar[str] = "batch__project"
    list_display = (
        "item",
        "batch",
        "number",
        "dimension",
        "response",
        "score",
        "tolerance",
        "outcome",
    )
    list_filter = (("batch", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("item__public_id", "batch__slug")
    ordering = ("batch", "number")
    list_select_related = ("item", "batch", "dimension", "response")
