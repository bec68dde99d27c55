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
from annotation.reports.figures import AGREEMENT, REPORTS, shown_figures


class AgreementQuery(serializers.Serializer[dict[str, Any]]):
    """What can be asked of agreement."""

    snapshot = serializers.IntegerField(min_value=0, required=False)
    of = serializers.ChoiceField(choices=list(REPORTS), default=AGREEMENT)


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
        parameters=[
            OpenApiParameter("snapshot", int, description="Evidence up to this number."),
            OpenApiParameter(
                "of",
                str,
                enum=list(REPORTS),
                default=AGREEMENT,
                description=(
                    "Agreement by dimension and preference; how each annotator stands to the others, "
                    "with pairs; where they differ most; effects of length and pictures; one answer from "
                    "several (consensus); models by what people prefer (ranking)."
                ),
            ),
        ],
        responses={
            200: AgreementFigures,
            404: OpenApiResponse(description="No batch."),
            422: OpenApiResponse(description="A parameter makes no sense; `fields` names it."),
        },
    )
    def get(self, request: Request, slug: str) -> Response:
        """Return the figures as the page shows them, or as they were at a number."""
        asked = self.asked(request)
        number, kind = asked.get("snapshot"), asked["of"]
        batch = batch_of(request, slug)
        if number is None:
            shown = shown_figures(batch, kind)
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
                "figures": REPORTS[kind](batch, number=number).as_dict(),
            }
        return Response(AgreementFigures(told).data)
