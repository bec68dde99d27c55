"""Submitting: one write path for everybody's judgments."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from annotation.actions.answers import Answers, read_answers
from annotation.actions.assignments import take_back
from annotation.actions.evidence import next_number
from annotation.actions.storable import refuse_unstorable
from annotation.choices import (
    AssignmentState,
    BatchState,
    Cause,
    SeatPurpose,
    SeatState,
)
from annotation.errors import AnnotationError, Invalid, NotAllowed
from annotation.models.assignments import Assignment, Seat
from annotation.models.guidelines import GuidelineVersion
from annotation.models.judgments import Judgment, Preference, Rating, Remark
from annotation.models.projects import Member, new_public_id
from annotation.permissions import can_lead
from annotation.reports.questions import questions_of

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
) -> Judgment:
    """Store `body` as the next judgment of this assignment, all or nothing.

    The same key with the same body gives the judgment it gave the first time, for ever, so a
    reply that was lost costs nothing. A first submission after the lease ran out takes the seat
    back if it is free; if not, the work is kept as surplus and enters nothing until a lead
    admits it. After submission, until the batch closes, it is a correction.

    :raises annotation.actions.answers.Incomplete: naming every place that is missing or wrong.
    :raises AlreadySubmitted: the key was used for other content.
    :raises BatchClosed: the batch takes no more revisions of this item.
    :raises NotAllowed: it is another person's assignment.
    """
    if not key or len(key) > 64:
        raise Invalid("A submission carries a key of 1 to 64 characters.", fields={"key": "?"})
    refuse_unstorable(key, place="key")
    refuse_unstorable(body)
    if assignment.member_id != by.pk:
        raise NotAllowed("This is another person's item.")
    digest = body_digest(body)
    with transaction.atomic():
        assignment = _locked(assignment)
        earlier = assignment.judgments.filter(submission_key=key).first()
        if earlier is not None:
            if earlier.body_digest != digest:
                raise AlreadySubmitted(
                    "This submission arrived before with other content, which is kept. "
                    "Open the item again to correct it."
                )
            return earlier
        _refuse_unless_taking(assignment)
        answers = read_answers(questions_of(assignment.item, member=by), body)
        if assignment.state == AssignmentState.LAPSED:
            take_back(assignment, now=now)
        cause = _cause(assignment)
        judgment = write_judgment(
            assignment,
            cause=cause,
            answers=answers,
            key=key,
            digest=digest,
            now=now,
            saw_others=_has_seen_others(assignment, cause),
            circumstances=circumstances,
        )
        assignment.state = (
            AssignmentState.SUBMITTED if assignment.seat_id else AssignmentState.SURPLUS
        )
        assignment.lease_until = None
        assignment.submitted_at = now
        assignment.save(update_fields=["state", "lease_until", "submitted_at"])
        return judgment


def withdraw_judgment(assignment: Assignment, *, by: Member, key: str, now: datetime) -> Judgment:
    """Undo a submission: a `withdrawal` revision; seat and draft are as before.

    :raises TooLate: after the batch's time for it, or where nothing is submitted.
    :raises NotAllowed: it is another person's assignment.
    """
    if assignment.member_id != by.pk:
        raise NotAllowed("This is another person's item.")
    with transaction.atomic():
        assignment = _locked(assignment)
        earlier = assignment.judgments.filter(submission_key=key).first()
        if earlier is not None:
            return earlier
        batch = assignment.item.batch
        minutes = batch.parsed_settings().undo_minutes
        if assignment.state != AssignmentState.SUBMITTED or assignment.submitted_at is None:
            raise TooLate("There is no submission here to take back.")
        if batch.state == BatchState.CLOSED:
            raise BatchClosed("The batch is closed, so nothing can be taken back.")
        if now > assignment.submitted_at + timedelta(minutes=minutes):
            raise TooLate(
                f"A submission can be taken back for {minutes} minutes. Correct it instead."
            )
        judgment = write_judgment(
            assignment, cause=Cause.WITHDRAWAL, answers=Answers(), key=key, now=now
        )
        assignment.state = AssignmentState.HELD
        assignment.submitted_at = None
        assignment.lease_until = now + timedelta(minutes=batch.lease_minutes)
        assignment.save(update_fields=["state", "submitted_at", "lease_until"])
        return judgment


def admit_surplus(assignment: Assignment, *, by: Member, now: datetime) -> Judgment:
    """Give kept late work an extra seat, as a revision of cause `admitted`.

    Extra seats enter exports and no agreement.

    :raises NotAllowed: unless `by` is a lead.
    :raises TooLate: where the assignment is no surplus.
    """
    if not can_lead(by):
        raise NotAllowed("Only a lead admits late work.")
    with transaction.atomic():
        assignment = _locked(assignment)
        if assignment.state != AssignmentState.SURPLUS:
            raise TooLate("There is no late work here that waits.")
        last = assignment.judgments.exclude(cause=Cause.WITHDRAWAL).order_by("revision").last()
        if last is None:
            raise TooLate("There is no judgment here that waits.")
        number = assignment.item.seats.order_by("-number").values_list("number", flat=True)[0] + 1
        assignment.seat = Seat.objects.create(
            item=assignment.item,
            number=number,
            purpose=SeatPurpose.EXTRA,
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
) -> Judgment:
    """Insert one numbered judgment with its rows. Call inside a transaction.

    `assignment` must have `item.batch` loaded; its seat is stored as it is now.
    """
    around = circumstances or Circumstances()
    batch = assignment.item.batch
    judgment = Judgment(
        batch=batch,
        item=assignment.item,
        member_id=assignment.member_id,
        assignment=assignment,
        seat_id=assignment.seat_id,
        revision=assignment.judgments.count() + 1,
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
    return (
        Assignment.objects.select_for_update(of=("self",))
        .select_related("item__batch__rubric", "member")
        .get(pk=assignment.pk)
    )


def _refuse_unless_taking(assignment: Assignment) -> None:
    batch = assignment.item.batch
    if assignment.state == AssignmentState.SKIPPED:
        raise AnnotationError("You skipped this item. Ask the lead if you want it back.")
    if batch.state == BatchState.DRAFT:
        raise BatchClosed("The batch is not open yet.")
    if batch.state == BatchState.CLOSED and assignment.item.reopened_at is None:
        raise BatchClosed("The batch is closed. Your entries are kept and can still be read.")


def _cause(assignment: Assignment) -> Cause:
    if assignment.state == AssignmentState.RETURNED:
        return Cause.RETURNED
    live = assignment.judgments.order_by("revision").last()
    if live is None or live.cause == Cause.WITHDRAWAL:
        return Cause.FIRST
    return Cause.CORRECTION


def _has_seen_others(assignment: Assignment, cause: Cause) -> bool:
    """Once an item was returned with a reviewer's words, what follows is not independent."""
    return (
        cause == Cause.RETURNED
        or assignment.judgments.filter(saw_others=True).exists()
        or assignment.item.reopened_at is not None
    )
