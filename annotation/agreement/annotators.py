"""How one annotator's scores stand to those of the people who rated the same units.

Each is compared with co-raters only, never with a consensus that holds their own rating. Small
samples are shrunk to the pool as C. N. Morris has it (Parametric empirical Bayes inference, JASA
78, 1983), with the spread between people by R. DerSimonian and N. Laird (Controlled Clinical
Trials 7, 1986).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from annotation.agreement.alpha import Level, alphas, numbers
from annotation.agreement.intervals import leave_out_sums
from annotation.agreement.patterns import FloatArray, IntArray, Patterns, Ratings, split, total


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """By annotator; NaN where they share no unit with anybody. Differences are in score points.

    :ivar ratings: theirs in units that somebody else rated too.
    :ivar severity: mean of their score minus the mean of the co-raters' scores: below 0 severe.
    :ivar absolute: mean distance to a co-rater's score.
    :ivar exact: share of co-raters' scores that are the same, each unit counting once.
    :ivar consensus: share of units on which they said what more than half of the others said ...
    :ivar with_consensus: ... of the units where more than half of the others said the same.
    :ivar alpha_without: ordinal alpha of everybody else.
    :ivar alpha_change: that, less alpha of everybody: above 0, agreement is higher without them.
    """

    ratings: IntArray
    severity: FloatArray
    absolute: FloatArray
    exact: FloatArray
    consensus: FloatArray
    with_consensus: IntArray
    alpha_without: FloatArray
    alpha_change: FloatArray


def standing(patterns: Patterns) -> Standing:
    """Return how each annotator stands. The domain must be numbers.

    :raises ValueError: where nobody knows who gave which score, or scores are texts.
    """
    cells = patterns.cells
    if cells is None:
        raise ValueError("these patterns do not say who gave which score")
    values = numbers(patterns.domain)
    others = patterns.counts[cells.pattern].astype(np.float64)
    others[np.arange(len(others)), cells.category] -= 1
    beside = others.sum(axis=1)
    shared = beside > 0
    times = np.where(shared, cells.count, 0).astype(np.float64)
    each = others / np.maximum(beside, 1)[:, None]
    own = values[cells.category]
    most = others.argmax(axis=1)
    agreed = shared & (2 * others.max(axis=1, initial=0) > beside)

    def summed(amounts: FloatArray) -> FloatArray:
        sums = np.bincount(cells.annotator, weights=amounts, minlength=patterns.annotators)
        return sums.astype(np.float64)

    ratings = summed(times)
    decided = summed(times * agreed)

    def mean(amounts: FloatArray) -> FloatArray:
        return _ratio(summed(times * amounts), ratings)

    everybody = alphas(total(patterns), level=Level.ORDINAL, domain=patterns.domain)
    without = alphas(
        split(leave_out_sums(patterns), len(patterns.domain)),
        level=Level.ORDINAL,
        domain=patterns.domain,
    )
    return Standing(
        ratings=ratings.astype(np.int64),
        severity=mean(own - each @ values),
        absolute=mean((each * np.abs(own[:, None] - values)).sum(axis=1)),
        exact=mean(each[np.arange(len(each)), cells.category]),
        consensus=_ratio(summed(times * agreed * (most == cells.category)), decided),
        with_consensus=decided.astype(np.int64),
        alpha_without=without,
        alpha_change=without - everybody,
    )


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), np.nan)


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over clusters of what one annotator's ratings deviate: s in one cluster of n ratings."""

    clusters: int
    ratings: int
    deviation: float
    squares: float
    products: float
    sizes: float

    def mean(self) -> float:
        return self.deviation / self.ratings

    def error(self) -> float | None:
        """Return the standard error of the mean deviation, dialogues whole; None of one cluster."""
        if self.clusters < 2:
            return None
        mean = self.mean()
        spread = self.squares - 2 * mean * self.products + mean * mean * self.sizes
        return sqrt(max(spread, 0.0) * self.clusters / (self.clusters - 1)) / self.ratings


def moments(sums: FloatArray, sizes: FloatArray) -> Moments:
    """Return the moments of one annotator's clusters: deviations summed, and ratings, in each."""
    return Moments(
        clusters=len(sums),
        ratings=int(sizes.sum()),
        deviation=float(sums.sum()),
        squares=float(sums @ sums),
        products=float(sums @ sizes),
        sizes=float(sizes @ sizes),
    )


def deviations(ratings: Ratings) -> list[Moments]:
    """Return each annotator's moments, of what lies between their scores and their co-raters' means.

    The domain must be numbers. Clusters are the ratings', or else each unit is one.
    """
    values = numbers(ratings.domain)[ratings.category]
    total = np.bincount(ratings.unit, weights=values, minlength=ratings.units)
    others = np.bincount(ratings.unit, minlength=ratings.units)[ratings.unit] - 1
    shared = others > 0
    unit, own = ratings.unit[shared], values[shared]
    apart = own - (total[unit] - own) / others[shared]
    cluster = unit if ratings.cluster is None else ratings.cluster[unit]
    clusters = int(cluster.max(initial=-1)) + 1
    within, place = np.unique(ratings.annotator[shared] * clusters + cluster, return_inverse=True)
    sums = np.bincount(place, weights=apart, minlength=len(within)).astype(np.float64)
    sizes = np.bincount(place, minlength=len(within)).astype(np.float64)
    ends = np.searchsorted(within, np.arange(1, ratings.annotators) * clusters)
    return [moments(*one) for one in zip(np.split(sums, ends), np.split(sizes, ends), strict=True)][
        : ratings.annotators
    ]


def beside(ratings: Ratings) -> IntArray:
    """Return how every two annotators stand on the units that both rated; scores whole numbers.

    (n, 5) one, the other (a higher code), units, of these the same, sum of one less the other.
    """
    order = np.lexsort((ratings.annotator, ratings.unit))
    unit, person = ratings.unit[order], ratings.annotator[order]
    score = numbers(ratings.domain)[ratings.category[order]]
    people = ratings.annotators
    sums = np.zeros((3, people * people))
    for apart in range(1, int(np.bincount(unit).max(initial=0))):
        both = unit[apart:] == unit[:-apart]
        pair = person[:-apart][both] * people + person[apart:][both]
        difference = score[:-apart][both] - score[apart:][both]
        for row, weights in enumerate((np.ones(len(pair)), difference == 0, difference)):
            sums[row] += np.bincount(pair, weights=weights, minlength=people * people)
    found = np.flatnonzero(sums[0])
    return np.stack([found // people, found % people, *sums[:, found].astype(np.int64)], axis=1)


def shrunk(values: Sequence[float], errors: Sequence[float | None]) -> list[float]:
    """Return each value drawn towards the pool's mean by as much as it is uncertain.

    Values without an error are as uncertain as can be: they become the mean.
    """
    found = np.asarray(values, np.float64)
    known = np.array([error is not None and error > 0 for error in errors], dtype=bool)
    if known.sum() < 2:
        return [float(one) for one in found]
    variance = np.array([error**2 for error in errors if error], np.float64)
    kept = found[known]
    weights = 1 / variance
    mean = float(weights @ kept / weights.sum())
    excess = float(weights @ np.square(kept - mean)) - (len(kept) - 1)
    scale = weights.sum() - np.square(weights).sum() / weights.sum()
    between = max(0.0, excess / scale) if scale > 0 else 0.0
    if between > 0:
        weights = 1 / (variance + between)
        mean = float(weights @ kept / weights.sum())
    out = np.full(len(found), mean)
    out[known] = mean + between / (between + variance) * (kept - mean)
    return [float(one) for one in out]
