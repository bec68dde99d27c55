"""What waits for one person: returned items, the next items, what is set aside, their own work."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery

from annotation.choices import AssignmentState, BatchKind, BatchState, Cause, ReviewOutcome
from annotation.models.assignments import Assignment, Seat
from annotation.models.batches import Batch, Item
from annotation.models.content import Turn
from annotation.models.judgments import Judgment
from annotation.models.projects import Member
from annotation.models.reviews import Review
from annotation.rendering.text import clean_prompt

TITLE_LENGTH = 160
DEALT_WITH = (
    AssignmentState.SUBMITTED,
    AssignmentState.RETURNED,
    AssignmentState.SURPLUS,
    AssignmentState.SKIPPED,
)


@dataclass(frozen=True, slots=True)
class Work:
    """One item a person has dealt with or holds, in a line.

    :ivar title: the first prompt, cleaned and shortened.
    :ivar turns: "5 + 4" for two sides, "5" for one.
    :ivar minutes: visible time of the last judgment, or None.
    :ivar can_change: whether the batch still takes a correction of it.
    """

    public_id: str
    batch_title: str
    kind: str
    title: str
    turns: str
    state: str
    opened_at: datetime | None
    submitted_at: datetime | None
    saved_at: datetime | None
    lease_until: datetime | None
    corrected: bool
    minutes: int | None
    note: str
    can_change: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """A batch as its annotator sees it: how much is theirs, and what could be begun."""

    slug: str
    title: str
    kind: str
    state: str
    done: int
    open: int
    held: Work | None
    has_guideline: bool


@dataclass(frozen=True, slots=True)
class Desk:
    """The page a person starts from."""

    returned: tuple[Work, ...]
    queues: tuple[Queue, ...]
    aside: tuple[Work, ...]
    recent: tuple[Work, ...]
    work_count: int
    today_items: int
    today_turns: int
    today_minutes: int


def desk(member: Member, *, day_began: datetime) -> Desk:
    """Return the member's desk. Some ten queries, two more for each batch.

    :param day_began: from when items count as today's.
    """
    returned = works(
        Assignment.objects.filter(member=member, state=AssignmentState.RETURNED).order_by(
            "-submitted_at", "pk"
        )
    )
    held = works(Assignment.objects.held().filter(member=member).order_by("claimed_at", "pk"))
    lapsed = works(
        Assignment.objects.filter(
            member=member, state=AssignmentState.LAPSED, draft__isnull=False
        ).order_by("-claimed_at", "pk")
    )
    mine = own_work(member)
    judged_today = _judged_since(member, day_began)
    milliseconds = sum(sum(one.active_ms.values()) for one in judged_today)
    queues, first_held = _queues(member, held)
    return Desk(
        returned=tuple(returned),
        queues=queues,
        aside=(
            *[one for one in held if one.public_id not in first_held and one.opened_at],
            *lapsed,
        ),
        recent=tuple(works(mine[:5])),
        work_count=mine.count(),
        today_items=len(judged_today),
        today_turns=sum(_turns_judged(one.item) for one in judged_today),
        today_minutes=round(milliseconds / 60_000),
    )


def _judged_since(member: Member, day_began: datetime) -> list[Judgment]:
    """Return the first submissions since then that were not taken back, one of each item.

    The withdrawn submission before them is not among them: its time is in the one that followed.
    """
    taken_back = Judgment.objects.filter(
        assignment=OuterRef("assignment"), revision__gt=OuterRef("revision"), cause=Cause.WITHDRAWAL
    )
    return list(
        Judgment.objects.filter(member=member, submitted_at__gte=day_began, cause=Cause.FIRST)
        .exclude(Exists(taken_back))
        .select_related("item__batch", "item__response_1", "item__response_2")
    )


def _turns_judged(item: Item) -> int:
    """Count the turns of an item: one of a turn pair, those of both paths otherwise.

    Turns before the fork are the same on both sides and count once.
    """
    if item.batch.kind == BatchKind.TURN_PAIR:
        return 1
    if item.response_2 is None or item.fork_depth is None:
        return item.response_1.depth
    return item.response_1.depth + item.response_2.depth - (item.fork_depth - 1)


def own_work(member: Member) -> QuerySet[Assignment]:
    """Return what the person has submitted or skipped, the newest first."""
    return Assignment.objects.filter(member=member, state__in=DEALT_WITH).order_by(
        "-submitted_at", "-claimed_at", "-pk"
    )


def works(assignments: "QuerySet[Assignment]") -> list[Work]:
    """Return assignments as lines. Five queries, however many."""
    rows = list(
        assignments.select_related(
            "item__batch", "item__response_1", "item__response_2", "item__dialogue", "draft"
        )
    )
    titles = _titles({row.item.dialogue_id for row in rows})
    notes = _return_notes(rows)
    revisions = _revisions(rows)
    return [
        Work(
            public_id=row.public_id,
            batch_title=row.item.batch.title,
            kind=row.item.batch.kind,
            title=titles.get(row.item.dialogue_id, ""),
            turns=_turns(row),
            state=row.state,
            opened_at=row.opened_at,
            submitted_at=row.submitted_at,
            saved_at=row.draft.saved_at if hasattr(row, "draft") else None,
            lease_until=row.lease_until,
            corrected=revisions.get(row.pk, (1, None))[0] > 1,
            minutes=revisions.get(row.pk, (1, None))[1],
            note=notes.get(row.pk, ""),
            can_change=_can_change(row),
        )
        for row in rows
    ]


def _queues(member: Member, held: Sequence[Work]) -> tuple[tuple[Queue, ...], set[str]]:
    batches = Batch.objects.filter(
        participations__member=member,
        participations__paused_at=None,
        state__in=[BatchState.OPEN, BatchState.PAUSED],
    ).order_by("opened_at", "pk")
    done = dict(
        Assignment.objects.worked_on()
        .filter(member=member)
        .order_by()
        .values_list("item__batch_id")
        .annotate(items=Count("pk"))
    )
    own = dict(
        Assignment.objects.held()
        .filter(member=member)
        .order_by("-claimed_at", "-pk")
        .values_list("item__batch_id", "public_id")
    )
    by_id = {one.public_id: one for one in held}
    queues = tuple(
        Queue(
            slug=batch.slug,
            title=batch.title,
            kind=batch.kind,
            state=batch.state,
            done=done.get(batch.pk, 0),
            open=Seat.objects.claimable()
            .not_refused_by(member)
            .filter(item__batch=batch)
            .aggregate(items=Count("item", distinct=True))["items"],
            held=by_id.get(own.get(batch.pk, "")),
            has_guideline=batch.guideline_id is not None,
        )
        for batch in batches
    )
    return queues, {one.held.public_id for one in queues if one.held}


def _titles(dialogues: Iterable[int]) -> dict[int, str]:
    roots = Turn.objects.filter(dialogue__in=dialogues, follows=None).values_list(
        "dialogue_id", "prompt"
    )
    return {dialogue: _shortened(clean_prompt(prompt)) for dialogue, prompt in roots}


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TITLE_LENGTH else f"{line[: TITLE_LENGTH - 1].rstrip()}…"


def _turns(row: Assignment) -> str:
    one, two = row.item.response_1, row.item.response_2
    return f"{one.depth} + {two.depth}" if two else f"{one.depth}"


def _return_notes(rows: Sequence[Assignment]) -> dict[int, str]:
    returned = [row.pk for row in rows if row.state == AssignmentState.RETURNED]
    if not returned:
        return {}
    reviews = (
        Review.objects.filter(judgment__assignment__in=returned, outcome=ReviewOutcome.RETURN)
        .order_by("number")
        .values_list("judgment__assignment_id", "note")
    )
    return dict(reviews)


def _revisions(rows: Sequence[Assignment]) -> dict[int, tuple[int, int | None]]:
    """How often it was submitted since it was last taken back, and the newest's minutes."""
    newest = (
        Judgment.objects.filter(assignment=OuterRef("pk"))
        .exclude(cause=Cause.WITHDRAWAL)
        .order_by("-revision")
    )
    found = (
        Assignment.objects.filter(pk__in=[row.pk for row in rows])
        .annotate(
            last=Max("judgments__revision"),
            undone=Max("judgments__revision", filter=Q(judgments__cause=Cause.WITHDRAWAL)),
            active=Subquery(newest.values("active_ms")[:1]),
        )
        .values_list("pk", "last", "undone", "active")
    )
    return {
        pk: ((last or 1) - (undone or 0), round(sum(active.values()) / 60_000) if active else None)
        for pk, last, undone, active in found
    }


def _can_change(row: Assignment) -> bool:
    if row.state == AssignmentState.SKIPPED:
        return False
    return row.item.batch.state != BatchState.CLOSED or row.item.reopened_at is not None
