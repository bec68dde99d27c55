"""Every refusal of the API in one form: {"message", "fields"}."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from annotation.errors import AnnotationError, Invalid

log = logging.getLogger(__name__)


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer for an exception; None lets Django make its 500."""
    if isinstance(error, AnnotationError):
        fields = error.fields if isinstance(error, Invalid) else {}
        return Response({"message": str(error), "fields": fields}, status=error.status)
    if isinstance(error, Http404):
        return Response({"message": "There is no such thing.", "fields": {}}, status=404)
    if isinstance(error, PermissionDenied):
        return Response({"message": "This is not allowed.", "fields": {}}, status=403)
    response = exception_handler(error, context)
    if response is None:
        log.error("an answer of the API broke", exc_info=error)
        return None
    if isinstance(error, exceptions.ValidationError):
        fields = {name: _words(told) for name, told in _by_field(response.data).items()}
        told = {"message": " ".join(fields.values()), "fields": fields}
        return Response(told, status=422, headers=_kept(response))
    detail = getattr(error, "detail", "")
    return Response(
        {"message": _words(detail), "fields": {}},
        status=response.status_code,
        headers=_kept(response),
    )


def _by_field(data: Any) -> dict[str, Any]:
    return data if isinstance(data, dict) else {"": data}


def _words(told: Any) -> str:
    if isinstance(told, dict):
        return " ".join(_words(one) for one in told.values())
    return " ".join(str(one) for one in told) if isinstance(told, list) else str(told)


def _kept(response: Response) -> dict[str, str]:
    names = ("WWW-Authenticate", "Retry-After")
    return {name: response[name] for name in names if response.has_header(name)}
