"""Agreement before and after each version of the guideline.

People and items change too, so both are named: what two versions have in common, and agreement of
the people who judged under both.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from django.db.models import QuerySet

from annotation.agreement.alpha import Level as Scale
from annotation.agreement.coefficients import Weighting
from annotation.agreement.estimates import Estimate
from annotation.agreement.reliability import alpha_estimate, coefficient_estimate, resample
from annotation.models.judgments import Judgment
from annotation.models.rubric import Dimension
from annotation.reports.agreement_counts import GivenRatings, RatingCounts

MOST_NAMED = 50


def estimate_dict(one: Estimate) -> dict[str, Any]:
    """Return a figure as plain values for JSON."""
    return {
        "measure": one.measure,
        "weights": str(one.weights),
        "value": one.value,
        "low": one.low,
        "high": one.high,
        "state": str(one.state),
        "reason": one.reason,
        "varied": one.source,
    }


@dataclass(frozen=True, slots=True)
class VersionAgreement:
    """One dimension under one version: its units with two ratings, alpha, exact agreement."""

    pairable_units: int
    alpha: Estimate
    exact: Estimate

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "pairable_units": self.pairable_units,
            "exact": self.exact.value,
            **estimate_dict(self.alpha),
        }


@dataclass(frozen=True, slots=True)
class StepDimension:
    """One dimension before and after; `people_*` is of the people who judged under both."""

    key: str
    name: Mapping[str, str]
    before: VersionAgreement
    after: VersionAgreement
    people_before: VersionAgreement | None
    people_after: VersionAgreement | None


@dataclass(frozen=True, slots=True)
class Judged:
    """How many judgments, items and people there were under one version."""

    judgments: int
    items: int
    people: int


@dataclass(frozen=True, slots=True)
class GuidelineStep:
    """From one version that was judged under to the next.

    :ivar common_items: how many items were judged under both.
    :ivar item_names: public ids of the first `MOST_NAMED` of them, by their place in the batch.
    :ivar common_people: pseudonyms of those who judged under both.
    """

    before: int
    after: int
    judged_before: Judged
    judged_after: Judged
    common_items: int
    item_names: tuple[str, ...]
    common_people: tuple[str, ...]
    dimensions: tuple[StepDimension, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "before": self.before,
            "after": self.after,
            "judged_before": asdict(self.judged_before),
            "judged_after": asdict(self.judged_after),
            "common_items": self.common_items,
            "item_names": list(self.item_names),
            "common_people": list(self.common_people),
            "dimensions": [
                {
                    "key": one.key,
                    "name": dict(one.name),
                    "before": one.before.as_dict(),
                    "after": one.after.as_dict(),
                    "people_before": one.people_before.as_dict() if one.people_before else None,
                    "people_after": one.people_after.as_dict() if one.people_after else None,
                }
                for one in self.dimensions
            ],
        }


def guideline_steps(
    chosen: "QuerySet[Judgment]",
    dimensions: Sequence[Dimension],
    given: GivenRatings,
) -> tuple[GuidelineStep, ...]:
    """Return the steps between versions in their order; judgments without a version are none.

    One query.
    """
    items: defaultdict[int, dict[int, tuple[int, str]]] = defaultdict(dict)
    people: defaultdict[int, dict[int, str]] = defaultdict(dict)
    judgments: defaultdict[int, int] = defaultdict(int)
    rows = chosen.filter(guideline_version__isnull=False).values_list(
        "guideline_version__number",
        "item",
        "item__position",
        "item__public_id",
        "member",
        "member__pseudonym",
    )
    for version, item, place, name, member, pseudonym in rows.iterator(chunk_size=5000):
        judgments[version] += 1
        items[version][item] = (place, name)
        people[version][member] = pseudonym
    versions = sorted(judgments)
    everybody = given.by_version()
    steps = []
    for before, after in pairwise(versions):
        both = people[before].keys() & people[after].keys()
        shared = items[before].keys() & items[after].keys()
        of_both = given.by_version(members=sorted(both)) if both else {}
        names = sorted(items[after][item] for item in shared)
        steps.append(
            GuidelineStep(
                before=before,
                after=after,
                judged_before=_judged(before, judgments, items, people),
                judged_after=_judged(after, judgments, items, people),
                common_items=len(shared),
                item_names=tuple(name for _, name in names[:MOST_NAMED]),
                common_people=tuple(sorted(people[after][member] for member in both)),
                dimensions=tuple(
                    StepDimension(
                        key=one.key,
                        name=one.name,
                        before=first,
                        after=second,
                        people_before=_agreement(of_both.get(before), one),
                        people_after=_agreement(of_both.get(after), one),
                    )
                    for one in dimensions
                    if (first := _agreement(everybody.get(before), one))
                    and (second := _agreement(everybody.get(after), one))
                ),
            )
        )
    return tuple(steps)


def _judged(
    version: int,
    judgments: Mapping[int, int],
    items: Mapping[int, Mapping[int, Any]],
    people: Mapping[int, Mapping[int, str]],
) -> Judged:
    return Judged(judgments[version], len(items[version]), len(people[version]))


def _agreement(
    counts: Mapping[int, RatingCounts] | None, dimension: Dimension
) -> VersionAgreement | None:
    """Return agreement of a dimension that was rated under the version, else None."""
    mine = counts.get(dimension.pk) if counts else None
    patterns = mine.patterns() if mine is not None else None
    if patterns is None or not patterns.ratings:
        return None
    drawn = resample(patterns)
    return VersionAgreement(
        patterns.pairable_units,
        alpha_estimate(drawn, Scale.ORDINAL),
        coefficient_estimate(drawn, "percent_agreement", Weighting.IDENTITY),
    )
