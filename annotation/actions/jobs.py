"""Long work that survives its workers: taking, keeping alive, ending.

A worker takes a job by one conditional UPDATE and gets the attempt's number. Everything it does
afterwards names that number, so a worker that was thought dead and comes back changes nothing.
Generic over every subclass of `Job`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from annotation.choices import JobState
from annotation.errors import AnnotationError
from annotation.models.jobs import HEARTBEAT_LIMIT, MOST_ATTEMPTS, Job

LONGEST_ERROR = 4000


class JobLost(AnnotationError):
    """Another worker has this job now, or it was cancelled: stop and write nothing more."""


def take(job_model: type[Job], pk: int, *, now: datetime) -> int | None:
    """Take a waiting job, or a running one whose heart stopped; return the attempt's number.

    None where somebody else was first, or the job is over. One conditional UPDATE decides.
    """
    taken = (
        job_model.objects.takeable(at=now)
        .filter(pk=pk, attempt__lt=MOST_ATTEMPTS)
        .update(
            state=JobState.RUNNING,
            attempt=F("attempt") + 1,
            heartbeat_at=now,
            started_at=Coalesce(F("started_at"), now),
            finished_at=None,
            progress=0,
        )
    )
    if not taken:
        return None
    return job_model.objects.values_list("attempt", flat=True).get(pk=pk)


def beat(
    job_model: type[Job],
    pk: int,
    *,
    attempt: int,
    now: datetime,
    progress: int | None = None,
    total: int | None = None,
) -> None:
    """Say that the attempt lives and how far it is.

    Call it inside the transaction of an effect, before the effect: then the row's lock keeps
    the job ours until the commit.

    :raises JobLost: it is no longer this attempt's job.
    """
    values: dict[str, Any] = {"heartbeat_at": now}
    if progress is not None:
        values["progress"] = progress
    if total is not None:
        values["total"] = total
    _change(job_model, pk, attempt=attempt, values=values)


def finish(
    job_model: type[Job],
    pk: int,
    *,
    attempt: int,
    now: datetime,
    result: Mapping[str, Any] | None = None,
) -> None:
    """End the job well, and set the fields of `result` in the same UPDATE.

    :raises JobLost: it is no longer this attempt's job.
    """
    ended = {"state": JobState.DONE, "finished_at": now, "heartbeat_at": now, "error": ""}
    _change(job_model, pk, attempt=attempt, values={**ended, **(result or {})})


def fail(
    job_model: type[Job],
    pk: int,
    *,
    attempt: int,
    error: str,
    now: datetime,
    refused: bool = False,
) -> None:
    """End the attempt badly: the job waits again, and the third failure parks it.

    :param refused: the work itself cannot be done, so trying again is of no use: park it now.
    :raises JobLost: it is no longer this attempt's job.
    """
    values: dict[str, Any] = {"error": error[:LONGEST_ERROR], "heartbeat_at": now}
    if refused or attempt >= MOST_ATTEMPTS:
        values |= {"state": JobState.FAILED, "finished_at": now}
    else:
        values |= {"state": JobState.WAITING}
    _change(job_model, pk, attempt=attempt, values=values)


def waiting(job_model: type[Job], *, now: datetime) -> list[int]:
    """Return the keys of jobs that a worker should take, oldest first.

    A job whose worker died for the third time is parked first.
    """
    stale = job_model.objects.filter(
        state=JobState.RUNNING,
        heartbeat_at__lt=now - HEARTBEAT_LIMIT,
        attempt__gte=MOST_ATTEMPTS,
    )
    stale.update(
        state=JobState.FAILED,
        finished_at=now,
        error=_("The worker stopped in the middle of it, %(times)s times.")
        % {"times": MOST_ATTEMPTS},
    )
    takeable = job_model.objects.takeable(at=now)
    return list(takeable.order_by("created_at", "pk").values_list("pk", flat=True))


def retry(job_model: type[Job], pk: int, *, now: datetime) -> bool:
    """Let a parked job be tried again from the start; whether there was one."""
    parked = job_model.objects.filter(pk=pk, state=JobState.FAILED)
    return bool(
        parked.update(state=JobState.WAITING, attempt=0, finished_at=None, heartbeat_at=now)
    )


def _change(job_model: type[Job], pk: int, *, attempt: int, values: dict[str, Any]) -> None:
    mine = job_model.objects.filter(pk=pk, state=JobState.RUNNING, attempt=attempt)
    if not mine.update(**values):
        raise JobLost(_("Another worker has taken this job, or it was cancelled."))
