"""How far batches are: seats, pace, time, who does what, and what waits for the lead."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from math import ceil
from statistics import median
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Q
from django.utils.text import Truncator

from annotation.choices import AssignmentState, Cause, SeatPurpose, SeatState, SkipReason
from annotation.labels import label
from annotation.models.assignments import Assignment, Seat
from annotation.models.batches import Batch, Item
from annotation.models.judgments import Judgment
from annotation.models.lead_questions import LeadQuestion
from annotation.models.projects import Project
from annotation.reports.content_reports import held_back
from annotation.reports.reviews import ReviewFilter, open_adjudications, waiting_reviews

WORKED_SEATS = (SeatPurpose.OVERLAP, SeatPurpose.EXTRA, SeatPurpose.REFERENCE)
"""Seats of annotators; those of reviewers and adjudicators are counted by their own reports."""

PACE_DAYS = 7
TIMED_JUDGMENTS = 500
"""The median time is of so many of the newest submissions, and of all where there are fewer."""

MOST_WAITING = 50


@dataclass(frozen=True, slots=True)
class SeatCounts:
    """Annotators' seats that are not closed: `submitted + held + parked + open == total`.

    :ivar submitted: done, and not returned to their annotator.
    :ivar held: with somebody now, returned ones included.
    :ivar parked: open seats of items that three people skipped, or whose dialogue was reported.
    """

    total: int
    submitted: int
    held: int
    parked: int
    open: int

    @property
    def percent(self) -> int:
        """Submitted seats of all, rounded down: 100 only where all are."""
        return 100 * self.submitted // self.total if self.total else 0

    @property
    def bar(self) -> tuple["Segment", ...]:
        """The seats as stretches of one bar, in percent of its width."""
        segments = []
        start = 0.0
        for name in ("submitted", "held", "parked", "open"):
            width = 100 * getattr(self, name) / self.total if self.total else 0.0
            segments.append(Segment(name, getattr(self, name), round(start, 3), round(width, 3)))
            start += width
        return tuple(segments)


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of a bar: what it is of, how many, and where it lies in percent."""

    name: str
    count: int
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class AnnotatorRow:
    """One member's work in the batch. `minutes` is the median of their timed submissions."""

    public_id: str
    pseudonym: str
    paused: bool
    submitted: int
    held: int
    returned: int
    lapsed: int
    skipped: int
    surplus: int
    minutes: float | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something only a lead can settle: a parked item, or a flagged one.

    :ivar kind: `parked` or `flagged`. :ivar said: (pseudonym, reason, note) of each person.
    """

    kind: str
    item: str
    position: int
    prompt: str
    said: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """Where one batch stands at `at` and evidence number `number`.

    :ivar pace: submissions a day over the last seven days, or since it opened.
    :ivar done_by: the day by which the rest is done at that pace; None: no pace, or nothing left.
    :ivar minutes: median of visible-tab minutes of the newest submissions. :ivar announced: the
        median that the preview announced for the same items.
    :ivar timed: how many submissions the two medians are of.
    :ivar contradicting: judgments in which a person kept a preference against their own scores.
    :ivar compared: live judgments that say a preference.
    :ivar judgments: live judgments of the snapshot.
    :ivar questions: questions to the lead that wait for an answer.
    :ivar reviews: judgments that wait for a review. :ivar adjudications: items to be decided.
    """

    slug: str
    title: str
    kind: str
    purpose: str
    state: str
    at: datetime
    number: int
    opened_at: datetime | None
    closed_at: datetime | None
    seats: SeatCounts
    items: int
    items_done: int
    assignments: Mapping[str, int]
    pace: float
    done_by: date | None
    minutes: float | None
    announced: float | None
    timed: int
    contradicting: int
    compared: int
    judgments: int
    parked: int
    flagged: int
    reported: int
    surplus: int
    questions: int
    reviews: int
    adjudications: int
    annotators: tuple[AnnotatorRow, ...]

    @property
    def waits(self) -> int:
        """How many things wait for the lead."""
        here = self.parked + self.flagged + self.reported + self.surplus
        return here + self.questions + self.reviews + self.adjudications

    @property
    def time(self) -> str:
        """The median time an item as minutes:seconds, or nothing."""
        if self.minutes is None:
            return ""
        minutes, seconds = divmod(round(self.minutes * 60), 60)
        return f"{minutes}:{seconds:02}"

    @property
    def contradicting_percent(self) -> int | None:
        """Judgments that kept a preference against their own scores, of those with one, rounded.

        None where nobody has said a preference.
        """
        return round(100 * self.contradicting / self.compared) if self.compared else None

    def as_json(self) -> dict[str, Any]:
        """Return plain values; times in ISO 8601."""
        body = asdict(self)
        for name in ("at", "opened_at", "closed_at", "done_by"):
            body[name] = body[name].isoformat() if body[name] else None
        for row in body["annotators"]:
            row["last_at"] = row["last_at"].isoformat() if row["last_at"] else None
        return body

    def in_words(self) -> str:
        """Return the same for a terminal."""
        seats = self.seats
        lines = [
            f"{self.title} ({self.slug}): {self.kind}, {self.purpose}, {self.state}, "
            f"evidence number {self.number}",
            f"  seats    {seats.submitted} of {seats.total} submitted ({seats.percent} %), "
            f"{seats.held} held, {seats.parked} parked, {seats.open} open",
            f"  items    {self.items_done} of {self.items} done",
            f"  pace     {self.pace:g} a day"
            + (f", done by {self.done_by}" if self.done_by else ""),
        ]
        if self.minutes is not None:
            announced = f", announced {self.announced:g}" if self.announced is not None else ""
            lines.append(
                f"  time     {self.minutes:g} min an item (median of {self.timed}){announced}"
            )
        if self.compared:
            lines.append(
                f"  against  {self.contradicting} of {self.compared} kept a preference against "
                f"their own scores ({self.contradicting_percent} %)"
            )
        lines.append(
            f"  waiting  {self.reported} reported, {self.parked} parked, {self.flagged} flagged, "
            f"{self.surplus} surplus, {self.questions} asked, {self.reviews} to review, "
            f"{self.adjudications} to decide"
        )
        lines += [
            f"  {row.pseudonym:<16} {row.submitted} submitted, {row.held} held, "
            f"{row.returned} returned, {row.skipped} skipped, {row.lapsed} lapsed, "
            f"{row.surplus} surplus"
            + (f", {row.minutes:g} min an item" if row.minutes is not None else "")
            for row in self.annotators
        ]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One line of the lead's list."""

    slug: str
    title: str
    kind: str
    purpose: str
    state: str
    created_at: datetime
    items: int
    members: int
    seats: SeatCounts
    parked_items: int


