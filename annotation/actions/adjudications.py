"""Adjudication: one judgment that decides an item on which people differ, with a reason."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from annotation.actions.answers import Answers, read_answers
from annotation.actions.assignments import locked_assignment, take_back
from annotation.actions.judgments import (
    AlreadySubmitted,
    Circumstances,
    body_digest,
    write_judgment,
)
from annotation.actions.reviews import NoPlace, new_seat, see_others, take_place
from annotation.actions.storable import refuse_unstorable
from annotation.choices import (
    DECIDING,
    AssignmentState,
    Cause,
    Origin,
    RemarkKind,
    SeatPurpose,
    SeatState,
)
from annotation.errors import AnnotationError, Invalid, NotAllowed
from annotation.models.assignments import Assignment, Seat
from annotation.models.batches import Item
from annotation.models.judgments import Judgment
from annotation.models.projects import Member
from annotation.permissions import can_lead, can_review
from annotation.reports.comparing import agreed_answers, judgments_beside
from annotation.reports.questions import decided_questions

LEAST_JUDGMENTS = 2


def open_adjudication(item: Item, *, by: Member, now: datetime) -> Seat:
    """Put an item on the list of those to be decided; once is enough.

    :raises NotAllowed: unless `by` is a lead of the project.
    :raises annotation.errors.AnnotationError: where fewer than two judgments stand side by side.
    """
    if not can_lead(by) or by.project_id != item.batch.project_id:
        raise NotAllowed(_("Only a lead of the project opens an adjudication."))
    with transaction.atomic():
        item = Item.objects.select_for_update(of=("self",)).select_related("batch").get(pk=item.pk)
        seats = item.seats.filter(purpose=SeatPurpose.ADJUDICATION)
        open_seat = seats.exclude(state=SeatState.CLOSED).first()
        if open_seat is not None:
            return open_seat
        if len(judgments_beside(item)) < LEAST_JUDGMENTS:
            raise AnnotationError(
                _("There are not yet two judgments of this item to decide between.")
            )
        return new_seat(item, SeatPurpose.ADJUDICATION, state=SeatState.OPEN)


def begin_adjudication(item: Item, *, by: Member, now: datetime) -> Assignment:
    """Take the item's adjudication seat; from now on the member sees all its judgments.

    :raises NotAllowed: unless they are a reviewer or lead who has not judged the item.
    :raises annotation.actions.reviews.NoPlace: if somebody else has it, or nobody opened one.
    """
    if not can_review(by) or by.project_id != item.batch.project_id:
        raise NotAllowed(_("Only reviewers and leads of the project adjudicate."))
    with transaction.atomic():
        mine = take_place(item, SeatPurpose.ADJUDICATION, by=by, now=now)
        see_others(item, by=by, now=now)
        return mine


def adjudicate(
    assignment: Assignment,
    *,
    by: Member,
    body: dict[str, Any],
    reason: str,
    key: str,
    now: datetime,
    circumstances: Circumstances | None = None,
) -> Judgment:
    """Store the deciding judgment, all answers of it, as a judgment of cause `adjudication`.

    Answers on which everybody agreed and that were left so are stored as `proposed`. Deciding
    again is another revision; the same key gives the same judgment.

    :raises Invalid: without a reason, or naming each answer that is missing.
    :raises NotAllowed: if it is another person's assignment or no adjudication.
    """
    refuse_unstorable(body)
    refuse_unstorable(reason, place="reason")
    if assignment.member_id != by.pk or assignment.purpose != SeatPurpose.ADJUDICATION:
        raise NotAllowed(_("This is not yours to decide."))
    if not can_review(by):
        raise NotAllowed(_("Only reviewers and leads of the project adjudicate."))
    if not reason.strip():
        raise Invalid(_("Say why: the reason is kept with the decision."), fields={"reason": "?"})
    remark = {"text": reason.strip()}
    body = {**body, "remarks": {**body.get("remarks", {}), RemarkKind.RATIONALE.value: remark}}
    digest = body_digest(body)
    with transaction.atomic():
        mine = locked_assignment(assignment.pk, "item__batch__rubric", "member")
        earlier = mine.judgments.filter(submission_key=key).first()
        if earlier is not None:
            if earlier.body_digest != digest:
                raise AlreadySubmitted(_("This was decided before with other answers."))
            return earlier
        if mine.state == AssignmentState.LAPSED and not take_back(mine, now=now):
            raise NoPlace(_("Your time ran out, and somebody else has this item now."))
        answers = read_answers(decided_questions(mine.item), body)
        judgment = write_judgment(
            mine,
            cause=Cause.ADJUDICATION,
            answers=_with_origins(answers, agreed_answers(mine.item)),
            key=key,
            digest=digest,
            now=now,
            saw_others=True,
            circumstances=circumstances,
        )
        mine.state = AssignmentState.SUBMITTED
        mine.lease_until = None
        mine.submitted_at = now
        mine.save(update_fields=["state", "lease_until", "submitted_at"])
        return judgment


def _with_origins(answers: Answers, agreed: Mapping[str, str]) -> Answers:
    """Mark the answers that are as everybody had them."""
    return replace(
        answers,
        ratings=tuple(
            replace(one, origin=Origin.PROPOSED)
            if agreed.get(f"{one.response.public_id}.{one.dimension.key}")
            == ("na" if one.score is None else str(one.score))
            else one
            for one in answers.ratings
        ),
        preferences=tuple(
            replace(one, origin=Origin.PROPOSED)
            if agreed.get(f"preference.{one.key}") == one.value
            else one
            for one in answers.preferences
        ),
    )


def may_decide(item: Item, by: Member) -> bool:
    """Say whether the member could decide about the item: they have not judged it. One query."""
    own = Judgment.objects.filter(item=item, member=by).exclude(assignment__purpose__in=DECIDING)
    return can_review(by) and not own.exists()
