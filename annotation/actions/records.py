"""Writing records: one chunk of a file, in one transaction, into trees, records and judgments."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from annotation.actions.content import Grove, ResponseNode, candidate_keys
from annotation.actions.images import Found
from annotation.actions.marks import add_marks, mark_by_words
from annotation.actions.references import Placed, References
from annotation.choices import RecordOutcome
from annotation.formats.records import Anomaly, Entry, Message, Record, Refused
from annotation.formats.word_lists import WordLists
from annotation.models.content import Record as RecordRow
from annotation.models.content import Response
from annotation.models.imports import Import
from annotation.models.projects import Project
from annotation.reports.imports import FileReport, ImportReport, Refusal

CHUNK_RECORDS = 100
CHUNK_TURNS = 1500


@dataclass(slots=True)
class Run:
    """What all chunks of one import share.

    :ivar newest_before: the primary key of the newest record before this run.
    :ivar import_row: gives the import's row, and makes it where there is none yet.
    :ivar words: the operator's, which mark dialogues.
    :ivar sources: (import, file) of every record read, whenever it came.
    """

    project: Project
    now: datetime
    report: ImportReport
    references: References
    newest_before: int
    import_row: Callable[[], Import]
    words: WordLists
    sources: set[tuple[int, str]] = field(default_factory=set)


@dataclass(slots=True)
class Chunk:
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


class Writing:
    """The writing of one chunk, inside its transaction."""

    def __init__(self, run: Run, chunk: Chunk, found: dict[str, Found]) -> None:
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
            self._mark(row)
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

    def _mark(self, row: Import) -> None:
        """Write what files say of contents, and what the operator's words find in new texts."""
        run, by = self.run, row.created_by
        add_marks(run.project, self.grove.said(), by=by, now=run.now, imported_in=row)
        if run.words and (grown := self.grove.grown_dialogues()):
            mark_by_words(run.project, grown, run.words, by=by, now=run.now, imported_in=row)

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
                row = self.run.import_row() if references.has_new(one) else None
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
