"""`manage.py report_reviews --batch SLUG`: what reviews of a batch said, and how reviewers agree with annotators."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from annotation.management.snapshots import add_snapshot_arguments, snapshot_of
from annotation.reports.verifiers import BatchVerification, batch_verification, figure_words


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
        report = batch_verification(batch, number=number)
        if options["json"]:
            self.stdout.write(json.dumps(report.as_dict(), ensure_ascii=False))
        else:
            for line in _lines(report):
                self.stdout.write(line)


def _lines(report: BatchVerification) -> list[str]:
    lines = [
        f"{report.batch}, evidence number {report.number}: {report.reviewed} judgments reviewed "
        f"({report.accepted} accepted, {report.fixed} fixed, {report.returned} returned), "
        f"{report.blind} of them blind",
        f"blind reviews: {report.items} items, {report.verifiers} reviewers, "
        f"{report.annotators} annotators",
    ]
    for one in report.dimensions:
        words = figure_words(one.reliability)
        lines.append(
            f"  {one.key:<32} {words['pairs']:>6} pairs  alpha {words['alpha']}  "
            f"exact {words['exact']}  within 1 {words['within']}  {words['state']}"
        )
    if report.overall is not None:
        exact = report.overall.figure("percent_agreement")
        alpha = report.overall.figure("krippendorff_alpha", "nominal")
        value = "–" if alpha.value is None else f"{alpha.value:.2f}"
        share = "–" if exact.value is None else f"{100 * exact.value:.0f} %"
        lines.append(
            f"  {'overall preference':<32} {report.overall.pairable_units:>6} pairs  "
            f"alpha {value}  exact {share}  {alpha.state.value}"
        )
    return lines
