"""Content marks: from files, from the operator's words and from reports; made, ended, counted.

Every change takes numbers of its project's marks under the project's row lock, as the last that
is waited for, and brings the keys that pages read (`Dialogue.marks`, `Slot.marks`) up to date.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from annotation.actions import jobs
from annotation.actions.storable import refuse_unstorable
from annotation.choices import JobState, MarkOrigin
from annotation.errors import AnnotationError, Invalid, NotAllowed
from annotation.formats.word_lists import WordLists
from annotation.models.categories import Category
from annotation.models.content import Dialogue, Response, Slot, Turn
from annotation.models.imports import Import
from annotation.models.marks import Mark, MarkRun
from annotation.models.projects import Member, Project
from annotation.permissions import can_lead

log = logging.getLogger(__name__)

PAGE = 200
"""Dialogues a transaction: their texts are in memory together."""

Clock = Callable[[], datetime]
Watch = Callable[[MarkRun], None]


class MarkEnded(AnnotationError):
    """The mark does not stand any more."""


class RunUnderWay(AnnotationError):
    """One pass over a project's dialogues is made at a time."""


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody says that a dialogue, or the picture of one of its slots, shows `key`."""

    dialogue: int
    key: str
    origin: MarkOrigin
    slot: int | None = None
    detail: str = ""


def add_marks(
    project: Project,
    said: Iterable[Said],
    *,
    by: Member | None,
    now: datetime,
    imported_in: Import | None = None,
) -> int:
    """Write what is said and does not stand yet; return how many marks are new.

    What a person has ended stays ended, whatever a file or list says; a report makes it anew.
    Six queries, however many. Call inside a transaction.
    """
    wanted = {(one.dialogue, one.slot, one.key, one.origin): one for one in said}
    if not wanted:
        return 0
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    dialogues = {one.dialogue for one in wanted.values()}
    for dialogue, slot, key, origin, ended, why in Mark.objects.filter(
        dialogue__in=dialogues
    ).values_list("dialogue", "slot", "key", "origin", "ended_number", "ended_why"):
        if ended is None or (why and origin != MarkOrigin.REPORT):
            wanted.pop((dialogue, slot, key, MarkOrigin(origin)), None)
    if not wanted:
        return 0
    first = _numbers(project, len(wanted))
    Mark.objects.bulk_create(
        Mark(
            project=project,
            number=number,
            dialogue_id=one.dialogue,
            slot_id=one.slot,
            key=one.key,
            origin=one.origin,
            detail=one.detail[:200],
            imported_in=imported_in,
            made_by=by,
            made_at=now,
        )
        for number, one in enumerate(wanted.values(), start=first)
    )
    _show(dialogues)
    return len(wanted)


def end_mark(mark: Mark, *, by: Member, why: str, now: datetime) -> None:
    """End a mark that is wrong; neither a file nor the word list makes it again.

    :raises NotAllowed: if the member is no lead of the project.
    :raises Invalid: without a reason.
    :raises MarkEnded: if it does not stand any more.
    """
    if not can_lead(by) or by.project_id != mark.project_id:
        raise NotAllowed(_("Only a lead of the project takes marks away."))
    refuse_unstorable(why, place="why")
    if not why.strip():
        raise Invalid(_("Say why: the reason is kept."), fields={"why": _("Say why.")})
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=mark.project_id)
        standing = Mark.objects.standing().filter(pk=mark.pk)
        if not _end(mark.project, standing, by=by, now=now, why=why.strip()[:300]):
            raise MarkEnded(_("This mark was taken away already."))


def word_lists(project: Project) -> WordLists:
    """Return the words of the project's categories, ready to be looked for. One query."""
    return WordLists(dict(Category.objects.filter(project=project).values_list("key", "words")))


def mark_by_words(
    project: Project,
    dialogues: Collection[int],
    words: WordLists,
    *,
    by: Member | None,
    now: datetime,
    imported_in: Import | None = None,
) -> tuple[int, int]:
    """Make the words' marks of these dialogues what the lists say; return (added, ended).

    Prompts, answers, titles and captions are searched. Some ten queries, however many dialogues.
    """
    found = {pk: words.found(texts) for pk, texts in _texts_of(dialogues).items()}
    said = [
        Said(dialogue, key, MarkOrigin.WORDS, detail=word)
        for dialogue, hits in found.items()
        for key, word in hits.items()
    ]
    with transaction.atomic():
        added = add_marks(project, said, by=by, now=now, imported_in=imported_in)
        gone = [
            pk
            for pk, dialogue, key in Mark.objects.standing()
            .filter(dialogue__in=dialogues, origin=MarkOrigin.WORDS)
            .values_list("pk", "dialogue", "key")
            if key not in found.get(dialogue, {})
        ]
        ended = 0
        if gone:
            Project.objects.select_for_update(no_key=True).get(pk=project.pk)
            standing = Mark.objects.standing().filter(pk__in=gone)
            ended = _end(project, standing, by=by, now=now)
    return added, ended


