"""Signs in people's work that a lead should look at, each with its evidence.

The tests and their thresholds are `annotation.agreement.signals`'; here are the rows they are made
from. Only independent votes are read, and of these what the person said: what was carried over,
filled in by a rule or confirmed in bulk neither looks straight nor takes time.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, compress
from typing import Any

import numpy as np

from annotation.agreement import signals as tests
from annotation.agreement.patterns import FloatArray, IntArray
from annotation.agreement.texts import NEARLY, contained, likeness
from annotation.choices import Outcome, SignalKind
from annotation.models.batches import Batch
from annotation.models.judgments import Judgment
from annotation.reports.gold import gold_report
from annotation.reports.repeats import repeated, scores_twice
from annotation.reports.signal_votes import Vote, Votes, dialogue_shingles, read_votes
from annotation.reports.signal_words import SENTENCES

FASTEST_WORDS = 12.0
"""Words a second: skimming at three times the pace of reading that the estimates count with."""

FASTEST_IMAGE = 0.5
FASTEST_DECISION = 0.4
"""Seconds: what an image and an answer take a practised hand at the least."""

LEAST_SCORES = 4
"""Scores below which a judgment is not called flat, nor two people's answers all the same."""

QUOTED = 0.9
"""From this share of its text on a reason is taken from the dialogue itself."""

MOST_ITEMS = 10
"""Items named as evidence of one sign."""

