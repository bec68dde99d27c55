"""What an import did, and what can be judged of what it brought."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any

from django.db.models import Count, Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from annotation.choices import JobState, RecordOutcome, SlotState
from annotation.labels import LABELS
from annotation.models.content import Dialogue, Response, Slot, Turn
from annotation.models.imports import Import
from annotation.reports.trees import Answer, Tree, load_trees

MOST_LISTED = 1000
"""Refusals and conflicts are all counted; this many of each are listed."""

PAGE = 100


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that was not taken. `field` is a JSON path within it."""

    file: str
    position: int
    place: str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """A score or preference that differs from the one that is stored, which stays.

    :ivar turn: the turn it is about, from 1, or None: the whole conversation.
    """

    file: str
    position: int
    place: str
    dimension: str
    turn: int | None
    stored: str
    given: str


@dataclass(slots=True)
class FileReport:
    """What one file held. `turns` counts prompts with their response over all its records."""

    file: str
    format: str
    records: int = 0
    turns: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    new_dialogues: int = 0
    new_turns: int = 0
    new_responses: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "file": self.file,
            "format": self.format,
            "records": self.records,
            "turns": self.turns,
            "outcomes": {str(one): self.outcomes[one] for one in RecordOutcome},
            "new_dialogues": self.new_dialogues,
            "new_turns": self.new_turns,
            "new_responses": self.new_responses,
        }


@dataclass(frozen=True, slots=True)
class Contents:
    """What the trees hold that the files' records belong to.

    :ivar turns: prompts, each once however many records share it.
    """

    dialogues: int
    turns: int
    responses: int
    slots: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Judgeable:
    """What can be judged in those trees.

    :ivar turn_pairs: pairs of responses to one prompt, by turn (from 1).
    :ivar conversation_pairs: pairs of full paths of which neither is the other's beginning, by
        (first turn that differs, difference in turns).
    :ivar incomplete: how many paths, turn pairs and conversation pairs show a missing or broken
        picture; batches leave them out unless told otherwise.
    """

    full_paths: int
    turn_pairs: Mapping[int, int]
    conversation_pairs: Mapping[tuple[int, int], int]
    trees_without_pair: int
    incomplete: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values; pairs of conversations as a list."""
        return {
            "full_paths": self.full_paths,
            "turn_pairs": {str(turn): pairs for turn, pairs in self.turn_pairs.items()},
            "conversation_pairs": [
                {"fork_turn": fork, "length_difference": difference, "pairs": pairs}
                for (fork, difference), pairs in self.conversation_pairs.items()
            ],
            "trees_without_pair": self.trees_without_pair,
            "incomplete": dict(self.incomplete),
        }


@dataclass(slots=True)
class ImportReport:
    """Everything a lead wants to know after an import. Counts of this run, unless they say other.

    :ivar filled: slots that had no picture and have one now.
    :ivar variants: pictures that differ from the one at their slot, kept beside it.
    :ivar scores: by what became of them: stored, same, conflict, unknown_dimension, off_scale,
        without_rubric, wrong_level; and names_more_steps among the stored.
    """

    dry_run: bool = False
    written: bool = True
    files: list[FileReport] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    conflict_count: int = 0
    anomalies: Counter[str] = field(default_factory=Counter)
    filled: int = 0
    variants: int = 0
    scores: Counter[str] = field(default_factory=Counter)
    preferences: Counter[str] = field(default_factory=Counter)
    contents: Contents | None = None
    judgeable: Judgeable | None = None

    def count(self, outcome: RecordOutcome) -> int:
        """Return how many records ended so, over all files."""
        return sum(one.outcomes[outcome] for one in self.files)

    @property
    def records(self) -> int:
        return sum(one.records for one in self.files)

    def refuse(self, refusal: Refusal) -> None:
        if len(self.refused) < MOST_LISTED:
            self.refused.append(refusal)

    def contradict(self, conflict: Conflict) -> None:
        self.conflict_count += 1
        if len(self.conflicts) < MOST_LISTED:
            self.conflicts.append(conflict)

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values, the counts of all files first."""
        totals = {str(one): self.count(one) for one in RecordOutcome}
        return {
            "records": {"read": self.records, **totals},
            "dry_run": self.dry_run,
            "written": self.written,
            "files": [one.as_json() for one in self.files],
            "refused": [asdict(one) for one in self.refused],
            "conflicts": [asdict(one) for one in self.conflicts],
            "conflict_count": self.conflict_count,
            "anomalies": _above_zero(self.anomalies),
            "filled": self.filled,
            "variants": self.variants,
            "scores": _above_zero(self.scores),
            "preferences": _above_zero(self.preferences),
            "contents": None if self.contents is None else asdict(self.contents),
            "judgeable": None if self.judgeable is None else self.judgeable.as_json(),
        }