def batch_rows(project: Project) -> list[BatchRow]:
    """Return the project's batches, newest first. Four queries, however many there are."""
    batches = list(project.batches.order_by("-created_at", "-pk"))
    items = _by_batch(
        Item.objects.filter(batch__in=batches)
        .values("batch")
        .annotate(all=Count("pk"), parked=Count("pk", filter=~Q(parked_at=None)))
    )
    seats = _by_batch(
        Seat.objects.filter(item__batch__in=batches).values("item__batch").annotate(**_SEAT_COUNTS)
    )
    members = dict(
        project.batches.annotate(people=Count("participations")).values_list("pk", "people")
    )
    return [
        BatchRow(
            slug=batch.slug,
            title=batch.title,
            kind=batch.kind,
            purpose=batch.purpose,
            state=batch.state,
            created_at=batch.created_at,
            items=items.get(batch.pk, {}).get("all", 0),
            parked_items=items.get(batch.pk, {}).get("parked", 0),
            members=members.get(batch.pk, 0),
            seats=_seat_counts(seats.get(batch.pk, {})),
        )
        for batch in batches
    ]


def batch_progress(batch: Batch, *, now: datetime) -> BatchProgress:
    """Return where the batch stands. Seventeen queries, whatever its size."""
    number = Batch.objects.values_list("last_number", flat=True).get(pk=batch.pk)
    counted = Seat.objects.filter(item__batch=batch).aggregate(**_SEAT_COUNTS)
    seats = _seat_counts(counted)
    states: Counter[str] = Counter()
    flagged = 0
    for state, count, flags in (
        Assignment.objects.figured()
        .annotating()
        .filter(item__batch=batch)
        .values("state")
        .annotate(count=Count("pk"), flags=Count("pk", filter=~Q(flagged_at=None)))
        .values_list("state", "count", "flags")
    ):
        states[state] = count
        flagged += flags
    pace = _pace(batch, now=now)
    timed = _timed(batch)
    everyone = [minutes for one in timed.values() for minutes, _ in one]
    announced = [said for one in timed.values() for _, said in one if said is not None]
    contradicting, compared, judgments = _contradicting(batch, number)
    return BatchProgress(
        slug=batch.slug,
        title=batch.title,
        kind=batch.kind,
        purpose=batch.purpose,
        state=batch.state,
        at=now,
        number=number,
        opened_at=batch.opened_at,
        closed_at=batch.closed_at,
        seats=seats,
        items=batch.items.count(),
        items_done=_items_done(batch),
        assignments={state.value: states[state] for state in AssignmentState},
        pace=pace,
        done_by=_done_by(seats, pace, now=now),
        minutes=_median(everyone),
        announced=_median(announced),
        timed=len(everyone),
        contradicting=contradicting,
        compared=compared,
        judgments=judgments,
        parked=batch.items.parked().count(),
        flagged=flagged,
        reported=held_back(batch).count(),
        surplus=states[AssignmentState.SURPLUS],
        questions=LeadQuestion.objects.open().filter(assignment__item__batch=batch).count(),
        reviews=waiting_reviews(batch, ReviewFilter()).count(),
        adjudications=open_adjudications(batch.project).filter(item__batch=batch).count(),
        annotators=_annotators(batch, timed),
    )


