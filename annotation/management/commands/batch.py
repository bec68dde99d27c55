"""`manage.py batch SLUG ...`: where a batch stands, and taking it through its states."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.actions import batches as actions
from annotation.errors import AnnotationError
from annotation.management.commands.create_batch import lead_of
from annotation.models.batches import Batch
from annotation.models.projects import Member, Project
from annotation.reports.progress import batch_progress
from annotation.reports.words import counted

STEPS = {
    "open": actions.open_batch,
    "pause": actions.pause_batch,
    "close": actions.close_batch,
    "reopen": actions.reopen_batch,
}


class Command(BaseCommand):
    help = "Show a batch's progress, or open, pause, close, reopen or discard it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument(
            "what",
            nargs="?",
            default="status",
            choices=["status", *STEPS, "overlap", "seats", "offer-again", "members", "discard"],
            help="reopen takes --item for chosen items; overlap a number; members pseudonyms",
        )
        parser.add_argument("values", nargs="*", help="the overlap, or members' pseudonyms")
        parser.add_argument("--item", action="append", default=[], dest="items", metavar="ID")
        parser.add_argument("--project", default=Project.DEFAULT_SLUG)
        parser.add_argument("--by", metavar="PSEUDONYM", help="the lead; needed if there are many")
        parser.add_argument("--json", action="store_true", help="print the status as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        batch = (
            Batch.objects.filter(project__slug=options["project"], slug=options["slug"])
            .select_related("project")
            .first()
        )
        if batch is None:
            raise CommandError(f"There is no batch {options['slug']}.")
        if options["what"] != "status":
            try:
                done = self._do(batch, options, by=lead_of(batch.project, options["by"]))
            except AnnotationError as refused:
                raise CommandError(str(refused)) from refused
            self.stdout.write(done)
            return
        progress = batch_progress(batch, now=timezone.now())
        if options["json"]:
            self.stdout.write(json.dumps(progress.as_json(), ensure_ascii=False))
        else:
            self.stdout.write(progress.in_words())

    def _do(self, batch: Batch, options: dict[str, Any], *, by: Member) -> str:
        what, values, now = options["what"], options["values"], timezone.now()
        items = _items(batch, options["items"])
        if what == "discard":
            actions.discard_batch(batch, by=by)
            return f"Discarded {batch.slug}."
        if what == "overlap":
            if len(values) != 1 or not values[0].isdigit():
                raise CommandError("Say the overlap: batch SLUG overlap 3")
            change = actions.set_overlap(batch, int(values[0]), by=by, now=now)
            return (
                f"{counted(change.added, 'seat')} added, {change.closed} closed, "
                f"{change.still_taken} above it still taken."
            )
        if what == "members":
            named = batch.project.members.active().filter(pseudonym__in=values)
            if len(named) != len(set(values)):
                known = {member.pseudonym for member in named}
                raise CommandError(f"Not members: {', '.join(sorted(set(values) - known))}.")
            added = actions.add_members(batch, named, by=by, now=now)
            return f"{counted(added, 'member')} added."
        if what == "offer-again":
            chosen = items or list(batch.items.parked())
            offered = actions.offer_again(chosen, by=by, now=now) if chosen else 0
            return f"{counted(offered, 'item')} offered again."
        if what == "seats":
            if not items:
                raise CommandError("Say for which items: batch SLUG seats --item ID --item ID")
            return f"{counted(actions.add_seats(items, by=by, now=now), 'extra seat')} added."
        if what == "reopen" and items:
            return f"{counted(actions.reopen_items(items, by=by, now=now), 'item')} reopened."
        changed = STEPS[what](batch, by=by, now=now)
        return f"{changed.slug} is {changed.state}."


def _items(batch: Batch, public_ids: list[str]) -> list[Any]:
    items = list(batch.items.filter(public_id__in=public_ids).select_related("batch"))
    if unknown := set(public_ids) - {item.public_id for item in items}:
        raise CommandError(f"No items of {batch.slug}: {', '.join(sorted(unknown))}.")
    return items
