"""`manage.py set_gold FILE.csv`: enter known answers from a table, all or none."""

import csv
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.actions.gold import KnownAnswer, set_gold_answers
from annotation.errors import AnnotationError, Invalid
from annotation.management.commands.create_batch import lead_of
from annotation.models.batches import Item
from annotation.models.projects import Project

COLUMNS = ("item", "dimension", "response", "score", "tolerance", "outcome", "feedback")


class Command(BaseCommand):
    help = (
        "Enter known answers from a CSV file with a heading: item (public id), dimension (key; "
        "overall or empty for the overall preference), response (1 or 2 for the last one of a "
        "side, or its id), score and tolerance, or outcome (prefers, tie, both_bad), and feedback, "
        "which people in training read. Columns that are not needed may be left out. Answers in a "
        "draft make the item gold when it opens; later ones let other batches mix it in."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="UTF-8, comma-separated")
        parser.add_argument("--dry-run", action="store_true", help="check only; write nothing")
        parser.add_argument("--project", default=Project.DEFAULT_SLUG)
        parser.add_argument("--by", metavar="PSEUDONYM", help="the lead; needed if there are many")

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']}.")
        lead = lead_of(project, options["by"])
        try:
            answers = _answers(project, _rows(Path(options["file"])))
            rows = set_gold_answers(
                answers, by=lead, now=timezone.now(), kept=not options["dry_run"]
            )
        except AnnotationError as refused:
            raise CommandError(str(refused)) from refused
        items = len({row.item_id for row in rows})
        done = "would be kept" if options["dry_run"] else "kept"
        self.stdout.write(f"{len(rows)} known answers to {items} items {done}.")


def _rows(path: Path) -> Sequence[Mapping[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            named, rows = reader.fieldnames or [], list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as unread:
        raise CommandError(f"{path} could not be read: {unread}") from unread
    if "item" not in named or (unknown := sorted(set(named) - set(COLUMNS))):
        wrong = f"unknown: {', '.join(unknown)}" if "item" in named else "there is no item"
        raise CommandError(f"The columns may be {', '.join(COLUMNS)}; {wrong}.")
    if not rows:
        raise CommandError(f"{path} holds no answers.")
    return rows


def _answers(project: Project, rows: Sequence[Mapping[str, str]]) -> Iterable[KnownAnswer]:
    named = {row["item"] for row in rows}
    items = {
        item.public_id: item
        for item in Item.objects.filter(batch__project=project, public_id__in=named).select_related(
            "batch__rubric", "response_1", "response_2"
        )
    }
    problems: dict[str, str] = {}
    answers = []
    for place, row in enumerate(rows, start=1):
        item = items.get(row["item"])
        if item is None:
            problems[f"{place}"] = f"there is no item {row['item']}"
            continue
        try:
            answers.append(
                KnownAnswer(
                    item=item,
                    dimension=_cell(row, "dimension"),
                    response=_cell(row, "response"),
                    score=int(_cell(row, "score")) if _cell(row, "score") else None,
                    tolerance=int(_cell(row, "tolerance") or 0),
                    outcome=_cell(row, "outcome"),
                    feedback=_cell(row, "feedback"),
                )
            )
        except ValueError:
            problems[f"{place}"] = "score and tolerance are whole numbers"
    if problems:
        words = " ".join(f"{place}: {said}." for place, said in problems.items())
        raise Invalid(f"Nothing was kept. {words}", fields=problems)
    return answers


def _cell(row: Mapping[str, str | None], name: str) -> str:
    return (row.get(name) or "").strip()