def _above_zero(counts: Mapping[str, int]) -> dict[str, int]:
    return {str(name): count for name, count in sorted(counts.items()) if count}


Sources = Iterable[tuple[int, str]]
"""(import's primary key, file) pairs: the records of these files."""


def contents_of(sources: Sources) -> Contents:
    """Count what the trees hold that these files' records belong to."""
    dialogues = _dialogues(sources)
    within = dialogues.values("pk")
    states = (
        Slot.objects.filter(Q(turn__dialogue__in=within) | Q(response__dialogue__in=within))
        .order_by()
        .values_list("state")
        .annotate(count=Count("pk"))
    )
    found = dict(states)
    return Contents(
        dialogues=dialogues.count(),
        turns=Turn.objects.filter(dialogue__in=within).count(),
        responses=Response.objects.filter(dialogue__in=within).count(),
        slots={str(state): found.get(state, 0) for state in SlotState},
    )


def judgeable_of(sources: Sources) -> Judgeable:
    """Count what can be judged in those trees; pages of trees are in memory, never all."""
    turn_pairs: Counter[int] = Counter()
    conversation_pairs: Counter[tuple[int, int]] = Counter()
    incomplete: Counter[str] = Counter(paths=0, turn_pairs=0, conversation_pairs=0)
    full_paths = without = 0
    for tree in _trees(sources):
        broken = _incomplete_answers(tree)
        full = [answer for answer in tree.answers.values() if answer.full]
        full_paths += len(full)
        incomplete["paths"] += sum(answer.pk in broken for answer in full)
        pairs = 0
        for one, other in _siblings(tree):
            pairs += 1
            turn_pairs[one.depth] += 1
            incomplete["turn_pairs"] += one.pk in broken or other.pk in broken
        for one, other in combinations(full, 2):
            fork = _fork(one, other)
            if fork is not None:
                pairs += 1
                conversation_pairs[fork, abs(one.depth - other.depth)] += 1
                incomplete["conversation_pairs"] += one.pk in broken or other.pk in broken
        without += not pairs
    return Judgeable(
        full_paths=full_paths,
        turn_pairs=dict(sorted(turn_pairs.items())),
        conversation_pairs=dict(sorted(conversation_pairs.items())),
        trees_without_pair=without,
        incomplete=dict(incomplete),
    )


def _dialogues(sources: Sources) -> Any:
    which = Q(pk__in=[])
    for imported_in, file in sources:
        which |= Q(records__imported_in=imported_in, records__file=file)
    return Dialogue.objects.filter(which).distinct()


def _trees(sources: Sources) -> Iterator[Tree]:
    dialogues = _dialogues(sources).order_by("pk")
    last = 0
    while page := list(
        dialogues.filter(pk__gt=last).values_list("pk", "content_key", "task")[:PAGE]
    ):
        yield from load_trees(page)
        last = page[-1][0]


