"""Keeping a seat through a break: holding an item for longer, and setting it aside."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation.actions.assignments import (
    extend_lease,
    locked_assignment,
    renew_lease,
    take_back,
)
from annotation.choices import AssignmentState
from annotation.errors import AnnotationError
from annotation.models.assignments import Assignment, Hold
from annotation.models.projects import Member
from annotation.reports.holds import holds_of

AT_ONCE = timedelta(seconds=10)

MOST_ASIDE = 3
"""How many items of a batch a person can have set aside: seats are there to be judged from."""


class CannotHold(AnnotationError):
    """The item cannot be kept for the person now."""


def hold(assignment: Assignment, *, by: Member, now: datetime) -> Hold:
    """Keep the seat for the batch's `hold_minutes`, however long the person is away.

    A lapsed seat is taken back first, if it is free. Asked again at once, as by a double click, it
    is the same hold.

    :raises CannotHold: if it is not theirs any more, or they have used their holds of today.
    """
    with transaction.atomic():
        Member.objects.select_for_update().get(pk=by.pk)
        assignment = locked_assignment(assignment.pk, member=by)
        _have_seat(assignment, now=now)
        if just := assignment.holds.filter(made_at__gt=now - AT_ONCE).first():
            return just
        holds = holds_of(by, assignment.item.batch, at=now)
        if not holds.are_left:
            raise CannotHold(
                ngettext(
                    "You have used your hold of today. Tomorrow there is another.",
                    "You have used your %(n)d holds of today. Tomorrow there are more.",
                    holds.most,
                )
                % {"n": holds.most}
                if holds.most
                else _("This batch does not hold items. What you enter is kept all the same.")
            )
        until = now + timedelta(minutes=holds.minutes)
        extend_lease(assignment, until=until)
        return Hold.objects.create(assignment=assignment, made_at=now, until=until)


def set_aside(assignment: Assignment, *, by: Member, now: datetime) -> None:
    """Put the item off: others come first, and it keeps its seat as long as its lease.

    :raises CannotHold: if it is not theirs any more, or as many as may be are set aside already.
    """
    with transaction.atomic():
        Member.objects.select_for_update().get(pk=by.pk)
        assignment = locked_assignment(assignment.pk, member=by)
        _have_seat(assignment, now=now)
        aside = Assignment.objects.held().filter(
            member=by, item__batch=assignment.item.batch_id, aside_at__isnull=False
        )
        if aside.exclude(pk=assignment.pk).count() >= MOST_ASIDE:
            raise CannotHold(
                _("You have set aside %(n)d items of this batch already. Finish one of them first.")
                % {"n": MOST_ASIDE}
            )
        renew_lease(assignment, now=now)
        assignment.aside_at = now
        assignment.save(update_fields=["aside_at"])


def _have_seat(assignment: Assignment, *, now: datetime) -> None:
    if assignment.state == AssignmentState.HELD:
        return
    if assignment.state != AssignmentState.LAPSED:
        raise CannotHold(_("This item is done, so there is nothing to keep for you."))
    if not take_back(assignment, now=now):
        raise CannotHold(
            _("The seat is somebody else's now. What you entered is kept and can be submitted.")
        )
