"""Content marks: whether an item is marked, and what is said before it is opened."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from annotation.choices import MarkOrigin
from annotation.formats.pairs import PairMark
from annotation.models.batches import Item
from annotation.models.marks import Mark
from annotation.models.projects import Member
from annotation.reports.categories import Exposure, exposures

MarksRefused = Callable[[Iterable[PairMark]], str]
"""Gives the category for which a dialogue with these marks is left out of a file, or ""."""


def none_refused(marks: Iterable[PairMark]) -> str:
    """Leave nothing out."""
    return ""


@dataclass(frozen=True, slots=True)
class MarkWarning:
    """What a person is told before they open a marked item.

    :ivar kinds: each mark with what the person has met of it.
    :ivar origins: where the marks come from: `file`, `words`, `report`.
    """

    kinds: tuple[Exposure, ...]
    origins: tuple[str, ...]


def marks_of(dialogues: Collection[int], *, number: int | None) -> dict[int, tuple[PairMark, ...]]:
    """Return what the dialogues are marked with at a number of the project's marks. One query.

    A picture's mark names the content key of its prompt or response, and the slot.
    """
    told: defaultdict[int, set[PairMark]] = defaultdict(set)
    for dialogue, key, origin, turn, response, slot in (
        Mark.objects.standing(number=number)
        .filter(dialogue__in=dialogues)
        .values_list(
            "dialogue",
            "key",
            "origin",
            "slot__turn__content_key",
            "slot__response__content_key",
            "slot__position",
        )
    ):
        told[dialogue].add(PairMark(key, origin, turn or response, slot))
    return {
        dialogue: tuple(
            sorted(
                marks,
                key=lambda one: (
                    one.category,
                    one.origin,
                    one.node or "",
                    -1 if one.slot is None else one.slot,
                ),
            )
        )
        for dialogue, marks in told.items()
    }


def is_marked(item: Item) -> bool:
    """Say whether the item's dialogue, or a picture anywhere in it, carries a mark. One query."""
    return Mark.objects.standing().filter(dialogue=item.dialogue_id).exists()


def warning_of(item: Item, member: Member, *, at: datetime) -> MarkWarning:
    """Return what to say before the item is opened. Four queries."""
    marks = list(
        Mark.objects.standing()
        .filter(dialogue=item.dialogue_id)
        .order_by("key", "pk")
        .values_list("key", "origin")
    )
    keys = dict.fromkeys(key for key, _ in marks)
    found = {origin for _, origin in marks}
    return MarkWarning(
        kinds=exposures(member, at=at, keys=keys),
        origins=tuple(origin.value for origin in MarkOrigin if origin in found),
    )
