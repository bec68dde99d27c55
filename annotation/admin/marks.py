"""Content marks and reports: to look at, to end or settle, and marking all dialogues again."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.actions.content_reports import settle_reports
from annotation.actions.marks import end_mark, request_run
from annotation.admin.base import ViewOnlyAdmin, act_on_each, acting_lead, form_page, lead_of
from annotation.choices import ReportOutcome
from annotation.errors import AnnotationError
from annotation.forms.sections import SectionedForm
from annotation.forms.voids import ReasonForm
from annotation.models.marks import ContentReport, Mark, MarkRun
from annotation.models.projects import Member
from annotation.tasks import send_mark_run


@admin.register(Mark)
class MarkAdmin(ViewOnlyAdmin[Mark]):
    list_display = (
        "key",
        "dialogue",
        "slot",
        "origin",
        "detail",
        "made_by",
        "made_at",
        "stands",
    )
    list_filter = ("key", "origin", ("ended_at", admin.EmptyFieldListFilter))
    search_fields = ("key", "detail", "dialogue__public_id", "dialogue__title")
    ordering = ("-number",)
    list_select_related = ("dialogue", "slot", "made_by", "ended_by")

    def get_urls(self) -> list[URLPattern]:
        end_view = self.admin_site.admin_view(self.end_view)
        return [path("<int:pk>/end/", end_view, name="annotation_mark_end"), *super().get_urls()]

    @admin.display(description=gettext_lazy("stands"))
    def stands(self, mark: Mark) -> str:
        if mark.ended_at is None:
            url = reverse("admin:annotation_mark_end", args=[mark.pk])
            return format_html('<a href="{}">{}</a>', url, _("take away…"))
        return mark.ended_why or _("ended: its word is on the list no more")

    def end_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a wrong mark away."""
        if not self.has_view_permission(request) or lead_of(request) is None:
            raise PermissionDenied
        mark = get_object_or_404(self.get_queryset(request), pk=pk)
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                why = form.cleaned_data["reason"]
                end_mark(mark, by=acting_lead(request), why=why, now=timezone.now())
            except AnnotationError as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(request, _("The mark is taken away."))
                return redirect("admin:annotation_mark_changelist")
        title = _("Take away: %(mark)s") % {"mark": mark}
        status = 422 if form.errors else 200
        return form_page(request, self, form, title=title, submit=_("Take away"), status=status)


def _by_at(member: Member, at: datetime) -> str:
    """Return who and when, in one column instead of two."""
    return f"{member}, {date_format(localtime(at), 'SHORT_DATETIME_FORMAT')}"


@admin.register(MarkRun)
class MarkRunAdmin(ViewOnlyAdmin[MarkRun]):
    """Adding one has all stored dialogues marked again by the word lists, by a worker."""

    list_display = (
        "public_id",
        "state",
        "progress",
        "total",
        "added",
        "ended",
        "error",
        "created_by",
        "created_at",
        "finished_at",
    )
    list_filter = ("state",)
    ordering = ("-created_at", "-pk")
    list_select_related = ("created_by",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and lead_of(request) is not None

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Ask once more before everything is gone through."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            try:
                lead = acting_lead(request)
                run = request_run(lead.project, by=lead, now=timezone.now())
            except AnnotationError as refused:
                messages.error(request, str(refused))
            else:
                send_mark_run(run.pk)
                messages.success(request, _("A worker goes through all dialogues now."))
            return redirect("admin:annotation_markrun_changelist")
        title = _("Mark all stored dialogues by the word lists")
        return form_page(request, self, SectionedForm(), title=title, submit=_("Mark them"))


@admin.register(ContentReport)
class ContentReportAdmin(ViewOnlyAdmin[ContentReport]):
    project_path: ClassVar[str] = "dialogue__project"
    list_display = ("dialogue", "key", "note", "made", "settled")
    list_filter = (("settled_at", admin.EmptyFieldListFilter), "outcome", "key")
    search_fields = ("public_id", "note", "dialogue__public_id", "made_by__pseudonym")
    ordering = ("settled_at", "made_at", "pk")
    list_select_related = ("dialogue", "made_by", "settled_by")
    actions = ("put_back", "mark", "withdraw")

    class Media:
        css: ClassVar[dict[str, tuple[str, ...]]] = {"all": ("annotation/admin.css",)}

    @admin.display(description=gettext_lazy("made by"), ordering="made_at")
    def made(self, report: ContentReport) -> str:
        return _by_at(report.made_by, report.made_at)

    @admin.display(description=gettext_lazy("outcome"), ordering="settled_at")
    def settled(self, report: ContentReport) -> str:
        if report.settled_by is None or report.settled_at is None:
            return ""
        how = report.get_outcome_display()
        told = f"{how}, {_by_at(report.settled_by, report.settled_at)}"
        return f"{told}: {report.settled_note}" if report.settled_note else told

    @admin.action(description=gettext_lazy("Put the dialogues back"))
    def put_back(self, request: HttpRequest, chosen: QuerySet[ContentReport]) -> None:
        self._settle(request, chosen, ReportOutcome.PUT_BACK, _("%(count)s put back."))

    @admin.action(description=gettext_lazy("Mark the dialogues as reported and put them back"))
    def mark(self, request: HttpRequest, chosen: QuerySet[ContentReport]) -> None:
        self._settle(request, chosen, ReportOutcome.MARKED, _("%(count)s marked."))

    @admin.action(description=gettext_lazy("Withdraw the dialogues, with the report as the reason"))
    def withdraw(self, request: HttpRequest, chosen: QuerySet[ContentReport]) -> None:
        self._settle(request, chosen, ReportOutcome.WITHDRAWN, _("%(count)s withdrawn."))

    def _settle(
        self,
        request: HttpRequest,
        chosen: QuerySet[ContentReport],
        outcome: ReportOutcome,
        done: str,
    ) -> None:
        """Settle each dialogue once, however many of its reports are chosen."""
        by_dialogue = {report.dialogue_id: report for report in chosen}

        def settle(report: ContentReport, lead: Member) -> None:
            note = f"{report.key} {report.note}".strip() if outcome == "withdrawn" else ""
            settle_reports(report.dialogue, outcome, by=lead, note=note, now=timezone.now())

        act_on_each(request, by_dialogue.values(), settle, done=done)
