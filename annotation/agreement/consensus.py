"""One answer from several: the majority, and Dawid and Skene's model as a second opinion.

A. P. Dawid and A. M. Skene, Maximum likelihood estimation of observer error-rates using the EM
algorithm (Applied Statistics 28, 1979). With q classes each annotator has q (q - 1) free
parameters, so it needs many ratings each; never score a model against labels it helped to make.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from annotation.agreement.patterns import FloatArray, IntArray, Patterns, Ratings

MOST_FITTED = 100_000
"""Ratings up to which Dawid and Skene's model is fitted beside the majority."""

LEAST_EACH = 5
"""Ratings a person at the middle must have given for each of their numbers in the model."""


class Way(StrEnum):
    """How a consensus came to be."""

    UNANIMOUS = "unanimous"
    MAJORITY = "majority"
    NO_MAJORITY = "no_majority"
    NOT_RATED = "not_rated"


@dataclass(frozen=True, slots=True)
class Consensus:
    """The answer more than half gave (its index), or none, and how it came to be."""

    category: int | None
    how: Way


def majority(counts: Sequence[int]) -> Consensus:
    """Return what more than half of the annotators chose; a mere plurality is no majority."""
    ratings = sum(counts)
    if not ratings:
        return Consensus(None, Way.NOT_RATED)
    most = max(range(len(counts)), key=counts.__getitem__)
    if counts[most] == ratings:
        return Consensus(most, Way.UNANIMOUS)
    if 2 * counts[most] > ratings:
        return Consensus(most, Way.MAJORITY)
    return Consensus(None, Way.NO_MAJORITY)


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """One unit without a majority, or of which Dawid and Skene's model says something else.

    :ivar votes: how many gave each category; `majority` and `best` are indices.
    :ivar best: what the model says, with its probability; None where it is not fitted.
    """

    unit: int
    votes: tuple[int, ...]
    majority: int | None
    best: int | None
    probability: float | None


@dataclass(frozen=True, slots=True)
class ConsensusSummary:
    """How a consensus comes to be, over units with two ratings or more.

    :ivar ways: how many units are unanimous, have a majority, or have none.
    :ivar converged: whether Dawid and Skene's model stood still; None: not fitted, see `why_not`.
    :ivar prior: its share of each score.
    :ivar differs: units where it says other than the majority, of those that have one.
    """

    ways: dict[str, int]
    converged: bool | None
    steps: int
    prior: dict[str, float]
    differs: int
    why_not: str


@dataclass(frozen=True, slots=True, eq=False)
class DawidSkene:
    """The fitted model.

    :ivar prior: (q,) share of each class.
    :ivar errors: (annotators, q, q) probability of each label given the true class (rows).
    :ivar posterior: (units, q) probability of each class.
    :ivar log_likelihood: at the end, natural logarithm.
    :ivar converged: whether the posterior stood still before the steps ran out.
    """

    prior: FloatArray
    errors: FloatArray
    posterior: FloatArray
    log_likelihood: float
    steps: int
    converged: bool


def dawid_skene(
    unit: ArrayLike,
    annotator: ArrayLike,
    label: ArrayLike,
    *,
    classes: int,
    most_steps: int = 4000,
    tolerance: float = 1e-8,
) -> DawidSkene:
    """Fit the model by EM from the shares of labels; repeated labels by one person all count.

    EM creeps where people say little, so after every two steps it leaps ahead along them (SQUAREM:
    R. Varadhan and C. Roland, Simple and globally convergent methods for accelerating the
    convergence of any EM algorithm, Scandinavian Journal of Statistics 35, 2008, their third step
    length). A leap that fits worse is taken back, so the likelihood never falls, and it ends only
    where a plain step stands still: at a fixed point of EM.

    :param unit: (n,) codes from 0; likewise `annotator`, and `label` below `classes`.
    :param most_steps: how often all posteriors are computed at most.
    :param tolerance: largest change of any posterior in one plain step at which it stops.
    :raises ValueError: for no ratings, or a label outside the classes.
    """
    units, people, labels = (np.asarray(column, np.int64) for column in (unit, annotator, label))
    if not len(units):
        raise ValueError("there are no ratings")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError("a label is outside the classes")
    size, members = int(units.max()) + 1, int(people.max()) + 1
    given = people * classes + labels
    kind, one_of = _alike(units, given, size=size)
    weight = np.bincount(kind) / size
    chosen = np.isin(units, one_of)
    units, given, labels = kind[units[chosen]], given[chosen], labels[chosen]
    votes = _Votes(units, given, weight, members, classes)
    # A row for each class: sums over classes are then sums of rows, which are quick.
    posterior = _counts(labels, units, np.ones(len(units)), (classes, len(weight)))
    rated = posterior.sum(axis=0)
    posterior = np.where(rated > 0, posterior / np.maximum(rated, 1), 1 / classes)
    at = votes.maximised(posterior)
    posterior, fit = votes.expected(at)
    change, steps, farthest = np.inf, 1, _FIRST_LEAP
    while steps < most_steps:
        one = votes.maximised(posterior)
        renewed, better = votes.expected(one)
        steps += 1
        change = float(np.abs(renewed - posterior).max())
        if change < tolerance or steps + 2 > most_steps:
            posterior, fit = renewed, better
            break
        two = votes.maximised(renewed)
        length = min(_length(at, one, two), farthest)
        leapt = votes.leapt(at, one, two, length)
        posterior, fit = votes.expected(leapt)
        steps += 1
        if fit >= better:
            at = leapt
            farthest *= 4 if length == farthest else 1
        else:
            at, farthest = two, max(farthest / 2, _FIRST_LEAP)
            posterior, fit = votes.expected(two)
            steps += 1
    prior, errors = votes.parts(votes.maximised(posterior))
    return DawidSkene(prior, errors, posterior[:, kind].T, fit * size, steps, change < tolerance)


