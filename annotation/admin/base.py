"""What the tables' admins share: who may look, and pages with a form that calls an action."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from annotation.errors import AnnotationError, NotAllowed
from annotation.models.projects import Member
from annotation.models.users import User
from annotation.permissions import can_lead, member_of

M = TypeVar("M", bound=Model)


def lead_of(request: HttpRequest) -> Member | None:
    """Return the membership of a signed-in lead, or None. One query a request."""
    if not hasattr(request, "_annotation_lead"):
        member = member_of(request.user) if isinstance(request.user, User) else None
        request._annotation_lead = (  # type: ignore[attr-defined]  # noqa: SLF001  # our own mark
            member if member and can_lead(member) else None
        )
    lead: Member | None = request._annotation_lead  # type: ignore[attr-defined]  # noqa: SLF001
    return lead


def acting_lead(request: HttpRequest) -> Member:
    """Return the lead who acts; evidence and history name members, so a superuser is not enough.

    :raises NotAllowed: saying what to do.
    """
    lead = lead_of(request)
    if lead is None:
        raise NotAllowed(_("You lead no project: let a lead make you one, under Members."))
    return lead


class ViewOnlyAdmin(admin.ModelAdmin[M]):
    """A table to look at. Leads who are staff see their project's rows, superusers all.

    `project_path` leads from a row to its project.
    """

    project_path: ClassVar[str] = "project"
    show_full_result_count = False
    list_per_page = 50

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        user = request.user
        return (
            user.is_active and user.is_staff and (user.is_superuser or lead_of(request) is not None)
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        rows = super().get_queryset(request)
        if request.user.is_superuser:
            return rows
        lead = lead_of(request)
        return rows.filter(**{self.project_path: lead.project_id}) if lead else rows.none()


class ViewOnlyInline(admin.TabularInline[Any, Any]):
    """Rows that belong to the one on the page."""

    extra = 0
    can_delete = False
    show_change_link = True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # the page it stands on has asked

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def act_on_each(
    request: HttpRequest, rows: Iterable[M], act: Callable[[M, Member], object], *, done: str
) -> None:
    """Do `act` to each row as the signed-in lead; say how many it was done to, and each refusal."""
    count = 0
    for row in rows:
        try:
            act(row, acting_lead(request))
        except AnnotationError as refused:
            messages.error(request, str(refused))
        else:
            count += 1
    if count:
        messages.success(request, done % {"count": count})


def form_page(
    request: HttpRequest,
    model_admin: admin.ModelAdmin[Any],
    form: forms.Form,
    *,
    title: str,
    submit: str,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    """Return a page of the admin with a form whose submission calls an action."""
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": title,
        "form": form,
        "submit": submit,
        **more,
    }
    template = more.get("template", "admin/annotation/action_form.html")
    return TemplateResponse(request, template, context, status=status)
