"""Reviews, to look at and never to change."""

from typing import ClassVar

from django.contrib import admin

from annotation.admin.base import ViewOnlyAdmin
from annotation.models.reviews import Review


@admin.register(Review)
class ReviewAdmin(ViewOnlyAdmin[Review]):
    project_path: ClassVar[str] = "batch__project"
    list_display = ("public_id", "batch", "number", "judgment", "reviewer", "outcome", "created_at")
    list_filter = ("outcome", ("batch", admin.RelatedOnlyFieldListFilter))
    search_fields = ("public_id", "reviewer__pseudonym", "note")
    ordering = ("-created_at", "-pk")
    list_select_related = ("batch", "judgment", "reviewer")
