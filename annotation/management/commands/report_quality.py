"""`manage.py report_quality --batch SLUG`: known answers, repeats, waiting seats and signs."""

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand

from annotation.management.snapshots import add_snapshot_arguments, snapshot_of
from annotation.reports.quality import BatchQuality, PersonQuality, batch_quality
from annotation.reports.votes import Waits, waits_of


class Command(BaseCommand):
    help = (
        "Print what the work in a batch shows of each person: known answers hit, repeats answered "
        "alike, and signs with their evidence. A sign is a reason to look; it does nothing by "
        "itself."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_snapshot_arguments(parser)
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        batch, number = snapshot_of(options)
        report, waits = batch_quality(batch, number=number), waits_of(batch)
        if options["json"]:
            body = {**report.as_dict(), "waits": waits.as_dict()}
            self.stdout.write(json.dumps(body, ensure_ascii=False, allow_nan=False))
        else:
            self.stdout.write("\n".join(in_words(report, waits)))


def in_words(report: BatchQuality, waits: Waits) -> Iterable[str]:
    """Yield the lines of the printed report."""
    yield f"{report.batch} at number {report.number}"
    yield (
        f"votes that differ ({waits.rule}): {waits.open} wait, {waits.held} with somebody, "
        f"{waits.settled} settled"
    )
    for one in report.people:
        yield ""
        yield from _person(one)


def _person(one: PersonQuality) -> Iterable[str]:
    yield one.pseudonym
    for signal in one.signals:
        yield f"  {signal.kind}: {signal.sentence}"
        yield f"    items {', '.join(signal.items)}"
    gold, repeats = one.gold, one.repeats
    if gold is not None:
        missed = ", ".join(f"{item} {count}" for item, count in gold.missed) or "none"
        yield f"  known answers: {gold.hits} of {gold.answered} hit; missed: {missed}"
    if repeats is not None:
        yield (
            f"  repeats: {repeats.same_outcome} of {repeats.compared} with the same outcome; same "
            f"screen side, other answer: {repeats.side_kept} of {repeats.decided}"
        )
        for told in repeats.dimensions:
            kappa = "undefined" if told.kappa is None else f"{told.kappa:.2f}"
            yield (
                f"    {told.dimension}: {told.exact} exact, {told.within_1} within 1, of "
                f"{told.units}; weighted kappa {kappa}"
            )
