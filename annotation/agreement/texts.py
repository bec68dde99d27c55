"""How much of one text stands in another: shares of common runs of signs, for finding copies."""

import re
import unicodedata

SHINGLE = 5
"""Length of the runs, in signs: longer than most words' endings, short enough for Chinese."""

LEAST_SIGNS = 24
"""Normalised signs below which two people easily write the same by themselves."""

NEARLY = 0.8
"""From this share of common runs on two texts are nearly the same."""


def normalised(text: str) -> str:
    """Return the text without what a copier changes first: case, signs of punctuation, spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\W_]+", "", folded)


def shingles(text: str) -> frozenset[str]:
    """Return the runs of `SHINGLE` signs of the normalised text; none of one that is too short."""
    plain = normalised(text)
    if len(plain) < LEAST_SIGNS:
        return frozenset()
    return frozenset(plain[at : at + SHINGLE] for at in range(len(plain) - SHINGLE + 1))


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of runs that two texts have in common, of all runs of both (Jaccard)."""
    return len(one & other) / len(one | other) if one and other else 0.0


def contained(part: frozenset[str], whole: frozenset[str]) -> float:
    """Return the share of a text's runs that stand in a longer one."""
    return len(part & whole) / len(part) if part else 0.0
