"""The figures a page shows: the newest computed ones, or, of a small batch, those of now."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.db.models import QuerySet

from annotation.choices import JobState
from annotation.models.batches import Batch
from annotation.models.figures import Figure
from annotation.reports.agreement import batch_agreement
from annotation.reports.annotators import batch_annotators
from annotation.reports.consensus import batch_consensus
from annotation.reports.disagreements import batch_disagreements
from annotation.reports.effects import batch_effects
from annotation.reports.quality import batch_quality
from annotation.reports.ranking import batch_ranking

LIVE_JUDGMENTS = 500
"""Up to so many judgments figures are computed while the page waits, a fraction of a second."""


class Report(Protocol):
    """What every report of a batch at a number is."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""


AGREEMENT, ANNOTATORS, CONSENSUS, DISAGREEMENTS, EFFECTS, QUALITY, RANKING = (
    "agreement",
    "annotators",
    "consensus",
    "disagreements",
    "effects",
    "quality",
    "ranking",
)

REPORTS: dict[str, Callable[..., Report]] = {
    AGREEMENT: batch_agreement,
    ANNOTATORS: batch_annotators,
    CONSENSUS: batch_consensus,
    DISAGREEMENTS: batch_disagreements,
    EFFECTS: batch_effects,
    QUALITY: batch_quality,
    RANKING: batch_ranking,
}
"""Kind of figure -> what computes it; each stands in a row of its own."""


@dataclass(frozen=True, slots=True)
class ShownFigures:
    """What stands on the page.

    :ivar body: as the report's `as_dict` gives it; None where nothing is computed yet.
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
    return shown_figures(batch, AGREEMENT)


def shown_figures(batch: Batch, kind: str, *, live: bool = True) -> ShownFigures:
    """Return one kind of `REPORTS` for a page. Two queries where it is already computed.

    :param live: whether a small batch may be computed now.
    """
    figures: QuerySet[Any] = Figure.objects.filter(batch=batch, kind=kind)
    done: Figure | None = figures.filter(state=JobState.DONE).order_by("-number").first()
    newest = batch.last_number
    if done is not None and done.number >= newest:
        return ShownFigures(done.body, done.number, newest, done.finished_at, "")
    if live and batch.judgments.count() <= LIVE_JUDGMENTS:
        body = REPORTS[kind](batch, number=newest).as_dict()
        return ShownFigures(body, newest, newest, None, "")
    failed = figures.filter(state=JobState.FAILED).order_by("-number").first()
    error = failed.error if failed else ""
    if done is None:
        return ShownFigures(None, 0, newest, None, error)
    return ShownFigures(done.body, done.number, newest, done.finished_at, error)
