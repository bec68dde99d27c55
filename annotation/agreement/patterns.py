"""Ratings as counts: how many units show each pattern of "so many annotators chose this score".

Four scores and three annotators give 34 patterns however many units there are, so every
coefficient, its bootstrap and its jackknife are sums over patterns. Who rated what is kept only
as a second, equally small histogram (annotator, pattern, own score), for leaving one annotator
out.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Score = int | float | str

_BITS = 5
_MOST_PACKED = 10  # 5 bits each in the 53 exact bits of a float
_EXACT = 2.0**53
_DENSE = 50_000_000


class DuplicateRating(ValueError):
    """The same annotator rated the same unit twice. `first` and `second` are row indices."""

    def __init__(self, unit: object, annotator: object, *, first: int, second: int) -> None:
        super().__init__(f"annotator {annotator!r} rated unit {unit!r} more than once")
        self.unit, self.annotator, self.first, self.second = unit, annotator, first, second


class OutsideDomain(ValueError):
    """A score that is none of the domain's. `row` is its index."""

    def __init__(self, score: object, *, row: int, domain: Sequence[Score]) -> None:
        listed = ", ".join(map(str, domain))
        super().__init__(f"score {score!r} is not in the domain {listed}")
        self.score, self.row = score, row


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """Coded ratings, one row each: who (0..annotators-1) gave which unit which score.

    :ivar unit: (n,) codes below `units`.
    :ivar annotator: (n,) codes below `annotators`.
    :ivar category: (n,) index into `domain`.
    :ivar cluster: (units,) code of the cluster (dialogue) of each unit, or None: each its own.
    """

    domain: tuple[Score, ...]
    unit: IntArray
    annotator: IntArray
    category: IntArray
    units: int
    annotators: int
    cluster: IntArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """How often an annotator chose a score in units of a pattern; parallel arrays."""

    annotator: IntArray
    pattern: IntArray
    category: IntArray
    count: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """How many units of a pattern a cluster holds; parallel arrays."""

    cluster: IntArray
    pattern: IntArray
    count: IntArray
    clusters: int


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """The histogram of count patterns.

    :ivar domain: all scores there are, in order; never inferred.
    :ivar counts: (patterns, len(domain)): annotators who chose each score.
    :ivar units: (patterns,): units that show the pattern.
    :ivar groups: units by cluster, or None: each unit is a cluster of its own.
    :ivar cells: scores by annotator, or None: nobody knows who gave them.
    :ivar annotators: how many there are (0: unknown).
    """

    domain: tuple[Score, ...]
    counts: IntArray
    units: IntArray
    groups: Groups | None = None
    cells: Cells | None = None
    annotators: int = 0

    @property
    def rated_units(self) -> int:
        return int(self.units.sum())

    @property
    def pairable_units(self) -> int:
        """Units with two ratings or more: the only ones that say anything about agreement."""
        return int(self.units[self.counts.sum(axis=1) >= 2].sum())

    @property
    def ratings(self) -> int:
        return int(self.units @ self.counts.sum(axis=1))

    @property
    def marginals(self) -> tuple[int, ...]:
        """Ratings by score, in the domain's order."""
        return tuple(int(count) for count in self.units @ self.counts)

    @property
    def pairable_marginals(self) -> tuple[int, ...]:
        """Ratings by score in units with two ratings or more."""
        pairable = self.counts.sum(axis=1) >= 2
        return tuple(int(count) for count in self.units[pairable] @ self.counts[pairable])

    @property
    def minority_units(self) -> int:
        """Pairable units in which somebody chose other than the most frequent score."""
        return int(self.units[self._telling()].sum())

    def _telling(self) -> BoolArray:
        """Pairable patterns with a score other than the most frequent one: (patterns,)."""
        pairable = self.counts.sum(axis=1) >= 2
        common = (
            int(np.argmax(self.units[pairable] @ self.counts[pairable])) if pairable.any() else 0
        )
        others = self.counts.sum(axis=1) - self.counts[:, common]
        return np.asarray(pairable & (others > 0))

    @property
    def minority_clusters(self) -> int:
        """Clusters with a unit that `minority_units` counts."""
        if self.groups is None:
            return self.minority_units
        held = self.groups.cluster[self._telling()[self.groups.pattern]]
        return int(np.unique(held).size)

    @property
    def pairable_clusters(self) -> int:
        """Clusters that hold at least one pairable unit."""
        if self.groups is None:
            return self.pairable_units
        pairable = self.counts.sum(axis=1) >= 2
        held = self.groups.cluster[pairable[self.groups.pattern]]
        return int(np.unique(held).size)

    @property
    def pairable_annotators(self) -> int:
        """Annotators who rated at least one pairable unit (0: unknown)."""
        if self.cells is None:
            return 0
        pairable = self.counts.sum(axis=1) >= 2
        return int(np.unique(self.cells.annotator[pairable[self.cells.pattern]]).size)