def _incomplete_answers(tree: Tree) -> set[int]:
    """Return the answers whose path shows a missing or broken picture."""
    return {
        answer.pk
        for answer in tree.answers.values()
        if any(node.incomplete for node in tree.nodes_to(answer))
    }


def _siblings(tree: Tree) -> Iterator[tuple[Answer, Answer]]:
    by_turn: dict[int, list[Answer]] = {}
    for answer in tree.answers.values():
        by_turn.setdefault(answer.turn, []).append(answer)
    for together in by_turn.values():
        yield from combinations(together, 2)


def _fork(one: Answer, other: Answer) -> int | None:
    """Return the first turn, from 1, at which two paths differ; None where one begins the other."""
    for turn, (left, right) in enumerate(zip(one.lineage, other.lineage, strict=False), 1):
        if left != right:
            return turn
    return None


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How an import stands, for its page.

    :ivar lines: its report as text, once there is one.
    """

    state: str
    is_running: bool
    records: int
    error: str
    lines: tuple[str, ...]


def import_progress(job: Import) -> ImportProgress:
    """Return how an import stands."""
    return ImportProgress(
        state=job.get_state_display(),
        is_running=job.state in {JobState.WAITING, JobState.RUNNING},
        records=job.progress,
        error=job.error,
        lines=tuple(lines_of(job.report)) if job.report else (),
    )


def lines_of(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield a report, as `ImportReport.as_json` gives it, line by line for a person."""
    for file in body["files"]:
        yield f"{file['file']} ({file['format']})"
        yield "  " + _("%(records)s with %(turns)s: %(outcomes)s") % {
            "records": _counted("records", file["records"]),
            "turns": _counted("turns", file["turns"]),
            "outcomes": _all(file["outcomes"]),
        }
        yield "  " + _("new: %(dialogues)s, %(turns)s, %(responses)s") % {
            "dialogues": _counted("dialogues", file["new_dialogues"]),
            "turns": _counted("turns", file["new_turns"]),
            "responses": _counted("responses", file["new_responses"]),
        }
    outcomes = dict(body["records"])
    read = outcomes.pop("read")
    yield _("Records: %(count)s read: %(outcomes)s") % {"count": read, "outcomes": _all(outcomes)}
    if read and outcomes[RecordOutcome.SAME] == read:
        yield "  " + (_("all same") if body["filled"] else _("all same: nothing written"))
    if held := body["contents"]:
        yield _("Their trees: %(dialogues)s, %(turns)s, %(responses)s") % {
            "dialogues": _counted("dialogues", held["dialogues"]),
            "turns": _counted("turns", held["turns"]),
            "responses": _counted("responses", held["responses"]),
        }
        yield _("Picture slots: %(states)s") % {"states": _all(held["slots"])}
        yield "  " + _("in this run: %(filled)s filled, %(variants)s") % {
            "filled": body["filled"],
            "variants": _counted("variants", body["variants"]),
        }
    yield from _judged(body)
    yield from _judgeable(body["judgeable"])
    if body["anomalies"]:
        yield _("Oddities, all kept as they came:")
        yield from (f"  {count:>7} {code}" for code, count in body["anomalies"].items())
    yield from _trouble(body)
    if body["dry_run"]:
        yield _("Dry run: nothing was written.")
    elif not body["written"]:
        yield _("Strict: nothing was written, because records were refused.")


def _judged(body: Mapping[str, Any]) -> Iterator[str]:
    for name, told in (
        ("scores", _("Scores: %(counts)s")),
        ("preferences", _("Preferences: %(counts)s")),
    ):
        if body[name]:
            yield told % {"counts": _all(body[name])}
    if "without_rubric" in body["scores"] or "without_rubric" in body["preferences"]:
        yield "  " + _("no rubric knows their dimensions; publish it and import again")


