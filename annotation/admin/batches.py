"""Batches in the admin: made with a preview, opened, paused, closed, reopened; their items."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.actions import batches as actions
from annotation.actions.participations import pause_member, resume_member, waive_qualification
from annotation.admin.base import (
    ViewOnlyAdmin,
    ViewOnlyInline,
    act_on_each,
    acting_lead,
    form_page,
    lead_of,
)
from annotation.errors import AnnotationError
from annotation.forms.batches import BatchForm, BatchMembersForm, OverlapForm
from annotation.forms.quality import PauseForm
from annotation.forms.voids import ReasonForm
from annotation.models.assignments import Seat
from annotation.models.batches import Batch, Item, Participation
from annotation.models.expressions import RowCount
from annotation.models.projects import Member
from annotation.reports.batches import preview_batch


class ParticipationInline(ViewOnlyInline):
    model = Participation
    show_change_link = False
    fields = ("member", "paused_at", "pause_reason")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Participation]:
        return super().get_queryset(request).select_related("member")


@admin.register(Batch)
class BatchAdmin(ViewOnlyAdmin[Batch]):
    """The list of batches; a new one is planned, previewed and then made as a draft."""

    change_form_template = "admin/annotation/batch/change_form.html"
    list_display = (
        "slug",
        "title",
        "kind",
        "purpose",
        "state",
        "item_count",
        "member_count",
        "created_at",
        "opened_at",
        "closed_at",
    )
    list_filter = ("state", "kind", "purpose", "project")
    search_fields = ("slug", "title")
    ordering = ("-created_at", "-pk")
    date_hierarchy = "created_at"
    list_select_related = ("project",)
    inlines = (ParticipationInline,)
    actions = ("open_chosen", "pause_chosen", "close_chosen", "reopen_chosen", "discard_chosen")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and lead_of(request) is not None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                item_total=RowCount(Item.objects.filter(batch=OuterRef("pk"))),
                member_total=RowCount(Participation.objects.filter(batch=OuterRef("pk"))),
            )
        )

    @admin.display(description=gettext_lazy("items"), ordering="item_total")
    def item_count(self, batch: Batch) -> int:
        return int(getattr(batch, "item_total", 0))

    @admin.display(description=gettext_lazy("members"), ordering="member_total")
    def member_count(self, batch: Batch) -> int:
        return int(getattr(batch, "member_total", 0))

    @admin.action(description=gettext_lazy("Open, or let paused ones go on"))
    def open_chosen(self, request: HttpRequest, chosen: QuerySet[Batch]) -> None:
        self._each(request, chosen, actions.open_batch, gettext_lazy("%(count)s opened."))

    @admin.action(description=gettext_lazy("Pause"))
    def pause_chosen(self, request: HttpRequest, chosen: QuerySet[Batch]) -> None:
        self._each(request, chosen, actions.pause_batch, gettext_lazy("%(count)s paused."))

    @admin.action(description=gettext_lazy("Close"))
    def close_chosen(self, request: HttpRequest, chosen: QuerySet[Batch]) -> None:
        self._each(request, chosen, actions.close_batch, gettext_lazy("%(count)s closed."))

    @admin.action(description=gettext_lazy("Reopen"))
    def reopen_chosen(self, request: HttpRequest, chosen: QuerySet[Batch]) -> None:
        self._each(request, chosen, actions.reopen_batch, gettext_lazy("%(count)s reopened."))

    @admin.action(description=gettext_lazy("Discard drafts"))
    def discard_chosen(self, request: HttpRequest, chosen: QuerySet[Batch]) -> None:
        def discard(batch: Batch, lead: Member) -> None:
            actions.discard_batch(batch, by=lead)

        act_on_each(request, chosen, discard, done=_("%(count)s discarded."))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/members/", view(self.add_members), name="annotation_batch_members"),
            path("<int:pk>/overlap/", view(self.set_overlap), name="annotation_batch_overlap"),
            *super().get_urls(),
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Plan a batch, see what it would be, then make it."""
        lead = lead_of(request)
        if lead is None or not self.has_add_permission(request):
            raise PermissionDenied
        form = BatchForm(request.POST or None, project=lead.project)
        page: dict[str, Any] = {
            "title": _("New batch"),
            "submit": _("Preview"),
            "template": "admin/annotation/batch/add_form.html",
        }
        if request.method != "POST":
            return form_page(request, self, form, **page)
        if not form.is_valid():
            return form_page(request, self, form, status=422, **page)
        plan = form.plan()
        # What is made is what was previewed: a form changed in between is previewed again.
        entered = _digest(request.POST)
        if "_make" in request.POST and request.POST.get("_previewed") == entered:
            try:
                batch = actions.create_batch(plan, by=lead, now=timezone.now())
            except AnnotationError as refused:
                form.add_error(None, str(refused))
                return form_page(request, self, form, status=422, **page)
            messages.success(
                request,
                _("%(batch)s is made, as a draft. Open it when it is ready.") % {"batch": batch},
            )
            return redirect("admin:annotation_batch_change", batch.pk)
        return form_page(
            request, self, form, preview=preview_batch(plan), previewed=entered, **page
        )

    def add_members(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let more members work in the batch."""
        batch = self._batch(request, pk)
        form = BatchMembersForm(request.POST or None, batch=batch)

        def act(lead: Member) -> str:
            chosen = form.cleaned_data["members"]
            count = actions.add_members(batch, chosen, by=lead, now=timezone.now())
            return _("Members added: %(count)s.") % {"count": count}

        return self._act(request, batch, form, act, _("Add members to %(batch)s"))

    def set_overlap(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Raise or lower how many independent judgments each item needs."""
        batch = self._batch(request, pk)
        initial = {"overlap": batch.parsed_settings().overlap}
        form = OverlapForm(request.POST or None, initial=initial)

        def act(lead: Member) -> str:
            overlap = form.cleaned_data["overlap"]
            change = actions.set_overlap(batch, overlap, by=lead, now=timezone.now())
            return _(
                "Seats added: %(added)s, closed: %(closed)s, still taken above it: %(taken)s."
            ) % {"added": change.added, "closed": change.closed, "taken": change.still_taken}

        return self._act(request, batch, form, act, _("Overlap of %(batch)s"))

    def _batch(self, request: HttpRequest, pk: int) -> Batch:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return get_object_or_404(self.get_queryset(request).select_related("project"), pk=pk)

    def _act(
        self,
        request: HttpRequest,
        batch: Batch,
        form: BatchMembersForm | OverlapForm,
        act: Callable[[Member], str],
        title: str,
    ) -> HttpResponse:
        page = {"title": title % {"batch": batch}, "submit": _("Keep")}
        if request.method == "POST" and form.is_valid():
            try:
                done = act(acting_lead(request))
            except AnnotationError as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(request, done)
                return redirect("admin:annotation_batch_change", batch.pk)
        return form_page(request, self, form, status=422 if form.errors else 200, **page)

    def _each(
        self,
        request: HttpRequest,
        chosen: QuerySet[Batch],
        step: Callable[..., Batch],
        done: Promise,
    ) -> None:
        def act(batch: Batch, lead: Member) -> None:
            step(batch, by=lead, now=timezone.now())

        act_on_each(request, chosen, act, done=str(done))


@admin.register(Participation)
class ParticipationAdmin(ViewOnlyAdmin[Participation]):
    project_path: ClassVar[str] = "batch__project"
    list_display = (
        "batch",
        "member",
        "paused_at",
        "pause_reason",
        "waived_at",
        "waive_reason",
    )
    list_filter = (
        ("paused_at", admin.EmptyFieldListFilter),
        ("waived_at", admin.EmptyFieldListFilter),
        ("batch", admin.RelatedOnlyFieldListFilter),
    )
    search_fields = ("batch__slug", "member__pseudonym")
    ordering = ("batch", "member__pseudonym", "pk")
    list_select_related = ("batch", "member")
    actions = ("pause_chosen", "resume_chosen", "waive_chosen")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/pause/", view(self.pause_view), name="annotation_participation_pause"),
            path("<int:pk>/waive/", view(self.waive_view), name="annotation_participation_waive"),
            *super().get_urls(),
        ]

    @admin.action(description=gettext_lazy("Pause (one person)"))
    def pause_chosen(
        self, request: HttpRequest, chosen: QuerySet[Participation]
    ) -> HttpResponse | None:
        return self._say_why(request, chosen, "pause")

    @admin.action(description=gettext_lazy("Waive the qualification (one person)"))
    def waive_chosen(
        self, request: HttpRequest, chosen: QuerySet[Participation]
    ) -> HttpResponse | None:
        return self._say_why(request, chosen, "waive")

    def _say_why(
        self, request: HttpRequest, chosen: QuerySet[Participation], step: str
    ) -> HttpResponse | None:
        if len(chosen) != 1:
            messages.error(request, _("Choose one person in one batch."))
            return None
        return redirect(f"admin:annotation_participation_{step}", chosen[0].pk)

    @admin.action(description=gettext_lazy("Let go on"))
    def resume_chosen(self, request: HttpRequest, chosen: QuerySet[Participation]) -> None:
        def resume(one: Participation, lead: Member) -> None:
            resume_member(one.member, batch=one.batch, by=lead, now=timezone.now())

        act_on_each(request, chosen, resume, done=_("%(count)s go on."))

    def pause_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Pause a person in the batch, or everywhere, saying why."""
        if lead_of(request) is None:
            raise PermissionDenied
        one = get_object_or_404(self.get_queryset(request), pk=pk)
        form = PauseForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                pause_member(
                    one.member,
                    reason=form.cleaned_data["reason"],
                    batch=None if form.cleaned_data["everywhere"] else one.batch,
                    by=acting_lead(request),
                    now=timezone.now(),
                )
            except AnnotationError as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(
                    request, _("%(person)s is paused and reads why.") % {"person": one.member}
                )
                return redirect("admin:annotation_participation_changelist")
        title = _("Pause %(person)s in %(batch)s") % {"person": one.member, "batch": one.batch}
        status = 422 if form.errors else 200
        return form_page(request, self, form, title=title, submit=_("Pause"), status=status)

    def waive_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let a person work in the batch without the qualification it asks, saying why."""
        if lead_of(request) is None:
            raise PermissionDenied
        one = get_object_or_404(self.get_queryset(request), pk=pk)
        told = {"person": one.member, "batch": one.batch}
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason, now = form.cleaned_data["reason"], timezone.now()
            try:
                waive_qualification(
                    one.member, batch=one.batch, reason=reason, by=acting_lead(request), now=now
                )
            except AnnotationError as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(
                    request,
                    _("%(person)s may work in %(batch)s without the qualification.") % told,
                )
                return redirect("admin:annotation_participation_changelist")
        title = _("Waive the qualification for %(person)s in %(batch)s") % told
        status = 422 if form.errors else 200
        return form_page(request, self, form, title=title, submit=_("Waive"), status=status)


