"""What waits for a lead of contents: dialogues that were reported, items that people decline."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, QuerySet
from django.utils.text import Truncator

from annotation.choices import AssignmentState, SkipReason
from annotation.models.assignments import Assignment
from annotation.models.batches import Batch, Item
from annotation.models.content import Dialogue
from annotation.models.marks import ContentReport
from annotation.reports.categories import category_names

MOST_SHOWN = 50
MANY_DECLINED = 3
"""So many who would rather not are shown to the lead, without their names."""


@dataclass(frozen=True, slots=True)
class Reported:
    """A dialogue out of every queue.

    :ivar said: (pseudonym, category, note) of each report that waits; none where the dialogue was
        withdrawn and can be put back.
    :ivar reported_as: what the first of them says it shows.
    """

    dialogue: str
    prompt: str
    said: tuple[tuple[str, str, str], ...]
    reported_as: str


@dataclass(frozen=True, slots=True)
class Declined:
    """An item that `count` people would rather not judge, and their words, without names."""

    item: str
    prompt: str
    count: int
    notes: tuple[str, ...]


def held_back(batch: Batch) -> "QuerySet[Dialogue]":
    """Return the batch's dialogues whose reports wait for a lead."""
    waiting = ContentReport.objects.filter(settled_at=None).values("dialogue")
    return Dialogue.objects.filter(
        pk__in=batch.items.values("dialogue"), held_back_at__isnull=False
    ).filter(pk__in=waiting)


def reported_dialogues(batch: Batch) -> list[Reported]:
    """Return what waits for the lead, the oldest first, at most fifty. Four queries at most."""
    dialogues = list(held_back(batch).order_by("held_back_at", "pk")[:MOST_SHOWN])
    if not dialogues:
        return []
    reports = list(
        ContentReport.objects.filter(dialogue__in=dialogues, settled_at=None)
        .select_related("made_by")
        .order_by("made_at", "pk")
    )
    names = category_names(batch.project_id, {one.key for one in reports if one.key})
    said: defaultdict[int, list[tuple[str, str, str]]] = defaultdict(list)
    for one in reports:
        said[one.dialogue_id].append((one.made_by.pseudonym, names.get(one.key, ""), one.note))
    prompts = _prompts(dialogues)
    return [
        Reported(
            dialogue=one.public_id,
            prompt=prompts.get(one.pk, ""),
            said=tuple(said[one.pk]),
            reported_as=next((name for _, name, _ in said[one.pk] if name), ""),
        )
        for one in dialogues
    ]


def declined_items(batch: Batch) -> list[Declined]:
    """Return the items that many would rather not judge, the most declined first. Two queries."""
    declined = Assignment.objects.filter(
        state=AssignmentState.SKIPPED, skip_reason=SkipReason.RATHER_NOT
    )
    counts = dict(
        declined.filter(item__batch=batch)
        .order_by()
        .values_list("item")
        .annotate(people=Count("pk"))
        .filter(people__gte=MANY_DECLINED)
        .order_by("-people", "item")[:MOST_SHOWN]
    )
    notes: defaultdict[int, list[str]] = defaultdict(list)
    for item, note in (
        declined.filter(item__in=counts).exclude(skip_note="").values_list("item", "skip_note")
    ):
        notes[item].append(note)
    items = Item.objects.select_related("response_1__turn").in_bulk(list(counts))
    return [
        Declined(
            item=items[pk].public_id,
            prompt=Truncator(items[pk].response_1.turn.prompt).chars(160),
            count=count,
            notes=tuple(sorted(notes[pk])),
        )
        for pk, count in counts.items()
    ]


def _prompts(dialogues: Iterable[Dialogue]) -> dict[int, str]:
    roots = Dialogue.objects.filter(pk__in=[one.pk for one in dialogues], turns__follows=None)
    return {
        pk: Truncator(prompt).chars(160) for pk, prompt in roots.values_list("pk", "turns__prompt")
    }