def waiting_items(batch: Batch) -> list[Waiting]:
    """Return parked and flagged items with what people said, at most fifty of each. Four queries."""
    parked = list(
        batch.items.parked().select_related("response_1__turn").order_by("parked_at", "pk")
    )[:MOST_WAITING]
    skipped: defaultdict[int, list[tuple[str, str, str]]] = defaultdict(list)
    for item, *said in (
        Assignment.objects.figured()
        .filter(item__in=parked, state=AssignmentState.SKIPPED)
        .order_by("claimed_at", "pk")
        .values_list("item", "member__pseudonym", "skip_reason", "skip_note")
    ):
        skipped[item].append((said[0], label(SkipReason(said[1])), said[2]))
    flagged: dict[int, list[tuple[str, str, str]]] = {}
    items: dict[int, Item] = {}
    for assignment in (
        Assignment.objects.filter(item__batch=batch, flagged_at__isnull=False)
        .select_related("item__response_1__turn", "member")
        .order_by("flagged_at", "pk")[:MOST_WAITING]
    ):
        items[assignment.item_id] = assignment.item
        flagged.setdefault(assignment.item_id, []).append(
            (assignment.member.pseudonym, "", assignment.flag_note)
        )
    return [_waiting("parked", item, skipped[item.pk]) for item in parked] + [
        _waiting("flagged", items[pk], said) for pk, said in flagged.items()
    ]


# --- Counting ------------------------------------------------------------------------------

_WORKED = Q(purpose__in=WORKED_SEATS) & ~Q(state=SeatState.CLOSED)
_OPEN = Q(state=SeatState.OPEN)
_OFFERED = Q(item__parked_at=None, item__dialogue__held_back_at=None)
_SEAT_COUNTS: dict[str, Any] = {
    "total": Count("pk", filter=_WORKED),
    "free": Count("pk", filter=_WORKED & _OPEN & _OFFERED),
    "parked": Count("pk", filter=_WORKED & _OPEN & ~_OFFERED),
    "submitted": Count(
        "pk",
        filter=_WORKED
        & Q(
            Exists(Assignment.objects.filter(seat=OuterRef("pk"), state=AssignmentState.SUBMITTED))
        ),
    ),
}


def _seat_counts(counted: Mapping[str, int]) -> SeatCounts:
    total, free = counted.get("total", 0), counted.get("free", 0)
    parked, submitted = counted.get("parked", 0), counted.get("submitted", 0)
    return SeatCounts(
        total=total,
        submitted=submitted,
        held=total - submitted - free - parked,
        parked=parked,
        open=free,
    )


def _by_batch(rows: Iterable[dict[str, Any]]) -> dict[int, dict[str, int]]:
    return {row.pop("batch", None) or row.pop("item__batch"): row for row in rows}


