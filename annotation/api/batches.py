"""Reading batches: pairs and ratings of a named snapshot, in pages."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from annotation.api.authentication import lead_of
from annotation.api.throttling import Reading
from annotation.api.views import Endpoint
from annotation.choices import TokenScope
from annotation.formats.options import CHOICES
from annotation.formats.pairs import canonical_line, pair_line
from annotation.formats.write_ratings import COLUMNS
from annotation.models.batches import Batch
from annotation.reports.exports import batches_named
from annotation.reports.pairs import PAGE as PAIR_PAGE
from annotation.reports.pairs import Snapshot, pair_page
from annotation.reports.ratings import PAGE as RATING_PAGE
from annotation.reports.ratings import rating_page

JSONL = "application/jsonl"

_PAGE_HEADERS = """
One JSON record a line. The header `Snapshot` names the number that the page is of: give it back
as `snapshot` for the pages that follow, and all of them are of one moment. `Next-After` is what to
ask for next as `after`; `Last-Page: true` marks the last page, which has no `Next-After`.
"""


def _paging(of: str) -> list[OpenApiParameter]:
    return [
        OpenApiParameter("snapshot", int, description="Evidence up to this number; default: all."),
        OpenApiParameter("after", int, description=f"The `Next-After` of the page before ({of})."),
        OpenApiParameter("limit", int, description="The most to read for this page."),
        *(
            OpenApiParameter(name, str, OpenApiParameter.HEADER, response=[200])
            for name in ("Snapshot", "Next-After", "Last-Page")
        ),
    ]


class PairQuery(serializers.Serializer[dict[str, Any]]):
    """What can be asked of a page of pairs."""

    snapshot = serializers.IntegerField(min_value=0, required=False)
    after = serializers.IntegerField(min_value=-1, default=-1)
    limit = serializers.IntegerField(min_value=1, max_value=500, default=PAIR_PAGE)
    text = serializers.ChoiceField(choices=CHOICES["text"], default="shown")


class RatingQuery(serializers.Serializer[dict[str, Any]]):
    """What can be asked of a page of ratings."""

    snapshot = serializers.IntegerField(min_value=0, required=False)
    after = serializers.IntegerField(min_value=0, default=0)
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=RATING_PAGE)
    set = serializers.ChoiceField(choices=CHOICES["set"], default="final")


class Pairs(Endpoint):
    """Canonical pair records of a batch."""

    scope = TokenScope.READ_PAIRS
    throttle_classes = [Reading]

    @extend_schema(
        operation_id="pairs",
        summary="A page of preference pairs",
        description=_PAGE_HEADERS,
        parameters=[
            *_paging("an item's place"),
            OpenApiParameter("text", str, enum=CHOICES["text"], description="As shown, or raw."),
        ],
        responses={(200, JSONL): OpenApiTypes.STR, 404: OpenApiResponse(description="No batch.")},
    )
    def get(self, request: Request, slug: str) -> HttpResponse:
        """Return the pairs after a place, in the order of the batch."""
        asked = _asked(PairQuery, request)
        snapshot = _snapshot(request, slug, asked)
        page = pair_page(snapshot, text=asked["text"], after=asked["after"], size=asked["limit"])
        return _jsonl((pair_line(pair) for pair in page.pairs), snapshot, page.after)


class Ratings(Endpoint):
    """Tidy rating rows of a batch."""

    scope = TokenScope.READ_RATINGS
    throttle_classes = [Reading]

    @extend_schema(
        operation_id="ratings",
        summary="A page of ratings",
        description=_PAGE_HEADERS,
        parameters=[
            *_paging("a judgment's number"),
            OpenApiParameter("set", str, enum=CHOICES["set"], description="Of which judgments."),
        ],
        responses={(200, JSONL): OpenApiTypes.STR, 404: OpenApiResponse(description="No batch.")},
    )
    def get(self, request: Request, slug: str) -> HttpResponse:
        """Return the ratings of the judgments after a number, in the order they were made."""
        asked = _asked(RatingQuery, request)
        snapshot = _snapshot(request, slug, asked)
        page = rating_page(
            snapshot, set_name=asked["set"], after=asked["after"], size=asked["limit"]
        )
        rows = (canonical_line({name: getattr(row, name) for name in COLUMNS}) for row in page.rows)
        return _jsonl(rows, snapshot, page.after)


def batch_of(request: Request, slug: str) -> Batch:
    """Return the batch of this slug in the project of the key.

    :raises annotation.errors.NotFound: if there is none.
    """
    (batch,) = batches_named(lead_of(request).project, [slug])
    return batch


def refuse_future(number: int, newest: int) -> None:
    """Raise a validation error for a snapshot that does not exist yet."""
    if number > newest:
        told = f"The batch is at number {newest}; there is no {number} yet."
        raise serializers.ValidationError({"snapshot": told})


def _asked(query: type[serializers.Serializer[dict[str, Any]]], request: Request) -> dict[str, Any]:
    told = query(data=request.query_params)
    told.is_valid(raise_exception=True)
    return dict(told.validated_data)


def _snapshot(request: Request, slug: str, asked: dict[str, Any]) -> Snapshot:
    newest = Snapshot.now(batch_of(request, slug))
    number = asked.get("snapshot", newest.number)
    refuse_future(number, newest.number)
    return Snapshot(newest.batch, number)


def _jsonl(lines: Iterable[bytes], snapshot: Snapshot, after: int | None) -> HttpResponse:
    headers = {"Snapshot": str(snapshot.number), "Last-Page": "true" if after is None else "false"}
    if after is not None:
        headers["Next-After"] = str(after)
    return HttpResponse(b"".join(lines), content_type=JSONL, headers=headers)
