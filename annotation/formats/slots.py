"""Which picture belongs where in a text.

The makers of InterMT wrote ``<Image, caption>`` where a picture was wanted and treated every
``<...>`` as such a wish, so that entry i of a picture list belongs to the i-th ``<[^<>]*>`` of the
text: in 2,001 of the 2,014 published turns the two counts agree. HTML (``<sup>``) and comparison
signs were taken for wishes too; such a token keeps its picture and stays text.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from annotation.formats.records import MOST_KIND, Anomaly, Slot

TOKEN = re.compile(r"<[^<>]*>")

KNOWN_KINDS = [
    "image",
    "images",
    "picture",
    "photo",
    "photograph",
    "figure",
    "illustration",
    "drawing",
    "sketch",
    "map",
    "screenshot",
    "video",
    "animation",
    "gif",
    "clip",
    "audio",
    "diagram",
    "chart",
    "graph",
    "plot",
    "barchart",
    "infographic",
    "comic",
    "modality",
]
_KIND_THEN_CAPTION = re.compile(
    r"\s*\[?\s*(?P<kind>[^\W\d_]+(?: [^\W\d_]+){0,2})\s*\]?\s*[,:](?P<caption>.*)", re.DOTALL
)
_BARE_KIND = re.compile(r"\s*\[?\s*(?P<kind>[^\W\d_]+)\s*\]?\s*")
_ENDS_IN_IMAGE = re.compile(r"\s*(?P<caption>[^<>=/]+?)\s+(?P<kind>[Ii]mage)\s*")
_UNCLOSED = re.compile(
    r"<\s*\[?\s*(?P<kind>[^\W\d_]+(?: [^\W\d_]+){0,2})\s*\]?\s*[,:][^<>]*(?=<|\Z)"
)


@dataclass(frozen=True, slots=True)
class Token:
    """A ``<...>`` of a text, in code points. `kind` is "" where it asks for no picture."""

    offset: int
    length: int
    kind: str
    caption: str


def tokens_of(text: str) -> list[Token]:
    """Return every ``<...>`` of `text` in order, with kind and caption where it asks for one."""
    return [
        Token(match.start(), match.end() - match.start(), *_kind_and_caption(match[0][1:-1]))
        for match in TOKEN.finditer(text)
    ]


def _kind_and_caption(inner: str) -> tuple[str, str]:
    """Return the kind and caption of a token's inside, or two empty texts for ordinary text."""
    if (match := _KIND_THEN_CAPTION.fullmatch(inner)) and _is_kind(match["kind"]):
        return match["kind"][:MOST_KIND], match["caption"].strip(" \t\r\n,:")
    if (match := _ENDS_IN_IMAGE.fullmatch(inner)) is not None:
        return match["kind"], match["caption"]
    if (match := _BARE_KIND.fullmatch(inner)) and match["kind"].lower() in KNOWN_KINDS[:3]:
        return match["kind"], ""
    return "", ""


def _is_kind(word: str) -> bool:
    """Whether ``<word, ...>`` asks for a picture.

    A known word in any case, or any capitalised word of four letters: ``<Headphones, ...>`` did,
    the inner product ``<x, y>`` did not.
    """
    first = word.split()[0].lower()
    return first in KNOWN_KINDS or (len(word) >= 4 and word[0].isupper())


def slots_of(
    text: str, names: Sequence[str | None], anomalies: Counter[Anomaly]
) -> tuple[Slot, ...]:
    """Return the slots of a text with its picture list, and count what is odd in `anomalies`.

    :param names: the list as it came; "" and None stand for no picture. ``[]`` and ``[""]`` alike
        say that there is none, and then each token that asks for a picture is one never made.
    """
    tokens = tokens_of(text)
    asking = [token for token in tokens if token.kind]
    if not any(names) and len(names) <= 1:
        anomalies[Anomaly.TOKEN_WITHOUT_IMAGE] += len(asking)
        return tuple(_slot(position, "", token) for position, token in enumerate(asking))
    if len(tokens) == len(names):
        matched: list[Token | None] = [*tokens]
    else:
        if tokens:
            anomalies[Anomaly.TOKENS_DIFFER_FROM_IMAGES] += 1
        matched = [*asking[: len(names)], *[None] * (len(names) - len(asking))]
        anomalies[Anomaly.TOKEN_WITHOUT_IMAGE] += max(0, len(asking) - len(names))
    slots = tuple(
        _slot(position, name or "", token)
        for position, (name, token) in enumerate(zip(names, matched, strict=True))
    )
    for slot in slots:
        anomalies[Anomaly.TOKEN_WITHOUT_IMAGE] += slot.kind != "" and slot.never_made
        anomalies[Anomaly.MARKUP_AS_TOKEN] += slot.offset is not None and not slot.kind
    return slots


def _slot(position: int, name: str, token: Token | None) -> Slot:
    if token is None:
        return Slot(position, name, never_made=not name)
    return Slot(position, name, not name, token.offset, token.length, token.kind, token.caption)


def count_tokens(text: str, anomalies: Counter[Anomaly], *, in_prompt: bool = False) -> None:
    """Count kinds other than Image, tokens without an end, and tokens of a prompt."""
    asking = [token for token in tokens_of(text) if token.kind]
    anomalies[Anomaly.OTHER_KIND] += sum(
        token.kind.lower() not in {"image", "images"} for token in asking
    )
    anomalies[Anomaly.UNCLOSED_TOKEN] += sum(
        match["kind"].split()[0].lower() in KNOWN_KINDS for match in _UNCLOSED.finditer(text)
    )
    if in_prompt:
        anomalies[Anomaly.TOKEN_IN_PROMPT] += bool(asking)
