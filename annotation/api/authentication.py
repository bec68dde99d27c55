"""Who is asking the API: a machine with a key, and what the key may do."""

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from annotation.actions.tokens import find_token
from annotation.models.projects import Member, Token
from annotation.models.users import User
from annotation.permissions import can_lead

if TYPE_CHECKING:  # the views import their settings, which import this
    from rest_framework.views import APIView

SCHEME = "Bearer"


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer ita_...`; `request.auth` is the token. No cookies, so no CSRF."""

    def authenticate(self, request: Request) -> tuple[User, Token] | None:
        """Return the person and the token; None without a header. Raise for a bad key."""
        words = get_authorization_header(request).decode("latin-1").split()
        if not words:
            return None
        if len(words) != 2 or words[0].lower() != SCHEME.lower():
            raise AuthenticationFailed(f"Write: Authorization: {SCHEME} <key>.")
        token = find_token(words[1], now=timezone.now())
        if token is None or token.member.user is None:
            raise AuthenticationFailed("This key is unknown, revoked or at its end.")
        return token.member.user, token

    def authenticate_header(self, request: Request) -> str:
        """Say in a 401 how to come in."""
        return SCHEME


class HasScope(BasePermission):
    """Let in a lead's key that has the view's `scope`. A view without one lets nobody in."""

    message = "This key does not have the scope for this."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Check the scope, and the person's role anew on every request."""
        scope = getattr(view, "scope", None)
        token = request.auth
        return (
            isinstance(token, Token)
            and scope is not None
            and scope in token.scopes
            and can_lead(token.member)
        )


class HasKey(BasePermission):
    """Let in any usable key, whatever its scopes."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Check that there is one."""
        return isinstance(request.auth, Token)


def lead_of(request: Request) -> Member:
    """Return the lead whose key it is; `HasScope` has checked it."""
    token: Any = request.auth
    member: Member = token.member
    return member


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document describes the keys."""

    target_class = TokenAuthentication
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the security scheme object."""
        return {"type": "http", "scheme": "bearer", "description": "manage.py create_token"}
