"""Intraclass correlations of complete designs.

P. E. Shrout and J. L. Fleiss, Intraclass correlations (Psychological Bulletin 86, 1979). All six
are functions of sums over units (squares, squared row sums, column sums), so that they resample
like everything else.
"""

from enum import StrEnum

import numpy as np

from annotation.agreement.alpha import numbers
from annotation.agreement.patterns import FloatArray, Ratings


class Form(StrEnum):
    """Shrout and Fleiss' (1,1), (2,1), (3,1) and the same for the mean of all annotators."""

    ICC1 = "ICC1"
    ICC2 = "ICC2"
    ICC3 = "ICC3"
    ICC1K = "ICC1k"
    ICC2K = "ICC2k"
    ICC3K = "ICC3k"


def complete_matrix(ratings: Ratings) -> FloatArray | None:
    """Return (units, annotators) of scores, or None unless everybody rated every unit."""
    if len(ratings.unit) != ratings.units * ratings.annotators or ratings.annotators < 2:
        return None
    matrix = np.empty((ratings.units, ratings.annotators))
    matrix[ratings.unit, ratings.annotator] = numbers(ratings.domain)[ratings.category]
    return matrix


def unit_rows(matrix: FloatArray) -> FloatArray:
    """Return what each unit adds to the sums: (units, annotators + 3)."""
    total = matrix.sum(axis=1)
    return np.column_stack(
        [np.ones(len(matrix)), np.square(matrix).sum(axis=1), np.square(total), matrix]
    )


def correlations(sums: FloatArray, form: Form, *, annotators: int) -> FloatArray:
    """Return one form of the correlation for each leading index: (…), NaN where undefined.

    :param sums: (…, columns) sums of `unit_rows`; the columns may be of fewer annotators than
        before one was left out, so `annotators` says how many they are.
    """
    k = annotators
    units, squares, row_squares = sums[..., 0], sums[..., 1], sums[..., 2]
    columns = sums[..., 3:]
    grand = columns.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = grand**2 / (units * k)
        between = row_squares / k - middle
        people = np.square(columns).sum(axis=-1) / units - middle
        within = squares - row_squares / k
        ms_between = between / (units - 1)
        ms_within = within / (units * (k - 1))
        ms_people = people / (k - 1)
        ms_error = (within - people) / ((units - 1) * (k - 1))
        match form:
            case Form.ICC1:
                value = (ms_between - ms_within) / (ms_between + (k - 1) * ms_within)
            case Form.ICC2:
                by_people = k * (ms_people - ms_error) / units
                value = (ms_between - ms_error) / (ms_between + (k - 1) * ms_error + by_people)
            case Form.ICC3:
                value = (ms_between - ms_error) / (ms_between + (k - 1) * ms_error)
            case Form.ICC1K:
                value = (ms_between - ms_within) / ms_between
            case Form.ICC2K:
                value = (ms_between - ms_error) / (ms_between + (ms_people - ms_error) / units)
            case Form.ICC3K:
                value = (ms_between - ms_error) / ms_between
    varies = squares - middle > 1e-12 * np.maximum(squares, 1)
    return np.where(varies & (units > 1) & np.isfinite(value), value, np.nan)
