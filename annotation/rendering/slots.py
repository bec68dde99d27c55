"""Texts with pictures in them: a response cut at its image slots.

The generators wrote `<Image, caption>` where a picture belongs (spec/intermt.md 8.2, 19 to 24). The
token of a slot leaves the text and the slot stands in its place, also inside a list or a table.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import unescape

from annotation.rendering.html import SafeHtml
from annotation.rendering.markdown import to_html
from annotation.rendering.text import (
    clean_prompt,
    clean_response,
    count_words,
    guess_script,
    shortened,
)

EXCERPT = 260
_OPEN, _CLOSE = "\ue000", "\ue001"
_PLACE = re.compile(f"{_OPEN}(\\d+){_CLOSE}")
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)([^<>]*)>")
_TOKEN = re.compile(r"<[^<>]*>")
# A picture may stand inside these; any other open element is closed before it and opened again after.
_HOLDERS = frozenset(
    {"blockquote", "div", "li", "ol", "table", "tbody", "td", "th", "thead", "tr", "ul"}
)
_VOID = frozenset({"br", "hr", "mspace"})
_BREAK = re.compile(r"<(?:br|/(?:p|h[456]|li|td|th|tr|pre|div|blockquote))>")
_EMPTY = re.compile(r"<(p|h4|h5|h6|strong|em|s|code)>(?:\s|<br>)*</\1>")


@dataclass(frozen=True, slots=True)
class SlotToken:
    """Where a slot's token stands in the raw text, in characters; no `start`: it has no token.

    Without an `end` the token reaches to its closing bracket, or to the end of the line where it
    was never closed. `stays` keeps it readable before its picture: the generator took every
    bracket for a request, `<sup>` and `x < 2` among them.
    """

    position: int
    start: int | None = None
    end: int | None = None
    stays: bool = False


@dataclass(frozen=True, slots=True)
class HtmlBlock:
    """A piece of the text. An element may open in one piece and close in a later one."""

    html: SafeHtml


@dataclass(frozen=True, slots=True)
class SlotBlock:
    """The place of the slot with this position."""

    position: int


Block = HtmlBlock | SlotBlock


@dataclass(frozen=True, slots=True)
class RenderedText:
    """A text as it is read: its blocks in order, its length and how it is set.

    :ivar excerpt: its first words as plain text, at most `EXCERPT` characters.
    """

    blocks: tuple[Block, ...]
    word_count: int
    language: str
    direction: str
    excerpt: str


def render_response(raw: str, slots: Sequence[SlotToken] = ()) -> RenderedText:
    """Return a response cut at its slots; printed in order, the blocks are one well-formed piece.

    Every slot appears exactly once: slots without a token, or whose token cannot be found, stand
    after the text in order of position.
    """
    return _render(raw, tuple(slots), prompt=False)


def render_prompt(raw: str, slots: Sequence[SlotToken] = ()) -> RenderedText:
    """Return a prompt cut at its slots, cleaned of its generator's residue."""
    return _render(raw, tuple(slots), prompt=True)


def find_token_end(raw: str, start: int) -> int:
    """Return where the token that begins at `start` ends."""
    if found := _TOKEN.match(raw, start):
        return found.end()
    newline = raw.find("\n", start)
    return len(raw) if newline < 0 else newline


@lru_cache(maxsize=1024)
def _render(raw: str, slots: tuple[SlotToken, ...], *, prompt: bool) -> RenderedText:
    marked = _with_places(raw, slots)
    cleaned = clean_prompt(marked) if prompt else clean_response(marked)
    readable = _PLACE.sub(" ", cleaned)
    blocks = tuple(_cut(to_html(cleaned), slots)) if cleaned else tuple(_rest(slots, set()))
    script = guess_script(readable)
    return RenderedText(
        blocks=blocks,
        word_count=count_words(readable),
        language=script.language,
        direction=script.direction,
        excerpt=_excerpt(blocks),
    )


