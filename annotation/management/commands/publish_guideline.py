"""`manage.py publish_guideline FILE...`: publish the next version of what annotators are told."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.actions.guidelines import publish_documents
from annotation.errors import AnnotationError
from annotation.management.commands.create_batch import lead_of
from annotation.models.projects import Project


class Command(BaseCommand):
    help = (
        "Publish a guideline's next version: one Markdown file a language, named like "
        "rules.zh-hans.md (rules.md is English), or one JSON file {language: Markdown}. A heading "
        "that is a dimension's key, as in '# text_quality', begins what is said of it. Languages "
        "that are not given are carried over."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--slug", required=True, help="of the guideline; made if it is new")
        parser.add_argument(
            "--sentence",
            default="",
            help="what changed, for those who have read the version before",
        )
        parser.add_argument("--project", default=Project.DEFAULT_SLUG)
        parser.add_argument("--by", metavar="PSEUDONYM", help="the lead; needed if there are many")

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']}.")
        documents: dict[str, str] = {}
        for file in options["files"]:
            for language, document in _documents(file).items():
                if language in documents:
                    raise CommandError(f"{file}: {language} is given twice.")
                documents[language] = document
        try:
            guideline = publish_documents(
                options["slug"],
                documents=documents,
                sentence=options["sentence"],
                by=lead_of(project, options["by"]),
                now=timezone.now(),
            )
        except AnnotationError as refused:
            raise CommandError(str(refused)) from refused
        newest = list(guideline.versions.order_by("-number", "language"))
        number = newest[0].number
        languages = ", ".join(
            version.language
            if version.written_in == number
            else f"{version.language} as in version {version.written_in}"
            for version in newest
            if version.number == number
        )
        self.stdout.write(f"Published {guideline}, version {number}: {languages}.")


def _documents(file: Path) -> dict[str, str]:
    """Return language -> Markdown of one file."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as unread:
        raise CommandError(f"{file} could not be read: {unread}") from unread
    if file.suffix == ".json":
        return _from_json(file, text)
    language = Path(file.stem).suffix.removeprefix(".") or "en"
    return {language.lower(): text}


def _from_json(file: Path, text: str) -> dict[str, str]:
    try:
        body = json.loads(text)
    except ValueError as unread:
        raise CommandError(f"{file} is no JSON: {unread}") from unread
    if not isinstance(body, dict) or not all(isinstance(one, str) for one in body.values()):
        raise CommandError(f"{file}: write an object of language to Markdown.")
    return {language.lower(): document for language, document in body.items()}
