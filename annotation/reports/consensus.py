"""One answer from several: what more than half said, and Dawid and Skene's model as a second opinion.

Of the independent set at a number, by dimension and by comparison. Units with two ratings or more
are unanimous, have a majority, or have none, which is a state of its own and never a tie.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from annotation.agreement.consensus import (
    MOST_FITTED,
    ConsensusSummary,
    SecondOpinion,
    not_fitted,
    summarised,
    too_thin,
)
from annotation.agreement.patterns import Ratings, from_ratings
from annotation.agreement.preferences import OUTCOMES
from annotation.choices import BatchKind, PreferenceScope
from annotation.models.batches import Batch, Item
from annotation.models.rubric import Dimension
from annotation.reports.agreement import SET, chosen_judgments, newest_number
from annotation.reports.agreement_counts import (
    JudgmentRows,
    given_ratings,
    judgment_rows,
    scales_of,
)
from annotation.reports.preference_counts import preference_counts

MOST_LISTED = 50


@dataclass(frozen=True, slots=True)
class Consensus:
    """One dimension (`scope` is its level) or one comparison (`overall`, `fork`, `dimension`)."""

    scope: str
    dimension: str
    name: Mapping[str, str]
    units: int
    summary: ConsensusSummary


@dataclass(frozen=True, slots=True)
class Undecided:
    """An item on whose overall preference the model says other than the majority, or there is none.

    :ivar votes: how many gave each outcome, by name.
    :ivar majority: the outcome more than half gave, or None.
    :ivar second: what the model says, or None where it is not fitted.
    """

    item: str
    votes: Mapping[str, int]
    majority: str | None
    second: str | None
    probability: float | None


@dataclass(frozen=True, slots=True)
class BatchConsensus:
    """All of a batch at one number. `listed` is the `MOST_LISTED` first of `told_apart` items."""

    batch: str
    number: int
    ratings: tuple[Consensus, ...]
    preferences: tuple[Consensus, ...]
    told_apart: int
    listed: tuple[Undecided, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; what is undefined is null."""
        return {
            "batch": self.batch,
            "number": self.number,
            "set": SET,
            "ratings": [_plain(one) for one in self.ratings],
            "preferences": [_plain(one) for one in self.preferences],
            "told_apart": self.told_apart,
            "listed": [asdict(one) for one in self.listed],
        }


def batch_consensus(batch: Batch, *, number: int | None = None) -> BatchConsensus:
    """Return consensus at `number`, or at the batch's newest. A dozen queries."""
    if number is None:
        number = newest_number(batch)
    judgments = judgment_rows(chosen_judgments(batch, number=number))
    dimensions = list(batch.rubric.dimensions.order_by("position"))
    ratings = tuple(_ratings(batch, judgments, dimensions))
    found = list(_preferences(batch, judgments, dimensions))
    apart = next((some for one, some in found if one.scope == PreferenceScope.OVERALL), ())
    return BatchConsensus(
        batch.slug,
        number,
        ratings,
        tuple(one for one, _ in found),
        len(apart),
        tuple(_undecided(apart[:MOST_LISTED])),
    )


def _ratings(
    batch: Batch, judgments: JudgmentRows, dimensions: Sequence[Dimension]
) -> Iterable[Consensus]:
    counted = given_ratings(judgments, batch, scales_of(batch.rubric_id)).by_dimension()
    for one in dimensions:
        ratings = counted[one.pk].ratings()
        if len(ratings.unit):
            units, summary, _ = _summary(ratings)
            yield Consensus(one.level, one.key, one.name, units, summary)


def _preferences(
    batch: Batch, judgments: JudgmentRows, dimensions: Sequence[Dimension]
) -> Iterable[tuple[Consensus, tuple[SecondOpinion, ...]]]:
    if batch.kind == BatchKind.CONVERSATION:
        return
    counted = preference_counts(judgments, batch)
    wanted: list[tuple[str, Dimension | None]] = [(str(PreferenceScope.OVERALL), None)]
    wanted.append((str(PreferenceScope.FORK), None))
    wanted += [(str(PreferenceScope.DIMENSION), one) for one in dimensions]
    for scope, dimension in wanted:
        which = (scope, dimension.pk if dimension else 0)
        if which not in counted.ratings:
            continue
        units, summary, apart = _summary(counted.ratings[which])
        key, name = (dimension.key, dimension.name) if dimension else ("", {})
        items = counted.items[which]
        yield (
            Consensus(scope, key, name, units, summary),
            tuple(replace(one, unit=int(items[one.unit])) for one in apart),
        )


def _summary(ratings: Ratings) -> tuple[int, ConsensusSummary, tuple[SecondOpinion, ...]]:
    """Return how many units two people rated, the summary, and where the model says otherwise."""
    patterns = from_ratings(ratings)
    if patterns.ratings > MOST_FITTED:
        return patterns.pairable_units, not_fitted(patterns), ()
    return patterns.pairable_units, *summarised(patterns, ratings, why_not=too_thin(ratings))


def _undecided(apart: Sequence[SecondOpinion]) -> Iterable[Undecided]:
    names = dict(
        Item.objects.filter(pk__in=[one.unit for one in apart]).values_list("pk", "public_id")
    )
    for one in apart:
        yield Undecided(
            item=names[one.unit],
            votes={name: votes for name, votes in zip(OUTCOMES, one.votes, strict=True) if votes},
            majority=None if one.majority is None else OUTCOMES[one.majority],
            second=None if one.best is None else OUTCOMES[one.best],
            probability=one.probability,
        )


def _plain(one: Consensus) -> dict[str, Any]:
    """Return the fields of a consensus with those of its summary beside them."""
    body = asdict(one)
    summary = body.pop("summary")
    return {**body, **summary}
