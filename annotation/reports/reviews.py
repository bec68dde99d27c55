"""What waits for a reviewer: judgments nobody has reviewed, of a batch, the oldest first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from annotation.choices import (
    ANNOTATING,
    AssignmentState,
    Cause,
    Outcome,
    PreferenceScope,
    ReviewOutcome,
    Role,
    SeatPurpose,
)
from annotation.models.assignments import Assignment, Seat
from annotation.models.batches import Batch, Item
from annotation.models.judgments import Judgment, JudgmentQuerySet, Preference, Rating
from annotation.models.projects import Member, Project
from annotation.models.reviews import Review, Sight
from annotation.reports.desk import titles_of
from annotation.reports.figures import QUALITY, shown_figures
from annotation.reports.quality import signals_in
from annotation.reports.voids import standing_voids

NEWEST = 2**62
"""Above every evidence number: all there is."""

APART = 2
"""Scores this far apart are a difference worth a look."""


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """Which waiting judgments are wanted.

    :ivar drawn: only the seeded share, and what comes back after it was returned.
    :ivar annotator: a pseudonym, or "".
    :ivar differ: only where another judgment of the item differs by two points or in preference.
    :ivar flagged: only what its author flagged.
    :ivar signs: only of people in whose work there are signs of something odd.
    """

    drawn: bool = True
    annotator: str = ""
    differ: bool = False
    flagged: bool = False
    signs: bool = False


@dataclass(frozen=True, slots=True)
class StoredSigns:
    """Whose work shows a sign, as a worker last computed it.

    :ivar members: public ids. :ivar number: the evidence number they were looked for at; 0: nothing
        is computed yet. :ivar newest: the batch's number now.
    """

    members: tuple[str, ...]
    number: int
    newest: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """One judgment that waits.

    :ivar assignment: the public id of its author's assignment, which names the page.
    :ivar number: the item's place in its batch, from 1.
    :ivar blind: the reviewer judges the item before they see it.
    :ivar returned: it comes back after it was returned.
    """

    assignment: str
    number: int
    title: str
    annotator: str
    turns: str
    submitted_at: datetime
    minutes: int | None
    blind: bool
    returned: bool
    flagged: bool


@dataclass(frozen=True, slots=True)
class ReviewCounts:
    """What waits in one batch, for anybody.

    :ivar waiting: judgments to review. :ivar blind: of those, to be judged alone first.
    :ivar returned: with their authors now. :ivar adjudications: items that wait to be decided.
    :ivar reviewed: judgments that were reviewed.
    """

    slug: str
    title: str
    state: str
    waiting: int
    blind: int
    returned: int
    adjudications: int
    reviewed: int

    def waits(self) -> dict[str, int]:
        """Return what waits, for JSON."""
        return {
            "reviews": self.waiting,
            "blind": self.blind,
            "returned": self.returned,
            "adjudications": self.adjudications,
        }


def has_judged_alone(member: Member, item_id: int) -> bool:
    """Say whether the reviewer has judged the item before they saw anything of others'."""
    return judged_alone().filter(item=item_id, member=member).exists()


def judged_alone(*, number: int = NEWEST) -> JudgmentQuerySet:
    """Blind reviews: the latest judgment of each review seat before its author saw others'."""
    later = (
        Judgment.objects.filter(assignment=OuterRef("assignment"))
        .up_to(number)
        .filter(revision__gt=OuterRef("revision"))
        .filter(Q(saw_others=False) | Q(cause=Cause.WITHDRAWAL))
    )
    return (
        Judgment.objects.filter(seat__purpose=SeatPurpose.REVIEW, saw_others=False)
        .up_to(number)
        .exclude(cause__in=[Cause.WITHDRAWAL, Cause.FIX])
        .exclude(Exists(later))
    )


