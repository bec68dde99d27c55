"""Counts of patterns of ratings and preferences, and of what is left out, from the database.

Each is a grouped query whose rows are few: patterns of scores by dialogue, and scores by person
and pattern. `annotation.reports.agreement` makes figures of them.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    SmallIntegerField,
    Sum,
    Value,
    When,
    Window,
)
from django.db.models.functions import Cast, Concat, RowNumber

from annotation.agreement.packed import BITS, PackingOverflow, from_packed
from annotation.agreement.patterns import Patterns, count_patterns
from annotation.agreement.preferences import OUTCOMES, Position, position
from annotation.choices import (
    BatchPurpose,
    Cause,
    Origin,
    Outcome,
    PreferenceScope,
    SeatPurpose,
)
from annotation.models.batches import Batch
from annotation.models.judgments import Judgment, Preference, Rating
from annotation.models.quality import GoldAnswer
from annotation.reports.voids import Voids

OWN = (Origin.GIVEN, Origin.PROPOSED)
"""Origins of what a person said: the others are counted and enter no figure."""

Rows = list[tuple[Any, ...]]
Which = tuple[str, int]
"""Which comparison: its scope, and its dimension's key or 0."""


def judgments_left_out(
    batch: Batch,
    number: int,
    voids: Voids,
    independent: "QuerySet[Judgment]",
    chosen: "QuerySet[Judgment]",
) -> dict[str, int]:
    """Count the dealings without an independent judgment, each by the first reason that holds."""
    counted: Counter[str] = Counter()
    void = independent.exclude(pk__in=chosen.values("pk"))
    for judgment in void.only("pk", "item", "member", "submitted_at"):
        counted[voids.reason(judgment)] += 1
    golden = GoldAnswer.objects.filter(batch=batch).values("item")
    newer = Judgment.objects.filter(
        assignment=OuterRef("assignment"), revision__gt=OuterRef("revision"), number__lte=number
    )
    others = (
        Judgment.objects.filter(batch=batch)
        .up_to(number)
        .exclude(Exists(newer))
        .exclude(assignment__in=independent.values("assignment"))
        .annotate(
            why=Case(
                When(cause=Cause.WITHDRAWAL, then=Value("withdrawn")),
                When(
                    ~Q(batch__purpose__in=[BatchPurpose.PILOT, BatchPurpose.MAIN]),
                    then=Value(f"{batch.purpose}_batch"),
                ),
                When(seat=None, then=Value("surplus")),
                When(~Q(seat__purpose=SeatPurpose.OVERLAP), then=F("seat__purpose")),
                When(item__repeat_of__isnull=False, then=Value("repeat")),
                When(item__in=golden, then=Value("gold")),
                When(saw_others=True, then=Value("saw_others")),
                default=F("cause"),
                output_field=CharField(),
            ),
        )
    )
    for why, count in others.values_list("why").annotate(Count("pk")).order_by("why"):
        counted[why] += count
    return dict(sorted(counted.items()))


@dataclass(frozen=True, slots=True)
class RatingCounts:
    """Grouped rows of one dimension: (turn, dialogue, packed, units), (turn, who, packed, ...)."""

    units: Rows
    cells: Rows
    domain: Sequence[int]
    lowest: int

    def patterns(self, turn: int | None = None) -> Patterns | None:
        """Return the patterns of one turn or of all; None where the sums have run over."""
        try:
            return from_packed(
                [row[1:] for row in self.units if turn in {None, row[0]}],
                [row[1:] for row in self.cells if turn in {None, row[0]}],
                domain=self.domain,
                lowest=self.lowest,
            )
        except PackingOverflow:
            return None


