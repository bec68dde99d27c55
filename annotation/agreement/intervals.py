"""95 % intervals: over clusters by the bootstrap, over annotators by the jackknife.

Ratings of one dialogue are not independent, so clusters (dialogues) are resampled, whole. And
with few annotators the larger doubt is who they happen to be: five moderately biased ones make a
nominal 95 % interval over items cover 58 %. So both are computed and the wider one is reported,
with its name. Intervals are symmetric on Fisher's z scale (on the logit scale for shares), which
keeps them inside the range and covers better near its ends. Everything random is seeded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from math import atan, atanh, cos, pi, sin, sqrt, tanh
from statistics import NormalDist

import numpy as np

from annotation.agreement.patterns import FloatArray, IntArray, Patterns, features

CONFIDENCE = 0.95
REPLICATES = 1000
_MOST_UNDEFINED = 0.1
_DRAWN_AT_ONCE = 2_000_000
MOST_CLUSTERS = 2000
GROUPS = 1000
"""More clusters than `MOST_CLUSTERS` are put into so many groups at random, which are resampled
instead: it knows the standard error to 2 %, as 1,000 replicates do."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval. `source` says what was varied: "units", "annotators" or "wilson"."""

    low: float
    high: float
    source: str


def cluster_sums(patterns: Patterns) -> tuple[FloatArray, IntArray]:
    """Return (feature sums of each kind of cluster, how many clusters are of that kind).

    Where each unit is its own cluster there are as many kinds as patterns.
    """
    each = features(patterns.counts)
    groups = patterns.groups
    if groups is None:
        return each, patterns.units
    sums = np.empty((groups.clusters, each.shape[1]))
    for column in range(each.shape[1]):
        weights = each[groups.pattern, column] * groups.count
        sums[:, column] = np.bincount(groups.cluster, weights=weights, minlength=groups.clusters)
    return sums, np.ones(groups.clusters, dtype=np.int64)


