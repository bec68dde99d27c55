"""The crucial-step file of InterMT-Bench: whole dialogues with one global score and its reason.

A list of ``{"id", "conversations": [{"round", "prompt", "prompt_images", "prompt_uuid",
"response", "response_images", "response_uuid"}], "annotation": {"crucial_step_recognition",
"reason_crucial_step_recognition"}}``. "No image" is ``[""]``.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from annotation.formats.fields import At
from annotation.formats.reading import (
    alone,
    count_unknown,
    each,
    intermt_score,
    prompt_at,
    response_at,
    rounds,
)
from annotation.formats.records import Anomaly, Entry, Record, Refused, Score, Turn
from annotation.formats.stream import Piece
from annotation.formats.texts import finished, score_of

NAME = "intermt-crucial"
LOOKED_FOR = 'records with "conversations" of {"round", "prompt", "response"}'
_DIMENSION = "crucial_step_recognition"
_TURN = [
    "round",
    "prompt",
    "prompt_images",
    "prompt_uuid",
    "response",
    "response_images",
    "response_uuid",
]


def looks_like(value: Any) -> bool:
    """Whether a decoded record could be one of this format."""
    if not isinstance(value, dict):
        return False
    turns = value.get("conversations")
    first = turns[0] if isinstance(turns, list) and turns else None
    return isinstance(first, dict) and {"round", "prompt", "response"} <= first.keys()


def entries(pieces: Iterable[Piece]) -> Iterator[Entry | Refused]:
    return each(pieces, _read)


def _read(at: At, position: int, place: str) -> Entry:
    anomalies: Counter[Anomaly] = Counter()
    count_unknown(at, ("id", "conversations", "annotation"), anomalies)
    turns = []
    for turn in rounds(at.needed("conversations")):
        count_unknown(turn, _TURN, anomalies)
        turns.append(Turn(prompt_at(turn, anomalies), response_at(turn, anomalies)))
    external_id = at.child("id").identifier()
    anomalies[Anomaly.NO_RECORD_ID] += not external_id
    record = Record(
        position, place, tuple(turns), external_id=external_id, scores=_scores(at, anomalies)
    )
    return alone(finished(record, anomalies))


def _scores(at: At, anomalies: Counter[Anomaly]) -> tuple[Score, ...]:
    if at.child("annotation").value is None:
        anomalies[Anomaly.NO_GLOBAL_SCORES] += 1
        return ()
    annotation = at.child("annotation").object()
    count_unknown(annotation, (_DIMENSION, f"reason_{_DIMENSION}"), anomalies)
    score = intermt_score(_DIMENSION, annotation.child(_DIMENSION))
    reason = annotation.child(f"reason_{_DIMENSION}").optional_text()
    anomalies[Anomaly.SCORE_MISSING] += score is None
    anomalies[Anomaly.REASON_EMPTY] += not reason.strip()
    return () if score is None else (score_of(_DIMENSION, None, score, reason),)
