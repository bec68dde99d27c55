"""What a guideline says now, and whether a person has read what changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, Max, Min, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from annotation.choices import BatchState
from annotation.models.batches import Batch, Participation
from annotation.models.guidelines import GuidelineVersion
from annotation.models.projects import Member
from annotation.models.rubric import Dimension
from annotation.reports.guideline_changes import (
    Change,
    NoteShown,
    PartChange,
    change_between,
    distance,
    nearest,
    notes_of,
)
from annotation.reports.words import in_language

RECENT = timedelta(hours=24)
"""How long what changed wears its mark."""


@dataclass(frozen=True, slots=True)
class GuidelineNow:
    """The newest version in the reader's language, and what of it changed within a day.

    :ivar foreign: whether it was never written in the reader's language.
    :ivar behind: the version that its text is of, where the newer ones were not written in its
        language; else 0.
    """

    version: GuidelineVersion
    foreign: bool
    behind: int
    change: Change | None
    notes: tuple[NoteShown, ...]

    def notes_on(self, key: str) -> tuple[NoteShown, ...]:
        """Return the notes under this dimension, or on everything ("")."""
        return tuple(note for note in self.notes if note.dimension == key)

    @property
    def general_notes(self) -> tuple[NoteShown, ...]:
        return self.notes_on("")

    @property
    def examples(self) -> tuple[NoteShown, ...]:
        """Return the notes that show an item, on whatever they are."""
        return tuple(note for note in self.notes if note.item)

    @property
    def in_general(self) -> PartChange | None:
        """Return what changed of the general text and its notes within a day."""
        return self.change.of("") if self.change else None

    @property
    def fresh(self) -> tuple[NoteShown, ...]:
        """Return the notes that came within a day."""
        return tuple(n for part in self.change.parts for n in part.notes) if self.change else ()

    @property
    def examples_said(self) -> str:
        """Return when the newest example of these came, in words; "" where none did."""
        return next(
            (
                part.said
                for part in (self.change.parts if self.change else ())
                if any(note.item for note in part.notes)
            ),
            "",
        )


@dataclass(frozen=True, slots=True)
class Known:
    """The number of a guideline's newest version, and of the newest that a member has read.

    :ivar read: None where they never had any before them: then all of it is new, nothing changed.
    """

    newest: int
    read: int | None

    @property
    def unread(self) -> bool:
        return self.read is not None and self.read < self.newest


def current_guideline(batch: Batch) -> GuidelineVersion | None:
    """Return the newest version in the active language, else in English, else any. One query."""
    if batch.guideline_id is None:
        return None
    of_it = GuidelineVersion.objects.filter(guideline=batch.guideline_id)
    newest = of_it.order_by("-number").values("number")[:1]
    rows = list(of_it.filter(number=Subquery(newest)).order_by("pk"))
    return nearest(rows) if rows else None


def guideline_now(batch: Batch, *, now: datetime | None = None) -> GuidelineNow | None:
    """Return what the batch's guideline says and what changed within a day. One query.

    Without `now` nothing is called a change.
    """
    if batch.guideline_id is None:
        return None
    of_it = GuidelineVersion.objects.filter(guideline=batch.guideline_id).order_by()
    known = of_it if now is None else of_it.filter(published_at__lte=now - RECENT)
    rows = list(
        of_it.filter(
            number__gte=Coalesce(
                Subquery(known.values("guideline").annotate(last=Max("number")).values("last")),
                Subquery(of_it.values("guideline").annotate(first=Min("number")).values("first")),
            )
        )
        .select_related("published_by__user")
        .order_by("number", "pk")
    )
    if not rows:
        return None
    newest = rows[-1].number
    version = nearest([row for row in rows if row.number == newest])
    return GuidelineNow(
        version=version,
        foreign=distance(version.language) > 1,
        behind=version.written_in if version.written_in < _last_written(rows) else 0,
        change=change_between(batch, rows, names={}, now=now)
        if now is not None and rows[0].number < newest
        else None,
        notes=tuple(notes_of(version)),
    )


def known_version(batch: Batch, member: Member) -> Known | None:
    """Return what the member has read of the batch's guideline. One query at most."""
    return next((known for _batch, known in _known([batch], member)), None)


def example_of(public_id: str, member: Member) -> int | None:
    """Return the side (1 or 2) that a note about the item calls A; None: no note shows it to them.

    One query.
    """
    newest = GuidelineVersion.objects.filter(guideline=OuterRef("guideline")).order_by("-number")
    shown = GuidelineVersion.objects.filter(number=Subquery(newest.values("number")[:1])).filter(
        Exists(Participation.objects.filter(batch__guideline=OuterRef("guideline"), member=member))
    )
    for notes in shown.values_list("notes", flat=True):
        for note in notes:
            if note["item"] == public_id:
                return int(note["shown_first"])
    return None


def unread_changes(batches: Iterable[Batch], member: Member, *, now: datetime) -> list[Change]:
    """Return what changed in each guideline of the batches since the member read it.

    A guideline that several batches use is told once. Three queries, one where nothing changed.
    """
    unread = [(batch, known) for batch, known in _known(batches, member) if known.unread]
    if not unread:
        return []
    wanted = Q()
    for batch, known in unread:
        wanted |= Q(guideline=batch.guideline_id, number__gte=known.read)
    rows: dict[int | None, list[GuidelineVersion]] = {}
    for row in (
        GuidelineVersion.objects.filter(wanted)
        .select_related("published_by__user")
        .order_by("number", "pk")
    ):
        rows.setdefault(row.guideline_id, []).append(row)
    names: dict[int, dict[str, str]] = {}
    for dimension in Dimension.objects.filter(
        rubric__in={batch.rubric_id for batch, _known in unread}
    ).order_by("position", "pk"):
        name = in_language(dimension.name) or dimension.key
        names.setdefault(dimension.rubric_id, {})[dimension.key] = name
    return [
        change_between(
            batch, rows[batch.guideline_id], names=names.get(batch.rubric_id, {}), now=now
        )
        for batch, _known in unread
    ]


def _known(batches: Iterable[Batch], member: Member) -> list[tuple[Batch, Known]]:
    """Return (batch, what the member knows) of each guideline that has a text. One query."""
    by_guideline: dict[int, Batch] = {}
    for batch in batches:
        if batch.guideline_id is not None and batch.state != BatchState.CLOSED:
            by_guideline.setdefault(batch.guideline_id, batch)
    if not by_guideline:
        return []
    known = (
        GuidelineVersion.objects.filter(guideline__in=by_guideline)
        .order_by()
        .values("guideline")
        .annotate(newest=Max("number"), read=Max("number", filter=Q(readings__member=member)))
        .order_by("guideline")
    )
    return [(by_guideline[row["guideline"]], Known(row["newest"], row["read"])) for row in known]


def _last_written(rows: list[GuidelineVersion]) -> int:
    """Return the number of the newest version in which a text was given in any language."""
    return max(row.written_in for row in rows)