def rating_counts(
    counted: "QuerySet[Rating]", lowest: int
) -> tuple[defaultdict[int, Rows], defaultdict[int, Rows]]:
    """Return the grouped rows by dimension. Two queries."""
    bits = ExpressionWrapper(
        Cast(Value(1), BigIntegerField()).bitleftshift(
            (F("score") - lowest) * BITS  # type: ignore[arg-type]
        ),
        output_field=BigIntegerField(),
    )
    by_unit = (
        counted.order_by()
        .values(
            which=F("dimension"),
            turn=F("response__depth"),
            dialogue=F("response__dialogue"),
            unit=F("response"),
        )
        .annotate(packed=Sum(bits))
    )
    by_person = (
        counted.order_by()
        .annotate(packed=Window(Sum(bits), partition_by=[F("dimension"), F("response")]))
        .values(
            "packed",
            which=F("dimension"),
            turn=F("response__depth"),
            who=F("judgment__member"),
            mark=F("score"),
        )
    )
    units = _grouped(by_unit, ["which", "turn", "dialogue", "packed"])
    cells = _grouped(by_person, ["which", "turn", "who", "packed", "mark"])
    return _by_first(units), _by_first(cells)


def _by_first(rows: Rows) -> defaultdict[int, Rows]:
    found: defaultdict[int, Rows] = defaultdict(list)
    for first, *rest in rows:
        found[first].append(tuple(rest))
    return found


def _grouped(rows: "QuerySet[Any, Any]", columns: Sequence[str]) -> Rows:
    """Count the rows of a query by some of its columns; in the database, which the ORM cannot.

    Django groups no query that is itself grouped or has window functions. The columns are our
    own names, the query is Django's.
    """
    query, parameters = rows.query.sql_with_params()
    names = ", ".join(connection.ops.quote_name(name) for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {names}, COUNT(*) FROM ({query}) grouped GROUP BY {names} ORDER BY {names}",  # noqa: S608
            parameters,
        )
        return list(cursor.fetchall())


def superseded(given: "QuerySet[Rating]") -> "QuerySet[Rating]":
    """Return the ratings of a unit that the same person rated anew in a later item.

    Numbered once in one pass; a subquery for each rating takes minutes for a large batch.
    """
    newest_first = Window(
        RowNumber(),
        partition_by=[F("judgment__member"), F("response"), F("dimension")],
        order_by=F("judgment__number").desc(),
    )
    return given.filter(origin__in=OWN).annotate(place=newest_first).filter(place__gt=1)


def patterns_of_rows(counted: "QuerySet[Rating]", domain: Sequence[int]) -> Patterns:
    """Count row by row: for units with more equal scores than the grouped query can hold."""
    rows = list(counted.values_list("response", "judgment__member", "score", "response__dialogue"))
    units, people, scores, dialogues = zip(*rows, strict=True)
    return count_patterns(units, people, scores, domain=domain, clusters=dialogues)


def ratings_left_out(given: "QuerySet[Rating]", outside: Q) -> dict[int, Counter[str]]:
    """Count all ratings and those outside ordinal statistics by dimension. One query."""
    scored = Q(score__isnull=False)
    own = scored & Q(origin__in=OWN)
    rows = (
        given.values_list("dimension")
        .order_by("dimension")
        .annotate(
            all=Count("pk"),
            not_applicable=Count("pk", filter=Q(not_applicable=True)),
            by_rule=Count("pk", filter=scored & Q(origin=Origin.BY_RULE)),
            carried=Count("pk", filter=scored & Q(origin=Origin.CARRIED)),
            outside_order=Count("pk", filter=own & outside),
        )
    )
    names = ("all", "not_applicable", "by_rule", "carried", "outside_order")
    return {
        dimension: Counter(dict(zip(names, counts, strict=True))) for dimension, *counts in rows
    }


def comparison_patterns(counted: "QuerySet[Preference]", units: Rows, cells: Rows) -> Patterns:
    """Return the patterns of one comparison over `OUTCOMES`.

    :param counted: its rows, read only where the grouped sums have run over.
    """
    codes = range(len(OUTCOMES))
    try:
        patterns = from_packed(units, cells, domain=codes, lowest=0)
    except PackingOverflow:
        patterns = patterns_of_preferences(counted)
    return replace(patterns, domain=OUTCOMES)


