"""Reviews and who has seen others' judgments, to look at and never to change."""

from typing import ClassVar

from django.contrib import admin

from annotation.admin.base import ViewOnlyAdmin
from annotation.models.reviews import Review, Sight


@admin.register(Review)
class ReviewAdmin(ViewOnlyAdmin[Review]):
    project_path: ClassVar[str] = "batch__project"
    list_display = ("public_id", "batch", "number", "judgment", "reviewer", "outcome", "created_at")
    list_filter = ("outcome", ("batch", admin.RelatedOnlyFieldListFilter))
    search_fields = ("public_id", "reviewer__pseudonym", "note")
    ordering = ("-created_at", "-pk")
    list_select_related = ("batch", "judgment", "reviewer")


@admin.register(Sight)
class SightAdmin(ViewOnlyAdmin[Sight]):
    project_path: ClassVar[str] = "batch__project"
    list_display = ("member", "batch", "item", "seen_others_at")
    list_filter = (("batch", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("member__pseudonym",)
    ordering = ("-seen_others_at", "-pk")
    list_select_related = ("member", "batch", "item")
