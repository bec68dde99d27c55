"""Signs in one person's work that a lead should look at: tests with thresholds that are stated.

Every test asks more than "is it zero": people differ, and with enough ratings any difference is
significant. So each null hypothesis holds a margin that is ordinary among honest people, and a
sign is what lies beyond it. Each kind is one family whose false discovery rate is held at `FDR`
(Y. Benjamini and Y. Hochberg, 1995). What is too little to tell gives no p-value at all. Draws
are seeded. A sign is a reason to look, never a verdict.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import atanh, exp, expm1, inf, lgamma, log, log1p, pi, sqrt
from statistics import NormalDist
from typing import TypeVar

import numpy as np

from annotation.agreement.intervals import t_inside
from annotation.agreement.patterns import FloatArray, IntArray

K = TypeVar("K", bound=Hashable)

FDR = 0.01
"""Share of signs of one kind that may be false, in expectation."""

LEAST_ITEMS = 10
"""Items, or pairs of texts, below which nothing is said of a person."""

SEVERITY_MARGIN = 0.5
"""Points by which an honest person's level may differ from the team's middle."""

ASSOCIATION_SHARE = 0.5
"""A person is weakly associated with others below this share of the team's median (Fisher's z)."""

CHANCE_SHARE = 0.25
"""... and whoever is surely above this share of it is above chance, and not named."""

LEAST_ASSOCIATION = 0.15
"""Fisher's z of the team below which the data tell nobody from chance, and so no person."""

SIDE_MARGIN = 0.1
"""How far from a half an honest person's share of first-shown wins may lie."""

FAST_SHARE = 0.1
"""Share of judgments below the fastest plausible time that are accidents."""

FLAT_MARGIN = 0.25
"""How far above the others' an honest person's share of flat judgments may lie."""

RUN_FACTOR = 2.0
RUN_DRAWS = 200
"""A run says something from twice the length on that others' judgments show, drawn so often."""

EULER = 0.5772156649015329

NOTHING = 1e-9
"""Sums of squares below which a column does not vary but for rounding."""

COPY_SHARE = 0.05
"""Share of texts that may be nearly another's by chance: stock phrases."""

LEAST_COPIES = 3
LEAST_SHARED = 5
"""Items two people must both have judged before their answers are compared as a whole."""

GOLD_MARGIN = 0.15
"""How far below the others' an honest person's share of hits may lie."""


# --- Exact and robust tests ----------------------------------------------------------------


def at_least(successes: int, trials: int, share: float) -> float:
    """Return P(X >= successes) of a binomial, exactly but for rounding."""
    if successes <= 0:
        return 1.0
    if share <= 0 or successes > trials:
        return 0.0
    if share >= 1:
        return 1.0
    terms = [
        lgamma(trials + 1)
        - lgamma(k + 1)
        - lgamma(trials - k + 1)
        + k * log(share)
        + (trials - k) * log1p(-share)
        for k in range(successes, trials + 1)
    ]
    largest = max(terms)
    return min(1.0, exp(largest) * sum(exp(term - largest) for term in terms))


def at_most(successes: int, trials: int, share: float) -> float:
    """Return P(X <= successes) of a binomial."""
    return at_least(trials - successes, trials, 1 - share)


def t_above(t: float, freedom: int) -> float:
    """Return P(T >= t) of Student's t; of the normal law beyond 200 degrees of freedom."""
    if freedom < 1:
        return 1.0
    if not np.isfinite(t):
        return 0.0 if t > 0 else 1.0
    if freedom > 200:
        return 1 - NormalDist().cdf(t)
    tail = max(0.0, (1 - t_inside(abs(t), freedom)) / 2)
    return tail if t >= 0 else 1 - tail


def discoveries(p_values: Mapping[K, float], *, rate: float = FDR) -> set[K]:
    """Return the keys that stand when the false discovery rate is held (Benjamini-Hochberg)."""
    ordered = sorted(p_values.items(), key=lambda row: row[1])
    last = 0
    for rank, (_key, p) in enumerate(ordered, start=1):
        if p <= rate * rank / len(ordered):
            last = rank
    return {key for key, _p in ordered[:last]}


