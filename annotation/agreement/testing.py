"""Tests that say whether a figure is more than chance, and how many of them may be believed.

Exact binomial: the doubled smaller tail. Student's t: two-sided. Y. Benjamini and Y. Hochberg,
Controlling the false discovery rate (JRSS B 57, 1995), over all people and dimensions at once.
"""

from collections.abc import Sequence

from annotation.agreement.signals import at_most, t_above

FALSE_DISCOVERIES = 0.05
"""Of what is marked, so much may be chance."""


def binomial_test(successes: int, trials: int) -> float | None:
    """Return the two-sided p of a fair coin giving a count at least so far from half; None of 0."""
    if trials <= 0:
        return None
    return min(1.0, 2 * at_most(min(successes, trials - successes), trials, 0.5))


def t_test(value: float, error: float | None, freedom: int) -> float | None:
    """Return the two-sided p of a value under no effect; None without an error above 0."""
    if error is None or error <= 0 or freedom < 1:
        return None
    return 2 * t_above(abs(value) / error, freedom)


def false_discovery(p_values: Sequence[float | None]) -> list[float | None]:
    """Return Benjamini and Hochberg's adjusted p of each; None stays None and counts for nothing.

    What is at most 0.05 may be marked: of all marked, at most that share is expected to be chance.
    """
    known = sorted(
        ((p, place) for place, p in enumerate(p_values) if p is not None), key=lambda one: -one[0]
    )
    adjusted: list[float | None] = [None] * len(p_values)
    least = 1.0
    for rank, (p, place) in zip(range(len(known), 0, -1), known, strict=True):
        least = min(least, p * len(known) / rank)
        adjusted[place] = least
    return adjusted
