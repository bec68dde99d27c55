"""Exports in the admin, to look at; they are started on their page."""

from django.contrib import admin

from annotation.admin.base import ViewOnlyAdmin
from annotation.models.exports import Export


@admin.register(Export)
class ExportAdmin(ViewOnlyAdmin[Export]):
    list_display = (
        "public_id",
        "state",
        "progress",
        "total",
        "snapshot",
        "created_by",
        "created_at",
        "finished_at",
    )
    list_filter = ("state",)
    search_fields = ("public_id", "sha256")
    ordering = ("-created_at", "-pk")
    list_select_related = ("created_by",)
