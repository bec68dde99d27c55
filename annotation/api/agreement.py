"""Agreement of a batch: the same numbers as on its page and by `manage.py report_agreement`."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api.batches import batch_of, refuse_future
from annotation.api.throttling import Reading
from annotation.api.views import Endpoint
from annotation.choices import TokenScope
from annotation.reports.agreement import batch_agreement
from annotation.reports.figures import shown_agreement


class AgreementQuery(serializers.Serializer[dict[str, Any]]):
    """What can be asked of agreement."""

    snapshot = serializers.IntegerField(min_value=0, required=False)


class AgreementFigures(serializers.Serializer[dict[str, Any]]):
    """Agreement at a number. `figures` is null where nothing is computed yet."""

    number = serializers.IntegerField(help_text="Of the evidence the figures are made of.")
    newest = serializers.IntegerField(help_text="Of the batch; larger: work has come since.")
    computed_at = serializers.DateTimeField(allow_null=True, help_text="Null: just now.")
    error = serializers.CharField(allow_blank=True)
    figures = serializers.DictField(child=serializers.JSONField(), allow_null=True)


class Agreement(Endpoint):
    """Agreement of the independent set of a batch."""

    scope = TokenScope.READ_AGREEMENT
    query = AgreementQuery
    throttle_classes = [Reading]

    @extend_schema(
        operation_id="agreement",
        summary="How well annotators agree",
        description=(
            "By dimension and preference, with intervals, marginals and everything left out. "
            "Without `snapshot` the newest computed figures; with it those of that number."
        ),
        parameters=[OpenApiParameter("snapshot", int, description="Evidence up to this number.")],
        responses={
            200: AgreementFigures,
            404: OpenApiResponse(description="No batch."),
            422: OpenApiResponse(description="A parameter makes no sense; `fields` names it."),
        },
    )
    def get(self, request: Request, slug: str) -> Response:
        """Return the figures as the page shows them, or as they were at a number."""
        number = self.asked(request).get("snapshot")
        batch = batch_of(request, slug)
        if number is None:
            shown = shown_agreement(batch)
            told = {
                "number": shown.number,
                "newest": shown.newest,
                "computed_at": shown.computed_at,
                "error": shown.error,
                "figures": shown.body,
            }
        else:
            refuse_future(number, batch.last_number)
            told = {
                "number": number,
                "newest": batch.last_number,
                "computed_at": None,
                "error": "",
                "figures": batch_agreement(batch, number=number).as_dict(),
            }
        return Response(AgreementFigures(told).data)