def _items_done(batch: Batch) -> int:
    """Return how many items have every overlap seat submitted."""
    overlap = Seat.objects.filter(item=OuterRef("pk"), purpose=SeatPurpose.OVERLAP).exclude(
        state=SeatState.CLOSED
    )
    submitted = Assignment.objects.filter(seat=OuterRef("pk"), state=AssignmentState.SUBMITTED)
    undone = overlap.exclude(Exists(submitted))
    return batch.items.filter(Exists(overlap)).exclude(Exists(undone)).count()


def _pace(batch: Batch, *, now: datetime) -> float:
    if batch.opened_at is None:
        return 0.0
    days = min(float(PACE_DAYS), max(1.0, (now - batch.opened_at) / timedelta(days=1)))
    lately = (
        Assignment.objects.annotating()
        .submitted()
        .filter(
            item__batch=batch, submitted_at__gt=now - timedelta(days=days), submitted_at__lte=now
        )
    )
    return round(lately.count() / days, 1)


def _done_by(seats: SeatCounts, pace: float, *, now: datetime) -> date | None:
    left = seats.total - seats.submitted
    if not left or not pace:
        return None
    return (now + timedelta(days=ceil(left / pace))).date()


def _timed(batch: Batch) -> dict[int, list[tuple[float, float | None]]]:
    """Return member -> (minutes, announced minutes) of their newest timed submissions."""
    timed: defaultdict[int, list[tuple[float, float | None]]] = defaultdict(list)
    rows = (
        Judgment.objects.filter(
            batch=batch, cause=Cause.FIRST, assignment__purpose__in=WORKED_SEATS
        )
        .order_by("-number")
        .values_list("member", "active_ms", "item__counts")[:TIMED_JUDGMENTS]
    )
    for member, active_ms, counts in rows:
        if active_ms:
            minutes = sum(active_ms.values()) / 60_000
            timed[member].append((minutes, counts.get("minutes")))
    return timed


def _median(values: Iterable[float]) -> float | None:
    known = list(values)
    return round(median(known), 2) if known else None


def _contradicting(batch: Batch, number: int) -> tuple[int, int, int]:
    """Live judgments: those that kept a contradiction, those with a preference, all."""
    live = Judgment.objects.live(number=number).filter(batch=batch, seat__purpose__in=WORKED_SEATS)
    kept = Count("pk", filter=Q(preferences__contradiction="kept"), distinct=True)
    said = Count("pk", filter=Q(preferences__isnull=False), distinct=True)
    counted = live.aggregate(kept=kept, said=said, all=Count("pk", distinct=True))
    return counted["kept"], counted["said"], counted["all"]


def _annotators(
    batch: Batch, timed: Mapping[int, list[tuple[float, float | None]]]
) -> tuple[AnnotatorRow, ...]:
    def counting(state: AssignmentState) -> Count:
        return Count("pk", filter=Q(state=state))

    work = {
        row.pop("member"): row
        for row in Assignment.objects.figured()
        .annotating()
        .filter(item__batch=batch)
        .values("member", "member__public_id", "member__pseudonym")
        .annotate(
            **{state.value: counting(state) for state in AssignmentState},
            last_at=Max("submitted_at"),
        )
    }
    paused = {}
    for member, public_id, pseudonym, paused_at in batch.participations.values_list(
        "member", "member__public_id", "member__pseudonym", "paused_at"
    ):
        paused[member] = paused_at is not None
        work.setdefault(member, {"member__public_id": public_id, "member__pseudonym": pseudonym})
    rows = [
        AnnotatorRow(
            public_id=row["member__public_id"],
            pseudonym=row["member__pseudonym"],
            paused=paused.get(member, False),
            minutes=_median(minutes for minutes, _ in timed.get(member, ())),
            last_at=row.get("last_at"),
            **{state.value: row.get(state.value, 0) for state in AssignmentState},
        )
        for member, row in work.items()
    ]
    return tuple(sorted(rows, key=lambda row: row.pseudonym))


def _waiting(kind: str, item: Item, said: list[tuple[str, str, str]]) -> Waiting:
    return Waiting(
        kind=kind,
        item=item.public_id,
        position=item.position,
        prompt=Truncator(item.response_1.turn.prompt).chars(160),
        said=tuple(said),
    )
