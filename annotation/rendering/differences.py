"""What changed between two texts: by paragraph first, then word by word.

Words are compared, never letters, so that what is struck and what is put in can be read; signs of
scripts that write no spaces are words of their own.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal

from annotation.rendering.text import CJK_RANGES

Kind = Literal["same", "added", "removed"]

_WORDS = re.compile(rf"[{CJK_RANGES}]|[^\W{CJK_RANGES}]+|\s+|[^\w\s]")
_BRIDGE = 3
"""Signs of unchanged spacing or punctuation between two changes that are read as part of them."""
MOST_PAIRS = 400
"""Beyond so many possible pairs a stretch was written anew, and is shown so."""


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text that stayed, came, or went."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph in which something changed; `skipped` unchanged ones stand before it."""

    spans: tuple[Span, ...]
    skipped: int = 0


def compare(before: Sequence[str], after: Sequence[str]) -> tuple[Paragraph, ...]:
    """Return the paragraphs that changed, in order; none where the texts are the same.

    :param before: the paragraphs of the old text, plain.
    :param after: those of the new one.
    """
    found: list[Paragraph] = []
    skipped = 0
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for operation, i1, i2, j1, j2 in matcher.get_opcodes():
        if operation == "equal":
            skipped += i2 - i1
            continue
        for spans in _paired(before[i1:i2], after[j1:j2]):
            found.append(Paragraph(spans, skipped))
            skipped = 0
    return tuple(found)


def compare_words(before: str, after: str) -> tuple[Span, ...]:
    """Return how `after` came from `before`; the kept and added spans together are `after`."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    spans: list[Span] = []
    for operation, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if operation == "equal":
            spans.append(Span("same", "".join(old[i1:i2])))
            continue
        spans.append(Span("removed", "".join(old[i1:i2])))
        spans.append(Span("added", "".join(new[j1:j2])))
    return tuple(_joined(_bridged([span for span in spans if span.text])))


def _paired(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[Span, ...]]:
    """Pair old paragraphs with new ones that say nearly the same; the rest came or went whole."""
    rest = list(before)
    few = len(before) * len(after) <= MOST_PAIRS
    for text in after:
        near = next((old for old in rest if _alike(old, text)), None) if few else None
        if near is None:
            yield (Span("added", text),)
            continue
        while rest[0] != near:
            yield (Span("removed", rest.pop(0)),)
        rest.pop(0)
        yield compare_words(near, text)
    for old in rest:
        yield (Span("removed", old),)


def _alike(one: str, two: str) -> bool:
    matcher = SequenceMatcher(None, _WORDS.findall(one), _WORDS.findall(two), autojunk=False)
    return matcher.quick_ratio() > 0.5 and matcher.ratio() > 0.5


def _bridged(spans: list[Span]) -> Iterator[Span]:
    """Let a change run on over a mere space or comma that stayed, or the page becomes a mosaic."""
    for index, span in enumerate(spans):
        inside = 0 < index < len(spans) - 1
        if (
            span.kind == "same"
            and inside
            and len(span.text) <= _BRIDGE
            and not _has_word(span.text)
        ):
            yield Span("removed", span.text)
            yield Span("added", span.text)
        else:
            yield span


def _has_word(text: str) -> bool:
    return re.search(r"\w", text) is not None


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Join neighbours: of a run of changes, all that went stands before all that came."""
    for changed, run in groupby(spans, key=lambda span: span.kind != "same"):
        parts = list(run)
        kinds: tuple[Kind, ...] = ("removed", "added") if changed else ("same",)
        for kind in kinds:
            text = "".join(span.text for span in parts if span.kind == kind)
            if text:
                yield Span(kind, text)
