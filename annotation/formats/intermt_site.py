"""The examples of the project's site: a flat list of turns, in groups; a group is a conversation.

``{"group", "category", "group_name", "figures", "prompt", "response", "imageP", "imageR",
"color"}``; "no image" is ``"#"``, and `imageR` is one name or a list of them. The category becomes
the record's source, the group's name its task.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from annotation.formats.fields import At
from annotation.formats.reading import count_unknown, value_of
from annotation.formats.records import (
    MOST_LABEL,
    MOST_TASK,
    MOST_TURNS,
    Anomaly,
    Entry,
    Record,
    Refused,
    Turn,
    Unfit,
)
from annotation.formats.stream import Piece
from annotation.formats.texts import count_names, finished, prompt_of, response_of

NAME = "intermt-site"
LOOKED_FOR = 'turns with "group", "prompt", "response", "imageP", "imageR"'
_NEEDED = ("group", "prompt", "response", "imageP", "imageR")
_KNOWN = (*_NEEDED, "category", "group_name", "figures", "color")

Row = tuple[Piece, At | Unfit]


def looks_like(value: Any) -> bool:
    """Whether a decoded record could be one of this format."""
    return isinstance(value, dict) and set(_NEEDED) <= value.keys()


def entries(pieces: Iterable[Piece]) -> Iterator[Entry | Refused]:
    """Yield one entry for each run of rows of one group; a bad row refuses its group."""
    for position, (_, rows) in enumerate(groupby(_rows(pieces), key=_Grouping())):
        together = list(rows)
        place = _place(together)
        try:
            yield Entry((_read(together, position, place),))
        except Unfit as unfit:
            yield Refused(position, place, unfit.field, unfit.reason)


def _rows(pieces: Iterable[Piece]) -> Iterator[Row]:
    for piece in pieces:
        try:
            yield piece, At(value_of(piece).value, piece.place)
        except Unfit as unfit:
            yield piece, unfit


class _Grouping:
    """The key of a row's run. A row that cannot be read stays with the group it stands in."""

    def __init__(self) -> None:
        self.latest: Any = None

    def __call__(self, row: Row) -> Any:
        if isinstance(row[1], At):
            value = row[1].value
            self.latest = tuple(repr(value.get(name)) for name in ("group", "category"))
        return self.latest


def _place(rows: list[Row]) -> str:
    first, last = rows[0][0].place, rows[-1][0].place
    return first if len(rows) == 1 else f"{first} to {last}"


def _read(rows: list[Row], position: int, place: str) -> Record:
    anomalies: Counter[Anomaly] = Counter()
    if len(rows) > MOST_TURNS:
        raise Unfit("", f"the group holds more than {MOST_TURNS} turns")
    turns = tuple(_turn(_fit(*row), anomalies) for row in rows)
    first = _fit(*rows[0])
    anomalies[Anomaly.NO_RECORD_ID] += 1
    record = Record(
        position,
        place,
        turns,
        source=first.child("category").optional_text(at_most=MOST_LABEL),
        task=first.child("group_name").optional_text(at_most=MOST_TASK),
    )
    return finished(record, anomalies)


def _fit(piece: Piece, row: At | Unfit) -> At:
    if isinstance(row, Unfit):
        raise Unfit(f"{piece.place}.{row.field}" if row.field else piece.place, row.reason)
    return row


def _turn(row: At, anomalies: Counter[Anomaly]) -> Turn:
    count_unknown(row, _KNOWN, anomalies)
    prompt_names = _names(row.needed("imageP"), anomalies)
    response_names = _names(row.needed("imageR"), anomalies)
    return Turn(
        prompt_of(row.needed("prompt").text(), prompt_names, anomalies),
        response_of(row.needed("response").text(), response_names, anomalies),
    )


def _names(at: At, anomalies: Counter[Anomaly]) -> tuple[str | None, ...]:
    if at.value == "#":
        anomalies[Anomaly.NO_IMAGE_AS_HASH] += 1
        return ()
    if isinstance(at.value, str):
        anomalies[Anomaly.IMAGE_LIST_AS_STRING] += 1
        names: tuple[str | None, ...] = (at.name(),)
    else:
        names = tuple(None if name == "#" else name for name in at.names())
    count_names(names, anomalies)
    return names
