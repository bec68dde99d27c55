"""`manage.py export_pairs`: write preference pairs or ratings of batches into a new folder."""

import json
from argparse import ArgumentParser
from collections import Counter
from dataclasses import fields
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.actions.export_files import CannotHold, write_folder
from annotation.actions.exports import read_options
from annotation.errors import AnnotationError, Invalid
from annotation.formats.card import empty_splits
from annotation.formats.options import CHOICES, ExportOptions
from annotation.models.projects import Project
from annotation.reports.exports import batches_named
from annotation.reports.pairs import Snapshot

OPTIONS = tuple(field.name for field in fields(ExportOptions))

SWITCHES = (
    "The switches for that: --format swift, --format ratings, --response-images drop, "
    "--last-response-only."
)


class Command(BaseCommand):
    help = (
        "Export a snapshot of batches. The folder is written whole or not at all; "
        "manifest.json says what is in it and what is not."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        default = ExportOptions()
        parser.add_argument(
            "--batch", action="append", required=True, dest="batches", metavar="SLUG"
        )
        parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="a new folder")
        parser.add_argument("--format", choices=CHOICES["format"], default=default.format)
        parser.add_argument(
            "--dimension", default=default.dimension, metavar="NAME|overall|fork|all"
        )
        parser.add_argument(
            "--from",
            dest="source",
            choices=CHOICES["source"],
            default=default.source,
            help="what a vote is: a preference as given, or the sign of a gap between scores",
        )
        parser.add_argument(
            "--min-gap", type=float, default=default.min_gap, metavar="N",
            help="with --from scores: smaller gaps are a tie (default: 1)",
        )  # fmt: skip
        parser.add_argument("--aggregate", choices=CHOICES["aggregate"], default=default.aggregate)
        parser.add_argument(
            "--ties", choices=CHOICES["ties"], default="", help="default: the format's"
        )
        parser.add_argument("--margin", choices=CHOICES["margin"], default=default.margin)
        parser.add_argument(
            "--split", default="", metavar="90/5/5", help="percent of train/validation/test"
        )
        parser.add_argument(
            "--seed", type=int, default=default.seed, help="of splits and positions"
        )
        parser.add_argument("--text", choices=CHOICES["text"], default=default.text)
        parser.add_argument("--images", choices=CHOICES["images"], default=default.images)
        parser.add_argument(
            "--last-response-only",
            action="store_true",
            help="compare only the last response of each side",
        )
        parser.add_argument(
            "--response-images",
            choices=CHOICES["response_images"],
            default=default.response_images,
            help="for trl, which cannot hold the pictures of responses",
        )
        parser.add_argument(
            "--set", choices=CHOICES["set"], default=default.set, help="for ratings: of which set"
        )
        parser.add_argument(
            "--without-marks",
            default="",
            metavar="KEY,KEY|all",
            help="leave out the dialogues that carry one of these content marks",
        )
        parser.add_argument(
            "--marks-at",
            type=int,
            default=default.marks_at,
            metavar="NUMBER",
            help="content marks up to this number of the project's, as a manifest names it; "
            "default: now",
        )
        parser.add_argument(
            "--at", type=int, metavar="NUMBER", help="the snapshot of the one batch; default: now"
        )
        parser.add_argument("--project", default=Project.DEFAULT_SLUG)
        parser.add_argument("--json", action="store_true", help="print the manifest")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            told = self._export(options)
        except CannotHold as refused:
            raise CommandError(f"{refused} {SWITCHES}") from refused
        except AnnotationError as refused:
            raise CommandError(str(refused)) from refused
        if options["json"]:
            self.stdout.write(json.dumps(told, ensure_ascii=False, sort_keys=True))
        else:
            self._tell(told, options["out"])

    def _export(self, options: dict[str, Any]) -> dict[str, Any]:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise Invalid(f"There is no project {options['project']}.")
        wanted = read_options({name: options[name] for name in OPTIONS})
        if twice := sorted(slug for slug, n in Counter(options["batches"]).items() if n > 1):
            raise Invalid(f"--batch {', '.join(twice)} is there twice: a batch is exported once.")
        batches = batches_named(project, options["batches"])
        snapshots = [Snapshot.now(batch) for batch in batches]
        if options["at"] is not None:
            if len(snapshots) != 1:
                raise Invalid("--at names the number of one batch; export one at a time.")
            if not 0 <= options["at"] <= snapshots[0].number:
                raise Invalid(f"{batches[0].slug} is at number {snapshots[0].number}.")
            snapshots = [Snapshot(batches[0], options["at"])]
        return write_folder(options["out"], project=project, snapshots=snapshots, options=wanted)

    def _tell(self, told: dict[str, Any], out: Path) -> None:
        for entry in told["files"]:
            if entry["rows"] is not None:
                self.stdout.write(f"{out / entry['path']}: {entry['rows']} rows")
        for name in ("judgments", "decisions"):
            sums = told[name]
            if sums:
                total, kept = (key for key in sums if key != "excluded")
                excluded = "".join(f", {reason} {n}" for reason, n in sums["excluded"].items())
                self.stdout.write(f"{name}: {total} {sums[total]} = {kept} {sums[kept]}{excluded}")
        if told["decisions"] and not told["decisions"]["written"]:
            self.stdout.write(self.style.WARNING("No row was written: see the reasons above."))
        for name in empty_splits(told):
            share = f"no row fell to {name} of {told['splits']['shares']}, so it has no file"
            self.stdout.write(self.style.WARNING(f"{share}: more dialogues or another seed."))
        for name, number in told["lost"].items():
            self.stdout.write(self.style.WARNING(f"{name} dropped: {number}"))