def request_run(project: Project, *, by: Member | None, now: datetime) -> MarkRun:
    """Ask for a pass of the word lists over everything stored; a worker or command does it.

    One that waits, or whose worker died, is returned instead of a new one.

    :param by: a lead; None from the shell.
    :raises NotAllowed: if `by` is no lead of the project.
    :raises RunUnderWay: while another pass runs.
    """
    if by is not None and (not can_lead(by) or by.project_id != project.pk):
        raise NotAllowed(_("Only a lead of the project has its dialogues marked."))
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        going_on = (JobState.WAITING, JobState.RUNNING)
        unfinished = MarkRun.objects.filter(project=project, state__in=going_on)
        ready = jobs.waiting(MarkRun, now=now)  # which parks what died too often
        if (stopped := unfinished.filter(pk__in=ready).first()) is not None:
            return cast("MarkRun", stopped)
        if unfinished.exists():
            raise RunUnderWay(_("The dialogues are being marked. Start again when that is done."))
        return MarkRun.objects.create(
            project=project, created_by=by, created_at=now, total=project.dialogues.count()
        )


def run_marks(run_id: int, *, clock: Clock, watch: Watch | None = None) -> None:
    """Do a waiting pass, a page of dialogues a transaction; nothing if another worker has it.

    Begun again after a crash it changes nothing that was done. `watch` hears after every page.
    """
    attempt = jobs.take(MarkRun, run_id, now=clock())
    if attempt is None:
        return
    run = cast("MarkRun", MarkRun.objects.select_related("project", "created_by").get(pk=run_id))
    try:
        words = word_lists(run.project)
        for page in _pages(run.project):
            _run_page(run, page, words, attempt=attempt, now=clock())
            if watch is not None:
                watch(run)
        jobs.finish(MarkRun, run_id, attempt=attempt, now=clock(), result={"total": run.progress})
    except jobs.JobLost:
        log.warning("marking %s was taken by another worker", run.public_id)
    except Exception as reason:
        log.exception("marking %s broke", run.public_id)
        error = f"{type(reason).__name__}: {reason}"
        jobs.fail(MarkRun, run_id, attempt=attempt, error=error, now=clock())


def _run_page(
    run: MarkRun, page: list[int], words: WordLists, *, attempt: int, now: datetime
) -> None:
    with transaction.atomic():
        run.progress += len(page)
        jobs.beat(MarkRun, run.pk, attempt=attempt, now=now, progress=run.progress)
        added, ended = mark_by_words(run.project, page, words, by=run.created_by, now=now)
        run.added += added
        run.ended += ended
        MarkRun.objects.filter(pk=run.pk).update(added=run.added, ended=run.ended)


def _pages(project: Project) -> Iterator[list[int]]:
    after = 0
    while True:
        page = list(
            project.dialogues.filter(pk__gt=after)
            .order_by("pk")
            .values_list("pk", flat=True)[:PAGE]
        )
        if not page:
            return
        yield page
        after = page[-1]


def _texts_of(dialogues: Collection[int]) -> dict[int, list[str]]:
    """Return every text of these dialogues that a person may read. Five queries."""
    texts: dict[int, list[str]] = {pk: [] for pk in dialogues}
    captions = Slot.objects.exclude(caption="")
    for rows in (
        Dialogue.objects.filter(pk__in=dialogues).values_list("pk", "title"),
        Turn.objects.filter(dialogue__in=dialogues).values_list("dialogue", "prompt"),
        Response.objects.filter(dialogue__in=dialogues).values_list("dialogue", "text"),
        captions.filter(turn__dialogue__in=dialogues).values_list("turn__dialogue", "caption"),
        captions.filter(response__dialogue__in=dialogues).values_list(
            "response__dialogue", "caption"
        ),
    ):
        for pk, text in rows.iterator():
            texts[pk].append(text)
    return texts


def _end(
    project: Project, standing: "Iterable[Mark]", *, by: Member | None, now: datetime, why: str = ""
) -> int:
    """End these marks, each with a number of its own; the project's row is locked."""
    marks = list(standing)
    if not marks:
        return 0
    for number, mark in enumerate(marks, start=_numbers(project, len(marks))):
        mark.ended_number, mark.ended_by, mark.ended_at = number, by, now
        mark.ended_why = why
    Mark.objects.bulk_update(
        marks, ["ended_number", "ended_by", "ended_at", "ended_why"], batch_size=PAGE
    )
    _show({mark.dialogue_id for mark in marks})
    return len(marks)


def _numbers(project: Project, count: int) -> int:
    """Take the next `count` numbers of the project's marks; return the first."""
    Project.objects.filter(pk=project.pk).update(last_mark_number=F("last_mark_number") + count)
    newest = Project.objects.values_list("last_mark_number", flat=True).get(pk=project.pk)
    return newest - count + 1


def _show(dialogues: Collection[int]) -> None:
    """Bring the keys that pages read up to what stands. Five queries."""
    on_dialogue: dict[int, set[str]] = {pk: set() for pk in dialogues}
    on_slot: dict[int, set[str]] = {}
    for dialogue, slot, key, ended in Mark.objects.filter(dialogue__in=dialogues).values_list(
        "dialogue", "slot", "key", "ended_number"
    ):
        place = on_dialogue[dialogue] if slot is None else on_slot.setdefault(slot, set())
        if ended is None:
            place.add(key)
    changed = []
    for one in Dialogue.objects.filter(pk__in=dialogues).only("marks"):
        if one.marks != (keys := sorted(on_dialogue[one.pk])):
            one.marks = keys
            changed.append(one)
    Dialogue.objects.bulk_update(changed, ["marks"], batch_size=PAGE)
    slots = []
    for shown in Slot.objects.filter(pk__in=on_slot).only("marks"):
        if shown.marks != (keys := sorted(on_slot[shown.pk])):
            shown.marks = keys
            slots.append(shown)
    Slot.objects.bulk_update(slots, ["marks"], batch_size=PAGE)
