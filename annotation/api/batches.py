"""Reading batches: pairs and ratings of a named snapshot, in pages."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from annotation.actions.exports import read_options
from annotation.api.authentication import lead_of
from annotation.api.throttling import Reading
from annotation.api.views import Endpoint
from annotation.choices import TokenScope
from annotation.errors import Invalid
from annotation.formats.options import CHOICES, ExportOptions
from annotation.formats.pairs import canonical_line
from annotation.formats.project import projected
from annotation.formats.write_ratings import COLUMNS
from annotation.models.batches import Batch
from annotation.reports.exports import (
    batches_named,
    unknown_dimension,
    unknown_marks,
    with_marks,
)
from annotation.reports.pairs import PAGE as PAIR_PAGE
from annotation.reports.pairs import Snapshot, pair_page
from annotation.reports.ratings import PAGE as RATING_PAGE
from annotation.reports.ratings import rating_page

JSONL = "application/jsonl"

_PAGE_HEADERS = """
One JSON record a line. The header `Snapshot` names the number that the page is of: give it back
as `snapshot` for the pages that follow, and `Marks-At` as `marks_at`, and all of them are of one
moment. `Next-After` is what to
ask for next as `after`; `Last-Page: true` marks the last page, which has no `Next-After`.
"""


_RESPONSES = {
    (200, JSONL): OpenApiTypes.STR,
    404: OpenApiResponse(description="No batch."),
    422: OpenApiResponse(description="A parameter makes no sense; `fields` names it."),
}


def _paging(of: str) -> list[OpenApiParameter]:
    return [
        OpenApiParameter("snapshot", int, description="Evidence up to this number; default: all."),
        OpenApiParameter("after", int, description=f"The `Next-After` of the page before ({of})."),
        OpenApiParameter("limit", int, description="The most to read for this page."),
        *(
            OpenApiParameter(name, str, OpenApiParameter.HEADER, response=[200])
            for name in ("Snapshot", "Marks-At", "Next-After", "Last-Page")
        ),
    ]


_MARK_OPTIONS = ("without_marks", "marks_at")
_PAIR_OPTIONS = (
    "dimension",
    "source",
    "min_gap",
    "aggregate",
    "ties",
    "text",
    "seed",
    *_MARK_OPTIONS,
)
_DEFAULT = ExportOptions()
_MARK_PARAMETERS = (
    OpenApiParameter(
        "without_marks",
        str,
        description="Content marks whose dialogues are left out, joined by commas, or `all`.",
    ),
    OpenApiParameter(
        "marks_at",
        int,
        default=_DEFAULT.marks_at,
        description="Content marks up to this number of the project's; -1: now.",
    ),
)


class PairQuery(serializers.Serializer[dict[str, Any]]):
    """What can be asked of a page of pairs; what is left out is as `export_pairs` has it."""

    snapshot = serializers.IntegerField(min_value=0, required=False)
    after = serializers.IntegerField(min_value=-1, default=-1)
    limit = serializers.IntegerField(min_value=1, max_value=500, default=PAIR_PAGE)
    dimension = serializers.CharField(required=False, max_length=64)
    min_gap = serializers.FloatField(required=False, min_value=0, max_value=11)
    aggregate = serializers.ChoiceField(choices=CHOICES["aggregate"], required=False)
    ties = serializers.ChoiceField(choices=CHOICES["ties"], required=False)
    text = serializers.ChoiceField(choices=CHOICES["text"], required=False)
    seed = serializers.IntegerField(required=False, min_value=0)
    without_marks = serializers.CharField(required=False, max_length=2000)
    marks_at = serializers.IntegerField(required=False, min_value=-1)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields; `from`, which the command has too, is no name in Python."""
        votes = serializers.ChoiceField(choices=CHOICES["source"], required=False, source="source")
        return {**super().get_fields(), "from": votes}


class RatingQuery(serializers.Serializer[dict[str, Any]]):
    """What can be asked of a page of ratings."""

    snapshot = serializers.IntegerField(min_value=0, required=False)
    after = serializers.IntegerField(min_value=0, default=0)
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=RATING_PAGE)
    set = serializers.ChoiceField(choices=CHOICES["set"], default="final")
    without_marks = serializers.CharField(required=False, max_length=2000)
    marks_at = serializers.IntegerField(required=False, min_value=-1)


