"""Which models people prefer: strengths from the preferences of a batch, overall and by dimension.

Davidson's model (Bradley and Terry's with ties) over the independent set at a number. Two sides are
compared where each was made by one model after the fork, and by different ones; "both bad" is a
tie of the two. For leads: whoever judges is told no model's name.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from annotation.agreement.estimates import FEW_ANNOTATORS, FEW_UNITS, FEWEST_UNITS, State
from annotation.agreement.patterns import IntArray, Ratings
from annotation.agreement.preferences import BOTH_BAD, OUTCOMES
from annotation.agreement.ranking import (
    FIRST_WON,
    SECOND_WON,
    TIED,
    NotConnected,
    is_connected,
    parts,
    ranking,
    tallied,
)
from annotation.choices import BatchKind, PreferenceScope
from annotation.models.batches import Batch
from annotation.models.content import Response
from annotation.reports.agreement import SET, chosen_judgments, newest_number
from annotation.reports.agreement_counts import Gathered, judgment_rows, ungathered
from annotation.reports.preference_counts import SCOPES, preference_counts

MOST_MODELS = 100
WON = np.array([FIRST_WON, TIED, SECOND_WON, TIED])
"""What each of `OUTCOMES` is to the ranking."""


@dataclass(frozen=True, slots=True)
class RankedModel:
    """One model in one comparison. Strengths are None where the comparison has none.

    :ivar strength: log odds against a model of mean strength; `low` and `high` of the 95 % interval.
    :ivar share: how often it wins against a model of mean strength, a tie counting half.
    :ivar part: which part of the comparisons it is in, from 1: models of different parts were never
        compared, not even through others.
    """

    model: str
    won: int
    tied: int
    lost: int
    opponents: int
    part: int
    strength: float | None
    low: float | None
    high: float | None
    share: float | None
    share_low: float | None
    share_high: float | None


@dataclass(frozen=True, slots=True)
class ModelRanking:
    """One comparison, its models from the strongest; without strengths by their share of wins.

    :ivar compared: preferences between two models; `both_bad` of them said so of both.
    :ivar same_model, unnamed: preferences left out: both sides of one model, or a side of an
        unnamed one or of several.
    :ivar parts: into how many parts without a comparison between them the models fall.
    :ivar tie: Davidson's nu; 0: no ties. None where there are no strengths.
    """

    scope: str
    dimension: str
    name: Mapping[str, str]
    compared: int
    both_bad: int
    same_model: int
    unnamed: int
    annotators: int
    dialogues: int
    parts: int
    state: State
    reason: str
    tie: float | None
    models: tuple[RankedModel, ...]


@dataclass(frozen=True, slots=True)
class BatchRanking:
    """All comparisons of a batch at one number."""

    batch: str
    number: int
    rankings: tuple[ModelRanking, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; what is undefined is null."""
        return {
            "batch": self.batch,
            "number": self.number,
            "set": SET,
            "rankings": [asdict(one) for one in self.rankings],
        }


@dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    """Single preferences of one comparison between named models, and what was left out."""

    names: list[str]
    first: IntArray
    second: IntArray
    outcome: IntArray
    dialogue: IntArray
    member: IntArray
    both_bad: int
    same_model: int
    unnamed: int