class Sums(NamedTuple):
    """Sums over units of which every pattern coefficient is a function; q scores.

    Leading axes (…) are bootstrap replicates or left-out annotators.

    :ivar coincidences: (…, q, q) Krippendorff's: ordered pairs within a unit over m - 1.
    :ivar agreements: (…, q, q) ordered pairs within a unit over m (m - 1): each unit weighs 1.
    :ivar shares: (…, q) share of each score within its unit, over all rated units.
    :ivar given: (…, q) ratings by score.
    :ivar pairable: (…) units with two ratings or more.
    :ivar units: (…) rated units.
    """

    coincidences: FloatArray
    agreements: FloatArray
    shares: FloatArray
    given: FloatArray
    pairable: FloatArray
    units: FloatArray


def features(counts: IntArray) -> FloatArray:
    """Return what one unit of each pattern adds to `Sums`: (patterns, 2q² + 2q + 2)."""
    filled = np.asarray(counts, dtype=np.float64)
    rows, q = filled.shape
    ratings = filled.sum(axis=1)
    pairable = ratings >= 2
    pairs = filled[:, :, None] * filled[:, None, :]
    pairs[:, np.arange(q), np.arange(q)] -= filled
    over = np.where(pairable, 1 / np.maximum(ratings - 1, 1), 0.0)
    coincidences = pairs * over[:, None, None]
    some = np.maximum(ratings, 1)
    return np.concatenate(
        [
            coincidences.reshape(rows, q * q),
            (coincidences / some[:, None, None]).reshape(rows, q * q),
            filled / some[:, None],
            filled,
            pairable[:, None].astype(np.float64),
            (ratings > 0)[:, None].astype(np.float64),
        ],
        axis=1,
    )


def split(sums: FloatArray, q: int) -> Sums:
    """Name the parts of summed `features`: (…, 2q² + 2q + 2) -> Sums."""
    lead = sums.shape[:-1]
    square = q * q
    return Sums(
        coincidences=sums[..., :square].reshape(*lead, q, q),
        agreements=sums[..., square : 2 * square].reshape(*lead, q, q),
        shares=sums[..., 2 * square : 2 * square + q],
        given=sums[..., 2 * square + q : 2 * square + 2 * q],
        pairable=sums[..., -2],
        units=sums[..., -1],
    )


def total(patterns: Patterns) -> Sums:
    """Return the sums over all units."""
    return split(patterns.units @ features(patterns.counts), len(patterns.domain))


def pack(unit: IntArray, category: IntArray, *, units: int, q: int) -> tuple[IntArray, IntArray]:
    """Return (pattern counts, pattern of each unit): the kernel; one pass over the ratings.

    Each score gets five bits of a number per unit. A sixth bit's worth of equal scores in one
    unit (more than 31) would carry into the next score, which loses ratings from the digit sum;
    then, and above ten scores, whole rows are compared instead. Pattern order is not defined.
    """
    if q <= _MOST_PACKED:
        weights = np.left_shift(1, _BITS * np.arange(q)).astype(np.float64)
        packed = np.bincount(unit, weights=weights[category], minlength=units)
        if packed.max(initial=0) < _EXACT:
            keys, inverse = distinct(packed.astype(np.int64))
            counts = np.right_shift.outer(keys, _BITS * np.arange(q))
            counts[:, :-1] &= (1 << _BITS) - 1
            if int(np.bincount(inverse, minlength=len(keys)) @ counts.sum(axis=1)) == len(unit):
                return counts, inverse
    rows = np.bincount(unit * q + category, minlength=units * q).reshape(units, q)
    counts, inverse = np.unique(rows, axis=0, return_inverse=True)
    return counts.astype(np.int64), inverse.reshape(-1)


