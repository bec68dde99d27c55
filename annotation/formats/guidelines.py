"""A guideline as one Markdown text, and the notes it has learned.

The text on each dimension stands under a first-level heading that is the dimension's key, as in
`# visual_perceptual_quality`; what stands before the first such heading is for all of them.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

_KEY = re.compile(r"^#[ \t]+(?P<key>[a-z0-9_]+)[ \t]*#*[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(?:```|~~~)")


class GuidelineFault(ValueError):
    """The text cannot be read; `str()` says where and why."""


@dataclass(frozen=True, slots=True)
class GuidelineText:
    """What one language of a version says.

    :ivar text: Markdown, on everything.
    :ivar by_dimension: dimension key -> Markdown.
    """

    text: str
    by_dimension: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Note:
    """What a question taught: a dated word under a dimension, with the item it came from.

    :ivar number: the version in which it came.
    :ivar dimension: a dimension's key, or "" for a word on everything.
    :ivar text: Markdown.
    :ivar language: the language it is written in, or "".
    :ivar item: the public id of the example, or "".
    :ivar shown_first: the side (1 or 2) that the note calls A.
    :ivar at: when it was written.
    """

    number: int
    dimension: str
    text: str
    language: str
    item: str
    shown_first: int
    at: datetime

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values; `from_json` gives the same note back."""
        return asdict(self) | {"at": self.at.isoformat()}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        return cls(**{**body, "at": datetime.fromisoformat(body["at"])})


def read_guideline(source: str, *, keys: Collection[str]) -> GuidelineText:
    """Return the parts of a guideline's text.

    :param keys: the dimensions there are.
    :raises GuidelineFault: where a heading looks like a dimension's key and is none, or is there
        twice.
    """
    parts: dict[str, list[str]] = {"": []}
    here = ""
    fenced = False
    for number, line in enumerate(source.replace("\r\n", "\n").split("\n"), start=1):
        fenced ^= bool(_FENCE.match(line))
        heading = None if fenced else _KEY.match(line)
        if heading is None or (heading["key"] not in keys and "_" not in heading["key"]):
            parts[here].append(line)
            continue
        here = heading["key"]
        if here not in keys:
            known = ", ".join(sorted(keys)) or "none"
            raise GuidelineFault(f"Line {number}: there is no dimension {here}. Known: {known}.")
        if here in parts:
            raise GuidelineFault(f"Line {number}: {here} has a part already.")
        parts[here] = []
    texts = {key: "\n".join(lines).strip() for key, lines in parts.items()}
    general = texts.pop("")
    return GuidelineText(general, {key: text for key, text in texts.items() if text})


def write_guideline(text: str, by_dimension: Mapping[str, str]) -> str:
    """Return the parts as one text, which `read_guideline` takes apart again."""
    parts = [text.strip(), *(f"# {key}\n\n{own.strip()}" for key, own in by_dimension.items())]
    return "\n\n".join(part for part in parts if part)
