"""`manage.py report_reviews --batch SLUG`: what reviews of a batch said, and how reviewers agree with annotators."""

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand

from annotation.agreement.preferences import PreferenceAgreement
from annotation.agreement.reliability import Reliability
from annotation.management.figures import figure_cells, state, table
from annotation.management.snapshots import add_snapshot_arguments, snapshot_of
from annotation.reports.calibrations import calibration_readers
from annotation.reports.reviews import ReviewCounts, review_counts
from annotation.reports.verifiers import BatchVerification, batch_verification
from annotation.reports.words import counted


class Command(BaseCommand):
    help = (
        "Count the reviews of a batch by outcome and print how well reviewers agree with "
        "annotators, from blind reviews alone: the figures of the batch's page and of the API."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_snapshot_arguments(parser)
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        batch, number = snapshot_of(options)
        report, counts = batch_verification(batch, number=number), review_counts(batch)
        readers = calibration_readers(batch)
        if options["json"]:
            waits = counts.waits()
            body = {**report.as_dict(), "waits": waits, "calibration_readers": readers}
            self.stdout.write(json.dumps(body, ensure_ascii=False, allow_nan=False))
        else:
            self.stdout.write("\n".join(_lines(report, counts)))
            if batch.calibration_opened_at is not None:
                self.stdout.write(f"the calibration is open; {readers} have read it")


def _lines(report: BatchVerification, counts: ReviewCounts) -> Iterable[str]:
    yield (
        f"{report.batch} at number {report.number}: {report.reviewed} judgments reviewed "
        f"({report.accepted} accepted, {report.fixed} fixed, {report.returned} returned), "
        f"{report.blind} of them blind"
    )
    yield (
        f"now {counts.waiting} wait for a review ({counts.blind} blind), {counts.returned} are with "
        f"their authors, {counts.adjudications} items wait to be decided"
    )
    yield (
        f"blind reviews: {counted(report.items, 'item')}, "
        f"{counted(report.verifiers, 'reviewer')}, {counted(report.annotators, 'annotator')}"
    )
    rows = [
        _row(one.key, one.units, one.reliability.pairable_units, one.reliability, "ordinal")
        for one in report.dimensions
    ]
    if report.overall is not None:
        found = report.overall.agreement
        rows.append(
            _row("overall preference", report.overall.units, found.pairable_units, found, "nominal")
        )
    if rows:
        yield ""
        yield from table(
            ["dimension", "units", "pairs", "alpha (95 %)", "exact", "within 1", "state"], rows
        )


def _row(
    name: str, units: int, pairs: int, found: Reliability | PreferenceAgreement, level: str
) -> list[str]:
    alpha = found.figure("krippendorff_alpha", level)
    shares = [found.figure("percent_agreement", "identity")]
    if isinstance(found, Reliability):
        shares.append(found.figure("percent_agreement", "within_1"))
    cells = figure_cells([alpha, *shares])
    return [name, str(units), str(pairs), *cells, *["–"] * (3 - len(cells)), state(alpha)]
