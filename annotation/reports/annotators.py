"""How each annotator of a batch stands to those who rated the same units, and who agrees with whom.

Of the independent set at a number. Nothing here is a verdict, and nothing acts by itself. What may
be believed is controlled over all people and dimensions at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np
from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber

from annotation.agreement.annotators import Standing, beside, deviations, shrunk, standing
from annotation.agreement.patterns import FloatArray, Ratings, from_ratings
from annotation.agreement.preferences import Position, position
from annotation.agreement.signals import Scores, additive_levels, shares_of
from annotation.agreement.testing import FALSE_DISCOVERIES, false_discovery, t_test
from annotation.models.batches import Batch
from annotation.models.judgments import Judgment
from annotation.models.projects import Member
from annotation.models.rubric import Dimension
from annotation.reports.agreement import SET, chosen_judgments, newest_number
from annotation.reports.agreement_counts import (
    RatingCounts,
    given_ratings,
    judgment_rows,
    scales_of,
)
from annotation.reports.preference_counts import CountedPreferences, preference_counts

TIMED = 2000
"""Judgments of one person that the median of minutes looks at, the newest ones."""


@dataclass(frozen=True, slots=True)
class AnnotatorDimension:
    """One person on one dimension; None where they share too little to say.

    :ivar ratings: theirs on units that somebody else rated too.
    :ivar severity: mean difference from the co-raters' mean, in points: below 0 severe.
    :ivar level: points above the team's middle, the co-raters' own levels allowed for, so that
        nobody looks lenient beside a severe person (`annotation.agreement.signals`).
    :ivar error: standard error of `severity`, dialogues taken whole; of `level` it is rather too
        large, for in it the co-raters still differ.
    :ivar shrunk: level drawn to the pool by as much as it is uncertain.
    :ivar q: adjusted p of a level of 0, over all people and dimensions.
    :ivar marked: whether q is at most 0.05.
    :ivar absolute: mean distance to a co-rater, in points.
    :ivar exact: share of co-raters' scores that are the same.
    :ivar consensus: share of `with_consensus` units on which they said what most others said.
    :ivar alpha_change: alpha without them less alpha with them.
    """

    key: str
    ratings: int
    severity: float | None
    level: float | None
    error: float | None
    shrunk: float | None
    q: float | None
    marked: bool
    absolute: float | None
    exact: float | None
    consensus: float | None
    with_consensus: int
    alpha_without: float | None
    alpha_change: float | None


@dataclass(frozen=True, slots=True)
class FirstShown:
    """How often one person preferred the side shown first, on one comparison.

    :ivar q: adjusted p of one half, over all people and comparisons.
    """

    scope: str
    dimension: str
    position: Position
    q: float | None
    marked: bool


@dataclass(frozen=True, slots=True)
class AnnotatorFigures:
    """One person. `minutes` is the median of active time an item; `kept` and `changed` count
    preferences that contradicted their own scores, of `preferences`."""

    member: str
    pseudonym: str
    judgments: int
    items: int
    minutes: float | None
    preferences: int
    kept: int
    changed: int
    first_shown: tuple[FirstShown, ...]
    dimensions: tuple[AnnotatorDimension, ...]


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Two people on the units of one dimension that both rated.

    :ivar exact: share with the same score.
    :ivar difference: mean of the first's score less the second's.
    """

    dimension: str
    one: str
    other: str
    units: int
    exact: float
    difference: float


