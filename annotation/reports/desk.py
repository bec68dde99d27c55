"""What waits for one person: returned items, the next items, what is set aside, their own work."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import (
    Avg,
    Case,
    Count,
    Exists,
    F,
    FloatField,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.utils.timezone import localtime

from annotation.choices import (
    AssignmentState,
    BatchKind,
    BatchPurpose,
    BatchState,
    Cause,
    SlotState,
)
from annotation.models.assignments import Assignment, Seat, day_of, unbearable
from annotation.models.batches import Batch, Item
from annotation.models.content import Image, Turn
from annotation.models.judgments import Judgment
from annotation.models.marks import Mark
from annotation.models.projects import Member
from annotation.rendering.text import clean_prompt, shortened
from annotation.reports.categories import category_names
from annotation.reports.checks import MOST_COUNTED, open_items_of
from annotation.reports.holds import Holds, holds_by_batch
from annotation.reports.participations import test_results, why_not, whys_not
from annotation.reports.paths import Side, load_sides, load_steps
from annotation.reports.questions import yours_already
from annotation.reports.returns import Returned, returned_notes
from annotation.reports.times import Length, counted_ms, length_of, turns_judged

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
    :ivar minutes: time that counts of the last judgment, or None.
    :ivar is_capped: whether more time was spent than counts.
    :ivar returned: what the reviewer said who sent it back.
    :ivar can_change: whether the batch still takes a correction of it.
    """

    public_id: str
    batch_title: str
    kind: str
    title: str
    length: Length
    state: str
    opened_at: datetime | None
    submitted_at: datetime | None
    saved_at: datetime | None
    lease_until: datetime | None
    aside_at: datetime | None
    corrected: bool
    minutes: int | None
    is_capped: bool
    returned: Returned | None
    can_change: bool

    @property
    def turns(self) -> str:
        """The turns of its sides: "5 + 4"."""
        return self.length.turns


