"""Krippendorff's alpha from coincidences.

K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011); Content Analysis, 4th ed.
(2019), chapter 12. Units with fewer than two ratings say nothing and are left out.
"""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from annotation.agreement.patterns import FloatArray, Patterns, Score, Sums, total


class Level(StrEnum):
    """The level of measurement, which decides how far apart two scores are."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    INTERVAL = "interval"
    RATIO = "ratio"


def distances(level: Level, domain: Sequence[Score], marginals: FloatArray) -> FloatArray:
    """Return the squared distances between scores: (…, q, q).

    :param marginals: (…, q) pairable ratings by score; the ordinal distance depends on them.
    :raises ValueError: where the level asks for numbers (interval), or for numbers from zero up
        (ratio), and the domain has others.
    """
    q = len(domain)
    if level == Level.NOMINAL:
        return 1.0 - np.eye(q)
    if level == Level.ORDINAL:
        # The ratings between the two scores, each end counted half.
        ranks = np.cumsum(marginals, axis=-1) - marginals / 2
        return np.square(ranks[..., :, None] - ranks[..., None, :])
    values = numbers(domain)
    difference = values[:, None] - values[None, :]
    if level == Level.INTERVAL:
        return np.square(difference)
    if (values < 0).any():
        raise ValueError("a ratio scale has no scores below zero")
    together = values[:, None] + values[None, :]
    return np.square(difference / np.where(together == 0, 1.0, together))


def numbers(domain: Sequence[Score]) -> FloatArray:
    """Return the domain's values.

    :raises ValueError: if any of them is a text.
    """
    values = [score for score in domain if not isinstance(score, str)]
    if len(values) < len(domain):
        raise ValueError("scores that are texts have no distances: nominal level only")
    return np.asarray(values, dtype=np.float64)


def alphas(sums: Sums, *, level: Level, domain: Sequence[Score]) -> FloatArray:
    """Return alpha for each leading index of `sums`: (…), NaN where it is undefined."""
    marginals = sums.coincidences.sum(axis=-1)
    ratings = marginals.sum(axis=-1)
    apart = distances(level, domain, marginals)
    observed = (sums.coincidences * apart).sum(axis=(-2, -1))
    by_chance = marginals[..., :, None] * marginals[..., None, :]
    expected = (by_chance * apart).sum(axis=(-2, -1))
    defined = expected > 0
    with np.errstate(invalid="ignore"):
        value = 1 - (ratings - 1) * observed / np.where(defined, expected, 1.0)
    return np.where(defined, value, np.nan)


def krippendorff_alpha(patterns: Patterns, *, level: Level) -> float | None:
    """Return alpha, or None where it is undefined: no pairable unit, or no variation."""
    value = float(alphas(total(patterns), level=level, domain=patterns.domain))
    return None if np.isnan(value) else value


def spearman_brown(reliability: float, *, ratings: float) -> float:
    """Return the reliability of the mean of `ratings` ratings, given that of a single one.

    Spearman (1910), Brown (1910). Assumes exchangeable annotators and roughly equal steps.
    """
    return ratings * reliability / (1 + (ratings - 1) * reliability)
