"""How well reviewers agree with annotators, from blind reviews alone.

A pair is an annotator's independent rating of a unit and the rating that a reviewer gave it before
they saw anything. One reviewer's judgment of an item stands in a pair with each annotator's, so the
intervals resample dialogues and leave out people, as those between annotators do. None of it enters
the agreement of annotators.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Exists, OuterRef

from annotation.agreement.patterns import count_patterns
from annotation.agreement.preferences import OUTCOMES, PreferenceAgreement, preference_report
from annotation.agreement.reliability import Reliability, short_report
from annotation.choices import Outcome, PreferenceScope, ReviewOutcome
from annotation.models.batches import Batch
from annotation.models.judgments import Judgment, JudgmentQuerySet, Preference, Rating
from annotation.models.reviews import Review
from annotation.models.rubric import Dimension, ScalePoint
from annotation.reports.agreement_counts import OWN
from annotation.reports.reviews import judged_alone
from annotation.reports.voids import standing_voids

SET = "blind reviews"


@dataclass(frozen=True, slots=True)
class VerifiedDimension:
    """One dimension: `reliability` counts a pair as a unit with two ratings.

    :ivar units: how many answers or conversations the pairs are of; these decide the states.
    """

    key: str
    level: str
    name: Mapping[str, str]
    units: int
    reliability: Reliability


@dataclass(frozen=True, slots=True)
class VerifiedOverall:
    """The preference of the whole, likewise; `units` are items."""

    units: int
    agreement: PreferenceAgreement


@dataclass(frozen=True, slots=True)
class BatchVerification:
    """What the reviews of a batch say at a number.

    :ivar accepted: judgments by what their newest review said; so `fixed` and `returned`.
    :ivar blind: reviews whose reviewer had judged the item alone before.
    :ivar verifiers, annotators, items: of the pairs.
    :ivar overall: the preference of the whole, None where none is compared.
    """

    batch: str
    number: int
    reviewed: int
    accepted: int
    fixed: int
    returned: int
    blind: int
    items: int
    verifiers: int
    annotators: int
    dimensions: tuple[VerifiedDimension, ...]
    overall: VerifiedOverall | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; what is undefined is null."""
        body = {
            name: getattr(self, name)
            for name in (
                *("batch", "number", "reviewed", "accepted", "fixed", "returned", "blind"),
                *("items", "verifiers", "annotators"),
            )
        }
        return {
            **body,
            "set": SET,
            "dimensions": [
                {
                    "key": one.key,
                    "level": one.level,
                    "name": dict(one.name),
                    "units": one.units,
                    "pairs": one.reliability.pairable_units,
                    "dialogues": one.reliability.clusters,
                    "marginals": list(one.reliability.marginals),
                    "figures": _figures(one.reliability.estimates),
                }
                for one in self.dimensions
            ],
            "overall": {
                "units": self.overall.units,
                "pairs": self.overall.agreement.pairable_units,
                "outcomes": dict(zip(OUTCOMES, self.overall.agreement.outcomes, strict=True)),
                "figures": _figures(self.overall.agreement.estimates),
            }
            if self.overall
            else None,
        }


def _figures(estimates: Iterable[Any]) -> list[dict[str, Any]]:
    return [
        {**asdict(one), "weights": str(one.weights), "state": str(one.state)} for one in estimates
    ]


def batch_verification(batch: Batch, *, number: int | None = None) -> BatchVerification:
    """Return the figures at `number`, or at the batch's newest. Some twelve queries.

    Rows are read of the pairs alone: of the share that was reviewed blind.
    """
    if number is None:
        number = Batch.objects.values_list("last_number", flat=True).get(pk=batch.pk)
    voids = standing_voids(batch, number=number)
    drawn = batch.items.to_review_blind(batch.parsed_settings()).values("pk")
    alone = voids.outside(judged_alone(number=number).filter(batch=batch, item__in=drawn))
    annotators = voids.outside(
        Judgment.objects.filter(batch=batch)
        .independent(number=number)
        .filter(item__in=drawn)
        .filter(Exists(judged_alone(number=number).filter(item=OuterRef("item"))))
    )
    outcomes = _outcomes(batch, number)
    return BatchVerification(
        batch=batch.slug,
        number=number,
        reviewed=sum(outcomes[one] for one in ReviewOutcome),
        accepted=outcomes[ReviewOutcome.ACCEPT],
        fixed=outcomes[ReviewOutcome.FIX],
        returned=outcomes[ReviewOutcome.RETURN],
        blind=Review.objects.filter(batch=batch, number__lte=number, blind=True)
        .values("judgment")
        .distinct()
        .count(),
        items=len(set(annotators.values_list("item", flat=True))),
        verifiers=len(set(alone.values_list("member", flat=True))),
        annotators=len(set(annotators.values_list("member", flat=True))),
        dimensions=tuple(_dimensions(batch, alone, annotators)),
        overall=_overall(alone, annotators),
    )


