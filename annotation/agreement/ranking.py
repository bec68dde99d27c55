"""Strengths from comparisons: Bradley and Terry's model, and Davidson's with ties.

R. A. Bradley and M. E. Terry (Biometrika 39, 1952); R. R. Davidson, On extending the
Bradley-Terry model to accommodate ties (JASA 65, 1970): P(i beats j) : P(tie) : P(j beats i) =
p_i : nu sqrt(p_i p_j) : p_j. Both log-likelihoods are concave; the maximum exists where wins
and ties connect everybody with everybody in both directions (Ford 1957), which is checked.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.agreement.patterns import FloatArray


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


def bradley_terry(wins: ArrayLike) -> Strengths:
    """Return maximum-likelihood strengths; `wins[i][j]` is how often i beat j.

    :raises NotConnected: where they do not exist.
    """
    return _fit(np.asarray(wins, np.float64), None)


def davidson(wins: ArrayLike, ties: ArrayLike) -> Strengths:
    """Return maximum-likelihood strengths with ties; `ties` is symmetric, each tie once a side.

    Without any tie it is `bradley_terry`, and nu is 0.

    :raises NotConnected: where they do not exist, or where there is nothing but ties.
    """
    drawn = np.asarray(ties, np.float64)
    if (drawn != drawn.T).any():
        raise ValueError("ties[i][j] and ties[j][i] differ")
    return _fit(np.asarray(wins, np.float64), drawn if drawn.any() else None)


def _fit(wins: FloatArray, ties: FloatArray | None) -> Strengths:
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
    logits, information, log_likelihood = _newton(outcomes, design[:, :, free], possible)
    covariance = np.linalg.inv(information)
    strengths = np.concatenate([[0.0], logits[: size - 1]])
    errors = np.concatenate([[0.0], np.sqrt(np.diag(covariance))[: size - 1]])
    tie = float(np.exp(logits[size - 1])) if ties is not None else 0.0
    return Strengths(strengths, errors, tie, log_likelihood)


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
        if float(np.abs(step).max(initial=0.0)) < 1e-11:
            return at, information, best
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
