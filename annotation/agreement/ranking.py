"""Strengths from comparisons: Bradley and Terry's model, and Davidson's with ties.

R. A. Bradley and M. E. Terry (Biometrika 39, 1952); R. R. Davidson, On extending the
Bradley-Terry model to accommodate ties (JASA 65, 1970): P(i beats j) : P(tie) : P(j beats i) =
p_i : nu sqrt(p_i p_j) : p_j. Both log-likelihoods are concave; the maximum exists where wins
and ties connect everybody with everybody in both directions (Ford 1957), which is checked.

`ranking` gives strengths about their mean with intervals that let whole dialogues, or all that
one person said, stand or fall together: the sandwich of K.-Y. Liang and S. L. Zeger (Biometrika
73, 1986).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.agreement.intervals import t_quantile
from annotation.agreement.patterns import FloatArray, IntArray

FIRST_WON, TIED, SECOND_WON = range(3)
"""Outcomes of a comparison of `first` with `second`."""

_LAST_STEP = 1e-7


class NotConnected(ValueError):
    """Some were never beaten by, or never met, the others: no finite strengths exist."""


@dataclass(frozen=True, slots=True, eq=False)
class Strengths:
    """Log strengths relative to the first: (n,), the first is 0.

    :ivar errors: (n,) asymptotic standard errors of the differences to the first.
    :ivar tie: Davidson's nu (0: no ties in the data, or ties not modelled).
    """

    logits: FloatArray
    errors: FloatArray
    tie: float
    log_likelihood: float


def is_connected(beats: NDArray[np.bool_]) -> bool:
    """Return whether everybody can be reached from everybody: (n, n), i over j."""
    for reach in (beats, beats.T):
        seen = np.zeros(len(reach), dtype=bool)
        seen[:1] = True
        while True:
            grown = seen | reach[seen].any(axis=0)
            if (grown == seen).all():
                break
            seen = grown
        if not seen.all():
            return False
    return True


def parts(met: NDArray[np.bool_]) -> list[list[int]]:
    """Return who hangs together by comparisons, the largest part first: (n, n), symmetric."""
    left, found = set(range(len(met))), []
    while left:
        seen = np.zeros(len(met), dtype=bool)
        seen[min(left)] = True
        while ((grown := seen | met[seen].any(axis=0)) != seen).any():
            seen = grown
        found.append([int(one) for one in np.flatnonzero(seen)])
        left -= set(found[-1])
    return sorted(found, key=lambda part: (-len(part), part))


def bradley_terry(wins: ArrayLike) -> Strengths:
    """Return maximum-likelihood strengths; `wins[i][j]` is how often i beat j.

    :raises NotConnected: where they do not exist.
    """
    return _fit(np.asarray(wins, np.float64), None).strengths


def davidson(wins: ArrayLike, ties: ArrayLike) -> Strengths:
    """Return maximum-likelihood strengths with ties; `ties` is symmetric, each tie once a side.

    Without any tie it is `bradley_terry`, and nu is 0.

    :raises NotConnected: where they do not exist, or where there is nothing but ties.
    """
    drawn = np.asarray(ties, np.float64)
    if (drawn != drawn.T).any():
        raise ValueError("ties[i][j] and ties[j][i] differ")
    return _fit(np.asarray(wins, np.float64), drawn if drawn.any() else None).strengths


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Strengths about their mean, in log odds, with 95 % intervals (NaN: a single cluster)."""

    strengths: FloatArray
    low: FloatArray
    high: FloatArray
    tie: float

    def share(self, strengths: FloatArray) -> FloatArray:
        """Return how often one of such a strength wins against the mean; a tie counts half."""
        wins, draws = np.exp(strengths), self.tie * np.exp(strengths / 2)
        return np.asarray((wins + draws / 2) / (wins + draws + 1))


def tallied(
    first: IntArray, second: IntArray, outcome: IntArray, *, size: int
) -> tuple[FloatArray, FloatArray]:
    """Return (wins, ties) of `size` from single comparisons, as `davidson` takes them."""
    wins, ties = np.zeros((size, size)), np.zeros((size, size))
    for place, (one, other) in ((FIRST_WON, (first, second)), (SECOND_WON, (second, first))):
        some = outcome == place
        np.add.at(wins, (one[some], other[some]), 1)
    tied = outcome == TIED
    np.add.at(ties, (first[tied], second[tied]), 1)
    return wins, ties + ties.T