def bootstrap_sums(
    sums: FloatArray, times: IntArray, *, replicates: int = REPLICATES, seed: int = 0
) -> FloatArray:
    """Return the sums over resampled clusters: (replicates, features).

    Clusters of one kind are drawn together, by a multinomial count for each kind; where nearly
    every cluster is of its own kind, drawing clusters one by one is faster and is the same.
    """
    kinds, clusters = len(times), int(times.sum())
    if clusters == 0:
        return np.zeros((replicates, sums.shape[1]))
    if kinds == clusters <= MOST_CLUSTERS:
        return np.asarray(_drawn(clusters, replicates, seed) @ sums)
    rng = np.random.default_rng(seed)
    if len(times) > MOST_CLUSTERS:
        sums, times = _in_groups(sums, times, rng)
        kinds, clusters = len(times), int(times.sum())
    one_by_one = clusters < 8 * kinds
    owner = np.repeat(np.arange(kinds), times) if one_by_one else np.empty(0, np.int64)
    out = np.empty((replicates, sums.shape[1]))
    step = max(1, _DRAWN_AT_ONCE // max(clusters if one_by_one else kinds, 1))
    for start in range(0, replicates, step):
        size = min(step, replicates - start)
        if one_by_one:
            drawn = owner[rng.integers(0, clusters, size=(size, clusters))]
            drawn += np.arange(size)[:, None] * kinds
            counts = np.bincount(drawn.ravel(), minlength=size * kinds).reshape(size, kinds)
        else:
            counts = rng.multinomial(clusters, times / clusters, size=size)
        out[start : start + size] = counts.astype(np.float64) @ sums
    return out


@lru_cache(maxsize=1)
def _drawn(clusters: int, replicates: int, seed: int) -> FloatArray:
    """Return how often each cluster is drawn: (replicates, clusters).

    The dimensions and turns of a batch have the same dialogues, so the last ones are kept.
    """
    drawn = np.random.default_rng(seed).integers(0, clusters, size=(replicates, clusters))
    drawn += np.arange(replicates)[:, None] * clusters
    counts = np.bincount(drawn.ravel(), minlength=replicates * clusters)
    return counts.reshape(replicates, clusters).astype(np.float64)


def _in_groups(
    sums: FloatArray, times: IntArray, rng: np.random.Generator
) -> tuple[FloatArray, IntArray]:
    """Return the sums of `GROUPS` random groups of clusters, as equal in size as can be."""
    owner = rng.permutation(np.repeat(np.arange(len(times)), times))
    group = np.arange(len(owner)) % GROUPS
    grouped = np.empty((GROUPS, sums.shape[1]))
    for column in range(sums.shape[1]):
        grouped[:, column] = np.bincount(group, weights=sums[owner, column], minlength=GROUPS)
    return grouped, np.ones(GROUPS, np.int64)


def leave_out_sums(patterns: Patterns) -> FloatArray:
    """Return the sums with each annotator's ratings taken away: (annotators, features).

    Exact: a unit of pattern c becomes one of pattern c less the annotator's score. None of the
    data is read again. :raises ValueError: where nobody knows who gave which score.
    """
    cells = patterns.cells
    if cells is None:
        raise ValueError("these patterns do not say who gave which score")
    counts, q = patterns.counts, len(patterns.domain)
    each = features(counts)
    width = each.shape[1]
    loss = np.zeros((len(counts), q, width))
    for category in range(q):
        has = counts[:, category] > 0
        less = counts[has].copy()
        less[:, category] -= 1
        loss[has, category] = each[has] - features(less)
    taken = np.empty((patterns.annotators, width))
    for column in range(width):
        weights = loss[cells.pattern, cells.category, column] * cells.count
        taken[:, column] = np.bincount(
            cells.annotator, weights=weights, minlength=patterns.annotators
        )
    return np.asarray(patterns.units @ each - taken)


@dataclass(frozen=True, slots=True)
class Spread:
    """A standard error with its degrees of freedom, or the reason why there is none."""

    error: float | None
    freedom: int
    why_not: str = ""


def spread_over_clusters(
    replicates: FloatArray, *, clusters: int, telling: int | None = None
) -> Spread:
    """Return the bootstrap standard error of a coefficient's replicates (NaN: undefined).

    :param telling: clusters that say anything about the coefficient, which are its degrees of
        freedom and one; None: all of them.
    """
    if clusters < 2:
        return Spread(None, 0, "a single dialogue or unit")
    defined = replicates[~np.isnan(replicates)]
    if len(defined) < (1 - _MOST_UNDEFINED) * len(replicates):
        share = 100 * (1 - len(defined) / len(replicates))
        return Spread(None, 0, f"undefined in {share:.0f} % of the resamples")
    held = clusters if telling is None else min(clusters, telling)
    return Spread(float(defined.std(ddof=1)), max(held - 1, 1))


def spread_over_annotators(left_out: FloatArray, *, annotators: int) -> Spread:
    """Return the delete-one-annotator jackknife standard error (NaN: undefined without them).

    Without the usual factor (A - 1) / A, as the HC3 variance of regressions has it (MacKinnon and
    White 1985): with it, five annotators of very different severity are covered in 92 % of the
    samples at most.
    """
    if annotators < 3:
        return Spread(None, 0, f"{annotators or 'unknown'} annotators: too few to leave one out")
    defined = left_out[~np.isnan(left_out)]
    if len(defined) < len(left_out):
        return Spread(None, 0, "undefined without some of the annotators")
    variance = float(np.square(defined - defined.mean()).sum())
    return Spread(sqrt(variance), annotators - 1)


def widest(
    value: float, *, over_clusters: Spread, over_annotators: Spread, share: bool = False
) -> Interval | None:
    """Return the wider of the two intervals, or None where neither can be had.

    :param share: the value is a share of 0 to 1 rather than a coefficient of -1 to 1.
    """
    scaled = 2 * value - 1 if share else value
    if not -1 < scaled < 1:
        return None
    z, slope = atanh(scaled), 1 / (1 - scaled * scaled)
    found: list[tuple[float, str]] = []
    for spread, source in ((over_clusters, "units"), (over_annotators, "annotators")):
        if spread.error is not None and spread.error > 1e-12 and spread.freedom > 0:
            error = spread.error * (2 if share else 1)
            found.append((t_quantile(spread.freedom) * error * slope, source))
    if not found:
        return None
    half, source = max(found)
    low, high = tanh(z - half), tanh(z + half)
    if share:
        low, high = (low + 1) / 2, (high + 1) / 2
    return Interval(low, high, source)


def wilson(successes: float, trials: float) -> Interval | None:
    """Return Wilson's score interval (1927) of a share of independent trials."""
    if trials <= 0:
        return None
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    share = successes / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2)
    low = 0.0 if successes <= 0 else max(0.0, middle - half)
    high = 1.0 if successes >= trials else min(1.0, middle + half)
    return Interval(low, high, "wilson")


@cache
def t_quantile(freedom: int) -> float:
    """Return the two-sided 95 % quantile of Student's t.

    By bisection of the closed series for whole degrees of freedom (Abramowitz and Stegun 26.7.3
    and 26.7.4); beyond 200 by the expansion of 26.7.5, right to nine digits there.
    """
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    if freedom > 200:
        first = (z**3 + z) / 4
        second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
        third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
        return z + first / freedom + second / freedom**2 + third / freedom**3
    return _bisect(lambda t: t_inside(t, freedom) - CONFIDENCE, 0.0, 20.0)


def t_inside(t: float, freedom: int) -> float:
    """Return P(|T| <= t)."""
    angle = atan(t / sqrt(freedom))
    if freedom % 2:
        series, term = 0.0, cos(angle)
        for k in range(1, (freedom - 1) // 2 + 1):
            series += term
            term *= cos(angle) ** 2 * 2 * k / (2 * k + 1)
        return 2 / pi * (angle + sin(angle) * series)
    series, term = 0.0, 1.0
    for k in range(1, freedom // 2 + 1):
        series += term
        term *= cos(angle) ** 2 * (2 * k - 1) / (2 * k)
    return sin(angle) * series


def _bisect(rising: Callable[[float], float], low: float, high: float) -> float:
    for _ in range(80):
        middle = (low + high) / 2
        if rising(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2
