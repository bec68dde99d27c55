"""Exports as jobs: asked for with a snapshot, built by a worker, published whole."""

import logging
import shutil
import tarfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext as _

from annotation.actions import jobs
from annotation.actions.export_files import write_folder
from annotation.choices import BatchKind, JobState
from annotation.errors import AnnotationError, Invalid, NotAllowed
from annotation.formats.manifest import file_digest
from annotation.formats.options import BadOptions, ExportOptions
from annotation.models.batches import Batch
from annotation.models.exports import Export
from annotation.models.projects import Member, Project
from annotation.permissions import can_lead
from annotation.reports.exports import (
    judgment_count,
    snapshots_of,
    unknown_dimension,
    unknown_marks,
    with_marks,
)
from annotation.reports.pairs import Snapshot
from annotation.reports.sentences import in_words

log = logging.getLogger(__name__)

BEAT_EVERY = timedelta(seconds=2)

Clock = Callable[[], datetime]


class ExportUnderWay(AnnotationError):
    """One export of a project is made at a time."""


def read_options(body: Mapping[str, Any]) -> ExportOptions:
    """Read export options from a form, the API or a command.

    :raises Invalid: naming every option that cannot be taken.
    """
    try:
        return ExportOptions.from_json(body)
    except BadOptions as reason:
        fields = {name: in_words(told) for name, told in reason.fields.items()}
        raise Invalid(" ".join(fields.values()), fields=fields) from reason


def request_export(
    batches: Sequence[Batch], *, options: ExportOptions, by: Member, now: datetime
) -> Export:
    """Ask for an export of the batches as they stand now; a worker will build it.

    The snapshot is fixed here, so what is submitted while it waits is not in it.

    :raises NotAllowed: if the member is no lead of the batches' project.
    :raises Invalid: without batches, with links, or with pairs of a batch that has none.
    :raises ExportUnderWay: while another export of the project waits or runs.
    """
    _refuse_unless_possible(batches, options, by)
    with transaction.atomic():
        project = Project.objects.select_for_update().get(pk=by.project_id)
        if Export.objects.filter(project=project, state__in=_UNFINISHED).exists():
            raise ExportUnderWay(_("An export is being made. Start the next one when it is done."))
        snapshots = [Snapshot.now(batch) for batch in batches]
        snapshots, options = with_marks(project, snapshots, options)
        export = Export.objects.create(
            project=project,
            options=options.as_json(),
            snapshot={one.batch.slug: one.number for one in snapshots},
            total=judgment_count(snapshots),
            created_by=by,
            created_at=now,
        )
        export.batches.set(batches)
    return export


def build_export(export_id: int, *, clock: Clock) -> None:
    """Build a waiting export; do nothing if another worker has it.

    The archive is made in a folder of this attempt and stored under a name of this attempt; the
    row points at it only when all of it is stored, so nobody ever downloads half a file. What the
    format cannot hold parks the export with the reason; anything else is tried again.
    """
    attempt = jobs.take(Export, export_id, now=clock())
    if attempt is None:
        return
    export = cast("Export", Export.objects.select_related("project").get(pk=export_id))
    work = Path(settings.EXPORT_ROOT) / "work"
    for earlier in range(1, attempt):  # what a killed worker left
        shutil.rmtree(work / f"{export.public_id}-{earlier}", ignore_errors=True)
        default_storage.delete(_stored_name(export, earlier))
    folder = work / f"{export.public_id}-{attempt}"
    beat = _Beat(export, attempt, clock)
    stored = ""
    try:
        told = write_folder(
            folder / "export",
            project=export.project,
            snapshots=snapshots_of(export),
            options=ExportOptions.from_json(export.options),
            progress=beat,
        )
        archive = folder / f"{export.public_id}.tar"
        archive_folder(folder / "export", archive, name=_name(export), progress=beat.still)
        _size, digest = file_digest(archive)
        beat.still()
        with archive.open("rb") as file:
            stored = default_storage.save(_stored_name(export, attempt), File(file))
        result = {"file": stored, "sha256": digest, "manifest": told, "progress": export.total or 0}
        jobs.finish(Export, export_id, attempt=attempt, now=clock(), result=result)
    except jobs.JobLost:
        log.warning("export %s was taken by another worker", export.public_id)
        _forget(stored)
    except AnnotationError as reason:
        _fail(export, attempt, clock, str(reason), refused=True)
    except Exception as reason:
        log.exception("export %s broke", export.public_id)
        _forget(stored)
        _fail(export, attempt, clock, f"{type(reason).__name__}: {reason}", refused=False)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def archive_folder(
    folder: Path, archive: Path, *, name: str, progress: Callable[[], None] = lambda: None
) -> None:
    """Pack a folder into a tar that is the same on every machine: sorted, no times, no owners."""
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = tarfile.TarInfo(f"{name}/{path.relative_to(folder).as_posix()}")
            entry.size = path.stat().st_size
            entry.mode = 0o644
            with path.open("rb") as file:
                tar.addfile(entry, file)
            progress()


_UNFINISHED = (JobState.WAITING, JobState.RUNNING)


class _Beat:
    """Tells the row how far the export is, at most every two seconds."""

    def __init__(self, export: Export, attempt: int, clock: Clock) -> None:
        self.export = export
        self.attempt = attempt
        self.clock = clock
        self.done = 0
        self.last = clock()

    def __call__(self, done: int) -> None:
        self.done = done
        self.still()

    def still(self) -> None:
        """Say that the work goes on."""
        now = self.clock()
        if now - self.last >= BEAT_EVERY:
            self.last = now
            jobs.beat(Export, self.export.pk, attempt=self.attempt, now=now, progress=self.done)


def _refuse_unless_possible(batches: Sequence[Batch], options: ExportOptions, by: Member) -> None:
    if not can_lead(by) or any(batch.project_id != by.project_id for batch in batches):
        raise NotAllowed(_("Only a lead of the project exports its batches."))
    if not batches:
        raise Invalid(
            _("Choose at least one batch."), fields={"batches": _("Choose at least one.")}
        )
    if options.images == "link":
        raise Invalid(
            _("An archive cannot hold links. Choose copy or none."),
            fields={"images": _("An archive cannot hold links.")},
        )
    if wrong := unknown_dimension(batches, options):
        raise Invalid(wrong, fields={"dimension": wrong})
    if wrong := unknown_marks(by.project, options):
        raise Invalid(wrong, fields={"without_marks": wrong})
    single = [batch.slug for batch in batches if batch.kind == BatchKind.CONVERSATION]
    if options.format != "ratings" and single:
        named = {"batches": ", ".join(single)}
        raise Invalid(
            _("The items of %(batches)s have one side, so there are no pairs. Export ratings.")
            % named,
            fields={"batches": _("No pairs in %(batches)s.") % named},
        )


def _fail(export: Export, attempt: int, clock: Clock, error: str, *, refused: bool) -> None:
    try:
        jobs.fail(Export, export.pk, attempt=attempt, error=error, now=clock(), refused=refused)
    except jobs.JobLost:
        log.warning("export %s was taken by another worker", export.public_id)


def _forget(stored: str) -> None:
    if stored:
        default_storage.delete(stored)


def _stored_name(export: Export, attempt: int) -> str:
    return f"exports/{export.public_id}-{attempt}.tar"


def _name(export: Export) -> str:
    """Return the folder inside the archive: the same for the same snapshot and format."""
    parts = [f"{slug}-{number}" for slug, number in sorted(export.snapshot.items())]
    return "-".join([*parts, export.options["format"]])[:80]
