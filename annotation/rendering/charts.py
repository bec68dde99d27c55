"""The charts of the figures, as SVG with classes only: colours, dashes and sizes are the stylesheet's.

Each stands beside its numbers in a table, so a chart is hidden from those who hear the page. What
is provisional is hollow and dashed, so that the state is seen without colour and on paper.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Any

import svg

from annotation.rendering.html import SafeHtml

WIDTH = 180
"""Of an axis from end to end."""

MARGIN = 12
BAR = 144
TIGHT = 1.3
"""An axis longer than this has no room to write both customs."""

SHADES = 10
CURVE_WIDTH, CURVE_HEIGHT = 200, 96
COLUMN, COLUMN_GAP, COLUMN_HEIGHT, COLUMN_TOP = 22, 14, 36, 16
"""A column of a small bar chart, in pixels of its own."""


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

    def place(self, value: float) -> float:
        """Return the x of a value, kept inside the axis."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(share * WIDTH, 1)


def coefficient_axis(lows: Sequence[float | None]) -> Axis:
    """Return an axis from 0 (or lower, where an interval reaches below) to 1.

    .67 and .8 are customs, which a page draws as such.
    """
    least = min((low for low in lows if low is not None), default=0.0)
    low = max(-1.0, min(0.0, floor(least * 4) / 4))
    marks = [(low, _short(low), False), (0.0, "0", False), (0.5, ".5", False)]
    roomy = 1.0 - low < TIGHT
    marks += [(2 / 3, ".67" if roomy else "", True), (0.8, ".8" if roomy else "", True)]
    return _axis(low, 1.0, [*marks, (1.0, "1", False)])


def share_axis(shares: Iterable[float | None]) -> Axis:
    """Return an axis of shares about one half, wide enough for all intervals."""
    reach = max((abs(share - 0.5) for share in shares if share is not None), default=0.1)
    half = next(step for step in (0.1, 0.2, 0.3, 0.4, 0.5) if reach <= step + 1e-9 or step == 0.5)
    low, high = 0.5 - half, 0.5 + half
    marks = [
        (low, f"{100 * low:.0f}", False),
        (0.5, "50", True),
        (high, f"{100 * high:.0f}", False),
    ]
    return _axis(low, high, marks)


def points_axis(values: Iterable[float | None]) -> Axis:
    """Return an axis of score points about zero, wide enough for all values."""
    reach = max((abs(value) for value in values if value is not None), default=0.0)
    half = next(step for step in (0.5, 1.0, 2.0, 5.0, 11.0) if reach <= step or step == 11.0)
    return _axis(
        -half,
        half,
        [(-half, _short(-half), False), (0, "0", True), (half, f"+{_short(half)}", False)],
    )


def _axis(low: float, high: float, marks: Iterable[tuple[float, str, bool]]) -> Axis:
    bare = Axis(low, high, ())
    ticks = (Tick(bare.place(at), word, own) for at, word, own in dict.fromkeys(marks))
    return Axis(low, high, tuple(ticks))


def axis_labels(axis: Axis, drawn: Iterable[SafeHtml]) -> SafeHtml:
    """Draw the words of an axis, for the head of a column of `whisker`s; nothing if all are empty."""
    if not any(drawn):
        return SafeHtml("")
    words = [svg.Text(x=tick.x, y=12, text_anchor="middle", text=tick.label) for tick in axis.ticks]
    return _drawing("chart-axis", words, width=WIDTH, height=16, margin=MARGIN)


