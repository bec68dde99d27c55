"""How well the annotators of a batch agree, from the independent set at a snapshot.

A grouped query brings the ratings, a row for each judgment; the arithmetic is
`annotation.agreement`'s. What is left out is counted by reason, and the counts balance. Dimensions
are never pooled.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from django.db.models import QuerySet

from annotation.agreement.alpha import Level as Scale
from annotation.agreement.coefficients import Weighting
from annotation.agreement.estimates import Estimate
from annotation.agreement.preferences import (
    OUTCOMES,
    Position,
    PreferenceAgreement,
    position,
    preference_report,
)
from annotation.agreement.reliability import (
    Reliability,
    alpha_estimate,
    coefficient_estimate,
    resample,
    short_report,
)
from annotation.choices import BatchKind, Branch, Level, LocalScope, PreferenceScope
from annotation.models.batches import Batch
from annotation.models.judgments import Judgment
from annotation.models.rubric import Dimension
from annotation.reports.agreement_counts import (
    BRANCHES,
    GivenRatings,
    JudgmentRows,
    RatingCounts,
    given_ratings,
    judgment_rows,
    judgments_left_out,
    scales_of,
)
from annotation.reports.guideline_steps import GuidelineStep, estimate_dict, guideline_steps
from annotation.reports.preference_counts import preference_counts
from annotation.reports.voids import standing_voids

SET = "independent"


@dataclass(frozen=True, slots=True)
class TurnAgreement:
    """Ordinal alpha of one local dimension on the answers of one turn, counted from 1."""

    turn: int
    pairable_units: int
    alpha: Estimate


@dataclass(frozen=True, slots=True)
class BranchAgreement:
    """One dimension where it was about the answer's images, an announced one, or the user's."""

    branch: str
    pairable_units: int
    alpha: Estimate
    exact: Estimate


@dataclass(frozen=True, slots=True)
class DimensionAgreement:
    """One dimension. `left_out` counts ratings of independent judgments by reason."""

    key: str
    level: str
    name: Mapping[str, str]
    reliability: Reliability
    left_out: Mapping[str, int]
    turns: tuple[TurnAgreement, ...]
    branches: tuple[BranchAgreement, ...]


@dataclass(frozen=True, slots=True)
class Contradictions:
    """Of `given` preferences, those against the person's own scores: asked about, then kept or
    changed."""

    given: int
    kept: int
    changed: int


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
    contradictions: Contradictions
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
    guidelines: tuple[GuidelineStep, ...]

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
            "guidelines": [one.as_dict() for one in self.guidelines],
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
        "figures": [estimate_dict(figure) for figure in found.estimates],
        "turns": [
            {
                "turn": turn.turn,
                "pairable_units": turn.pairable_units,
                **estimate_dict(turn.alpha),
            }
            for turn in one.turns
        ],
        "branches": [
            {
                "branch": branch.branch,
                "pairable_units": branch.pairable_units,
                "exact": branch.exact.value,
                **estimate_dict(branch.alpha),
            }
            for branch in one.branches
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
        "figures": [estimate_dict(figure) for figure in found.estimates],
        "first_shown": asdict(one.first_shown),
        "contradictions": asdict(one.contradictions),
    }


def chosen_judgments(batch: Batch, *, number: int) -> "QuerySet[Judgment]":
    """Return the independent set without what is void: what figures are made of. Few queries."""
    independent = Judgment.objects.filter(batch=batch).independent(number=number)
    return standing_voids(batch, number=number).outside(independent)


def newest_number(batch: Batch) -> int:
    """Return the number of the batch's newest evidence. One query."""
    return Batch.objects.values_list("last_number", flat=True).get(pk=batch.pk)


