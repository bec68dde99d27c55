"""Pausing a person and letting them go on; letting one in without the qualification asked.

Only a lead does any of it, with a reason that the person reads and the batch's history keeps.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from annotation.actions.history import locked_batch, note
from annotation.actions.storable import refuse_unstorable
from annotation.choices import BatchState
from annotation.errors import Invalid, NotFound
from annotation.models.batches import Batch, Participation
from annotation.models.projects import Member

LONGEST_REASON = 300


def pause_member(
    member: Member, *, reason: str, by: Member, now: datetime, batch: Batch | None = None
) -> int:
    """Hand the person nothing more, in one batch or in all that are not closed; return in how many.

    What they hold is kept and can be finished. Where they are paused already, nothing changes.

    :raises Invalid: without a reason, which the person reads, or with one that is too long.
    :raises NotFound: if they are not in the batch.
    :raises NotAllowed: unless `by` leads the project.
    """
    text = _reason(reason)

    def pause(mine: Participation) -> bool:
        if mine.paused_at is not None:
            return False
        mine.paused_at, mine.pause_reason = now, text
        return True

    return _change(member, batch, pause, what="member paused", detail=text, by=by, now=now)


def resume_member(member: Member, *, by: Member, now: datetime, batch: Batch | None = None) -> int:
    """Let a paused person go on, in one batch or in all; return in how many they were paused.

    :raises NotFound: if they are not in the batch.
    :raises NotAllowed: unless `by` leads the project.
    """

    def resume(mine: Participation) -> bool:
        if mine.paused_at is None:
            return False
        mine.paused_at, mine.pause_reason = None, ""
        return True

    return _change(member, batch, resume, what="member goes on", detail="", by=by, now=now)


def waive_qualification(
    member: Member, *, batch: Batch, reason: str, by: Member, now: datetime
) -> int:
    """Let the person work in the batch without having passed what it requires.

    :raises Invalid: without a reason.
    :raises NotFound: if they are not in the batch.
    :raises NotAllowed: unless `by` leads the project.
    """
    text = _reason(reason)

    def waive(mine: Participation) -> bool:
        if mine.waived_at is not None:
            return False
        mine.waived_at, mine.waive_reason = now, text
        return True

    return _change(member, batch, waive, what="qualification waived", detail=text, by=by, now=now)


def _change(
    member: Member,
    batch: Batch | None,
    change: Callable[[Participation], bool],
    *,
    what: str,
    detail: str,
    by: Member,
    now: datetime,
) -> int:
    changed = 0
    with transaction.atomic():
        for one in _batches(member, batch):
            locked = locked_batch(one, by)
            mine = Participation.objects.select_for_update().get(batch=locked, member=member)
            if change(mine):
                mine.save()
                said = f"{member.pseudonym}: {detail}" if detail else member.pseudonym
                note(locked, what, said, by=by, now=now)
                locked.save(update_fields=["history"])
                changed += 1
    return changed


def _batches(member: Member, batch: Batch | None) -> Iterable[Batch]:
    """Return the one batch, or all of the person's that are not closed, always in one order."""
    theirs = Batch.objects.filter(participations__member=member).order_by("pk")
    if batch is None:
        return list(theirs.exclude(state=BatchState.CLOSED))
    found = list(theirs.filter(pk=batch.pk))
    if not found:
        raise NotFound(_("%(person)s is not in this batch.") % {"person": member.pseudonym})
    return found


def _reason(reason: str) -> str:
    refuse_unstorable(reason, place="reason")
    text = reason.strip()
    if not text or len(text) > LONGEST_REASON:
        raise Invalid(
            _("Say why, in at most %(most)s characters: the person reads it.")
            % {"most": LONGEST_REASON},
            fields={"reason": "?"},
        )
    return text
