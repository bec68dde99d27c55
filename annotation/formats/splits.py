"""Splits that hold: no tree and no picture stands in two of them, and new data moves no old line.

The unit is the *group*: trees joined where they share a picture, by union-find. Each tree has a
point in [0, 1), the seeded hash of its root's content key, and a group stands at the **least**
point of its trees. The line is cut as train | validation | test, from the low end.

What "stable when data is added" takes, and what this gives:

* A tree that shares no picture with the new ones keeps its split, whatever is added: its point
  comes from its own key and the seed, never from its neighbours' number or order.
* New trees can join two groups that were apart (a picture that stands in both). Then the groups
  must end in one split, so no rule at all can leave both where they were. By the least point a
  group can only move towards **train**: what a model was once trained on never turns up in a later
  validation or test set. The price is that large groups lean to train; the manifest counts rows per
  split so that it is seen.
* Taking data away can undo a merge, and then a group may move back. Keep the seed and the batches.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

NAMES = ("train", "validation", "test")
WHOLE = 100


class BadSplit(ValueError):
    """Shares that cannot be cut."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of train, validation and test in percent, for example 90/5/5."""

    train: int
    validation: int
    test: int

    def __post_init__(self) -> None:
        """Refuse shares that are negative or do not add up to the whole."""
        if min(self.parts) < 0:
            raise BadSplit(f"the shares {self} cannot be cut: none lies below 0")
        if sum(self.parts) != WHOLE:
            raise BadSplit(f"the shares {self} sum to {sum(self.parts)}: they must sum to {WHOLE}")

    @property
    def parts(self) -> tuple[int, int, int]:
        """Return the three shares in the order of `NAMES`."""
        return (self.train, self.validation, self.test)

    def __str__(self) -> str:
        return "/".join(str(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Tree:
    """One dialogue: the content key of its root, and the keys of the pictures anywhere in it."""

    root: str
    images: frozenset[str]


def parse_shares(text: str) -> Shares:
    """Read "90/5/5"; of two numbers, as in "90/10", the second is test.

    :raises BadSplit: for anything else, and for shares that do not sum to 100.
    """
    try:
        numbers = [int(part) for part in text.split("/")]
    except ValueError:
        numbers = []
    if len(numbers) == 2:
        numbers = [numbers[0], 0, numbers[1]]
    if len(numbers) != 3:
        raise BadSplit(f"{text!r} is no split: write train/validation/test, for example 90/5/5")
    return Shares(*numbers)


def joined(trees: Iterable[Tree]) -> dict[str, str]:
    """Return for each root the least root of its group: trees that share a picture are one group.

    Union-find with path halving; near-linear in the number of (tree, picture) entries.
    """
    parent: dict[str, str] = {}

    def top(key: str) -> str:
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    first_with: dict[str, str] = {}
    for tree in trees:
        parent.setdefault(tree.root, tree.root)
        for image in tree.images:
            low, high = sorted((top(tree.root), top(first_with.setdefault(image, tree.root))))
            parent[high] = low
    return {root: top(root) for root in sorted(parent)}


def placed(trees: Iterable[Tree], *, shares: Shares, seed: int) -> dict[str, str]:
    """Return the split of each root. The same trees in any order give the same answer."""
    group_of = joined(trees)
    least: dict[str, int] = {}
    for root, group in group_of.items():
        point = _point(root, seed)
        least[group] = min(point, least.get(group, point))
    names = {group: _cut(point, shares) for group, point in least.items()}
    return {root: names[group] for root, group in group_of.items()}


def counts(placement: Mapping[str, str]) -> dict[str, int]:
    """Return how many trees stand in each split, every split named."""
    return {name: sum(1 for split in placement.values() if split == name) for name in NAMES}


def _point(root: str, seed: int) -> int:
    """Return the tree's point as a whole number below 2**64, so that no float decides."""
    return int.from_bytes(hashlib.sha256(f"split/{seed}/{root}".encode()).digest()[:8], "big")


def _cut(point: int, shares: Shares) -> str:
    edge = 0
    for name, part in zip(NAMES, shares.parts, strict=True):
        edge += part
        if part and point * WHOLE < edge << 64:
            return name
    raise BadSplit(f"no split for the point {point}")