def whisker(axis: Axis, figure: Mapping[str, Any], *, firm: bool) -> SafeHtml:
    """Draw a dot with its interval on the axis's lines; nothing of a figure without a value.

    :param figure: with `value`, `low` and `high`.
    :param firm: filled and solid; else hollow and dashed.
    """
    if figure["value"] is None:
        return SafeHtml("")
    parts: list[svg.Element] = [
        _line("chart-custom" if tick.is_custom else "chart-line", tick.x, 0, tick.x, 24)
        for tick in axis.ticks
    ]
    marks: list[svg.Element] = []
    if figure["low"] is not None:
        left, right = axis.place(figure["low"]), axis.place(figure["high"])
        marks += [_line("chart-mark", left, 12, right, 12)]
        marks += [_line("chart-end", end, 8, end, 16) for end in (left, right)]
    marks.append(_dot(axis.place(figure["value"]), 12, 4))
    parts.append(svg.G(class_=["chart-firm" if firm else "chart-loose"], elements=marks))
    return _drawing("chart-row", parts, width=WIDTH, height=24, margin=MARGIN)


def bar(counts: Sequence[int]) -> SafeHtml:
    """Draw a bar of counts, percent printed where it fits; nothing of no counts."""
    total = sum(counts)
    boxes: list[svg.Element] = []
    words: list[svg.Element] = []
    x = 0.0
    for place, count in enumerate(counts):
        if not count:
            continue
        width = BAR * count / total
        tone = shade(place, len(counts))
        boxes.append(
            svg.Rect(class_=[f"shade-{tone}"], x=round(x, 2), y=0, width=round(width, 2), height=16)
        )
        if width >= 20:
            middle = round(x + width / 2, 2)
            label = f"{100 * count / total:.0f}"
            words.append(
                svg.Text(
                    class_=[f"on-shade-{tone}"], x=middle, y=12, text_anchor="middle", text=label
                )
            )
        x += width
    return _drawing("chart-bar", boxes + words, width=BAR, height=16)


def shade(place: int, size: int) -> int:
    """Return which of the shades 0 (lowest score) to `SHADES` a score has."""
    return round(place * SHADES / max(size - 1, 1))


def curve(turns: Sequence[Mapping[str, Any]]) -> SafeHtml:
    """Draw values of 0 to 1 by turn with their band; what is below 0 is drawn at 0.

    Turns without a value are left out of the line; without any nothing is drawn.
    """
    if all(one["value"] is None for one in turns):
        return SafeHtml("")
    step = CURVE_WIDTH / max(len(turns), 1)
    xs = [round(step * (place + 0.5), 1) for place in range(len(turns))]

    def y_of(value: float) -> float:
        return round(CURVE_HEIGHT * (1 - min(max(value, 0.0), 1.0)), 1)

    parts: list[svg.Element] = []
    for value, word in ((1.0, "1"), (0.5, ".5"), (0.0, "0")):
        y = y_of(value)
        parts.append(_line("chart-line", 0, y, CURVE_WIDTH, y))
        parts.append(svg.Text(x=-4, y=y + 4, text_anchor="end", text=word))
    known = [(x, one) for x, one in zip(xs, turns, strict=True) if one["value"] is not None]
    banded = [(x, one) for x, one in known if one["low"] is not None]
    if len(banded) > 1:
        edge = [(x, y_of(one["high"])) for x, one in banded]
        edge += [(x, y_of(one["low"])) for x, one in reversed(banded)]
        parts.append(svg.Polygon(class_=["chart-band"], points=_points(edge)))
    dots = [(x, y_of(one["value"])) for x, one in known]
    if len(dots) > 1:
        parts.append(svg.Polyline(class_=["chart-mark"], points=_points(dots)))
    parts += [_dot(x, y, 2.5) for x, y in dots]
    parts += [
        svg.Text(x=x, y=112, text_anchor="middle", text=str(one["turn"]))
        for x, one in zip(xs, turns, strict=True)
    ]
    return _drawing("chart-curve", parts, view=(-18, -8, 222, 124))


