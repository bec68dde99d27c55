"""Celery's way in: load, call one action, done. Every task is safe to run twice."""

import logging
from collections.abc import Callable

from celery import shared_task
from celery.signals import worker_ready
from django.utils import timezone
from kombu.exceptions import OperationalError

from annotation.actions import assignments, exports, figures, import_jobs, jobs, marks
from annotation.models.exports import Export
from annotation.models.figures import Figure
from annotation.models.imports import Import
from annotation.models.jobs import Job
from annotation.models.marks import MarkRun

log = logging.getLogger(__name__)


@shared_task(name="annotation.sweep_leases")
def sweep_leases() -> None:
    """Free the seats whose lease ran out."""
    assignments.release_lapsed(now=timezone.now())


@shared_task(name="annotation.build_export")
def build_export(*, export_id: int) -> None:
    """Build a waiting export."""
    exports.build_export(export_id, clock=timezone.now)


def send_export(export_id: int) -> None:
    """Send an export to a worker. Where no broker answers, the sweep sends it soon after."""
    try:
        build_export.delay(export_id=export_id)
    except OperationalError:
        log.warning("no broker answers; export %s waits for the sweep", export_id)


@shared_task(name="annotation.run_import")
def run_import(*, import_id: int) -> None:
    """Do a waiting import."""
    import_jobs.work_on_import(import_id, clock=timezone.now)


def send_import(import_id: int) -> None:
    """Send an import to a worker. Where no broker answers, the sweep sends it soon after."""
    try:
        run_import.delay(import_id=import_id)
    except OperationalError:
        log.warning("no broker answers; import %s waits for the sweep", import_id)


@shared_task(name="annotation.compute_figure")
def compute_figure(*, figure_id: int) -> None:
    """Compute a waiting figure."""
    figures.compute_figure(figure_id, clock=timezone.now)


def send_figure(figure_id: int) -> None:
    """Send a figure to a worker. Where no broker answers, the sweep sends it soon after."""
    try:
        compute_figure.delay(figure_id=figure_id)
    except OperationalError:
        log.warning("no broker answers; figure %s waits for the sweep", figure_id)


@shared_task(name="annotation.refresh_figures")
def refresh_figures() -> None:
    """Have agreement computed for every batch with new judgments."""
    for pk in figures.request_figures(now=timezone.now()):
        send_figure(pk)


@shared_task(name="annotation.run_marks")
def run_marks(*, run_id: int) -> None:
    """Mark all stored dialogues by the word lists."""
    marks.run_marks(run_id, clock=timezone.now)


def send_mark_run(run_id: int) -> None:
    """Send a pass to a worker. Where no broker answers, the sweep sends it soon after."""
    try:
        run_marks.delay(run_id=run_id)
    except OperationalError:
        log.warning("no broker answers; marking %s waits for the sweep", run_id)


SENDERS: dict[type[Job], Callable[[int], None]] = {
    Import: send_import,
    Export: send_export,
    Figure: send_figure,
    MarkRun: send_mark_run,
}
"""How each kind of job gets to a worker."""


@shared_task(name="annotation.sweep_jobs")
def sweep_jobs() -> None:
    """Send every job that waits, or whose worker died, to a worker.

    A message may be lost and may come twice; the row decides who does the work.
    """
    now = timezone.now()
    for job_model, send in SENDERS.items():
        for pk in jobs.waiting(job_model, now=now):
            send(pk)


@worker_ready.connect
def sweep_at_start(**_: object) -> None:
    """Have a worker that starts look for what waits, rather than at the next beat."""
    try:
        sweep_jobs.delay()
    except OperationalError:
        log.warning("no broker answers; what waits is sent at the next sweep")
