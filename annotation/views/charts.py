"""Where the marks of a chart stand, in the units of its SVG's viewBox. No words, no colours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Any

WIDTH = 180
"""Of an axis from end to end."""

BAR = 144
TIGHT = 1.3
"""An axis longer than this has no room to write both customs."""

SHADES = 10


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the axis: where, and what it says ("" for a line without a word)."""

    x: float
    label: str
    is_custom: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """A horizontal axis from `low` to `high`."""

    low: float
    high: float
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Whisker:
    """A dot with its interval; the ends are None where there is none."""

    x: float
    left: float | None
    right: float | None


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a bar. `label` is empty where there is no room for it."""

    x: float
    width: float
    shade: int
    label: str
    label_x: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A line through points with a band; `band` and `line` are SVG point lists."""

    line: str
    band: str
    dots: tuple[tuple[float, float], ...]
    labels: tuple[tuple[float, str], ...]


def coefficient_axis(lows: Sequence[float | None]) -> Axis:
    """Return an axis from 0 (or lower, where an interval reaches below) to 1.

    .67 and .8 are customs, which a page draws as such.
    """
    least = min((low for low in lows if low is not None), default=0.0)
    low = max(-1.0, min(0.0, floor(least * 4) / 4))
    marks = [(low, _short(low), False), (0.0, "0", False), (0.5, ".5", False)]
    roomy = 1.0 - low < TIGHT
    marks += [(2 / 3, ".67" if roomy else "", True), (0.8, ".8" if roomy else "", True)]
    marks += [(1.0, "1", False)]
    return Axis(
        low,
        1.0,
        tuple(Tick(_place(at, low, 1.0), word, own) for at, word, own in dict.fromkeys(marks)),
    )


def share_axis(shares: Sequence[float | None]) -> Axis:
    """Return an axis of shares about one half, wide enough for all intervals."""
    reach = max((abs(share - 0.5) for share in shares if share is not None), default=0.1)
    half = next(step for step in (0.1, 0.2, 0.3, 0.4, 0.5) if reach <= step + 1e-9 or step == 0.5)
    low, high = 0.5 - half, 0.5 + half
    marks = [(low, f"{100 * low:.0f}"), (0.5, "50"), (high, f"{100 * high:.0f}")]
    return Axis(
        low, high, tuple(Tick(_place(at, low, high), word, at == 0.5) for at, word in marks)
    )


def whisker(axis: Axis, figure: Mapping[str, Any]) -> Whisker | None:
    """Return the marks of a figure with `value`, `low` and `high`; None where it has no value."""
    if figure["value"] is None:
        return None
    ends = [
        None if figure[end] is None else _place(figure[end], axis.low, axis.high)
        for end in ("low", "high")
    ]
    return Whisker(_place(figure["value"], axis.low, axis.high), ends[0], ends[1])


def bar(counts: Sequence[int]) -> tuple[Segment, ...]:
    """Return the pieces of a bar of counts, percent printed where it fits."""
    total = sum(counts)
    pieces, x = [], 0.0
    for place, count in enumerate(counts):
        if not count:
            continue
        width = BAR * count / total
        label = f"{100 * count / total:.0f}" if width >= 20 else ""
        pieces.append(
            Segment(round(x, 2), round(width, 2), shade(place, len(counts)), label,
                    round(x + width / 2, 2))
        )  # fmt: skip
        x += width
    return tuple(pieces)


def shade(place: int, size: int) -> int:
    """Return which of the shades 0 (lowest score) to `SHADES` a score has."""
    return round(place * SHADES / max(size - 1, 1))


def curve(turns: Sequence[Mapping[str, Any]], *, width: float = 200, height: float = 96) -> Curve:
    """Return the curve of values of 0 to 1 by turn; what is below 0 is drawn at 0.

    Turns without a value are left out of the line.
    """
    step = width / max(len(turns), 1)

    def x_of(place: int) -> float:
        return round(step * (place + 0.5), 1)

    def y_of(value: float) -> float:
        return round(height * (1 - min(max(value, 0.0), 1.0)), 1)

    known = [(place, one) for place, one in enumerate(turns) if one["value"] is not None]
    banded = [(place, one) for place, one in known if one["low"] is not None]
    dots = tuple((x_of(place), y_of(one["value"])) for place, one in known)
    over = [(x_of(place), y_of(one["high"])) for place, one in banded]
    under = [(x_of(place), y_of(one["low"])) for place, one in reversed(banded)]
    return Curve(
        line=" ".join(f"{x},{y}" for x, y in dots),
        band=" ".join(f"{x},{y}" for x, y in over + under) if len(banded) > 1 else "",
        dots=dots,
        labels=tuple((x_of(place), str(one["turn"])) for place, one in enumerate(turns)),
    )


def _place(value: float, low: float, high: float) -> float:
    """Return the x of a value, kept inside the axis."""
    share = (min(max(value, low), high) - low) / (high - low)
    return round(share * WIDTH, 1)


def _short(value: float) -> str:
    return f"{value:g}".replace("0.", ".").replace("-", "−")
