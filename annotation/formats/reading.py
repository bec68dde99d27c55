"""What the readers of all formats share: from pieces of a file to entries and refusals."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from annotation.formats.fields import At, decode
from annotation.formats.records import (
    MOST_TURNS,
    Anomaly,
    Entry,
    Prompt,
    Record,
    Refused,
    Response,
    Unfit,
)
from annotation.formats.stream import Piece
from annotation.formats.texts import count_names, prompt_of, response_of

ReadOne = Callable[[At, int, str], Entry]
"""(value, position of its first record, place) -> entry; raises `Unfit`."""

INTERMT_LOCAL = (
    "local_image_text_consistency",
    "visual_perceptual_quality",
    "context_coherence",
    "text_quality",
)
INTERMT_GLOBAL = (
    "context_awareness",
    "helpfulness",
    "crucial_step_recognition",
    "global_image_text_consistency",
    "style_coherence",
)
REASONED = (
    "local_image_text_consistency",
    "visual_perceptual_quality",
    "crucial_step_recognition",
)
"""The dimensions for which the published files carry a reason."""


def each(pieces: Iterable[Piece], read_one: ReadOne) -> Iterator[Entry | Refused]:
    """Yield one entry or refusal for each piece; positions count records, refused ones too."""
    position = 0
    for piece in pieces:
        try:
            entry = read_one(value_of(piece), position, piece.place)
        except Unfit as unfit:
            yield Refused(position, piece.place, unfit.field, unfit.reason)
            position += 1
        else:
            yield entry
            position += len(entry.records)


def value_of(piece: Piece) -> At:
    """Return the piece's value.

    :raises Unfit: it has a fault, or cannot be decoded, or is no object.
    """
    if piece.fault:
        raise Unfit("", piece.fault)
    return At(decode(piece.data)).object()


def intermt_score(dimension: str, at: At) -> int | None:
    """Return a score of the published scale, 0 to 3 and -1 for `style_coherence`; null is None."""
    if at.value is None:
        return None
    lowest = -1 if dimension == "style_coherence" else 0
    score = at.whole()
    if not lowest <= score <= 3:
        raise at.unfit(f"the score {score} is not one of {lowest} to 3")
    return score


def prompt_at(at: At, anomalies: Counter[Anomaly], text: str = "prompt") -> Prompt:
    """Read `prompt`, `prompt_images` and `prompt_uuid` of a published turn."""
    names = at.child(f"{text}_images").names()
    count_names(names, anomalies)
    return prompt_of(
        at.needed(text).text(),
        names,
        anomalies,
        external_id=at.child(f"{text}_uuid").identifier(),
    )


def response_at(at: At, anomalies: Counter[Anomaly], text: str = "response") -> Response:
    """Read `response`, `response_images` and `response_uuid` of a published turn."""
    names = at.child(f"{text}_images").names()
    count_names(names, anomalies)
    return response_of(
        at.needed(text).text(),
        names,
        anomalies,
        external_id=at.child(f"{text}_uuid").identifier(),
    )


def rounds(at: At, *, start: int = 1) -> list[At]:
    """Return the turns of a list whose `round` counts from `start`.

    :raises Unfit: none, too many, or out of order.
    """
    turns = at.items(at_least=1, at_most=MOST_TURNS)
    for number, turn in enumerate(turns, start):
        if turn.needed("round").whole() != number:
            raise Unfit(f"{turn.path}.round", f"should be {number}, is {turn.value['round']}")
    return turns


def count_unknown(at: At, known: Iterable[str], anomalies: Counter[Anomaly]) -> None:
    """Count the names of an object that the format does not know."""
    anomalies[Anomaly.UNKNOWN_FIELD] += len(at.object().value.keys() - set(known))


def alone(record: Record) -> Entry:
    return Entry((record,))
