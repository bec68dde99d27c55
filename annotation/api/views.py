"""What all endpoints share: an answer that no browser runs or frames."""

from typing import Any

from rest_framework.request import Request
from rest_framework.views import APIView

INERT = "default-src 'none'; sandbox; frame-ancestors 'none'"


class Endpoint(APIView):
    """A view whose every answer, refusals included, is inert in a browser."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Set the policy of files on the answer; the pages' own is for pages."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers["Content-Security-Policy"] = INERT
        return answer
