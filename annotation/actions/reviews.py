"""Reviewing others' judgments: accept, fix, return; and judging alone first where that was drawn.

The lock is that of a submission, the assignment under review first, so that a review and its
author's correction take turns. A reviewer says which judgment they looked at and which review
they knew of; where either is not the newest any more, nothing is written and they look again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from annotation.actions.assignments import locked_assignment
from annotation.actions.evidence import next_number
from annotation.actions.judgments import Circumstances, submit_judgment
from annotation.actions.storable import refuse_unstorable
from annotation.choices import (
    ANNOTATING,
    DECIDING,
    SEATED,
    AssignmentState,
    BatchState,
    Cause,
    ReviewOutcome,
    SeatPurpose,
    SeatState,
)
from annotation.errors import AnnotationError, Invalid, NotAllowed
from annotation.models.assignments import Assignment, Seat
from annotation.models.batches import Item
from annotation.models.judgments import Judgment, Preference, Rating
from annotation.models.projects import Member
from annotation.models.reviews import Review, Sight
from annotation.permissions import can_lead, can_review
from annotation.reports.reviews import has_judged_alone, must_judge_first
from annotation.reports.voids import standing_voids
from annotation.sampling import shown_first

LONGEST_NOTE = 5_000
PREFERENCE = "preference"


class NotNewest(AnnotationError):
    """The author has sent another version, or another reviewer was quicker."""


class JudgeFirst(AnnotationError):
    """The item was drawn for a blind review: the reviewer judges it before they see others'."""


class NoPlace(AnnotationError):
    """There is no open seat of this kind."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a reviewer had before them: the judgment, and the number of its newest review or 0."""

    judgment: Judgment
    review: int = 0


def see_others(item: Item, *, by: Member, now: datetime) -> None:
    """Note that the member reads others' judgments of the item from now on. One or two queries."""
    if not Sight.objects.filter(member=by, item=item).exists():
        Sight.objects.bulk_create(
            [Sight(member=by, batch_id=item.batch_id, item=item, seen_others_at=now)],
            ignore_conflicts=True,
        )


def accept(looked: Looked, *, by: Member, now: datetime, note: str = "") -> Review:
    """Say that the judgment is right as it is. What was returned need not be changed any more.

    :raises NotAllowed: unless `by` may review it: a reviewer or lead who did not judge the item.
    :raises NotNewest: if its author or another reviewer was quicker.
    :raises JudgeFirst: if the item was drawn for a blind review and `by` has not judged it.
    """
    return _decide(looked, ReviewOutcome.ACCEPT, by=by, now=now, note=note)


def return_to_author(
    looked: Looked, *, by: Member, now: datetime, note: str, places: Iterable[str]
) -> Review:
    """Send the judgment back to its author, naming the answers to look at again.

    :param places: field names of its answers: `RESPONSE.DIMENSION` or `preference.KEY`.
    :raises Invalid: without a note, without a place, or with one that it does not answer.
    :raises annotation.errors.AnnotationError: as `accept`; and where the author cannot correct.
    """
    return _decide(
        looked, ReviewOutcome.RETURN, by=by, now=now, note=note, fields=tuple(dict.fromkeys(places))
    )


def begin_fix(looked: Looked, *, by: Member, now: datetime) -> Assignment:
    """Give the reviewer a review seat, to judge the item in place of its author.

    :raises annotation.errors.AnnotationError: as `accept`.
    """
    with transaction.atomic():
        author = _checked(looked, by=by)
        see_others(author.item, by=by, now=now)
        return take_place(
            author.item,
            SeatPurpose.REVIEW,
            by=by,
            now=now,
            about=author,
            first=looked.judgment.shown_first,
        )


def fix(
    looked: Looked,
    *,
    by: Member,
    body: dict[str, Any],
    key: str,
    now: datetime,
    circumstances: Circumstances | None = None,
) -> Review:
    """Store the reviewer's own judgment, cause `fix`, and say that it stands for the author's.

    The same key gives the same review again.

    :raises annotation.actions.answers.Incomplete: naming what is missing in `body`.
    :raises annotation.errors.AnnotationError: as `accept`.
    """
    with transaction.atomic():
        sent = Review.objects.filter(
            fix__submission_key=key, fix__item=looked.judgment.item_id, reviewer=by
        ).first()
        if sent is not None:
            return sent
        author = _checked(looked, by=by)
        blind = has_judged_alone(by, author.item_id)
        mine = begin_fix(looked, by=by, now=now)
        judgment = submit_judgment(
            mine,
            by=by,
            body=body,
            key=key,
            now=now,
            circumstances=circumstances,
            cause=Cause.FIX,
        )
        _enter(author, AssignmentState.SUBMITTED)
        return _write(looked, ReviewOutcome.FIX, by=by, now=now, fix=judgment, blind=blind)