# --- Level: severe or lenient --------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Scores of one dimension, a row each: who, which unit, in which item, what.

    `person` and `unit` are codes from 0; `item` any integers.
    """

    person: IntArray
    unit: IntArray
    item: IntArray
    score: FloatArray

    def pairable(self) -> "Scores":
        """Return the rows of units that two or more people scored."""
        many = np.bincount(self.unit)[self.unit] > 1 if len(self.unit) else np.zeros(0, bool)
        return Scores(self.person[many], self.unit[many], self.item[many], self.score[many])


@dataclass(frozen=True, slots=True)
class Level:
    """One person's level on one dimension, against the team's middle.

    :ivar effect: points above (lenient) or below (severe) it, others' levels allowed for.
    :ivar shrunk: drawn to the middle as far as it is uncertain (empirical Bayes): what to expect.
    :ivar error: standard error over items. :ivar items: items it is from.
    """

    effect: float
    shrunk: float
    error: float
    items: int

    @property
    def p_value(self) -> float:
        """Of the hypothesis that the level lies within `SEVERITY_MARGIN`."""
        beyond = abs(self.effect) - SEVERITY_MARGIN
        if not self.error:
            return 0.0 if beyond > 0 else 1.0
        return t_above(beyond / self.error, self.items - 1)


def additive_levels(deviations: FloatArray, shares: FloatArray) -> FloatArray:
    """Return each person's level in an additive model: a score is the unit's worth and a level.

    Solved by damped steps, which converge wherever the people are connected through units; whoever
    shares units with a severe person is therefore not called lenient. 0 is the team's median.

    :param deviations: (n) mean of one's scores less the mean of the unit's others; NaN of whoever
        shares no unit, and then of their level.
    :param shares: (n, n) row: of one's units, the mean share of each among the others who scored.
    """
    present = np.flatnonzero(np.isfinite(deviations))
    level = np.full(len(deviations), np.nan)
    if not len(present):
        return level
    told, between = deviations[present], shares[np.ix_(present, present)]
    now = np.zeros(len(present))
    for _step in range(200):
        new = (now + told + between @ now) / 2
        new -= np.median(new)
        moved = np.abs(new - now).max()
        now = new
        if moved < 1e-4:
            break
    level[present] = now
    return level


def shares_of(rows: Scores, *, people: int) -> FloatArray:
    """Return the `shares` of `additive_levels`; every unit has two rows or more."""
    order = np.argsort(rows.unit, kind="stable")
    unit, person = rows.unit[order], rows.person[order]
    each = 1 / (np.bincount(unit)[unit] - 1)
    shares = np.zeros((people, people))
    for apart in range(1, int(np.bincount(unit).max(initial=0))):
        same = unit[apart:] == unit[:-apart]
        one, other = person[apart:][same], person[:-apart][same]
        np.add.at(shares, (one, other), each[apart:][same])
        np.add.at(shares, (other, one), each[apart:][same])
    return shares / np.maximum(np.bincount(person, minlength=people), 1)[:, None]


def others_mean(rows: Scores, values: FloatArray) -> FloatArray:
    """Return for each row the mean of the unit's other rows."""
    total = np.bincount(rows.unit, weights=values)
    count = np.bincount(rows.unit)
    return np.asarray((total[rows.unit] - values) / (count[rows.unit] - 1))


def levels(rows: Scores, *, people: int) -> dict[int, Level]:
    """Return each person's level from units that others scored too.

    By `additive_levels`.
    """
    rows = rows.pairable()
    if not len(rows.unit):
        return {}
    count = np.bincount(rows.person, minlength=people)
    raw = rows.score - others_mean(rows, rows.score)
    told = np.bincount(rows.person, weights=raw, minlength=people)
    means = np.where(count > 0, told / np.maximum(count, 1), np.nan)
    level = additive_levels(means, shares_of(rows, people=people))
    deviation = rows.score - others_mean(rows, rows.score - level[rows.person])
    found = {}
    for person in np.flatnonzero(count):
        mine = rows.person == person
        error, items = _error_over(deviation[mine], rows.item[mine])
        found[int(person)] = Level(float(level[person]), 0.0, error, items)
    return _shrunk(found)


