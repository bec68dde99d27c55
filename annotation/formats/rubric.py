"""Rubrics as files: `intermt-annotate-rubric/1`, any number of dimensions, 2 to 11 points.

    {"format": "intermt-annotate-rubric/1", "slug": "...", "version": 1, "title": {LANG: TEXT},
     "dimensions": [{"key", "code", "level": "local" | "global",
                     "image_rule": "none" | "answer" | "conversation",
                     "name": {LANG: TEXT}, "short_name", "question", "guidance": [{LANG: TEXT}],
                     "points": [{"score", "word", "meaning", "in_order": true}],
                     "tags": [{"key", "shortcut", "name"}], "reason": "always",
                     "automatic": {"when": "images_on_one_turn", "score": 3} | null}]}

Texts are in any languages; English ("en") must be among them.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from annotation.choices import ImageRule, Level, ReasonRule

FORMAT = "intermt-annotate-rubric/1"
LOWEST, HIGHEST = -1, 10
FEWEST_POINTS, MOST_POINTS = 2, 11
AUTOMATIC_RULES = ("images_on_one_turn",)

_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")

Text = Mapping[str, str]


class BadRubric(ValueError):
    """A rubric file that cannot be taken; `problems` names each place and what is wrong there."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class RubricFile:
    """A checked rubric, its dimensions as the file has them, and the SHA-256 of its meaning."""

    slug: str
    version: int
    title: Text
    dimensions: tuple[Mapping[str, Any], ...]
    digest: str


def parse_rubric(content: str | bytes) -> RubricFile:
    """Read and check a rubric file.

    :raises BadRubric: naming every problem at once.
    """
    try:
        body = json.loads(content)
    except ValueError as error:
        raise BadRubric([f"no JSON: {error}"]) from None
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise BadRubric([f'"format" must be "{FORMAT}"'])
    problems = list(_problems(body))
    if problems:
        raise BadRubric(problems)
    meaning = {name: body[name] for name in ("slug", "title", "dimensions")}
    canonical = json.dumps(meaning, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return RubricFile(
        slug=body["slug"],
        version=body["version"],
        title=body["title"],
        dimensions=tuple(body["dimensions"]),
        digest=hashlib.sha256(canonical.encode()).hexdigest(),
    )


def _problems(body: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(body.get("slug"), str) or not _SLUG.fullmatch(body["slug"]):
        yield '"slug" must be lower-case letters, digits, - and _'
    version = body.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        yield '"version" must be a whole number from 1'
    yield from _text_problems(body.get("title"), "title")
    dimensions = body.get("dimensions")
    if not isinstance(dimensions, list) or not dimensions:
        yield '"dimensions" must be a list of at least one'
        return
    seen: set[str] = set()
    for number, dimension in enumerate(dimensions):
        place = f"dimensions[{number}]"
        if not isinstance(dimension, dict):
            yield f"{place} must be an object"
            continue
        key = dimension.get("key")
        if not isinstance(key, str) or not _SLUG.fullmatch(key):
            yield f"{place}.key must be lower-case letters, digits, - and _"
        elif key in seen:
            yield f"{place}.key {key!r} stands twice"
        else:
            seen.add(key)
        yield from _dimension_problems(dimension, place)


def _dimension_problems(dimension: Mapping[str, Any], place: str) -> Iterator[str]:
    if dimension.get("level") not in list(Level):
        yield f"{place}.level must be local or global"
    if dimension.get("image_rule", ImageRule.NONE) not in list(ImageRule):
        yield f"{place}.image_rule must be one of {', '.join(ImageRule)}"
    for name in ("name", "short_name", "question"):
        yield from _text_problems(dimension.get(name), f"{place}.{name}")
    for number, text in enumerate(dimension.get("guidance") or []):
        yield from _text_problems(text, f"{place}.guidance[{number}]")
    try:
        ReasonRule.parse(str(dimension.get("reason", "never")))
    except ValueError as error:
        yield f"{place}.reason: {error}"
    yield from _point_problems(dimension, place)
    keys: set[str] = set()
    for number, tag in enumerate(dimension.get("tags") or []):
        if not isinstance(tag, dict) or not isinstance(tag.get("key"), str) or tag["key"] in keys:
            yield f"{place}.tags[{number}] needs a key of its own"
            continue
        keys.add(tag["key"])
        yield from _text_problems(tag.get("name"), f"{place}.tags[{number}].name")


def _point_problems(dimension: Mapping[str, Any], place: str) -> Iterator[str]:
    points = dimension.get("points")
    if not isinstance(points, list) or not FEWEST_POINTS <= len(points) <= MOST_POINTS:
        yield f"{place}.points must be a list of {FEWEST_POINTS} to {MOST_POINTS}"
        return
    scores: set[int] = set()
    for number, point in enumerate(points):
        at = f"{place}.points[{number}]"
        score = point.get("score") if isinstance(point, dict) else None
        if not isinstance(score, int) or isinstance(score, bool) or not LOWEST <= score <= HIGHEST:
            yield f"{at}.score must be a whole number from {LOWEST} to {HIGHEST}"
            continue
        if score in scores:
            yield f"{at}.score {score} stands twice"
        scores.add(score)
        if not isinstance(point.get("in_order", True), bool):
            yield f"{at}.in_order must be true or false"
        yield from _text_problems(point.get("word"), f"{at}.word")
        yield from _text_problems(point.get("meaning"), f"{at}.meaning")
    automatic = dimension.get("automatic")
    if automatic is not None and (
        not isinstance(automatic, dict)
        or automatic.get("when") not in AUTOMATIC_RULES
        or automatic.get("score") not in scores
    ):
        yield (
            f"{place}.automatic must be null or "
            f'{{"when": "{AUTOMATIC_RULES[0]}", "score": one of the points}}'
        )


def _text_problems(value: object, place: str) -> Iterator[str]:
    fits = (
        isinstance(value, dict)
        and bool(value.get("en"))
        and all(isinstance(text, str) for text in value.values())
    )
    if not fits:
        yield f'{place} must be texts by language, "en" among them'
