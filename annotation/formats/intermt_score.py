"""The score file of InterMT-Bench: dialogues with local scores a turn and global ones in round 0.

A list of ``{"conversations": [{"round": 0, "annotations": {...}}, {"round": k,
"round_conversations": {"prompt", "prompt_images", "response", "response_images", "prompt_uuid",
"response_uuid"}, "annotations": {...}}]}``. No record has an id; "no image" is ``[]``.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from annotation.formats.fields import At
from annotation.formats.reading import (
    INTERMT_GLOBAL,
    INTERMT_LOCAL,
    REASONED,
    alone,
    count_unknown,
    each,
    intermt_score,
    prompt_at,
    response_at,
    rounds,
)
from annotation.formats.records import Anomaly, Entry, Record, Refused, Score, Turn, Unfit
from annotation.formats.stream import Piece
from annotation.formats.texts import finished, score_of

NAME = "intermt-score"
LOOKED_FOR = 'records with "conversations" of {"round", "round_conversations", "annotations"}'
_TEXTS = ["prompt", "prompt_images", "prompt_uuid", "response", "response_images", "response_uuid"]


def looks_like(value: Any) -> bool:
    """Whether a decoded record could be one of this format."""
    if not isinstance(value, dict):
        return False
    turns = value.get("conversations")
    first = turns[0] if isinstance(turns, list) and turns else None
    return isinstance(first, dict) and bool({"round_conversations", "annotations"} & first.keys())


def entries(pieces: Iterable[Piece]) -> Iterator[Entry | Refused]:
    return each(pieces, _read)


def _read(at: At, position: int, place: str) -> Entry:
    anomalies: Counter[Anomaly] = Counter()
    count_unknown(at, ("id", "conversations"), anomalies)
    conversations = at.needed("conversations")
    numbered = conversations.items(at_least=1)
    starts_at = 0 if numbered[0].object().value.get("round") == 0 else 1
    all_rounds = rounds(conversations, start=starts_at)
    scores: list[Score] = []
    if starts_at == 0:
        scores += _scores(all_rounds.pop(0), None, INTERMT_GLOBAL, anomalies)
    if not all_rounds:
        raise Unfit(conversations.path, "holds labels and no turn")
    anomalies[Anomaly.NO_GLOBAL_SCORES] += starts_at
    turns = []
    for number, one in enumerate(all_rounds, 1):
        count_unknown(one, ("round", "round_conversations", "annotations"), anomalies)
        texts = one.needed("round_conversations").object()
        count_unknown(texts, _TEXTS, anomalies)
        turns.append(Turn(prompt_at(texts, anomalies), response_at(texts, anomalies)))
        scores += _scores(one, number, INTERMT_LOCAL, anomalies)
    external_id = at.child("id").identifier()
    anomalies[Anomaly.NO_RECORD_ID] += not external_id
    record = Record(position, place, tuple(turns), external_id=external_id, scores=tuple(scores))
    return alone(finished(record, anomalies))


def _scores(
    at: At, turn: int | None, dimensions: Sequence[str], anomalies: Counter[Anomaly]
) -> list[Score]:
    annotations = at.child("annotations")
    if annotations.value is None:
        anomalies[Anomaly.SCORE_MISSING] += len(dimensions)
        return []
    reasons = [f"reason_{dimension}" for dimension in dimensions if dimension in REASONED]
    count_unknown(annotations, (*dimensions, *reasons), anomalies)
    scores = []
    for dimension in dimensions:
        score = intermt_score(dimension, annotations.child(dimension))
        reason = annotations.child(f"reason_{dimension}").optional_text()
        anomalies[Anomaly.REASON_EMPTY] += dimension in REASONED and not reason.strip()
        if score is None:
            anomalies[Anomaly.SCORE_MISSING] += 1
        else:
            scores.append(score_of(dimension, turn, score, reason))
    return scores
