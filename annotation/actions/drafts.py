"""Keeping what is entered and not submitted."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from annotation.actions.assignments import locked_assignment, renew_lease, take_back
from annotation.actions.storable import refuse_unstorable
from annotation.choices import AssignmentState
from annotation.errors import AnnotationError, Invalid
from annotation.models.assignments import Assignment, Draft
from annotation.models.projects import Member

LARGEST_BODY = 512 * 1024


class DraftConflict(AnnotationError):
    """Another tab or machine saved meanwhile: both versions are kept for the person to choose."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(
            _("This item was changed in another window. Both versions are here; choose one.")
        )
        self.draft = draft


@dataclass(frozen=True, slots=True)
class SavedDraft:
    """What became of a save: its version, and whether the seat is still the person's."""

    version: int
    saved_at: datetime
    seat_held: bool


def save_draft(
    assignment: Assignment, *, by: Member, body: dict[str, Any], version: int, now: datetime
) -> SavedDraft:
    """Store `body` as the next version after `version`, and renew the lease.

    Saving the same body again is no conflict, whatever version it names: it is what the page
    sends when it did not hear whether the last save arrived. A lapsed seat is taken back if it
    is free; the text is kept either way.

    :raises DraftConflict: if another version was saved meanwhile.
    :raises Invalid: if the body is no object, too large, or holds what cannot be stored.
    :raises AnnotationError: if the item was skipped.
    """
    if not isinstance(body, dict):
        raise Invalid(_("A draft is a JSON object."))
    if len(json.dumps(body)) > LARGEST_BODY:
        raise Invalid(
            _("The entries are larger than %(most)s kB. Shorten a text.")
            % {"most": LARGEST_BODY // 1024}
        )
    refuse_unstorable(body)
    with transaction.atomic():
        assignment = locked_assignment(assignment.pk, member=by)
        if assignment.state == AssignmentState.SKIPPED:
            raise AnnotationError(_("You skipped this item, so nothing more is kept for it."))
        draft = Draft.objects.select_for_update().filter(assignment=assignment).first()
        if draft is None:
            draft = Draft(assignment=assignment)
        elif draft.body == body:
            version = draft.version - 1
        elif draft.version != version:
            raise DraftConflict(draft)
        draft.version = version + 1
        draft.body = body
        draft.saved_at = now
        draft.save()
        held = renew_lease(assignment, now=now) or (
            assignment.state == AssignmentState.LAPSED and take_back(assignment, now=now)
        )
    seated = held or assignment.state in {AssignmentState.SUBMITTED, AssignmentState.RETURNED}
    return SavedDraft(version=draft.version, saved_at=now, seat_held=seated)