def batch_agreement(batch: Batch, *, number: int | None = None) -> BatchAgreement:
    """Return agreement at `number`, or at the batch's newest. A dozen queries.

    More where judgments were made under several versions of the guideline.
    """
    if number is None:
        number = newest_number(batch)
    voids = standing_voids(batch, number=number)
    independent = Judgment.objects.filter(batch=batch).independent(number=number)
    chosen = voids.outside(independent)
    left_out = judgments_left_out(batch, number, voids, independent, chosen)
    judgments = judgment_rows(chosen)
    several = len(np.unique(judgments.version[judgments.version > 0])) > 1
    dimensions = list(batch.rubric.dimensions.order_by("position"))
    given = given_ratings(judgments, batch, scales_of(batch.rubric_id))
    return BatchAgreement(
        batch=batch.slug,
        kind=batch.kind,
        purpose=batch.purpose,
        number=number,
        submitted=len(judgments.key) + sum(left_out.values()),
        judgments=len(judgments.key),
        items=len(np.unique(judgments.item)),
        dialogues=len(np.unique(judgments.dialogue)),
        annotators=len(np.unique(judgments.member)),
        left_out=left_out,
        dimensions=tuple(_dimensions(batch, dimensions, given)),
        preferences=tuple(_comparisons(batch, judgments, dimensions)),
        guidelines=guideline_steps(chosen, dimensions, given) if several else (),
    )


def _dimensions(
    batch: Batch, dimensions: Sequence[Dimension], given: GivenRatings
) -> Iterable[DimensionAgreement]:
    left_out, counted = given.left_out(), given.by_dimension()
    for one in dimensions:
        out = left_out.get(one.pk, Counter())
        if not out and not _is_asked(batch, Level(one.level)):
            continue
        mine = counted[one.pk]
        reliability = replace(short_report(mine.patterns()), clusters=mine.dialogues)
        every = out.pop("all", 0)
        out["rated_again"] = every - sum(out.values()) - reliability.ratings
        yield DimensionAgreement(
            key=one.key,
            level=one.level,
            name=one.name,
            reliability=reliability,
            left_out={reason: out[reason] for reason in REASONS if out[reason]},
            turns=tuple(_turns(mine)) if one.level == Level.LOCAL else (),
            branches=tuple(_branches(mine)),
        )


REASONS = ("not_applicable", "by_rule", "carried", "outside_order", "rated_again")


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
    turns = counts.turns
    for turn in turns if len(turns) > 1 else ():
        patterns = counts.patterns(turn=turn)
        alpha = alpha_estimate(resample(patterns), Scale.ORDINAL)
        yield TurnAgreement(turn, patterns.pairable_units, alpha)


def _branches(counts: RatingCounts) -> Iterable[BranchAgreement]:
    """Yield agreement by branch of the image rule, where images played a part."""
    for branch in counts.branches:
        if BRANCHES[branch] == Branch.NOT_ABOUT_IMAGES:
            continue
        patterns = counts.patterns(branch=branch)
        drawn = resample(patterns)
        yield BranchAgreement(
            str(BRANCHES[branch]),
            patterns.pairable_units,
            alpha_estimate(drawn, Scale.ORDINAL),
            coefficient_estimate(drawn, "percent_agreement", Weighting.IDENTITY),
        )


def _comparisons(
    batch: Batch, judgments: JudgmentRows, dimensions: Sequence[Dimension]
) -> Iterable[ComparisonAgreement]:
    if batch.kind == BatchKind.CONVERSATION:
        return
    counted = preference_counts(judgments, batch)
    wanted: list[tuple[str, Dimension | None]] = [(PreferenceScope.OVERALL, None)]
    wanted.append((PreferenceScope.FORK, None))
    wanted += [(PreferenceScope.DIMENSION, one) for one in dimensions]
    for scope, dimension in wanted:
        which = (str(scope), dimension.pk if dimension else 0)
        if which not in counted.ratings and scope != PreferenceScope.OVERALL:
            continue
        shown = counted.shown.get(which, ())
        kept, changed = sum(one.kept for one in shown), sum(one.changed for one in shown)
        yield ComparisonAgreement(
            scope=str(scope),
            dimension=dimension.key if dimension else "",
            name=dimension.name if dimension else {},
            agreement=preference_report(counted.patterns(which)),
            first_shown=position(
                first=sum(one.first for one in shown), decided=sum(one.decided for one in shown)
            ),
            contradictions=Contradictions(sum(one.given for one in shown), kept, changed),
            left_out=counted.left_out.get(which, {}),
        )
