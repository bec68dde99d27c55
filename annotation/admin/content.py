"""Dialogues and what they are made of, to look at."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy

from annotation.admin.base import ViewOnlyAdmin, ViewOnlyInline, lead_of
from annotation.models.content import Dialogue, Image, Record, Response, Slot, Turn, Variant
from annotation.models.expressions import RowCount

SHORT = 80


class TurnInline(ViewOnlyInline):
    model = Turn
    fields = ("depth", "prompt", "external_id")
    ordering = ("depth", "pk")


@admin.register(Dialogue)
class DialogueAdmin(ViewOnlyAdmin[Dialogue]):
    list_display = (
        "public_id",
        "title",
        "task",
        "source",
        "language",
        "marks",
        "held_back_at",
        "turn_count",
        "response_count",
        "imported_in",
        "created_at",
    )
    list_filter = (
        "task",
        "source",
        "language",
        ("held_back_at", admin.EmptyFieldListFilter),
        ("imported_in", admin.RelatedOnlyFieldListFilter),
    )
    search_fields = ("public_id", "external_id", "title", "turns__prompt")
    ordering = ("-created_at", "-pk")
    list_select_related = ("imported_in",)
    inlines = (TurnInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dialogue]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                turn_total=RowCount(Turn.objects.filter(dialogue=OuterRef("pk"))),
                response_total=RowCount(Response.objects.filter(dialogue=OuterRef("pk"))),
            )
        )

    @admin.display(description=gettext_lazy("turns"), ordering="turn_total")
    def turn_count(self, dialogue: Any) -> int:
        return int(dialogue.turn_total)

    @admin.display(description=gettext_lazy("responses"), ordering="response_total")
    def response_count(self, dialogue: Any) -> int:
        return int(dialogue.response_total)


class SlotInline(ViewOnlyInline):
    model = Slot
    fields = ("position", "state", "kind", "caption", "name", "problem", "image")
    ordering = ("position",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Slot]:
        return super().get_queryset(request).select_related("image")


@admin.register(Turn)
class TurnAdmin(ViewOnlyAdmin[Turn]):
    project_path: ClassVar[str] = "dialogue__project"
    list_display = ("public_id", "dialogue", "depth", "start")
    search_fields = ("public_id", "external_id", "prompt")
    list_filter = ("depth",)
    ordering = ("dialogue", "depth", "pk")
    list_select_related = ("dialogue",)
    inlines = (SlotInline,)

    @admin.display(description=gettext_lazy("prompt"))
    def start(self, turn: Turn) -> str:
        return Truncator(turn.prompt).chars(SHORT)


@admin.register(Response)
class ResponseAdmin(ViewOnlyAdmin[Response]):
    project_path: ClassVar[str] = "dialogue__project"
    list_display = ("public_id", "dialogue", "depth", "start", "ends_record")
    search_fields = ("public_id", "external_id", "text")
    list_filter = ("depth", "ends_record")
    ordering = ("dialogue", "depth", "pk")
    list_select_related = ("dialogue",)
    inlines = (SlotInline,)

    @admin.display(description=gettext_lazy("text"))
    def start(self, response: Response) -> str:
        return Truncator(response.text).chars(SHORT)


@admin.register(Record)
class RecordAdmin(ViewOnlyAdmin[Record]):
    project_path: ClassVar[str] = "imported_in__project"
    list_display = ("file", "position", "outcome", "external_id", "dialogue", "imported_in")
    list_filter = ("outcome", ("imported_in", admin.RelatedOnlyFieldListFilter))
    search_fields = ("file", "external_id", "dialogue__public_id")
    ordering = ("imported_in", "file", "position")
    list_select_related = ("dialogue", "imported_in")


@admin.register(Slot)
class SlotAdmin(ViewOnlyAdmin[Slot]):
    """Slots of responses and prompts; a lead looks for the missing and the broken here."""

    list_display = ("pk", "owner", "position", "state", "kind", "name", "problem", "image")
    list_filter = ("state", "kind")
    search_fields = ("name", "caption", "image__sha256")
    ordering = ("pk",)
    list_select_related = ("turn", "response", "image")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Slot]:
        rows = admin.ModelAdmin.get_queryset(self, request)
        return rows if request.user.is_superuser else self._of_project(request, rows)

    @admin.display(description=gettext_lazy("stands in"))
    def owner(self, slot: Slot) -> str:
        return str(slot.turn or slot.response)

    def _of_project(self, request: HttpRequest, rows: QuerySet[Slot]) -> QuerySet[Slot]:
        lead = lead_of(request)
        if lead is None:
            return rows.none()
        return rows.filter(
            Q(turn__dialogue__project=lead.project_id)
            | Q(response__dialogue__project=lead.project_id)
        )


@admin.register(Image)
class ImageAdmin(ViewOnlyAdmin[Image]):
    list_display = ("sha256", "mime", "width", "height", "byte_size")
    list_filter = ("mime",)
    search_fields = ("sha256", "pixel_sha256")
    ordering = ("pk",)


@admin.register(Variant)
class VariantAdmin(ViewOnlyAdmin[Variant]):
    """Pictures of records that show other pixels than the slot they belong to."""

    project_path: ClassVar[str] = "image__project"
    list_display = ("slot", "image", "record")
    search_fields = ("image__sha256", "record__file")
    ordering = ("pk",)
    list_select_related = ("slot", "image", "record")
