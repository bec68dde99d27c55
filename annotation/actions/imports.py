"""Importing files: their records become trees, slots, pictures and reference judgments.

Chunk by chunk, each in one transaction, so that stopping at any moment leaves whole records and
running again goes on. A record that came before writes nothing, but for pictures and scores that
can be stored now and could not then.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Max

from annotation.actions import jobs
from annotation.actions.content import Grove, ResponseNode, candidate_keys
from annotation.actions.images import Decoder, Found, Pictures
from annotation.actions.references import Placed, References
from annotation.choices import JobState, RecordOutcome
from annotation.errors import Invalid
from annotation.formats.recognise import AUTO, Recognised, recognise
from annotation.formats.records import (
    Anomaly,
    Entry,
    FormatError,
    Message,
    Record,
    Refused,
)
from annotation.models.content import Record as RecordRow
from annotation.models.content import Response
from annotation.models.imports import Import
from annotation.models.projects import Member, Project
from annotation.models.rubric import Rubric
from annotation.reports.imports import (
    FileReport,
    ImportReport,
    Refusal,
    contents_of,
    judgeable_of,
)

CHUNK_RECORDS = 100
CHUNK_TURNS = 1500

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
                raise CannotImport(f"{path}: holds no file that ends in {', '.join(FILE_ENDINGS)}")
            files += found
        elif path.is_file():
            files.append(path)
        else:
            raise CannotImport(f"{path}: no such file or folder")
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
    run = _Run(project, by=by, now=now, asked=asked or Asked(), watch=watch)
    report = run.over(files, names or _labels(files))
    if run.row is not None and report.written:
        Import.objects.filter(pk=run.row.pk).update(
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
    run = _Run(
        job.project,
        by=job.created_by,
        now=clock(),
        asked=asked,
        row=job,
        attempt=attempt,
        clock=clock,
    )
    report = run.over(files, names)
    jobs.finish(
        Import,
        job.pk,
        attempt=attempt,
        now=clock(),
        result={"report": report.as_json(), "progress": report.records, "total": report.records},
    )
    return report


@dataclass(slots=True)
class _Chunk:
    """Entries of one file that are written together, with their pictures."""

    file: FileReport
    entries: list[Entry] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    turns: int = 0

    def add(self, one: Entry | Refused) -> None:
        if isinstance(one, Refused):
            self.refused.append(one)
        else:
            self.entries.append(one)
            self.turns += sum(len(record.turns) for record in one.records)

    @property
    def is_full(self) -> bool:
        waiting = len(self.entries) + len(self.refused)
        return waiting >= CHUNK_RECORDS or self.turns >= CHUNK_TURNS

    @property
    def records(self) -> list[Record]:
        return [record for entry in self.entries for record in entry.records]

    def names(self) -> list[str]:
        """Return the picture names of all records."""
        return [slot.name for one in self.records for m in _messages(one) for slot in m.slots]


class _Run:
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
        self.references = References(project, self.report, now, rubric=self._rubric())
        self.sources: set[tuple[int, str]] = set()
        self.newest_before = RecordRow.objects.aggregate(newest=Max("pk"))["newest"] or 0
        self.label = ""
        self.bytes_done = 0
        self.bytes_total = 0

    def _rubric(self) -> Rubric | None:
        if not self.asked.rubric:
            return None
        rubric = self.project.rubrics.filter(slug=self.asked.rubric).order_by("-version").first()
        if rubric is None:
            raise CannotImport(f"The project has no rubric {self.asked.rubric!r}.")
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
            self.report.contents = contents_of(sorted(self.sources))
            self.report.judgeable = judgeable_of(sorted(self.sources))
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
                self.project, (*own, *self.asked.images), decoder, dry=self.asked.dry_run
            )
            for chunk in self._chunks(found, file):
                self._chunk(chunk, pictures)
        self.bytes_done += found.path.stat().st_size

    def _chunks(self, found: Recognised, file: FileReport) -> Iterator[_Chunk]:
        at = 0

        def see(offset: int) -> None:
            nonlocal at
            at = offset

        chunk = _Chunk(file)
        for one in found.entries(see=see):
            chunk.add(one)
            if chunk.is_full:
                yield chunk
                self._tell(at)
                chunk = _Chunk(file)
        if chunk.entries or chunk.refused:
            yield chunk
        self._tell(at)

    def _tell(self, at: int) -> None:
        if self.watch is not None:
            self.watch(Progress(self.report.records, self.bytes_done + at, self.bytes_total))

    def _chunk(self, chunk: _Chunk, pictures: Pictures) -> None:
        found = pictures.find(chunk.names())  # outside the transaction: decoding takes its time
        with transaction.atomic():
            self._beat()
            # One import of a project at a time, so that nobody else grows these trees meanwhile.
            Project.objects.select_for_update().get(pk=self.project.pk)
            _Writing(self, chunk, found).write()

    def _beat(self) -> None:
        if self.row is not None and self.attempt is not None and self.clock is not None:
            jobs.beat(
                Import,
                self.row.pk,
                attempt=self.attempt,
                now=self.clock(),
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


class _Writing:
    """The writing of one chunk, inside its transaction."""

    def __init__(self, run: _Run, chunk: _Chunk, found: dict[str, Found]) -> None:
        self.run = run
        self.chunk = chunk
        self.found = found
        self.grove = Grove(run.project, now=run.now)
        self.rows: list[RecordRow] = []
        self.ends: list[list[ResponseNode]] = []  # by entry, by record

    def write(self) -> None:
        """Grow the trees, save them with the records, then the scores; count everything."""
        records = self.chunk.records
        digests = {id(record): digest_of(record) for record in records}
        earlier = self._earlier(
            {*digests.values(), *(self._refusal_digest(one) for one in self.chunk.refused)}
        )
        self.grove.load(
            root_keys=[
                key
                for record in records
                for key in candidate_keys("turn", "", record.turns[0].prompt, self.found)
            ],
            dialogues=[
                row.dialogue_id for rows in earlier.values() for row in rows if row.dialogue_id
            ],
        )
        for entry in self.chunk.entries:
            self.ends.append(
                [self._record(one, digests[id(one)], earlier) for one in entry.records]
            )
        for refused in self.chunk.refused:
            self._refused(refused, earlier)
        if self.rows or self.grove.has_changes():
            row = self.run.import_row()
            for record in self.rows:
                record.imported_in = row
                self.run.sources.add((row.pk, self.chunk.file.file))
            self.grove.save(row, self.rows)
        self._count()
        self._write_references()

    def _earlier(self, digests: set[str]) -> dict[str, list[RecordRow]]:
        """Return the records that came before this run, by digest."""
        found: dict[str, list[RecordRow]] = {}
        for row in RecordRow.objects.filter(
            imported_in__project=self.run.project,
            digest__in=digests,
            pk__lte=self.run.newest_before,
        ).order_by("pk"):
            found.setdefault(row.digest, []).append(row)
        return found

    def _record(
        self, record: Record, digest: str, earlier: dict[str, list[RecordRow]]
    ) -> ResponseNode:
        """Bring one record into its tree; return the node of its last response."""
        file = self.chunk.file
        file.records += 1
        file.turns += len(record.turns)
        self.run.report.anomalies.update(record.anomalies)
        same = _same(record, earlier.get(digest, ()))
        if same is not None and same.last_response_id is not None:
            last = self.grove.responses[same.last_response_id]
            self.grove.fill(record, last, self.found, same)
            file.outcomes[RecordOutcome.SAME] += 1
            self.run.sources.add((same.imported_in_id, same.file))
            return last
        row = RecordRow(
            file=file.file[-400:],
            position=record.position,
            external_id=record.external_id,
            digest=digest,
            pictures=[[list(m.names) for m in (t.prompt, t.response)] for t in record.turns],
        )
        grown = self.grove.grow(record, self.found, row)
        row.outcome = grown.outcome
        row.dialogue = grown.last.row.dialogue
        row.last_response = grown.last.row
        self.rows.append(row)
        file.outcomes[grown.outcome] += 1
        self.run.report.anomalies[Anomaly.SAME_ID_OTHER_IMAGES] += grown.nodes_with_other_names
        return grown.last

    def _refused(self, refused: Refused, earlier: dict[str, list[RecordRow]]) -> None:
        file = self.chunk.file
        file.records += 1
        file.outcomes[RecordOutcome.REFUSED] += 1
        problem = {"place": refused.place, "field": refused.field, "reason": refused.reason}
        self.run.report.refuse(Refusal(file=file.file, position=refused.position, **problem))
        digest = self._refusal_digest(refused)
        if digest not in earlier:
            self.rows.append(
                RecordRow(
                    file=file.file[-400:],
                    position=refused.position,
                    outcome=RecordOutcome.REFUSED,
                    digest=digest,
                    problem=problem,
                )
            )

    def _refusal_digest(self, refused: Refused) -> str:
        values = (self.chunk.file.file, refused.position, refused.field, refused.reason)
        return hashlib.sha256(json.dumps(["refused", *values]).encode()).hexdigest()

    def _count(self) -> None:
        file, grove = self.chunk.file, self.grove
        file.new_dialogues += len(grove.new_dialogues)
        file.new_turns += sum(map(len, grove.new_turns.values()))
        file.new_responses += sum(map(len, grove.new_responses.values()))
        self.run.report.filled += grove.filled
        self.run.report.variants += len(grove.new_variants)

    def _write_references(self) -> None:
        references = self.run.references
        placed = [
            [
                Placed(self.chunk.file.file, record, tuple(node.row for node in end.path()))
                for record, end in zip(entry.records, ends, strict=True)
            ]
            for entry, ends in zip(self.chunk.entries, self.ends, strict=True)
        ]
        references.load(_responses(placed))
        for entry, together in zip(self.chunk.entries, placed, strict=True):
            for one in together:
                row = self.run.import_row() if references.has_new(one) else self.run.row
                references.write_scores(one, row)
            if entry.preferences:
                references.write_preferences(entry, together, self.run.import_row)


def _messages(record: Record) -> Iterator[Message]:
    for turn in record.turns:
        yield turn.prompt
        yield turn.response


def _responses(placed: Sequence[Sequence[Placed]]) -> list[Response]:
    return [response for entry in placed for one in entry for response in one.path]


def _same(record: Record, rows: Sequence[RecordRow]) -> RecordRow | None:
    """Return the row of this very record, if it came before: equal in all it says.

    One without an id must also stand at the same position, else it is a duplicate.
    """
    for row in rows:
        if row.position == record.position or record.external_id:
            return row
    return None


def digest_of(record: Record) -> str:
    """Return the SHA-256 of all that a record says, in 64 hex digits.

    What is derived from it (slots, anomalies) is left out, so that a later version of the reader
    knows the records of an earlier one again.
    """
    body: list[Any] = [
        record.external_id,
        record.dialogue_id,
        record.title,
        record.task,
        record.source,
        record.language,
        record.marks,
        [
            [[m.text, m.names, m.external_id] for m in (turn.prompt, turn.response)]
            + [turn.response.source.as_json()]
            for turn in record.turns
        ],
        [
            [score.dimension, score.turn, score.score, score.not_applicable, score.reason]
            for score in record.scores
        ],
    ]
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _labels(files: Sequence[Path]) -> list[str]:
    """Return the shortest ends of the paths that tell them apart."""
    parts = [path.resolve().parts for path in files]
    for length in range(1, max(map(len, parts), default=1) + 1):
        labels = ["/".join(one[-length:]) for one in parts]
        if len(set(labels)) == len({path.resolve() for path in files}):
            return labels
    return [str(path) for path in files]
