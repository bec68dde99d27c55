"""`manage.py errata DIR`: what has changed, gone or come since an export, by pair."""

import json
from argparse import ArgumentParser
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.errors import AnnotationError
from annotation.formats.manifest import NoManifest
from annotation.models.projects import Project
from annotation.reports.exports import errata_since


class Command(BaseCommand):
    help = "List what the same export would say otherwise now, by pair. Nothing is written."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path)
        parser.add_argument("--project", default=Project.DEFAULT_SLUG)
        parser.add_argument("--json", action="store_true", help="print one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']}.")
        try:
            found = errata_since(project, options["directory"])
        except (AnnotationError, NoManifest) as refused:
            raise CommandError(str(refused)) from refused
        for one in found:
            if options["json"]:
                self.stdout.write(json.dumps(asdict(one), sort_keys=True))
            else:
                self.stdout.write(f"{one.what} {one.batch} {one.pair}: {_turned(one)}")
        if not options["json"]:
            counts = Counter(one.what for one in found)
            self.stdout.write(
                ", ".join(f"{counts[what]} {what}" for what in ("changed", "gone", "come"))
            )


def _turned(one: Any) -> str:
    names = sorted(one.before.keys() | one.now.keys())
    told = [
        f"{name} {one.before.get(name, '-')} -> {one.now.get(name, '-')}"
        for name in names
        if one.before.get(name) != one.now.get(name)
    ]
    return ", ".join(told) or "the evidence behind it"
