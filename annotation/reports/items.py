"""Which items dialogues give: the paths and pairs of chosen trees, and what each asks of a person."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Any

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from annotation import sampling
from annotation.choices import (
    BatchKind,
    BatchSettings,
    DimensionPreference,
    ItemOrder,
    Level,
    LocalScope,
    ReasonRule,
    SlotState,
)
from annotation.models.batches import Item
from annotation.models.content import Dialogue, Record, Slot
from annotation.models.projects import Project
from annotation.models.rubric import Dimension, Rubric
from annotation.reports.trees import Answer, Tree, load_trees, node_key

DIALOGUES_AT_ONCE = 200

WORDS_PER_MINUTE = 238
"""Silent reading of English prose; Chinese, counted by signs, is read at 260 a minute, so one
figure serves both (M. Brysbaert 2019, "How many words do we read per minute?")."""

SECONDS_PER_IMAGE = 6
SECONDS_PER_DECISION = 5
SECONDS_PER_TEXT = 40
"""Planning figures of this project's own, to be compared with the median of submitted items."""

PUBLISHED_SHARES = {
    Level.LOCAL: (0.019, 0.077, 0.242, 0.663),
    Level.GLOBAL: (0.006, 0.090, 0.377, 0.527),
}
"""How often people gave 0, 1, 2, 3 in InterMT's score file: what a reason rule will ask."""


@dataclass(frozen=True, slots=True)
class DialogueChoice:
    """Which dialogues of the project: those that fit every part that is given.

    :ivar imports: public ids or names of imports that brought a record of the dialogue.
    :ivar sources: what the dialogue's `source` may be.
    :ivar tasks: what its `task` may be.
    :ivar turns_least: its longest path has at least this many turns ...
    :ivar turns_most: ... and at most this many.
    :ivar has_images: a file names an image for it, found or not (True), or none does (False).
    :ivar sample: of those that fit, this many, drawn from the batch's seed.
    """

    imports: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    turns_least: int | None = None
    turns_most: int | None = None
    has_images: bool | None = None
    sample: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what was chosen by; parts not given are left out."""
        body = {
            "imports": list(self.imports),
            "sources": list(self.sources),
            "tasks": list(self.tasks),
            "turns_least": self.turns_least,
            "turns_most": self.turns_most,
            "has_images": self.has_images,
            "sample": self.sample,
        }
        return {name: value for name, value in body.items() if value not in ([], None)}


@dataclass(frozen=True, slots=True)
class Load:
    """What one sitting holds. `decisions` and `texts` are those of a person who rated none of it
    before; `texts` is an expectation, since most rules depend on the scores.

    :ivar turns: of the longer side. :ivar words: to read, what both sides share once.
    :ivar images: stored images, likewise. :ivar minutes: estimated.
    """

    turns: int
    words: int
    images: int
    decisions: int
    texts: float
    minutes: float


@dataclass(frozen=True, slots=True)
class FoundItem:
    """An item that the dialogues give. `key` is its name in draws: the sides' content keys."""

    key: str
    dialogue: int
    dialogue_key: str
    task: str
    response_1: int
    response_2: int | None
    fork_depth: int | None
    load: Load
    local_units: frozenset[int] = frozenset()
    global_units: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class FoundItems:
    """Items in the order of the batch; `len(items) + sum(left_out.values()) == possible`.

    :ivar dialogues: how many dialogues were chosen. :ivar without_item: how many gave no item.
    :ivar left_out: reason -> number of items: `incomplete` (missing or broken pictures),
        `prefix`, `unequal_length`, `equal` (in text and pixels), `not_chosen` (by ring or sample).
    """

    items: tuple[FoundItem, ...]
    dialogues: int
    without_item: int
    possible: int
    left_out: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Needs:
    """What a rubric and settings ask for each unit: how many dimensions, how many reasons."""

    local_dimensions: int
    global_dimensions: int
    local_texts: float
    global_texts: float


def chosen_dialogues(
    project: Project, choice: DialogueChoice, *, seed: int
) -> list[tuple[int, str, str]]:
    """Return (primary key, content key, task) of the dialogues, ordered by content key."""
    dialogues = _fitting(project, choice).order_by("content_key")
    rows = list(dialogues.values_list("pk", "content_key", "task"))
    if choice.sample is not None:
        rows = sampling.sample(f"{seed} dialogues", rows, choice.sample, key=lambda row: row[1])
        rows.sort(key=lambda row: row[1])
    return rows


