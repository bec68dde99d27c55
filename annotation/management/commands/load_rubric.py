"""`manage.py load_rubric [FILE]`: publish a rubric; the nine InterMT dimensions by default."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.actions.rubrics import publish_rubric
from annotation.errors import AnnotationError
from annotation.models.projects import Project

INTERMT = Path("fixtures") / "intermt_rubric.json"


class Command(BaseCommand):
    help = "Publish a rubric from a JSON file. What is published already is left alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", nargs="?", type=Path, help="default: the nine dimensions of InterMT"
        )
        parser.add_argument("--project", default=Project.DEFAULT_SLUG)

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']}.")
        file = options["file"] or settings.BASE_DIR / INTERMT
        try:
            data = file.read_bytes()
            published = publish_rubric(project, data, by=None, now=timezone.now())
        except (AnnotationError, OSError) as refused:
            raise CommandError(f"{file}: {refused}") from refused
        rubric = published.rubric
        count = rubric.dimensions.count()
        if published.is_new:
            self.stdout.write(f"Published {rubric} with {count} dimensions.")
        else:
            self.stdout.write(f"{rubric} is published already, with {count} dimensions.")
