"""Submitting: one write path for everybody's judgments."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation.actions.answers import Answers, read_answers
from annotation.actions.assignments import locked_assignment, take_back
from annotation.actions.evidence import next_number
from annotation.actions.storable import refuse_unstorable
from annotation.actions.votes import follow_up
from annotation.choices import (
    DECIDING,
    AssignmentState,
    BatchState,
    Cause,
    SeatCause,
    SeatPurpose,
    SeatState,
)
from annotation.errors import AnnotationError, Invalid, NotAllowed
from annotation.models.assignments import Assignment, Seat
from annotation.models.guidelines import GuidelineVersion
from annotation.models.judgments import Judgment, Preference, Rating, Remark
from annotation.models.projects import Member, new_public_id
from annotation.models.reviews import Sight
from annotation.permissions import can_lead
from annotation.reports.questions import questions_for

INTERFACE_VERSION = "1"


class BatchClosed(AnnotationError):
    """The batch takes no more judgments; drafts stay readable."""


class AlreadySubmitted(AnnotationError):
    """The same submission key came with other content."""


class TooLate(AnnotationError):
    """The time for this has passed."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What was around the judgment when it was made."""

    language: str = ""
    guideline_version: GuidelineVersion | None = None
    interface_version: str = INTERFACE_VERSION


def submit_judgment(
    assignment: Assignment,
    *,
    by: Member,
    body: dict[str, Any],
    key: str,
    now: datetime,
    circumstances: Circumstances | None = None,
    cause: Cause | None = None,
) -> Judgment:
    """Store `body` as the next judgment of this assignment, all or nothing.

    The same key with the same body gives the judgment it gave the first time, for ever, so a
    reply that was lost costs nothing. A first submission after the lease ran out takes the seat
    back if it is free; if not, the work is kept as surplus and enters nothing until a lead
    admits it. After submission, until the batch closes, it is a correction. A reviewer's fix says
    so by `cause`; `actions.reviews` sends it.

    :raises annotation.actions.answers.Incomplete: naming every place that is missing or wrong.
    :raises AlreadySubmitted: the key was used for other content.
    :raises BatchClosed: the batch takes no more revisions of this item.
    :raises NotAllowed: it is another person's assignment.
    """
    if not key or len(key) > 64:
        raise Invalid(_("A submission carries a key of 1 to 64 characters."), fields={"key": "?"})
    refuse_unstorable(key, place="key")
    refuse_unstorable(body)
    if assignment.member_id != by.pk:
        raise NotAllowed(_("This is another person's item."))
    digest = body_digest(body)
    with transaction.atomic():
        assignment = _locked(assignment)
        revisions = list(assignment.judgments.order_by("revision"))
        earlier = next((one for one in revisions if one.submission_key == key), None)
        if earlier is not None:
            if earlier.body_digest != digest:
                raise AlreadySubmitted(
                    _(
                        "This submission arrived before with other content, which is kept. "
                        "Open the item again to correct it."
                    )
                )
            return earlier
        _refuse_unless_taking(assignment)
        if (cause is None) != (assignment.about_id is None):
            raise NotAllowed(_("Send this from the reviews: it decides about another judgment."))
        answers = read_answers(questions_for(assignment), body)
        if assignment.state == AssignmentState.LAPSED:
            take_back(assignment, now=now)
        cause = cause or _cause(assignment, revisions)
        judgment = write_judgment(
            assignment,
            cause=cause,
            answers=answers,
            key=key,
            digest=digest,
            now=now,
            saw_others=_has_seen_others(assignment, cause, revisions),
            circumstances=circumstances,
            revision=len(revisions) + 1,
        )
        assignment.state = (
            AssignmentState.SUBMITTED if assignment.seat_id else AssignmentState.SURPLUS
        )
        assignment.lease_until = None
        assignment.submitted_at = now
        assignment.save(update_fields=["state", "lease_until", "submitted_at"])
        follow_up(assignment.item)
        return judgment


