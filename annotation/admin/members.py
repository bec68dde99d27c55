"""Projects, the people in them, and users."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.actions.categories import set_support
from annotation.actions.members import add_member, change_role, end_membership
from annotation.admin.base import ViewOnlyAdmin, act_on_each, acting_lead, form_page, lead_of
from annotation.choices import Role
from annotation.errors import AnnotationError
from annotation.forms.categories import SupportForm, support_entered
from annotation.forms.members import MemberForm
from annotation.models.projects import Member, Project
from annotation.models.users import User


@admin.register(Project)
class ProjectAdmin(ViewOnlyAdmin[Project]):
    project_path: ClassVar[str] = "pk"
    list_display = ("slug", "name", "created_at", "talks_to")
    fields = list_display
    search_fields = ("slug", "name")
    ordering = ("slug",)

    def get_urls(self) -> list[URLPattern]:
        support_view = self.admin_site.admin_view(self.support_view)
        return [
            path("<int:pk>/support/", support_view, name="annotation_project_support"),
            *super().get_urls(),
        ]

    @admin.display(description=gettext_lazy("someone to talk to"))
    def talks_to(self, project: Project) -> str:
        url = reverse("admin:annotation_project_support", args=[project.pk])
        written = ", ".join(sorted(project.support)) or _("none yet")
        return format_html('<a href="{}">{}</a>', url, written)

    def support_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Write whom annotators can talk to, by language."""
        if not self.has_view_permission(request) or lead_of(request) is None:
            raise PermissionDenied
        project = get_object_or_404(self.get_queryset(request), pk=pk)
        form = SupportForm(request.POST or None, initial=support_entered(project.support))
        if request.method == "POST" and form.is_valid():
            try:
                set_support(project, form.texts(), by=acting_lead(request))
            except AnnotationError as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(request, _("Kept. It stands in the help sheet and on the desk."))
                return redirect("admin:annotation_project_changelist")
        status = 422 if form.errors else 200
        title = _("Someone to talk to")
        return form_page(request, self, form, title=title, submit=_("Keep"), status=status)


@admin.register(Member)
class MemberAdmin(ViewOnlyAdmin[Member]):
    """Members are made, given roles and ended by actions; none is ever deleted."""

    list_display = ("pseudonym", "role", "user", "project", "created_at", "ended_at")
    list_filter = ("role", ("ended_at", admin.EmptyFieldListFilter), "project")
    search_fields = ("pseudonym", "user__username", "public_id")
    ordering = ("pseudonym", "pk")
    list_select_related = ("user", "project")
    actions = ("make_annotators", "make_reviewers", "make_leads", "end_memberships")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Let a person into the project. The very first lead may be made by a superuser."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        lead = lead_of(request)
        project = lead.project if lead else Project.objects.get(slug=Project.DEFAULT_SLUG)
        form = MemberForm(request.POST or None, project=project)
        if request.method == "POST" and form.is_valid():
            try:
                member = add_member(
                    project,
                    user=form.cleaned_data["user"],
                    pseudonym=form.cleaned_data["pseudonym"],
                    role=Role(form.cleaned_data["role"]),
                    by=lead,
                )
            except AnnotationError as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(request, _("%(member)s is in the project.") % {"member": member})
                return redirect("admin:annotation_member_changelist")
        return form_page(
            request,
            self,
            form,
            title=_("New member"),
            submit=_("Add"),
            status=422 if form.errors else 200,
        )

    @admin.action(description=gettext_lazy("Make annotators"))
    def make_annotators(self, request: HttpRequest, chosen: QuerySet[Member]) -> None:
        self._give(request, chosen, Role.ANNOTATOR)

    @admin.action(description=gettext_lazy("Make reviewers"))
    def make_reviewers(self, request: HttpRequest, chosen: QuerySet[Member]) -> None:
        self._give(request, chosen, Role.REVIEWER)

    @admin.action(description=gettext_lazy("Make leads"))
    def make_leads(self, request: HttpRequest, chosen: QuerySet[Member]) -> None:
        self._give(request, chosen, Role.LEAD)

    @admin.action(description=gettext_lazy("End membership"))
    def end_memberships(self, request: HttpRequest, chosen: QuerySet[Member]) -> None:
        def end(member: Member, lead: Member) -> None:
            end_membership(member, by=lead, now=timezone.now())

        act_on_each(request, chosen, end, done=_("Memberships ended: %(count)s."))

    def _give(self, request: HttpRequest, chosen: QuerySet[Member], role: Role) -> None:
        def give(member: Member, lead: Member) -> None:
            change_role(member, role, by=lead)

        act_on_each(request, chosen, give, done=_("Roles changed: %(count)s."))


@admin.register(User)
class PersonAdmin(UserAdmin[User]):
    """Accounts, which superusers make; evidence never points at them."""

    list_display = ("username", "roles", "email", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "memberships__role")
    search_fields = ("username", "email", "first_name", "last_name", "memberships__pseudonym")
    ordering = ("username",)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("memberships__project")

    @admin.display(description=gettext_lazy("roles"))
    def roles(self, user: User) -> str:
        return ", ".join(
            f"{member.role} ({member.project.slug})" for member in user.memberships.all()
        )
