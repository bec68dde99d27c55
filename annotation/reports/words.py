"""Texts in the reader's language, and counts and amounts as people write them."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language


def in_language(texts: Mapping[str, Any] | str | None) -> str:
    """Return the text in the active language, else its base language's, else English, else any."""
    if not texts:
        return ""
    if isinstance(texts, str):
        return texts
    active = (get_language() or "en").lower()
    for language in (active, active.split("-")[0], "en"):
        if texts.get(language):
            return str(texts[language])
    return str(next(iter(texts.values())))


def counted(count: int, noun: str) -> str:
    """Return "1 turn" or "2 turns": an English noun whose plural takes an s, for a terminal."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def rounded(value: float) -> str:
    """Return an amount as it is read: whole from ten, with one digit below, none that is zero."""
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}".removesuffix(".0")
