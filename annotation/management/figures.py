"""How commands print figures: coefficients as 0.650, shares in percent, what is undefined as a dash."""

from collections.abc import Iterable, Mapping, Sequence

from annotation.agreement.estimates import Estimate


def figure_cells(estimates: Sequence[Estimate]) -> list[str]:
    """Return the cells of one row, each figure with its interval; shares in percent."""
    cells = []
    for one in estimates:
        is_share = one.measure.endswith(("agreement", "share", "rate"))
        figure = share(one.value) if is_share else coefficient(one.value)
        cells.append(figure + interval(one.low, one.high, percent=is_share))
    return cells


def coefficient(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def interval(low: float | None, high: float | None, *, percent: bool) -> str:
    if low is None or high is None:
        return ""
    return f" ({100 * low:.0f} to {100 * high:.0f})" if percent else f" ({low:.2f} to {high:.2f})"


def state(one: Estimate) -> str:
    return f"{one.state.value}: {one.reason}" if one.reason else one.state.value


def counts(left_out: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in left_out.items()) or "nothing"


def table(header: list[str], rows: list[list[str]]) -> Iterable[str]:
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    for row in [header, *rows]:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
