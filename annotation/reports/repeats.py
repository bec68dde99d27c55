"""Test and retest: the same item again, sides swapped, by the same person."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from annotation.agreement.coefficients import Weighting, agreement_weights
from annotation.agreement.kappa import cohen_kappa
from annotation.choices import Outcome, PreferenceScope
from annotation.models.batches import Batch
from annotation.models.judgments import Judgment
from annotation.models.rubric import Dimension, ScalePoint
from annotation.reports.voids import standing_voids


@dataclass(frozen=True, slots=True)
class Retest:
    """One dimension the second time, of one person.

    :ivar units: rated both times, within the order. :ivar exact: of these, the same score;
        `within_1` at most one point apart. :ivar kappa: Cohen's, linear weights, over the whole
        scale; None where one score was given throughout.
    """

    dimension: str
    name: Mapping[str, str]
    units: int
    exact: int
    within_1: int
    kappa: float | None


@dataclass(frozen=True, slots=True)
class RepeatRow:
    """One person's repeats.

    :ivar items: done both times. :ivar decided: of these, a side preferred overall both times.
    :ivar same_answer: of the decided, the same answer both times; the others kept the screen
        side, since sides were swapped. :ivar same_outcome: of all, the same outcome, ties included.
    :ivar changed: items, as public ids, whose outcome was another the second time.
    """

    member: int
    pseudonym: str
    items: int
    compared: int
    same_outcome: int
    decided: int
    same_answer: int
    changed: tuple[str, ...]
    dimensions: tuple[Retest, ...]

    @property
    def side_kept(self) -> int:
        """How often the same screen side was preferred both times: another answer."""
        return self.decided - self.same_answer


Twice = tuple[Judgment, Judgment]


def repeated(batch: Batch, *, number: int) -> list[Twice]:
    """Return (first, second) live judgments of each repeat that a person has done. Six queries."""
    current = standing_voids(batch, number=number).outside(
        Judgment.objects.filter(batch=batch).current(number=number).exclude(seat=None)
    )
    parts = ("ratings", "preferences")
    again = list(
        current.filter(item__repeat_of__isnull=False)
        .select_related("item", "member")
        .prefetch_related(*parts)
        .order_by("number")
    )
    originals = [one.item.repeat_of_id for one in again]
    firsts = {
        (one.item_id, one.member_id): one
        for one in current.filter(item__in=originals).prefetch_related(*parts)
    }
    return [
        (first, one)
        for one in again
        if (first := firsts.get((one.item.repeat_of_id or 0, one.member_id))) is not None
    ]


def repeat_report(batch: Batch, *, number: int) -> tuple[RepeatRow, ...]:
    """Return each person's repeats, by pseudonym."""
    by_member: defaultdict[int, list[Twice]] = defaultdict(list)
    for first, second in repeated(batch, number=number):
        by_member[second.member_id].append((first, second))
    if not by_member:
        return ()
    dimensions = list(batch.rubric.dimensions.order_by("position"))
    domains = _domains(batch)
    rows = [_row(told, dimensions, domains) for told in by_member.values()]
    return tuple(sorted(rows, key=lambda row: row.pseudonym))


def _domains(batch: Batch) -> dict[int, list[int]]:
    domains: defaultdict[int, list[int]] = defaultdict(list)
    points = ScalePoint.objects.filter(dimension__rubric=batch.rubric_id, in_order=True)
    for dimension, score in points.order_by("score").values_list("dimension", "score"):
        domains[dimension].append(score)
    return domains


def scores_twice(told: Sequence[Twice]) -> list[tuple[int, int, int, int]]:
    """Return (item, dimension, first score, second score) of every unit scored both times."""
    rows = []
    for first, second in told:
        before = {
            (one.response_id, one.dimension_id): one.score
            for one in first.ratings.all()
            if one.score is not None
        }
        for one in second.ratings.all():
            was = before.get((one.response_id, one.dimension_id))
            if was is not None and one.score is not None:
                rows.append((second.item_id, one.dimension_id, was, one.score))
    return rows


def _overall(judgment: Judgment) -> tuple[str, int | None] | None:
    for one in judgment.preferences.all():
        if one.scope == PreferenceScope.OVERALL:
            return one.outcome, one.preferred_id
    return None


def _row(
    told: Sequence[Twice], dimensions: Sequence[Dimension], domains: Mapping[int, list[int]]
) -> RepeatRow:
    outcomes = [(_overall(first), _overall(second), second) for first, second in told]
    compared = [row for row in outcomes if row[0] is not None and row[1] is not None]
    decided = [
        (one[1], two[1])
        for one, two, _judgment in compared
        if one and two and one[0] == two[0] == Outcome.PREFERS
    ]
    by_dimension: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for _item, dimension, one, two in scores_twice(told):
        if {one, two} <= set(domains.get(dimension, ())):
            by_dimension[dimension].append((one, two))
    member = told[0][1].member
    return RepeatRow(
        member=member.pk,
        pseudonym=member.pseudonym,
        items=len(told),
        compared=len(compared),
        same_outcome=sum(one == two for one, two, _judgment in compared),
        decided=len(decided),
        same_answer=sum(one == two for one, two in decided),
        changed=tuple(two.item.public_id for was, now, two in compared if was != now),
        dimensions=tuple(
            _retest(one, by_dimension[one.pk], domains[one.pk])
            for one in dimensions
            if by_dimension[one.pk]
        ),
    )


def _retest(dimension: Dimension, twice: Sequence[tuple[int, int]], domain: list[int]) -> Retest:
    table = np.zeros((len(domain), len(domain)))
    for one, two in twice:
        table[domain.index(one), domain.index(two)] += 1
    weights = agreement_weights(Weighting.LINEAR, domain)
    return Retest(
        dimension=dimension.key,
        name=dimension.short_name or dimension.name,
        units=len(twice),
        exact=sum(one == two for one, two in twice),
        within_1=sum(abs(one - two) <= 1 for one, two in twice),
        kappa=cohen_kappa(table, weights=weights),
    )
