"""How figures are written: coefficients as .65, shares as 54 %, what is undefined as a dash."""

from django import template

from annotation.reports import words

register = template.Library()

DASH = "–"


@register.filter
def coefficient(value: float | None) -> str:
    """Write a coefficient with two digits and no zero before the point."""
    if value is None:
        return DASH
    text = f"{value:.2f}"
    return text.replace("-", "−").replace("0.", ".", 1) if abs(value) < 0.995 else text


@register.filter
def percent(value: float | None) -> str:
    """Write a share in whole percent."""
    return DASH if value is None else f"{100 * value:.0f} %"


@register.filter
def rounded(value: float) -> str:
    """Write an amount with as many digits as are read."""
    return words.rounded(value)