def apart(low: int, high: int, domain: Sequence[int]) -> SafeHtml:
    """Draw two scores as numbered dots on their scale."""
    least, most = min([*domain, low]), max([*domain, high])
    step = 72 / max(most - least, 1)

    def x_of(score: int) -> float:
        return round((score - least) * step, 1)

    parts: list[svg.Element] = [_line("chart-line", 0, 12, 72, 12)]
    parts += [_line("chart-line", x_of(one), 8, x_of(one), 16) for one in range(least, most + 1)]
    parts.append(_line("chart-mark", x_of(low), 12, x_of(high), 12))
    for score in (low, high):
        parts.append(_dot(x_of(score), 12, 8))
        parts.append(
            svg.Text(
                class_=["chart-number"], x=x_of(score), y=16, text_anchor="middle", text=str(score)
            )
        )
    return _drawing("chart-apart", parts, width=72, height=24, margin=MARGIN)


def state_shape(state: str) -> SafeHtml:
    """Draw a state as a shape: full, half, empty, or a broken ring."""
    broken = ["state-ring-broken"] if state in {"undefined", "insufficient"} else []
    parts: list[svg.Element] = [svg.Circle(class_=["state-ring", *broken], cx=6, cy=6, r=4.5)]
    if state == "ok":
        parts.append(svg.Circle(class_=["state-fill"], cx=6, cy=6, r=4.5))
    elif state == "provisional":
        half = [
            svg.M(6, 1.5),
            svg.ArcRel(4.5, 4.5, 0, large_arc=False, sweep=False, dx=0, dy=9),
            svg.Z(),
        ]
        parts.append(svg.Path(class_=["state-fill"], d=half))
    return _drawing("state-shape", parts, width=12, height=12)


@dataclass(frozen=True, slots=True)
class Column:
    """An upright bar. Its count stands `above` it, its name below, both at its `middle`."""

    x: int
    y: int
    height: int
    middle: int
    above: int


@dataclass(frozen=True, slots=True)
class Columns:
    """A small bar chart: its size, and each thing counted with its bar."""

    width: int
    height: int
    column: int
    columns: tuple[tuple[Column, Any], ...]


def columns_of(things: Sequence[Any], *, count: Callable[[Any], int]) -> Columns | None:
    """Return upright bars for what was counted, or None for nothing; none above zero is invisible."""
    most = max(map(count, things), default=0)
    if not most:
        return None
    columns = []
    for place, thing in enumerate(things):
        height = max(2, round(COLUMN_HEIGHT * count(thing) / most)) if count(thing) else 0
        x, y = place * (COLUMN + COLUMN_GAP) + COLUMN_GAP // 2, COLUMN_TOP + COLUMN_HEIGHT - height
        columns.append((Column(x, y, height, x + COLUMN // 2, y - 4), thing))
    return Columns(
        width=len(columns) * (COLUMN + COLUMN_GAP),
        height=COLUMN_TOP + COLUMN_HEIGHT + COLUMN_TOP,
        column=COLUMN,
        columns=tuple(columns),
    )


def _drawing(
    name: str,
    parts: Sequence[svg.Element],
    *,
    width: float = 0,
    height: float = 0,
    margin: float = 0,
    view: tuple[float, float, float, float] | None = None,
) -> SafeHtml:
    """Return the SVG as HTML: every word in it is a number or a sign of ours."""
    left, top, wide, high = view or (-margin, 0, width + 2 * margin, height)
    drawn = svg.SVG(
        class_=[name],
        viewBox=svg.ViewBoxSpec(left, top, wide, high),
        elements=list(parts),
        extra={"aria-hidden": "true"},
    )
    return SafeHtml(drawn.as_str())


def _line(name: str, x1: float, y1: float, x2: float, y2: float) -> svg.Element:
    return svg.Line(class_=[name], x1=x1, y1=y1, x2=x2, y2=y2)


def _dot(x: float, y: float, radius: float) -> svg.Element:
    return svg.Circle(class_=["chart-dot"], cx=x, cy=y, r=radius)


def _points(places: Iterable[tuple[float, float]]) -> list[svg.Point]:
    return [svg.Point(x, y) for x, y in places]


def _short(value: float) -> str:
    return f"{value:g}".replace("0.", ".").replace("-", "−")
