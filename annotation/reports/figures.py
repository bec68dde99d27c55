"""The figures a page shows: the newest computed ones, or, of a small batch, those of now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from annotation.choices import JobState
from annotation.models.batches import Batch
from annotation.models.figures import Figure
from annotation.reports.agreement import batch_agreement

AGREEMENT = "agreement"
"""The kind of figure that holds a `BatchAgreement`."""

LIVE_JUDGMENTS = 500
"""Up to so many judgments agreement is computed while the page waits, a fraction of a second."""


@dataclass(frozen=True, slots=True)
class ShownFigures:
    """What stands on the page.

    :ivar body: as `BatchAgreement.as_dict` gives it; None where nothing is computed yet.
    :ivar number: of the figures; `newest` is the batch's. Equal: nothing has come since.
    :ivar computed_at: None: computed for this page.
    :ivar error: why the last attempt failed, or empty.
    """

    body: dict[str, Any] | None
    number: int
    newest: int
    computed_at: datetime | None
    error: str


def shown_agreement(batch: Batch) -> ShownFigures:
    """Return the batch's agreement for a page. Two queries where it is already computed."""
    figures: QuerySet[Any] = Figure.objects.filter(batch=batch, kind=AGREEMENT)
    done: Figure | None = figures.filter(state=JobState.DONE).order_by("-number").first()
    newest = batch.last_number
    if done is not None and done.number >= newest:
        return ShownFigures(done.body, done.number, newest, done.finished_at, "")
    if batch.judgments.count() <= LIVE_JUDGMENTS:
        body = batch_agreement(batch, number=newest).as_dict()
        return ShownFigures(body, newest, newest, None, "")
    failed = figures.filter(state=JobState.FAILED).order_by("-number").first()
    error = failed.error if failed else ""
    if done is None:
        return ShownFigures(None, 0, newest, None, error)
    return ShownFigures(done.body, done.number, newest, done.finished_at, error)