def withdraw_judgment(assignment: Assignment, *, by: Member, key: str, now: datetime) -> Judgment:
    """Undo a submission: a `withdrawal` revision; seat and draft are as before.

    :raises TooLate: after the batch's time for it, or where nothing is submitted.
    :raises NotAllowed: it is another person's assignment.
    """
    if assignment.member_id != by.pk:
        raise NotAllowed(_("This is another person's item."))
    with transaction.atomic():
        assignment = _locked(assignment)
        earlier = assignment.judgments.filter(submission_key=key).first()
        if earlier is not None:
            return earlier
        batch = assignment.item.batch
        minutes = batch.parsed_settings().undo_minutes
        if assignment.purpose in DECIDING:
            raise TooLate(_("What decides about others' work is changed by deciding again."))
        if assignment.state != AssignmentState.SUBMITTED or assignment.submitted_at is None:
            raise TooLate(_("There is no submission here to take back."))
        if batch.state == BatchState.CLOSED:
            raise BatchClosed(_("The batch is closed, so nothing can be taken back."))
        if now > assignment.submitted_at + timedelta(minutes=minutes):
            raise TooLate(
                ngettext(
                    "A submission can be taken back for %(count)s minute. Correct it instead.",
                    "A submission can be taken back for %(count)s minutes. Correct it instead.",
                    minutes,
                )
                % {"count": minutes}
            )
        judgment = write_judgment(
            assignment, cause=Cause.WITHDRAWAL, answers=Answers(), key=key, now=now
        )
        assignment.state = AssignmentState.HELD
        assignment.submitted_at = None
        assignment.lease_until = now + timedelta(minutes=batch.lease_minutes)
        assignment.save(update_fields=["state", "submitted_at", "lease_until"])
        follow_up(assignment.item)
        return judgment


def admit_surplus(assignment: Assignment, *, by: Member, now: datetime) -> Judgment:
    """Give kept late work an extra seat, as a revision of cause `admitted`.

    Extra seats enter exports and no agreement.

    :raises NotAllowed: unless `by` is a lead.
    :raises TooLate: where the assignment is no surplus.
    """
    if not can_lead(by):
        raise NotAllowed(_("Only a lead admits late work."))
    with transaction.atomic():
        assignment = _locked(assignment)
        if assignment.state != AssignmentState.SURPLUS:
            raise TooLate(_("There is no late work here that waits."))
        last = assignment.judgments.exclude(cause=Cause.WITHDRAWAL).order_by("revision").last()
        if last is None:
            raise TooLate(_("There is no judgment here that waits."))
        number = assignment.item.seats.order_by("-number").values_list("number", flat=True)[0] + 1
        assignment.seat = Seat.objects.create(
            item=assignment.item,
            number=number,
            purpose=SeatPurpose.EXTRA,
            cause=SeatCause.LATE,
            state=SeatState.TAKEN,
            shown_first=assignment.shown_first,
        )
        assignment.state = AssignmentState.SUBMITTED
        assignment.save(update_fields=["seat", "state"])
        return copy_judgment(last, assignment, cause=Cause.ADMITTED, now=now)


