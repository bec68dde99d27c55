"""What all endpoints share: questions that are understood, answers that no browser runs or frames."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

INERT = "default-src 'none'; sandbox; frame-ancestors 'none'"


class NoQuery(serializers.Serializer[dict[str, Any]]):
    """Nothing can be asked for in the address."""


class Endpoint(APIView):
    """A view whose every answer, refusals included, is inert in a browser.

    :cvar query: the parameters an address may carry. Any other is refused, because a misspelt one
        would be answered as if it had not been there.
    """

    query: type[serializers.Serializer[dict[str, Any]]] = NoQuery

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let in who may come in, and only with parameters that there are."""
        super().initial(request, *args, **kwargs)
        known = self.query().fields
        if unknown := sorted(set(request.query_params) - set(known)):
            there = f"There are: {', '.join(known)}." if known else "There is none here."
            raise serializers.ValidationError(
                {name: f"There is no parameter {name}. {there}" for name in unknown}
            )

    def asked(self, request: Request) -> dict[str, Any]:
        """Return the parameters, read.

        :raises rest_framework.serializers.ValidationError: naming each that makes no sense.
        """
        told = self.query(data=request.query_params)
        told.is_valid(raise_exception=True)
        return dict(told.validated_data)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Set the policy of files on the answer; the pages' own is for pages."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers["Content-Security-Policy"] = INERT
        return answer


@extend_schema(exclude=True)
class Unknown(Endpoint):
    """Every other address: there is nothing, said as the API says it, with or without a key."""

    authentication_classes = ()
    permission_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse whatever the method is."""
        raise Http404
