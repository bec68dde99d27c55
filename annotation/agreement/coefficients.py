"""Chance-corrected agreement of any number of annotators with missing ratings.

K. L. Gwet, Handbook of Inter-Rater Reliability, 4th ed. (2014), chapters 2 to 4; the values are
those of the author's R package irrCAC. Functions over `Sums` give NaN where undefined, for use
in resampling; those over `Patterns` give None.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum

import numpy as np

from annotation.agreement.alpha import numbers
from annotation.agreement.patterns import FloatArray, Patterns, Score, Sums, total


class Weighting(StrEnum):
    """How much credit two scores get for being close to each other."""

    IDENTITY = "identity"
    LINEAR = "linear"
    QUADRATIC = "quadratic"
    ORDINAL = "ordinal"
    WITHIN_1 = "within_1"


def agreement_weights(weighting: Weighting, domain: Sequence[Score]) -> FloatArray:
    """Return the agreement weights between scores: (q, q), 1 on the diagonal.

    Ordinal weights are Gwet's, over ranks; within_1 counts neighbours on the scale as agreeing.

    :raises ValueError: for linear or quadratic weights over texts.
    """
    q = len(domain)
    if weighting == Weighting.IDENTITY or q < 2:
        return np.eye(q)
    steps = np.abs(np.subtract.outer(np.arange(q), np.arange(q)))
    if weighting == Weighting.WITHIN_1:
        return (steps <= 1).astype(np.float64)
    if weighting == Weighting.ORDINAL:
        apart = steps * (steps + 1) / 2
        return np.asarray(1 - apart / apart.max())
    values = numbers(domain)
    difference = np.abs(values[:, None] - values[None, :]) / (values.max() - values.min())
    return np.asarray(1 - (difference if weighting == Weighting.LINEAR else difference**2))


def observed(sums: Sums, weights: FloatArray) -> FloatArray:
    """Return the mean over pairable units of the weighted agreement within the unit: (…)."""
    found = (sums.agreements * weights).sum(axis=(-2, -1))
    return np.where(sums.pairable > 0, found / np.maximum(sums.pairable, 1), np.nan)


def corrected(seen: FloatArray, by_chance: FloatArray) -> FloatArray:
    """Return (seen - by chance) / (1 - by chance), NaN where chance alone gives 1."""
    room = 1 - by_chance
    defined = room > 1e-12
    return np.where(defined, (seen - by_chance) / np.where(defined, room, 1.0), np.nan)


def _prevalence(sums: Sums) -> FloatArray:
    """Return the mean share of each score over all rated units, Gwet's pi: (…, q)."""
    return np.asarray(sums.shares / np.maximum(sums.units, 1)[..., None])


def gwet_ac(sums: Sums, weights: FloatArray) -> FloatArray:
    """Return AC1 (identity weights) or AC2: (…). Undefined with a single score in the domain."""
    q = weights.shape[0]
    prevalence = _prevalence(sums)
    if q < 2:
        return np.full(sums.units.shape, np.nan)
    spread = (prevalence * (1 - prevalence)).sum(axis=-1)
    return corrected(observed(sums, weights), weights.sum() / (q * (q - 1)) * spread)


def brennan_prediger(sums: Sums, weights: FloatArray) -> FloatArray:
    """Return Brennan and Prediger's coefficient (1981): every score equally likely by chance."""
    by_chance = np.full(sums.units.shape, weights.sum() / max(weights.size, 1))
    return corrected(observed(sums, weights), by_chance)


def fleiss_kappa(sums: Sums, weights: FloatArray) -> FloatArray:
    """Return Fleiss' kappa (1971), generalised by Gwet to weights and missing ratings."""
    prevalence = _prevalence(sums)
    by_chance = np.einsum("...k,kl,...l->...", prevalence, weights, prevalence)
    return corrected(observed(sums, weights), by_chance)


def percent_agreement(sums: Sums, weights: FloatArray) -> FloatArray:
    """Return the (weighted) share of agreeing pairs, each pairable unit counting once."""
    return observed(sums, weights)


def conger_kappa(sums: Sums, by_annotator: FloatArray, weights: FloatArray) -> FloatArray:
    """Return Conger's kappa (1980), generalised by Gwet: each annotator has their own habits.

    :param by_annotator: (…, annotators, q) ratings of each annotator by score.
    """
    given = by_annotator.sum(axis=-1)
    present = (given > 0).astype(np.float64)
    people = present.sum(axis=-1)
    habits = by_annotator / np.maximum(given, 1)[..., None]
    mean = habits.sum(axis=-2) / np.maximum(people, 1)[..., None]
    square = np.einsum("...gk,...gl->...kl", habits, habits)
    spread = square - people[..., None, None] * mean[..., :, None] * mean[..., None, :]
    spread /= np.maximum(people - 1, 1)[..., None, None] * np.maximum(people, 1)[..., None, None]
    by_chance = ((mean[..., :, None] * mean[..., None, :] - spread) * weights).sum(axis=(-2, -1))
    return np.where(people >= 2, corrected(observed(sums, weights), by_chance), np.nan)


Coefficient = Callable[[Sums, FloatArray], FloatArray]

BY_NAME: dict[str, Coefficient] = {
    "percent_agreement": percent_agreement,
    "gwet_ac": gwet_ac,
    "brennan_prediger": brennan_prediger,
    "fleiss_kappa_gen": fleiss_kappa,
}


def coefficient(patterns: Patterns, measure: str, *, weighting: Weighting) -> float | None:
    """Return one coefficient of `BY_NAME`, or None where it is undefined."""
    weights = agreement_weights(weighting, patterns.domain)
    value = float(BY_NAME[measure](total(patterns), weights))
    return None if np.isnan(value) else value


def annotator_counts(patterns: Patterns) -> FloatArray:
    """Return the ratings of each annotator by score: (annotators, q).

    :raises ValueError: where nobody knows who gave them.
    """
    cells = patterns.cells
    if cells is None:
        raise ValueError("these patterns do not say who gave which score")
    table = np.zeros((patterns.annotators, len(patterns.domain)))
    np.add.at(table, (cells.annotator, cells.category), cells.count)
    return table


def conger(patterns: Patterns, *, weighting: Weighting) -> float | None:
    """Return Conger's kappa, or None where it is undefined (fewer than two annotators)."""
    weights = agreement_weights(weighting, patterns.domain)
    value = float(conger_kappa(total(patterns), annotator_counts(patterns), weights))
    return None if np.isnan(value) else value
