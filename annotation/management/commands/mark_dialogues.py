"""`manage.py mark_dialogues`: mark all stored dialogues by the operator's word lists."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.actions.marks import request_run, run_marks
from annotation.choices import JobState
from annotation.errors import AnnotationError
from annotation.models.marks import MarkRun
from annotation.models.projects import Project


class Command(BaseCommand):
    help = (
        "Mark every stored dialogue that has a word of a category's list, and take away the marks "
        "whose word is on no list any more. Safe to stop and to run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", default=Project.DEFAULT_SLUG)

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']}.")
        try:
            run = request_run(project, by=None, now=timezone.now())
        except AnnotationError as refused:
            raise CommandError(str(refused)) from refused
        run_marks(run.pk, clock=timezone.now, watch=self._watch)
        run.refresh_from_db()
        if run.state != JobState.DONE:
            raise CommandError(f"Stopped at {run.progress} of {run.total}: {run.error}")
        self.stdout.write(
            f"{run.progress} dialogues: {run.added} marks new, {run.ended} taken away."
        )

    def _watch(self, run: MarkRun) -> None:
        self.stderr.write(f"\r{run.progress} of {run.total}", ending="")
        if run.progress >= (run.total or 0):
            self.stderr.write("")
