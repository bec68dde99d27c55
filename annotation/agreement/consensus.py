"""One answer from several: the majority, and Dawid and Skene's model as a second opinion.

A. P. Dawid and A. M. Skene, Maximum likelihood estimation of observer error-rates using the EM
algorithm (Applied Statistics 28, 1979). With q classes each annotator has q (q - 1) free
parameters, so it needs many ratings each; never score a model against labels it helped to make.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from annotation.agreement.patterns import FloatArray, IntArray


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
    most_steps: int = 2000,
    tolerance: float = 1e-10,
) -> DawidSkene:
    """Fit the model by EM from the shares of labels; repeated labels by one person all count.

    :param unit: (n,) codes from 0; likewise `annotator`, and `label` below `classes`.
    :param tolerance: largest change of any posterior at which it stops.
    :raises ValueError: for no ratings, or a label outside the classes.
    """
    units, people, labels = (np.asarray(column, np.int64) for column in (unit, annotator, label))
    if not len(units):
        raise ValueError("there are no ratings")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError("a label is outside the classes")
    size, members = int(units.max()) + 1, int(people.max()) + 1
    posterior = _counts(units, labels, np.ones(len(units)), (size, classes))
    rated = posterior.sum(axis=1, keepdims=True)
    posterior = np.where(rated > 0, posterior / np.maximum(rated, 1), 1 / classes)
    change, steps, log_likelihood = np.inf, 0, -np.inf
    while change >= tolerance and steps < most_steps:
        steps += 1
        prior, errors = _maximise(posterior, units, people, labels, members)
        renewed, log_likelihood = _expect(prior, errors, units, people, labels, size)
        change = float(np.abs(renewed - posterior).max())
        posterior = renewed
    prior, errors = _maximise(posterior, units, people, labels, members)
    return DawidSkene(prior, errors, posterior, log_likelihood, steps, change < tolerance)


def _counts(
    first: IntArray, second: IntArray, weights: FloatArray, shape: tuple[int, int]
) -> FloatArray:
    key = first * shape[1] + second
    sums = np.bincount(key, weights=weights, minlength=shape[0] * shape[1])
    return np.asarray(sums.reshape(shape), dtype=np.float64)


def _maximise(
    posterior: FloatArray, units: IntArray, people: IntArray, labels: IntArray, members: int
) -> tuple[FloatArray, FloatArray]:
    classes = posterior.shape[1]
    errors = np.empty((members, classes, classes))
    for true in range(classes):
        errors[:, true] = _counts(people, labels, posterior[units, true], (members, classes))
    totals = errors.sum(axis=2, keepdims=True)
    errors = np.where(totals > 0, errors / np.where(totals > 0, totals, 1), 1 / classes)
    return posterior.mean(axis=0), errors


def _expect(
    prior: FloatArray,
    errors: FloatArray,
    units: IntArray,
    people: IntArray,
    labels: IntArray,
    size: int,
) -> tuple[FloatArray, float]:
    classes = len(prior)
    floor = np.finfo(np.float64).tiny
    scores = np.repeat(np.log(np.maximum(prior, floor))[None], size, axis=0)
    for true in range(classes):
        logs = np.log(np.maximum(errors[people, true, labels], floor))
        scores[:, true] += np.bincount(units, weights=logs, minlength=size)
    highest = scores.max(axis=1, keepdims=True)
    likelihood = np.exp(scores - highest)
    together = likelihood.sum(axis=1, keepdims=True)
    return likelihood / together, float((np.log(together) + highest).sum())
