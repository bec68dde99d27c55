"""`manage.py load_demo`: the demo's people, dialogues and batches, and how to sign in."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

from annotation.actions.demo import Demo, load_demo
from annotation.actions.sign_in import make_sign_in_token
from annotation.errors import AnnotationError
from annotation.models.projects import Project


class Command(BaseCommand):
    help = (
        "Load the demo: one lead and three annotators with new passwords, eight dialogues, one "
        "open batch of each kind. Run again, it keeps what is there."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", default=Project.DEFAULT_SLUG)

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.LOOPBACK:
            raise CommandError(f"The demo is for this machine only, not for {settings.PUBLIC_URL}.")
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']}.")
        try:
            demo = load_demo(
                project, folder=settings.BASE_DIR / "fixtures" / "demo", now=timezone.now()
            )
        except AnnotationError as refused:
            raise CommandError(str(refused)) from refused
        self._print(demo)

    def _print(self, demo: Demo) -> None:
        for batch in demo.batches:
            self.stdout.write(f"  {batch.title}: {batch.items.count()} items, {batch.state}")
        self.stdout.write("")
        for person in demo.people:
            role = person.member.role
            self.stdout.write(f"  {person.username:<6} {role:<10} password {person.password}")
            if settings.SIGN_IN_LINKS:
                token = make_sign_in_token(person.user, now=timezone.now())
                link = settings.PUBLIC_URL + reverse("annotation:sign-in-link", args=[token])
                self.stdout.write(f"         {link}")
        if settings.SIGN_IN_LINKS:
            self.stdout.write("  Each link signs in once, within the next hour.")
