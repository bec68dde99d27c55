"""`manage.py void`: take work out of figures and exports, list what is out, or put it back."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.actions.voids import find_target, lift, void
from annotation.choices import VoidTarget
from annotation.errors import AnnotationError, NotFound
from annotation.management.commands.create_batch import lead_of
from annotation.models.batches import Batch
from annotation.models.projects import Project
from annotation.models.reviews import Void


class Command(BaseCommand):
    help = (
        "Take a judgment, a member's work, an item, a dialogue or a picture out of figures and "
        "exports, with a reason. Nothing is deleted; `lift` puts it back."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=[*(one.value for one in VoidTarget), "lift", "list"])
        parser.add_argument(
            "name",
            nargs="?",
            default="",
            help="public id of the judgment, item, dialogue or void; a member's pseudonym; "
            "an image's SHA-256; a batch's slug for list",
        )
        parser.add_argument("--reason", default="")
        parser.add_argument("--since", metavar="TIME", help="with member: ISO 8601, UTC if unsaid")
        parser.add_argument("--project", default=Project.DEFAULT_SLUG)
        parser.add_argument("--by", metavar="PSEUDONYM", help="the lead; needed if there are many")

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']}.")
        if options["what"] == "list":
            self._list(project, options["name"])
            return
        lead = lead_of(project, options["by"])
        now = timezone.now()
        try:
            if options["what"] == "lift":
                taken = _void_named(project, options["name"])
                row = lift(taken, by=lead, reason=options["reason"], now=now)
                self.stdout.write(f"Put back in {row.batch} as number {row.number}.")
                return
            kind = VoidTarget(options["what"])
            since = _time(options["since"])
            target = find_target(project, kind, options["name"], since=since)
            for row in void(target, by=lead, reason=options["reason"], now=now):
                self.stdout.write(
                    f"Out of {row.batch} as number {row.number}; "
                    f"put it back by: void lift {row.public_id} --reason ..."
                )
        except AnnotationError as refused:
            raise CommandError(str(refused)) from refused

    def _list(self, project: Project, slug: str) -> None:
        batches = Batch.objects.filter(project=project, **({"slug": slug} if slug else {}))
        if slug and not batches.exists():
            raise CommandError(f"There is no batch {slug}.")
        for batch in batches.order_by("slug"):
            standing = Void.objects.standing(number=batch.last_number).filter(batch=batch)
            for row in standing.select_related("created_by").order_by("number"):
                self.stdout.write(
                    f"{batch} {row.number} {row.public_id} {row.target}: {row.reason} "
                    f"({row.created_by}, {row.created_at:%Y-%m-%d})"
                )


def _void_named(project: Project, name: str) -> Void:
    found = Void.objects.filter(batch__project=project, public_id=name).first()
    if found is None:
        raise NotFound(f"There is no void {name}.")
    return found


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        told = datetime.fromisoformat(text)
    except ValueError as unread:
        raise CommandError(
            f"--since {text}: write a time, for example 2026-03-02T09:00"
        ) from unread
    return told if told.tzinfo else told.replace(tzinfo=UTC)
