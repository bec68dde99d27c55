"""How figures are written: coefficients as .65, shares as 54 %, what is undefined as a dash.

A template gives "" for a part of what is not there.
"""

from django import template

from annotation.reports import sentences, words

register = template.Library()

DASH = "–"


@register.filter
def coefficient(value: float | str | None) -> str:
    """Write a coefficient with two digits and no zero before the point."""
    if value is None or isinstance(value, str):
        return DASH
    text = f"{round(value, 2) + 0.0:.2f}"  # 0.0 takes the sign from a minus zero
    return text.replace("-", "−").replace("0.", ".", 1) if abs(value) < 0.995 else text


@register.filter
def percent(value: float | str | None) -> str:
    """Write a share in whole percent."""
    return DASH if value is None or isinstance(value, str) else f"{100 * value:.0f} %"


@register.filter
def points(value: float | str | None) -> str:
    """Write a difference in score points with its sign: +0.14, −0.30."""
    if value is None or isinstance(value, str):
        return DASH
    text = f"{value:+.2f}".replace("-", "−")
    return text[1:] if text in {"+0.00", "−0.00"} else text


@register.filter
def chance(p: float | str | None) -> str:
    """Write a p with two digits; below .01 only that."""
    if p is None or isinstance(p, str):
        return DASH
    return "< .01" if p < 0.01 else coefficient(p)


@register.filter
def in_words(stored: str) -> str:
    """Write a sentence that was made or stored in English in the reader's language."""
    return sentences.in_words(stored)


@register.filter
def rounded(value: float) -> str:
    """Write an amount with as many digits as are read."""
    return words.rounded(value)
