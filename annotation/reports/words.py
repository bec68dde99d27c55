"""Picking a text in the reader's language from `{language: text}`."""

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