class Pairs(Endpoint):
    """Canonical pair records of a batch."""

    scope = TokenScope.READ_PAIRS
    query = PairQuery
    throttle_classes = [Reading]

    @extend_schema(
        operation_id="pairs",
        summary="A page of preference pairs",
        description=(
            "The records of `export_pairs --format canonical` of the same snapshot and options: "
            "`aggregates` says what was decided.\n" + _PAGE_HEADERS
        ),
        parameters=[
            *_paging("an item's place"),
            OpenApiParameter(
                "dimension",
                str,
                default=_DEFAULT.dimension,
                description="What was decided on it: a dimension's key, overall, fork or all.",
            ),
            OpenApiParameter(
                "from",
                str,
                enum=CHOICES["source"],
                default=_DEFAULT.source,
                description="What a vote is: a preference, or the sign of a gap between scores.",
            ),
            OpenApiParameter(
                "min_gap",
                float,
                default=_DEFAULT.min_gap,
                description="From scores: smaller gaps are a tie.",
            ),
            OpenApiParameter(
                "aggregate",
                str,
                enum=CHOICES["aggregate"],
                default=_DEFAULT.aggregate,
                description="One decision of the majority, or one for each vote.",
            ),
            OpenApiParameter(
                "ties",
                str,
                enum=CHOICES["ties"],
                default=_DEFAULT.ties,
                description="With drop, pairs decided as a tie or both bad are not in the page.",
            ),
            OpenApiParameter(
                "text",
                str,
                enum=CHOICES["text"],
                default=_DEFAULT.text,
                description="As shown, or raw.",
            ),
            OpenApiParameter(
                "seed", int, default=_DEFAULT.seed, description="What `order` is drawn from."
            ),
            *_MARK_PARAMETERS,
        ],
        responses=_RESPONSES,
    )
    def get(self, request: Request, slug: str) -> HttpResponse:
        """Return the pairs after a place, in the order of the batch."""
        asked = self.asked(request)
        snapshot = _snapshot(request, slug, asked)
        options = read_options({name: asked[name] for name in _PAIR_OPTIONS if name in asked})
        if wrong := unknown_dimension([snapshot.batch], options):
            raise Invalid(wrong, fields={"dimension": wrong})
        snapshot, options = _marked(snapshot, options)
        page = pair_page(
            snapshot,
            text=options.text,
            after=asked["after"],
            size=asked["limit"],
            refused=options.mark_refused,
        )
        rows = (row for pair in page.pairs for row in projected(pair, options=options).rows)
        return _jsonl(map(canonical_line, rows), snapshot, page.after)


class Ratings(Endpoint):
    """Tidy rating rows of a batch."""

    scope = TokenScope.READ_RATINGS
    query = RatingQuery
    throttle_classes = [Reading]

    @extend_schema(
        operation_id="ratings",
        summary="A page of ratings",
        description=_PAGE_HEADERS,
        parameters=[
            *_paging("a judgment's number"),
            OpenApiParameter("set", str, enum=CHOICES["set"], description="Of which judgments."),
            *_MARK_PARAMETERS,
        ],
        responses=_RESPONSES,
    )
    def get(self, request: Request, slug: str) -> HttpResponse:
        """Return the ratings of the judgments after a number, in the order they were made."""
        asked = self.asked(request)
        snapshot = _snapshot(request, slug, asked)
        options = read_options({name: asked[name] for name in _MARK_OPTIONS if name in asked})
        snapshot, options = _marked(snapshot, options)
        page = rating_page(
            snapshot,
            set_name=asked["set"],
            after=asked["after"],
            size=asked["limit"],
            refused=options.mark_refused,
        )
        rows = (canonical_line({name: getattr(row, name) for name in COLUMNS}) for row in page.rows)
        return _jsonl(rows, snapshot, page.after)


def _marked(snapshot: Snapshot, options: ExportOptions) -> tuple[Snapshot, ExportOptions]:
    """Return both at the number of content marks asked for; refuse marks that are none."""
    project = snapshot.batch.project
    if wrong := unknown_marks(project, options):
        raise Invalid(wrong, fields={"without_marks": wrong})
    (snapshot,), options = with_marks(project, [snapshot], options)
    return snapshot, options


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


def _snapshot(request: Request, slug: str, asked: dict[str, Any]) -> Snapshot:
    newest = Snapshot.now(batch_of(request, slug))
    number = asked.get("snapshot", newest.number)
    refuse_future(number, newest.number)
    return Snapshot(newest.batch, number)


def _jsonl(lines: Iterable[bytes], snapshot: Snapshot, after: int | None) -> HttpResponse:
    headers = {
        "Snapshot": str(snapshot.number),
        "Marks-At": str(snapshot.marks),
        "Last-Page": "true" if after is None else "false",
    }
    if after is not None:
        headers["Next-After"] = str(after)
    return HttpResponse(b"".join(lines), content_type=JSONL, headers=headers)