def begin_blind(item: Item, *, by: Member, now: datetime) -> Assignment:
    """Give the reviewer a review seat at an item whose answers they have not seen.

    :raises NotAllowed: if they have judged it as an annotator, or have seen others' answers.
    """
    with transaction.atomic():
        _may_review(item, by)
        if Sight.objects.of_dialogue(by.pk, item.dialogue_id).exists():
            raise NotAllowed(
                _("You have seen others' answers to this dialogue. Another reviewer takes it.")
            )
        return take_place(item, SeatPurpose.REVIEW, by=by, now=now)


def take_place(
    item: Item,
    purpose: SeatPurpose,
    *,
    by: Member,
    now: datetime,
    about: Assignment | None = None,
    first: int | None = None,
) -> Assignment:
    """Return the member's assignment on a seat of this purpose, taking one where needed.

    A review seat is made where none is open; any other must be open. Call inside a transaction.

    :param first: the side shown first; default as the seat has it.
    :raises NotAllowed: if the member has judged the item on a seat of another purpose.
    :raises NoPlace: if no seat is open.
    """
    item = Item.objects.select_for_update(of=("self",)).select_related("batch").get(pk=item.pk)
    mine = Assignment.objects.filter(item=item, member=by).first()
    judged = mine is not None and mine.judgments.exists()
    if mine is not None and mine.purpose != purpose and judged:
        raise NotAllowed(_("You have judged this item yourself. Somebody else decides about it."))
    if mine is None:
        mine = Assignment(item=item, member=by)
    if mine.seat_id is None or mine.purpose != purpose or mine.state not in SEATED:
        seat = _seat(item, purpose)
        mine.seat, mine.shown_first, mine.claimed_at = seat, seat.shown_first, now
        mine.state = AssignmentState.HELD
        mine.skip_reason = mine.skip_note = ""
    mine.purpose, mine.about = purpose, about
    if first is not None and not judged:
        mine.shown_first = first
    if mine.state == AssignmentState.HELD:
        mine.lease_until = now + timedelta(minutes=item.batch.lease_minutes)
    mine.save()
    return Assignment.objects.select_related("item__batch__rubric", "member").get(pk=mine.pk)


def _seat(item: Item, purpose: SeatPurpose) -> Seat:
    for seat in item.seats.filter(purpose=purpose, state=SeatState.OPEN).order_by("number"):
        seats = Seat.objects.filter(pk=seat.pk, state=SeatState.OPEN)
        if seats.update(state=SeatState.TAKEN):
            return seat
    if purpose != SeatPurpose.REVIEW:
        raise NoPlace(_("Somebody else has this item, or has decided it already."))
    return new_seat(item, purpose, state=SeatState.TAKEN)


def new_seat(item: Item, purpose: SeatPurpose, *, state: SeatState) -> Seat:
    """Add a seat after the item's last. Call with the item locked."""
    number = max(item.seats.values_list("number", flat=True), default=0) + 1
    first = shown_first(item.coin, number)
    return Seat.objects.create(
        item=item, number=number, purpose=purpose, state=state, shown_first=first
    )


def _decide(
    looked: Looked,
    outcome: ReviewOutcome,
    *,
    by: Member,
    now: datetime,
    note: str,
    fields: tuple[str, ...] = (),
) -> Review:
    refuse_unstorable(note, place="note")
    note = note.strip()
    places = _places(looked.judgment, fields)
    if outcome == ReviewOutcome.RETURN:
        _refuse_unsaid(note, places)
    with transaction.atomic():
        said = {"outcome": outcome, "note": note, "places": places, "reviewer": by}
        newest = _newest_review(looked.judgment)
        if newest is not None and all(getattr(newest, name) == one for name, one in said.items()):
            return newest
        author = _checked(looked, by=by)
        see_others(author.item, by=by, now=now)
        if outcome == ReviewOutcome.RETURN:
            _refuse_unless_correctable(author)
            _enter(author, AssignmentState.RETURNED)
        else:
            _enter(author, AssignmentState.SUBMITTED)
        blind = has_judged_alone(by, author.item_id)
        return _write(looked, outcome, by=by, now=now, note=note, places=places, blind=blind)