def find_items(
    project: Project,
    choice: DialogueChoice,
    *,
    kind: BatchKind,
    settings: BatchSettings,
    rubric: Rubric,
    order: ItemOrder,
    seed: int,
) -> FoundItems:
    """Return the items that the chosen dialogues give under these settings. Writes nothing.

    Four queries for every 200 dialogues, and two.
    """
    rows = chosen_dialogues(project, choice, seed=seed)
    needs = needs_of(rubric, settings, pairs=kind != BatchKind.CONVERSATION)
    items: list[FoundItem] = []
    left_out: Counter[str] = Counter()
    without_item = 0
    for some in _in_portions(rows, DIALOGUES_AT_ONCE):
        for tree in load_trees(some):
            found, reasons = _items_of(tree, kind=kind, settings=settings, needs=needs, seed=seed)
            items.extend(found)
            left_out.update(reasons)
            without_item += not found
    items.sort(
        key=lambda item: sampling.place_in_order(
            str(seed), member="", dialogue=item.dialogue_key, item=item.key, order=order
        )
    )
    return FoundItems(
        items=tuple(items),
        dialogues=len(rows),
        without_item=without_item,
        possible=len(items) + left_out.total(),
        left_out={reason: count for reason, count in sorted(left_out.items()) if count},
    )


def loads_of(
    items: Sequence[Item], *, kind: BatchKind, settings: BatchSettings, rubric: Rubric
) -> dict[int, Load]:
    """Return what each of these items would ask in a batch with these settings, by its key.

    Six queries, for items whose `dialogue` is loaded.
    """
    needs = needs_of(rubric, settings, pairs=kind != BatchKind.CONVERSATION)
    rows = {item.dialogue_id: item.dialogue for item in items}
    trees = {
        tree.pk: tree
        for tree in load_trees([(pk, one.content_key, one.task) for pk, one in rows.items()])
    }
    loads = {}
    for item in items:
        tree = trees[item.dialogue_id]
        other = tree.answers[item.response_2_id] if item.response_2_id else None
        one = tree.answers[item.response_1_id]
        found = _found(tree, one, other, item.fork_depth, kind=kind, settings=settings, needs=needs)
        loads[item.pk] = found.load
    return loads


def seats_needed(
    tasks: Mapping[str, str], settings: BatchSettings, *, members: int, seed: int
) -> dict[str, int]:
    """Return item key -> number of overlap seats.

    Everyone: a seat for each of `members`. Mixed: the higher number on a seeded share of the
    items, drawn within each task so that no task is without.

    :param tasks: item key -> task of its dialogue.
    """
    if settings.everyone:
        return dict.fromkeys(tasks, members)
    seats = dict.fromkeys(tasks, settings.overlap)
    if settings.overlap_high:
        high = sampling.stratified_share(f"{seed} overlap", tasks, settings.overlap_high_share)
        seats.update(dict.fromkeys(high, settings.overlap_high))
    return seats


def draw_key(item: Item) -> str:
    """Return the item's name in draws, as `FoundItem.key` had it. Reads responses and turns."""
    sides = [item.response_1, item.response_2]
    return " ".join(node_key(side.content_key, side.turn.content_key) for side in sides if side)


def needs_of(rubric: Rubric, settings: BatchSettings, *, pairs: bool) -> Needs:
    """Return what each rated unit asks. One query and one for the scale points."""
    count: Counter[str] = Counter()
    texts: defaultdict[str, float] = defaultdict(float)
    for dimension in rubric.dimensions.prefetch_related("points").order_by("position"):
        count[dimension.level] += 1
        rule = settings.reasons.get(dimension.key)
        if rule:
            texts[dimension.level] += _expected_share(rule, dimension, pairs=pairs)
    return Needs(
        local_dimensions=count[Level.LOCAL],
        global_dimensions=count[Level.GLOBAL],
        local_texts=texts[Level.LOCAL],
        global_texts=texts[Level.GLOBAL],
    )


def minutes_of(*, words: float, images: float, decisions: float, texts: float) -> float:
    """Return the estimated minutes of reading, looking, deciding and writing."""
    seconds = (
        images * SECONDS_PER_IMAGE + decisions * SECONDS_PER_DECISION + texts * SECONDS_PER_TEXT
    )
    return words / WORDS_PER_MINUTE + seconds / 60