def side() -> Case:
    """Return the outcome's index in `OUTCOMES`, by response and never by screen side."""
    token = Concat(Value("/"), Cast("preferred", CharField()), Value("/"))
    on_first = Q(judgment__item__response_1=F("preferred")) | Q(
        scope=PreferenceScope.FORK, judgment__item__response_1__lineage__contains=token
    )
    return Case(
        When(outcome=Outcome.TIE, then=Value(1)),
        When(outcome=Outcome.BOTH_BAD, then=Value(3)),
        When(on_first, then=Value(0)),
        default=Value(2),
        output_field=SmallIntegerField(),
    )


def preference_counts(
    counted: "QuerySet[Preference]",
) -> tuple[defaultdict[Which, Rows], defaultdict[Which, Rows]]:
    """Return the grouped rows by (scope, dimension or 0). Two queries."""
    bits = ExpressionWrapper(
        Cast(Value(1), BigIntegerField()).bitleftshift(
            F("side") * BITS  # type: ignore[arg-type]
        ),
        output_field=BigIntegerField(),
    )
    by_item = (
        counted.order_by()
        .values(
            "scope",
            which=F("dimension"),
            dialogue=F("judgment__item__dialogue"),
            unit=F("judgment__item"),
        )
        .annotate(packed=Sum(bits))
    )
    partition = [F("scope"), F("dimension"), F("judgment__item")]
    by_person = (
        counted.order_by()
        .annotate(packed=Window(Sum(bits), partition_by=partition))
        .values("scope", "packed", "side", which=F("dimension"), who=F("judgment__member"))
    )
    found: list[defaultdict[Which, Rows]] = []
    for rows, columns in (
        (by_item, ["scope", "which", "dialogue", "packed"]),
        (by_person, ["scope", "which", "who", "packed", "side"]),
    ):
        by_which: defaultdict[Which, Rows] = defaultdict(list)
        for scope, dimension, *rest in _grouped(rows, columns):
            by_which[str(scope), dimension or 0].append(tuple(rest))
        found.append(by_which)
    return found[0], found[1]


def patterns_of_preferences(counted: "QuerySet[Any]") -> Patterns:
    """Count row by row: for items with more equal outcomes than the grouped query can hold."""
    rows = list(
        counted.values_list(
            "judgment__item", "judgment__member", "side", "judgment__item__dialogue"
        )
    )
    items, people, sides, dialogues = zip(*rows, strict=True)
    return count_patterns(items, people, sides, domain=range(len(OUTCOMES)), clusters=dialogues)


def shown_first(counted: "QuerySet[Any]") -> dict[Which, Position]:
    """Return how often the side shown first was preferred. One query."""
    stood_first = Q(side=0, judgment__shown_first=1) | Q(side=2, judgment__shown_first=2)
    rows = (
        counted.filter(outcome=Outcome.PREFERS)
        .values_list("scope", "dimension")
        .order_by("scope", "dimension")
        .annotate(decided=Count("pk"), first=Count("pk", filter=stood_first))
    )
    return {
        (str(scope), dimension or 0): position(first=first, decided=decided)
        for scope, dimension, decided, first in rows
    }


def preferences_left_out(given: "QuerySet[Preference]") -> dict[Which, dict[str, int]]:
    """Count the preferences that the person did not give by origin. One query."""
    rows = (
        given.exclude(origin__in=OWN)
        .values_list("scope", "dimension", "origin")
        .order_by("scope", "dimension", "origin")
        .annotate(Count("pk"))
    )
    found: defaultdict[Which, dict[str, int]] = defaultdict(dict)
    for scope, dimension, origin, count in rows:
        found[str(scope), dimension or 0][str(origin)] = count
    return dict(found)
