"""Imports in the admin: started with a small upload or a path, watched while they run."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.actions import jobs
from annotation.actions.import_jobs import request_import
from annotation.admin.base import ViewOnlyAdmin, acting_lead, form_page, lead_of
from annotation.choices import JobState
from annotation.errors import AnnotationError, Invalid
from annotation.forms.imports import ImportForm
from annotation.models.imports import Import
from annotation.reports.imports import import_progress
from annotation.tasks import send_import


@admin.register(Import)
class ImportAdmin(ViewOnlyAdmin[Import]):
    list_display = (
        "name",
        "state",
        "progress",
        "created_by",
        "created_at",
        "finished_at",
    )
    list_filter = ("state",)
    search_fields = ("name", "public_id")
    fields = (
        "name",
        "public_id",
        "options",
        "created_by",
        "created_at",
        "started_at",
        "finished_at",
    )
    ordering = ("-created_at", "-pk")
    list_select_related = ("created_by",)
    actions = ("retry",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and lead_of(request) is not None

    def get_urls(self) -> list[URLPattern]:
        """Add the part of the page that changes while an import runs."""
        progress = path(
            "<int:pk>/progress/",
            self.admin_site.admin_view(self.progress_view),
            name="annotation_import_progress",
        )
        return [progress, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Take an upload or a path and start the job."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ImportForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                job = request_import(form.wanted(), by=acting_lead(request), now=timezone.now())
            except Invalid as refused:
                for field, reason in refused.fields.items():
                    form.add_error(field if field in form.fields else None, reason)
                if not refused.fields:
                    form.add_error(None, str(refused))
            except AnnotationError as refused:
                form.add_error(None, str(refused))
            else:
                transaction.on_commit(partial(send_import, job.pk))
                return redirect("admin:annotation_import_change", job.pk)
        status = 422 if form.errors else 200
        title, submit = _("Import dialogues"), _("Start the import")
        return form_page(request, self, form, title=title, submit=submit, status=status)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the import with its progress, and its report once it is done."""
        job = self.get_object(request, object_id)
        shown = {} if job is None else {"now": import_progress(job)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the changing part alone, for the page to ask for every two seconds."""
        job = self.get_queryset(request).filter(pk=pk).first()
        if job is None or not self.has_view_permission(request, job):
            raise Http404
        template = "admin/annotation/import/_progress.html"
        return TemplateResponse(request, template, {"original": job, "now": import_progress(job)})

    @admin.action(description=gettext_lazy("Try again"), permissions=["view"])
    def retry(self, request: HttpRequest, chosen: QuerySet[Import]) -> None:
        """Let parked imports be tried again from the start; what is in stays as it is."""
        failed = chosen.filter(state=JobState.FAILED)
        again = [pk for pk in failed.values_list("pk", flat=True) if self._retried(pk)]
        for pk in again:
            transaction.on_commit(partial(send_import, pk))
        messages.success(request, _("Imports tried again: %(count)s.") % {"count": len(again)})

    def _retried(self, pk: int) -> bool:
        return jobs.retry(Import, pk, now=timezone.now())
