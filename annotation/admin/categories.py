"""Categories of content: to look at, to make and to change; each by an action."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.actions.categories import save_category
from annotation.admin.base import ViewOnlyAdmin, acting_lead, form_page, lead_of
from annotation.errors import AnnotationError
from annotation.forms.categories import CategoryForm
from annotation.models.categories import Category


@admin.register(Category)
class CategoryAdmin(ViewOnlyAdmin[Category]):
    """What a person has opted out of stands nowhere in the admin: it is theirs."""

    list_display = ("key", "english", "daily_limit", "word_count", "changed_by", "changed_at")
    search_fields = ("key",)
    ordering = ("project", "pk")
    list_select_related = ("project", "changed_by")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and lead_of(request) is not None

    @admin.display(description=gettext_lazy("name"))
    def english(self, category: Category) -> str:
        return str(category.name.get("en", ""))

    @admin.display(description=gettext_lazy("words"))
    def word_count(self, category: Category) -> int:
        return len(category.words)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Make a category."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = CategoryForm(request.POST or None)
        return self._saved(request, form, title=_("New category of content"))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Change a category; its key stays."""
        if not self.has_add_permission(request):
            return super().change_view(request, object_id, form_url, extra_context)
        known = get_object_or_404(self.get_queryset(request), pk=object_id)
        form = CategoryForm(request.POST or None, known=known)
        return self._saved(request, form, title=known.key)

    def _saved(self, request: HttpRequest, form: CategoryForm, *, title: str) -> HttpResponse:
        if request.method == "POST" and form.is_valid():
            try:
                lead = acting_lead(request)
                save_category(lead.project, form.given(), by=lead, now=timezone.now())
            except AnnotationError as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(
                    request,
                    _("Kept. For dialogues that are stored already, mark them again under Marks."),
                )
                return redirect("admin:annotation_category_changelist")
        status = 422 if form.errors else 200
        return form_page(request, self, form, title=title, submit=_("Keep"), status=status)
