"""Known answers: looked at, entered, and never changed."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.actions.gold import KnownAnswer, set_gold_answers
from annotation.admin.base import ViewOnlyAdmin, acting_lead, form_page, lead_of
from annotation.errors import AnnotationError, NotFound
from annotation.forms.quality import GoldForm
from annotation.models.batches import Item
from annotation.models.projects import Member
from annotation.models.quality import GoldAnswer


@admin.register(GoldAnswer)
class GoldAnswerAdmin(ViewOnlyAdmin[GoldAnswer]):
    project_path: ClassVar[str] = "batch__project"
    list_display = (
        "of_item",
        "batch",
        "number",
        "dimension",
        "response",
        "score",
        "tolerance",
        "outcome",
    )
    list_filter = (("batch", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("item__public_id", "batch__slug")
    ordering = ("batch", "number")
    list_select_related = ("item", "batch", "dimension", "response")

    @admin.display(description=gettext_lazy("item"))
    def of_item(self, answer: GoldAnswer) -> str:
        """Name the item as the form and the table of answers do."""
        return answer.item.public_id

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and lead_of(request) is not None

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Enter one known answer; a newer one to the same question takes its place."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = GoldForm(request.POST or None, initial={"item": request.GET.get("item", "")})
        if request.method == "POST" and form.is_valid():
            try:
                lead = acting_lead(request)
                told = {**form.cleaned_data, "item": _item(lead, form.cleaned_data["item"])}
                (row,) = set_gold_answers([KnownAnswer(**told)], by=lead, now=timezone.now())
            except AnnotationError as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(
                    request,
                    _("Kept as number %(number)s of %(batch)s.")
                    % {"number": row.number, "batch": row.batch},
                )
                return redirect("admin:annotation_goldanswer_changelist")
        status = 422 if form.errors else 200
        return form_page(
            request, self, form, title=_("A known answer"), submit=_("Keep"), status=status
        )


def _item(lead: Member, name: str) -> Item:
    items = Item.objects.select_related("batch__rubric", "response_1", "response_2")
    found = items.filter(batch__project=lead.project_id, public_id=name.strip()).first()
    if found is None:
        raise NotFound(_("There is no item %(name)s.") % {"name": name})
    return found