Facts = Mapping[str, Any]
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Signal:
    """One sign in one person's work.

    :ivar facts: the counts it rests on, as `SENTENCES` names them.
    :ivar items: public ids of items that show it, at most ten, the clearest first.
    """

    kind: SignalKind
    facts: Facts
    items: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """Say in the reader's language what was found, with the counts."""
        return SENTENCES[self.kind](self.facts)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as they are stored; `from_dict` gives the sign back."""
        return {
            "kind": str(self.kind),
            "sentence": self.sentence,
            "facts": dict(self.facts),
            "items": list(self.items),
        }

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> "Signal":
        return cls(SignalKind(body["kind"]), dict(body["facts"]), tuple(body["items"]))


def signals_of(batch: Batch, number: int) -> dict[int, tuple[Signal, ...]]:
    """Return member key -> the signs in their work at `number`; nobody without one is named.

    About 20 queries. Reads every independent vote, so large batches have it computed by a worker.
    """
    votes = read_votes(batch, number)
    found: list[tuple[int, Signal]] = []
    for look in (_level, _random, _side, _fast, _flat, _copied, _twins):
        found += look(votes)
    found += _gold(batch, number)
    found += _repeats(batch, number)
    by_member: defaultdict[int, list[Signal]] = defaultdict(list)
    for member, signal in found:
        by_member[member].append(signal)
    order = list(SignalKind)
    return {
        member: tuple(sorted(some, key=lambda one: order.index(one.kind)))
        for member, some in by_member.items()
    }


def _named(votes: Iterable[Vote]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(vote.name for vote in votes))[:MOST_ITEMS]


# --- Looking -------------------------------------------------------------------------------


def _level(votes: Votes) -> list[tuple[int, Signal]]:
    """Severe and lenient people, each dimension apart; one family of tests."""
    people = {member: code for code, member in enumerate(votes.by_member)}
    levels: dict[tuple[int, int], tests.Level] = {}
    person = _codes(votes.scores.member, people)
    for dimension in votes.dimensions:
        mine = votes.scores.dimension == dimension
        if not mine.any():
            continue
        _units, unit = np.unique(votes.scores.response[mine], return_inverse=True)
        scores = tests.Scores(
            person[mine], unit, votes.scores.item[mine], votes.scores.score[mine].astype(float)
        )
        for code, level in tests.levels(scores, people=len(people)).items():
            if level.items >= tests.LEAST_ITEMS:
                levels[code, dimension] = level
    stand = tests.discoveries({key: level.p_value for key, level in levels.items()})
    members = list(people)
    found = []
    for code, member in enumerate(members):
        for kind, sign in ((SignalKind.SEVERE, -1), (SignalKind.LENIENT, 1)):
            mine = {
                dimension: levels[code, dimension]
                for dimension in votes.dimensions
                if (code, dimension) in stand and levels[code, dimension].effect * sign > 0
            }
            if mine:
                asked = sum((code, dimension) in levels for dimension in votes.dimensions)
                found.append((member, _level_signal(votes, member, kind, mine, asked)))
    return found


def _level_signal(
    votes: Votes, member: int, kind: SignalKind, mine: Mapping[int, tests.Level], asked: int
) -> Signal:
    most = max(mine, key=lambda dimension: abs(mine[dimension].effect))
    away: Counter[int] = Counter()
    for vote in votes.by_member[member]:
        for other in votes.by_item[vote.item]:
            for unit in vote.scores.keys() & other.scores.keys():
                if unit[1] in mine:
                    away[vote.item] += vote.scores[unit] - other.scores[unit]
    sign = -1 if kind == SignalKind.SEVERE else 1
    shown = sorted(votes.by_member[member], key=lambda vote: (-sign * away[vote.item], vote.pk))
    facts = {
        "dimensions": len(mine),
        "asked": asked,
        "most": dict(votes.dimensions[most]),
        "points": round(abs(mine[most].effect), 2),
        "expected": round(abs(mine[most].shrunk), 2),
        "error": round(mine[most].error, 2),
        "items": mine[most].items,
    }
    return Signal(kind, facts, _named(shown))


def _random(votes: Votes) -> list[tuple[int, Signal]]:
    """People whose scores and preferences go with nobody else's, while others' do."""
    people = {member: code for code, member in enumerate(votes.by_member)}
    rows = [
        (people[vote.member], *row)
        for some in votes.by_item.values()
        for vote in some
        for row in _preferred_beside(vote, some)
    ]
    table = np.concatenate(
        [_scored_beside(votes, people), np.array(rows, dtype=float).reshape(-1, 5)]
    )
    if not len(table):
        return []
    codes = table[:, :3].astype(np.int64)
    found = tests.associations(
        codes[:, 0], codes[:, 1], codes[:, 2], table[:, 3], table[:, 4], people=len(people)
    )
    members = list(people)
    middle = float(np.tanh(np.median([one.z for one in found.values()]))) if found else 0.0
    return [
        (
            members[code],
            Signal(
                SignalKind.RANDOM,
                {
                    "correlation": round(found[code].correlation, 2),
                    "team": round(middle, 2),
                    "items": found[code].items,
                    "answers": found[code].pairs,
                },
                _named(votes.by_member[members[code]]),
            ),
        )
        for code in sorted(tests.discoveries(tests.weak(found)))
    ]


def _codes(keys: IntArray, places: Mapping[int, int]) -> IntArray:
    """Return the place of each key."""
    known = np.array(sorted(places), np.int64)
    return np.array([places[one] for one in known.tolist()], np.int64)[np.searchsorted(known, keys)]


def _scored_beside(votes: Votes, people: Mapping[int, int]) -> FloatArray:
    """Return (person, item, dimension, own, mean of the others) of what others scored too."""
    rows = votes.scores
    unit = _joined(rows.item, rows.response, rows.dimension)
    shared = np.bincount(unit)[unit] > 1 if len(unit) else np.zeros(0, bool)
    item, dimension, own = (one[shared] for one in (rows.item, rows.dimension, rows.score))
    person = _codes(rows.member[shared], people)
    scores = tests.Scores(person, unit[shared], item, own.astype(float))
    return np.stack([person, item, dimension, own, tests.others_mean(scores, scores.score)], axis=1)


def _joined(*columns: IntArray) -> IntArray:
    """Return a code for each distinct row of the columns."""
    code = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        names, place = np.unique(column, return_inverse=True)
        code = code * len(names) + place
    return np.unique(code, return_inverse=True)[1]


def _preferred_beside(vote: Vote, votes: Iterable[Vote]) -> Iterator[tuple[int, int, int, float]]:
    """Yield (item, 0, own side, mean of the others') where others said too."""
    own = _sign(vote)
    if own is None:
        return
    others = [sign for one in votes if one is not vote and (sign := _sign(one)) is not None]
    if others:
        yield vote.item, 0, own, sum(others) / len(others)


def _sign(vote: Vote) -> int | None:
    """Return 1 for the item's first side, -1 for the second, 0 for a tie; None for both bad."""
    if vote.overall is None or vote.overall[0] == Outcome.BOTH_BAD:
        return None
    if vote.overall[0] == Outcome.TIE:
        return 0
    return 1 if vote.overall[1] == vote.sides[0] else -1


def _side(votes: Votes) -> list[tuple[int, Signal]]:
    """People who prefer what stands on one side of the screen."""
    counts: dict[int, tuple[int, int]] = {}
    for member, mine in votes.by_member.items():
        signs = [(vote, sign) for vote in mine if (sign := _sign(vote))]
        if len(signs) >= tests.LEAST_ITEMS:
            first = sum((sign > 0) == (vote.shown_first == 1) for vote, sign in signs)
            counts[member] = (first, len(signs))
    p_values = {member: tests.side_p_value(*told) for member, told in counts.items()}
    found = []
    for member in sorted(tests.discoveries(p_values)):
        first, decided = counts[member]
        facts = {"first": first, "decided": decided, "share": round(first / decided, 3)}
        found.append((member, Signal(SignalKind.SIDE, facts, _named(votes.by_member[member]))))
    return found


def fastest_seconds(*, words: float, images: float, decisions: int) -> float:
    """Return the least seconds in which so much can be read, looked at and answered."""
    return words / FASTEST_WORDS + images * FASTEST_IMAGE + decisions * FASTEST_DECISION


def _fast(votes: Votes) -> list[tuple[int, Signal]]:
    """People who submit in less time than the reading alone takes.

    What a person has read in an earlier item of the dialogue is not counted again: words and
    images are shared out evenly over an item's answers.
    """
    counts: dict[int, tuple[int, int, float]] = {}
    shown: dict[int, list[Vote]] = {}
    for member, mine in votes.by_member.items():
        read: set[int] = set()
        timed: list[tuple[float, Vote]] = []
        for vote in sorted(mine, key=lambda vote: vote.at):
            fresh = len(vote.nodes - read) / len(vote.nodes)
            read |= vote.nodes
            if vote.first and vote.seconds > 0 and vote.counts:
                least = fastest_seconds(
                    words=vote.counts.get("words", 0) * fresh,
                    images=vote.counts.get("images", 0) * fresh,
                    decisions=vote.decisions,
                )
                timed.append((vote.seconds / least if least else 1.0, vote))
        if len(timed) >= tests.LEAST_ITEMS:
            fast = sorted((row for row in timed if row[0] < 1), key=lambda row: row[0])
            shown[member] = [vote for _ratio, vote in fast]
            seconds = float(np.median([vote.seconds for _ratio, vote in timed]))
            counts[member] = (len(fast), len(timed), seconds)
    p_values = {who: tests.fast_p_value(told[0], told[1]) for who, told in counts.items()}
    return [
        (
            member,
            Signal(
                SignalKind.FAST,
                dict(zip(("fast", "timed", "seconds"), _rounded(counts[member]), strict=True)),
                _named(shown[member]),
            ),
        )
        for member in sorted(tests.discoveries(p_values))
    ]


def _rounded(told: Iterable[float]) -> list[float]:
    return [round(one, 1) for one in told]


def _flat(votes: Votes) -> list[tuple[int, Signal]]:
    """People who give one score all the way down, more than the data would have it."""
    lines = {
        member: [vote for vote in mine if len(vote.line) >= LEAST_SCORES]
        for member, mine in votes.by_member.items()
    }
    flat = {
        member: [vote for vote in mine if len(set(vote.line)) == 1]
        for member, mine in lines.items()
    }
    all_flat = sum(map(len, flat.values()))
    all_lines = sum(map(len, lines.values()))
    every = [vote.line for vote in votes.all if vote.line]
    whose = np.array([vote.member for vote in votes.all if vote.line], np.int64)
    p_values: dict[tuple[int, str], float] = {}
    told: dict[int, tests.Runs] = {}
    for member, mine in votes.by_member.items():
        judged = len(lines[member])
        if judged >= tests.LEAST_ITEMS and all_lines > judged:
            others = (all_flat - len(flat[member])) / (all_lines - judged)
            p_values[member, "flat"] = tests.flat_p_value(len(flat[member]), judged, others=others)
        own = [vote.line for vote in mine if vote.line]
        theirs = list(compress(every, (whose != member).tolist()))
        if len(own) >= tests.LEAST_ITEMS:
            told[member] = tests.runs(own, theirs, seed=votes.batch.seed % 2**32)
            p_values[member, "run"] = told[member].p_value
    found = []
    for member in sorted({member for member, _how in tests.discoveries(p_values)}):
        judged = len(lines[member])
        facts = {
            "flat": len(flat[member]),
            "judged": judged,
            "others": round((all_flat - len(flat[member])) / max(1, all_lines - judged), 3),
            "run": told[member].longest,
        }
        found.append((member, Signal(SignalKind.FLAT, facts, _named(flat[member]))))
    return found


def _copied(votes: Votes) -> list[tuple[int, Signal]]:
    """People whose texts are nearly another's who wrote first, or the dialogue's own."""
    compared: Counter[int] = Counter()
    copies: defaultdict[int, list[tuple[Vote, int]]] = defaultdict(list)
    written = [vote.item for vote in votes.all if vote.texts]
    for start in range(0, len(written), 500):
        dialogues = dialogue_shingles(set(written[start : start + 500]))
        for item in dict.fromkeys(written[start : start + 500]):
            for vote in votes.by_item[item]:
                compared[vote.member] += len(vote.texts)
                for text in vote.texts:
                    source = _source(text, vote, votes.by_item[item], dialogues[item])
                    if source is not None:
                        copies[vote.member].append((vote, source))
    p_values = {
        member: tests.copied_p_value(len(copies[member]), count)
        for member, count in compared.items()
        if count >= tests.LEAST_ITEMS
    }
    found = []
    for member in sorted(tests.discoveries(p_values)):
        sources = Counter(source for _vote, source in copies[member] if source)
        most = sources.most_common(1)
        facts = {
            "copied": len(copies[member]),
            "texts": compared[member],
            "dialogue": sum(not source for _vote, source in copies[member]),
            "from": votes.names.get(most[0][0], "") if most else "",
            "from_them": most[0][1] if most else 0,
        }
        shown = _named(vote for vote, _source in copies[member])
        found.append((member, Signal(SignalKind.COPIED, facts, shown)))
    return found


def _source(
    text: frozenset[str], vote: Vote, votes: Iterable[Vote], dialogue: frozenset[str]
) -> int | None:
    """Return who wrote nearly the same before, 0 for the dialogue itself, None for nobody."""
    for other in votes:
        before = other.member != vote.member and other.at < vote.at
        if before and any(likeness(text, one) >= NEARLY for one in other.texts):
            return other.member
    return 0 if contained(text, dialogue) >= QUOTED else None


def _twins(votes: Votes) -> list[tuple[int, Signal]]:
    """People whose answers are those of one other, item after item, given after them."""
    shared: Counter[tuple[int, int]] = Counter()
    same: defaultdict[tuple[int, int], list[tuple[Vote, Vote]]] = defaultdict(list)
    for some in votes.by_item.values():
        for one, two in combinations(sorted(some, key=lambda vote: vote.at), 2):
            units = one.scores.keys() & two.scores.keys()
            if len(units) < LEAST_SCORES:
                continue
            pair = (min(one.member, two.member), max(one.member, two.member))
            shared[pair] += 1
            if one.overall == two.overall and all(one.scores[u] == two.scores[u] for u in units):
                same[pair].append((one, two))
    all_same, all_shared = sum(map(len, same.values())), shared.total()
    p_values = {
        pair: tests.twins_p_value(
            len(same[pair]),
            count,
            others=(all_same - len(same[pair])) / max(1, all_shared - count),
        )
        for pair, count in shared.items()
    }
    found = []
    for pair in sorted(tests.discoveries(p_values)):
        later = Counter(two.member for _one, two in same[pair])
        for member in pair:
            other = pair[0] if member == pair[1] else pair[1]
            if later[member] * 3 < len(same[pair]):
                continue  # the other answered after them: who is first copies nobody
            facts = {
                "same": len(same[pair]),
                "shared": shared[pair],
                "with": votes.names[other],
                "later": later[member],
                "others": round(
                    (all_same - len(same[pair])) / max(1, all_shared - shared[pair]), 3
                ),
            }
            shown = _named(two for _one, two in same[pair])
            found.append((member, Signal(SignalKind.TWIN, facts, shown)))
    return found


def _gold(batch: Batch, number: int) -> list[tuple[int, Signal]]:
    """People who miss the known answers that others hit."""
    rows = {row.member: row for row in gold_report(batch, number=number)}
    hits = sum(row.hits for row in rows.values())
    answered = sum(row.answered for row in rows.values())
    others = {
        member: (hits - row.hits) / (answered - row.answered)
        for member, row in rows.items()
        if answered > row.answered
    }
    p_values = {
        member: tests.gold_p_value(row.hits, row.answered, row.items, others=others[member])
        for member, row in rows.items()
        if member in others
    }
    return [
        (
            member,
            Signal(
                SignalKind.GOLD,
                {
                    "hits": rows[member].hits,
                    "answered": rows[member].answered,
                    "items": rows[member].items,
                    "others": round(others[member], 3),
                },
                tuple(item for item, _count in rows[member].missed)[:MOST_ITEMS],
            ),
        )
        for member in sorted(tests.discoveries(p_values))
    ]


def _repeats(batch: Batch, number: int) -> list[tuple[int, Signal]]:
    """People whose second scores do not go with their first, while others' do."""
    by_member: defaultdict[int, list[tuple[Judgment, Judgment]]] = defaultdict(list)
    for first, second in repeated(batch, number=number):
        by_member[second.member_id].append((first, second))
    members = list(by_member)
    rows = [
        (code, *row)
        for code, member in enumerate(members)
        for row in scores_twice(by_member[member])
    ]
    if not rows:
        return []
    table = np.array(rows, dtype=np.int64)
    found = tests.associations(
        table[:, 0],
        table[:, 1],
        table[:, 2],
        table[:, 3].astype(float),
        table[:, 4].astype(float),
        people=len(members),
    )
    middle = float(np.tanh(np.median([one.z for one in found.values()]))) if found else 0.0
    return [
        (
            members[code],
            Signal(
                SignalKind.REPEATS,
                {
                    "correlation": round(found[code].correlation, 2),
                    "team": round(middle, 2),
                    "items": found[code].items,
                },
                tuple(two.item.public_id for _one, two in by_member[members[code]])[:MOST_ITEMS],
            ),
        )
        for code in sorted(tests.discoveries(tests.weak(found)))
    ]
