"""Texts in the reader's language, and counts and amounts as people write them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from annotation.models.projects import Member


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


def moment(at: datetime, *, now: datetime) -> str:
    """Return when something was, as one says it: "today 16:40", "yesterday 16:40", "3 Nov 16:40"."""
    there, here = timezone.localtime(at), timezone.localtime(now)
    clock = date_format(there, "H:i")
    match (here.date() - there.date()).days:
        case 0:
            return _("today %(clock)s") % {"clock": clock}
        case 1:
            return _("yesterday %(clock)s") % {"clock": clock}
        case _other:
            return _("%(day)s %(clock)s") % {
                "day": date_format(
                    there, pgettext("day, as Django's date filter writes it", "j M")
                ),
                "clock": clock,
            }


def name_of(member: Member | None) -> str:
    """Return what a lead or reviewer is called before those they speak to."""
    if member is None:
        return ""
    return (member.user.get_full_name() if member.user else "") or member.pseudonym


def listed(parts: Iterable[str]) -> str:
    """Write the parts that are not empty one after the other, with the language's own comma."""
    return _(", ").join(part for part in parts if part)


def counted(count: int, noun: str) -> str:
    """Return "1 turn" or "2 turns": an English noun whose plural takes an s, for a terminal."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def rounded(value: float) -> str:
    """Return an amount as it is read: whole from ten, with one digit below, none that is zero."""
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}".removesuffix(".0")
