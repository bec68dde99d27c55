"""Records become trees: which nodes are the same, and what becomes of their picture slots.

A node with an outside id is its parent, that id and its raw text; pictures play no part, since
the published files name the same node's pictures differently. A node without an id is its parent,
its raw text and its pictures, by their pixels or, where a file is missing, by name. With and
without ids never join. Nothing here depends on the order in which records come.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from annotation.actions.images import Found
from annotation.actions.marks import Said
from annotation.choices import MarkOrigin, RecordOutcome, SlotState
from annotation.formats import records as given
from annotation.models.content import Dialogue, Image, Record, Response, Slot, Turn, Variant
from annotation.models.imports import Import
from annotation.models.projects import Project

_RANK = {
    SlotState.NEVER_MADE: 0,
    SlotState.MISSING: 1,
    SlotState.BROKEN: 2,
    SlotState.STORED: 3,
}
"""A slot takes the state that tells most; so the order of records does not matter."""

Pictures = Mapping[str, Found]


@dataclass(slots=True, eq=False)
class TurnNode:
    row: Turn
    follows: "ResponseNode | None"
    responses: dict[str, "ResponseNode"] = field(default_factory=dict)
    slots: dict[int, Slot] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class ResponseNode:
    row: Response
    turn: TurnNode
    turns: dict[str, TurnNode] = field(default_factory=dict)
    slots: dict[int, Slot] = field(default_factory=dict)

    def path(self) -> list["ResponseNode"]:
        """Return the responses from the root to this one."""
        nodes = [self]
        while nodes[-1].turn.follows is not None:
            nodes.append(nodes[-1].turn.follows)
        return nodes[::-1]


@dataclass(slots=True)
class Grown:
    """What the trees got from one record."""

    outcome: RecordOutcome
    last: ResponseNode
    nodes_with_other_names: int


def node_key(role: str, parent: str, text: str, external_id: str, pictures: Sequence[str]) -> str:
    """Return the content key of a node: 64 hex digits, the same on every database."""
    identity = ("id", external_id) if external_id else ("pictures", *pictures)
    digest = hashlib.sha256()
    for part in (role, parent, text, *identity):
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return digest.hexdigest()


def candidate_keys(
    role: str, parent: str, message: given.Message, pictures: Pictures
) -> tuple[str, ...]:
    """Return the keys under which a node may stand: by its pixels first, then by its names."""
    by_name = [f"name:{slot.name}" for slot in message.slots]
    by_pixels = [
        f"pixels:{found.image.pixel_sha256}"
        if (found := pictures.get(slot.name)) and found.image
        else f"name:{slot.name}"
        for slot in message.slots
    ]
    keys = (
        node_key(role, parent, message.text, message.external_id, names)
        for names in (by_pixels, by_name)
    )
    return tuple(dict.fromkeys(keys))


class Grove:
    """The trees that a chunk of records touches, in memory, with what is to be written.

    Memory is these trees. `save` writes in a few queries a level, whatever the number of records.
    """

    def __init__(self, project: Project, *, now: datetime) -> None:
        self.project = project
        self.now = now
        self.roots: dict[str, TurnNode] = {}
        self.responses: dict[int, ResponseNode] = {}
        self.filled = 0
        self.new_dialogues: list[Dialogue] = []
        self.new_turns: dict[int, list[TurnNode]] = defaultdict(list)
        self.new_responses: dict[int, list[ResponseNode]] = defaultdict(list)
        self.new_slots: list[Slot] = []
        self.new_variants: list[tuple[Slot, Image, Record]] = []
        self.marked: list[tuple[Dialogue, Slot | None, str]] = []
        self._changed_dialogues: dict[int, Dialogue] = {}
        self._changed_responses: dict[int, Response] = {}
        self._changed_slots: dict[int, Slot] = {}
        self._known_variants: set[tuple[int, int]] = set()

    def load(self, *, root_keys: Iterable[str], dialogues: Iterable[int]) -> None:
        """Load the trees with these roots and these primary keys. Six queries."""
        found = Dialogue.objects.filter(project=self.project)
        rows = {
            row.pk: row
            for which in (
                found.filter(content_key__in=set(root_keys)),
                found.filter(pk__in=set(dialogues)),
            )
            for row in which
        }
        turns: dict[int, TurnNode] = {}
        by_depth = sorted(
            [
                *Turn.objects.filter(dialogue__in=rows),
                *Response.objects.filter(dialogue__in=rows),
            ],
            key=lambda row: (row.depth, isinstance(row, Response)),
        )
        for row in by_depth:
            row.dialogue = rows[row.dialogue_id]
            if isinstance(row, Turn):
                turns[row.pk] = self._hang_turn(row)
            else:
                node = ResponseNode(row, turns[row.turn_id])
                node.turn.responses[row.content_key] = node
                self.responses[row.pk] = node
        self._load_slots(turns)

    def _hang_turn(self, row: Turn) -> TurnNode:
        above = None if row.follows_id is None else self.responses[row.follows_id]
        node = TurnNode(row, above)
        siblings = self.roots if above is None else above.turns
        siblings[row.content_key] = node
        return node

    def _load_slots(self, turns: Mapping[int, TurnNode]) -> None:
        ids: list[int] = []
        for slot in Slot.objects.filter(turn__in=turns).select_related("image"):
            turns[slot.turn_id or 0].slots[slot.position] = slot
            ids.append(slot.pk)
        for slot in Slot.objects.filter(response__in=self.responses).select_related("image"):
            self.responses[slot.response_id or 0].slots[slot.position] = slot
            ids.append(slot.pk)
        self._known_variants = set(
            Variant.objects.filter(slot__in=ids).values_list("slot_id", "image_id")
        )

    def grow(self, record: given.Record, pictures: Pictures, row: Record) -> Grown:
        """Add a record's path to its tree; `row` is the record's, not yet saved.

        A path whose nodes all stand adds nothing: it is a duplicate where a record ends at the
        same response, else a prefix.
        """
        is_new = False
        renamed = 0
        above: ResponseNode | None = None
        for turn in record.turns:
            asked = self._turn(record, turn.prompt, above, pictures)
            renamed += self._settle(asked, turn.prompt, pictures, row)
            above, made = self._response(asked, turn.response, pictures)
            is_new |= made
            renamed += self._settle(above, turn.response, pictures, row)
        if above is None:
            raise ValueError("a record has at least one turn")
        self._add_about(above.row.dialogue, record)
        outcome = RecordOutcome.NEW
        if not is_new:
            outcome = RecordOutcome.DUPLICATE if above.row.ends_record else RecordOutcome.PREFIX
        self._end(above.row)
        return Grown(outcome, above, renamed)

    def fill(
        self, record: given.Record, last: ResponseNode, pictures: Pictures, row: Record
    ) -> None:
        """Give the slots of a record that came before whatever pictures are found now."""
        for turn, node in zip(record.turns, last.path(), strict=True):
            self._settle(node.turn, turn.prompt, pictures, row)
            self._settle(node, turn.response, pictures, row)

    def _turn(
        self,
        record: given.Record,
        prompt: given.Prompt,
        above: ResponseNode | None,
        pictures: Pictures,
    ) -> TurnNode:
        siblings = self.roots if above is None else above.turns
        parent = "" if above is None else above.row.content_key
        keys = candidate_keys("turn", parent, prompt, pictures)
        for key in keys:
            if key in siblings:
                return siblings[key]
        dialogue = self._new_dialogue(keys[0]) if above is None else above.row.dialogue
        row = Turn(
            dialogue=dialogue,
            follows=None if above is None else above.row,
            content_key=keys[0],
            external_id=prompt.external_id,
            depth=1 if above is None else above.row.depth + 1,
            prompt=prompt.text,
        )
        node = TurnNode(row, above)
        siblings[keys[0]] = node
        self.new_turns[row.depth].append(node)
        return node

    def _new_dialogue(self, key: str) -> Dialogue:
        dialogue = Dialogue(project=self.project, content_key=key, created_at=self.now)
        self.new_dialogues.append(dialogue)
        return dialogue

    def _response(
        self, asked: TurnNode, response: given.Response, pictures: Pictures
    ) -> tuple[ResponseNode, bool]:
        keys = candidate_keys("response", asked.row.content_key, response, pictures)
        source = response.source.as_json()
        for key in keys:
            if node := asked.responses.get(key):
                if source and not node.row.source:
                    node.row.source = source
                    self._change(node.row)
                return node, False
        row = Response(
            dialogue=asked.row.dialogue,
            turn=asked.row,
            content_key=keys[0],
            external_id=response.external_id,
            depth=asked.row.depth,
            text=response.text,
            source=source,
        )
        node = ResponseNode(row, asked)
        asked.responses[keys[0]] = node
        self.new_responses[row.depth].append(node)
        return node, True

    def _end(self, response: Response) -> None:
        if not response.ends_record:
            response.ends_record = True
            self._change(response)

    def _change(self, response: Response) -> None:
        if response.pk:
            self._changed_responses[response.pk] = response

    def _add_about(self, dialogue: Dialogue, record: given.Record) -> None:
        """Take what the record says of its dialogue where nothing is said yet."""
        changed = False
        about = {
            "external_id": record.dialogue_id,
            "title": record.title,
            "task": record.task,
            "source": record.source,
            "language": record.language,
        }
        for name, value in about.items():
            if value and not getattr(dialogue, name):
                setattr(dialogue, name, value)
                changed = True
        self._hear(dialogue, None, record.marks)
        if changed and dialogue.pk:
            self._changed_dialogues[dialogue.pk] = dialogue

    def _settle(
        self,
        node: TurnNode | ResponseNode,
        message: given.Message,
        pictures: Pictures,
        record: Record,
    ) -> bool:
        """Bring a node's slots up to what a record says; whether it names other pictures."""
        before = [slot.name for _, slot in sorted(node.slots.items())]
        for one in message.slots:
            state, found = _state(one, pictures)
            slot = node.slots.get(one.position)
            if slot is None:
                node.slots[one.position] = self._new_slot(node, one, state, found)
            else:
                self._update_slot(slot, one, state, found, record)
            self._hear(node.row.dialogue, node.slots[one.position], one.marks)
        return (
            bool(before)
            and bool(message.external_id)
            and before != [one.name for one in message.slots]
        )

    def _new_slot(
        self,
        node: TurnNode | ResponseNode,
        one: given.Slot,
        state: SlotState,
        found: Found,
    ) -> Slot:
        slot = Slot(
            turn=node.row if isinstance(node, TurnNode) else None,
            response=node.row if isinstance(node, ResponseNode) else None,
            image=found.image,
            position=one.position,
            name=one.name,
            state=state,
            problem=found.problem,
            offset=one.offset,
            length=one.length,
            kind=one.kind,
            caption=one.caption,
        )
        self.new_slots.append(slot)
        return slot

    def _update_slot(
        self, slot: Slot, one: given.Slot, state: SlotState, found: Found, record: Record
    ) -> None:
        if slot.state == SlotState.WITHDRAWN:
            return
        if _RANK[state] > _RANK[SlotState(slot.state)]:
            slot.name, slot.state = one.name, state
            slot.image, slot.problem = found.image, found.problem
            self.filled += state == SlotState.STORED
            if slot.pk:
                self._changed_slots[slot.pk] = slot
        elif state == SlotState.STORED and found.image and slot.image:
            self._add_variant(slot, found.image, record)

    def _hear(self, dialogue: Dialogue, slot: Slot | None, marks: Iterable[str]) -> None:
        """Note what a record says that a dialogue or picture shows, if that is new."""
        known = dialogue.marks if slot is None else slot.marks
        self.marked += [(dialogue, slot, key) for key in marks if key not in known]

    def said(self) -> list[Said]:
        """Return what the records say of contents; once all is saved."""
        return [
            Said(dialogue.pk, key, MarkOrigin.FILE, slot=slot.pk if slot else None)
            for dialogue, slot, key in self.marked
        ]

    def grown_dialogues(self) -> set[int]:
        """Return the dialogues with texts that were not there before; once all is saved."""
        turns = (node.row for level in self.new_turns.values() for node in level)
        responses = (node.row for level in self.new_responses.values() for node in level)
        return {row.dialogue.pk for rows in (turns, responses) for row in rows}

    def _add_variant(self, slot: Slot, image: Image, record: Record) -> None:
        if slot.image is None or slot.image.pixel_sha256 == image.pixel_sha256:
            return
        if slot.pk:
            if (slot.pk, image.pk) in self._known_variants:
                return
            self._known_variants.add((slot.pk, image.pk))
        elif any(other is slot and kept.pk == image.pk for other, kept, _ in self.new_variants):
            return
        self.new_variants.append((slot, image, record))

    def has_changes(self) -> bool:
        """Whether `save` would write anything."""
        return bool(
            self.new_dialogues
            or self.new_turns
            or self.new_responses
            or self.new_slots
            or self.new_variants
            or self.marked
            or self._changed_dialogues
            or self._changed_responses
            or self._changed_slots
        )

    def save(self, imported_in: Import | None, records: Sequence[Record]) -> None:
        """Write all that is new and changed, then the records that point at it.

        :param imported_in: the import that new dialogues came in; needed where there are any.
        """
        for dialogue in self.new_dialogues:
            if imported_in is None:
                raise ValueError("a new dialogue came in an import")
            dialogue.imported_in = imported_in
        Dialogue.objects.bulk_create(self.new_dialogues)
        for depth in sorted(self.new_turns.keys() | self.new_responses.keys()):
            Turn.objects.bulk_create(node.row for node in self.new_turns.get(depth, ()))
            self._create_responses(self.new_responses.get(depth, ()))
        Slot.objects.bulk_create(self.new_slots)
        Slot.objects.bulk_update(
            self._changed_slots.values(), ["name", "state", "image", "problem"], batch_size=200
        )
        Response.objects.bulk_update(
            self._changed_responses.values(), ["ends_record", "source"], batch_size=200
        )
        Dialogue.objects.bulk_update(
            self._changed_dialogues.values(),
            ["external_id", "title", "task", "source", "language"],
            batch_size=200,
        )
        Record.objects.bulk_create(records)
        Variant.objects.bulk_create(
            Variant(slot=slot, image=image, record=record)
            for slot, image, record in self.new_variants
        )

    def _create_responses(self, nodes: Sequence[ResponseNode]) -> None:
        Response.objects.bulk_create(node.row for node in nodes)
        for node in nodes:
            above = node.turn.follows
            node.row.lineage = f"{above.row.lineage if above else '/'}{node.row.pk}/"
            self.responses[node.row.pk] = node
        Response.objects.bulk_update([node.row for node in nodes], ["lineage"], batch_size=200)


def _state(one: given.Slot, pictures: Pictures) -> tuple[SlotState, Found]:
    """Return what a slot is by what one record and its folders give."""
    if one.never_made:
        return SlotState.NEVER_MADE, Found()
    found = pictures.get(one.name)
    if found is None:
        return SlotState.MISSING, Found()
    return (SlotState.STORED if found.image else SlotState.BROKEN), found