@dataclass(frozen=True, slots=True)
class BatchAnnotators:
    """Everybody of a batch at one number, by pseudonym."""

    batch: str
    number: int
    dimensions: tuple[tuple[str, Mapping[str, str]], ...]
    annotators: tuple[AnnotatorFigures, ...]
    pairs: tuple[PairAgreement, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; what is undefined is null."""
        return {
            "batch": self.batch,
            "number": self.number,
            "set": SET,
            "dimensions": [{"key": key, "name": dict(name)} for key, name in self.dimensions],
            "annotators": [asdict(one) for one in self.annotators],
            "pairs": [asdict(one) for one in self.pairs],
        }


def batch_annotators(batch: Batch, *, number: int | None = None) -> BatchAnnotators:
    """Return everybody's figures at `number`, or at the batch's newest. A dozen queries."""
    if number is None:
        number = newest_number(batch)
    chosen = chosen_judgments(batch, number=number)
    judgments = judgment_rows(chosen)
    given = given_ratings(judgments, batch, scales_of(batch.rubric_id))
    left_out, counted = given.left_out(), given.by_dimension()
    dimensions = [one for one in batch.rubric.dimensions.order_by("position") if one.pk in left_out]
    people = _people(chosen)
    by_dimension = _by_dimension(counted, dimensions)
    shown = preference_counts(judgments, batch)
    first = _first_shown(shown, dimensions)
    return BatchAnnotators(
        batch=batch.slug,
        number=number,
        dimensions=tuple((one.key, one.name) for one in dimensions),
        annotators=tuple(
            AnnotatorFigures(
                member=person.public_id,
                pseudonym=person.pseudonym,
                judgments=judgments,
                items=items,
                minutes=minutes,
                first_shown=tuple(first.get(person.pk, ())),
                dimensions=tuple(by_dimension.get(person.pk, ())),
                **_contradictions(shown, person.pk),
            )
            for person, judgments, items, minutes in people
        ),
        pairs=tuple(_pairs(counted, dimensions, {p.pk: p for p, *_ in people})),
    )


def _people(chosen: "QuerySet[Judgment]") -> list[tuple[Member, int, int, float | None]]:
    """Return (member, judgments, items, median minutes) of everybody, by pseudonym."""
    sizes = {
        member: (judgments, items)
        for member, judgments, items in chosen.order_by()
        .values("member")
        .annotate(judgments=Count("pk"), items=Count("item", distinct=True))
        .values_list("member", "judgments", "items")
    }
    members = Member.objects.filter(pk__in=sizes).order_by("pseudonym", "pk")
    minutes = _minutes(chosen)
    return [(member, *sizes[member.pk], minutes.get(member.pk)) for member in members]


def _minutes(chosen: "QuerySet[Judgment]") -> dict[int, float]:
    """Return the median minutes of active time an item by member. One query."""
    place = Window(RowNumber(), partition_by=F("member"), order_by=F("number").desc())
    newest = chosen.order_by().annotate(place=place).filter(place__lte=TIMED)
    times: dict[int, list[float]] = {}
    for member, active in newest.values_list("member", "active_ms"):
        if active:
            times.setdefault(member, []).append(sum(active.values()) / 60_000)
    return {member: round(median(some), 2) for member, some in times.items()}


def _by_dimension(
    counted: Mapping[int, RatingCounts], dimensions: Sequence[Dimension]
) -> dict[int, list[AnnotatorDimension]]:
    """Return each member's figures, dimensions in order; false discoveries held over all."""
    rows: list[tuple[int, Dimension, Standing, int, float, float | None, float]] = []
    tests = []
    for dimension in dimensions:
        counts = counted[dimension.pk]
        ratings = counts.ratings()
        if not len(ratings.unit):
            continue
        found = standing(from_ratings(ratings))
        spreads = deviations(ratings)
        errors = [spread.error() for spread in spreads]
        shared = found.ratings > 0
        levels = additive_levels(found.severity, _shares(ratings))
        pulled = iter(
            shrunk(
                levels[shared].tolist(),
                [e for e, s in zip(errors, shared, strict=True) if s],
            )
        )
        rows += [
            (
                member,
                dimension,
                found,
                place,
                float(levels[place]),
                errors[place],
                next(pulled) if shared[place] else 0.0,
            )
            for place, member in enumerate(counts.members)
        ]
        tests += [
            t_test(float(level), error, spread.clusters - 1)
            for level, error, spread in zip(levels, errors, spreads, strict=True)
        ]
    by_member: dict[int, list[AnnotatorDimension]] = {}
    for (member, dimension, found, place, level, error, pulled_to), q in zip(
        rows, false_discovery(tests), strict=True
    ):
        by_member.setdefault(member, []).append(
            _of_dimension(
                dimension.key, found, place, level=level, error=error, shrunk_to=pulled_to, q=q
            )
        )
    return by_member


def _shares(ratings: Ratings) -> FloatArray:
    """Return the mean share of each member (column) among each one's (row) co-raters."""
    scores = Scores(ratings.annotator, ratings.unit, ratings.unit, np.zeros(len(ratings.unit)))
    return shares_of(scores.pairable(), people=ratings.annotators)


def _of_dimension(
    key: str,
    found: Standing,
    place: int,
    *,
    level: float,
    error: float | None,
    shrunk_to: float,
    q: float | None,
) -> AnnotatorDimension:
    def known(values: Any) -> float | None:
        value = float(values[place])
        return None if np.isnan(value) else value

    return AnnotatorDimension(
        key=key,
        ratings=int(found.ratings[place]),
        severity=known(found.severity),
        level=None if np.isnan(level) else level,
        error=error,
        shrunk=shrunk_to if found.ratings[place] else None,
        q=q,
        marked=q is not None and q <= FALSE_DISCOVERIES,
        absolute=known(found.absolute),
        exact=known(found.exact),
        consensus=known(found.consensus),
        with_consensus=int(found.with_consensus[place]),
        alpha_without=known(found.alpha_without),
        alpha_change=known(found.alpha_change),
    )


def _first_shown(
    counted: CountedPreferences, dimensions: Sequence[Dimension]
) -> dict[int, list[FirstShown]]:
    keys = {one.pk: one.key for one in dimensions}
    rows = [
        (scope, keys.get(which, ""), one.member, position(first=one.first, decided=one.decided))
        for (scope, which), people in sorted(counted.shown.items(), key=_overall_first)
        for one in people
    ]
    found: dict[int, list[FirstShown]] = {}
    for (scope, key, member, shown), q in zip(
        rows, false_discovery([one.p for *_, one in rows]), strict=True
    ):
        marked = q is not None and q <= FALSE_DISCOVERIES
        found.setdefault(member, []).append(FirstShown(scope, key, shown, q, marked))
    return found


def _overall_first(entry: tuple[tuple[str, int], Any]) -> tuple[bool, str, int]:
    scope, which = entry[0]
    return (scope != "overall", scope, which)


def _contradictions(counted: CountedPreferences, member: int) -> dict[str, int]:
    mine = [one for people in counted.shown.values() for one in people if one.member == member]
    return {
        "preferences": sum(one.given for one in mine),
        "kept": sum(one.kept for one in mine),
        "changed": sum(one.changed for one in mine),
    }


def _pairs(
    counted: Mapping[int, RatingCounts],
    dimensions: Sequence[Dimension],
    people: Mapping[int, Member],
) -> list[PairAgreement]:
    """Return every two people's agreement on what both rated, once, in the order of names."""
    found = []
    for dimension in dimensions:
        counts = counted[dimension.pk]
        names = [people[member].pseudonym for member in counts.members]
        some = []
        for one, other, units, same, difference in beside(counts.ratings()).tolist():
            first, second, sign = names[one], names[other], 1
            if first > second:
                first, second, sign = second, first, -1
            some.append(
                PairAgreement(
                    dimension.key, first, second, units, same / units, sign * difference / units
                )
            )
        found += sorted(some, key=lambda pair: (pair.one, pair.other))
    return found