def must_judge_first(member: Member, item: Item) -> bool:
    """Say whether the reviewer must judge the item before they may see others' answers.

    A lead who has seen the dialogue may decide all the same; it then counts as no blind review.
    """
    settings = item.batch.parsed_settings()
    if not Item.objects.filter(pk=item.pk).to_review_blind(settings).exists():
        return False
    if has_judged_alone(member, item.pk):
        return False
    seen = Sight.objects.of_dialogue(member.pk, item.dialogue_id).exists()
    return not (seen and member.role == Role.LEAD)


def stored_signs(batch: Batch) -> StoredSigns:
    """Return whose work shows a sign, from the stored figure; never computed here. Three queries."""
    shown = shown_figures(batch, QUALITY, live=False)
    found = signals_in(shown.body) if shown.body else {}
    members = tuple(member for member, signs in found.items() if signs)
    return StoredSigns(members, shown.number, shown.newest)


def waiting_reviews(
    batch: Batch, wanted: ReviewFilter, *, member: Member | None = None
) -> JudgmentQuerySet:
    """Return the live judgments that wait, the oldest first; of others' items only for a member."""
    settings = batch.parsed_settings()
    number = Batch.objects.values_list("last_number", flat=True).get(pk=batch.pk)
    live = standing_voids(batch, number=number).outside(
        Judgment.objects.filter(batch=batch).live(number=number)
    )
    live = live.filter(
        assignment__state=AssignmentState.SUBMITTED,
        assignment__purpose__in=ANNOTATING,
        item__repeat_of=None,
        item__gold_answers=None,
    ).exclude(Exists(Review.objects.filter(judgment=OuterRef("pk"))))
    if wanted.drawn:
        drawn = batch.items.to_review(settings)
        live = live.filter(Q(item__in=drawn.values("pk")) | Q(Exists(_returned())))
    if wanted.annotator:
        live = live.filter(member__pseudonym=wanted.annotator)
    if wanted.flagged:
        live = live.exclude(assignment__flagged_at=None)
    if wanted.signs:
        live = live.filter(member__public_id__in=stored_signs(batch).members)
    if wanted.differ:
        live = live.filter(Q(Exists(_scored_apart())) | Q(Exists(_preferred_otherwise())))
    if member is not None:
        own = Assignment.objects.annotating().filter(member=member, item=OuterRef("item"))
        live = live.exclude(Exists(own.filter(judgments__isnull=False)))
        if member.role != Role.LEAD:
            live = live.exclude(_blind_for_others(batch, member))
    return live.order_by("submitted_at", "pk")


def _blind_for_others(batch: Batch, member: Member) -> Q:
    """Blind reviews that the member cannot make, because they have seen others' answers."""
    blind = batch.items.to_review_blind(batch.parsed_settings())
    seen = Sight.objects.filter(member=member).filter(
        Q(item__dialogue=OuterRef("item__dialogue")) | Q(item=None, batch=OuterRef("batch"))
    )
    alone = judged_alone().filter(item=OuterRef("item"), member=member)
    return Q(item__in=blind.values("pk")) & Q(Exists(seen)) & ~Q(Exists(alone))


def _returned() -> "QuerySet[Review]":
    return Review.objects.filter(
        judgment__assignment=OuterRef("assignment"), outcome=ReviewOutcome.RETURN
    )


def _scored_apart() -> "QuerySet[Rating]":
    """Others' live ratings of the same units, two points away from one of the judgment's own."""
    newer = Judgment.objects.filter(
        assignment=OuterRef("judgment__assignment"), revision__gt=OuterRef("judgment__revision")
    )
    others = (
        Rating.objects.filter(response=OuterRef("response"), dimension=OuterRef("dimension"))
        .filter(judgment__item=OuterRef("judgment__item"))
        .exclude(judgment__assignment=OuterRef("judgment__assignment"))
        .exclude(judgment__cause=Cause.WITHDRAWAL)
        .exclude(Exists(newer))
    )
    apart = Q(score__gte=OuterRef("score") + APART) | Q(score__lte=OuterRef("score") - APART)
    return Rating.objects.filter(judgment=OuterRef("pk"), score__isnull=False).filter(
        Exists(others.filter(apart))
    )


