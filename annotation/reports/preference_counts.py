"""Counts of preferences from the database: outcomes by item, sides shown first, contradictions.

As the ratings', the preferences of a judgment travel as one text of numbers.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from django.db.models import Case, CharField, F, Q, SmallIntegerField, Value, When
from django.db.models.functions import Cast, Coalesce, Concat

from annotation.agreement.patterns import IntArray, Patterns, Ratings, from_ratings
from annotation.agreement.preferences import OUTCOMES
from annotation.choices import Origin, Outcome, PreferenceScope
from annotation.models.batches import Batch
from annotation.models.judgments import Preference
from annotation.reports.agreement_counts import (
    Gathered,
    JudgmentRows,
    Part,
    packed,
    place_in,
    ungathered,
    unpacked,
)

SCOPES = (PreferenceScope.OVERALL, PreferenceScope.FORK, PreferenceScope.DIMENSION)
ORIGINS = (Origin.BY_RULE, Origin.CARRIED, "")
"""Of what a person did not say; then of what they did."""
ASKED = ("kept", "changed", "")

Which = tuple[str, int]
"""Which comparison: its scope, and its dimension's key or 0."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Of one person's preferences on one comparison: how many decided, and for the side first.

    :ivar kept: contradicted the person's own scores, were asked about, and were kept.
    :ivar changed: were changed when asked.
    """

    member: int
    given: int
    decided: int
    first: int
    kept: int
    changed: int


@dataclass(frozen=True, slots=True, eq=False)
class CountedPreferences:
    """All comparisons of a batch; `ratings` are outcomes by item, coded by place in `OUTCOMES`.

    :ivar items: keys of the units, in the order of their codes.
    """

    ratings: dict[Which, Ratings]
    items: dict[Which, IntArray]
    shown: dict[Which, tuple[Shown, ...]]
    left_out: dict[Which, dict[str, int]]

    def of(self, which: Which) -> tuple[Ratings, IntArray]:
        """Return the ratings of one comparison, and the items that their units are."""
        nothing = np.zeros((0, 6), np.int64)
        return self.ratings.get(which, _ratings(nothing)), self.items.get(which, nothing[:, 1])

    def patterns(self, which: Which) -> Patterns:
        """Return the patterns of one comparison over `OUTCOMES`."""
        return from_ratings(self.of(which)[0])


def preference_counts(judgments: JudgmentRows, batch: Batch) -> CountedPreferences:
    """Return the counts of the chosen judgments' preferences. One query."""
    parts = (
        Part(len(SCOPES), place_in(SCOPES, "scope")),
        Part(len(OUTCOMES), side()),
        Part(len(ORIGINS), place_in(ORIGINS, "origin")),
        Part(len(ASKED), place_in(ASKED, "contradiction")),
    )
    texts = dict(
        Preference.objects.filter(judgment__batch=batch)
        .order_by()
        .values("judgment")
        .annotate(codes=Gathered(packed(Coalesce("dimension", 0), parts)))
        .values_list("judgment", "codes")
    )
    judgment, code = ungathered([texts.get(key, "") for key in judgments.key.tolist()])
    dimension, scope, outcome, origin, asked = unpacked(code, parts)
    of_judgments = np.stack(
        [judgments.member, judgments.item, judgments.dialogue, judgments.shown_first], axis=1
    )
    rows = np.column_stack([of_judgments[judgment], outcome, asked])
    counted = CountedPreferences({}, {}, {}, {})
    own = origin == ORIGINS.index("")
    for one, other in np.unique(np.stack([scope, dimension], axis=1), axis=0).tolist():
        which = (str(SCOPES[one]), other)
        mine = (scope == one) & (dimension == other)
        if (mine & own).any():
            given = rows[mine & own]
            counted.ratings[which] = _ratings(given)
            counted.items[which] = np.unique(given[:, 1])
            counted.shown[which] = tuple(_shown(given))
        if (mine & ~own).any():
            out = Counter(origin[mine & ~own].tolist())
            counted.left_out[which] = {str(ORIGINS[place]): out[place] for place in sorted(out)}
    return counted


def _ratings(rows: IntArray) -> Ratings:
    """Return rows of member, item, dialogue, side shown first, outcome, asked: items are rated."""
    who, item, tree, _first, outcome, _asked = rows.T
    people, annotator = np.unique(who, return_inverse=True)
    items, first, unit = np.unique(item, return_index=True, return_inverse=True)
    return Ratings(
        domain=OUTCOMES,
        unit=unit,
        annotator=annotator,
        category=outcome,
        units=len(items),
        annotators=len(people),
        cluster=np.unique(tree[first], return_inverse=True)[1],
    )


def _shown(rows: IntArray) -> Iterator[Shown]:
    """Yield each person's counts from such rows."""
    who, _item, _tree, first, outcome, asked = rows.T
    people, person = np.unique(who, return_inverse=True)
    decided = np.isin(outcome, (0, 2))
    on_first = decided & ((outcome == 0) == (first == 1))
    of = [
        np.bincount(person, weights=which, minlength=len(people)).astype(np.int64).tolist()
        for which in (
            np.ones(len(rows)),
            decided,
            on_first,
            asked == ASKED.index("kept"),
            asked == ASKED.index("changed"),
        )
    ]
    for member, *told in zip(people.tolist(), *of, strict=True):
        yield Shown(member, *told)


def side() -> Case:
    """Return the outcome's index in `OUTCOMES`, by response and never by screen side."""
    token = Concat(Value("/"), Cast("preferred", CharField()), Value("/"))
    on_first = Q(judgment__item__response_1=F("preferred")) | Q(
        scope=PreferenceScope.FORK, judgment__item__response_1__lineage__contains=token
    )
    return Case(
        When(outcome=Outcome.TIE, then=Value(1)),
        When(outcome=Outcome.BOTH_BAD, then=Value(3)),
        When(on_first, then=Value(0)),
        default=Value(2),
        output_field=SmallIntegerField(),
    )
