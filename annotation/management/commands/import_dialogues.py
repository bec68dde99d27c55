"""Import dialogue files from the shell."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from annotation.actions.imports import Asked, Progress, Watch, files_below, import_files
from annotation.choices import RecordOutcome
from annotation.errors import AnnotationError
from annotation.formats.recognise import AUTO, FORMATS
from annotation.models.projects import Project
from annotation.reports.imports import ImportReport


class Command(BaseCommand):
    help = (
        "Import dialogues from files: records become trees, pictures are found by their names, "
        "scores become reference judgments. Safe to run again; what came before is left alone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "paths", nargs="+", type=Path, metavar="PATH", help="a file, or a folder of them"
        )
        parser.add_argument(
            "--format", default=AUTO, choices=[AUTO, *FORMATS], help="default: recognised by itself"
        )
        parser.add_argument(
            "--images",
            action="append",
            default=[],
            type=Path,
            metavar="DIR",
            help="where to look for pictures besides each file's own folder; may be repeated",
        )
        parser.add_argument("--dry-run", action="store_true", help="report all, write nothing")
        parser.add_argument(
            "--strict", action="store_true", help="write nothing if any record is refused"
        )
        parser.add_argument("--json", action="store_true", help="the whole report, as JSON")
        parser.add_argument("--project", default=Project.DEFAULT_SLUG, metavar="SLUG")
        parser.add_argument(
            "--rubric",
            default="",
            metavar="SLUG",
            help="by which scores are read; default: the newest that knows their dimensions",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']!r}.")
        for folder in options["images"]:
            if not folder.is_dir():
                raise CommandError(f"{folder} is no folder.")
        asked = Asked(
            format=options["format"],
            images=tuple(folder.resolve() for folder in options["images"]),
            dry_run=options["dry_run"],
            strict=options["strict"],
            rubric=options["rubric"],
        )
        try:
            with _progress() as watch:
                report = import_files(
                    project,
                    files_below(options["paths"]),
                    by=None,
                    now=timezone.now(),
                    asked=asked,
                    watch=watch,
                )
        except AnnotationError as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            kept = (
                "Nothing was written."
                if asked.dry_run or asked.strict
                else ("What was read so far is in, whole records only; run it again to go on.")
            )
            raise CommandError(f"Stopped. {kept}", returncode=130) from None
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False, indent=2))
        else:
            self.stdout.write("\n".join(lines_of(report)))
        if asked.strict and not asked.dry_run and not report.written:
            raise CommandError("Nothing was written: --strict, and records were refused.")


@contextmanager
def _progress() -> Iterator[Watch | None]:
    """Give a watcher that draws a bar on a terminal's standard error, or None."""
    if not sys.stderr.isatty():
        yield None
        return
    with tqdm(unit="B", unit_scale=True, unit_divisor=1024, leave=False) as bar:

        def watch(progress: Progress) -> None:
            bar.total = progress.bytes_total
            bar.set_postfix_str(f"{progress.records} records", refresh=False)
            bar.update(progress.bytes_read - bar.n)

        yield watch


def lines_of(report: ImportReport) -> Iterator[str]:
    """Yield the report for a person, line by line."""
    for file in report.files:
        yield f"{file.file} ({file.format})"
        yield f"  {file.records} records with {file.turns} turns: {_outcomes(file.outcomes)}"
        yield (
            f"  new: {file.new_dialogues} dialogues, {file.new_turns} turns, "
            f"{file.new_responses} responses"
        )
    outcomes = {one: report.count(one) for one in RecordOutcome}
    yield f"Records: {report.records} read: {_outcomes(outcomes)}"
    if report.records and outcomes[RecordOutcome.SAME] == report.records:
        yield "  all same" + ("" if report.filled else ": nothing written")
    if report.contents is not None:
        held = report.contents
        yield (
            f"Their trees: {held.dialogues} dialogues, {held.turns} turns, "
            f"{held.responses} responses"
        )
        yield f"Picture slots: {_counts(held.slots)}"
        yield f"  in this run: {report.filled} filled, {report.variants} variants"
    yield from _scores(report)
    yield from _judgeable(report)
    if anomalies := {code: count for code, count in report.anomalies.items() if count}:
        yield "Oddities, all kept as they came:"
        yield from (f"  {count:>7} {code}" for code, count in sorted(anomalies.items()))
    yield from _trouble(report)
    if report.dry_run:
        yield "Dry run: nothing was written."


def _scores(report: ImportReport) -> Iterator[str]:
    for name, counts in (("Scores", report.scores), ("Preferences", report.preferences)):
        if any(counts.values()):
            yield f"{name}: {_counts({key: n for key, n in sorted(counts.items()) if n})}"
    if report.scores["without_rubric"]:
        yield "  no rubric knows their dimensions; publish it and import again"


def _judgeable(report: ImportReport) -> Iterator[str]:
    can = report.judgeable
    if can is None:
        return
    yield "Can be judged now:"
    yield f"  {can.full_paths} full paths"
    by_turn = ", ".join(f"turn {turn}: {count}" for turn, count in can.turn_pairs.items())
    yield f"  {sum(can.turn_pairs.values())} turn pairs" + (f" ({by_turn})" if by_turn else "")
    pairs = can.conversation_pairs
    yield f"  {sum(pairs.values())} conversation pairs, by fork turn and difference in turns:"
    yield from (
        f"    fork {fork}, difference {difference}: {count}"
        for (fork, difference), count in pairs.items()
    )
    yield f"  {can.trees_without_pair} trees without a pair"
    yield f"  with missing or broken pictures: {_counts(can.incomplete)}"


def _trouble(report: ImportReport) -> Iterator[str]:
    if refused := report.count(RecordOutcome.REFUSED):
        yield f"Refused: {refused}"
        for one in report.refused:
            where = f"{one.file} {one.place}" + (f" {one.field}" if one.field else "")
            yield f"  {where}: {one.reason}"
    if report.conflict_count:
        yield f"Conflicts: {report.conflict_count}; what is stored stays"
        for conflict in report.conflicts:
            turn = "" if conflict.turn is None else f" turn {conflict.turn}"
            yield (
                f"  {conflict.file} {conflict.place} {conflict.dimension}{turn}: "
                f"stored {conflict.stored!r}, given {conflict.given!r}"
            )


def _outcomes(outcomes: Any) -> str:
    return ", ".join(f"{outcomes[one]} {one}" for one in RecordOutcome)


def _counts(counts: Any) -> str:
    return ", ".join(f"{count} {str(name).replace('_', ' ')}" for name, count in counts.items())