def _error_over(values: FloatArray, clusters: IntArray) -> tuple[float, int]:
    """Return the standard error of the mean of clustered values, and the number of clusters."""
    _names, at = np.unique(clusters, return_inverse=True)
    number = int(at.max()) + 1
    if number < 2:
        return inf, number
    sums = np.bincount(at, weights=values - values.mean())
    return sqrt(float(sums @ sums) * number / (number - 1)) / len(values), number


def _shrunk(found: Mapping[int, Level]) -> dict[int, Level]:
    sure = [one for one in found.values() if np.isfinite(one.error)]
    between = 0.0
    if len(sure) > 1:
        spread = float(np.var([one.effect for one in sure], ddof=1))
        between = max(0.0, spread - float(np.mean([one.error**2 for one in sure])))
    return {
        person: Level(
            one.effect,
            one.effect * between / (between + one.error**2)
            if np.isfinite(one.error) and between
            else 0.0,
            one.error,
            one.items,
        )
        for person, one in found.items()
    }


# --- Association: with others, and with oneself --------------------------------------------


@dataclass(frozen=True, slots=True)
class Association:
    """How far two columns of scores of one person rise and fall together.

    :ivar z: Fisher's z of the correlation, each dimension centred and scaled apart.
    :ivar error: its standard error, by leaving each item out once.
    """

    z: float
    error: float
    items: int
    pairs: int

    @property
    def correlation(self) -> float:
        return float(np.tanh(self.z))


def associations(
    person: IntArray,
    item: IntArray,
    dimension: IntArray,
    one: FloatArray,
    other: FloatArray,
    *,
    people: int,
) -> dict[int, Association]:
    """Return each person's association of `one` with `other`; of those with enough items.

    Columns are centred for each person and dimension, so that level plays no part, and scaled by
    the dimension's spread over all, so that one with a wide spread does not drown the others.
    Where a person's own column has no variation at all there is nothing to associate.
    """
    found = {}
    scaled = [_scaled(column, dimension) for column in (one, other)]
    for who in range(people):
        mine = person == who
        items = len(np.unique(item[mine]))
        if items < LEAST_ITEMS:
            continue
        x, y = (_centred(column[mine], dimension[mine]) for column in scaled)
        value = _clustered_z(x, y, item[mine])
        if value is not None:
            found[who] = Association(*value, items=items, pairs=int(mine.sum()))
    return found


def weak(found: Mapping[int, Association]) -> dict[int, float]:
    """Return a p-value for each person: of an association at least half the team's median.

    Whoever is surely above chance, a quarter of that median, has 1: an odd person is not a random
    one. No p-values where there are fewer than three people or the team itself is hardly above
    chance.
    """
    if len(found) < 3:
        return {}
    middle = float(np.median([one.z for one in found.values()]))
    if middle < LEAST_ASSOCIATION:
        return {}
    return {
        who: 1.0
        if one.z - 2 * one.error > CHANCE_SHARE * middle
        else t_above((ASSOCIATION_SHARE * middle - one.z) / one.error, one.items - 1)
        for who, one in found.items()
    }


def _scaled(column: FloatArray, dimension: IntArray) -> FloatArray:
    scaled = np.array(column, dtype=float)
    for one in np.unique(dimension):
        rows = dimension == one
        spread = float(scaled[rows].std())
        scaled[rows] = (scaled[rows] - scaled[rows].mean()) / spread if spread else 0.0
    return scaled


def _centred(column: FloatArray, dimension: IntArray) -> FloatArray:
    _names, at = np.unique(dimension, return_inverse=True)
    means = np.bincount(at, weights=column) / np.bincount(at)
    return np.asarray(column - means[at])


def _clustered_z(x: FloatArray, y: FloatArray, item: IntArray) -> tuple[float, float] | None:
    """Return Fisher's z of a correlation about zero, and its jackknife error over items."""
    _names, at = np.unique(item, return_inverse=True)
    number = int(at.max()) + 1
    products = [np.bincount(at, weights=column) for column in (x * y, x * x, y * y)]
    whole = [float(column.sum()) for column in products]
    if min(whole[1:]) < NOTHING:
        return None
    xy, xx, yy = (total - column for total, column in zip(whole, products, strict=True))
    usable = (xx > NOTHING) & (yy > NOTHING)
    out = np.clip(xy[usable] / np.sqrt(xx[usable] * yy[usable]), -0.999, 0.999)
    z = atanh(min(0.999, max(-0.999, whole[0] / sqrt(whole[1] * whole[2]))))
    each = np.arctanh(out)
    error = sqrt(float(((each - each.mean()) ** 2).sum()) * (number - 1) / number)
    return z, max(error, 1e-6)


