"""Guidelines: to look at, and to publish the next version of."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.actions.guidelines import publish_documents
from annotation.admin.base import ViewOnlyAdmin, ViewOnlyInline, form_page, lead_of
from annotation.errors import AnnotationError
from annotation.forms.guidelines import GuidelineForm
from annotation.models.guidelines import Guideline, GuidelineReading, GuidelineVersion
from annotation.rendering.text import without_unstorable


class VersionInline(ViewOnlyInline):
    model = GuidelineVersion
    fields = ("number", "language", "written_in", "sentence", "published_by", "published_at")
    ordering = ("-number", "language")


@admin.register(Guideline)
class GuidelineAdmin(ViewOnlyAdmin[Guideline]):
    """`?of=SLUG` at the page for a new version begins with that guideline's newest texts."""

    change_form_template = "admin/annotation/guideline/change_form.html"
    list_display = ("slug", "project")
    search_fields = ("slug",)
    ordering = ("slug",)
    list_select_related = ("project",)
    inlines = (VersionInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and lead_of(request) is not None

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        lead = lead_of(request)
        if lead is None or not self.has_add_permission(request):
            raise PermissionDenied
        slug = request.POST.get("slug") or request.GET.get("of", "")
        before = lead.project.guidelines.filter(slug=without_unstorable(slug)).first()
        form = GuidelineForm(request.POST or None, before=before)
        if request.method == "POST" and form.is_valid():
            try:
                guideline = publish_documents(
                    form.cleaned_data["slug"],
                    documents=form.documents(),
                    sentence=form.cleaned_data["sentence"],
                    without_notes=form.cleaned_data["without_notes"],
                    by=lead,
                    now=timezone.now(),
                )
            except AnnotationError as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(
                    request, _("The next version of %(slug)s is published.") % {"slug": guideline}
                )
                return redirect("admin:annotation_guideline_change", guideline.pk)
        return form_page(
            request,
            self,
            form,
            title=_("Publish a guideline"),
            submit=_("Publish"),
            status=422 if form.errors else 200,
        )


@admin.register(GuidelineVersion)
class GuidelineVersionAdmin(ViewOnlyAdmin[GuidelineVersion]):
    project_path: ClassVar[str] = "guideline__project"
    list_display = (
        "guideline",
        "number",
        "language",
        "written_in",
        "start",
        "published_by",
        "published_at",
    )
    list_filter = ("language", ("guideline", admin.RelatedOnlyFieldListFilter))
    search_fields = ("guideline__slug", "text")
    ordering = ("guideline", "-number", "language")
    list_select_related = ("guideline", "published_by")

    @admin.display(description=gettext_lazy("text"))
    def start(self, version: GuidelineVersion) -> str:
        return Truncator(version.text).chars(80)


@admin.register(GuidelineReading)
class GuidelineReadingAdmin(ViewOnlyAdmin[GuidelineReading]):
    """Who has had which version before them, and has said so."""

    project_path: ClassVar[str] = "version__guideline__project"
    list_display = ("member", "version", "shown_at", "confirmed_at")
    list_filter = (
        ("version__guideline", admin.RelatedOnlyFieldListFilter),
        ("confirmed_at", admin.EmptyFieldListFilter),
    )
    search_fields = ("member__pseudonym", "version__guideline__slug")
    ordering = ("-shown_at", "-pk")
    list_select_related = ("member", "version")
