"""What stands around an item on its page and is true only now: what was sent, what waits, what is beside."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.choices import DECIDING, AssignmentState, BatchState, SeatPurpose
from annotation.models.assignments import Assignment
from annotation.models.batches import Batch
from annotation.models.projects import Member
from annotation.reports.returns import returned_notes
from annotation.views.fixing import review_notice


def read_only(mine: Assignment) -> bool:
    """Say whether the item can only be looked at."""
    closed = mine.item.batch.state == BatchState.CLOSED and mine.item.reopened_at is None
    return (closed and mine.purpose not in DECIDING) or mine.state == AssignmentState.SKIPPED


def notices(mine: Assignment) -> dict[str, Any]:
    """Return what stands above the item and is true only now."""
    minutes = mine.item.batch.parsed_settings().undo_minutes
    return {
        "returned": returned_notes([mine]).get(mine.pk),
        "notice": _notice(mine),
        "undo": _just_sent(mine, minutes=minutes, now=timezone.now()),
        "undo_minutes": minutes,
    }


def _notice(mine: Assignment) -> str:
    if mine.purpose == SeatPurpose.REVIEW:
        return review_notice(mine)
    if mine.state == AssignmentState.SKIPPED:
        return _("You skipped this item. What you had entered can be read here.")
    if read_only(mine):
        return _("The batch is closed: this can be read and not changed.")
    match mine.state:
        case AssignmentState.LAPSED:
            return _(
                "Your time for this item ran out. What you entered is kept; the seat is taken back when you go on, if it is still free."
            )
        case AssignmentState.SURPLUS:
            return _(
                "This came after the seat had gone to somebody else. It is kept and waits for the lead."
            )
        case AssignmentState.SUBMITTED:
            return _(
                "You have submitted this item. What you change now is sent as a correction; the first version stays on record."
            )
        case _ if mine.item.batch.state == BatchState.PAUSED:
            return _("The batch is paused. What you enter is saved and can be submitted.")
        case _:
            return ""


def _just_sent(mine: Assignment, *, minutes: int, now: datetime) -> Assignment | None:
    """Return the item this person sent last in the batch, while it can be taken back."""
    sent = _sent(member=mine.member_id, item__batch=mine.item.batch_id).exclude(pk=mine.pk)
    return sent.filter(submitted_at__gt=now - timedelta(minutes=minutes)).first()


def _sent(**of: Any) -> QuerySet[Assignment]:
    """Return what was submitted, the newest first."""
    sent = Assignment.objects.submitted().annotating().filter(**of)
    return sent.order_by("-submitted_at", "-pk")


def last_sent(batches: Iterable[Batch], member: Member, *, now: datetime) -> dict[str, Any]:
    """Return the item a person sent last, while it can be taken back: where none follows it. One query."""
    last = _sent(member=member, item__batch__in=batches).select_related("item__batch").first()
    if last is None or last.submitted_at is None:
        return {}
    minutes = last.item.batch.parsed_settings().undo_minutes
    if last.submitted_at <= now - timedelta(minutes=minutes):
        return {}
    return {"undo": last, "undo_minutes": minutes}


def neighbours(mine: Assignment) -> dict[str, Any]:
    """Return which item of the batch this is for the person, from 1, and those beside it.

    In the order in which they were taken; one that was prepared and not opened is not beside.
    """
    own = Assignment.objects.annotating().filter(
        member=mine.member_id, item__batch=mine.item.batch_id
    )
    earlier = own.filter(claimed_at__lt=mine.claimed_at)
    later = own.filter(claimed_at__gt=mine.claimed_at, opened_at__isnull=False)
    ids = earlier.order_by("-claimed_at").values_list("public_id", flat=True)
    return {
        "number": earlier.count() + 1,
        "before": ids.first(),
        "beyond": later.order_by("claimed_at").values_list("public_id", flat=True).first(),
    }
