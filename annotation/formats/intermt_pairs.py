"""The pair-comparison files of InterMT-Bench: one history, one prompt, two responses.

A list of ``{"front_convs": [{"round", "prompt", "response", ...}], "paired_convs": {"round",
"prompt", "response_1", "response_2", ...}, "local_overall_preference" or "overall_preference":
{dimension: 0 | 1 | 2}}`` with 0 for equal. The schema is known from the authors' loader only, so
ids, reasons, a total verdict and absent picture lists are all taken where they stand.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from annotation.formats.fields import At
from annotation.formats.reading import count_unknown, each, prompt_at, response_at
from annotation.formats.records import (
    MOST_TURNS,
    Anomaly,
    Entry,
    Preference,
    Record,
    Refused,
    Turn,
    Unfit,
)
from annotation.formats.stream import Piece
from annotation.formats.texts import finished

NAME = "intermt-pairs"
LOOKED_FOR = 'records with "paired_convs" of {"prompt", "response_1", "response_2"}'
_OUTCOMES = {0: "tie", 1: "first", 2: "second"}
_TOTALS = ("total_preference", "overall_preference", "total", "overall")
_LOCAL, _GLOBAL = "local_overall_preference", "overall_preference"


def looks_like(value: Any) -> bool:
    """Whether a decoded record could be one of this format."""
    return isinstance(value, dict) and isinstance(value.get("paired_convs"), dict)


def entries(pieces: Iterable[Piece]) -> Iterator[Entry | Refused]:
    return each(pieces, _read)


def _read(at: At, position: int, place: str) -> Entry:
    shared: Counter[Anomaly] = Counter()
    count_unknown(at, ("id", "front_convs", "paired_convs", _LOCAL, _GLOBAL), shared)
    front = at.child("front_convs")
    history = [
        Turn(prompt_at(turn, shared), response_at(turn, shared))
        for turn in ([] if front.value is None else front.items(at_most=MOST_TURNS))
    ]
    pair = at.needed("paired_convs").object()
    prompt = prompt_at(pair, shared)
    external_id = at.child("id").identifier()
    records = []
    for number, anomalies in ((1, shared), (2, Counter[Anomaly]())):
        response = response_at(pair, anomalies, f"response_{number}")
        anomalies[Anomaly.NO_RECORD_ID] += not external_id
        record = Record(
            position + number - 1,
            f"{place}, response {number}",
            (*history, Turn(prompt, response)),
            external_id=f"{external_id}/{number}" if external_id else "",
        )
        records.append(finished(record, anomalies))
    first, second = (record.turns[-1].response for record in records)
    if (first.external_id, first.text, first.names) == (
        second.external_id,
        second.text,
        second.names,
    ):
        raise Unfit(f"{pair.path}.response_2", "is the same as response_1: no pair")
    local = _preferences(at, _LOCAL, len(history) + 1)
    preferences = (*local, *_preferences(at, _GLOBAL, None))
    return Entry(tuple(records), preferences)


def _preferences(at: At, name: str, turn: int | None) -> Iterator[Preference]:
    verdicts = at.child(name)
    if verdicts.value is None:
        return
    for key in verdicts.object().value:
        if key.startswith("reason_"):
            continue
        verdict = verdicts.child(key)
        if verdict.value is None:
            continue
        if verdict.whole() not in _OUTCOMES:
            raise verdict.unfit(f"the preference {verdict.value} is not one of 0, 1, 2")
        yield Preference(
            first=0,
            second=1,
            turn=turn,
            dimension="" if key in _TOTALS else key,
            outcome=_OUTCOMES[verdict.whole()],
            reason=verdicts.child(f"reason_{key}").optional_text(),
        )
