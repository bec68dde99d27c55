"""Whose turn it is with a batch, and the note each action leaves in its history."""

from datetime import datetime

from django.utils.translation import gettext as _

from annotation.errors import NotAllowed
from annotation.models.batches import Batch
from annotation.models.projects import Member, Project
from annotation.permissions import can_lead


def locked_batch(batch: Batch, by: Member) -> Batch:
    """Return the batch as it is now, when it is this lead's turn. Call inside a transaction.

    :raises NotAllowed: unless `by` leads the batch's project.
    """
    if not can_lead(by) or by.project_id != batch.project_id:
        raise NotAllowed(_("Only a lead of the project does this."))
    take_turn(batch.project_id)
    return Batch.objects.get(pk=batch.pk)


def take_turn(project_id: int) -> None:
    """Wait for other leads' actions in the project. Rows that point at it can still be inserted."""
    Project.objects.select_for_update(no_key=True).get(pk=project_id)


def note(batch: Batch, what: str, detail: str = "", *, by: Member, now: datetime) -> None:
    """Add a line to the batch's history; the caller saves the batch."""
    entry = {"at": now.isoformat(), "by": by.pseudonym, "what": what, "detail": detail}
    batch.history = [*batch.history, entry]