def _write(
    looked: Looked, outcome: ReviewOutcome, *, by: Member, now: datetime, **more: Any
) -> Review:
    judgment = looked.judgment
    return Review.objects.create(
        batch_id=judgment.batch_id,
        judgment=judgment,
        reviewer=by,
        outcome=outcome,
        created_at=now,
        number=next_number(judgment.batch_id),
        **more,
    )


def _checked(looked: Looked, *, by: Member) -> Assignment:
    """Return the locked assignment under review where `by` may decide about it now."""
    judgment = looked.judgment
    author = locked_assignment(judgment.assignment_id, "item__batch__rubric", "member")
    _may_review(author.item, by)
    decidable = (AssignmentState.SUBMITTED, AssignmentState.RETURNED)
    if author.purpose not in ANNOTATING or author.state not in decidable:
        raise NotNewest(_("This was taken back meanwhile. There is nothing to decide."))
    if author.judgments.order_by("-revision").values_list("pk", flat=True)[0] != judgment.pk:
        raise NotNewest(
            _("%(who)s sent another version meanwhile. Look at that one.")
            % {"who": author.member.pseudonym}
        )
    _refuse_unless_known(looked, by)
    number = type(author.item.batch).objects.values_list("last_number", flat=True)
    voids = standing_voids(author.item.batch, number=number.get(pk=judgment.batch_id))
    if voids.reason(judgment):
        raise NotNewest(_("A lead has taken this judgment out of figures and exports."))
    if must_judge_first(by, author.item):
        raise JudgeFirst(_("This item was drawn for a blind review: judge it yourself first."))
    return author


def _refuse_unless_known(looked: Looked, by: Member) -> None:
    newest = _newest_review(looked.judgment)
    if newest is None or newest.number == looked.review:
        if newest is not None and newest.reviewer_id != by.pk and not can_lead(by):
            raise NotAllowed(
                _("%(who)s has reviewed this. Only they or a lead decide again.")
                % {"who": newest.reviewer.pseudonym}
            )
        return
    raise NotNewest(
        _("%(who)s has reviewed this meanwhile. Nothing of yours was written.")
        % {"who": newest.reviewer.pseudonym}
    )


def _newest_review(judgment: Judgment) -> Review | None:
    reviews = Review.objects.filter(judgment=judgment).select_related("reviewer")
    return reviews.order_by("-number").first()


def _may_review(item: Item, by: Member) -> None:
    if not can_review(by) or by.project_id != item.batch.project_id:
        raise NotAllowed(_("Only reviewers and leads of the project review judgments."))
    own = Judgment.objects.filter(item=item, member=by).exclude(assignment__purpose__in=DECIDING)
    if own.exists():
        raise NotAllowed(_("You have judged this item yourself. Somebody else reviews it."))


def _refuse_unless_correctable(author: Assignment) -> None:
    if author.member.ended_at is not None:
        raise AnnotationError(_("Its author has left the project. Fix it yourself instead."))
    batch = author.item.batch
    if batch.state == BatchState.CLOSED and author.item.reopened_at is None:
        raise AnnotationError(
            _("The batch is closed, so its author could not correct it. Reopen it or fix it.")
        )


def _refuse_unsaid(note: str, places: list[dict[str, str]]) -> None:
    wrong = {}
    if not note:
        wrong["note"] = _("Say what to look at again.")
    if len(note) > LONGEST_NOTE:
        wrong["note"] = _("Shorten the note to %(n)d characters.") % {"n": LONGEST_NOTE}
    if not places:
        wrong["places"] = _("Mark at least one answer.")
    if wrong:
        raise Invalid(" ".join(wrong.values()), fields=wrong)


def _places(judgment: Judgment, fields: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the named answers as they are stored, in the order they were named."""
    if not fields:
        return []
    there: dict[str, dict[str, str]] = {}
    for response, dimension in Rating.objects.filter(judgment=judgment).values_list(
        "response__public_id", "dimension__key"
    ):
        there[f"{response}.{dimension}"] = {"response": response, "dimension": dimension}
    for scope, dimension in Preference.objects.filter(judgment=judgment).values_list(
        "scope", "dimension__key"
    ):
        name = f"dimension:{dimension}" if dimension else scope
        there[f"{PREFERENCE}.{name}"] = {PREFERENCE: name}
    unknown = [field for field in fields if field not in there]
    if unknown:
        raise Invalid(
            _("This judgment has no such answer: %(names)s.") % {"names": ", ".join(unknown)},
            fields={"places": ", ".join(unknown)},
        )
    return [there[field] for field in fields]


def _enter(author: Assignment, state: AssignmentState) -> None:
    if author.state != state:
        author.state = state
        author.save(update_fields=["state"])
