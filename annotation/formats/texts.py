"""What is odd in the texts, picture lists and reasons of a record. Counts only; changes nothing."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from annotation.formats.records import (
    Anomaly,
    Prompt,
    Record,
    Response,
    Score,
    Source,
    Turn,
)
from annotation.formats.slots import count_tokens, slots_of

MANY = 9
_ROLE = re.compile(r"^\s*(?:\*\*)?(?:User|Assistant|AI|Human|System)(?:\*\*)?\s*:", re.MULTILINE)
_OUTPUT_MARKER = re.compile(r"\[\[OUTPUT_\d+\]\]")
_REFERENCE = re.compile(r"</?ref\b[^<>]*>")
_BEYOND_BMP = re.compile("[\U00010000-\U0010ffff]")
_CHINESE = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_NUMBERS = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
]
_ORDINALS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
]
_VALUES = {word: value for words in (_NUMBERS, _ORDINALS) for value, word in enumerate(words, 1)}
_COUNT = rf"(?:\d{{1,3}}|{'|'.join(reversed(_NUMBERS))})"
_STEPS = re.compile(
    rf"\bsteps?\s+(?P<from>{_COUNT})\b(?:\s*(?:to|through|-|–|and)\s*(?P<to>{_COUNT})\b)?"
    rf"|\b(?P<nth>\d{{1,3}}(?=st|nd|rd|th)|{'|'.join(reversed(_ORDINALS))})(?:st|nd|rd|th)?\s+steps?\b",
    re.IGNORECASE,
)
_ROOTED = re.compile(r"^(?:[/\\]|[A-Za-z]:[/\\])")


def prompt_of(
    text: str,
    names: Sequence[str | None],
    anomalies: Counter[Anomaly],
    *,
    external_id: str = "",
) -> Prompt:
    """Return a prompt with its slots; what is odd is counted in `anomalies`."""
    anomalies[Anomaly.STRAY_BRACKETS] += text.rstrip().endswith("]]") and "[[" not in text
    anomalies[Anomaly.FOLLOW_UP_WRAPPER] += "[[Follow-up]]" in text
    anomalies[Anomaly.EMPTY_PROMPT] += not text.strip()
    anomalies[Anomaly.NO_NODE_ID] += not external_id
    count_tokens(text, anomalies, in_prompt=True)
    _count_text(text, anomalies)
    return Prompt(text, tuple(names), slots_of(text, names, anomalies), external_id)


def response_of(
    text: str,
    names: Sequence[str | None],
    anomalies: Counter[Anomaly],
    *,
    external_id: str = "",
    source: Source | None = None,
) -> Response:
    """Return a response with its slots; what is odd is counted in `anomalies`."""
    stripped = text.strip()
    anomalies[Anomaly.BRACKETS_AFTER_RESPONSE] += stripped.endswith("]]")
    anomalies[Anomaly.EMPTY_RESPONSE] += not stripped
    anomalies[Anomaly.TRIVIAL_RESPONSE] += 0 < len(stripped) <= 4
    anomalies[Anomaly.OUTER_WHITESPACE] += stripped != text
    anomalies[Anomaly.NO_NODE_ID] += not external_id
    count_tokens(text, anomalies)
    _count_text(text, anomalies)
    slots = slots_of(text, names, anomalies)
    anomalies[Anomaly.IMAGE_WITHOUT_TOKEN] += sum(
        slot.offset is None and not slot.never_made for slot in slots
    )
    return Response(text, tuple(names), slots, external_id, source or Source())


def _count_text(text: str, anomalies: Counter[Anomaly]) -> None:
    anomalies[Anomaly.OUTPUT_MARKER] += bool(_OUTPUT_MARKER.search(text))
    anomalies[Anomaly.ROLE_IN_TEXT] += bool(_ROLE.search(text))
    anomalies[Anomaly.REFERENCE_LEFTOVER] += bool(_REFERENCE.search(text))
    anomalies[Anomaly.BEYOND_BMP] += bool(_BEYOND_BMP.search(text))
    anomalies[Anomaly.NO_BREAK_SPACE] += "\u00a0" in text


def count_names(names: Sequence[str | None], anomalies: Counter[Anomaly]) -> None:
    """Count how a picture list is written down: its two ways to be empty, and odd names."""
    if not names:
        anomalies[Anomaly.NO_IMAGE_AS_EMPTY_LIST] += 1
    elif len(names) == 1 and not names[0]:
        anomalies[Anomaly.NO_IMAGE_AS_BLANK] += 1
    else:
        anomalies[Anomaly.BLANK_AMONG_IMAGES] += sum(not name for name in names)
    anomalies[Anomaly.MANY_IMAGES] += len(names) > MANY
    for name in names:
        anomalies[Anomaly.ABSOLUTE_NAME] += bool(name and _ROOTED.match(name))
        anomalies[Anomaly.NAME_WITH_PARENT] += bool(
            name and ".." in name.replace("\\", "/").split("/")
        )


def steps_named(reason: str) -> int | None:
    """Return the highest step that a reason names: "from step 1 to step 5", "the fifth step"."""
    named = (word for match in _STEPS.finditer(reason) for word in match.groups() if word)
    return max((_value(word) for word in named), default=None)


def _value(word: str) -> int:
    return int(word) if word.isdigit() else _VALUES[word.lower()]


def score_of(
    dimension: str,
    turn: int | None,
    score: int | None,
    reason: str,
    *,
    not_applicable: bool = False,
) -> Score:
    """Return a score with the number of steps that its reason names."""
    named = steps_named(reason) if turn is None else None
    return Score(dimension, turn, score, reason, not_applicable, named)


def finished(record: Record, anomalies: Counter[Anomaly]) -> Record:
    """Return the record with what is odd in it as a whole, and all counts above zero."""
    _count_repeats(record.turns, anomalies)
    _count_reasons(record.scores, len(record.turns), anomalies)
    return replace(record, anomalies=_above_zero(anomalies))


def _above_zero(anomalies: Counter[Anomaly]) -> Mapping[Anomaly, int]:
    return {code: count for code, count in sorted(anomalies.items()) if count > 0}


def _count_repeats(turns: Sequence[Turn], anomalies: Counter[Anomaly]) -> None:
    texts = [turn.response.text for turn in turns]
    anomalies[Anomaly.SAME_RESPONSE_AGAIN] += len(texts) - len(set(texts))


def _count_reasons(scores: Sequence[Score], turns: int, anomalies: Counter[Anomaly]) -> None:
    by_dimension: dict[str, list[Score]] = {}
    for score in scores:
        by_dimension.setdefault(score.dimension, []).append(score)
        anomalies[Anomaly.REASON_WITH_CHINESE] += bool(_CHINESE.search(score.reason))
        anomalies[Anomaly.REASON_OUTER_WHITESPACE] += score.reason.strip() != score.reason
        if score.named_steps is not None:
            anomalies[Anomaly.REASON_NAMES_MORE_STEPS] += score.named_steps > turns
            anomalies[Anomaly.REASON_NAMES_FEWER_STEPS] += score.named_steps < turns
    for together in by_dimension.values():
        reasons = [score.reason for score in together if score.reason.strip()]
        anomalies[Anomaly.REASON_REPEATED] += len(reasons) - len(set(reasons))
        values = {score.score for score in together}
        anomalies[Anomaly.ONE_SCORE_THROUGHOUT] += len(together) >= 3 and len(values) == 1