def _judgeable(can: Mapping[str, Any] | None) -> Iterator[str]:
    if can is None:
        return
    turns = can["turn_pairs"]
    by_turn = ", ".join(
        _("turn %(turn)s: %(pairs)s") % {"turn": turn, "pairs": pairs}
        for turn, pairs in turns.items()
    )
    pairs = can["conversation_pairs"]
    yield _("Can be judged now:")
    yield "  " + _counted("full_paths", can["full_paths"])
    told = _counted("turn_pairs", sum(turns.values()))
    yield f"  {told}" + (f" ({by_turn})" if by_turn else "")
    yield "  " + _counted("conversation_pairs", sum(one["pairs"] for one in pairs))
    for one in pairs:
        yield "    " + _(
            "forking at turn %(turn)s, lengths differing by %(difference)s: %(pairs)s"
        ) % {
            "turn": one["fork_turn"],
            "difference": one["length_difference"],
            "pairs": one["pairs"],
        }
    yield "  " + _counted("trees_without_a_pair", can["trees_without_pair"])
    incomplete = ", ".join(_counted(name, count) for name, count in can["incomplete"].items())
    yield "  " + _("with missing or broken pictures: %(counts)s") % {"counts": incomplete}


def _trouble(body: Mapping[str, Any]) -> Iterator[str]:
    if refused := body["records"][RecordOutcome.REFUSED]:
        yield _("Refused: %(count)s") % {"count": refused}
        for one in body["refused"]:
            where = f"{one['file']} {one['place']} {one['field']}".rstrip()
            yield f"  {where}: {one['reason']}"
    if body["conflict_count"]:
        yield _("Conflicts: %(count)s; what is stored stays") % {"count": body["conflict_count"]}
        for one in body["conflicts"]:
            where = f"{one['file']} {one['place']} {one['dimension']}"
            if one["turn"] is not None:
                where += " " + _("turn %(turn)s") % {"turn": one["turn"]}
            told = {"stored": repr(one["stored"]), "given": repr(one["given"])}
            yield f"  {where}: " + _("stored %(stored)s, given %(given)s") % told


_COUNTED: Mapping[str, str | Promise] = {
    **LABELS[RecordOutcome],
    **LABELS[SlotState],
    "stored": gettext_lazy("stored"),
    "conflict": gettext_lazy("conflict"),
    "names_more_steps": gettext_lazy("names more steps"),
    "without_rubric": gettext_lazy("without rubric"),
    "unknown_dimension": gettext_lazy("unknown dimension"),
    "wrong_level": gettext_lazy("wrong level"),
    "off_scale": gettext_lazy("off scale"),
}
"""What an import counts, by the names under which it does."""


def _all(counts: Mapping[str, int]) -> str:
    return ", ".join(
        f"{count} {_COUNTED.get(name, name.replace('_', ' '))}" for name, count in counts.items()
    )


_NOUNS: Mapping[str, Any] = {
    "records": ngettext_lazy("%(n)s record", "%(n)s records", "n"),
    "dialogues": ngettext_lazy("%(n)s dialogue", "%(n)s dialogues", "n"),
    "turns": ngettext_lazy("%(n)s turn", "%(n)s turns", "n"),
    "responses": ngettext_lazy("%(n)s response", "%(n)s responses", "n"),
    "variants": ngettext_lazy("%(n)s variant", "%(n)s variants", "n"),
    "paths": ngettext_lazy("%(n)s path", "%(n)s paths", "n"),
    "full_paths": ngettext_lazy("%(n)s full path", "%(n)s full paths", "n"),
    "turn_pairs": ngettext_lazy("%(n)s turn pair", "%(n)s turn pairs", "n"),
    "conversation_pairs": ngettext_lazy("%(n)s conversation pair", "%(n)s conversation pairs", "n"),
    "trees_without_a_pair": ngettext_lazy(
        "%(n)s tree without a pair", "%(n)s trees without a pair", "n"
    ),
}


def _counted(noun: str, count: int) -> str:
    return str(_NOUNS[noun] % {"n": count})
