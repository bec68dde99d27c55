"""Computing and keeping figures: every kind of report of each batch at its newest number.

A figure is a row of its number, so an older one never replaces a newer; what is older than the
newest finished one is taken away, since it can be computed again at any time.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from django.db.models import Exists, OuterRef, QuerySet

from annotation.actions import jobs
from annotation.choices import JobState
from annotation.models.batches import Batch
from annotation.models.figures import Figure
from annotation.models.judgments import Judgment
from annotation.reports.figures import REPORTS

Clock = Callable[[], datetime]

log = logging.getLogger(__name__)


def request_figures(*, now: datetime) -> list[int]:
    """Ask for figures of every measured batch with new evidence; return what waits to be sent.

    A batch whose last figure of a kind is still being computed, or failed for good at this very
    number, is not asked for again. Safe to run at any time and twice.
    """
    for kind in REPORTS:
        figures: QuerySet[Any] = Figure.objects.filter(batch=OuterRef("pk"), kind=kind)
        stale = (
            Batch.objects.measured()
            .filter(Exists(Judgment.objects.filter(batch=OuterRef("pk"))))
            .exclude(Exists(figures.filter(number__gte=OuterRef("last_number"))))
            .exclude(Exists(figures.filter(state__in=[JobState.WAITING, JobState.RUNNING])))
        )
        # Two sweeps at once may both want this row; the constraint lets one of them have it.
        Figure.objects.bulk_create(
            [
                Figure(batch_id=batch, kind=kind, number=number, created_at=now)
                for batch, number in stale.order_by("pk").values_list("pk", "last_number")
            ],
            ignore_conflicts=True,
        )
    return jobs.waiting(Figure, now=now)


def compute_figure(figure_id: int, *, clock: Clock) -> None:
    """Compute a waiting figure; do nothing if another worker has it."""
    attempt = jobs.take(Figure, figure_id, now=clock())
    if attempt is None:
        return
    figure = cast(
        "Figure",
        Figure.objects.select_related("batch__rubric").get(pk=figure_id),
    )
    try:
        body = REPORTS[figure.kind](figure.batch, number=figure.number).as_dict()
        jobs.finish(Figure, figure_id, attempt=attempt, now=clock(), result={"body": body})
        drop_older(figure.batch_id, figure.kind)
    except jobs.JobLost:
        log.warning("figure %s was taken by another worker", figure.public_id)
    except Exception as reason:
        log.exception("figure %s broke", figure.public_id)
        error = f"{type(reason).__name__}: {reason}"
        jobs.fail(Figure, figure_id, attempt=attempt, error=error, now=clock())


def drop_older(batch_id: int, kind: str) -> int:
    """Take away the batch's figures of a kind that are older than its newest finished one."""
    figures: QuerySet[Any] = Figure.objects.filter(batch=batch_id, kind=kind)
    done = figures.filter(state=JobState.DONE).order_by("-number")
    newest = done.values_list("number", flat=True).first()
    if newest is None:
        return 0
    older = figures.filter(number__lt=newest).exclude(state=JobState.RUNNING)
    return older.delete()[0]