def _expected_share(rule: ReasonRule, dimension: Dimension, *, pairs: bool) -> float:
    """Return on which share of a dimension's ratings the rule will ask, were parts independent."""
    if rule.always:
        return 1.0
    scores = sorted(point.score for point in dimension.points.all() if point.in_order)
    published = PUBLISHED_SHARES[Level(dimension.level)]
    shares = published if scores == [0, 1, 2, 3] else (1 / max(1, len(scores)),) * len(scores)
    low = 0.0
    if rule.at_or_below is not None:
        low = sum(p for score, p in zip(scores, shares, strict=True) if score <= rule.at_or_below)
    differ = 1 - sum(p * p for p in shares) if rule.where_sides_differ and pairs else 0.0
    return 1 - (1 - low) * (1 - differ) * (1 - float(Fraction(str(rule.share))))


# --- Choosing dialogues --------------------------------------------------------------------


def _fitting(project: Project, choice: DialogueChoice) -> QuerySet[Dialogue]:
    dialogues = Dialogue.objects.filter(project=project)
    if choice.imports:
        named = Q(imported_in__public_id__in=choice.imports) | Q(
            imported_in__name__in=choice.imports
        )
        brought = Record.objects.filter(named, dialogue__isnull=False).values("dialogue_id")
        dialogues = dialogues.filter(named | Q(pk__in=brought))
    if choice.sources:
        dialogues = dialogues.filter(source__in=choice.sources)
    if choice.tasks:
        dialogues = dialogues.filter(task__in=choice.tasks)
    if choice.turns_least is not None or choice.turns_most is not None:
        dialogues = dialogues.annotate(longest=Max("responses__depth"))
        if choice.turns_least is not None:
            dialogues = dialogues.filter(longest__gte=choice.turns_least)
        if choice.turns_most is not None:
            dialogues = dialogues.filter(longest__lte=choice.turns_most)
    if choice.has_images is not None:
        slots = Slot.objects.exclude(state=SlotState.NEVER_MADE)
        some = Exists(slots.filter(turn__dialogue=OuterRef("pk"))) | Exists(
            slots.filter(response__dialogue=OuterRef("pk"))
        )
        dialogues = dialogues.filter(some if choice.has_images else ~some)
    return dialogues


def _in_portions(rows: Sequence[tuple[int, str, str]], size: int) -> Iterator[list[Any]]:
    iterator = iter(rows)
    while some := list(islice(iterator, size)):
        yield some


# --- Items of one tree ---------------------------------------------------------------------


def _items_of(
    tree: Tree, *, kind: BatchKind, settings: BatchSettings, needs: Needs, seed: int
) -> tuple[list[FoundItem], Counter[str]]:
    """Return the tree's items, and how many others there could be by why they are not."""
    if kind == BatchKind.TURN_PAIR:
        chosen, left_out = _turn_pairs(tree, settings)
    else:
        whole = [answer for answer in tree.answers.values() if answer.full]
        usable = [answer for answer in whole if _usable(tree, answer, settings)]
        if kind == BatchKind.CONVERSATION:
            left_out = Counter(incomplete=len(whole) - len(usable))
            chosen = [(answer, None, None) for answer in usable]
        else:
            chosen, left_out = _conversation_pairs(tree, usable, settings, seed=seed)
            left_out["incomplete"] = _pairs_among(len(whole)) - _pairs_among(len(usable))
    found = [
        _found(tree, one, other, fork, kind=kind, settings=settings, needs=needs)
        for one, other, fork in chosen
    ]
    return found, left_out


_Sides = tuple[Answer, Answer | None, int | None]


def _usable(tree: Tree, answer: Answer, settings: BatchSettings) -> bool:
    return settings.include_incomplete or not any(node.incomplete for node in tree.nodes_to(answer))


def _pairs_among(count: int) -> int:
    return count * (count - 1) // 2


def _conversation_pairs(
    tree: Tree, answers: Sequence[Answer], settings: BatchSettings, *, seed: int
) -> tuple[list[_Sides], Counter[str]]:
    by_key = {answer.key: answer for answer in answers}
    paths = []
    for answer in answers:
        nodes = tree.nodes_to(answer)
        faces = [
            prompt.face() + response.face()
            for prompt, response in zip(nodes[::2], nodes[1::2], strict=True)
        ]
        paths.append(sampling.Path(nodes=tuple(node.key for node in nodes), faces=tuple(faces)))
    selection = sampling.conversation_pairs(
        paths,
        seed=str(seed),
        choice=settings.pairs,
        per_tree=settings.pairs_per_tree,
        equal_length_only=settings.equal_length_only,
    )
    pairs: list[_Sides] = [
        (by_key[pair.response_1], by_key[pair.response_2], pair.fork_turn)
        for pair in selection.pairs
    ]
    return pairs, Counter(
        prefix=selection.prefixes,
        unequal_length=selection.unequal_length,
        equal=selection.equal,
        not_chosen=selection.not_chosen,
    )


