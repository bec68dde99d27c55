"""The canonical pair record: one judged item with two sides, complete, from which every other
training format is projected.

One record is one line of JSON: sorted keys, UTF-8, LF, no locale, no clock, and nothing that only
this installation knows (no row id, no public id). So the same snapshot gives the same bytes for
ever and on every database.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

SCHEMA = "intermt-annotate/pair/1"

Side = Literal["response_1", "response_2"]
SIDES: tuple[Side, Side] = ("response_1", "response_2")

# Line separators that are legal inside a JSON string and still split lines in careless readers.
_SPLITTERS = str.maketrans({"\u0085": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"})


class MalformedPair(ValueError):
    """A line that is not a canonical pair record."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a message: text, or one image slot at its place.

    The `text` of an image part is the token that stood in the raw text at this place, empty where
    there was none. Joining the `text` of all parts gives back the whole text.
    """

    type: Literal["text", "image"]
    text: str
    image: str | None = None  # "sha256:" and the hash of the original file
    slot: int | None = None  # position in the picture list of the prompt or response, from 0
    state: str | None = None  # stored, never_made, missing, broken, withdrawn


@dataclass(frozen=True, slots=True)
class Message:
    """One prompt or response; `node` is its content key, `turn` its depth from 1."""

    role: Literal["user", "assistant"]
    node: str
    turn: int
    content: tuple[Part, ...]
    model: str | None = None  # who made a response, where the file said so


@dataclass(frozen=True, slots=True)
class SlotPlace:
    """Where a slot stands in a raw text: `offset` in code points, None for after the text.

    `is_token` is false where what stands there asks for no picture (`<sup>`) and stays text.
    """

    number: int
    state: str
    image: str | None
    offset: int | None = None
    length: int = 0
    is_token: bool = True


@dataclass(frozen=True, slots=True)
class PairRating:
    """One answer about one thing; `side` is "both" where the response is shared by the two."""

    response: str
    side: Literal["response_1", "response_2", "both"]
    turn: int
    level: Literal["local", "global"]
    dimension: str
    score: int | None
    not_applicable: bool = False
    in_order: bool = True  # False: the score point stands outside the order
    origin: str = "given"  # given, by_rule, proposed, carried
    reason: str = ""
    tags: tuple[str, ...] = ()

    @property
    def is_ordinal(self) -> bool:
        """Say whether the score may be compared with others of its dimension."""
        return self.score is not None and self.in_order and self.origin != "by_rule"


@dataclass(frozen=True, slots=True)
class PairPreference:
    """Which side one person preferred on one dimension, or overall."""

    dimension: str  # the dimension's key, "overall", or "fork": the two answers at the fork alone
    outcome: Literal["prefers", "tie", "both_bad"]
    preferred: Side | None = None
    strength: int | None = None


@dataclass(frozen=True, slots=True)
class PairRemark:
    """A critique, refinement, rationale or image remark, in the words of its author."""

    kind: str
    text: str
    language: str = ""
    response: str | None = None
    slot: int | None = None


@dataclass(frozen=True, slots=True)
class PairJudgment:
    """What one person submitted on the item. `letters` says what A and B meant to them."""

    annotator: str
    number: int
    revision: int
    cause: str
    purpose: str
    shown_first: Side
    letters: Mapping[str, Side]
    guideline: int | None
    language: str
    submitted_at: str
    active_ms: int | None = None
    preferences: tuple[PairPreference, ...] = ()
    ratings: tuple[PairRating, ...] = ()
    remarks: tuple[PairRemark, ...] = ()


@dataclass(frozen=True, slots=True)
class PairAggregate:
    """What the people together decided on one dimension (`annotation.formats.aggregate`)."""

    dimension: str
    method: str
    outcome: str
    preferred: Side | None
    n: int
    counts: Mapping[str, int]
    decided_by: str
    strength: float | None = None
    gap: float | None = None


@dataclass(frozen=True, slots=True)
class PairImage:
    """A picture of the record; `path` is relative to the folder of the export."""

    image: str
    path: str
    mime: str
    width: int | None
    height: int | None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class PairMark:
    """What the dialogue is said to show, and by whom: `file`, `words` or `report`.

    `node` and `slot` name the picture that is meant; None: the whole dialogue. The picture may
    stand in a part of the dialogue that this record does not hold.
    """

    category: str
    origin: str
    node: str | None = None
    slot: int | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """One item with two sides.

    `prompt` holds what both sides share, up to where they part; `sides` all that follows, which
    begins with a user message where the paths part at a prompt.
    """

    pair: str
    project: str
    batch: str
    kind: str
    dialogue: str
    rubric: str
    prompt: tuple[Message, ...]
    sides: Mapping[Side, tuple[Message, ...]]
    judgments: tuple[PairJudgment, ...]
    images: tuple[PairImage, ...] = ()
    marks: tuple[PairMark, ...] = ()
    order: tuple[Side, ...] = SIDES
    split: str | None = None
    aggregates: tuple[PairAggregate, ...] = ()
    schema: str = SCHEMA


def pair_key(
    *, batch: str, kind: str, rubric: str, dialogue: str, response_1: str, response_2: str
) -> str:
    """Return the key by which one item is known in every export, made from its content alone."""
    told = "\n".join([SCHEMA, batch, kind, rubric, dialogue, response_1, response_2])
    return "sha256:" + hashlib.sha256(told.encode()).hexdigest()


def drawn_order(pair: str, *, seed: int) -> tuple[Side, Side]:
    """Draw which side comes first for trainers that show two responses; equal odds, per seed.

    The item's own order is fixed by content, so a judge trained on it would learn that order.
    """
    coin = hashlib.sha256(f"order/{seed}/{pair}".encode()).digest()[0] & 1
    return (SIDES[1], SIDES[0]) if coin else SIDES


def interleaved(
    text: str, slots: Iterable[SlotPlace], *, clean: Callable[[str], str] | None = None
) -> tuple[Part, ...]:
    """Cut a text at its image tokens; slots without a place follow after the text.

    Offsets that overlap an earlier token or leave the text are taken as no place at all, so that
    no character is ever written twice or lost. `clean`, where given, is what readers were shown;
    where it would swallow the place of a picture the text stays as it came.
    """
    placed: list[SlotPlace] = []
    trailing: list[SlotPlace] = []
    end = 0
    for slot in sorted(slots, key=lambda s: (s.offset is None, s.offset or 0, s.number)):
        if slot.offset is not None and end <= slot.offset <= len(text) - slot.length:
            placed.append(slot)
            end = slot.offset + slot.length
        else:
            trailing.append(slot)

    pieces, tokens = _cut(text, placed)
    if clean is not None:
        pieces = _cleaned(pieces, clean)
    parts: list[Part] = []
    for slot, before, token in zip(placed, pieces, tokens, strict=False):
        parts += [Part("text", before)] if before else []
        parts.append(_image_part(slot, token))
    parts += [Part("text", pieces[-1])] if pieces[-1] else []
    parts.extend(_image_part(slot, "") for slot in sorted(trailing, key=lambda s: s.number))
    return tuple(parts)


def marks_in_words(marks: Iterable[PairMark]) -> str:
    """Return `disaster (file), injury (words)`: each category and origin once, "" without any."""
    told = dict.fromkeys(f"{mark.category} ({mark.origin})" for mark in marks)
    return ", ".join(sorted(told))


def plain_text(message: Message) -> str:
    """Return the text of a message with its image tokens where they stood."""
    return "".join(part.text for part in message.content)


def stored_images(messages: Iterable[Message]) -> list[str]:
    """Return the keys of the pictures that are there, in reading order, repeats included."""
    return [
        part.image
        for message in messages
        for part in message.content
        if part.type == "image" and part.state == "stored" and part.image is not None
    ]


def same_content(left: Iterable[Message], right: Iterable[Message]) -> bool:
    """Say whether two sides read alike: the same texts and the same pictures, in order."""
    return [_seen(message) for message in left] == [_seen(message) for message in right]


def canonical_json(value: object) -> str:
    """Return `value` as one line of JSON that is the same on every machine.

    Sorted keys, no blanks, no NaN, floats in Python's shortest form that reads back the same.
    """
    line = json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return line.translate(_SPLITTERS)


def canonical_line(value: object) -> bytes:
    """Return `value` as the bytes of one JSONL line, with its LF."""
    return (canonical_json(value) + "\n").encode("utf-8")


def pair_as_dict(pair: Pair) -> dict[str, Any]:
    """Return the record as plain JSON values, every key present."""
    told: dict[str, Any] = _plain(pair)
    return told


def pair_line(pair: Pair) -> bytes:
    """Return the record as one canonical line."""
    return canonical_line(pair_as_dict(pair))


def pair_digest(pair: Pair) -> str:
    """Return the hash of everything the people and the files said, without what an export chose.

    Two exports of unchanged evidence have equal digests whatever their seed, split or policy.
    """
    told = pair_as_dict(pair) | {"split": None, "order": list(SIDES), "aggregates": []}
    if not pair.marks:
        del told["marks"]  # as records had it that knew of none
    return hashlib.sha256(canonical_json(told).encode()).hexdigest()


def parse_pair(line: str | bytes) -> Pair:
    """Read one canonical line back; raise `MalformedPair` for anything else."""
    try:
        record = _of_schema(json.loads(line))
        return Pair(
            **{
                **record,
                "prompt": _messages(record["prompt"]),
                "sides": {side: _messages(record["sides"][side]) for side in SIDES},
                "judgments": tuple(_judgment(entry) for entry in record["judgments"]),
                "images": tuple(PairImage(**entry) for entry in record["images"]),
                "marks": tuple(PairMark(**entry) for entry in record.get("marks", ())),
                "aggregates": tuple(PairAggregate(**entry) for entry in record["aggregates"]),
                "order": tuple(record["order"]),
            }
        )
    except MalformedPair:
        raise
    except (KeyError, TypeError, ValueError) as reason:
        raise MalformedPair(f"not a canonical pair record: {reason}") from reason


def parse_pairs(lines: Iterable[str | bytes]) -> Iterator[Pair]:
    """Read canonical lines one by one; `MalformedPair` names the line."""
    for number, line in enumerate(lines, start=1):
        try:
            yield parse_pair(line)
        except MalformedPair as reason:
            raise MalformedPair(f"line {number}: {reason}") from reason


def _cut(text: str, placed: Iterable[SlotPlace]) -> tuple[list[str], list[str]]:
    """Return the texts around the slots, one more than there are slots, and the slots' tokens."""
    pieces, tokens, here = [], [], 0
    for slot in placed:
        offset = slot.offset or 0
        end = offset + slot.length
        # Markup that a generator took for a wish keeps its picture and stays text.
        pieces.append(text[here : offset if slot.is_token else end])
        tokens.append(text[offset:end] if slot.is_token else "")
        here = end
    return [*pieces, text[here:]], tokens


