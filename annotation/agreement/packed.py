"""Patterns from a database's grouped counts, so that a million ratings travel as a few rows.

The database adds, for each unit, `1 << (BITS * (score - lowest))` over its ratings, then counts
units by (cluster, sum) and ratings by (annotator, sum of their unit, score).
"""

from collections.abc import Iterable, Sequence

import numpy as np

from annotation.agreement.patterns import Cells, Groups, Patterns

BITS = 5
MOST_SCORES = 12
"""Five bits for each fit the 63 of a database's integer."""


class PackingOverflow(ValueError):
    """More than 31 equal scores in one unit ran into the next score: count rows instead."""


def from_packed(
    units: Iterable[tuple[int, int, int]],
    ratings: Iterable[tuple[int, int, int, int]],
    *,
    domain: Sequence[int],
    lowest: int,
) -> Patterns:
    """Return the patterns.

    :param units: (cluster, packed sum, how many units).
    :param ratings: (annotator, packed sum of the unit, score, how many ratings).
    :param domain: the scores in their order; whole numbers, at most `MOST_SCORES` steps apart.
    :param lowest: the score whose bits are the lowest.
    :raises PackingOverflow: where the sums have run over.
    """
    held, cells = list(units), list(ratings)
    keys = sorted({int(packed) for _, packed, _ in held})
    place = {key: index for index, key in enumerate(keys)}
    counts = np.array([_digits(key, domain, lowest) for key in keys], np.int64)
    counts = counts.reshape(len(keys), len(domain))
    times = np.zeros(len(keys), np.int64)
    clusters: dict[int, int] = {}
    groups = np.zeros((3, len(held)), np.int64)
    for row, (cluster, packed, count) in enumerate(held):
        groups[:, row] = clusters.setdefault(cluster, len(clusters)), place[int(packed)], count
        times[place[int(packed)]] += count
    people: dict[int, int] = {}
    index = {score: position for position, score in enumerate(domain)}
    table = np.zeros((4, len(cells)), np.int64)
    for row, (annotator, packed, score, count) in enumerate(cells):
        who = people.setdefault(annotator, len(people))
        table[:, row] = who, place[int(packed)], index[score], count
    if int(times @ counts.sum(axis=1)) != int(table[3].sum()):
        raise PackingOverflow("more than 31 equal scores in one unit")
    return Patterns(
        domain=tuple(domain),
        counts=counts,
        units=times,
        groups=Groups(groups[0], groups[1], groups[2], clusters=len(clusters)),
        cells=Cells(table[0], table[1], table[2], table[3]),
        annotators=len(people),
    )


def _digits(key: int, domain: Sequence[int], lowest: int) -> list[int]:
    highest = max(domain, default=lowest) - lowest
    digits = []
    for score in domain:
        step = score - lowest
        digit = key >> (BITS * step)
        digits.append(digit if step == highest else digit & ((1 << BITS) - 1))
    return digits
