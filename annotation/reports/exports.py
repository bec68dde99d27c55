"""What an export is made from, what it would say now, and what is there to download."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from annotation.errors import NotFound
from annotation.formats.aggregate import FORK, OVERALL
from annotation.formats.manifest import (
    Erratum,
    IndexEntry,
    errata,
    read_index,
    read_manifest,
)
from annotation.formats.options import ALL, NOW, ExportOptions
from annotation.formats.project import projected
from annotation.formats.write_ratings import RatingRow, rating_line
from annotation.models.batches import Batch
from annotation.models.categories import Category
from annotation.models.exports import Export
from annotation.models.judgments import Judgment
from annotation.models.marks import Mark
from annotation.models.projects import Project
from annotation.models.rubric import Dimension
from annotation.reports.pairs import Snapshot, pair_pages
from annotation.reports.ratings import rating_pages


def exports_of(project: Project) -> "QuerySet[Export]":
    """Return the project's exports, the newest first."""
    exports = project.exports.select_related("created_by").order_by("-created_at", "-pk")
    return cast("QuerySet[Export]", exports)


def batches_named(project: Project, slugs: Iterable[str]) -> list[Batch]:
    """Return the project's batches of these slugs, in order of slugs, each once.

    :raises NotFound: naming every slug that is none.
    """
    wanted = sorted(set(slugs))
    batches = list(
        Batch.objects.filter(project=project, slug__in=wanted)
        .select_related("project", "rubric", "guideline")
        .order_by("slug")
    )
    if unknown := sorted(set(wanted) - {batch.slug for batch in batches}):
        raise NotFound(_("There is no batch %(names)s.") % {"names": ", ".join(unknown)})
    return batches


def unknown_dimension(batches: Iterable[Batch], options: ExportOptions) -> str:
    """Return in words what is wrong with the dimension asked for, "" if nothing is."""
    name = options.dimension
    if options.format == "ratings" or name in {ALL, FORK, OVERALL}:
        return ""
    rubrics = {batch.rubric_id for batch in batches}
    known = Dimension.objects.filter(rubric__in=rubrics).values_list("key", flat=True).distinct()
    if name in known:
        return ""
    there = ", ".join([OVERALL, FORK, ALL, *sorted(known)])
    return _("dimension: %(name)s is none of %(there)s.") % {"name": repr(name), "there": there}


def unknown_marks(project: Project, options: ExportOptions) -> str:
    """Return in words which content mark asked for is none of the project's, "" if all are.

    One that was misspelt would leave nothing out, and nobody would notice.
    """
    wanted = set(options.unwanted_marks) - {ALL}
    if not wanted:
        return ""
    known = set(Category.objects.filter(project=project).values_list("key", flat=True))
    known |= set(Mark.objects.filter(project=project).values_list("key", flat=True).distinct())
    if wanted <= known:
        return ""
    unknown = ", ".join(sorted(wanted - known))
    return f"without_marks: {unknown} is none of {', '.join([ALL, *sorted(known)])}."


def with_marks(
    project: Project, snapshots: Iterable[Snapshot], options: ExportOptions
) -> tuple[list[Snapshot], ExportOptions]:
    """Return both with the number of the project's marks that counts: the one asked for, or now's.

    :raises NotFound: for a number that is not reached yet.
    """
    newest = Project.objects.values_list("last_mark_number", flat=True).get(pk=project.pk)
    number = newest if options.marks_at == NOW else options.marks_at
    if number > newest:
        raise NotFound(f"The project's content marks are at number {newest}; there is no {number}.")
    return [replace(one, marks=number) for one in snapshots], replace(options, marks_at=number)


def snapshots_of(export: Export) -> list[Snapshot]:
    """Return the snapshots an export is made from."""
    batches = batches_named(export.project, export.snapshot)
    return [Snapshot(batch, export.snapshot[batch.slug]) for batch in batches]


def judgment_count(snapshots: Iterable[Snapshot]) -> int:
    """Return how many judgments of any kind the snapshots hold."""
    return sum(
        Judgment.objects.filter(batch=snapshot.batch).up_to(snapshot.number).count()
        for snapshot in snapshots
    )


def described(snapshot: Snapshot) -> dict[str, Any]:
    """Return what a manifest says of a snapshot: number, rubric and guideline versions."""
    batch = snapshot.batch
    versions = (
        Judgment.objects.filter(batch=batch)
        .up_to(snapshot.number)
        .exclude(guideline_version=None)
        .values_list("guideline_version__number", flat=True)
        .distinct()
    )
    return {
        "project": batch.project.slug,
        "batch": batch.slug,
        "kind": batch.kind,
        "purpose": batch.purpose,
        "number": snapshot.number,
        "rubric": f"{batch.rubric.slug} {batch.rubric.version}",
        "rubric_digest": batch.rubric.digest,
        "guideline": batch.guideline.slug if batch.guideline else None,
        "guideline_versions": sorted(versions),
    }


class RatingsIndex:
    """The index of a ratings export: one entry an item, over its rows in any order.

    The digest of an item is the sum of its rows' hashes, so that memory grows with items only.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._sums: dict[str, int] = {}
        self._judgments: dict[str, set[int]] = {}
        self._places: dict[str, tuple[str, str]] = {}

    def add(self, row: RatingRow, line: bytes) -> None:
        """Take one row and the CSV line it makes."""
        told = int.from_bytes(hashlib.sha256(line).digest(), "big")
        self._sums[row.item] = (self._sums.get(row.item, 0) + told) % (1 << 256)
        self._judgments.setdefault(row.item, set()).add(row.judgment)
        self._places[row.item] = (row.batch, row.dialogue)

    def entries(self) -> list[IndexEntry]:
        """Return the entries, sorted by item."""
        return [
            IndexEntry(
                pair=item,
                batch=self._places[item][0],
                dialogue=self._places[item][1],
                digest=f"{self._sums[item]:064x}",
                judgments=tuple(sorted(self._judgments[item])),
                decisions={},
            )
            for item in sorted(self._sums)
        ]


def index_of(snapshots: Sequence[Snapshot], *, options: ExportOptions) -> dict[str, IndexEntry]:
    """Return what an export with these options would decide for each pair."""
    if options.format == "ratings":
        index = RatingsIndex()
        for snapshot in snapshots:
            for ratings in rating_pages(
                snapshot,
                set_name=options.set,
                beside=snapshots,
                refused=options.mark_refused,
            ):
                for row in ratings.rows:
                    index.add(row, rating_line(row))
        return {entry.pair: entry for entry in index.entries()}
    return {
        pair.pair: projected(pair, options=options).index
        for snapshot in snapshots
        for page in pair_pages(snapshot, text=options.text, refused=options.mark_refused)
        for pair in page.pairs
    }


def errata_since(project: Project, directory: Path) -> list[Erratum]:
    """Return what has changed, gone or come since the export in `directory`, by pair.

    :raises annotation.formats.manifest.NoManifest: if the folder is no export.
    :raises NotFound: if a batch of it is not in this project.
    """
    told: Mapping[str, Any] = read_manifest(directory)
    options = replace(ExportOptions.from_json(told["options"]), marks_at=NOW)
    batches = batches_named(project, [entry["batch"] for entry in told["snapshots"]])
    now = index_of([Snapshot.now(batch) for batch in batches], options=options)
    return errata(read_index(directory), now)