def ways_of(patterns: Patterns) -> dict[str, int]:
    """Return how many units with two ratings or more are unanimous, have a majority, or none."""
    ways: Counter[Way] = Counter()
    for counts, units in zip(patterns.counts.tolist(), patterns.units.tolist(), strict=True):
        if sum(counts) > 1:
            ways[majority(counts).how] += units
    return {str(way): ways[way] for way in (Way.UNANIMOUS, Way.MAJORITY, Way.NO_MAJORITY)}


def not_fitted(patterns: Patterns) -> ConsensusSummary:
    """Return the majority alone, of too many ratings for the model, or of none."""
    why = f"not fitted to {patterns.ratings} ratings; {MOST_FITTED} are the most"
    return ConsensusSummary(ways_of(patterns), None, 0, {}, 0, why)


def too_thin(ratings: Ratings) -> str:
    """Return why people gave too few ratings each for the model to be believed, or "".

    Of each person it finds how often they say each of the q categories in use of each: q (q - 1)
    numbers. With few ratings for each of these it invents answers, and is sure of them.
    """
    used = len(np.unique(ratings.category))
    each = np.bincount(ratings.annotator)
    middle = int(np.median(each[each > 0])) if len(each) else 0
    least = LEAST_EACH * used * (used - 1)
    if middle >= least:
        return ""
    return f"not fitted: {middle} ratings a person at the middle; {least} are asked for"


def summarised(
    patterns: Patterns, ratings: Ratings, *, why_not: str = ""
) -> tuple[ConsensusSummary, tuple[SecondOpinion, ...]]:
    """Return the majority beside the model, and the units without one or where the model differs.

    Those without a majority come first, then those of which the model is surest.

    :param ratings: the same as `patterns`, row by row; at least one, at most `MOST_FITTED`.
    :param why_not: why the model is not to be fitted.
    """
    q = len(ratings.domain)
    model = None
    if not why_not:
        model = dawid_skene(ratings.unit, ratings.annotator, ratings.category, classes=q)
    counts = np.bincount(ratings.unit * q + ratings.category, minlength=ratings.units * q)
    counts = counts.reshape(ratings.units, q)
    others = []
    for unit in np.flatnonzero(counts.sum(axis=1) > 1).tolist():
        votes = counts[unit].tolist()
        agreed = majority(votes).category
        said = None if model is None else int(model.posterior[unit].argmax())
        if agreed is None or said not in {None, agreed}:
            chance = None if model is None else float(model.posterior[unit].max())
            others.append(SecondOpinion(unit, tuple(votes), agreed, said, chance))
    others.sort(key=lambda one: (one.majority is not None, -(one.probability or 0)))
    prior = {} if model is None else dict(zip(map(str, ratings.domain), model.prior, strict=True))
    found = ConsensusSummary(
        ways=ways_of(patterns),
        converged=None if model is None else model.converged,
        steps=0 if model is None else model.steps,
        prior={name: float(share) for name, share in prior.items()},
        differs=sum(one.majority is not None for one in others),
        why_not=why_not,
    )
    return found, tuple(others)


