"""Quality of a batch's work: the same as on its page and by `manage.py report_quality`."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api.batches import batch_of, refuse_future
from annotation.api.throttling import Reading
from annotation.api.views import Endpoint
from annotation.choices import TokenScope
from annotation.reports.figures import QUALITY, shown_figures
from annotation.reports.quality import batch_quality
from annotation.reports.votes import waits_of


class QualityQuery(serializers.Serializer[dict[str, Any]]):
    """What can be asked of quality."""

    snapshot = serializers.IntegerField(min_value=0, required=False)


class QualityFigures(serializers.Serializer[dict[str, Any]]):
    """Known answers, repeats and signs by person. `people` is null where nothing is computed yet."""

    number = serializers.IntegerField(help_text="Of the evidence the figures are made of.")
    newest = serializers.IntegerField(help_text="Of the batch; larger: work has come since.")
    waits = serializers.DictField(help_text="Items whose votes differ, by what became of them.")
    people = serializers.ListField(child=serializers.DictField(), allow_null=True)


class Quality(Endpoint):
    """Quality of a batch's work."""

    scope = TokenScope.READ_AGREEMENT
    query = QualityQuery
    throttle_classes = [Reading]

    @extend_schema(
        operation_id="quality",
        summary="Known answers, repeats, and signs in people's work",
        description=(
            "By person, with the counts that each sign rests on. A sign is a reason to look and "
            "does nothing by itself. Without `snapshot` the newest computed figures; with it those "
            "of that number."
        ),
        parameters=[OpenApiParameter("snapshot", int, description="Evidence up to this number.")],
        responses={
            200: QualityFigures,
            404: OpenApiResponse(description="No batch."),
            422: OpenApiResponse(description="A parameter makes no sense; `fields` names it."),
        },
    )
    def get(self, request: Request, slug: str) -> Response:
        """Return the figures as the page shows them, or as they were at a number."""
        number = self.asked(request).get("snapshot")
        batch = batch_of(request, slug)
        if number is None:
            shown = shown_figures(batch, QUALITY)
            number, body = shown.number, shown.body
        else:
            refuse_future(number, batch.last_number)
            body = batch_quality(batch, number=number).as_dict()
        told = {
            "number": number,
            "newest": batch.last_number,
            "waits": waits_of(batch).as_dict(),
            "people": body["people"] if body is not None else None,
        }
        return Response(QualityFigures(told).data)