def _preferred_otherwise() -> "QuerySet[Preference]":
    newer = Judgment.objects.filter(
        assignment=OuterRef("judgment__assignment"), revision__gt=OuterRef("judgment__revision")
    )
    others = (
        Preference.objects.filter(
            scope=PreferenceScope.OVERALL, judgment__item=OuterRef("judgment__item")
        )
        .exclude(judgment__assignment=OuterRef("judgment__assignment"))
        .exclude(judgment__cause=Cause.WITHDRAWAL)
        .exclude(Exists(newer))
    )
    otherwise = ~Q(outcome=OuterRef("outcome")) | (
        Q(outcome=Outcome.PREFERS) & ~Q(preferred=OuterRef("preferred"))
    )
    own = Preference.objects.filter(judgment=OuterRef("pk"), scope=PreferenceScope.OVERALL)
    return own.filter(Exists(others.filter(otherwise)))


def waiting_rows(judgments: JudgmentQuerySet, batch: Batch) -> list[Waiting]:
    """Return a page of waiting judgments as lines. Three queries, however many."""
    settings = batch.parsed_settings()
    blind = batch.items.to_review_blind(settings).filter(pk=OuterRef("item"))
    rows: list[Any] = list(
        judgments.select_related(
            "member", "assignment", "item__response_1", "item__response_2"
        ).annotate(blind=Exists(blind), came_back=Exists(_returned()))
    )
    titles = titles_of({row.item.dialogue_id for row in rows})
    return [
        Waiting(
            assignment=row.assignment.public_id,
            number=row.item.position + 1,
            title=titles.get(row.item.dialogue_id, ""),
            annotator=row.member.pseudonym,
            turns=turns_of(row.item),
            submitted_at=row.submitted_at,
            minutes=round(sum(row.active_ms.values()) / 60_000) if row.active_ms else None,
            blind=row.blind,
            returned=row.came_back,
            flagged=row.assignment.flagged_at is not None,
        )
        for row in rows
    ]


def turns_of(item: Item) -> str:
    """Return the item's length as it is written: "5 + 4" for two sides."""
    one, two = item.response_1, item.response_2
    return f"{one.depth} + {two.depth}" if two else f"{one.depth}"


def review_counts(batch: Batch, *, member: Member | None = None) -> ReviewCounts:
    """Return what waits in the batch. Some seven queries, whatever its size."""
    waiting = waiting_reviews(batch, ReviewFilter(), member=member)
    blind = batch.items.to_review_blind(batch.parsed_settings())
    counted = waiting.order_by().aggregate(
        all=Count("pk"), blind=Count("pk", filter=Q(item__in=blind.values("pk")))
    )
    return ReviewCounts(
        slug=batch.slug,
        title=batch.title,
        state=batch.state,
        waiting=counted["all"],
        blind=counted["blind"],
        returned=Assignment.objects.filter(
            item__batch=batch, state=AssignmentState.RETURNED
        ).count(),
        adjudications=open_adjudications(batch.project).filter(item__batch=batch).count(),
        reviewed=Review.objects.filter(batch=batch).aggregate(n=Count("judgment", distinct=True))[
            "n"
        ],
    )


def reviewed_batches(project: Project) -> list[Batch]:
    """Return the batches in which somebody has worked, the newest first."""
    return list(project.batches.exclude(opened_at=None).order_by("-opened_at", "-pk"))


def open_adjudications(project: Project) -> "QuerySet[Seat]":
    """Return the adjudication seats on which nobody has decided, the oldest first."""
    return (
        Seat.objects.filter(purpose=SeatPurpose.ADJUDICATION, item__batch__project=project)
        .exclude(state="closed")
        .exclude(assignments__state=AssignmentState.SUBMITTED)
        .order_by("item__batch_id", "pk")
    )
