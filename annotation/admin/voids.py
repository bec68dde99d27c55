"""Voids in the admin: what is out, taking out, putting back. Rows are never changed."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.actions.voids import find_target, lift, void
from annotation.admin.base import ViewOnlyAdmin, acting_lead, form_page, lead_of
from annotation.choices import VoidTarget
from annotation.errors import AnnotationError
from annotation.forms.voids import ReasonForm, VoidForm
from annotation.models.reviews import Void


@admin.register(Void)
class VoidAdmin(ViewOnlyAdmin[Void]):
    project_path: ClassVar[str] = "batch__project"
    list_display = (
        "public_id",
        "batch",
        "number",
        "target",
        "reason",
        "created_by",
        "created_at",
        "stands",
    )
    list_filter = ("target", ("batch", admin.RelatedOnlyFieldListFilter))
    search_fields = ("public_id", "reason", "member__pseudonym")
    ordering = ("-created_at", "-pk")
    list_select_related = ("batch", "lifts", "created_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Void]:
        return super().get_queryset(request).prefetch_related("lifted_by")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and lead_of(request) is not None

    def get_urls(self) -> list[URLPattern]:
        lift_view = self.admin_site.admin_view(self.lift_view)
        return [
            path("<int:pk>/lift/", lift_view, name="annotation_void_lift"),
            *super().get_urls(),
        ]

    @admin.display(description=gettext_lazy("stands"))
    def stands(self, row: Void) -> str:
        if row.lifts is not None:
            return format_html("{} {}", _("puts back"), row.lifts.public_id)
        if any(True for _row in row.lifted_by.all()):
            return _("put back")
        url = reverse("admin:annotation_void_lift", args=[row.pk])
        return format_html('<a href="{}">{}</a>', url, _("put back…"))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Take something out."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = VoidForm(
            request.POST or None,
            initial={name: request.GET[name] for name in ("kind", "name") if name in request.GET},
        )
        if request.method == "POST" and form.is_valid():
            told = form.cleaned_data
            try:
                lead = acting_lead(request)
                kind = VoidTarget(told["kind"])
                target = find_target(lead.project, kind, told["name"], since=told["since"])
                rows = void(target, by=lead, reason=told["reason"], now=timezone.now())
            except AnnotationError as refused:
                form.add_error(None, str(refused))
            else:
                out = ", ".join(f"{row.batch} ({row.number})" for row in rows)
                messages.success(
                    request, _("Out of figures and exports of %(out)s.") % {"out": out}
                )
                return redirect("admin:annotation_void_changelist")
        status = 422 if form.errors else 200
        title = _("Take work out of figures and exports")
        return form_page(request, self, form, title=title, submit=_("Take out"), status=status)

    def lift_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put back what a void took out."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                reason = form.cleaned_data["reason"]
                back = lift(row, by=acting_lead(request), reason=reason, now=timezone.now())
            except AnnotationError as refused:
                form.add_error(None, str(refused))
            else:
                told = {"batch": back.batch, "number": back.number}
                messages.success(request, _("Put back in %(batch)s (%(number)s).") % told)
                return redirect("admin:annotation_void_changelist")
        status = 422 if form.errors else 200
        title = _("Put back: %(reason)s") % {"reason": row.reason}
        return form_page(request, self, form, title=title, submit=_("Put back"), status=status)