def distinct(packed: IntArray) -> tuple[IntArray, IntArray]:
    """Return `np.unique` with inverse, by a table where the numbers are small enough for one.

    Whole numbers from 0 up.
    """
    highest = int(packed.max(initial=0))
    if highest > max(4 * len(packed), 1 << 20):
        keys, inverse = np.unique(packed, return_inverse=True)
        return keys, inverse
    seen = np.bincount(packed, minlength=highest + 1)
    keys = np.flatnonzero(seen)
    place = np.zeros(highest + 1, dtype=np.int64)
    place[keys] = np.arange(len(keys))
    return keys, place[packed]


def from_ratings(ratings: Ratings) -> Patterns:
    """Count the patterns of coded ratings, with clusters and annotators."""
    q = len(ratings.domain)
    counts, pattern = pack(ratings.unit, ratings.category, units=ratings.units, q=q)
    size = len(counts)
    cells = Cells(
        *_histogram(
            (ratings.annotator, pattern[ratings.unit], ratings.category),
            (ratings.annotators, size, q),
        )
    )
    groups = None
    if ratings.cluster is not None:
        clusters = int(ratings.cluster.max(initial=-1)) + 1
        cluster, held, count = _histogram((ratings.cluster, pattern), (clusters, size))
        groups = Groups(cluster=cluster, pattern=held, count=count, clusters=clusters)
    units = np.bincount(pattern, minlength=size)
    return _without_empty(
        Patterns(
            domain=ratings.domain,
            counts=counts,
            units=units,
            groups=groups,
            cells=cells,
            annotators=ratings.annotators,
        )
    )


def _histogram(columns: tuple[IntArray, ...], shape: tuple[int, ...]) -> tuple[IntArray, ...]:
    """Return the distinct rows of the columns, column by column, and how often each occurs."""
    key = np.ravel_multi_index(columns, shape)
    room = int(np.prod(shape, dtype=np.float64))
    if room <= min(_DENSE, 20 * max(len(key), 1000)):
        dense = np.bincount(key, minlength=room)
        found = np.flatnonzero(dense)
        count = dense[found]
    else:
        found, count = np.unique(key, return_counts=True)
    return (*np.unravel_index(found, shape), count)


def _without_empty(patterns: Patterns) -> Patterns:
    """Drop the pattern of units nobody rated."""
    rated = patterns.counts.sum(axis=1) > 0
    if rated.all():
        return patterns
    place = np.cumsum(rated) - 1
    groups, cells = patterns.groups, patterns.cells
    if groups is not None:
        kept = rated[groups.pattern]
        _, cluster = np.unique(groups.cluster[kept], return_inverse=True)
        groups = Groups(
            cluster=cluster,
            pattern=place[groups.pattern[kept]],
            count=groups.count[kept],
            clusters=int(cluster.max(initial=-1)) + 1,
        )
    if cells is not None:
        cells = replace(cells, pattern=place[cells.pattern])
    return replace(
        patterns,
        counts=patterns.counts[rated],
        units=patterns.units[rated],
        groups=groups,
        cells=cells,
    )


def with_one_more(patterns: Patterns) -> Patterns:
    """Return the patterns with one imagined unit, in a cluster of its own, on which as many people
    as rate the fullest unit agree on the score that is most frequent after the most frequent.

    Where few units have such a score at all, that none of them agrees on it may be chance.
    """
    marginals = np.asarray(patterns.pairable_marginals)
    second = int(np.argsort(-marginals, kind="stable")[1])
    imagined = np.zeros((1, len(patterns.domain)), np.int64)
    imagined[0, second] = int(patterns.counts.sum(axis=1).max())
    groups = patterns.groups
    if groups is not None:
        groups = Groups(
            cluster=np.append(groups.cluster, groups.clusters),
            pattern=np.append(groups.pattern, len(patterns.counts)),
            count=np.append(groups.count, 1),
            clusters=groups.clusters + 1,
        )
    return replace(
        patterns,
        counts=np.concatenate([patterns.counts, imagined]),
        units=np.append(patterns.units, 1),
        groups=groups,
    )


