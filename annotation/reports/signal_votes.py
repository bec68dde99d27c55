"""The independent votes of a batch, as the signs are looked for in them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from annotation.agreement.patterns import IntArray
from annotation.agreement.texts import shingles
from annotation.choices import Cause, Origin, PreferenceScope
from annotation.models.batches import Batch, Item
from annotation.models.content import Response
from annotation.models.judgments import Judgment, Preference, Rating, Remark
from annotation.models.projects import Member
from annotation.reports.agreement_counts import given_ratings, judgment_rows, scales_of
from annotation.reports.voids import standing_voids


@dataclass(slots=True)
class Vote:
    """One independent judgment.

    :ivar scores: (response, dimension) -> score that the person gave, within the order.
    :ivar line: scores given one by one, in the page's order.
    :ivar decisions: answers that took a decision.
    """

    pk: int
    member: int
    item: int
    name: str
    shown_first: int
    at: datetime
    first: bool
    seconds: float
    counts: Mapping[str, Any]
    sides: tuple[Any, ...]
    nodes: frozenset[int]
    scores: dict[tuple[int, int], int] = field(default_factory=dict)
    line: list[int] = field(default_factory=list)
    decisions: int = 0
    overall: tuple[str, int | None] | None = None
    texts: list[frozenset[str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class ScoreRows:
    """The scores of all votes, a row each, columns of keys: what `Vote.scores` holds, for sums."""

    member: IntArray
    item: IntArray
    response: IntArray
    dimension: IntArray
    score: IntArray


@dataclass(slots=True)
class Votes:
    """The independent votes of a batch: all by number, and by member and item.

    :ivar dimensions: key -> name of the rubric's dimensions, in their order.
    :ivar names: member -> pseudonym.
    """

    batch: Batch
    all: list[Vote]
    scores: ScoreRows
    by_member: Mapping[int, list[Vote]]
    by_item: Mapping[int, list[Vote]]
    dimensions: Mapping[int, Mapping[str, str]]
    names: Mapping[int, str]


def read_votes(batch: Batch, number: int) -> Votes:
    """Return the batch's independent votes at `number`. Ten queries, every vote in memory."""
    independent = Judgment.objects.filter(batch=batch).independent(number=number)
    chosen = standing_voids(batch, number=number).outside(independent)
    votes = {row[0]: _vote(row) for row in chosen.order_by("number").values_list(*_COLUMNS)}
    dimensions = list(batch.rubric.dimensions.order_by("position"))
    scores = _add_ratings(votes, chosen, batch, [one.pk for one in dimensions])
    _add_preferences(votes, chosen)
    _add_texts(votes, chosen)
    by_member: defaultdict[int, list[Vote]] = defaultdict(list)
    by_item: defaultdict[int, list[Vote]] = defaultdict(list)
    for vote in votes.values():
        by_member[vote.member].append(vote)
        by_item[vote.item].append(vote)
    members = Member.objects.filter(pk__in=list(by_member))
    return Votes(
        batch=batch,
        all=list(votes.values()),
        scores=scores,
        by_member=by_member,
        by_item=by_item,
        dimensions={one.pk: one.short_name or one.name for one in dimensions},
        names=dict(members.values_list("pk", "pseudonym")),
    )


_COLUMNS = (
    "pk",
    "member",
    "item",
    "item__public_id",
    "shown_first",
    "submitted_at",
    "cause",
    "active_ms",
    "item__counts",
    "item__response_1",
    "item__response_2",
    "item__response_1__lineage",
    "item__response_2__lineage",
)


def _vote(row: tuple[Any, ...]) -> Vote:
    pk, member, item, name, shown, at, cause, active, counts, one, two, path, other = row
    nodes = {
        int(node) for lineage in (path, other) if lineage for node in lineage.strip("/").split("/")
    }
    return Vote(
        pk=pk,
        member=member,
        item=item,
        name=name,
        shown_first=shown,
        at=at,
        first=cause == Cause.FIRST,
        seconds=sum(active.values()) / 1000,
        counts=counts,
        sides=(one, two),
        nodes=frozenset(nodes),
    )


def _add_ratings(
    votes: Mapping[int, Vote], chosen: Any, batch: Batch, dimensions: Sequence[int]
) -> ScoreRows:
    """Give each vote its scores in the page's order, and return them all.

    :param dimensions: in their order.
    """
    judgments = judgment_rows(chosen)
    given = given_ratings(judgments, batch, scales_of(batch.rubric_id))
    place = np.array([dimensions.index(one) for one in given.scales.dimensions], np.int64)
    depth = given.responses[:, 1]
    order = np.lexsort((place[given.which], given.response, depth[given.response], given.judgment))
    order = order[given.scored[order]]
    judgment = given.judgment[order]
    rows = ScoreRows(
        member=judgments.member[judgment],
        item=judgments.item[judgment],
        response=given.responses[given.response[order], 0],
        dimension=np.array(given.scales.dimensions, np.int64)[given.which[order]],
        score=given.mark[order].astype(np.int64),
    )
    units = list(zip(rows.response.tolist(), rows.dimension.tolist(), strict=True))
    scores = rows.score.tolist()
    count = len(judgments.key)
    decisions = np.bincount(given.judgment[given.own], minlength=count).tolist()
    ends = np.searchsorted(judgment, np.arange(count + 1)).tolist()
    for at, key in enumerate(judgments.key.tolist()):
        vote, mine = votes[key], slice(ends[at], ends[at + 1])
        vote.decisions += decisions[at]
        vote.line = scores[mine]
        vote.scores = dict(zip(units[mine], vote.line, strict=True))
    return rows


def _add_preferences(votes: Mapping[int, Vote], chosen: Any) -> None:
    rows = Preference.objects.filter(judgment__in=chosen.values("pk")).values_list(
        "judgment", "scope", "outcome", "preferred", "origin", "in_bulk"
    )
    for judgment, scope, outcome, preferred, origin, in_bulk in rows.iterator(chunk_size=20_000):
        vote = votes[judgment]
        vote.decisions += origin == Origin.GIVEN and not in_bulk
        if scope == PreferenceScope.OVERALL:
            vote.overall = (outcome, preferred)


def _add_texts(votes: Mapping[int, Vote], chosen: Any) -> None:
    reasons = (
        Rating.objects.filter(judgment__in=chosen.values("pk"))
        .exclude(reason="")
        .exclude(origin=Origin.CARRIED)
        .values_list("judgment", "reason")
    )
    remarks = Remark.objects.filter(judgment__in=chosen.values("pk")).values_list(
        "judgment", "text"
    )
    for judgment, text in [*reasons, *remarks]:
        if runs := shingles(text):
            votes[judgment].texts.append(runs)


def dialogue_shingles(items: Iterable[int]) -> dict[int, frozenset[str]]:
    """Return item -> the runs of everything that is read in it. Three queries."""
    rows = Item.objects.filter(pk__in=list(items)).select_related("response_1", "response_2")
    paths = {
        item.pk: [
            int(node)
            for side in (item.response_1, item.response_2)
            if side is not None
            for node in side.lineage.strip("/").split("/")
        ]
        for item in rows
    }
    read = {
        pk: f"{prompt}\n{text}"
        for pk, prompt, text in Response.objects.filter(
            pk__in={node for path in paths.values() for node in path}
        ).values_list("pk", "turn__prompt", "text")
    }
    return {
        item: frozenset().union(*(shingles(read[node]) for node in path))
        for item, path in paths.items()
    }
