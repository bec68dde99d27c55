"""Reviews of a batch: the same numbers as on its page and by `manage.py report_reviews`."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api.batches import batch_of, refuse_future
from annotation.api.throttling import Reading
from annotation.api.views import Endpoint
from annotation.choices import TokenScope
from annotation.reports.calibrations import calibration_readers
from annotation.reports.reviews import review_counts
from annotation.reports.verifiers import batch_verification


class ReviewQuery(serializers.Serializer[dict[str, Any]]):
    """What can be asked of reviews."""

    snapshot = serializers.IntegerField(min_value=0, required=False)


class ReviewFigures(serializers.Serializer[dict[str, Any]]):
    """What reviews said, and how reviewers agree with annotators, from blind reviews alone."""

    batch = serializers.CharField()
    number = serializers.IntegerField(help_text="Of the evidence the figures are made of.")
    set = serializers.CharField(help_text="What the agreement is of.")
    reviewed = serializers.IntegerField(help_text="Judgments; by their newest review:")
    accepted = serializers.IntegerField()
    fixed = serializers.IntegerField()
    returned = serializers.IntegerField()
    blind = serializers.IntegerField(help_text="Judgments whose reviewer had judged alone first.")
    items = serializers.IntegerField()
    verifiers = serializers.IntegerField()
    annotators = serializers.IntegerField()
    dimensions = serializers.ListField(child=serializers.DictField())
    overall = serializers.DictField(allow_null=True)
    waits = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Now: judgments to review, of these blind; with their authors; items to decide.",
    )
    calibration_readers = serializers.IntegerField(
        help_text="Members who have read the batch's calibration, leads not counted."
    )


class Reviews(Endpoint):
    """Reviews of a batch."""

    scope = TokenScope.READ_AGREEMENT
    query = ReviewQuery
    throttle_classes = [Reading]

    @extend_schema(
        operation_id="reviews",
        summary="What reviews said, and how reviewers agree with annotators",
        parameters=[OpenApiParameter("snapshot", int, description="Evidence up to this number.")],
        responses={
            200: ReviewFigures,
            404: OpenApiResponse(description="No batch."),
            422: OpenApiResponse(description="A parameter makes no sense; `fields` names it."),
        },
    )
    def get(self, request: Request, slug: str) -> Response:
        """Return the figures at a number, or at the batch's newest."""
        number = self.asked(request).get("snapshot")
        batch = batch_of(request, slug)
        if number is not None:
            refuse_future(number, batch.last_number)
        told = batch_verification(batch, number=number).as_dict()
        told["waits"] = review_counts(batch).waits()
        told["calibration_readers"] = calibration_readers(batch)
        return Response(ReviewFigures(told).data)
