"""A logistic regression of preferences on one difference between the sides, clusters whole.

log odds(side 1 preferred) = slope * (side 1 less side 2), without an intercept: sides have no order.
The error is the sandwich over clusters (K.-Y. Liang and S. L. Zeger, Biometrika 73, 1986).
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from annotation.agreement.intervals import t_quantile

FEWEST = 20
_MOST_STEPS = 50


@dataclass(frozen=True, slots=True)
class Logistic:
    """A slope in log odds for one unit, with its error and 95 % interval over clusters."""

    slope: float
    error: float
    low: float
    high: float
    clusters: int


def logistic(won: ArrayLike, difference: ArrayLike, *, clusters: ArrayLike) -> Logistic | None:
    """Fit by Newton; None with too few unequal pairs or clusters, or where no maximum exists.

    :param won: (n,) 1 where side 1 was preferred, else 0.
    :param difference: (n,) of side 1 less side 2.
    :param clusters: (n,) what stands or falls together.
    """
    x, y = np.asarray(difference, np.float64), np.asarray(won, np.float64)
    used = x != 0
    x, y, groups = x[used], y[used], np.asarray(clusters)[used]
    _, group = np.unique(groups, return_inverse=True)
    size = int(group.max(initial=-1)) + 1
    # Without an exception to "more wins" (or to "less wins") the slope runs to infinity.
    agrees = (y > 0) == (x > 0)
    if len(x) < FEWEST or size < 2 or agrees.all() or not agrees.any():
        return None
    slope = 0.0
    for _ in range(_MOST_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(slope * x, -500, 500)))
        information = float(np.sum(chance * (1 - chance) * x * x))
        step = float(np.sum((y - chance) * x)) / information
        slope += step
        if abs(step) < 1e-10:
            break
    chance = 1 / (1 + np.exp(-np.clip(slope * x, -500, 500)))
    information = float(np.sum(chance * (1 - chance) * x * x))
    scores = np.bincount(group, weights=(y - chance) * x, minlength=size)
    error = sqrt(float(scores @ scores) * size / (size - 1)) / information
    half = t_quantile(size - 1) * error
    return Logistic(slope, error, slope - half, slope + half, size)
