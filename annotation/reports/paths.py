"""An item's sides as they are read: the steps of each path with the pictures at their slots."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from annotation.choices import SlotState
from annotation.models.batches import Item
from annotation.models.content import Response, Slot, Turn

LOCKING = frozenset({SlotState.MISSING, SlotState.BROKEN, SlotState.WITHDRAWN})
"""Slot states under which nobody can say how good the image was."""


@dataclass(frozen=True, slots=True)
class Step:
    """One turn of a path: the prompt, the response, and their slots in order."""

    turn: Turn
    response: Response
    prompt_slots: tuple[Slot, ...]
    response_slots: tuple[Slot, ...]

    @property
    def depth(self) -> int:
        return self.response.depth

    @property
    def slots(self) -> tuple[Slot, ...]:
        return self.prompt_slots + self.response_slots

    @property
    def has_images(self) -> bool:
        """Whether the response has an image that can be looked at."""
        return any(slot.state == SlotState.STORED for slot in self.response_slots)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of an item: a full path from the root (turn pairs: up to their turn)."""

    number: int
    steps: tuple[Step, ...]

    @property
    def last(self) -> Response:
        return self.steps[-1].response

    def step_at(self, depth: int) -> Step | None:
        """Return the step of the turn `depth` (from 1), or None where the path is shorter."""
        return self.steps[depth - 1] if depth <= len(self.steps) else None


def load_steps(responses: Sequence[Response]) -> dict[int, tuple[Step, ...]]:
    """Return for each response the steps of the path it names, keyed by its primary key.

    Three queries, however many responses.
    """
    wanted = {pk for response in responses for pk in response.lineage_ids()}
    found = {one.pk: one for one in Response.objects.filter(pk__in=wanted).select_related("turn")}
    by_response: dict[int, list[Slot]] = defaultdict(list)
    by_turn: dict[int, list[Slot]] = defaultdict(list)
    for slot in (
        Slot.objects.filter(response__in=wanted).select_related("image").order_by("position")
    ):
        by_response[slot.response_id or 0].append(slot)
    turns = {one.turn_id for one in found.values()}
    for slot in Slot.objects.filter(turn__in=turns).select_related("image").order_by("position"):
        by_turn[slot.turn_id or 0].append(slot)
    return {
        response.pk: tuple(
            Step(
                turn=found[pk].turn,
                response=found[pk],
                prompt_slots=tuple(by_turn[found[pk].turn_id]),
                response_slots=tuple(by_response[pk]),
            )
            for pk in response.lineage_ids()
        )
        for response in responses
    }


def load_sides(item: Item) -> tuple[Side, ...]:
    """Return the item's one or two sides, numbered as stored (1, 2). Three queries."""
    last = [one for one in (item.response_1, item.response_2) if one is not None]
    steps = load_steps(last)
    return tuple(
        Side(number=number, steps=steps[response.pk]) for number, response in enumerate(last, 1)
    )


def slots_shown(item: Item) -> QuerySet[Slot]:
    """Return the slots of every prompt and response on the item's sides. One query here.

    The turns are named one by one: an OR over two indexed columns is two look-ups, over a join
    it is a scan of the table.
    """
    shown = {pk for one in (item.response_1, item.response_2) if one for pk in one.lineage_ids()}
    turns = list(Response.objects.filter(pk__in=shown).values_list("turn_id", flat=True))
    return Slot.objects.filter(Q(response__in=shown) | Q(turn__in=turns))


def images_of(sides: Iterable[Side]) -> list[str]:
    """Return the SHA-256 of every stored file the sides show, each once, in reading order."""
    seen: dict[str, None] = {}
    for side in sides:
        for step in side.steps:
            for slot in step.slots:
                if slot.state == SlotState.STORED and slot.image is not None:
                    seen[slot.image.sha256] = None
    return list(seen)
