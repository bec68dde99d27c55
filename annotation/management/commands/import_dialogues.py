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
from annotation.errors import AnnotationError
from annotation.formats.recognise import AUTO, FORMATS
from annotation.models.projects import Project
from annotation.reports.imports import lines_of


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
            self.stdout.write("\n".join(lines_of(report.as_json())))
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