def _outcomes(batch: Batch, number: int) -> dict[str, int]:
    """Count the judgments by their newest review."""
    newest: dict[int, str] = dict(
        Review.objects.filter(batch=batch, number__lte=number)
        .order_by("number")
        .values_list("judgment", "outcome")
    )
    counted: dict[str, int] = defaultdict(int)
    for outcome in newest.values():
        counted[outcome] += 1
    return counted


Place = tuple[int, int, int]
"""An item, a response and a dimension."""


def _dimensions(
    batch: Batch, alone: JudgmentQuerySet, annotators: JudgmentQuerySet
) -> Iterable[VerifiedDimension]:
    points = ScalePoint.objects.filter(dimension__rubric=batch.rubric_id, in_order=True)
    domains: dict[int, list[int]] = defaultdict(list)
    for dimension, score in points.order_by("score").values_list("dimension", "score"):
        domains[dimension].append(score)
    verified: dict[Place, list[tuple[int, int]]] = defaultdict(list)
    for item, response, dimension, member, score, _dialogue in _ratings(alone):
        verified[item, response, dimension].append((member, score))
    pairs: dict[int, list[tuple[str, int, int, int]]] = defaultdict(list)
    units: dict[int, set[int]] = defaultdict(set)
    for item, response, dimension, member, score, dialogue in _ratings(annotators):
        for verifier, other in verified[item, response, dimension]:
            unit = f"{item}/{response}/{member}/{verifier}"
            pairs[dimension] += [(unit, member, score, dialogue), (unit, verifier, other, dialogue)]
            units[dimension].add(response)
    for one in Dimension.objects.filter(pk__in=pairs).order_by("position"):
        yield VerifiedDimension(
            key=one.key,
            level=one.level,
            name=one.name,
            units=(count := len(units[one.pk])),
            reliability=short_report(_patterns(pairs[one.pk], domains[one.pk]), units=count),
        )


def _ratings(judgments: JudgmentQuerySet) -> Iterable[tuple[Any, ...]]:
    return (
        Rating.objects.filter(judgment__in=judgments.values("pk"), origin__in=OWN)
        .ordinal()
        .values_list(
            "judgment__item",
            "response",
            "dimension",
            "judgment__member",
            "score",
            "response__dialogue",
        )
    )


def _overall(alone: JudgmentQuerySet, annotators: JudgmentQuerySet) -> VerifiedOverall | None:
    verified: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for item, member, side, _dialogue in _preferences(alone):
        verified[item].append((member, side))
    rows: list[tuple[str, int, str, int]] = []
    items: set[int] = set()
    for item, member, side, dialogue in _preferences(annotators):
        for verifier, other in verified[item]:
            unit = f"{item}/{member}/{verifier}"
            rows += [(unit, member, side, dialogue), (unit, verifier, other, dialogue)]
            items.add(item)
    if not rows:
        return None
    agreement = preference_report(_patterns(rows, OUTCOMES), units=len(items))
    return VerifiedOverall(len(items), agreement)


def _preferences(judgments: JudgmentQuerySet) -> Iterable[tuple[int, int, str, int]]:
    """Yield item, member, outcome by response and never by screen side, and dialogue."""
    rows = Preference.objects.filter(
        judgment__in=judgments.values("pk"), scope=PreferenceScope.OVERALL
    ).select_related("judgment__item")
    first, tie, second, both_bad = OUTCOMES
    for one in rows:
        item = one.judgment.item
        on = {item.response_1_id: first, item.response_2_id: second}
        outcome = {Outcome.TIE: tie, Outcome.BOTH_BAD: both_bad}.get(Outcome(one.outcome))
        said = on[one.preferred_id] if outcome is None else outcome
        yield item.pk, one.judgment.member_id, said, item.dialogue_id


def _patterns(rows: Sequence[tuple[str, int, Any, int]], domain: Sequence[Any]) -> Any:
    units, people, values, dialogues = zip(*rows, strict=True)
    return count_patterns(units, people, values, domain=domain, clusters=dialogues)
