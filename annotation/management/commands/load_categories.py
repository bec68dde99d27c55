"""`manage.py load_categories [FILE]`: take in categories of content; the shipped set by default."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.actions.categories import load_categories
from annotation.errors import AnnotationError
from annotation.models.projects import Project

SHIPPED = Path("fixtures") / "content_categories.json"


class Command(BaseCommand):
    help = (
        "Take categories of content from a JSON file: name, description, daily limit and words. "
        "One of the same key is changed; others stay."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="default: the shipped set")
        parser.add_argument("--project", default=Project.DEFAULT_SLUG)

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']}.")
        file = options["file"] or settings.BASE_DIR / SHIPPED
        try:
            loaded = load_categories(project, file.read_bytes(), by=None, now=timezone.now())
        except (AnnotationError, OSError) as refused:
            raise CommandError(f"{file}: {refused}") from refused
        self.stdout.write(f"{loaded.new} new, {loaded.changed} changed, {loaded.same} as before.")
        if loaded.new or loaded.changed:
            self.stdout.write("Stored dialogues are marked by manage.py mark_dialogues.")