# --- Position, time, straight lines --------------------------------------------------------


def side_p_value(first: int, decided: int) -> float:
    """Return the p-value of a share of first-shown wins within `SIDE_MARGIN` of a half."""
    wins = max(first, decided - first)
    return min(1.0, 2 * at_least(wins, decided, 0.5 + SIDE_MARGIN))


def fast_p_value(fast: int, timed: int) -> float:
    """Return the p-value of a share of too fast judgments of at most `FAST_SHARE`."""
    return at_least(fast, timed, FAST_SHARE)


def flat_p_value(flat: int, judged: int, *, others: float) -> float:
    """Return the p-value of a share of flat judgments at most `FLAT_MARGIN` above the others'.

    :param others: the share among everybody else, which holds the data's own skew.
    """
    return at_least(flat, judged, min(1.0, others + FLAT_MARGIN))


def longest_run(scores: Iterable[float]) -> int:
    """Return how many equal scores follow one another at most."""
    longest = run = 0
    last: float | None = None
    for score in scores:
        run = run + 1 if score == last else 1
        last = score
        longest = max(longest, run)
    return longest


@dataclass(frozen=True, slots=True)
class Runs:
    """How long runs are when others' judgments are drawn in this person's place.

    :ivar usual: the middle of the draws' longest runs. :ivar p_value: of a run as long as the
        person's divided by `RUN_FACTOR`, by the Gumbel law, which longest runs follow, with the
        draws' mean and spread.
    """

    longest: int
    usual: int
    p_value: float


def runs(own: Sequence[Sequence[float]], others: Sequence[Sequence[float]], *, seed: int) -> Runs:
    """Compare the longest run in one's judgments with that in as many drawn from others'.

    Whole judgments are drawn, so the skew of the data and how scores hang together within an item
    are in the comparison. A run no longer than `RUN_FACTOR` judgments is not drawn for.
    """
    longest = longest_run(score for judgment in own for score in judgment)
    if longest <= RUN_FACTOR * max(len(judgment) for judgment in own) or not others:
        return Runs(longest, 0, 1.0)
    generator = np.random.default_rng(seed)
    drawn = np.array(
        [
            longest_run(score for at in places for score in others[at])
            for places in generator.integers(0, len(others), (RUN_DRAWS, len(own)))
        ]
    )
    scale = max(float(drawn.std()), 0.5) * sqrt(6) / pi
    standing = (longest / RUN_FACTOR - float(drawn.mean())) / scale + EULER
    return Runs(longest, int(np.median(drawn)), -expm1(-exp(-standing)))


# --- Copies and gold -----------------------------------------------------------------------


def copied_p_value(copied: int, compared: int) -> float:
    """Return the p-value of a share of nearly equal texts of at most `COPY_SHARE`."""
    return 1.0 if copied < LEAST_COPIES else at_least(copied, compared, COPY_SHARE)


def twins_p_value(same: int, shared: int, *, others: float) -> float:
    """Return the p-value of so many items on which two people answered all alike.

    :param others: share of items on which all other pairs did. Three times that, and at least a
        fifth more, is ordinary for two people who think alike.
    """
    if shared < LEAST_SHARED:
        return 1.0
    return at_least(same, shared, min(1.0, max(3 * others, others + 0.2)))


def gold_p_value(hits: float, answered: int, items: int, *, others: float) -> float:
    """Return the p-value of a share of hits at most `GOLD_MARGIN` below the others'.

    Answers to one item hang together, so as many trials are counted as there are items.
    """
    if items < 3 or answered < LEAST_ITEMS:
        return 1.0
    trials = items
    return at_most(int(hits / answered * trials + 0.5), trials, max(0.0, others - GOLD_MARGIN))
