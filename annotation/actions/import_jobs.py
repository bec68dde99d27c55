"""Imports as jobs: asked for with a small upload or a path below IMPORT_ROOT, done by a worker."""

import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from annotation.actions import jobs
from annotation.actions.imports import Asked, files_below, run_import
from annotation.actions.jobs import JobLost
from annotation.choices import JobState
from annotation.errors import AnnotationError, Invalid, NotAllowed
from annotation.formats.recognise import AUTO, FORMATS
from annotation.models.imports import Import
from annotation.models.projects import Member
from annotation.permissions import can_lead

log = logging.getLogger(__name__)

LONGEST_NAME = 150


class ImportRefused(Invalid):
    """The import cannot be started so; `fields` names what is wrong with each entry."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An import as a form gives it. Either `upload` or `path`; paths are below IMPORT_ROOT."""

    upload: UploadedFile | None = None
    path: str = ""
    images: str = ""
    format: str = AUTO
    strict: bool = False
    dry_run: bool = False


def request_import(wanted: Wanted, *, by: Member, now: datetime) -> Import:
    """Make the job that a worker will take; start its task after the commit.

    :raises NotAllowed: `by` is no lead.
    :raises ImportRefused: neither or both of upload and path, an upload too large, a path that
        leads out of IMPORT_ROOT or does not exist, an unknown format.
    """
    if not can_lead(by):
        raise NotAllowed(_("Only a lead imports dialogues."))
    faults = dict(_faults(wanted))
    if faults:
        raise ImportRefused(_("This cannot be imported."), fields=faults)
    upload = wanted.upload
    name = Path(upload.name or "upload").name if upload is not None else wanted.path
    job = Import(
        project=by.project,
        name=name[-255:],
        state=JobState.WAITING,
        options={
            "path": wanted.path,
            "images": wanted.images,
            "format": wanted.format,
            "strict": wanted.strict,
            "dry_run": wanted.dry_run,
        },
        created_by=by,
        created_at=now,
    )
    if upload is not None:
        job.upload.save(_file_name(name), upload, save=False)
    job.save()
    return job


def work_on_import(pk: int, *, clock: Callable[[], datetime]) -> None:
    """Take the job and do it. Safe to call twice: only one caller gets it.

    What is wrong with the files parks it with the reason; anything else lets it be tried again,
    which goes on where the last attempt stopped.
    """
    attempt = jobs.take(Import, pk, now=clock())
    if attempt is None:
        return
    job = cast("Import", Import.objects.select_related("project", "created_by").get(pk=pk))
    try:
        with _files(job) as (files, names, asked):
            run_import(job, attempt=attempt, asked=asked, files=files, names=names, clock=clock)
    except JobLost:
        log.warning("import %s: another worker has it now", job.public_id)
    except AnnotationError as error:
        _fail(job, attempt, str(error), clock(), refused=True)
    except Exception as error:
        log.exception("import %s, attempt %s", job.public_id, attempt)
        _fail(job, attempt, f"{type(error).__name__}: {error}", clock(), refused=False)


def _fail(job: Import, attempt: int, error: str, now: datetime, *, refused: bool) -> None:
    try:
        jobs.fail(Import, job.pk, attempt=attempt, error=error, now=now, refused=refused)
    except JobLost:
        log.warning("import %s: another worker has it now", job.public_id)


@contextmanager
def _files(job: Import) -> Iterator[tuple[list[Path], list[str], Asked]]:
    """Give the job's files on this machine, what to call them, and what was asked."""
    options: dict[str, Any] = job.options
    images = (below_root(options["images"]),) if options.get("images") else ()
    asked = Asked(
        format=options.get("format", AUTO),
        images=images,
        own_folder=not job.upload,
        dry_run=options.get("dry_run", False),
        strict=options.get("strict", False),
    )
    if not job.upload:
        root = _root().resolve()
        files = [
            file
            for file in files_below([below_root(options["path"])])
            if file.resolve().is_relative_to(root)
        ]
        yield files, [file.resolve().relative_to(root).as_posix() for file in files], asked
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "upload.json"
        with job.upload.open("rb") as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target)
        yield [copy], [job.name], asked


def _root() -> Path:
    root: Path | None = settings.IMPORT_ROOT
    if root is None:
        raise Invalid(_("This installation has no IMPORT_ROOT, so files can only be uploaded."))
    return root


def below_root(path: str) -> Path:
    """Return the file or folder that `path` names below IMPORT_ROOT.

    :raises Invalid: it leads out, does not exist, or there is no IMPORT_ROOT.
    """
    root = _root().resolve()
    try:
        found = (root / path).resolve(strict=True)
    except (OSError, ValueError):
        found = None
    if found is None or not found.is_relative_to(root):
        raise Invalid(_("There is no %(path)s below the import folder.") % {"path": repr(path)})
    return found


def _faults(wanted: Wanted) -> Iterator[tuple[str, str]]:
    """Yield (field, what is wrong with it)."""
    if (wanted.upload is None) == (not wanted.path):
        yield "upload", _("Give either a file or a path.")
    largest: int = settings.IMPORT_UPLOAD_MAX_BYTES
    if wanted.upload is not None and (wanted.upload.size or 0) > largest:
        size = f"{largest // (1024 * 1024)} MB"
        told = _("The file is larger than %(size)s. Put it below the import folder instead.")
        yield "upload", told % {"size": size}
    for field, path in (("path", wanted.path), ("images", wanted.images)):
        if path:
            try:
                below_root(path)
            except Invalid as error:
                yield field, str(error)
    if wanted.format != AUTO and wanted.format not in FORMATS:
        yield "format", _("%(format)s is no format.") % {"format": wanted.format}


def _file_name(name: str) -> str:
    """Return a name that is safe in any storage; what people called it stands on the row."""
    plain = "".join(c if c.isalnum() or c in "._-" else "_" for c in name if c.isascii())
    return (plain.lstrip(".") or "upload.json")[-LONGEST_NAME:]
