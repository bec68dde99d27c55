"""Who is asking: the signed-in person as a member of the project."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlsplit, urlunsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from annotation.errors import AnnotationError, Invalid
from annotation.models.projects import Member
from annotation.models.users import User
from annotation.permissions import can_lead, can_review, member_of

P = ParamSpec("P")


class UserRequest(HttpRequest):
    """A request after the middlewares: a signed-in person, and what htmx said."""

    user: User
    htmx: HtmxDetails


MemberView = Callable[Concatenate[UserRequest, Member, P], HttpResponseBase]


def wants_json(request: HttpRequest) -> bool:
    """Say whether a script asks, which wants status codes and no pages."""
    return request.headers.get("Accept", "") == "application/json"


def wants_part(request: UserRequest) -> bool:
    """Say whether htmx asks for a part to swap, not for a page it will show whole."""
    htmx = request.htmx
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def as_member(view: "MemberView[P]") -> Callable[Concatenate[Any, P], HttpResponseBase]:
    """Call the view with the person's membership; send strangers to sign in.

    A script gets 401 instead of the sign-in page, so that it can ask in place.
    """

    @wraps(view)
    def door(request: Any, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            if wants_json(request):
                return JsonResponse({"message": _("Sign in again.")}, status=401)
            return redirect_to_login(_way_back(request))
        member = member_of(request.user)
        if member is None:
            raise PermissionDenied(_("You are not a member of this project."))
        return view(request, member, *args, **kwargs)

    return door


def _way_back(request: HttpRequest) -> str:
    """Return where a stranger goes after signing in: the page asked for, or the one that sent a form.

    What a form asked for is not done by going to its address.
    """
    if request.method in {"GET", "HEAD"}:
        return request.get_full_path()
    came_from = urlsplit(request.headers.get("Referer", ""))
    here = came_from.netloc == request.get_host()
    return urlunsplit(("", "", came_from.path, came_from.query, "")) if here else "/"


def as_lead(view: "MemberView[P]") -> Callable[Concatenate[Any, P], HttpResponseBase]:
    """As `as_member`, for pages of those who run batches; others are told that it is not theirs."""

    @wraps(view)
    def door(
        request: UserRequest, member: Member, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        if not can_lead(member):
            raise PermissionDenied(_("This page is for leads."))
        return view(request, member, *args, **kwargs)

    return as_member(door)


def as_reviewer(view: "MemberView[P]") -> Callable[Concatenate[Any, P], HttpResponseBase]:
    """As `as_lead`, for pages of those who look at others' work: reviewers and leads."""

    @wraps(view)
    def door(
        request: UserRequest, member: Member, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        if not can_review(member):
            raise PermissionDenied(_("This page is for reviewers and leads."))
        return view(request, member, *args, **kwargs)

    return as_member(door)


def refusal(error: AnnotationError, **more: Any) -> JsonResponse:
    """Return a refusal for a script: its words, and each place that is wrong."""
    fields = error.fields if isinstance(error, Invalid) else {}
    return JsonResponse({"message": str(error), "fields": fields, **more}, status=error.status)
