"""Importing files: their records become trees, slots, pictures and reference judgments.

Chunk by chunk, each in one transaction, so that stopping at any moment leaves whole records and
running again goes on. A record that came before writes nothing, but for pictures and scores that
can be stored now and could not then.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from annotation.actions import jobs
from annotation.actions.images import Decoder, Pictures
from annotation.actions.marks import word_lists
from annotation.actions.records import Chunk, Run, Writing
from annotation.actions.references import References
from annotation.choices import JobState, RecordOutcome
from annotation.errors import Invalid
from annotation.formats.recognise import AUTO, Recognised, recognise
from annotation.formats.records import Anomaly, FormatError
from annotation.models.content import Record
from annotation.models.imports import Import
from annotation.models.projects import Member, Project
from annotation.models.rubric import Rubric
from annotation.reports.imports import FileReport, ImportReport, contents_of, judgeable_of

BEAT_EVERY = timedelta(seconds=5)

FILE_ENDINGS = (".json", ".jsonl", ".ndjson")


class CannotImport(Invalid):
    """A file or option that cannot be taken; nothing was written."""


class NothingWritten(Exception):
    """Rolls a dry run or a refused strict run back."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of an import.

    :ivar format: a format's name or ``auto``.
    :ivar images: folders in which pictures are looked up, after each file's own.
    :ivar own_folder: whether a file's own folder is one of them; not for uploads, which lie
        among other people's files.
    :ivar rubric: the slug of the rubric that scores are read by; "" for the fitting newest one.
    """

    format: str = AUTO
    images: tuple[Path, ...] = ()
    own_folder: bool = True
    dry_run: bool = False
    strict: bool = False
    rubric: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: records read, and bytes of all files."""

    records: int
    bytes_read: int
    bytes_total: int


Watch = Callable[[Progress], None]
Clock = Callable[[], datetime]


