"""Before somebody is signed in: the demo's one-click links, and the language."""

from ipaddress import ip_address

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from annotation.actions.sign_in import LinkRefused, use_sign_in_token


@require_GET
def sign_in_link(request: HttpRequest, token: str) -> HttpResponse:
    """Sign the link's user in and show their desk; 404 unless the demo is running here."""
    if not settings.SIGN_IN_LINKS or not ip_address(request.META["REMOTE_ADDR"]).is_loopback:
        raise Http404
    try:
        user = use_sign_in_token(token, now=timezone.now())
    except LinkRefused as refused:
        messages.warning(request, str(refused))
        return redirect("login")
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect(settings.LOGIN_REDIRECT_URL)


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Keep in this browser which language to speak until somebody says so who is signed in."""
    chosen = request.POST.get("language", "")
    back = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    answer = redirect(back if allowed else "login")
    if chosen in dict(settings.LANGUAGES):
        answer.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            chosen,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
            samesite="Lax",
        )
    return answer
