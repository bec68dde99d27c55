"""`manage.py report_agreement --batch SLUG`: how well the annotators of a batch agree."""

import json
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.agreement.estimates import Estimate
from annotation.models.batches import Batch
from annotation.models.projects import Project
from annotation.reports.agreement import BatchAgreement, batch_agreement


class Command(BaseCommand):
    help = (
        "Print agreement per dimension and comparison of a batch, from the independent set: per "
        "overlap seat the latest judgment made before its author saw anything of others'. "
        "Intervals are 95 %: the wider of resampling dialogues and of leaving annotators out."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", required=True, metavar="SLUG")
        parser.add_argument(
            "--at", type=int, metavar="NUMBER", help="the snapshot; default: everything so far"
        )
        parser.add_argument("--project", default=Project.DEFAULT_SLUG)
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        batch = (
            Batch.objects.filter(project__slug=options["project"], slug=options["batch"])
            .select_related("rubric")
            .first()
        )
        if batch is None:
            raise CommandError(f"There is no batch {options['batch']}.")
        number = options["at"]
        if number is not None and not 0 <= number <= batch.last_number:
            raise CommandError(f"{batch.slug} is at number {batch.last_number}.")
        report = batch_agreement(batch, number=number)
        if options["json"]:
            self.stdout.write(json.dumps(report.as_dict(), ensure_ascii=False, allow_nan=False))
        else:
            self.stdout.write("\n".join(in_words(report)))


def in_words(report: BatchAgreement) -> Iterable[str]:
    """Yield the lines of the printed report."""
    yield (
        f"{report.batch} at number {report.number}, independent set: {report.judgments} judgments "
        f"of {report.items} items in {report.dialogues} dialogues by {report.annotators} annotators"
    )
    yield f"left out of {report.submitted}: {_counts(report.left_out)}"
    if report.dimensions:
        yield ""
        yield from _table(
            ["dimension", "alpha (95 %)", "AC2", "exact", "within 1", "pairs", "state"],
            [
                [
                    one.key,
                    *_figures(
                        [
                            one.reliability.figure("krippendorff_alpha", "ordinal"),
                            one.reliability.figure("gwet_ac", "linear"),
                            one.reliability.figure("percent_agreement", "identity"),
                            one.reliability.figure("percent_agreement", "within_1"),
                        ]
                    ),
                    str(one.reliability.pairable_units),
                    _state(one.reliability.figure("krippendorff_alpha", "ordinal")),
                ]
                for one in report.dimensions
            ],
        )
        yield ""
        for one in report.dimensions:
            found = one.reliability
            scores = ", ".join(
                f"{score}: {count}"
                for score, count in zip(found.domain, found.marginals, strict=True)
            )
            yield f"{one.key}: scores {scores}; left out: {_counts(one.left_out)}"
    if report.preferences:
        yield ""
        yield from _table(
            ["preference", "alpha (95 %)", "exact", "ties", "reversals", "first shown", "state"],
            [
                [
                    one.dimension or one.scope,
                    *_figures(
                        [
                            one.agreement.figure("krippendorff_alpha", "nominal"),
                            one.agreement.figure("percent_agreement"),
                            one.agreement.figure("tie_share"),
                            one.agreement.figure("reversal_rate"),
                        ]
                    ),
                    _percent(one.first_shown.share)
                    + f" of {one.first_shown.decided}"
                    + _range(one.first_shown.low, one.first_shown.high, percent=True),
                    _state(one.agreement.figure("krippendorff_alpha", "nominal")),
                ]
                for one in report.preferences
            ],
        )


def _figures(estimates: Sequence[Estimate]) -> list[str]:
    """Return the cells of one row, each figure with its interval; shares in percent."""
    cells = []
    for one in estimates:
        share = one.measure.endswith(("agreement", "share", "rate"))
        figure = _percent(one.value) if share else _number(one.value)
        cells.append(figure + _range(one.low, one.high, percent=share))
    return cells


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _range(low: float | None, high: float | None, *, percent: bool) -> str:
    if low is None or high is None:
        return ""
    return f" ({100 * low:.0f} to {100 * high:.0f})" if percent else f" ({low:.2f} to {high:.2f})"


def _state(one: Estimate) -> str:
    return f"{one.state.value}: {one.reason}" if one.reason else one.state.value


def _counts(left_out: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in left_out.items()) or "nothing"


def _table(header: list[str], rows: list[list[str]]) -> Iterable[str]:
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    for row in [header, *rows]:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
