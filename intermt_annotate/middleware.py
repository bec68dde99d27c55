"""Small middlewares: health, headers, language and time zone, redirects that htmx follows."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.db import DatabaseError, connection
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseBase,
    JsonResponse,
)
from django.utils import timezone, translation

Handler = Callable[[HttpRequest], HttpResponseBase]

HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(), microphone=(), geolocation=(), usb=(), payment=(), browsing-topics=()"
    ),
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}


class HealthMiddleware:
    """Answer /health/ before any host or https check: a probe speaks to the process itself."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path != "/health/":
            return self.get_response(request)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except DatabaseError:
            return JsonResponse({"database": "does not answer"}, status=503)
        return JsonResponse({"database": "ok"})


class NoNulMiddleware:
    """Refuse an address that holds U+0000: nothing has such a name, and PostgreSQL breaks on it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return HttpResponseBadRequest("The address holds a NUL.", content_type="text/plain")
        return self.get_response(request)


class SecurityHeadersMiddleware:
    """Set the headers of every answer that has not set them itself."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response


class PersonLanguageMiddleware:
    """Speak the language that the signed-in person chose; before that, what the browser asks for."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        language = getattr(request.user, "language", "")
        if language and translation.check_for_language(language):
            translation.activate(language)
            request.LANGUAGE_CODE = language
        return self.get_response(request)


class PersonTimeZoneMiddleware:
    """Tell times and days in the zone of the person's browser, which base.js writes in a cookie."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with timezone.override(self._zone(request.COOKIES.get("time_zone", ""))):
            return self.get_response(request)

    @staticmethod
    def _zone(name: str) -> ZoneInfo | None:
        """Return the zone of this name; none, which is the installation's, if nobody knows it."""
        try:
            return ZoneInfo(name) if name else None
        except (ValueError, OSError, KeyError):  # no key, a folder, a name that leaves the folder
            return None


class HtmxRedirectMiddleware:
    """Turn a redirect for an htmx request into HX-Redirect.

    The browser would follow a 302 unseen and htmx would swap the next page, or the sign-in page
    after a session ended, into a fragment.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if getattr(request, "htmx", False) and response.status_code in {301, 302, 303}:
            return HttpResponse(status=204, headers={"HX-Redirect": response.headers["Location"]})
        return response
