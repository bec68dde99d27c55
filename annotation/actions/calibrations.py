"""Calibration: a lead lets a batch's members read each other's judgments."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from annotation.choices import BatchPurpose, BatchState
from annotation.errors import AnnotationError, NotAllowed
from annotation.models.batches import Batch
from annotation.models.projects import Member, Project
from annotation.models.reviews import Sight
from annotation.permissions import can_lead, can_read_calibration
from annotation.reports.calibrations import calibration_readers


class NotCalibrating(AnnotationError):
    """The batch cannot be opened for calibration, or not be shut again."""


def open_calibration(batch: Batch, *, by: Member, now: datetime) -> Batch:
    """Let the batch's members read all its judgments; again is once.

    :raises NotCalibrating: unless it is a pilot that has begun, or closed.
    :raises NotAllowed: unless `by` is a lead of the project.
    """
    with transaction.atomic():
        locked = _locked(batch, by)
        if locked.calibration_opened_at is not None:
            return locked
        pilot = locked.purpose == BatchPurpose.PILOT and locked.state != BatchState.DRAFT
        if not pilot and locked.state != BatchState.CLOSED:
            raise NotCalibrating(
                _("Close the batch first: only a pilot is calibrated while it is open.")
            )
        locked.calibration_opened_at = now
        return _noted(locked, "calibration opened", by=by, now=now)


def close_calibration(batch: Batch, *, by: Member, now: datetime) -> Batch:
    """Take the calibration back, as long as no member has read it.

    :raises NotCalibrating: if somebody has, or it is not open.
    :raises NotAllowed: unless `by` is a lead of the project.
    """
    with transaction.atomic():
        locked = _locked(batch, by)
        if locked.calibration_opened_at is None:
            raise NotCalibrating(_("The calibration is not open."))
        if calibration_readers(locked):
            raise NotCalibrating(
                _("Members have read the calibration already, so it cannot be taken back.")
            )
        locked.calibration_opened_at = None
        return _noted(locked, "calibration taken back", by=by, now=now)


def see_calibration(batch: Batch, *, by: Member, now: datetime) -> None:
    """Note that the member reads the batch's judgments from now on.

    Under the batch's lock, so that it is not taken back while it is read for the first time.

    :raises NotAllowed: if it is not open for them.
    """
    if Sight.objects.filter(member=by, batch=batch, item=None).exists() and can_read_calibration(
        by, batch
    ):
        return
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=batch.project_id)
        if not can_read_calibration(by, Batch.objects.get(pk=batch.pk)):
            raise NotAllowed(_("The calibration of this batch is not open for you."))
        Sight.objects.bulk_create(
            [Sight(member=by, batch=batch, item=None, seen_others_at=now)], ignore_conflicts=True
        )


def _locked(batch: Batch, by: Member) -> Batch:
    if not can_lead(by) or by.project_id != batch.project_id:
        raise NotAllowed(_("Only a lead of the project does this."))
    Project.objects.select_for_update(no_key=True).get(pk=batch.project_id)
    return Batch.objects.get(pk=batch.pk)


def _noted(batch: Batch, what: str, *, by: Member, now: datetime) -> Batch:
    entry = {"at": now.isoformat(), "by": by.pseudonym, "what": what, "detail": ""}
    batch.history = [*batch.history, entry]
    batch.save(update_fields=["calibration_opened_at", "history"])
    return batch
