"""Two annotators: Cohen's kappa (1960), weighted (1968), and Scott's pi (1955).

Both need the table of units that both rated: rows are the first annotator's scores, columns
the second's.
"""

import numpy as np
from numpy.typing import ArrayLike

from annotation.agreement.coefficients import corrected
from annotation.agreement.patterns import FloatArray, IntArray, Ratings


def agreement_from_disagreement(costs: ArrayLike) -> FloatArray:
    """Return agreement weights for a table of costs with a zero diagonal, as Cohen (1968) has."""
    table = np.asarray(costs, dtype=np.float64)
    return np.asarray(1 - table / table.max())


def pair_table(ratings: Ratings) -> IntArray:
    """Return (units, q, q): one at (a's score, b's score) for each unit that both rated.

    :raises ValueError: unless there are exactly two annotators.
    """
    first, second = _two_columns(ratings)
    both = (first >= 0) & (second >= 0)
    q = len(ratings.domain)
    table = np.zeros((ratings.units, q, q), dtype=np.int64)
    table[np.flatnonzero(both), first[both], second[both]] = 1
    return table


def _two_columns(ratings: Ratings) -> tuple[IntArray, IntArray]:
    if ratings.annotators != 2:
        raise ValueError(f"this is for two annotators; there are {ratings.annotators}")
    columns = np.full((2, ratings.units), -1, dtype=np.int64)
    columns[ratings.annotator, ratings.unit] = ratings.category
    return columns[0], columns[1]


def cohen_kappas(tables: FloatArray, weights: FloatArray) -> FloatArray:
    """Return kappa of each table: (…, q, q) -> (…), NaN where undefined."""
    return _from_tables(tables, weights, scott=False)


def scott_pis(tables: FloatArray, weights: FloatArray) -> FloatArray:
    """Return Scott's pi of each table: as kappa, with the two annotators' habits averaged."""
    return _from_tables(tables, weights, scott=True)


def _from_tables(tables: FloatArray, weights: FloatArray, *, scott: bool) -> FloatArray:
    units = tables.sum(axis=(-2, -1))
    shares = tables / np.maximum(units, 1)[..., None, None]
    rows, columns = shares.sum(axis=-1), shares.sum(axis=-2)
    if scott:
        rows = columns = (rows + columns) / 2
    seen = (shares * weights).sum(axis=(-2, -1))
    by_chance = np.einsum("...k,kl,...l->...", rows, weights, columns)
    return np.where(units > 0, corrected(seen, by_chance), np.nan)


def cohen_kappa(table: ArrayLike, *, weights: FloatArray | None = None) -> float | None:
    """Return kappa of one table of counts (q, q); weighted where agreement weights are given."""
    return _scalar(table, weights, scott=False)


def scott_pi(table: ArrayLike, *, weights: FloatArray | None = None) -> float | None:
    """Return Scott's pi of one table of counts (q, q)."""
    return _scalar(table, weights, scott=True)


def _scalar(table: ArrayLike, weights: FloatArray | None, *, scott: bool) -> float | None:
    counts = np.asarray(table, dtype=np.float64)
    used = np.eye(len(counts)) if weights is None else weights
    value = float(_from_tables(counts, used, scott=scott))
    return None if np.isnan(value) else value
