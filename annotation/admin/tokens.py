"""Keys for machines: made, shown once, revoked. The table holds no key."""

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.actions.tokens import create_token, revoke_token
from annotation.admin.base import ViewOnlyAdmin, act_on_each, acting_lead, form_page, lead_of
from annotation.errors import AnnotationError
from annotation.forms.tokens import TokenForm
from annotation.models.projects import Member, Token


@admin.register(Token)
class TokenAdmin(ViewOnlyAdmin[Token]):
    project_path: ClassVar[str] = "member__project"
    list_display = (
        "name",
        "prefix",
        "member",
        "scopes",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    )
    fields = list_display
    search_fields = ("name", "prefix", "member__pseudonym")
    ordering = ("-created_at", "-pk")
    list_select_related = ("member",)
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and lead_of(request) is not None

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Make a key for the signed-in lead and show it, this once."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = TokenForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            told, now = form.cleaned_data, timezone.now()
            try:
                lead = acting_lead(request)
                _token, key = create_token(
                    lead,
                    name=told["name"],
                    scopes=told["scopes"],
                    expires_at=now + timedelta(days=told["days"]),
                    by=lead,
                    now=now,
                )
            except AnnotationError as refused:
                form.add_error(None, str(refused))
            else:
                # Shown by this answer and by no other: a message would pass through the session.
                return form_page(
                    request,
                    self,
                    TokenForm(),
                    title=_("The key %(name)s") % {"name": told["name"]},
                    submit="",
                    template="admin/annotation/token_made.html",
                    key=key,
                )
        status = 422 if form.errors else 200
        title = _("Make a key for the API")
        return form_page(request, self, form, title=title, submit=_("Make the key"), status=status)

    @admin.action(description=gettext_lazy("Revoke"), permissions=["view"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[Token]) -> None:
        """End the chosen keys at once."""

        def act(token: Token, lead: Member) -> None:
            revoke_token(token, by=lead, now=timezone.now())

        act_on_each(request, chosen, act, done=_("Keys revoked: %(count)s."))
