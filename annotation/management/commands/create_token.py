"""`manage.py create_token`: make a key for the REST API, shown once."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.actions.tokens import create_token
from annotation.choices import TokenScope
from annotation.errors import AnnotationError
from annotation.management.commands.create_batch import lead_of
from annotation.models.projects import Project


class Command(BaseCommand):
    help = "Make a key for the REST API. It is printed once and stored as a hash."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what it is for")
        parser.add_argument(
            "--scope",
            action="append",
            required=True,
            dest="scopes",
            choices=[scope.value for scope in TokenScope],
            help="repeat for several",
        )
        parser.add_argument("--days", type=int, default=90, help="until it ends (default: 90)")
        parser.add_argument("--project", default=Project.DEFAULT_SLUG)
        parser.add_argument("--for", metavar="PSEUDONYM", dest="lead", help="the lead it acts as")

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']}.")
        lead = lead_of(project, options["lead"])
        now = timezone.now()
        try:
            token, key = create_token(
                lead,
                name=options["name"],
                scopes=options["scopes"],
                expires_at=now + timedelta(days=options["days"]),
                by=lead,
                now=now,
            )
        except AnnotationError as refused:
            raise CommandError(str(refused)) from refused
        self.stderr.write(
            f"{token.name}: {', '.join(token.scopes)}, until {token.expires_at:%Y-%m-%d}. "
            "This is the only time it is shown:"
        )
        self.stdout.write(key)
