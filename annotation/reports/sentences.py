"""Sentences that are stored or made in English, in the reader's language.

The pure layers know no languages, and a batch's history and a job's failure are stored as what
they were. Each sentence stands here once, with placeholders for what varies in it.
"""

import re
from collections.abc import Mapping
from functools import cache

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from annotation.choices import SeatPurpose
from annotation.labels import LABELS

HISTORY = (
    _("created"),
    _("opened"),
    _("resumed"),
    _("paused"),
    _("closed"),
    _("reopened"),
    _("items reopened"),
    _("items offered again"),
    _("members added"),
    _("seats added"),
    _("overlap set"),
    _("member paused"),
    _("member goes on"),
    _("qualification waived"),
    _("%(n)s seats, %(repeats)s repeats, %(gold)s gold"),
    _("calibration opened"),
    _("calibration taken back"),
    _("%(n)s items"),
    _("%(n)s seats"),
    _("%(count)s %(purpose)s at each of %(items)s items"),
    _("%(overlap)s: %(added)s seats added, %(closed)s closed"),
)
AGREEMENT = (
    _("%(units)s units with two ratings or more; %(least)s are the least"),
    _("%(units)s units on which two people decided; %(least)s are the least"),
    _("a single annotator"),
    _(
        "%(share)s %% of the scores are the same: there is little to tell apart, so read exact "
        "agreement beside it"
    ),
    _("only %(units)s units have any score but the most frequent one"),
    _("no interval can be computed"),
    _("the interval is wider than %(width)s"),
    _("%(units)s units with two ratings or more, fewer than %(least)s"),
    _("%(units)s units on which two people decided, fewer than %(least)s"),
    _("%(annotators)s annotators: the figure is about these"),
    _("of the mean of %(ratings)s ratings; assumes exchangeable annotators and even steps"),
    _("no preference compares two models that the files name"),
    _("%(models)s models; %(most)s are the most"),
    _("the models fall into %(parts)s parts never compared: no scale"),
    _("nothing but ties"),
    _("some models only won, or only lost, against the rest: no scale"),
    _("no finite strengths could be found"),
    _("%(compared)s preferences between models; %(least)s are the least"),
    _("preferences on %(dialogues)s dialogues, fewer than %(least)s"),
    _("not fitted: %(middle)s ratings a person at the middle; %(least)s are asked for"),
    _("not fitted to %(ratings)s ratings; %(most)s are the most"),
    _("no two people both decided on the same item"),
    _("no unit has two ratings"),
    _("the domain has a single score"),
    _("no variation: all scores are the same"),
    _("fewer than two annotators"),
    _("for two annotators; there are %(annotators)s"),
    _("for complete designs: everybody rates every unit"),
    _("a single unit"),
    _("a single dialogue or unit"),
    _("undefined in %(share)s %% of the resamples"),
    _("%(annotators)s annotators: too few to leave one out"),
    _("undefined without some of the annotators"),
)
"""The reasons of `annotation.agreement`."""

EXPORTS = (
    _("%(option)s: %(value)s is none of %(known)s."),
    _("ties: %(format)s holds a chosen and a rejected side, so a tie cannot be kept."),
    _("set: pairs are made of the final set; independent is for ratings."),
    _("min_gap: a gap between scores lies between 0 and 11."),
    _("min_gap: preferences as given have no gap; take votes from scores, or leave it at 1."),
    _("seed: a whole number from 0."),
    _("split: ratings are one file; split pairs."),
    _("split: the shares %(shares)s cannot be cut: none lies below 0."),
    _("split: the shares %(shares)s sum to %(sum)s: they must sum to %(whole)s."),
    _("split: %(shares)s is no split: write train/validation/test, for example 90/5/5."),
    _("%(option)s: no such option."),
    _("%(option)s: %(value)s is not a %(kind)s."),
    _(
        "TRL cannot hold the pictures of responses. Choose the format swift, which can, or have the "
        "pictures of responses dropped"
    ),
    _(
        "TRL cannot hold a side of several messages. Choose the format swift, which can, or compare "
        "only the last response of each side: that keeps pairs whose last responses answer the same "
        "prompt"
    ),
)
"""What `annotation.formats` refuses of an export."""

VALUES: Mapping[str, str | Promise] = {word: LABELS[SeatPurpose][word] for word in SeatPurpose}
"""Stored words that stand in a sentence."""


def in_words(stored: str) -> str:
    """Return the sentence, or each of several joined by "; ", in the active language.

    What is none of the known sentences, a person's own words for example, stays as it is.
    """
    whole = _translated(stored)
    if whole is not None:
        return whole
    parts = stored.split("; ")
    return gettext("; ").join(_translated(part) or part for part in parts)


def _translated(stored: str) -> str | None:
    for pattern, sentence in _patterns():
        if found := pattern.fullmatch(stored):
            values = found.groupdict().items()
            return gettext(sentence) % {name: VALUES.get(value, value) for name, value in values}
    return None


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    # The longest first: "%(n)s items" would take what says more.
    known = sorted((*HISTORY, *AGREEMENT, *EXPORTS), key=len, reverse=True)
    return tuple((_pattern(one), one) for one in known)


def _pattern(sentence: str) -> re.Pattern[str]:
    """Return what matches the sentence with anything at its placeholders."""
    pieces = re.split(r"%\((\w+)\)s", sentence)
    literal = [re.escape(piece.replace("%%", "%")) for piece in pieces[::2]]
    named = [f"(?P<{name}>(?:(?!; ).)+)" for name in pieces[1::2]]
    return re.compile(
        "".join(part for pair in zip(literal, [*named, ""], strict=True) for part in pair)
    )