@dataclass(frozen=True, slots=True)
class Queue:
    """A batch as its annotator sees it: how much is theirs, and what could be begun.

    :ivar open_turns: of the open items, by the batch's average: which items they are is not told.
    :ivar has_more: whether there may be more open than are counted.
    :ivar left_out: whether some items are marked with what they do not want, or have had enough of.
    :ivar barred: why they are given nothing of it, in words, or "".
    :ivar result: how they did in a qualification they have finished, in words, or "".
    """

    slug: str
    title: str
    kind: str
    state: str
    done: int
    done_turns: int
    open: int
    open_turns: int
    has_more: bool
    left_out: bool
    held: Work | None
    holds: Holds
    has_guideline: bool
    barred: str = ""
    result: str = ""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is told of an item before it is begun or gone on with.

    :ivar picture: the first that both sides show, where nothing of the item is marked.
    :ivar yours: how many of its answers are the person's own from earlier items.
    :ivar marks: what its dialogue or pictures are marked with, by name.
    """

    public_id: str
    title: str
    length: Length
    picture: Image | None
    yours: int
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """A batch whose judgments its members may read side by side, since `opened_at`."""

    slug: str
    title: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Hour:
    """The turns sent in one local hour of today."""

    hour: int
    turns: int


@dataclass(frozen=True, slots=True)
class Desk:
    """The page a person starts from. :ivar batches: of the queues, in their order."""

    batches: tuple[Batch, ...]
    returned: tuple[Work, ...]
    queues: tuple[Queue, ...]
    aside: tuple[Work, ...]
    recent: tuple[Work, ...]
    calibrations: tuple[Calibration, ...]
    work_count: int
    today_items: int
    today_turns: int
    today_minutes: int
    today_hours: tuple[Hour, ...]


def desk(member: Member, *, at: datetime) -> Desk:
    """Return the member's desk on the local day of `at`.

    Some twenty queries, however many batches; eight more where some are qualifications, and nine
    where some ask one.
    """
    returned = works(
        Assignment.objects.filter(member=member, state=AssignmentState.RETURNED).order_by(
            "-submitted_at", "pk"
        )
    )
    held = works(
        Assignment.objects.held().annotating().filter(member=member).order_by("claimed_at", "pk")
    )
    lapsed = works(
        Assignment.objects.annotating()
        .filter(member=member, state=AssignmentState.LAPSED, draft__isnull=False)
        .order_by("-claimed_at", "pk")
    )
    mine = own_work(member)
    judged_today = _judged_since(member, day_of(at))
    milliseconds = sum(counted_ms(one.active_ms, one.item) for one in judged_today)
    batches = tuple(working_in(member))
    queues, first_held = _queues(batches, member, held, at=at)
    return Desk(
        batches=batches,
        returned=tuple(returned),
        queues=queues,
        aside=(
            *[
                one
                for one in held
                if one.public_id not in first_held and (one.opened_at or one.aside_at)
            ],
            *lapsed,
        ),
        recent=tuple(works(mine[:5])),
        calibrations=_calibrations(member),
        work_count=mine.count(),
        today_items=len(judged_today),
        today_turns=sum(_turns_judged(one.item) for one in judged_today),
        today_minutes=round(milliseconds / 60_000),
        today_hours=_by_hour(judged_today),
    )


def _calibrations(member: Member) -> tuple[Calibration, ...]:
    """Return the open ones of the member's batches, the newest first. One query."""
    rows = Batch.objects.filter(
        participations__member=member, calibration_opened_at__isnull=False
    ).order_by("-calibration_opened_at")
    return tuple(
        Calibration(one.slug, one.title, one.calibration_opened_at)
        for one in rows
        if one.calibration_opened_at is not None
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
    """Count the turns of an item: one of a turn pair, those of both paths otherwise."""
    if item.batch.kind == BatchKind.TURN_PAIR:
        return 1
    return turns_judged(item.response_1, item.response_2, item.fork_depth)


EACH: Combinable = Case(
    When(batch__kind=BatchKind.TURN_PAIR, then=Value(1)),
    default=F("response_1__depth") + Coalesce(F("response_2__depth") - F("fork_depth") + 1, 0),
)
"""The turns of an item in a query on items, counted as `_turns_judged` does."""

LOOKED_AT = 200
"""From how many items of a batch, evenly spread over it, its average length is taken."""


def _done(batches: Sequence[Batch], member: Member) -> dict[int, tuple[int, int]]:
    """Return by batch how many items and turns the person has done. One query."""
    worked_on = Assignment.objects.worked_on().annotating().filter(member=member)
    rows = (
        Item.objects.filter(pk__in=worked_on.filter(item__batch__in=batches).values("item"))
        .order_by()
        .values_list("batch")
        .annotate(items=Count("pk"), turns=Sum(EACH))
    )
    return {batch: (items, turns) for batch, items, turns in rows}


def _average_turns(batches: Sequence[Batch]) -> dict[int, float]:
    """Return by batch how many turns an item has on the average. Two queries."""
    last = Item.objects.filter(batch=OuterRef("pk")).order_by("-position").values("position")[:1]
    ends = Batch.objects.filter(pk__in=[one.pk for one in batches]).annotate(last=Subquery(last))
    some = Q(pk__in=[])
    for pk, end in ends.values_list("pk", "last"):
        if end is not None:
            some |= Q(batch=pk, position__in=range(0, end + 1, end // LOOKED_AT + 1))
    rows = Item.objects.filter(some).order_by().values_list("batch")
    return dict(rows.annotate(turns=Avg(EACH, output_field=FloatField())))


def _by_hour(judged: "Sequence[Judgment]") -> tuple[Hour, ...]:
    """Return the turns of each hour from the first to the last in which something was sent."""
    turns: Counter[int] = Counter()
    for one in judged:
        turns[localtime(one.submitted_at).hour] += _turns_judged(one.item)
    if not turns:
        return ()
    return tuple(Hour(hour, turns[hour]) for hour in range(min(turns), max(turns) + 1))


def own_work(member: Member) -> QuerySet[Assignment]:
    """Return what the person has submitted or skipped, the newest first."""
    mine = Assignment.objects.annotating().filter(member=member, state__in=DEALT_WITH)
    return mine.order_by("-submitted_at", "-claimed_at", "-pk")


def works(assignments: "QuerySet[Assignment]") -> list[Work]:
    """Return assignments as lines. Ten queries at most, however many."""
    rows = list(
        assignments.select_related(
            "item__batch", "item__response_1", "item__response_2", "item__dialogue", "draft"
        )
    )
    titles = titles_of({row.item.dialogue_id for row in rows})
    notes = returned_notes(rows)
    revisions = _revisions(rows)
    return [
        Work(
            public_id=row.public_id,
            batch_title=row.item.batch.title,
            kind=row.item.batch.kind,
            title=titles.get(row.item.dialogue_id, ""),
            length=length_of(row.item),
            state=row.state,
            opened_at=row.opened_at,
            submitted_at=row.submitted_at,
            saved_at=row.draft.saved_at if hasattr(row, "draft") else None,
            lease_until=row.lease_until,
            aside_at=row.aside_at,
            corrected=revisions.get(row.pk, (1, {}))[0] > 1,
            **_minutes(row.item, revisions.get(row.pk, (1, {}))[1]),
            returned=notes.get(row.pk),
            can_change=_can_change(row),
        )
        for row in rows
    ]


def working_in(member: Member) -> QuerySet[Batch]:
    """Return the batches that offer the member work now, or will when they go on."""
    return Batch.objects.filter(
        participations__member=member,
        state__in=[BatchState.OPEN, BatchState.PAUSED],
    ).order_by("opened_at", "pk")


def _queues(
    batches: Sequence[Batch], member: Member, held: Sequence[Work], *, at: datetime
) -> tuple[tuple[Queue, ...], set[str]]:
    own = dict(
        Assignment.objects.held()
        .annotating()
        .filter(member=member, aside_at=None)
        .order_by("-claimed_at", "-pk")
        .values_list("item__batch_id", "public_id")
    )
    by_id = {one.public_id: one for one in held}
    barred = whys_not(member, batches)
    done, average = _done(batches, member), _average_turns(batches)
    free = [batch for batch in batches if not barred[batch.pk]]
    open_ = open_items_of(free, member, at=at)
    left_out = _leave_out(batches, member, at=at)
    holds = holds_by_batch(member, batches, at=at)
    qualifying = [one for one in batches if one.purpose == BatchPurpose.QUALIFICATION]
    results = test_results(qualifying, member)
    queues = []
    for batch in batches:
        done_items, done_turns = done.get(batch.pk, (0, 0))
        items = open_.get(batch.pk, 0)
        queues.append(
            Queue(
                slug=batch.slug,
                title=batch.title,
                kind=batch.kind,
                state=batch.state,
                done=done_items,
                done_turns=done_turns,
                open=items,
                open_turns=round(items * average.get(batch.pk, 0)),
                has_more=items >= MOST_COUNTED,
                left_out=batch.pk in left_out,
                held=by_id.get(own.get(batch.pk, "")),
                holds=holds[batch.pk],
                has_guideline=batch.guideline_id is not None,
                barred=barred[batch.pk],
                result=results[batch.pk].in_words() if batch.pk in results else "",
            )
        )
    return tuple(queues), {one.held.public_id for one in queues if one.held}


def held_items(held: Iterable[Work]) -> dict[str, Item]:
    """Return the items of what is held, as `ahead` takes them, by assignment. One query."""
    rows = Assignment.objects.filter(public_id__in=[one.public_id for one in held]).select_related(
        "item__batch", "item__dialogue", "item__response_1", "item__response_2"
    )
    return {row.public_id: row.item for row in rows}


def offered_picture(public_id: str, member: Member, *, sha256: str, at: datetime) -> Item | None:
    """Return the item if the desk may show its picture to the member before they begin it."""
    seats = Seat.objects.claimable().not_refused_by(member).bearable_to(member, at=at)
    participating = {"batch__project": member.project_id, "batch__participations__member": member}
    item = (
        Item.objects.with_sides()
        .filter(public_id=public_id, pk__in=seats.values("item"), **participating)
        .first()
    )
    if item is None or why_not(member, item.batch) or any(_marks_on([item.dialogue_id]).values()):
        return None
    picture = first_picture(load_sides(item))
    return item if picture is not None and picture.sha256 == sha256 else None


def ahead(items: Sequence[Item], member: Member) -> dict[int, Ahead]:
    """Return what is told of each item, by its primary key. Eight queries, however many.

    :param items: with batch, dialogue and sides, none of which the member has submitted.
    """
    if not items:
        return {}
    ends = {one.pk: one for item in items for one in item.ends}
    steps = load_steps(list(ends.values()))
    sides = {
        item.pk: tuple(Side(number, steps[one.pk]) for number, one in enumerate(item.ends, 1))
        for item in items
    }
    yours = yours_already({item.pk: item for item in items}, sides, member=member)
    titles = titles_of({item.dialogue_id for item in items})
    marks = _marks_on(titles)
    names = category_names(member.project_id, {key for keys in marks.values() for key in keys})
    return {
        item.pk: Ahead(
            public_id=item.public_id,
            title=titles.get(item.dialogue_id, ""),
            length=length_of(item),
            picture=None if marks[item.dialogue_id] else first_picture(sides[item.pk]),
            yours=yours[item.pk],
            marks=tuple(names[key] for key in marks[item.dialogue_id]),
        )
        for item in items
    }


def _marks_on(dialogues: Iterable[int]) -> dict[int, list[str]]:
    """Return by dialogue the keys that it or a picture anywhere in it is marked with. One query."""
    keys: dict[int, list[str]] = {one: [] for one in dialogues}
    marks = Mark.objects.standing().filter(dialogue__in=list(keys)).order_by("key")
    for dialogue, key in marks.values_list("dialogue", "key").distinct():
        keys[dialogue].append(key)
    return keys


def first_picture(sides: Sequence[Side]) -> Image | None:
    """Return the first stored picture that every side shows: one side's own would speak for it."""
    for step in sides[0].steps:
        also = [side.step_at(step.depth) for side in sides[1:]]
        prompts = all(one is not None and one.turn == step.turn for one in also)
        answers = all(one is not None and one.response == step.response for one in also)
        shared = step.slots if answers else step.prompt_slots if prompts else ()
        for slot in shared:
            if slot.state == SlotState.STORED and slot.image is not None:
                return slot.image
    return None


def _leave_out(batches: Sequence[Batch], member: Member, *, at: datetime) -> set[int]:
    """Return the batches with marked items kept from the person. No number, which repeats would
    change. One query.
    """
    seats = Seat.objects.claimable().not_refused_by(member).filter(item__batch__in=batches)
    left_out = seats.filter(unbearable(member, at=at)).order_by()
    return set(left_out.values_list("item__batch", flat=True).distinct())


def titles_of(dialogues: Iterable[int]) -> dict[int, str]:
    roots = Turn.objects.filter(dialogue__in=dialogues, follows=None).values_list(
        "dialogue_id", "prompt"
    )
    return {dialogue: _title(clean_prompt(prompt)) for dialogue, prompt in roots}


def _title(text: str) -> str:
    # The rows of a table say nothing in a line.
    prose = [part for part in text.splitlines() if not part.lstrip().startswith("|")]
    line = " ".join(" ".join(prose).split()) or " ".join(text.split())
    return shortened(line, TITLE_LENGTH)


def _minutes(item: Item, active_ms: Mapping[str, int] | None) -> dict[str, Any]:
    if not active_ms:
        return {"minutes": None, "is_capped": False}
    counted = counted_ms(active_ms, item)
    return {
        "minutes": round(counted / 60_000),
        "is_capped": counted < sum(active_ms.values()),
    }


def _revisions(rows: Sequence[Assignment]) -> dict[int, tuple[int, dict[str, int] | None]]:
    """How often it was submitted since it was last taken back, and the newest's times."""
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
    return {pk: ((last or 1) - (undone or 0), active) for pk, last, undone, active in found}


def _can_change(row: Assignment) -> bool:
    if row.state == AssignmentState.SKIPPED:
        return False
    return row.item.batch.state != BatchState.CLOSED or row.item.reopened_at is not None