def batch_ranking(batch: Batch, *, number: int | None = None) -> BatchRanking:
    """Return the rankings at `number`, or at the batch's newest. Seven queries."""
    if number is None:
        number = newest_number(batch)
    if batch.kind == BatchKind.CONVERSATION:
        return BatchRanking(batch.slug, number, ())
    counted = preference_counts(judgment_rows(chosen_judgments(batch, number=number)), batch)
    sides = _sides(batch)
    names = {one.pk: one for one in batch.rubric.dimensions.all()}
    order = {one: place for place, one in enumerate(map(str, SCOPES))}
    wanted = sorted(
        {(str(PreferenceScope.OVERALL), 0), *counted.ratings},
        key=lambda which: (order[which[0]], names[which[1]].position if which[1] else 0),
    )
    return BatchRanking(
        batch.slug,
        number,
        tuple(
            _ranking(
                scope,
                names[which].key if which else "",
                names[which].name if which else {},
                _compared(*counted.of((scope, which)), sides, scope),
            )
            for scope, which in wanted
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """Who made the two sides of each item, 0 for nobody named or several.

    :ivar names: of the models, numbered from 1.
    :ivar item: (n,) keys in order; `dialogue` of each.
    :ivar whole: (n, 2) who made all that comes after the fork; `fork`: the answers at it.
    """

    names: list[str]
    item: IntArray
    dialogue: IntArray
    whole: IntArray
    fork: IntArray


def _sides(batch: Batch) -> _Sides:
    """Return the sides of the batch's items. Two queries."""
    told = (
        Response.objects.filter(dialogue__in=batch.items.values("dialogue"))
        .order_by()
        .values("source__model")
        .annotate(keys=Gathered("pk"))
        .values_list("source__model", "keys")
    )
    keys = defaultdict(list)
    for model, some in told:
        if model:
            keys[str(model)].append(some)
    names = sorted(keys)
    place, key = ungathered([",".join(keys[name]) for name in names])
    made_by = dict(zip(key.tolist(), (place + 1).tolist(), strict=True))
    rows = (
        batch.items.exclude(response_2=None)
        .order_by("pk")
        .values_list("pk", "dialogue", "fork_depth", "response_1__lineage", "response_2__lineage")
    )
    found = []
    for item, dialogue, depth, *lineages in rows.iterator(chunk_size=10_000):
        makers = [
            [made_by.get(int(one), 0) for one in lineage.split("/")[depth or 1 : -1]]
            for lineage in lineages
        ]
        whole = (some[0] if len(set(some)) == 1 else 0 for some in makers)
        fork = (some[0] if some else 0 for some in makers)
        found.append((item, dialogue, *whole, *fork))
    columns = np.array(found, np.int64).reshape(-1, 6)
    return _Sides(names, columns[:, 0], columns[:, 1], columns[:, 2:4], columns[:, 4:])


def _compared(ratings: Ratings, items: IntArray, sides: _Sides, scope: str) -> _Compared:
    place = np.searchsorted(sides.item, items)[ratings.unit]
    makers = sides.fork if scope == PreferenceScope.FORK else sides.whole
    first, second = makers[place].T
    named = (first > 0) & (second > 0)
    kept = named & (first != second)
    outcome = ratings.category[kept]
    present, number = np.unique([first[kept], second[kept]], return_inverse=True)
    one, other = number.reshape(2, -1)
    return _Compared(
        names=[sides.names[model - 1] for model in present],
        first=one,
        second=other,
        outcome=WON[outcome],
        dialogue=sides.dialogue[place[kept]],
        member=ratings.annotator[kept],
        both_bad=int((outcome == OUTCOMES.index(BOTH_BAD)).sum()),
        same_model=int((named & (first == second)).sum()),
        unnamed=int((~named).sum()),
    )


def _ranking(scope: str, dimension: str, name: Mapping[str, str], told: _Compared) -> ModelRanking:
    size, compared = len(told.names), len(told.first)
    wins, ties = tallied(told.first, told.second, told.outcome, size=size)
    met = (wins + wins.T + ties) > 0
    groups = parts(met)
    annotators, dialogues = len(np.unique(told.member)), len(np.unique(told.dialogue))
    state, reason = _graded(told, wins, ties, groups, annotators, dialogues)
    fitted = None
    if state != State.UNDEFINED:
        try:
            fitted = ranking(
                told.first,
                told.second,
                told.outcome,
                size=size,
                clusterings=[told.dialogue, told.member],
            )
        except (NotConnected, np.linalg.LinAlgError):
            state, reason = State.UNDEFINED, "no finite strengths could be found"
    columns: list[list[float | None]] = [[None] * size] * 6
    if fitted is not None:
        ends = (fitted.strengths, fitted.low, fitted.high)
        columns = [_known(one) for one in (*ends, *map(fitted.share, ends))]
    part = {who: number for number, group in enumerate(groups, start=1) for who in group}
    rows = [
        RankedModel(
            model,
            int(wins[who].sum()),
            int(ties[who].sum()),
            int(wins[:, who].sum()),
            int(met[who].sum()),
            part[who],
            *(column[who] for column in columns),
        )
        for who, model in enumerate(told.names)
    ]
    rows.sort(key=lambda one: (one.part, -_standing(one), one.model))
    return ModelRanking(
        scope=scope,
        dimension=dimension,
        name=name,
        compared=compared,
        both_bad=told.both_bad,
        same_model=told.same_model,
        unnamed=told.unnamed,
        annotators=annotators,
        dialogues=dialogues,
        parts=len(groups),
        state=state,
        reason=reason,
        tie=fitted.tie if fitted is not None else None,
        models=tuple(rows),
    )


def _graded(
    told: _Compared,
    wins: Any,
    ties: Any,
    groups: list[list[int]],
    annotators: int,
    dialogues: int,
) -> tuple[State, str]:
    """Return how far the ranking can be leaned on, and why not further."""
    compared = len(told.first)
    if not compared:
        return State.UNDEFINED, "no preference compares two models that the files name"
    if len(told.names) > MOST_MODELS:
        return State.UNDEFINED, f"{len(told.names)} models; {MOST_MODELS} are the most"
    if len(groups) > 1:
        return State.UNDEFINED, f"the models fall into {len(groups)} parts never compared: no scale"
    if not wins.any():
        return State.UNDEFINED, "nothing but ties"
    if not is_connected((wins + ties) > 0):
        return State.UNDEFINED, "some models only won, or only lost, against the rest: no scale"
    if compared < FEWEST_UNITS:
        few = f"{compared} preferences between models; {FEWEST_UNITS} are the least"
        return State.INSUFFICIENT, few
    if annotators == 1:
        return State.INSUFFICIENT, "a single annotator"
    doubts = []
    if dialogues < FEW_UNITS:
        doubts.append(f"preferences on {dialogues} dialogues, fewer than {FEW_UNITS}")
    if annotators < FEW_ANNOTATORS:
        doubts.append(f"{annotators} annotators: the figure is about these")
    return (State.PROVISIONAL, "; ".join(doubts)) if doubts else (State.OK, "")


def _known(values: Any) -> list[float | None]:
    return [None if np.isnan(one) else float(one) for one in values]


def _standing(one: RankedModel) -> float:
    """Return what models are ordered by: strength, or the share of wins with ties half."""
    if one.strength is not None:
        return one.strength
    return (one.won + one.tied / 2) / max(one.won + one.tied + one.lost, 1)
