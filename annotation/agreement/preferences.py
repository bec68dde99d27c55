"""Agreement of preferences: which of two responses is better, or neither.

Outcomes are by response, never by the side of the screen: coded by position, with each
annotator's own order, alpha falls to nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from annotation.agreement.alpha import Level
from annotation.agreement.coefficients import Weighting
from annotation.agreement.estimates import Basis, Estimate, basis
from annotation.agreement.intervals import REPLICATES, Interval, wilson
from annotation.agreement.patterns import Cells, FloatArray, Patterns, Sums, merged
from annotation.agreement.reliability import (
    Resampled,
    alpha_estimate,
    coefficient_estimate,
    resample,
)
from annotation.agreement.testing import binomial_test

FIRST, TIE, SECOND, BOTH_BAD = "response_1", "tie", "response_2", "both_bad"
OUTCOMES = (FIRST, TIE, SECOND, BOTH_BAD)
"""The domain of preferences. In the ordered alpha `both_bad` stands with `tie`, in the middle."""

_ORDER = (0, 1, 2, 1)
_NAMES = {name: place for place, name in enumerate(OUTCOMES)}


@dataclass(frozen=True, slots=True)
class PreferenceAgreement:
    """What agreement was on one comparison.

    :ivar units: items with an outcome.
    :ivar ratings: outcomes given.
    :ivar outcomes: how often each of `OUTCOMES` was given.
    """

    units: int
    pairable_units: int
    ratings: int
    annotators: int
    clusters: int
    outcomes: tuple[int, ...]
    estimates: tuple[Estimate, ...]

    def figure(self, measure: str, weights: str = "") -> Estimate:
        """Return the named figure. :raises KeyError: if there is none of that name."""
        for one in self.estimates:
            if one.measure == measure and weights in {"", one.weights}:
                return one
        raise KeyError(f"{measure} {weights}")


def preference_report(
    patterns: Patterns, *, replicates: int = REPLICATES, seed: int = 0, units: int | None = None
) -> PreferenceAgreement:
    """Return all figures of one comparison.

    Pairs are two people's outcomes on one item; each item counts once, however many pairs.

    :param patterns: over the domain `OUTCOMES`.
    :param units: as `reliability.resample` has it.
    """
    if patterns.domain != OUTCOMES:
        raise ValueError(f"preferences are counted over {', '.join(OUTCOMES)}")
    drawn = resample(patterns, replicates=replicates, seed=seed, units=units)
    return PreferenceAgreement(
        units=patterns.rated_units,
        pairable_units=patterns.pairable_units,
        ratings=patterns.ratings,
        annotators=patterns.annotators,
        clusters=patterns.pairable_clusters,
        outcomes=patterns.marginals,
        estimates=tuple(_figures(drawn, replicates=replicates, seed=seed, units=units)),
    )


def _figures(
    drawn: Resampled, *, replicates: int, seed: int, units: int | None
) -> Iterator[Estimate]:
    yield alpha_estimate(drawn, Level.NOMINAL)
    in_order = merged(drawn.patterns, into=_ORDER, domain=(FIRST, TIE, SECOND))
    ordered = resample(in_order, replicates=replicates, seed=seed, units=units)
    yield alpha_estimate(ordered, Level.ORDINAL)
    yield coefficient_estimate(drawn, "percent_agreement", Weighting.IDENTITY)
    decided = replace(drawn, facts=_decided(drawn.patterns, units=units))
    decisive = decided.estimate("decisive_agreement", "identity", _decisive_agreement, share=True)
    if decisive.value is None and drawn.facts.units:
        decisive = replace(decisive, reason="no two people both decided on the same item")
    yield decisive
    yield drawn.estimate("decisive_share", "identity", _decisive_share, share=True)
    yield drawn.estimate("reversal_rate", "identity", _reversals, share=True)
    yield drawn.estimate("tie_share", "identity", lambda sums: _given(sums, TIE), share=True)
    yield drawn.estimate(
        "both_bad_share", "identity", lambda sums: _given(sums, BOTH_BAD), share=True
    )


def _decided(patterns: Patterns, *, units: int | None) -> Basis:
    """Return the facts of the items on which two people decided: of them alone it is a share."""
    kept = [_NAMES[FIRST], _NAMES[SECOND]]
    counts = np.zeros_like(patterns.counts)
    counts[:, kept] = patterns.counts[:, kept]
    cells = patterns.cells
    if cells is not None:
        mine = np.isin(cells.category, kept)
        columns = (cells.annotator, cells.pattern, cells.category, cells.count)
        cells = Cells(*(column[mine] for column in columns))
    facts = basis(replace(patterns, counts=counts, cells=cells))
    decided = facts.units if units is None else min(facts.units, units)
    return replace(facts, units=decided, decided=True)


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), np.nan)


def _decisive(sums: Sums) -> FloatArray:
    one, other = _NAMES[FIRST], _NAMES[SECOND]
    pairs = sums.agreements
    same = pairs[..., one, one] + pairs[..., other, other]
    return np.asarray(same + pairs[..., one, other] + pairs[..., other, one])


def _decisive_agreement(sums: Sums) -> FloatArray:
    """Among pairs in which both decided, the share that decided alike."""
    one, other = _NAMES[FIRST], _NAMES[SECOND]
    same = sums.agreements[..., one, one] + sums.agreements[..., other, other]
    return _ratio(same, _decisive(sums))


def _decisive_share(sums: Sums) -> FloatArray:
    """The share of pairs in which both decided."""
    return _ratio(_decisive(sums), sums.pairable)


def _reversals(sums: Sums) -> FloatArray:
    """The share of pairs in which the two preferred opposite responses."""
    one, other = _NAMES[FIRST], _NAMES[SECOND]
    opposite = sums.agreements[..., one, other] + sums.agreements[..., other, one]
    return _ratio(opposite, sums.pairable)


def _given(sums: Sums, outcome: str) -> FloatArray:
    """The share of all outcomes that are this one."""
    return _ratio(sums.given[..., _NAMES[outcome]], sums.given.sum(axis=-1))


@dataclass(frozen=True, slots=True)
class Position:
    """How often one kind of side was preferred (shown first, longer), of all decided preferences.

    :ivar low: lower end of Wilson's 95 % interval; None of nothing.
    :ivar p: two-sided p of the exact binomial test against one half.
    """

    first: int
    decided: int
    share: float | None
    low: float | None
    high: float | None
    p: float | None


def position(*, first: int, decided: int) -> Position:
    """Return the share of first-shown wins with Wilson's 95 % interval; None of nothing."""
    interval: Interval | None = wilson(first, decided)
    if interval is None:
        return Position(first, decided, None, None, None, None)
    p = binomial_test(first, decided)
    return Position(first, decided, first / decided, interval.low, interval.high, p)