def ranking(
    first: IntArray,
    second: IntArray,
    outcome: IntArray,
    *,
    size: int,
    clusterings: Sequence[IntArray],
) -> Ranking:
    """Return strengths from single comparisons of `size` things, each with its outcome.

    :param clusterings: each (n,): the cluster of every comparison. An interval is the widest over
        clusterings, with Student's t for the clusters there are.
    :raises NotConnected: where there are no finite strengths.
    """
    wins, ties = tallied(first, second, outcome, size=size)
    fit = _fit(wins, ties if ties.any() else None)
    place = np.zeros((size, size), np.int64)
    place[fit.first, fit.second] = np.arange(len(fit.first))
    turned = first > second
    pair = np.where(turned, place[second, first], place[first, second])
    # Within a pair the fit's outcomes are: the lower number won, the higher won, a tie.
    won = np.where(outcome == TIED, 2, ((outcome == SECOND_WON) != turned).astype(np.int64))
    mean = np.einsum("po,pod->pd", fit.chances, fit.design)
    residuals = (fit.design - mean[:, None, :]).reshape(-1, fit.design.shape[2])
    about_mean = np.eye(size) - 1 / size
    half = np.zeros(size)
    for clusters in clusterings:
        _, cluster = np.unique(clusters, return_inverse=True)
        count = int(cluster.max(initial=-1)) + 1
        if count < 2:
            continue
        columns = [
            np.bincount(cluster, weights=column[pair * 3 + won], minlength=count)
            for column in residuals.T
        ]
        scores = np.stack(columns, axis=1)
        meat = scores.T @ scores * count / (count - 1)
        whole = np.zeros((size, size))
        whole[1:, 1:] = (fit.bread @ meat @ fit.bread)[: size - 1, : size - 1]
        errors = np.sqrt(np.maximum(np.diag(about_mean @ whole @ about_mean), 0))
        half = np.maximum(half, t_quantile(count - 1) * errors)
    strengths = about_mean @ fit.strengths.logits
    known = half if half.any() else np.full(size, np.nan)
    return Ranking(strengths, strengths - known, strengths + known, fit.strengths.tie)


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """The maximum and what its errors are made of; pairs are `first` below `second`."""

    strengths: Strengths
    bread: FloatArray
    design: FloatArray
    chances: FloatArray
    first: IntArray
    second: IntArray


def _fit(wins: FloatArray, ties: FloatArray | None) -> _Fit:
    size = len(wins)
    wins = wins * (1 - np.eye(size))
    drawn = np.zeros_like(wins) if ties is None else ties * (1 - np.eye(size))
    if not is_connected((wins + drawn) > 0) or not wins.any():
        raise NotConnected(
            "the comparisons do not connect everybody in both directions: no strengths exist"
        )
    # Each comparison is a choice of three whose logits are linear in the parameters:
    # theta_i, theta_j and (theta_i + theta_j) / 2 + log nu.
    first, second = np.triu_indices(size, 1)
    outcomes = np.stack([wins[first, second], wins[second, first], drawn[first, second]], axis=1)
    design = np.zeros((len(first), 3, size + 1))
    pairs = np.arange(len(first))
    design[pairs, 0, first] = design[pairs, 1, second] = 1
    design[pairs, 2, first] = design[pairs, 2, second] = 0.5
    design[:, 2, size] = 1
    free = list(range(1, size + 1)) if ties is not None else list(range(1, size))
    possible = np.array([1.0, 1.0, 1.0 if ties is not None else 0.0])
    used = design[:, :, free]
    logits, information, log_likelihood = _newton(outcomes, used, possible)
    _, chances = _likelihood(logits, outcomes, used, possible)
    bread: FloatArray = np.linalg.inv(information).astype(np.float64)
    strengths = np.concatenate([[0.0], logits[: size - 1]])
    errors = np.concatenate([[0.0], np.sqrt(np.diag(bread))[: size - 1]])
    tie = float(np.exp(logits[size - 1])) if ties is not None else 0.0
    found = Strengths(strengths, errors, tie, log_likelihood)
    return _Fit(found, bread, used, chances, first.astype(np.int64), second.astype(np.int64))


def _newton(
    outcomes: FloatArray, design: FloatArray, possible: FloatArray
) -> tuple[FloatArray, FloatArray, float]:
    """Maximise the multinomial logit likelihood; return (parameters, information, maximum)."""
    totals = outcomes.sum(axis=1)
    at = np.zeros(design.shape[2])
    best, chances = _likelihood(at, outcomes, design, possible)
    while True:
        gradient = np.einsum("po,pod->d", outcomes - totals[:, None] * chances, design)
        mean = np.einsum("po,pod->pd", chances, design)
        information = np.einsum("p,po,pod,poe->de", totals, chances, design, design)
        information -= np.einsum("p,pd,pe->de", totals, mean, mean)
        step = np.linalg.solve(information, gradient)
        if float(np.abs(step).max(initial=0.0)) < _LAST_STEP:
            # So near, the error left is the step's square, and likelihoods differ by rounding only.
            best, _ = _likelihood(at + step, outcomes, design, possible)
            return at + step, information, best
        length = 1.0
        while True:
            found, chances = _likelihood(at + length * step, outcomes, design, possible)
            if found >= best or length < 1e-9:
                break
            length /= 2
        if length < 1e-9:
            return at, information, best
        at, best = at + length * step, found


def _likelihood(
    at: FloatArray, outcomes: FloatArray, design: FloatArray, possible: FloatArray
) -> tuple[float, FloatArray]:
    logits = design @ at
    logits -= logits.max(axis=1, keepdims=True)
    chances = np.exp(logits) * possible
    chances /= chances.sum(axis=1, keepdims=True)
    known = outcomes > 0
    return float((outcomes[known] * np.log(chances[known])).sum()), chances