def _excerpt(blocks: Sequence[Block]) -> str:
    """Return the beginning of what is set, in plain words: no marks of Markdown, no tokens."""
    words = " ".join(_words_of(block.html) for block in blocks if isinstance(block, HtmlBlock))
    return shortened(words, EXCERPT)


def _words_of(html: str) -> str:
    spaced = _BREAK.sub(" ", html)
    return " ".join(unescape(_TAG.sub("", spaced)).split())


def _with_places(raw: str, slots: Sequence[SlotToken]) -> str:
    """Return the text with each slot's token replaced by a mark that Markdown leaves alone."""
    text = raw.replace(_OPEN, "\ufffd").replace(_CLOSE, "\ufffd")
    known = [
        (slot.start, slot)
        for slot in slots
        if slot.start is not None and 0 <= slot.start < len(raw)
    ]
    parts: list[str] = []
    done = 0
    for start, slot in sorted(known, key=lambda pair: pair[0]):
        if start < done:
            continue
        end = find_token_end(text, start) if slot.end is None else min(len(text), slot.end)
        token = text[start:end]
        kept = token if slot.stays else ""
        parts.append(text[done:start])
        parts.append(kept + _place(text, start, end, slot.position))
        done = end
    return "".join(parts) + text[done:]


def _place(text: str, start: int, end: int, position: int) -> str:
    before, after = text[start - 1 : start], text[end : end + 1]
    left = " " if before and not before.isspace() else ""
    right = " " if after and not after.isspace() else ""
    # Alone on its line, it must not draw the next line into its own paragraph.
    alone = not left and text[:start].rpartition("\n")[2].strip() == "" and after == "\n"
    return f"{left}{_OPEN}{position}{_CLOSE}{right}" + ("\n" if alone else "")


def _cut(html: SafeHtml, slots: Sequence[SlotToken]) -> Iterator[Block]:
    wanted = {slot.position for slot in slots}
    seen: set[int] = set()
    open_tags: list[tuple[str, str]] = []
    piece: list[str] = []
    for part, position in _pieces(html):
        _follow(part, open_tags)
        piece.append(part)
        if position is None or position not in wanted or position in seen:
            continue
        seen.add(position)
        inner = _inside_holder(open_tags)
        piece.extend(f"</{name}>" for name, _ in reversed(inner))
        yield from _html_block("".join(piece))
        yield SlotBlock(position)
        piece = [tag for _, tag in inner]
    yield from _html_block("".join(piece))
    yield from _rest(slots, seen)


def _pieces(html: str) -> Iterator[tuple[str, int | None]]:
    """Yield the text up to each mark with the mark's position, then what follows the last."""
    done = 0
    for mark in _PLACE.finditer(html):
        yield html[done : mark.start()], int(mark[1])
        done = mark.end()
    yield html[done:], None


def _follow(part: str, open_tags: list[tuple[str, str]]) -> None:
    for tag in _TAG.finditer(part):
        if tag[1]:
            if open_tags and open_tags[-1][0] == tag[2]:
                open_tags.pop()
        elif tag[2] not in _VOID:
            open_tags.append((tag[2], tag[0]))


def _inside_holder(open_tags: list[tuple[str, str]]) -> list[tuple[str, str]]:
    for index in range(len(open_tags) - 1, -1, -1):
        if open_tags[index][0] in _HOLDERS:
            return open_tags[index + 1 :]
    return list(open_tags)


def _html_block(markup: str) -> Iterator[HtmlBlock]:
    tidy = re.sub(r"(?:\s|<br>)+(</(?:p|h4|h5|h6)>)", r"\1", markup)
    tidy = re.sub(r"(<(?:p|h4|h5|h6)>)(?:\s|<br>)+", r"\1", tidy)
    before = ""
    while before != tidy:
        before, tidy = tidy, _EMPTY.sub("", tidy)
    if tidy.strip():
        yield HtmlBlock(SafeHtml(tidy))


def _rest(slots: Sequence[SlotToken], seen: set[int]) -> Iterator[SlotBlock]:
    for position in sorted({slot.position for slot in slots} - seen):
        yield SlotBlock(position)
