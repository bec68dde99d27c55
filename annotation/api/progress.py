"""Where a batch stands: the same numbers as on its page and by `manage.py batch SLUG`."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api.batches import batch_of
from annotation.api.throttling import Reading
from annotation.api.views import Endpoint
from annotation.choices import TokenScope
from annotation.reports.progress import batch_progress


class ProgressFigures(serializers.Serializer[dict[str, Any]]):
    """Seats, pace, time, who does what, and what waits for the lead, now."""

    slug = serializers.CharField()
    title = serializers.CharField()
    kind = serializers.CharField()
    purpose = serializers.CharField()
    state = serializers.CharField()
    at = serializers.DateTimeField(help_text="When these were counted.")
    number = serializers.IntegerField(help_text="Of the newest evidence.")
    opened_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    seats = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="total = submitted + held + parked + open; seats of annotators.",
    )
    items = serializers.IntegerField()
    items_done = serializers.IntegerField(help_text="With all their seats submitted.")
    assignments = serializers.DictField(child=serializers.IntegerField(), help_text="By state.")
    pace = serializers.FloatField(help_text="Submissions a day, over the last seven days.")
    done_by = serializers.DateField(allow_null=True, help_text="At this pace.")
    minutes = serializers.FloatField(allow_null=True, help_text="Median of the newest `timed`.")
    announced = serializers.FloatField(allow_null=True, help_text="What the preview said of them.")
    timed = serializers.IntegerField()
    contradicting = serializers.IntegerField(
        help_text="Judgments that kept a preference against their own scores, of `compared`."
    )
    compared = serializers.IntegerField()
    judgments = serializers.IntegerField()
    parked = serializers.IntegerField(help_text="This and what follows wait for the lead.")
    flagged = serializers.IntegerField()
    reported = serializers.IntegerField()
    surplus = serializers.IntegerField()
    questions = serializers.IntegerField()
    reviews = serializers.IntegerField()
    adjudications = serializers.IntegerField()
    annotators = serializers.ListField(
        child=serializers.DictField(),
        help_text="Each one's submitted, held, returned, lapsed, skipped, surplus, median minutes.",
    )


class Progress(Endpoint):
    """Where a batch stands."""

    scope = TokenScope.READ_AGREEMENT
    throttle_classes = [Reading]

    @extend_schema(
        operation_id="progress",
        summary="Where a batch stands: seats, pace, time, what waits, and each person's work",
        responses={200: ProgressFigures, 404: OpenApiResponse(description="No batch.")},
    )
    def get(self, request: Request, slug: str) -> Response:
        """Return where the batch stands now."""
        self.asked(request)
        return Response(batch_progress(batch_of(request, slug), now=timezone.now()).as_json())