def _digest(entered: QueryDict) -> str:
    """Return a digest of what was entered, without the page's own fields."""
    own = {"csrfmiddlewaretoken", "_make", "_preview", "_previewed"}
    fields = sorted((name, values) for name, values in entered.lists() if name not in own)
    return sha256(repr(fields).encode()).hexdigest()


class ParkedFilter(admin.SimpleListFilter):
    """Items that three people skipped, or that may be corrected in a closed batch."""

    title = gettext_lazy("waiting")
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("parked", gettext_lazy("parked")), ("reopened", gettext_lazy("reopened"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Item]) -> QuerySet[Item]:
        if self.value() == "parked":
            return queryset.filter(parked_at__isnull=False)
        if self.value() == "reopened":
            return queryset.filter(reopened_at__isnull=False)
        return queryset


class SeatInline(ViewOnlyInline):
    model = Seat
    show_change_link = False
    fields = ("number", "purpose", "state", "shown_first")
    ordering = ("number",)


@admin.register(Item)
class ItemAdmin(ViewOnlyAdmin[Item]):
    project_path: ClassVar[str] = "batch__project"
    list_display = (
        "public_id",
        "batch",
        "position",
        "dialogue",
        "fork_depth",
        "minutes",
        "parked_at",
        "reopened_at",
        "repeat_of",
    )
    list_filter = (ParkedFilter, ("batch", admin.RelatedOnlyFieldListFilter))
    search_fields = ("public_id", "batch__slug", "dialogue__public_id", "dialogue__title")
    ordering = ("batch", "position")
    list_select_related = ("batch", "dialogue", "repeat_of")
    inlines = (SeatInline,)
    actions = ("offer_again", "reopen_chosen", "add_extra_seat")

    @admin.display(description=gettext_lazy("minutes"))
    def minutes(self, item: Item) -> float | None:
        minutes: float | None = item.counts.get("minutes")
        return minutes

    @admin.action(description=gettext_lazy("Offer parked items again"))
    def offer_again(self, request: HttpRequest, chosen: QuerySet[Item]) -> None:
        self._together(
            request, chosen, actions.offer_again, gettext_lazy("Items offered again: %s.")
        )

    @admin.action(description=gettext_lazy("Reopen for correction (closed batch)"))
    def reopen_chosen(self, request: HttpRequest, chosen: QuerySet[Item]) -> None:
        self._together(request, chosen, actions.reopen_items, gettext_lazy("Items reopened: %s."))

    @admin.action(description=gettext_lazy("Add an extra seat to each"))
    def add_extra_seat(self, request: HttpRequest, chosen: QuerySet[Item]) -> None:
        self._together(request, chosen, actions.add_seats, gettext_lazy("Extra seats added: %s."))

    def _together(
        self, request: HttpRequest, chosen: QuerySet[Item], act: Callable[..., int], done: Promise
    ) -> None:
        try:
            count = act(chosen.select_related("batch"), by=acting_lead(request), now=timezone.now())
        except AnnotationError as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, str(done) % count)
