"""The words by which commands name a batch and a snapshot of it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from annotation.models.batches import Batch
from annotation.models.projects import Project


def add_snapshot_arguments(parser: ArgumentParser) -> None:
    """Add `--batch`, `--at` and `--project`."""
    parser.add_argument("--batch", required=True, metavar="SLUG")
    parser.add_argument(
        "--at", type=int, metavar="NUMBER", help="the snapshot; default: everything so far"
    )
    parser.add_argument("--project", default=Project.DEFAULT_SLUG)


def snapshot_of(options: dict[str, Any]) -> tuple[Batch, int | None]:
    """Return the batch and the evidence number, None for everything so far.

    :raises CommandError: where there is no such batch or number.
    """
    batch = (
        Batch.objects.filter(project__slug=options["project"], slug=options["batch"])
        .select_related("rubric")
        .first()
    )
    if batch is None:
        raise CommandError(f"There is no batch {options['batch']}.")
    number = options["at"]
    if number is not None and not 0 <= number <= batch.last_number:
        raise CommandError(f"{batch.slug} is at number {batch.last_number}.")
    return batch, number
