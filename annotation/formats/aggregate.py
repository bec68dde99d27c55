"""From what people said of a pair to what a trainer is told: votes, majorities, margins.

The rules, each of which a manifest repeats in words:

* A preference is a vote as it was given. Nothing is a vote that nobody gave.
* From scores: the vote is the sign of the mean score of response 1 minus that of response 2 on the
  dimension; means closer than `min_gap` are a tie. A local dimension of a conversation pair is the
  mean over the responses of the side; `overall` is the plain mean of the gaps of all dimensions
  scored on both sides. Not applicable, points outside the order and values filled in by a rule
  take no part.
* An adjudication decides alone; else a reviewer's own judgment decides alone; else more than half
  of the votes. No such half is the state `no_majority`, which is no tie.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Literal

from annotation.formats.pairs import (
    SIDES,
    Message,
    Pair,
    PairAggregate,
    PairJudgment,
    PairRating,
    Side,
)

OVERALL = "overall"
FORK = "fork"

Method = Literal["majority", "raw"]
Source = Literal["preferences", "scores"]
Ties = Literal["drop", "keep"]
Margin = Literal["none", "strength", "gap"]

# How far a margin is rounded: enough for any mean of small integers, the same on every machine.
DIGITS = 6

_RANKS = {"adjudication": 2, "review": 1}
_DECIDED_BY = {2: "adjudication", 1: "review", 0: "majority"}


@dataclass(frozen=True, slots=True)
class Policy:
    """How votes are read and joined. An empty `dimensions` means every one that has a vote."""

    dimensions: tuple[str, ...] = (OVERALL,)
    source: Source = "preferences"
    min_gap: float = 1
    method: Method = "majority"
    ties: Ties = "drop"
    margin: Margin = "none"


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's word on one dimension; `gap` is score 1 minus score 2, where both are there."""

    annotator: str
    outcome: Literal["prefers", "tie", "both_bad"]
    preferred: Side | None = None
    strength: float | None = None
    gap: float | None = None
    rank: int = 0  # 2 adjudication, 1 review, 0 everybody else