def _cleaned(pieces: list[str], clean: Callable[[str], str]) -> list[str]:
    whole = "".join(pieces)
    mark = next(sign for sign in map(chr, range(0xE000, 0xF900)) if sign not in whole)
    cleaned = clean(mark.join(pieces)).split(mark)
    return cleaned if len(cleaned) == len(pieces) else pieces


def _plain(value: Any) -> Any:
    """Return dataclasses as dicts and tuples as lists; as `asdict`, without copying what is plain."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return {name: _plain(getattr(value, name)) for name in value.__slots__}


def _image_part(slot: SlotPlace, token: str) -> Part:
    image = slot.image if slot.state == "stored" else None
    return Part("image", token, image=image, slot=slot.number, state=slot.state)


def _seen(message: Message) -> list[tuple[str, str | None]]:
    return [(message.role, None)] + [(part.text, part.image) for part in message.content]


def _of_schema(record: dict[str, Any]) -> dict[str, Any]:
    if record["schema"] != SCHEMA:
        raise MalformedPair(f"schema is {record['schema']!r}, expected {SCHEMA!r}")
    return record


def _messages(entries: list[dict[str, Any]]) -> tuple[Message, ...]:
    return tuple(
        Message(**{**entry, "content": tuple(Part(**part) for part in entry["content"])})
        for entry in entries
    )


def _judgment(entry: dict[str, Any]) -> PairJudgment:
    return PairJudgment(
        **{
            **entry,
            "preferences": tuple(PairPreference(**row) for row in entry["preferences"]),
            "ratings": tuple(
                PairRating(**{**row, "tags": tuple(row["tags"])}) for row in entry["ratings"]
            ),
            "remarks": tuple(PairRemark(**row) for row in entry["remarks"]),
        }
    )
