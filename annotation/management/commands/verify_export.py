"""`manage.py verify_export DIR`: check an export against its manifest. Needs no database."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.formats.manifest import NoManifest, read_manifest, verified


class Command(BaseCommand):
    help = "Check sizes, checksums, row counts, sums, splits and every row of an export."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            problems = verified(options["directory"])
            told = read_manifest(options["directory"])
        except NoManifest as reason:
            raise CommandError(str(reason)) from reason
        if problems:
            for problem in problems:
                self.stderr.write(problem)
            raise CommandError(f"{len(problems)} problems.", returncode=1)
        rows = sum(entry["rows"] or 0 for entry in told["files"])
        self.stdout.write(f"Sound: {len(told['files'])} files, {rows} rows, all sums balance.")
