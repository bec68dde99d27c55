"""A batch's judgments for its own members to read: the items people differ on most, first."""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Case, Count, F, IntegerField, Max, Min, QuerySet, Value, When
from django.db.models.functions import Coalesce

from annotation.choices import ANNOTATING, PreferenceScope, Role
from annotation.models.batches import Batch, Item
from annotation.models.judgments import Judgment, JudgmentQuerySet, Preference, Rating
from annotation.models.reviews import Sight
from annotation.models.rubric import Dimension, ScalePoint
from annotation.reports.comparing import OPPOSITE
from annotation.reports.desk import titles_of
from annotation.reports.reviews import turns_of
from annotation.reports.voids import standing_voids
from annotation.reports.words import in_language


@dataclass(frozen=True, slots=True)
class CalibrationRow:
    """One item. `size` is how far people are apart in all: points, and 3 for other preferences."""

    item: str
    title: str
    turns: str
    judgments: int
    size: int


@dataclass(frozen=True, slots=True)
class Spread:
    """What people gave on one dimension: each scale point in words with its count."""

    name: str
    counts: tuple[tuple[str, int], ...]
    total: int


def side_by_side(batch: Batch) -> JudgmentQuerySet:
    """Return the annotators' live judgments that no void takes out. Some four queries."""
    number = Batch.objects.values_list("last_number", flat=True).get(pk=batch.pk)
    live = Judgment.objects.filter(batch=batch).live(number=number)
    outside = standing_voids(batch, number=number).outside(live)
    return outside.filter(assignment__purpose__in=ANNOTATING)


def calibration_count(judgments: JudgmentQuerySet) -> int:
    """Return how many items have a judgment."""
    return judgments.order_by().values("item").distinct().count()


def calibration_rows(judgments: JudgmentQuerySet, *, start: int, size: int) -> list[CalibrationRow]:
    """Return the items from place `start` on, the furthest apart first. Five queries."""
    places = _furthest_apart(judgments, start=start, size=size)
    items = (
        Item.objects.filter(pk__in=places)
        .select_related("response_1", "response_2")
        .in_bulk(list(places))
    )
    titles = titles_of({item.dialogue_id for item in items.values()})
    counts = dict(
        judgments.filter(item__in=places).order_by().values_list("item").annotate(Count("pk"))
    )
    return [
        CalibrationRow(
            item=items[pk].public_id,
            title=titles.get(items[pk].dialogue_id, ""),
            turns=turns_of(items[pk]),
            judgments=counts[pk],
            size=apart,
        )
        for pk, apart in places.items()
    ]


def _furthest_apart(judgments: JudgmentQuerySet, *, start: int, size: int) -> dict[int, int]:
    """Return item -> points apart, in order; summed in the database, which the ORM cannot.

    Django groups no query that is itself grouped. The columns are our own names.
    """
    chosen = judgments.order_by().values("pk")
    scores: QuerySet[Any, Any] = (
        Rating.objects.filter(judgment__in=chosen)
        .ordinal()
        .values("response", "dimension", which=F("judgment__item"))
        .annotate(apart=Max("score") - Min("score"))
        .values("which", "apart")
        .order_by()
    )
    sides = Coalesce("preferred", Case(When(outcome="tie", then=Value(-1)), default=Value(-2)))
    preferences: QuerySet[Any, Any] = (
        Preference.objects.filter(judgment__in=chosen, scope=PreferenceScope.OVERALL)
        .values(which=F("judgment__item"))
        .annotate(ways=Count(sides, distinct=True))
        .annotate(
            apart=Case(
                When(ways__gt=1, then=Value(OPPOSITE)),
                default=Value(0),
                output_field=IntegerField(),
            )
        )
        .values("which", "apart")
        .order_by()
    )
    parts = [query.query.sql_with_params() for query in (scores, preferences)]
    union = " UNION ALL ".join(
        f"SELECT which, apart FROM ({sql}) part{place}"  # noqa: S608
        for place, (sql, _parameters) in enumerate(parts)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT which, SUM(apart) FROM ({union}) every GROUP BY which "  # noqa: S608
            "ORDER BY 2 DESC, 1 LIMIT %s OFFSET %s",
            [*parts[0][1], *parts[1][1], size, start],
        )
        return {which: int(apart) for which, apart in cursor.fetchall()}


def spreads(batch: Batch, judgments: JudgmentQuerySet) -> list[Spread]:
    """Return what was given on each dimension. Three queries."""
    rows = (
        Rating.objects.filter(judgment__in=judgments.order_by().values("pk"), score__isnull=False)
        .values_list("dimension", "score")
        .order_by("dimension", "score")
        .annotate(Count("pk"))
    )
    counted: dict[tuple[int, int], int] = {(one, score): n for one, score, n in rows}
    words: dict[int, dict[int, str]] = {}
    points = ScalePoint.objects.filter(dimension__rubric=batch.rubric_id).order_by("score")
    for point in points:
        word = f"{point.score} {in_language(point.word)}".replace("-", "−", 1).strip()
        words.setdefault(point.dimension_id, {})[point.score] = word
    found = []
    for one in Dimension.objects.filter(rubric=batch.rubric_id).order_by("position", "pk"):
        counts = tuple(
            (word, counted.get((one.pk, score), 0)) for score, word in words[one.pk].items()
        )
        total = sum(count for _, count in counts)
        if total:
            name = in_language(one.short_name) or in_language(one.name) or one.key
            found.append(Spread(name, counts, total))
    return found


def calibration_readers(batch: Batch) -> int:
    """Return how many members have read it; leads, who see everything, are not counted."""
    return Sight.objects.filter(batch=batch, item=None).exclude(member__role=Role.LEAD).count()
