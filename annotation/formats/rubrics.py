"""A rubric as a file: `{"format": "intermt-annotate-rubric/1", "slug", "version", "title", "dimensions"}`.

- TEXTS: `{language: text}`, English at least; everything a person reads is one.
- A dimension: `key`, `level` (`local` or `global`), `name`, `question`, `points`; optionally
  `code`, `short_name`, `guidance` (a list of TEXTS), `image_rule` (`none`, `answer`,
  `conversation`), `tags` (`[{"key", "shortcut", "name"}]`), `reason` (a rule as
  `choices.ReasonRule` reads it) and `automatic` (`{"when": "images_on_one_turn", "score": N}`).
- A point: `score`, `word`, `meaning`, and `in_order`, false for one outside the scale's order.

`fixtures/intermt_rubric.json` is one. The order of the dimensions is that of the screen.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from annotation.choices import ImageRule, Level, ReasonRule
from annotation.formats.fields import At, decode
from annotation.formats.records import Unfit

FORMAT = "intermt-annotate-rubric/1"
FEWEST_POINTS, MOST_POINTS = 2, 11
LOWEST, HIGHEST = -1, 10
ENGLISH = "en"
AUTOMATIC = ("images_on_one_turn",)

_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SHORTCUT = re.compile(r"[a-z]?")

Texts = dict[str, str]


@dataclass(frozen=True, slots=True)
class PointGiven:
    """One score with its word and meaning."""

    score: int
    word: Texts
    meaning: Texts
    in_order: bool


@dataclass(frozen=True, slots=True)
class DimensionGiven:
    """One dimension, its points in the order of their scores."""

    key: str
    code: str
    level: Level
    image_rule: ImageRule
    name: Texts
    short_name: Texts
    question: Texts
    guidance: tuple[Texts, ...]
    points: tuple[PointGiven, ...]
    tags: tuple[dict[str, Any], ...]
    reason: str
    automatic: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class RubricGiven:
    """A whole rubric. `digest`: SHA-256 of its content without the version."""

    slug: str
    version: int
    title: Texts
    dimensions: tuple[DimensionGiven, ...]
    digest: str


def read_rubric(data: bytes) -> RubricGiven:
    """Return the rubric that a file's bytes hold.

    :raises Unfit: with the path of the first thing that is wrong.
    """
    at = At(decode(data))
    if at.needed("format").value != FORMAT:
        raise Unfit("format", f"is not {FORMAT}")
    version = at.needed("version").whole()
    if not 1 <= version <= 32767:
        raise Unfit("version", "is not between 1 and 32767")
    dimensions = tuple(_dimension(one) for one in at.needed("dimensions").items(at_least=1))
    must_differ([one.key for one in dimensions], "dimensions", "key")
    content = {name: value for name, value in at.value.items() if name != "version"}
    plain = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return RubricGiven(
        slug=_slug(at.needed("slug")),
        version=version,
        title=texts_by_language(at.needed("title")),
        dimensions=dimensions,
        digest=hashlib.sha256(plain.encode()).hexdigest(),
    )


def _dimension(at: At) -> DimensionGiven:
    points = tuple(
        sorted((_point(one) for one in at.needed("points").items()), key=lambda one: one.score)
    )
    must_differ([one.score for one in points], f"{at.path}.points", "score")
    ordered = sum(one.in_order for one in points)
    if not FEWEST_POINTS <= ordered <= MOST_POINTS:
        raise Unfit(
            f"{at.path}.points",
            f"holds {ordered} points in order; {FEWEST_POINTS} to {MOST_POINTS} are needed",
        )
    tags = tuple(_tag(one) for one in at.child("tags").items()) if at.has("tags") else ()
    must_differ([one["key"] for one in tags], f"{at.path}.tags", "key")
    must_differ([key for one in tags if (key := one["shortcut"])], f"{at.path}.tags", "shortcut")
    name = texts_by_language(at.needed("name"))
    return DimensionGiven(
        key=_slug(at.needed("key")),
        code=at.child("code").optional_text(at_most=8),
        level=Level(_one_of(at.needed("level"), tuple(Level))),
        image_rule=(
            ImageRule(_one_of(at.child("image_rule"), tuple(ImageRule)))
            if at.has("image_rule")
            else ImageRule.NONE
        ),
        name=name,
        short_name=texts_by_language(at.child("short_name")) if at.has("short_name") else name,
        question=texts_by_language(at.needed("question")),
        guidance=(
            tuple(texts_by_language(one) for one in at.child("guidance").items())
            if at.has("guidance")
            else ()
        ),
        points=points,
        tags=tags,
        reason=_reason(at.child("reason")),
        automatic=_automatic(at.child("automatic"), [one.score for one in points]),
    )


def _point(at: At) -> PointGiven:
    score = at.needed("score").whole()
    if not LOWEST <= score <= HIGHEST:
        raise Unfit(f"{at.path}.score", f"is not between {LOWEST} and {HIGHEST}")
    return PointGiven(
        score=score,
        word=texts_by_language(at.needed("word")),
        meaning=texts_by_language(at.needed("meaning")),
        in_order=at.child("in_order").flag() if at.has("in_order") else True,
    )


def _tag(at: At) -> dict[str, Any]:
    shortcut = at.child("shortcut").optional_text()
    if not _SHORTCUT.fullmatch(shortcut):
        raise Unfit(f"{at.path}.shortcut", "should be one small letter")
    return {
        "key": _slug(at.needed("key")),
        "shortcut": shortcut,
        "name": texts_by_language(at.needed("name")),
    }


def _reason(at: At) -> str:
    text = at.optional_text(at_most=100) or "never"
    try:
        return str(ReasonRule.parse(text))
    except ValueError as error:
        raise at.unfit(str(error)) from None


def _automatic(at: At, scores: list[int]) -> dict[str, Any] | None:
    if at.value is None:
        return None
    when = _one_of(at.needed("when"), AUTOMATIC)
    score = at.needed("score").whole()
    if score not in scores:
        raise Unfit(f"{at.path}.score", "is no point of the scale")
    return {"when": when, "score": score}


def _slug(at: At) -> str:
    text = at.text()
    if not _SLUG.fullmatch(text):
        raise at.unfit("should be small letters, digits, - and _, at most 64")
    return text


def texts_by_language(at: At) -> Texts:
    """Return {language: text} as it stands; English is needed."""
    texts = {language: at.child(language).text() for language in at.object().value}
    if not texts.get(ENGLISH, "").strip():
        raise at.unfit("has no English text")
    return texts


def _one_of(at: At, words: tuple[str, ...]) -> str:
    text = at.text()
    if text not in words:
        raise at.unfit(f"should be one of {', '.join(words)}")
    return text


def must_differ(values: list[Any], path: str, what: str) -> None:
    """Raise `Unfit` where a value stands twice."""
    for value in values:
        if values.count(value) > 1:
            raise Unfit(path, f"the {what} {value} stands twice")