def merged(patterns: Patterns, *, into: Sequence[int], domain: Sequence[Score]) -> Patterns:
    """Return the patterns with scores joined: score i becomes score `into[i]` of `domain`."""
    places = np.asarray(into, dtype=np.int64)
    joined = np.zeros((len(patterns.counts), len(domain)), dtype=np.int64)
    for old, new in enumerate(places):
        joined[:, new] += patterns.counts[:, old]
    cells = patterns.cells
    if cells is not None:
        cells = replace(cells, category=places[cells.category])
    return replace(patterns, domain=tuple(domain), counts=joined, cells=cells)


def code_ratings(
    units: ArrayLike,
    annotators: ArrayLike,
    scores: ArrayLike,
    *,
    domain: Sequence[Score],
    clusters: ArrayLike | None = None,
) -> Ratings:
    """Code ratings given as equally long columns of names and scores.

    :param clusters: the cluster (dialogue) of each row; every unit must be in one.
    :raises DuplicateRating: where an annotator rated a unit twice.
    :raises OutsideDomain: where a score is none of the domain's.
    :raises ValueError: for a domain with repeated scores, or a unit in two clusters.
    """
    if len(set(domain)) != len(domain):
        raise ValueError("the domain names a score twice")
    unit, unit_names = _codes(units)
    annotator, annotator_names = _codes(annotators)
    category = _categories(scores, domain)
    key = unit * max(len(annotator_names), 1) + annotator
    if len(np.unique(key)) != len(key):
        order = np.argsort(key, kind="stable")
        at = int(np.flatnonzero(key[order][1:] == key[order][:-1])[0])
        first, second = int(order[at]), int(order[at + 1])
        raise DuplicateRating(
            unit_names[unit[first]], annotator_names[annotator[first]], first=first, second=second
        )
    cluster = None
    if clusters is not None:
        row_cluster, _ = _codes(clusters)
        cluster = np.zeros(len(unit_names), dtype=np.int64)
        cluster[unit] = row_cluster
        if (cluster[unit] != row_cluster).any():
            raise ValueError("a unit is in two clusters")
    return Ratings(
        domain=tuple(domain),
        unit=unit,
        annotator=annotator,
        category=category,
        units=len(unit_names),
        annotators=len(annotator_names),
        cluster=cluster,
    )


def count_patterns(
    units: ArrayLike,
    annotators: ArrayLike,
    scores: ArrayLike,
    *,
    domain: Sequence[Score],
    clusters: ArrayLike | None = None,
) -> Patterns:
    """Count the patterns of ratings given as columns; see `code_ratings` for what is refused."""
    return from_ratings(code_ratings(units, annotators, scores, domain=domain, clusters=clusters))


def _codes(names: ArrayLike) -> tuple[IntArray, Sequence[Any]]:
    """Return (code of each row, names by code)."""
    column = np.asarray(names)
    if column.dtype != object:
        distinct, inverse = np.unique(column, return_inverse=True)
        return inverse.reshape(-1).astype(np.int64), distinct.tolist()
    place: dict[Hashable, int] = {}
    codes = np.fromiter((place.setdefault(name, len(place)) for name in column), dtype=np.int64)
    return codes, list(place)


def _categories(scores: ArrayLike, domain: Sequence[Score]) -> IntArray:
    """Return the index in the domain of each score; the domain keeps its own order."""
    column = np.asarray(scores)
    if column.dtype != object and column.dtype.kind in "iufb":
        numbers = np.asarray(
            [score if not isinstance(score, str) else np.nan for score in domain], dtype=np.float64
        )
        order = np.argsort(numbers, kind="stable")
        at = np.minimum(np.searchsorted(numbers[order], column), len(domain) - 1)
        category = order[at].astype(np.int64)
        wrong = numbers[category] != column
    else:
        place = {score: index for index, score in enumerate(domain)}
        category = np.fromiter((place.get(score, -1) for score in column.tolist()), dtype=np.int64)
        wrong = category < 0
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise OutsideDomain(column[row], row=row, domain=domain)
    return category


def from_histogram(
    counts: ArrayLike,
    *,
    domain: Sequence[Score],
    units: ArrayLike | None = None,
) -> Patterns:
    """Take count patterns as they are: (rows, len(domain)), each of `units[i]` units (or one).

    Annotators are unknown, so no interval can cover them.
    """
    table = np.asarray(counts, dtype=np.int64).reshape(-1, len(domain))
    times = np.ones(len(table), np.int64) if units is None else np.asarray(units, np.int64)
    return _without_empty(Patterns(domain=tuple(domain), counts=table, units=times))
