"""`manage.py add_member NAME --role lead`: let a person in; the first lead comes in this way."""

import getpass
import secrets
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from annotation.actions.members import add_person
from annotation.choices import Role
from annotation.errors import AnnotationError
from annotation.management.commands.create_batch import lead_of
from annotation.models.projects import Project


class Command(BaseCommand):
    help = (
        "Make an account and a member of the project. The password is asked for, or with "
        "--random-password made and printed once. A lead may use the admin."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument(
            "--role", default=Role.ANNOTATOR.value, choices=[role.value for role in Role]
        )
        parser.add_argument("--pseudonym", help="as it stands in files; default: the user name")
        parser.add_argument("--random-password", action="store_true")
        parser.add_argument("--project", default=Project.DEFAULT_SLUG)
        parser.add_argument("--by", metavar="PSEUDONYM", help="the lead; needed if there are many")

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']}.")
        has_lead = project.members.active().filter(role=Role.LEAD).exists()
        by = lead_of(project, options["by"]) if has_lead else None
        password = secrets.token_urlsafe(12) if options["random_password"] else _asked()
        try:
            member = add_person(
                project,
                username=options["username"],
                password=password,
                pseudonym=options["pseudonym"] or options["username"],
                role=Role(options["role"]),
                by=by,
            )
        except AnnotationError as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"{options['username']} is in {project} as {member.role}.")
        if options["random_password"]:
            self.stdout.write(f"Password, shown this once: {password}")


def _asked() -> str:
    try:
        password = getpass.getpass("Password: ")
        validate_password(password)
        again = getpass.getpass("Again: ")
    except ValidationError as weak:
        raise CommandError(" ".join(weak.messages)) from weak
    except EOFError as silent:
        raise CommandError(
            "Nobody answered: there is no terminal. Use --random-password."
        ) from silent
    if again != password:
        raise CommandError("The two are not the same.")
    return password
