"""How long people worked, by one rule for everybody, and how long an item is."""

from collections.abc import Mapping
from dataclasses import dataclass

from annotation.models.batches import Item
from annotation.models.content import Response

COUNTED_UP_TO = 3
"""An item counts at most so many times its estimated length: a page left in view is no work."""


@dataclass(frozen=True, slots=True)
class Length:
    """How long an item is, before it is begun.

    :ivar turns: "5 + 4" for two sides, "5" for one.
    :ivar shared: how many turns both sides have in common at the beginning.
    :ivar words: to read; None, as images and minutes, where nobody counted.
    :ivar minutes: estimated for reading and answering.
    """

    turns: str
    shared: int
    words: int | None
    images: int | None
    minutes: int | None


def length_of(item: Item) -> Length:
    """Return the length of an item with its sides loaded. No query."""
    one, two = item.response_1, item.response_2
    minutes = item.counts.get("minutes")
    return Length(
        turns=f"{one.depth} + {two.depth}" if two else f"{one.depth}",
        shared=(item.fork_depth or 1) - 1,
        words=item.counts.get("words"),
        images=item.counts.get("images"),
        minutes=max(1, round(minutes)) if minutes else None,
    )


def counted_ms(active_ms: Mapping[str, int], item: Item) -> int:
    """Return the milliseconds that count: in view with somebody there, capped by the length."""
    spent, most = sum(active_ms.values()), most_counted_ms(item)
    return min(spent, most) if most else spent


def most_counted_ms(item: Item) -> int | None:
    """Return the milliseconds that count at most, or None where nobody knows the length."""
    minutes = item.counts.get("minutes")
    return round(minutes * 60_000 * COUNTED_UP_TO) if minutes else None


def turns_judged(one: Response, two: Response | None, fork_depth: int | None) -> int:
    """Count the turns of two paths; those before the fork are the same and count once."""
    if two is None or fork_depth is None:
        return one.depth
    return one.depth + two.depth - (fork_depth - 1)