def write_judgment(
    assignment: Assignment,
    *,
    cause: Cause,
    answers: Answers,
    key: str,
    now: datetime,
    digest: str = "",
    saw_others: bool = False,
    circumstances: Circumstances | None = None,
    revision: int = 0,
) -> Judgment:
    """Insert one numbered judgment with its rows. Call inside a transaction.

    `assignment` must have `item.batch` loaded; its seat is stored as it is now. The `revision` is
    counted here where it is not given.
    """
    around = circumstances or Circumstances()
    batch = assignment.item.batch
    judgment = Judgment(
        batch=batch,
        item=assignment.item,
        member_id=assignment.member_id,
        assignment=assignment,
        seat_id=assignment.seat_id,
        revision=revision or assignment.judgments.count() + 1,
        cause=cause,
        submission_key=key,
        body_digest=digest,
        guideline_version=around.guideline_version,
        interface_version=around.interface_version,
        language=around.language,
        shown_first=assignment.shown_first,
        overall_scale=batch.parsed_settings().overall_scale,
        saw_others=saw_others,
        submitted_at=now,
        opened_at=assignment.opened_at,
        first_input_at=answers.first_input_at,
        last_input_at=answers.last_input_at,
        active_ms=dict(answers.active_ms),
        images_shown=list(answers.images_shown),
        images_seen=list(answers.images_seen),
        images_opened=list(answers.images_opened),
    )
    judgment.number = next_number(batch.pk)
    judgment.save(force_insert=True)
    Rating.objects.bulk_create(
        Rating(
            judgment=judgment,
            response=one.response,
            dimension=one.dimension,
            score=one.score,
            not_applicable=one.score is None,
            origin=one.origin,
            carried_from=one.carried_from,
            branch=one.branch,
            reason=one.reason,
            reason_language=one.reason_language,
            tags=list(one.tags),
            steps_named=one.steps_named,
        )
        for one in answers.ratings
    )
    Preference.objects.bulk_create(
        Preference(
            judgment=judgment,
            scope=one.scope,
            dimension=one.dimension,
            outcome=one.outcome,
            preferred=one.preferred,
            strength=one.strength,
            origin=one.origin,
            in_bulk=one.in_bulk,
            contradiction=one.contradiction,
        )
        for one in answers.preferences
    )
    Remark.objects.bulk_create(
        Remark(
            judgment=judgment,
            kind=one.kind,
            response=one.response,
            slot_id=one.slot_id,
            text=one.text,
            language=one.language,
        )
        for one in answers.remarks
    )
    return judgment


def copy_judgment(
    judgment: Judgment, assignment: Assignment, *, cause: Cause, now: datetime
) -> Judgment:
    """Insert the same ratings, preferences and remarks as the next revision of `assignment`."""
    copied = Judgment.objects.get(pk=judgment.pk)
    copied.pk = None
    copied.public_id = new_public_id()
    copied.seat_id = assignment.seat_id
    copied.revision = assignment.judgments.count() + 1
    copied.cause = cause
    copied.submission_key = f"{cause}-{copied.revision}"
    copied.submitted_at = now
    copied.number = next_number(judgment.batch_id)
    copied.save(force_insert=True)
    for model in (Rating, Preference, Remark):
        rows = list(model.objects.filter(judgment=judgment).order_by("pk"))
        for row in rows:
            row.pk = None
            row.judgment = copied
        model.objects.bulk_create(rows)
    return copied


def body_digest(body: object) -> str:
    """Return the SHA-256 of the body in canonical JSON."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _locked(assignment: Assignment) -> Assignment:
    return locked_assignment(
        assignment.pk, "item__batch__rubric", "item__response_1", "item__response_2", "member"
    )


def _refuse_unless_taking(assignment: Assignment) -> None:
    batch = assignment.item.batch
    if assignment.state == AssignmentState.SKIPPED:
        raise AnnotationError(_("You skipped this item. Ask the lead if you want it back."))
    if batch.state == BatchState.DRAFT:
        raise BatchClosed(_("The batch is not open yet."))
    deciding = assignment.purpose in DECIDING
    if batch.state == BatchState.CLOSED and assignment.item.reopened_at is None and not deciding:
        raise BatchClosed(_("The batch is closed. Your entries are kept and can still be read."))


def _cause(assignment: Assignment, revisions: Sequence[Judgment]) -> Cause:
    if assignment.state == AssignmentState.RETURNED:
        return Cause.RETURNED
    if not revisions or revisions[-1].cause == Cause.WITHDRAWAL:
        return Cause.FIRST
    return Cause.CORRECTION


def _has_seen_others(assignment: Assignment, cause: Cause, revisions: Sequence[Judgment]) -> bool:
    """Say whether the author had seen anything of others' judgments of the dialogue.

    Once an item was returned with a reviewer's words, what follows is not independent; nor is
    what follows the first look at a calibration or a review.
    """
    return (
        cause in {Cause.RETURNED, Cause.FIX}
        or any(one.saw_others for one in revisions)
        or assignment.item.reopened_at is not None
        or Sight.objects.of_dialogue(assignment.member_id, assignment.item.dialogue_id).exists()
    )
