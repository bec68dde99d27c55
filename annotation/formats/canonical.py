"""Our own format ``intermt-annotate/1``: one object a dialogue, a whole tree or one path of it.

Lines of JSON, a JSON list, or ``{"format": "intermt-annotate/1", "dialogues": [...]}``; also one
object alone. Everything but texts is optional; ``docs/canonical-format.md`` has examples.

A path::

    {"format": "intermt-annotate/1", "id": "d7", "turns": [{"prompt": NODE, "response": NODE}],
     "scores": SCORES}

A tree::

    {"format": "intermt-annotate/1", "id": "d8",
     "prompt": {..NODE.., "responses": [{..NODE.., "prompts": [{..}], "end": true}]},
     "preferences": [{"first": "a1", "second": "a2", "level": "turn", "outcome": "first"}]}

- Either may have ``title``, ``task``, ``source``, ``language``, ``marks`` (a list of words such as
  ``sensitive``); a path also ``dialogue_id``, the id of its tree.
- NODE: a text, or ``{"id", "text", "images": [IMAGE]}``. A response may have ``model``, ``tool``,
  ``sampling`` (what made it) and ``scores`` (local: of this response). In a tree it may have
  ``path_scores`` (global: of the path that ends here) and ``end`` (a conversation ended here,
  though others go on); a leaf is always an end.
- IMAGE: a path relative to the file's folder; null: an image was announced and never made; or
  ``{"path", "caption", "kind", "offset", "length", "marks"}``. Where offset or caption are absent
  they come from the text: image i belongs to its i-th ``<...>``.
- SCORES: ``{dimension: SCORE}``; SCORE: a whole number, or ``{"score", "reason",
  "not_applicable"}``. Null is no score.
- A preference names two responses by id: with ``level`` ``turn`` two answers to one prompt, with
  ``conversation`` two ends. ``outcome`` is ``first``, ``second``, ``tie`` or ``both_bad``;
  ``dimension`` is a key, or absent for the overall preference; ``strength`` 1 or 2; ``reason``.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from annotation.formats.fields import At
from annotation.formats.reading import alone, count_unknown, each
from annotation.formats.records import (
    MOST_ID,
    MOST_KIND,
    MOST_LABEL,
    MOST_LANGUAGE,
    MOST_PICTURES,
    MOST_TASK,
    MOST_TURNS,
    Anomaly,
    Entry,
    Preference,
    Prompt,
    Record,
    Refused,
    Response,
    Score,
    Slot,
    Source,
    Turn,
    Unfit,
)
from annotation.formats.stream import Piece
from annotation.formats.texts import count_names, finished, prompt_of, response_of, score_of

NAME = "canonical"
FORMAT = "intermt-annotate/1"
LOOKED_FOR = f'objects with "format": "{FORMAT}" and "turns" or "prompt"'

_ABOUT = ["format", "id", "title", "task", "source", "language", "marks"]
_NODE = ["id", "text", "images"]
_MADE_BY = ["model", "tool", "sampling", "scores"]
_IMAGE = ["path", "caption", "kind", "offset", "length", "marks"]
_PREFERENCE = ["first", "second", "level", "dimension", "outcome", "strength", "reason"]
_OUTCOMES = ("first", "second", "tie", "both_bad")
_LEVELS = ("turn", "conversation")


def looks_like(value: Any) -> bool:
    """Whether a decoded record could be one of this format."""
    if not isinstance(value, dict):
        return False
    return value.get("format") == FORMAT or (
        isinstance(value.get("turns"), list)
        or (isinstance(value.get("prompt"), dict) and "responses" in value["prompt"])
    )


def entries(pieces: Iterable[Piece]) -> Iterator[Entry | Refused]:
    return each(pieces, _read)


def _read(at: At, position: int, place: str) -> Entry:
    if at.child("format").value not in (None, FORMAT):
        raise Unfit("format", f"is not {FORMAT}")
    if at.has("turns") == at.has("prompt"):
        raise Unfit("", 'should have either "turns" (a path) or "prompt" (a tree)')
    return _path(at, position, place) if at.has("turns") else _tree(at, position, place)


def _about(at: At, position: int, place: str) -> Record:
    """Return a record with all that is said of the dialogue, and no turns yet."""
    return Record(
        position,
        place,
        (),
        title=at.child("title").optional_text(at_most=MOST_LABEL),
        task=at.child("task").optional_text(at_most=MOST_TASK),
        source=at.child("source").optional_text(at_most=MOST_LABEL),
        language=at.child("language").optional_text(at_most=MOST_LANGUAGE),
        marks=at.child("marks").keys(),
    )


def _path(at: At, position: int, place: str) -> Entry:
    anomalies: Counter[Anomaly] = Counter()
    count_unknown(at, (*_ABOUT, "dialogue_id", "turns", "scores"), anomalies)
    turns = []
    scores: list[Score] = []
    for number, one in enumerate(at.child("turns").items(at_least=1, at_most=MOST_TURNS), 1):
        count_unknown(one, ("prompt", "response"), anomalies)
        prompt, response = one.needed("prompt"), one.needed("response")
        _check_names(prompt, _NODE, anomalies)
        _check_names(response, (*_NODE, *_MADE_BY), anomalies)
        turns.append(Turn(_prompt(prompt, anomalies), _response(response, anomalies)))
        if isinstance(response.value, dict):
            scores += _scores(response.child("scores"), number)
    external_id = at.child("id").identifier()
    anomalies[Anomaly.NO_RECORD_ID] += not external_id
    record = replace(
        _about(at, position, place),
        turns=tuple(turns),
        external_id=external_id,
        dialogue_id=at.child("dialogue_id").identifier(),
        scores=(*scores, *_scores(at.child("scores"), None)),
    )
    return alone(finished(record, anomalies))


@dataclass(slots=True)
class _Walk:
    """The state of one way through a tree: what stands above, and what came out so far."""

    about: Record
    records: list[Record] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)  # local ones, not yet in a record
    anomalies: Counter[Anomaly] = field(default_factory=Counter)
    through: dict[str, tuple[int, int]] = field(default_factory=dict)  # id -> (record, depth)
    ends: dict[str, int] = field(default_factory=dict)  # id -> record
    askers: dict[str, tuple[int, ...]] = field(default_factory=dict)  # id -> way to its prompt


def _tree(at: At, position: int, place: str) -> Entry:
    walk = _Walk(replace(_about(at, position, place), dialogue_id=_tree_id(at)))
    count_unknown(at, (*_ABOUT, "prompt", "preferences"), walk.anomalies)
    _ask(walk, at.child("prompt"), ())
    return Entry(tuple(walk.records), tuple(_preferences(at.child("preferences"), walk)))


def _tree_id(at: At) -> str:
    tree_id = at.child("id").identifier()
    if len(tree_id) > MOST_ID - 8:  # its paths are named after it, "/1", "/2"
        raise Unfit("id", f"is longer than {MOST_ID - 8} characters")
    return tree_id


def _ask(walk: _Walk, at: At, way: tuple[int, ...]) -> None:
    """Walk a prompt and all that follows it; `way` is the branch taken at each node above."""
    if len(walk.turns) == MOST_TURNS:
        raise at.unfit(f"stands deeper than {MOST_TURNS} turns")
    _check_names(at, (*_NODE, "responses"), walk.anomalies)
    prompt = _prompt(at, walk.anomalies)
    for number, one in enumerate(at.needed("responses").items(at_least=1)):
        _check_names(one, (*_NODE, *_MADE_BY, "path_scores", "prompts", "end"), walk.anomalies)
        walk.turns.append(Turn(prompt, _response(one, walk.anomalies)))
        _answer(walk, one, (*way, number), asked=way)
        walk.turns.pop()


def _answer(walk: _Walk, at: At, way: tuple[int, ...], *, asked: tuple[int, ...]) -> None:
    response_id = walk.turns[-1].response.external_id
    depth = len(walk.turns)
    if response_id in walk.through:
        raise at.unfit(f"the id {response_id} stands twice in the tree")
    if response_id:
        walk.through[response_id] = (len(walk.records), depth)
        walk.askers[response_id] = asked
    following = () if not isinstance(at.value, dict) else at.child("prompts")
    prompts = following.items() if isinstance(following, At) and following.value else []
    is_end = not prompts
    if isinstance(at.value, dict):
        walk.scores += _scores(at.child("scores"), depth)
        is_end = at.child("end").flag() or is_end
        path_scores = _scores(at.child("path_scores"), None)
        if path_scores and not is_end:
            raise Unfit(f"{at.path}.path_scores", 'stands at no end of a conversation ("end")')
        walk.scores += path_scores
    if is_end:
        _emit(walk, response_id)
    for number, one in enumerate(prompts):
        _ask(walk, one, (*way, number))


def _emit(walk: _Walk, response_id: str) -> None:
    number = len(walk.records)
    if response_id:
        walk.ends[response_id] = number
    tree_id = walk.about.dialogue_id
    walk.anomalies[Anomaly.NO_RECORD_ID] += not tree_id
    record = replace(
        walk.about,
        position=walk.about.position + number,
        place=f"{walk.about.place}, path {number + 1}",
        external_id=f"{tree_id}/{number + 1}" if tree_id else "",
        turns=tuple(walk.turns),
        scores=tuple(walk.scores),
    )
    walk.records.append(finished(record, walk.anomalies))
    walk.scores = []
    walk.anomalies = Counter()


def _check_names(at: At, known: Iterable[str], anomalies: Counter[Anomaly]) -> None:
    if not isinstance(at.value, str):
        count_unknown(at, known, anomalies)


def _text_and_id(at: At) -> tuple[str, str]:
    if isinstance(at.value, str):
        return at.value, ""
    return at.needed("text").text(), at.child("id").identifier()


def _prompt(at: At, anomalies: Counter[Anomaly]) -> Prompt:
    text, external_id = _text_and_id(at)
    names, given = _images(at, anomalies)
    prompt = prompt_of(text, names, anomalies, external_id=external_id)
    return replace(prompt, slots=_with_given(prompt.slots, given, text))


def _response(at: At, anomalies: Counter[Anomaly]) -> Response:
    text, external_id = _text_and_id(at)
    names, given = _images(at, anomalies)
    response = response_of(text, names, anomalies, external_id=external_id, source=_source(at))
    return replace(response, slots=_with_given(response.slots, given, text))


def _source(at: At) -> Source:
    if isinstance(at.value, str):
        return Source()
    sampling = at.child("sampling")
    return Source(
        model=at.child("model").optional_text(at_most=MOST_LABEL),
        tool=at.child("tool").optional_text(at_most=MOST_LABEL),
        sampling={} if sampling.value is None else sampling.object().value,
    )


def _images(at: At, anomalies: Counter[Anomaly]) -> tuple[tuple[str | None, ...], list[At]]:
    """Return the picture names as they came, and the entries themselves."""
    if isinstance(at.value, str) or at.child("images").value is None:
        return (), []
    given = at.child("images").items(at_most=MOST_PICTURES)
    names: list[str | None] = []
    for one in given:
        if isinstance(one.value, dict):
            count_unknown(one, _IMAGE, anomalies)
            names.append(one.child("path").name())
        else:
            names.append(one.name())
    if names != [None]:  # here null is the plain way to say "never made"
        count_names(names, anomalies)
    return tuple(names), given


def _with_given(slots: tuple[Slot, ...], given: list[At], text: str) -> tuple[Slot, ...]:
    """Return the slots with what the entries themselves say put in place of what was found."""
    if len(slots) < len(given):  # one null and no token: announced all the same
        slots = tuple(Slot(position, "", never_made=True) for position in range(len(given)))
    changed = list(slots)
    for position, one in enumerate(given):
        if isinstance(one.value, dict):
            changed[position] = _with_entry(slots[position], one, text)
    return tuple(changed)


def _with_entry(slot: Slot, at: At, text: str) -> Slot:
    slot = replace(slot, marks=at.child("marks").keys())
    if at.child("caption").value is not None:
        slot = replace(slot, caption=at.child("caption").text())
    if at.child("kind").value is not None:
        slot = replace(slot, kind=at.child("kind").optional_text(at_most=MOST_KIND))
    if at.child("offset").value is not None:
        offset, length = at.child("offset").whole(), at.needed("length").whole()
        if offset < 0 or length < 0 or offset + length > len(text):
            raise Unfit(f"{at.path}.offset", f"{offset} + {length} is not within the text")
        slot = replace(slot, offset=offset, length=length)
    return slot


def _scores(at: At, turn: int | None) -> list[Score]:
    if at.value is None:
        return []
    scores = []
    for dimension in at.object().value:
        one = at.child(dimension)
        if one.value is None:
            continue
        if not dimension or len(dimension) > 64:
            raise one.unfit("is not a dimension's key")
        if not isinstance(one.value, dict):
            scores.append(score_of(dimension, turn, one.whole(), ""))
            continue
        score = None if one.child("score").value is None else one.child("score").whole()
        not_applicable = one.child("not_applicable").flag()
        if (score is None) != not_applicable:
            raise one.unfit("should have either a score or not_applicable")
        reason = one.child("reason").optional_text()
        scores.append(score_of(dimension, turn, score, reason, not_applicable=not_applicable))
    return scores


def _preferences(at: At, walk: _Walk) -> Iterator[Preference]:
    for one in [] if at.value is None else at.items():
        count_unknown(one, _PREFERENCE, walk.anomalies)
        first, second = (one.needed(name).identifier() for name in ("first", "second"))
        outcome = one.needed("outcome").text()
        if outcome not in _OUTCOMES:
            raise Unfit(f"{one.path}.outcome", f"is not one of {', '.join(_OUTCOMES)}")
        sides, turn = _sides(one, first, second, walk)
        strength = one.child("strength")
        yield Preference(
            *sides,
            turn=turn,
            dimension=one.child("dimension").optional_text(at_most=64),
            outcome=outcome,
            strength=None if strength.value is None else _strength(strength),
            reason=one.child("reason").optional_text(),
        )


def _strength(at: At) -> int:
    if at.whole() not in (1, 2):
        raise at.unfit("is not 1 or 2")
    return at.whole()


def _sides(at: At, first: str, second: str, walk: _Walk) -> tuple[tuple[int, int], int | None]:
    """Return the two records' indexes and the turn compared, or None: whole conversations."""
    level = at.needed("level").text()
    if level not in _LEVELS:
        raise Unfit(f"{at.path}.level", f"is not one of {', '.join(_LEVELS)}")
    known = walk.through if level == "turn" else walk.ends
    for name, response_id in (("first", first), ("second", second)):
        if response_id not in known:
            what = "no response" if level == "turn" else "no end of a conversation"
            raise Unfit(f"{at.path}.{name}", f"{what} of the tree has the id {response_id!r}")
    if first == second:
        raise Unfit(f"{at.path}.second", "is the same as the first")
    if level == "conversation":
        return (walk.ends[first], walk.ends[second]), None
    if walk.askers[first] != walk.askers[second]:
        raise Unfit(f"{at.path}.second", "answers another prompt than the first")
    return (walk.through[first][0], walk.through[second][0]), walk.through[first][1]
