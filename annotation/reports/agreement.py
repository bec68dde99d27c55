"""How well the annotators of a batch agree, from the independent set at a snapshot.

Two grouped queries count, for each dimension, how many units show which pattern of scores, and
who gave which score in them; the arithmetic is `annotation.agreement`'s. What is left out is
counted by reason, and the counts balance. Dimensions are never pooled.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from annotation.agreement.alpha import Level as Scale
from annotation.agreement.estimates import Estimate
from annotation.agreement.preferences import (
    OUTCOMES,
    Position,
    PreferenceAgreement,
    position,
    preference_report,
)
from annotation.agreement.reliability import Reliability, alpha_estimate, resample, short_report
from annotation.choices import BatchKind, Level, LocalScope, PreferenceScope
from annotation.models.batches import Batch
from annotation.models.judgments import Judgment, Preference, Rating
from annotation.models.rubric import Dimension, ScalePoint
from annotation.reports.agreement_counts import (
    OWN,
    RatingCounts,
    comparison_patterns,
    judgments_left_out,
    patterns_of_rows,
    preference_counts,
    preferences_left_out,
    rating_counts,
    ratings_left_out,
    shown_first,
    side,
    superseded,
)
from annotation.reports.voids import standing_voids

SET = "independent"


@dataclass(frozen=True, slots=True)
class TurnAgreement:
    """Ordinal alpha of one local dimension on the answers of one turn, counted from 1."""

    turn: int
    pairable_units: int
    alpha: Estimate


@dataclass(frozen=True, slots=True)
class DimensionAgreement:
    """One dimension. `left_out` counts ratings of independent judgments by reason."""

    key: str
    level: str
    name: Mapping[str, str]
    reliability: Reliability
    left_out: Mapping[str, int]
    turns: tuple[TurnAgreement, ...]


@dataclass(frozen=True, slots=True)
class ComparisonAgreement:
    """One comparison of the two sides: overall, at the fork, or on a dimension.

    :ivar dimension: its key, "" for overall and the fork.
    :ivar first_shown: how often the side that stood first was preferred.
    """

    scope: str
    dimension: str
    name: Mapping[str, str]
    agreement: PreferenceAgreement
    first_shown: Position
    left_out: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class BatchAgreement:
    """Everything about one batch at one number.

    :ivar submitted: people's dealings with items that have a judgment; these are
        `judgments` (independent, counted once each) plus the sum of `left_out`.
    """

    batch: str
    kind: str
    purpose: str
    number: int
    submitted: int
    judgments: int
    items: int
    dialogues: int
    annotators: int
    left_out: Mapping[str, int]
    dimensions: tuple[DimensionAgreement, ...]
    preferences: tuple[ComparisonAgreement, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; what is undefined is null."""
        return {
            "batch": self.batch,
            "kind": self.kind,
            "purpose": self.purpose,
            "number": self.number,
            "set": SET,
            "submitted": self.submitted,
            "judgments": self.judgments,
            "items": self.items,
            "dialogues": self.dialogues,
            "annotators": self.annotators,
            "left_out": dict(self.left_out),
            "dimensions": [_dimension_dict(one) for one in self.dimensions],
            "preferences": [_comparison_dict(one) for one in self.preferences],
        }


def _estimate_dict(one: Estimate) -> dict[str, Any]:
    return {
        "measure": one.measure,
        "weights": str(one.weights),
        "value": one.value,
        "low": one.low,
        "high": one.high,
        "state": str(one.state),
        "reason": one.reason,
        "varied": one.source,
    }


def _dimension_dict(one: DimensionAgreement) -> dict[str, Any]:
    found = one.reliability
    return {
        "key": one.key,
        "level": one.level,
        "name": dict(one.name),
        "domain": list(found.domain),
        "units": found.units,
        "pairable_units": found.pairable_units,
        "ratings": found.ratings,
        "annotators": found.annotators,
        "dialogues": found.clusters,
        "marginals": list(found.marginals),
        "left_out": dict(one.left_out),
        "figures": [_estimate_dict(figure) for figure in found.estimates],
        "turns": [
            {
                "turn": turn.turn,
                "pairable_units": turn.pairable_units,
                **_estimate_dict(turn.alpha),
            }
            for turn in one.turns
        ],
    }


def _comparison_dict(one: ComparisonAgreement) -> dict[str, Any]:
    found = one.agreement
    return {
        "scope": one.scope,
        "dimension": one.dimension,
        "name": dict(one.name),
        "units": found.units,
        "pairable_units": found.pairable_units,
        "ratings": found.ratings,
        "annotators": found.annotators,
        "dialogues": found.clusters,
        "outcomes": dict(zip(OUTCOMES, found.outcomes, strict=True)),
        "left_out": dict(one.left_out),
        "figures": [_estimate_dict(figure) for figure in found.estimates],
        "first_shown": asdict(one.first_shown),
    }


