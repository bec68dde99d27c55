"""What a sign says, in the reader's language, from the counts it rests on."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext, ngettext

from annotation.choices import SignalKind
from annotation.reports.words import in_language

Facts = Mapping[str, Any]


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _severe(facts: Facts) -> str:
    return gettext(
        "Scores lower than others on %(dimensions)s of %(asked)s dimensions, most on %(most)s: by "
        "%(points)s points (± %(error)s) over %(items)s items."
    ) % {**facts, "most": in_language(facts["most"])}


def _lenient(facts: Facts) -> str:
    return gettext(
        "Scores higher than others on %(dimensions)s of %(asked)s dimensions, most on %(most)s: by "
        "%(points)s points (± %(error)s) over %(items)s items."
    ) % {**facts, "most": in_language(facts["most"])}


def _random_words(facts: Facts) -> str:
    return (
        gettext(
            "Answers go with nobody else's: correlation %(correlation)s with the others on %(items)s "
            "items (%(answers)s answers), where the team's middle is %(team)s."
        )
        % facts
    )


def _side_words(facts: Facts) -> str:
    return gettext(
        "Prefers what is shown first in %(first)s of %(decided)s decided items (%(percent)s)."
    ) % {**facts, "percent": _percent(facts["share"])}


def _fast_words(facts: Facts) -> str:
    return gettext(
        "%(fast)s of %(timed)s items took less time than reading what was new in them at three "
        "times the usual pace; median %(seconds)s seconds."
    ) % {**facts, "fast": round(facts["fast"]), "timed": round(facts["timed"])}


def _flat_words(facts: Facts) -> str:
    return gettext(
        "One score all the way down in %(flat)s of %(judged)s items, where others do so in "
        "%(percent)s; the longest run is %(run)s scores."
    ) % {**facts, "percent": _percent(facts["others"])}


def _copied_words(facts: Facts) -> str:
    told = (
        ngettext(
            "%(copied)s of %(texts)s text is nearly another's who wrote before, or the dialogue's own",
            "%(copied)s of %(texts)s texts are nearly another's who wrote before, or the dialogue's own",
            facts["texts"],
        )
        % facts
    )
    if facts["from"]:
        told += gettext(": %(from_them)s are as %(from)s wrote them") % facts
    if facts["dialogue"]:
        told += gettext("; %(dialogue)s stand in the dialogue") % facts
    return f"{told}."


def _twin_words(facts: Facts) -> str:
    return gettext(
        "All answers are the same as those of %(with)s in %(same)s of %(shared)s items both "
        "judged, in %(later)s of them given later; other pairs agree so in %(percent)s."
    ) % {**facts, "percent": _percent(facts["others"])}


def _gold_words(facts: Facts) -> str:
    return gettext(
        "Hits %(hits)s of %(answered)s known answers on %(items)s items; the others hit %(percent)s."
    ) % {**facts, "percent": _percent(facts["others"])}


def _repeat_words(facts: Facts) -> str:
    return (
        gettext(
            "Scores the same item differently the second time: correlation %(correlation)s with their "
            "own first scores on %(items)s items, where the team's middle is %(team)s."
        )
        % facts
    )


SENTENCES: Mapping[SignalKind, Callable[[Facts], str]] = {
    SignalKind.SEVERE: _severe,
    SignalKind.LENIENT: _lenient,
    SignalKind.RANDOM: _random_words,
    SignalKind.SIDE: _side_words,
    SignalKind.FAST: _fast_words,
    SignalKind.FLAT: _flat_words,
    SignalKind.COPIED: _copied_words,
    SignalKind.TWIN: _twin_words,
    SignalKind.GOLD: _gold_words,
    SignalKind.REPEATS: _repeat_words,
}
