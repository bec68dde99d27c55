"""Whether preferences follow length or pictures rather than content: of decided overall preferences,
how often the longer side won, and the side with more pictures.

Of the independent set at a number. An effect is no fault by itself: a longer answer may be better.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Length

from annotation.agreement.effects import Logistic, logistic
from annotation.agreement.preferences import Position, position
from annotation.choices import BatchKind, Outcome, PreferenceScope, SlotState
from annotation.models.batches import Batch, Item
from annotation.models.content import Response
from annotation.models.judgments import Judgment, Preference
from annotation.reports.agreement import SET, chosen_judgments, newest_number
from annotation.reports.agreement_counts import OWN

PAGE = 2000
"""Items whose sides are measured at once."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One property of a side.

    :ivar property: `length` (code points of the answers after the fork) or `images`.
    :ivar wins: of decided preferences between unequal sides, those for the side with more:
        `first` of `decided`, with Wilson's interval and the exact binomial test.
    :ivar equal: decided preferences between equal sides, which say nothing.
    :ivar slope: change of the log odds by one doubling of the length, or by one more picture;
        error by dialogue. None where the model has no finite maximum.
    """

    property: str
    wins: Position
    equal: int
    slope: Logistic | None


@dataclass(frozen=True, slots=True)
class BatchEffects:
    """All of a batch at one number."""

    batch: str
    number: int
    effects: tuple[Effect, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; what is undefined is null."""
        return {
            "batch": self.batch,
            "number": self.number,
            "set": SET,
            "effects": [asdict(one) for one in self.effects],
        }


def batch_effects(batch: Batch, *, number: int | None = None) -> BatchEffects:
    """Return the effects at `number`, or at the batch's newest. Three queries a page of items."""
    if number is None:
        number = newest_number(batch)
    if batch.kind == BatchKind.CONVERSATION:
        return BatchEffects(batch.slug, number, ())
    decided = _decided(chosen_judgments(batch, number=number))
    rows = [
        (first, dialogue, log_length, images)
        for item, dialogue, log_length, images in _measured(batch, decided)
        for first in decided[item]
    ]
    table = np.array(rows, np.float64).reshape(-1, 4)
    return BatchEffects(
        batch.slug,
        number,
        tuple(
            _effect(name, table[:, 0], table[:, column], table[:, 1])
            for name, column in (("length", 2), ("images", 3))
        ),
    )


def _decided(chosen: "QuerySet[Judgment]") -> dict[int, list[bool]]:
    """Return item -> for each decided overall preference whether it was for side 1."""
    found: dict[int, list[bool]] = {}
    rows = Preference.objects.filter(
        judgment__in=chosen.values("pk"),
        scope=PreferenceScope.OVERALL,
        outcome=Outcome.PREFERS,
        origin__in=OWN,
    ).values_list("judgment__item", "preferred", "judgment__item__response_1")
    for item, preferred, first in rows.iterator(chunk_size=10_000):
        found.setdefault(item, []).append(preferred == first)
    return found


def _measured(batch: Batch, items: Iterable[int]) -> Iterable[tuple[int, int, float, int]]:
    """Yield (item, dialogue, doublings of length of side 1 over 2, pictures of 1 less of 2)."""
    wanted = sorted(items)
    for start in range(0, len(wanted), PAGE):
        found = list(
            Item.objects.filter(pk__in=wanted[start : start + PAGE])
            .select_related("response_1", "response_2")
            .only("dialogue", "fork_depth", "response_1__lineage", "response_2__lineage")
        )
        paths = {
            (item.pk, side): last.lineage_ids()[(item.fork_depth or 1) - 1 :]
            for item in found
            for side, last in ((1, item.response_1), (2, item.response_2))
            if last is not None
        }
        sizes = _sizes({pk for path in paths.values() for pk in path})
        for item in found:
            length, images = (
                [sum(sizes[pk][which] for pk in paths[item.pk, side]) for side in (1, 2)]
                for which in (0, 1)
            )
            doublings = float(np.log2((length[0] + 1) / (length[1] + 1)))
            yield item.pk, item.dialogue_id, doublings, images[0] - images[1]


def _sizes(responses: set[int]) -> dict[int, tuple[int, int]]:
    """Return response -> (code points, pictures that can be seen). One query."""
    seen = Count("slots", filter=Q(slots__state=SlotState.STORED))
    rows = Response.objects.filter(pk__in=responses).annotate(length=Length("text"), images=seen)
    return {
        pk: (length, images) for pk, length, images in rows.values_list("pk", "length", "images")
    }


def _effect(name: str, first: Any, more: Any, dialogue: Any) -> Effect:
    unequal = more != 0
    won = (first == 1) == (more > 0)
    return Effect(
        property=name,
        wins=position(first=int((won & unequal).sum()), decided=int(unequal.sum())),
        equal=int((~unequal).sum()),
        slope=logistic(first, more, clusters=dialogue),
    )