def batch_agreement(batch: Batch, *, number: int | None = None) -> BatchAgreement:
    """Return agreement at `number`, or at the batch's newest. 14 queries, few rows."""
    if number is None:
        number = Batch.objects.values_list("last_number", flat=True).get(pk=batch.pk)
    voids = standing_voids(batch, number=number)
    independent = Judgment.objects.filter(batch=batch).independent(number=number)
    chosen = voids.outside(independent)
    left_out = judgments_left_out(batch, number, voids, independent, chosen)
    sizes = chosen.aggregate(
        judgments=Count("pk"),
        items=Count("item", distinct=True),
        dialogues=Count("item__dialogue", distinct=True),
        annotators=Count("member", distinct=True),
    )
    dimensions = list(batch.rubric.dimensions.order_by("position"))
    return BatchAgreement(
        batch=batch.slug,
        kind=batch.kind,
        purpose=batch.purpose,
        number=number,
        submitted=sizes["judgments"] + sum(left_out.values()),
        left_out=left_out,
        dimensions=tuple(_dimensions(batch, chosen, dimensions)),
        preferences=tuple(_comparisons(batch, chosen, dimensions)),
        **sizes,
    )


def _dimensions(
    batch: Batch, chosen: "QuerySet[Judgment]", dimensions: Sequence[Dimension]
) -> Iterable[DimensionAgreement]:
    given = Rating.objects.filter(judgment__in=chosen.values("pk"))
    counted = given.ordinal().exclude(pk__in=superseded(given).values("pk"))
    points = ScalePoint.objects.filter(dimension__rubric=batch.rubric_id).order_by("score")
    scores: defaultdict[int, list[int]] = defaultdict(list)
    outside = Q(pk__in=[])
    for dimension_id, score, in_order in points.values_list("dimension", "score", "in_order"):
        if in_order:
            scores[dimension_id].append(score)
        else:
            outside |= Q(dimension=dimension_id, score=score)
    lowest = min((min(one) for one in scores.values()), default=0)
    units, cells = rating_counts(counted, lowest)
    left_out = ratings_left_out(given, outside)
    for one in dimensions:
        if not _is_asked(batch, Level(one.level)) and one.pk not in left_out:
            continue
        domain = scores[one.pk]
        mine = RatingCounts(units[one.pk], cells[one.pk], domain, lowest)
        patterns = mine.patterns() or patterns_of_rows(counted.filter(dimension=one), domain)
        reliability = short_report(patterns)
        out = left_out.get(one.pk, Counter())
        every = out.pop("all", 0)
        out["rated_again"] = every - sum(out.values()) - reliability.ratings
        yield DimensionAgreement(
            key=one.key,
            level=one.level,
            name=one.name,
            reliability=reliability,
            left_out={reason: count for reason, count in out.items() if count},
            turns=tuple(_turns(mine)) if one.level == Level.LOCAL else (),
        )


def _is_asked(batch: Batch, level: Level) -> bool:
    settings = batch.parsed_settings()
    if batch.kind == BatchKind.TURN_PAIR:
        return level == Level.LOCAL
    if batch.kind == BatchKind.CONVERSATION:
        return True
    if level == Level.LOCAL:
        return settings.local_scope != LocalScope.NONE
    return settings.global_ratings


def _turns(counts: RatingCounts) -> Iterable[TurnAgreement]:
    """Yield alpha by turn, where there is more than one."""
    turns = sorted({row[0] for row in counts.units})
    for turn in turns if len(turns) > 1 else ():
        patterns = counts.patterns(turn)
        if patterns is not None:
            alpha = alpha_estimate(resample(patterns), Scale.ORDINAL)
            yield TurnAgreement(turn, patterns.pairable_units, alpha)


def _comparisons(
    batch: Batch, chosen: "QuerySet[Judgment]", dimensions: Sequence[Dimension]
) -> Iterable[ComparisonAgreement]:
    if batch.kind == BatchKind.CONVERSATION:
        return
    given = Preference.objects.filter(judgment__in=chosen.values("pk"))
    counted = given.filter(origin__in=OWN).annotate(side=side())
    units, cells = preference_counts(counted)
    first = shown_first(counted)
    left_out = preferences_left_out(given)
    wanted: list[tuple[str, Dimension | None]] = [(PreferenceScope.OVERALL, None)]
    wanted.append((PreferenceScope.FORK, None))
    wanted += [(PreferenceScope.DIMENSION, one) for one in dimensions]
    for scope, dimension in wanted:
        which = (str(scope), dimension.pk if dimension else 0)
        if which not in units and scope != PreferenceScope.OVERALL:
            continue
        mine = counted.filter(scope=scope, dimension=dimension)
        patterns = comparison_patterns(mine, units[which], cells[which])
        yield ComparisonAgreement(
            scope=str(scope),
            dimension=dimension.key if dimension else "",
            name=dimension.name if dimension else {},
            agreement=preference_report(patterns),
            first_shown=first.get(which, position(first=0, decided=0)),
            left_out=left_out.get(which, {}),
        )
