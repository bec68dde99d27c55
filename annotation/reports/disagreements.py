"""Where the annotators of a batch differ most: units two points or more apart."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from heapq import nsmallest
from typing import Any

import numpy as np

from annotation.agreement.patterns import IntArray
from annotation.models.batches import Batch, Item
from annotation.models.content import Response
from annotation.models.judgments import Judgment
from annotation.models.projects import Member
from annotation.models.rubric import HIGHEST_SCORE, LOWEST_SCORE
from annotation.reports.agreement import SET, chosen_judgments, newest_number
from annotation.reports.agreement_counts import (
    RatingCounts,
    given_ratings,
    judgment_rows,
    scales_of,
)

LEAST_APART = 2
MOST_LISTED = 500


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One unit on one dimension.

    :ivar item: public id of an item it was rated in.
    :ivar side: 1 or 2, which of the item's sides; 0 where both share it or there is one.
    :ivar level: local (a response of a turn) or global (a whole conversation).
    :ivar lower: pseudonyms of those who gave the lowest score.
    """

    item: str
    turn: int
    side: int
    level: str
    dimension: str
    name: Mapping[str, str]
    prompt: str
    low: int
    high: int
    lower: tuple[str, ...]
    higher: tuple[str, ...]
    ratings: int


@dataclass(frozen=True, slots=True)
class BatchDisagreements:
    """All of a batch at one number, the widest first.

    :ivar units: how many units two people or more rated; `apart` of them are `LEAST_APART` points
        or more apart, of which `listed` holds the first `MOST_LISTED`.
    """

    batch: str
    number: int
    units: int
    apart: int
    listed: tuple[Disagreement, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "batch": self.batch,
            "number": self.number,
            "set": SET,
            "least_apart": LEAST_APART,
            "units": self.units,
            "apart": self.apart,
            "listed": [asdict(one) for one in self.listed],
        }


def batch_disagreements(batch: Batch, *, number: int | None = None) -> BatchDisagreements:
    """Return where people differ at `number`, or at the batch's newest. About ten queries."""
    if number is None:
        number = newest_number(batch)
    chosen = chosen_judgments(batch, number=number)
    given = given_ratings(judgment_rows(chosen), batch, scales_of(batch.rubric_id))
    counted = given.by_dimension()
    units = apart = 0
    widest: list[tuple[int, ...]] = []
    for which, counts in counted.items():
        low, high, held = _reach(counts)
        wide = np.flatnonzero((held > 1) & (high - low >= LEAST_APART))
        units += int((held > 1).sum())
        apart += len(wide)
        rows = np.stack([low - high, -held, counts.response, np.full(len(held), which)], axis=1)
        widest += zip(*rows[wide].T.tolist(), wide.tolist(), strict=True)
    widest = nsmallest(MOST_LISTED, widest)
    listed = [row for *_, which, unit in widest for row in _given(which, counted[which], unit)]
    return BatchDisagreements(batch.slug, number, units, apart, tuple(_listed(batch, listed)))


def _reach(counts: RatingCounts) -> tuple[IntArray, IntArray, IntArray]:
    """Return the lowest and the highest score of each unit, and how many people rated it."""
    low = np.full(len(counts.response), HIGHEST_SCORE)
    high = np.full(len(counts.response), LOWEST_SCORE)
    np.minimum.at(low, counts.unit, counts.mark)
    np.maximum.at(high, counts.unit, counts.mark)
    return low, high, counts.held


def _given(which: int, counts: RatingCounts, unit: int) -> list[list[int]]:
    """Return a unit's ratings: dimension, response, low, high, held, member, score, number."""
    mine = np.flatnonzero(counts.unit == unit)
    mine = mine[np.argsort(counts.number[mine])]
    response, scores = int(counts.response[unit]), counts.mark[mine]
    return [
        [which, response, int(scores.min()), int(scores.max()), len(mine), who, score, number]
        for who, score, number in zip(
            counts.who[mine].tolist(), scores.tolist(), counts.number[mine].tolist(), strict=True
        )
    ]


def _listed(batch: Batch, rows: list[list[int]]) -> list[Disagreement]:
    names = dict(
        Member.objects.filter(pk__in={row[5] for row in rows}).values_list("pk", "pseudonym")
    )
    dimensions = batch.rubric.dimensions.in_bulk()
    responses = (
        Response.objects.select_related("turn").defer("text").in_bulk({row[1] for row in rows})
    )
    judged = dict(
        Judgment.objects.filter(batch=batch, number__in={row[7] for row in rows}).values_list(
            "number", "item"
        )
    )
    items = Item.objects.select_related("response_1", "response_2").in_bulk(set(judged.values()))
    together: dict[tuple[int, int], list[list[int]]] = {}
    for row in rows:
        together.setdefault((row[0], row[1]), []).append(row)
    found = []
    for (which, unit), given in together.items():
        _, _, low, high, held, *_ = given[0]
        item, response = items[judged[given[-1][7]]], responses[unit]
        dimension = dimensions[which]
        found.append(
            Disagreement(
                item=item.public_id,
                turn=response.depth,
                side=_side(item, response),
                level=dimension.level,
                dimension=dimension.key,
                name=dimension.name,
                prompt=" ".join(response.turn.prompt.split())[:160],
                low=low,
                high=high,
                lower=tuple(names[row[5]] for row in given if row[6] == low),
                higher=tuple(names[row[5]] for row in given if row[6] == high),
                ratings=held,
            )
        )
    return found


def _side(item: Item, response: Response) -> int:
    """Return the side the response stands on, 0 where it stands on both or there is one."""
    on = [
        number
        for number, last in ((1, item.response_1), (2, item.response_2))
        if last is not None and response.pk in last.lineage_ids()
    ]
    return on[0] if len(on) == 1 and item.response_2_id is not None else 0