def _counts(
    first: IntArray, second: IntArray, weights: FloatArray, shape: tuple[int, int]
) -> FloatArray:
    key = first * shape[1] + second
    sums = np.bincount(key, weights=weights, minlength=shape[0] * shape[1])
    return np.asarray(sums.reshape(shape), dtype=np.float64)


def _alike(units: IntArray, given: IntArray, *, size: int) -> tuple[IntArray, IntArray]:
    """Return each unit's kind, and a unit of each: those of one kind were given the same answers.

    The model says the same of units of one kind, so it is fitted to one of each and counts them.
    Rating by rating, units that were alike so far part where the next differs.
    """
    given = given[np.lexsort((given, units))]
    held = np.bincount(units, minlength=size)
    first = np.cumsum(held) - held
    kind, kinds, answers = np.zeros(size, np.int64), 1, int(given.max()) + 1
    more = np.arange(size)
    for place in range(int(held.max())):
        more = more[held[more] > place]
        told, at = np.unique(kind[more] * answers + given[first[more] + place], return_inverse=True)
        kind[more] = kinds + at
        kinds += len(told)
    _, one_of, kind = np.unique(kind, return_index=True, return_inverse=True)
    return kind, one_of


_FIRST_LEAP = 4.0
"""The farthest first leap, in steps of EM; it grows fourfold whenever so far a one fits better."""

_LEAST_LEFT = 0.1
"""A leap leaves of each probability at least so much of what two steps did: none becomes 0."""


def _length(start: FloatArray, one: FloatArray, two: FloatArray) -> float:
    """Return how far to leap from `start` after the steps to `one` and `two`; 1 is to `two`."""
    step, bend = one - start, two - 2 * one + start
    bent = float((bend * bend).sum())
    return max(1.0, float(np.sqrt((step * step).sum() / bent))) if bent else 1.0


@dataclass(frozen=True, slots=True, eq=False)
class _Votes:
    """The ratings of one unit of each kind; its model is the prior and the errors in one row.

    :ivar given: each rating's annotator and label, the place in one row of errors by truth.
    :ivar weight: (kinds,) shares of the units that are of each kind.
    """

    units: IntArray
    given: IntArray
    weight: FloatArray
    members: int
    classes: int

    def parts(self, model: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the prior, (classes,), and the errors, (members, classes, classes)."""
        q = self.classes
        return model[:q], model[q:].reshape(self.members, q, q)

    def maximised(self, posterior: FloatArray) -> FloatArray:
        """Return the model that fits the posterior, (classes, kinds), best."""
        q, shares = self.classes, posterior * self.weight
        errors = np.empty((self.members, q, q))
        for true in range(q):
            told = shares[true][self.units]
            sums = np.bincount(self.given, weights=told, minlength=self.members * q)
            errors[:, true] = sums.reshape(self.members, q)
        return _normed(shares.sum(axis=1), errors)

    def expected(self, model: FloatArray) -> tuple[FloatArray, float]:
        """Return the posterior, (classes, kinds), and the mean log likelihood of a unit."""
        prior, errors = self.parts(model)
        floor = np.finfo(np.float64).tiny
        logs = np.log(np.maximum(errors, floor))
        # A class without any share stays so: with the floor it would win where all others are
        # unlikely.
        shares = np.where(prior > 0, np.log(np.maximum(prior, floor)), -np.inf)
        scores = np.repeat(shares[:, None], len(self.weight), axis=1)
        for true in range(self.classes):
            told = logs[:, true].ravel()[self.given]
            scores[true] += np.bincount(self.units, weights=told, minlength=len(self.weight))
        highest = scores.max(axis=0)
        likelihood = np.exp(scores - highest)
        together = likelihood.sum(axis=0)
        # A sum and no product of matrices: the threads of that one wait for each other longer than
        # all the rest takes.
        fit = float(((np.log(together) + highest) * self.weight).sum())
        return likelihood / together, fit

    def leapt(
        self, start: FloatArray, one: FloatArray, two: FloatArray, length: float
    ) -> FloatArray:
        """Return the model `length` steps along the way from `start` over `one` to `two`."""
        step, bend = one - start, two - 2 * one + start
        ahead = start + 2 * length * step + length * length * bend
        return _normed(*self.parts(np.maximum(ahead, _LEAST_LEFT * two)))


def _normed(prior: FloatArray, errors: FloatArray) -> FloatArray:
    """Return the model in one row, its probabilities summing to 1; those of nobody are even."""
    totals = errors.sum(axis=2, keepdims=True)
    errors = np.where(totals > 0, errors / np.where(totals > 0, totals, 1), 1 / errors.shape[2])
    return np.concatenate([prior / prior.sum(), errors.ravel()])
