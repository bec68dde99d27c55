"""Questions to the lead: a person's own, and what waits for an answer."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from annotation.choices import SeatState
from annotation.models.assignments import Assignment, Seat
from annotation.models.batches import Batch
from annotation.models.content import Response, Turn
from annotation.models.lead_questions import LeadQuestion
from annotation.models.projects import Member
from annotation.models.rubric import Dimension
from annotation.rendering.html import SafeHtml
from annotation.rendering.markdown import to_html
from annotation.rendering.text import clean_prompt, shortened
from annotation.reports.judging import turns_read
from annotation.reports.judging_parts import TurnShown
from annotation.reports.paths import Side, load_steps
from annotation.reports.words import in_language, listed, moment, name_of

LONGEST_TITLE = 160


@dataclass(frozen=True, slots=True)
class OwnQuestion:
    """A question as who asked it sees it on the desk.

    :ivar place: what it is about: "Turn 3, B. Visual quality".
    """

    public_id: str
    assignment: str
    batch: Batch
    title: str
    place: str
    text: str
    asked: str
    answer: SafeHtml | None
    answered: str
    answered_by: str
    is_note: bool
    dimension_key: str
    anchor: str


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question as who answers it sees it.

    :ivar turn: the turn it is about, without anybody's judgments; for a whole item the first.
    :ivar dimensions: (key, name) of those a note can stand under.
    :ivar to_come: seats of the item still open or held: who judges it then will have read a note.
    """

    question: LeadQuestion
    asker: str
    place: str
    dimension: str
    asked: str
    answer: SafeHtml | None
    answered: str
    answered_by: str
    turn: TurnShown
    turns: int
    dimensions: tuple[tuple[str, str], ...]
    to_come: int


def own_questions(member: Member, *, now: datetime) -> list[OwnQuestion]:
    """Return the member's questions that wait, and the answers not seen yet: those first.

    One query.
    """
    rows = (
        _with_places(LeadQuestion.objects.asked_by(member))
        .filter(seen_at=None)
        .order_by(F("answered_at").desc(nulls_last=True), "asked_at", "pk")
    )
    return [_own(row, now=now) for row in rows]


def questions_on(assignment: Assignment, *, now: datetime) -> list[OwnQuestion]:
    """Return what its person asked about the item, oldest first. One query."""
    rows = _with_places(assignment.questions.all()).order_by("asked_at", "pk")
    return [_own(row, now=now) for row in rows]


def asked_questions(member: Member, *, batch: Batch | None = None) -> QuerySet[LeadQuestion]:
    """Return the project's questions, or one batch's: those that wait first, oldest first."""
    rows = LeadQuestion.objects.of_project(member.project)
    if batch is not None:
        rows = rows.filter(assignment__item__batch=batch)
    return (
        _with_places(rows)
        .select_related("assignment__member", "assignment__item__dialogue")
        .order_by(F("answered_at").desc(nulls_first=True), "asked_at", "pk")
    )


def batches_asked_in(member: Member) -> list[tuple[Batch, int]]:
    """Return the batches in which something was asked, and how much of it waits. Two queries."""
    waiting = Count("pk", filter=Q(answered_at=None))
    counts = dict(
        LeadQuestion.objects.of_project(member.project)
        .order_by()
        .values_list("assignment__item__batch")
        .annotate(waiting=waiting)
    )
    batches = Batch.objects.filter(pk__in=counts).order_by("title", "pk")
    return sorted(
        ((batch, counts[batch.pk]) for batch in batches), key=lambda found: found[1], reverse=True
    )


