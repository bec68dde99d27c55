"""Dialogue trees in memory: prompts and responses with their texts and pictures, many at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from annotation.choices import SlotState
from annotation.models.content import Response, Slot, Turn
from annotation.rendering.text import count_words

INCOMPLETE = (SlotState.MISSING, SlotState.BROKEN)
"""States of a slot that must not be judged as an image that was never made."""


@dataclass(slots=True)
class Node:
    """A prompt or a response: its key in draws, and what is read there."""

    pk: int
    key: str
    text: str
    pictures: list[str] = field(default_factory=list)
    images: int = 0
    incomplete: bool = False
    words: int = 0

    def face(self) -> str:
        """Return a digest of what is read and seen: raw text, and pictures by their pixels."""
        digest = blake2b(digest_size=16)
        for part in (self.text, *self.pictures):
            encoded = part.encode()
            digest.update(len(encoded).to_bytes(8, "big") + encoded)
        return digest.hexdigest()


@dataclass(slots=True)
class Answer(Node):
    """A response; `full` where it names a full path."""

    turn: int = 0
    depth: int = 0
    lineage: tuple[int, ...] = ()
    full: bool = False


@dataclass(slots=True)
class Tree:
    """A dialogue: prompts and responses by primary key."""

    pk: int
    key: str
    task: str
    prompts: dict[int, Node] = field(default_factory=dict)
    answers: dict[int, Answer] = field(default_factory=dict)

    def nodes_to(self, answer: Answer) -> list[Node]:
        """Return prompt, response, prompt, response ... from the root to this response."""
        nodes: list[Node] = []
        for pk in answer.lineage:
            nodes += [self.prompts[self.answers[pk].turn], self.answers[pk]]
        return nodes


def node_key(response_key: str, turn_key: str) -> str:
    """Return a response's name in draws: its key is unique in its turn, with the turn's in all."""
    return f"{response_key} {turn_key}"


def load_trees(rows: Sequence[tuple[int, str, str]]) -> Iterator[Tree]:
    """Load whole trees in four queries, whatever their number."""
    trees = {pk: Tree(pk=pk, key=key, task=task) for pk, key, task in rows}
    followed = set()
    for pk, dialogue, follows, key, prompt in Turn.objects.filter(dialogue__in=trees).values_list(
        "pk", "dialogue", "follows", "content_key", "prompt"
    ):
        followed.add(follows)
        trees[dialogue].prompts[pk] = Node(pk=pk, key=key, text=prompt, words=count_words(prompt))
    columns = ("pk", "dialogue", "turn", "depth", "lineage", "content_key", "text", "ends_record")
    for pk, dialogue, turn, depth, lineage, key, text, ends_record in Response.objects.filter(
        dialogue__in=trees
    ).values_list(*columns):
        tree = trees[dialogue]
        tree.answers[pk] = Answer(
            pk=pk,
            key=node_key(key, tree.prompts[turn].key),
            text=text,
            words=count_words(text),
            turn=turn,
            depth=depth,
            lineage=tuple(map(int, lineage.strip("/").split("/"))),
            full=ends_record or pk not in followed,
        )
    _add_pictures(trees)
    yield from trees.values()


def _add_pictures(trees: Mapping[int, Tree]) -> None:
    columns = ("state", "name", "image__pixel_sha256")
    for dialogue, owner, state, name, pixels in (
        Slot.objects.filter(turn__dialogue__in=trees)
        .order_by("turn", "position")
        .values_list("turn__dialogue", "turn", *columns)
    ):
        _add_picture(trees[dialogue].prompts[owner], state, name, pixels)
    for dialogue, owner, state, name, pixels in (
        Slot.objects.filter(response__dialogue__in=trees)
        .order_by("response", "position")
        .values_list("response__dialogue", "response", *columns)
    ):
        _add_picture(trees[dialogue].answers[owner], state, name, pixels)


def _add_picture(node: Node, state: str, name: str, pixels: str | None) -> None:
    stored = state == SlotState.STORED
    node.images += stored
    node.incomplete |= state in INCOMPLETE
    node.pictures.append(f"{state} {pixels if stored else name}")
