"""Seeded choices: order, sides, pairs, shares, repeats. Pure, and the same on every machine.

Everything is drawn from BLAKE2b (RFC 7693) over a seed and the keys of what is drawn for, never
from a generator with state: the answer for one key does not depend on which other keys there
are, on their order, on the Python version or on the platform, and anybody can draw it again.
Keys are content keys (strings), never primary keys, so two databases agree.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from hashlib import blake2b
from itertools import combinations
from math import ceil
from typing import TypeVar

from annotation.choices import ItemOrder, PairChoice

T = TypeVar("T")

DRAW_BITS = 64
RING_ATTEMPTS = 200


def draw(seed: str, *key: str) -> int:
    """Return a number from 0 to 2**64 - 1, uniform over keys.

    Each part is written with its length first, so ("ab", "c") and ("a", "bc") differ.
    """
    digest = blake2b(digest_size=DRAW_BITS // 8)
    for part in (seed, *key):
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return int.from_bytes(digest.digest(), "big")


# --- Order ---------------------------------------------------------------------------------


def in_seeded_order(seed: str, things: Iterable[T], *, key: Callable[[T], str]) -> list[T]:
    """Return the things in the seed's order, whatever order they came in.

    Keys that are equal keep the order they came in.
    """
    return sorted(things, key=lambda thing: (draw(seed, key(thing)), key(thing)))


def place_in_order(
    seed: str, *, member: str, dialogue: str, item: str, order: ItemOrder
) -> tuple[int, int]:
    """Return the sort key of an item in one person's own order.

    By dialogue, the items of one dialogue follow one another; the dialogues and the items
    within one come in an order of this person's own, so that people do not all meet the same
    items tired. Shuffled, each item stands for itself.
    """
    within = draw(seed, "item", member, item)
    if order is ItemOrder.SHUFFLED:
        return (within, 0)
    return (draw(seed, "dialogue", member, dialogue), within)


@lru_cache(maxsize=65_536)
def shuffled_place(seed: str, *key: str, at: int, length: int) -> int:
    """Return which of `length` places comes `at` that position (from 0) in the key's own order.

    A permutation computed one place at a time, so that the beginning of an order of a million
    costs what the beginning of an order of ten costs: a Feistel network of four rounds over the
    next power of four, walked until it lands inside (J. Black and P. Rogaway 2002, "Ciphers
    with arbitrary finite domains").
    """
    if not 0 <= at < length:
        raise ValueError(f"there is no place {at} among {length}")
    half = max(1, (length - 1).bit_length() + 1 >> 1)
    mask = (1 << half) - 1
    while True:
        left, right = at >> half, at & mask
        for number in range(4):
            left, right = right, left ^ draw(seed, *key, f"{number}", f"{right}") & mask
        at = left << half | right
        if at < length:
            return at


# --- Which side is shown first -------------------------------------------------------------


def coin(seed: str, item: str) -> int:
    """Return 1 or 2: which of the item's two responses its first seat is shown first."""
    return 1 + draw(seed, "shown first", item) % 2


def shown_first(item_coin: int, seat: int) -> int:
    """Return 1 or 2 for the seat with this number (from 1): the coin, turned for even seats.

    Two people on one item therefore see both orders of the pair.
    """
    if item_coin not in (1, 2):
        raise ValueError(f"a coin shows 1 or 2, not {item_coin}")
    if seat < 1:
        raise ValueError(f"seats count from 1, not {seat}")
    return item_coin if seat % 2 else swapped(item_coin)


def swapped(first: int) -> int:
    """Return the other side: what a repeat shows first where the original showed `first`."""
    return 3 - first


# --- Shares and samples --------------------------------------------------------------------


def in_share(seed: str, share: float, *key: str) -> bool:
    """Return whether this key is one of the seeded share (0 to 1).

    Each key is drawn alone, so a unit keeps its answer when others are added; the number drawn
    varies as a binomial does. A key in a smaller share is in every larger one.
    """
    return draw(seed, *key) < int(_exactly(share) * 2**DRAW_BITS)


def stratified_share(seed: str, strata: Mapping[str, str], share: float) -> frozenset[str]:
    """Return the keys drawn when each stratum gives its share, to within one.

    :param strata: key -> name of its stratum.
    :param share: from 0 to 1. The whole comes out at `share` rounded to the nearest (halves
        up); strata with the largest remainder are rounded up (Hamilton's method).
    """
    exact = _exactly(share)
    members: dict[str, list[str]] = defaultdict(list)
    for key, stratum in strata.items():
        members[stratum].append(key)
    wanted = int(exact * len(strata) + Fraction(1, 2))
    quota = {stratum: int(exact * len(keys)) for stratum, keys in members.items()}
    by_remainder = sorted(
        members,
        key=lambda name: (
            quota[name] - exact * len(members[name]),
            draw(seed, "stratum", name),
            name,
        ),
    )
    for stratum in by_remainder[: wanted - sum(quota.values())]:
        quota[stratum] += 1
    return frozenset(
        key
        for stratum, keys in members.items()
        for key in in_seeded_order(seed, keys, key=str)[: quota[stratum]]
    )


def sample(seed: str, things: Iterable[T], count: int, *, key: Callable[[T], str]) -> list[T]:
    """Return `count` of the things in the seed's order, or all where there are fewer.

    A smaller sample is the beginning of a larger one.
    """
    if count < 0:
        raise ValueError(f"cannot draw {count}")
    return in_seeded_order(seed, things, key=key)[:count]


def _exactly(share: float) -> Fraction:
    """Return the share as written: 0.2 is a fifth, not the nearest binary number."""
    if not 0 <= share <= 1:
        raise ValueError(f"a share lies between 0 and 1, not at {share}")
    return Fraction(str(share))


# --- Pairs ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Path:
    """A full path as pairs are chosen from it.

    :ivar nodes: keys of turn, response, turn, response ... from the root to the last response.
    :ivar faces: one digest per turn of what is read there: raw text and pixels of prompt and
        response. Two paths with the same faces cannot be told apart on the screen.
    """

    nodes: tuple[str, ...]
    faces: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.nodes or len(self.nodes) != 2 * len(self.faces):
            raise ValueError("a path has a turn and a response for each face")

    @property
    def key(self) -> str:
        """The key of the last response, which names the path."""
        return self.nodes[-1]

    @property
    def length(self) -> int:
        """Number of turns."""
        return len(self.faces)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A response as turn pairs are chosen from it: its key, and a digest of text and pixels."""

    key: str
    face: str


class Fork(StrEnum):
    """Where two paths part: two responses to one prompt, or two prompts after one response."""

    RESPONSE = "response"
    PROMPT = "prompt"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sides, ordered by key, and where they part.

    :ivar fork_turn: number of the first turn that is not the same on both sides, from 1.
    :ivar length_difference: turns of the longer side less turns of the shorter.
    """

    response_1: str
    response_2: str
    fork_turn: int
    fork: Fork
    length_difference: int = 0


@dataclass(frozen=True, slots=True)
class Selection:
    """The pairs chosen, and every other pair of the same things by what became of it.

    `len(pairs) + equal + unequal_length + prefixes + not_chosen` is the number of pairs there
    are. A pair that falls under several is counted under the first of prefix, unequal length,
    equal.
    """

    pairs: tuple[Pair, ...]
    equal: int = 0
    unequal_length: int = 0
    prefixes: int = 0
    not_chosen: int = 0


def conversation_pairs(
    paths: Iterable[Path],
    *,
    seed: str,
    choice: PairChoice | None = None,
    per_tree: int = 3,
    equal_length_only: bool = True,
) -> Selection:
    """Choose the pairs of one tree's full paths, neither side a prefix of the other.

    :param choice: `ALL`; `RING`, where each path stands in two pairs (in one, where there are
        only two); `SAMPLE`, `per_tree` pairs with paths used as evenly as can be. None is the
        default: all up to three paths and a ring above, which a ring gives by itself.
    :param equal_length_only: leave out pairs whose sides have different numbers of turns. A
        ring is then made among the paths of each length.
    :raises ValueError: where two paths have one key.
    """
    ordered = sorted(paths, key=lambda path: path.key)
    if len({path.key for path in ordered}) != len(ordered):
        raise ValueError("two paths with one key")
    prefixes = unequal = equal = 0
    fit: dict[tuple[str, str], Pair] = {}
    for one, other in combinations(ordered, 2):
        pair = _pair(one, other)
        if pair is None:
            prefixes += 1
        elif equal_length_only and pair.length_difference:
            unequal += 1
        elif one.faces == other.faces:
            equal += 1
        else:
            fit[one.key, other.key] = pair

    if choice is PairChoice.ALL:
        chosen = list(fit)
    elif choice is PairChoice.SAMPLE:
        chosen = _even_sample(seed, list(fit), per_tree)
    else:
        chosen = [
            edge
            for group in _groups(ordered, by_length=equal_length_only)
            for edge in _ring(seed, group, fit)
        ]
    return Selection(
        pairs=tuple(fit[edge] for edge in sorted(chosen)),
        equal=equal,
        unequal_length=unequal,
        prefixes=prefixes,
        not_chosen=len(fit) - len(chosen),
    )


def turn_pairs(candidates: Iterable[Candidate], *, turn: int) -> Selection:
    """Return all pairs of one turn's responses that can be told apart.

    :param turn: the turn's number on its path, from 1.
    :raises ValueError: where two responses have one key.
    """
    ordered = sorted(candidates, key=lambda candidate: candidate.key)
    if len({candidate.key for candidate in ordered}) != len(ordered):
        raise ValueError("two responses with one key")
    both = list(combinations(ordered, 2))
    pairs = tuple(
        Pair(one.key, other.key, fork_turn=turn, fork=Fork.RESPONSE)
        for one, other in both
        if one.face != other.face
    )
    return Selection(pairs=pairs, equal=len(both) - len(pairs))


def _pair(one: Path, other: Path) -> Pair | None:
    """Return the pair, or None where one side is a prefix of the other."""
    shared = 0
    for mine, theirs in zip(one.nodes, other.nodes, strict=False):
        if mine != theirs:
            break
        shared += 1
    if shared == min(len(one.nodes), len(other.nodes)):
        return None
    return Pair(
        one.key,
        other.key,
        fork_turn=shared // 2 + 1,
        fork=Fork.RESPONSE if shared % 2 else Fork.PROMPT,
        length_difference=abs(one.length - other.length),
    )


def _groups(paths: Sequence[Path], *, by_length: bool) -> list[list[str]]:
    """Return keys of the paths a ring may join; of paths that look the same only the first.

    Its equals would be judged twice as the same thing, or paired with it.
    """
    groups: dict[int, dict[tuple[str, ...], str]] = defaultdict(dict)
    for path in paths:
        groups[path.length if by_length else 0].setdefault(path.faces, path.key)
    return [list(groups[length].values()) for length in sorted(groups)]


def _ring(
    seed: str, keys: Sequence[str], fit: Mapping[tuple[str, str], Pair]
) -> list[tuple[str, str]]:
    """Return the pairs of neighbours when the keys stand in a seeded circle.

    Where some pairs are not fit (a prefix), the first of many seeded circles without such
    neighbours is taken; where none is found, the one that loses the fewest pairs.
    """
    best: list[tuple[str, str]] = []
    possible = len(keys) if len(keys) > 2 else len(keys) - 1
    for attempt in range(RING_ATTEMPTS):
        circle = in_seeded_order(f"{seed} ring {attempt}", keys, key=str)
        edges = {
            (min(one, other), max(one, other))
            for one, other in zip(circle, circle[1:] + circle[:1], strict=True)
            if one != other
        }
        fitting = sorted(edges & fit.keys())
        if len(fitting) > len(best):
            best = fitting
        if len(best) >= possible:
            break
    return best


def _even_sample(seed: str, edges: Sequence[tuple[str, str]], count: int) -> list[tuple[str, str]]:
    """Return `count` edges, each time one whose ends have been used least; seeded among those."""
    if count < 0:
        raise ValueError(f"cannot draw {count}")
    used: dict[str, int] = defaultdict(int)
    rank = {edge: (draw(seed, "pair", *edge), edge) for edge in edges}
    left = set(edges)
    chosen: list[tuple[str, str]] = []
    while left and len(chosen) < count:
        edge = min(left, key=lambda e: (sorted((used[e[0]], used[e[1]]), reverse=True), rank[e]))
        left.remove(edge)
        chosen.append(edge)
        used[edge[0]] += 1
        used[edge[1]] += 1
    return chosen


# --- Repeats and gold ----------------------------------------------------------------------


def gold_due(
    seed: str, golds: Iterable[T], *, member: str, workload: int, key: Callable[[T], str]
) -> list[tuple[T, int]]:
    """Return after how many of a person's own items each gold item is offered to them.

    The items a person can expect to do are cut into as many stretches as there are gold items;
    one falls somewhere in each, and which and where is this person's own. So gold comes as
    often late as early, at no interval, and two people who talk learn nothing from each other.

    :param workload: items one person can expect to do.
    """
    ordered = in_seeded_order(f"{seed} gold of {member}", golds, key=key)
    due = []
    for number, one in enumerate(ordered):
        start = number * workload // len(ordered)
        stop = max(start + 1, (number + 1) * workload // len(ordered))
        due.append((one, start + draw(seed, "gold place", member, key(one)) % (stop - start)))
    return due


def repeat_due(seed: str, item: str, *, member: str, gap: int) -> int:
    """Return how many of their own items after an item a person is offered its repeat.

    At least `gap`, and less than twice that, so that the distance tells nothing.
    """
    if gap < 1:
        raise ValueError(f"a repeat comes at least one item later, not {gap}")
    return gap + draw(seed, "repeat place", member, item) % gap


def count_of(amount: float, whole: int) -> int:
    """Return how many are meant: below 1 a share of `whole` (rounded up), from 1 on a number."""
    return min(whole, ceil(_exactly(amount) * whole) if amount < 1 else int(amount))