def with_places(rows: Iterable[LeadQuestion], *, now: datetime) -> list[AskedQuestion]:
    """Return the questions with the turn each is about. Five queries, however many."""
    found = list(rows)
    ends: dict[int, Response] = {}
    for row in found:
        item = row.assignment.item
        ends |= {one.pk: one for one in (item.response_1, item.response_2) if one is not None}
    steps = load_steps(list(ends.values()))
    to_come = dict(
        Seat.objects.filter(item__in={row.assignment.item_id for row in found})
        .exclude(state=SeatState.CLOSED)
        .exclude(assignments__submitted_at__isnull=False)
        .order_by()
        .values_list("item")
        .annotate(count=Count("pk", distinct=True))
    )
    names: dict[int, list[tuple[str, str]]] = {}
    for one in Dimension.objects.filter(
        rubric__in={row.assignment.item.batch.rubric_id for row in found}
    ).order_by("position", "pk"):
        names.setdefault(one.rubric_id, []).append((one.key, in_language(one.name) or one.key))
    shown = []
    for row in found:
        item = row.assignment.item
        last = [one for one in (item.response_1, item.response_2) if one is not None]
        sides = tuple(Side(number, steps[one.pk]) for number, one in enumerate(last, 1))
        (turn,) = turns_read(
            item, sides, shown_first=row.assignment.shown_first, depths=[row.depth or 1]
        )
        shown.append(
            AskedQuestion(
                question=row,
                asker=row.assignment.member.pseudonym,
                place=_place(row),
                dimension=_dimension(row),
                asked=moment(row.asked_at, now=now),
                answer=to_html(row.answer) if row.answer else None,
                answered=moment(row.answered_at, now=now) if row.answered_at else "",
                answered_by=name_of(row.answered_by),
                turn=turn,
                turns=max(one.depth for one in last),
                dimensions=tuple(names.get(item.batch.rubric_id, ())),
                to_come=to_come.get(row.assignment.item_id, 0),
            )
        )
    return shown


def _with_places(rows: QuerySet[LeadQuestion]) -> QuerySet[LeadQuestion]:
    first = Turn.objects.filter(dialogue=OuterRef("assignment__item__dialogue"), follows=None)
    return rows.select_related(
        "assignment__item__batch",
        "assignment__item__response_1",
        "assignment__item__response_2",
        "dimension",
        "response",
        "answered_by__user",
    ).annotate(first_prompt=Subquery(first.order_by("pk").values("prompt")[:1]))


def _own(row: LeadQuestion, *, now: datetime) -> OwnQuestion:
    place = " ".join(f"{part}." for part in (_place(row), _dimension(row)) if part)
    return OwnQuestion(
        public_id=row.public_id,
        assignment=row.assignment.public_id,
        batch=row.assignment.item.batch,
        title=shortened(" ".join(clean_prompt(row.first_prompt).split()), LONGEST_TITLE),  # type: ignore[attr-defined]  # annotated
        place=place,
        text=row.text,
        asked=moment(row.asked_at, now=now),
        answer=to_html(row.answer) if row.answer else None,
        answered=moment(row.answered_at, now=now) if row.answered_at else "",
        answered_by=name_of(row.answered_by),
        is_note=row.note_in is not None,
        dimension_key=row.dimension.key if row.dimension else "",
        anchor=f"#turn-{row.depth}" if row.depth else "",
    )


def _dimension(row: LeadQuestion) -> str:
    if row.dimension is None:
        return ""
    return in_language(row.dimension.name) or row.dimension.key


def _place(row: LeadQuestion) -> str:
    """Return the place as who asked saw it: "Turn 3, B", "Whole, A", "The whole item"."""
    letter = _letter(row)
    whole = _("Whole") if letter else _("The whole item")
    place = _("Turn %(depth)d") % {"depth": row.depth} if row.depth else whole
    return listed((place, letter))


def _letter(row: LeadQuestion) -> str:
    """Return the letter of the side whose answer it is about; none where both sides share it."""
    item, response = row.assignment.item, row.response
    if response is None or item.response_2 is None:
        return ""
    on = [
        number
        for number, end in ((1, item.response_1), (2, item.response_2))
        if response.pk in end.lineage_ids()
    ]
    if len(on) != 1:
        return ""
    return "A" if on[0] == row.assignment.shown_first else "B"
