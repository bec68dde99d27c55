"""Publish a rubric file."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from annotation.actions.rubrics import publish_rubric
from annotation.errors import AnnotationError
from annotation.models.projects import Project

SHIPPED = Path(settings.BASE_DIR) / "fixtures" / "intermt_rubric.json"


class Command(BaseCommand):
    help = "Publish a rubric file (InterMT's nine dimensions by default). Safe to run twice."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file and the project."""
        parser.add_argument("file", nargs="?", type=Path, default=SHIPPED)
        parser.add_argument("--project", default=Project.DEFAULT_SLUG, metavar="SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        """Publish it and say which version it is."""
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']}.")
        try:
            content = options["file"].read_bytes()
            rubric, is_new = publish_rubric(project, content, now=timezone.now())
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}") from None
        except AnnotationError as reason:
            raise CommandError(str(reason)) from None
        count = rubric.dimensions.count()
        word = "Published" if is_new else "There already:"
        self.stdout.write(f"{word} rubric {rubric} with {count} dimensions.")
