"""Two small middlewares: headers that Django does not set, and redirects that htmx follows."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase

Handler = Callable[[HttpRequest], HttpResponseBase]

HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(), microphone=(), geolocation=(), usb=(), payment=(), browsing-topics=()"
    ),
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}


class SecurityHeadersMiddleware:
    """Set the headers of every answer that has not set them itself."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response


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