@dataclass(frozen=True, slots=True)
class Choice:
    """A decided pair on one dimension, ready for a binary target."""

    pair: Pair
    dimension: str
    chosen: Side
    rejected: Side
    margin: float | None
    annotator: str | None  # None for a majority


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A pair and dimension that gives no row, and why."""

    dimension: str
    reason: str
    annotator: str | None = None


def votes_on(pair: Pair, dimension: str, *, policy: Policy) -> list[Vote]:
    """Return the votes on one dimension of the pair, one per judgment that has one."""
    read = _from_preferences if policy.source == "preferences" else _from_scores
    votes = (read(pair, judgment, dimension, policy) for judgment in pair.judgments)
    return [vote for vote in votes if vote is not None]


def dimensions_of(pair: Pair, *, policy: Policy) -> list[str]:
    """Return the dimensions the policy asks for; all that have a vote, sorted, where it says all."""
    if policy.dimensions:
        return list(policy.dimensions)
    if policy.source == "preferences":
        found = {row.dimension for told in pair.judgments for row in told.preferences}
    else:
        found = {row.dimension for told in pair.judgments for row in told.ratings} | {OVERALL}
    return sorted(name for name in found if votes_on(pair, name, policy=policy))


def decide(dimension: str, votes: Iterable[Vote], *, method: str = "majority") -> PairAggregate:
    """Join votes into one outcome: prefers, tie, both_bad, no_majority or no_votes.

    `strength` and `gap` are means over the votes that decided and are of the outcome; the gap is
    that of the preferred side minus the other's.
    """
    given = list(votes)
    rank = max((vote.rank for vote in given), default=0)
    deciding = [vote for vote in given if vote.rank == rank]
    counts = Counter(_ballot(vote) for vote in deciding)
    winner, most = max(counts.items(), key=lambda entry: entry[1], default=("", 0))
    if not deciding:
        outcome, preferred = "no_votes", None
    elif 2 * most <= len(deciding):
        outcome, preferred = "no_majority", None
    else:
        preferred = next((side for side in SIDES if side == winner), None)
        outcome = "prefers" if preferred else winner
    behind = [vote for vote in deciding if _ballot(vote) == winner] if preferred else []
    turn = 1 if preferred == SIDES[0] else -1
    return PairAggregate(
        dimension=dimension,
        method=method,
        outcome=outcome,
        preferred=preferred,
        n=len(deciding),
        counts={key: counts.get(key, 0) for key in (*SIDES, "tie", "both_bad")},
        decided_by=_DECIDED_BY[rank],
        strength=_mean(vote.strength for vote in behind),
        gap=_mean(turn * vote.gap if vote.gap is not None else None for vote in behind),
    )


def decisions(pair: Pair, *, policy: Policy) -> Iterator[tuple[PairAggregate, str | None]]:
    """Yield what is decided about the pair: one per dimension, or with `raw` one per vote too."""
    for dimension in dimensions_of(pair, policy=policy):
        votes = votes_on(pair, dimension, policy=policy)
        if policy.method == "majority":
            yield decide(dimension, votes), None
        elif not votes:
            yield decide(dimension, votes, method="raw"), None
        else:
            for vote in votes:
                yield decide(dimension, [vote], method="raw"), vote.annotator


def choices(pair: Pair, *, policy: Policy) -> Iterator[Choice | LeftOut]:
    """Yield a `Choice` for each decision that a binary target can hold, `LeftOut` for the rest."""
    for decision, annotator in decisions(pair, policy=policy):
        dimension = decision.dimension
        if decision.preferred is None:
            yield LeftOut(dimension, decision.outcome, annotator)
            continue
        margin = _margin(decision, policy)
        if policy.margin != "none" and margin is None:
            yield LeftOut(dimension, "no_margin", annotator)
            continue
        rejected = SIDES[1] if decision.preferred == SIDES[0] else SIDES[0]
        judged = at_fork(pair) if dimension == FORK else pair
        yield Choice(judged, dimension, decision.preferred, rejected, margin, annotator)


def at_fork(pair: Pair) -> Pair:
    """Return the pair with sides that end at their first response: what `fork` was asked about."""
    sides = {side: _to_first_response(pair.sides[side]) for side in SIDES}
    return replace(pair, sides=sides)


def _to_first_response(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    end = next((n for n, told in enumerate(messages, 1) if told.role == "assistant"), len(messages))
    return messages[:end]


def _margin(decision: PairAggregate, policy: Policy) -> float | None:
    """Return the reward margin: the mean strength, or the mean score gap and never below zero."""
    if policy.margin == "strength":
        return decision.strength
    if policy.margin == "gap" and decision.gap is not None:
        return max(0.0, decision.gap)
    return None


def _from_preferences(
    pair: Pair, judgment: PairJudgment, dimension: str, policy: Policy
) -> Vote | None:
    for row in judgment.preferences:
        if row.dimension == dimension:
            return Vote(
                judgment.annotator,
                row.outcome,
                row.preferred,
                float(row.strength) if row.strength is not None else None,
                score_gap(judgment, dimension),
                _RANKS.get(judgment.purpose, 0),
            )
    return None


def _from_scores(pair: Pair, judgment: PairJudgment, dimension: str, policy: Policy) -> Vote | None:
    gap = score_gap(judgment, dimension)
    if gap is None:
        return None
    rank = _RANKS.get(judgment.purpose, 0)
    strength = next(
        (
            float(row.strength)
            for row in judgment.preferences
            if row.dimension == dimension and row.strength is not None
        ),
        None,
    )
    # A gap of nothing is a tie even where the least gap asked for is nothing.
    if abs(gap) < policy.min_gap or gap == 0:
        return Vote(judgment.annotator, "tie", None, strength, gap, rank)
    preferred = SIDES[0] if gap > 0 else SIDES[1]
    return Vote(judgment.annotator, "prefers", preferred, strength, gap, rank)


def score_gap(judgment: PairJudgment, dimension: str) -> float | None:
    """Return one person's mean score of response 1 minus that of response 2; None without both."""
    gaps = _gaps(judgment)
    if dimension == OVERALL:
        return round(fmean(gaps.values()), DIGITS) if gaps else None
    return gaps.get(dimension)


def _gaps(judgment: PairJudgment) -> Mapping[str, float]:
    scores: dict[str, dict[str, list[int]]] = {}
    for row in judgment.ratings:
        if row.side != "both" and row.is_ordinal:
            scores.setdefault(row.dimension, {}).setdefault(row.side, []).append(_score(row))
    return {
        name: round(fmean(sides[SIDES[0]]) - fmean(sides[SIDES[1]]), DIGITS)
        for name, sides in sorted(scores.items())
        if len(sides) == len(SIDES)
    }


def _score(row: PairRating) -> int:
    if row.score is None:
        raise ValueError("an ordinal rating has a score")
    return row.score


def _ballot(vote: Vote) -> str:
    return vote.preferred or vote.outcome


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(fmean(known), DIGITS) if known else None