def _turn_pairs(tree: Tree, settings: BatchSettings) -> tuple[list[_Sides], Counter[str]]:
    siblings: defaultdict[int, list[Answer]] = defaultdict(list)
    for answer in tree.answers.values():
        siblings[answer.turn].append(answer)
    pairs: list[_Sides] = []
    left_out: Counter[str] = Counter()
    for answers in siblings.values():
        usable = {a.key: a for a in answers if _usable(tree, a, settings)}
        depth = answers[0].depth
        selection = sampling.turn_pairs(
            (sampling.Candidate(a.key, a.face()) for a in usable.values()), turn=depth
        )
        pairs += [
            (usable[pair.response_1], usable[pair.response_2], depth) for pair in selection.pairs
        ]
        left_out["equal"] += selection.equal
        left_out["incomplete"] += _pairs_among(len(answers)) - _pairs_among(len(usable))
    return pairs, left_out


def _found(
    tree: Tree,
    one: Answer,
    other: Answer | None,
    fork_depth: int | None,
    *,
    kind: BatchKind,
    settings: BatchSettings,
    needs: Needs,
) -> FoundItem:
    sides = [one] if other is None else [one, other]
    local_units = _local_units(tree, sides, fork_depth, kind=kind, scope=settings.local_scope)
    rates_whole = kind == BatchKind.CONVERSATION or (
        kind == BatchKind.CONVERSATION_PAIR and settings.global_ratings
    )
    global_units = frozenset(side.pk for side in sides) if rates_whole else frozenset()
    # Prompts and responses are numbered apart, so a node is told by kind and number.
    nodes = {
        (isinstance(node, Answer), node.pk): node for side in sides for node in tree.nodes_to(side)
    }.values()
    words = sum(node.words for node in nodes)
    images = sum(node.images for node in nodes)
    decisions = (
        len(local_units) * needs.local_dimensions
        + len(global_units) * needs.global_dimensions
        + _preferences(tree, sides, fork_depth, kind=kind, settings=settings, needs=needs)
    )
    texts = len(local_units) * needs.local_texts + len(global_units) * needs.global_texts
    if other is not None and settings.rationale_minimum:
        texts += 1
    return FoundItem(
        key=" ".join(side.key for side in sides),
        dialogue=tree.pk,
        dialogue_key=tree.key,
        task=tree.task,
        response_1=one.pk,
        response_2=other.pk if other else None,
        fork_depth=fork_depth,
        load=Load(
            turns=max(side.depth for side in sides),
            words=words,
            images=images,
            decisions=decisions,
            texts=round(texts, 2),
            minutes=round(
                minutes_of(words=words, images=images, decisions=decisions, texts=texts), 1
            ),
        ),
        local_units=local_units,
        global_units=global_units,
    )


def _local_units(
    tree: Tree,
    sides: Sequence[Answer],
    fork_depth: int | None,
    *,
    kind: BatchKind,
    scope: LocalScope,
) -> frozenset[int]:
    """Return the responses that are rated; one that both sides share is rated once."""
    if kind == BatchKind.TURN_PAIR:
        return frozenset(side.pk for side in sides)
    on_paths = {pk for side in sides for pk in side.lineage}
    if kind == BatchKind.CONVERSATION:
        return frozenset(on_paths)
    fork = fork_depth or 1
    if scope == LocalScope.NONE:
        return frozenset()
    if scope == LocalScope.AFTER_FORK:
        return frozenset(pk for pk in on_paths if tree.answers[pk].depth >= fork)
    if scope == LocalScope.FORK_TURN:
        return frozenset(pk for pk in on_paths if tree.answers[pk].depth == fork)
    return frozenset(on_paths)


def _preferences(
    tree: Tree,
    sides: Sequence[Answer],
    fork_depth: int | None,
    *,
    kind: BatchKind,
    settings: BatchSettings,
    needs: Needs,
) -> int:
    """Return how many preferences the item asks at most: per dimension, overall, at the fork."""
    if kind == BatchKind.CONVERSATION:
        return 0
    dimensions = needs.local_dimensions if kind == BatchKind.TURN_PAIR else needs.global_dimensions
    if settings.dimension_preference == DimensionPreference.NONE:
        dimensions = 0
    at_fork = False
    if kind == BatchKind.CONVERSATION_PAIR and settings.fork_preference and fork_depth:
        one, other = (tree.answers[side.lineage[fork_depth - 1]] for side in sides)
        # At the last turn the fork's preference is the overall one; at a prompt there is none.
        at_fork = one.turn == other.turn and one.pk != sides[0].pk
    return dimensions + 1 + at_fork