def files_below(paths: Sequence[Path]) -> list[Path]:
    """Return the files named, and of each folder named its JSON files, sorted.

    :raises CannotImport: a path that does not exist, or a folder without any.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted(
                one for one in path.rglob("*") if one.suffix in FILE_ENDINGS and one.is_file()
            )
            if not found:
                raise CannotImport(
                    _("%(path)s: holds no file that ends in %(endings)s")
                    % {"path": path, "endings": ", ".join(FILE_ENDINGS)}
                )
            files += found
        elif path.is_file():
            files.append(path)
        else:
            raise CannotImport(_("%(path)s: no such file or folder") % {"path": path})
    return files


def import_files(
    project: Project,
    files: Sequence[Path],
    *,
    by: Member | None,
    now: datetime,
    asked: Asked | None = None,
    names: Sequence[str] = (),
    watch: Watch | None = None,
) -> ImportReport:
    """Import files from the shell; return what became of them.

    The `Import` row is made with the first thing that is written, so that a second run over the
    same files writes nothing at all.

    :param names: what to call the files in records and report; their names, where absent.
    :raises CannotImport: a file has no known format or cannot be read; nothing was written.
    """
    importer = _Importer(project, by=by, now=now, asked=asked or Asked(), watch=watch)
    report = importer.over(files, names or _labels(files))
    if importer.row is not None and report.written:
        Import.objects.filter(pk=importer.row.pk).update(
            state=JobState.DONE, finished_at=now, report=report.as_json(), progress=report.records
        )
    return report


def run_import(
    job: Import,
    *,
    attempt: int,
    asked: Asked,
    files: Sequence[Path],
    names: Sequence[str],
    clock: Clock,
) -> ImportReport:
    """Run an import job that a worker has taken; its row carries progress and report.

    :raises annotation.actions.jobs.JobLost: another worker has it now; this one stops.
    :raises CannotImport: a file cannot be taken; the caller parks the job.
    """
    importer = _Importer(
        job.project,
        by=job.created_by,
        now=clock(),
        asked=asked,
        row=job,
        attempt=attempt,
        clock=clock,
    )
    report = importer.over(files, names)
    jobs.finish(
        Import,
        job.pk,
        attempt=attempt,
        now=clock(),
        result={"report": report.as_json(), "progress": report.records, "total": report.records},
    )
    return report


class _Importer:
    """One run over some files: what was asked, what is known by now, and the report."""

    def __init__(
        self,
        project: Project,
        *,
        by: Member | None,
        now: datetime,
        asked: Asked,
        watch: Watch | None = None,
        row: Import | None = None,
        attempt: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.project = project
        self.by = by
        self.now = now
        self.asked = asked
        self.watch = watch
        self.row = row
        self.attempt = attempt
        self.clock = clock
        self.report = ImportReport(dry_run=asked.dry_run)
        self.run = Run(
            project=project,
            now=now,
            report=self.report,
            references=References(project, self.report, now, rubric=self._rubric()),
            newest_before=Record.objects.aggregate(newest=Max("pk"))["newest"] or 0,
            import_row=self.import_row,
            words=word_lists(project),
        )
        self.beaten_at = now
        self.label = ""
        self.bytes_done = 0
        self.bytes_total = 0

    def _rubric(self) -> Rubric | None:
        if not self.asked.rubric:
            return None
        rubric = self.project.rubrics.filter(slug=self.asked.rubric).order_by("-version").first()
        if rubric is None:
            raise CannotImport(
                _("The project has no rubric %(rubric)s.") % {"rubric": repr(self.asked.rubric)}
            )
        return rubric

    def over(self, files: Sequence[Path], names: Sequence[str]) -> ImportReport:
        """Import all files, as was asked, and return the report."""
        found = [self._recognised(path) for path in files]
        self.bytes_total = sum(path.stat().st_size for path in files)
        self.label = ", ".join(names)[:255]
        together = self.asked.dry_run or self.asked.strict
        with (
            contextlib.suppress(NothingWritten),
            transaction.atomic() if together else contextlib.nullcontext(),
        ):
            for one, name in zip(found, names, strict=True):
                self._file(one, name)
            self.report.contents = contents_of(sorted(self.run.sources))
            self.report.judgeable = judgeable_of(sorted(self.run.sources))
            refused = self.report.count(RecordOutcome.REFUSED)
            if self.asked.dry_run or (self.asked.strict and refused):
                self.report.written = False
                raise NothingWritten
        return self.report

    def _recognised(self, path: Path) -> Recognised:
        try:
            return recognise(path, name=self.asked.format)
        except FormatError as error:
            raise CannotImport(str(error)) from None

    def _file(self, found: Recognised, name: str) -> None:
        file = FileReport(file=name, format=found.format.name)
        self.report.files.append(file)
        self.report.anomalies[Anomaly.BYTE_ORDER_MARK] += found.byte_order_mark
        own = (found.path.resolve().parent,) if self.asked.own_folder else ()
        with Decoder() as decoder:
            pictures = Pictures(
                self.project,
                (*own, *self.asked.images),
                decoder,
                dry=self.asked.dry_run,
                alive=self._stay_alive,
            )
            for chunk in self._chunks(found, file):
                self._chunk(chunk, pictures)
        self.bytes_done += found.path.stat().st_size

    def _chunks(self, found: Recognised, file: FileReport) -> Iterator[Chunk]:
        at = 0

        def see(offset: int) -> None:
            nonlocal at
            at = offset

        chunk = Chunk(file)
        for one in found.entries(see=see):
            chunk.add(one)
            if chunk.is_full:
                yield chunk
                self._tell(at)
                chunk = Chunk(file)
        if chunk.entries or chunk.refused:
            yield chunk
        self._tell(at)

    def _tell(self, at: int) -> None:
        if self.watch is not None:
            self.watch(Progress(self.report.records, self.bytes_done + at, self.bytes_total))

    def _chunk(self, chunk: Chunk, pictures: Pictures) -> None:
        found = pictures.find(chunk.names())  # outside the transaction: decoding takes its time
        with transaction.atomic():
            self._beat()
            # One import of a project at a time, so that nobody else grows these trees meanwhile.
            Project.objects.select_for_update().get(pk=self.project.pk)
            Writing(self.run, chunk, found).write()

    def _stay_alive(self) -> None:
        """Beat between pictures too: decoding those of one chunk may take minutes."""
        if self.clock is not None and self.clock() - self.beaten_at > BEAT_EVERY:
            self._beat()

    def _beat(self) -> None:
        if self.row is None or self.attempt is None or self.clock is None:
            return
        self.beaten_at = self.clock()
        jobs.beat(
            Import,
            self.row.pk,
            attempt=self.attempt,
            now=self.beaten_at,
            progress=self.report.records,
        )

    def import_row(self) -> Import:
        """Return the import's row; the first call of a run from the shell makes it.

        Until the run is over it stands as cancelled, so that no worker takes it up after a crash.
        """
        if self.row is None:
            self.row = Import.objects.create(
                project=self.project,
                name=self.label,
                state=JobState.CANCELLED,
                attempt=1,
                options={"format": self.asked.format, "strict": self.asked.strict},
                created_by=self.by,
                created_at=self.now,
                started_at=self.now,
            )
        return self.row


def _labels(files: Sequence[Path]) -> list[str]:
    """Return the shortest ends of the paths that tell them apart."""
    parts = [path.resolve().parts for path in files]
    for length in range(1, max(map(len, parts), default=1) + 1):
        labels = ["/".join(one[-length:]) for one in parts]
        if len(set(labels)) == len({path.resolve() for path in files}):
            return labels
    return [str(path) for path in files]
