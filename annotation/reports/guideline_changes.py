"""What changed between two versions of a guideline, as its reader is shown it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from django.utils.translation import get_language, get_language_info

from annotation.formats.guidelines import Note
from annotation.models.batches import Batch
from annotation.models.guidelines import GuidelineVersion
from annotation.rendering.differences import Paragraph, compare
from annotation.rendering.html import SafeHtml
from annotation.rendering.markdown import to_html, to_paragraphs
from annotation.rendering.text import count_words
from annotation.reports.items import WORDS_PER_MINUTE
from annotation.reports.words import moment, name_of


@dataclass(frozen=True, slots=True)
class NoteShown:
    """A note as it is read.

    :ivar item: the public id of its example, or "".
    """

    number: int
    dimension: str
    text: SafeHtml
    words: int
    language: str
    item: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LeadWord:
    """What the lead said of one version; `said` is when."""

    number: int
    sentence: str
    by: str
    said: str


@dataclass(frozen=True, slots=True)
class PartChange:
    """What changed in the general text (`key` is "") or under one dimension.

    :ivar said: when it last changed, in words: "yesterday 16:40".
    :ivar paragraphs: the changed paragraphs of the text.
    :ivar notes: the notes that came. :ivar dropped: those that went.
    :ivar words: what the lead said of the versions in which it changed.
    """

    key: str
    name: str
    said: str
    paragraphs: tuple[Paragraph, ...]
    notes: tuple[NoteShown, ...]
    dropped: tuple[NoteShown, ...]
    words: tuple[LeadWord, ...]

    @property
    def length(self) -> int:
        """How much of it there is to read."""
        spans = [span for paragraph in self.paragraphs for span in paragraph.spans]
        return sum(count_words(span.text) for span in spans) + sum(one.words for one in self.notes)


@dataclass(frozen=True, slots=True)
class Change:
    """The difference between two versions of a guideline.

    :ivar before: the number of the version that is known. :ivar version: the one to be read.
    :ivar language: the language that is compared; `translated` is False where that is not the
        reader's, because what is new was not written in theirs.
    :ivar said: when the newest version came, in words.
    """

    batch: Batch
    before: int
    version: GuidelineVersion
    language: str
    translated: bool
    said: str
    words: tuple[LeadWord, ...]
    parts: tuple[PartChange, ...]

    @property
    def minutes(self) -> int:
        """About how long it takes to read, at least one minute."""
        return max(1, round(sum(part.length for part in self.parts) / WORDS_PER_MINUTE))

    @property
    def language_name(self) -> str:
        """What the compared language is called in the reader's."""
        try:
            return str(get_language_info(self.language)["name_translated"])
        except KeyError:
            return self.language

    def of(self, key: str) -> PartChange | None:
        """Return what changed under this dimension, or in the general text ("")."""
        return next((part for part in self.parts if part.key == key), None)


def change_between(
    batch: Batch, rows: Sequence[GuidelineVersion], *, names: Mapping[str, str], now: datetime
) -> Change:
    """Compare the oldest version among the rows with the newest.

    :param rows: every language of every version from the oldest on, in the order of numbers.
    :param names: dimension key -> name, in the order in which they are told.
    """
    before = rows[0].number
    newest = [row for row in rows if row.number == rows[-1].number]
    language = _compared_language(rows)
    steps = [row for row in rows if row.language == language]
    keys = dict.fromkeys(
        ["", *names]
        + [key for row in steps for key in row.by_dimension]
        + [note["dimension"] for row in steps for note in row.notes]
    )
    parts = (_part(key, steps, name=names.get(key, key), now=now) for key in keys)
    version = nearest(newest)
    return Change(
        batch=batch,
        before=before,
        version=version,
        language=language,
        translated=distance(language) <= 1,
        said=moment(version.published_at, now=now),
        words=_words(steps[1:], now=now),
        parts=tuple(part for part in parts if part is not None),
    )


def notes_of(version: GuidelineVersion) -> list[NoteShown]:
    """Return the version's notes, oldest first."""
    return [_shown(Note.from_json(body)) for body in version.notes]


def nearest(versions: Sequence[GuidelineVersion]) -> GuidelineVersion:
    """Return the row of one version in the reader's language, else in English, else any."""
    return min(versions, key=lambda one: distance(one.language))


def distance(language: str) -> int:
    """Return how far a language is from the reader's: 0 and 1 are theirs, 2 is English."""
    active = (get_language() or "en").lower()
    order = [active, active.split("-")[0], "en"]
    return order.index(language.lower()) if language.lower() in order else len(order)


def _compared_language(rows: Sequence[GuidelineVersion]) -> str:
    """Return the nearest language whose text was given anew since; where none was, the nearest.

    Every language of the oldest version is in the newest too, so there is something to compare.
    """
    before = rows[0].number
    then = {row.language for row in rows if row.number == before}
    both = [row for row in rows if row.number == rows[-1].number and row.language in then]
    return nearest([row for row in both if row.written_in > before] or both).language


def _part(
    key: str, steps: Sequence[GuidelineVersion], *, name: str, now: datetime
) -> PartChange | None:
    """Return what changed under the key from the first of the steps to the last."""
    changed = [
        later for earlier, later in pairwise(steps) if _said(earlier, key) != _said(later, key)
    ]
    (was, had), (says, has) = _said(steps[0], key), _said(steps[-1], key)
    if not changed or (was, had) == (says, has):
        return None
    return PartChange(
        key=key,
        name=name,
        said=moment(changed[-1].published_at, now=now),
        paragraphs=compare(to_paragraphs(was), to_paragraphs(says))
        or compare(was.splitlines(), says.splitlines()),
        notes=tuple(_shown(note) for note in has if note not in had),
        dropped=tuple(_shown(note) for note in had if note not in has),
        words=_words(changed, now=now),
    )


def _words(versions: Sequence[GuidelineVersion], *, now: datetime) -> tuple[LeadWord, ...]:
    return tuple(
        LeadWord(
            number=row.number,
            sentence=row.sentence,
            by=name_of(row.published_by),
            said=moment(row.published_at, now=now),
        )
        for row in versions
        if row.sentence
    )


def _said(version: GuidelineVersion, key: str) -> tuple[str, list[Note]]:
    """Return the version's text and notes under the key."""
    text = version.by_dimension.get(key, "") if key else version.text
    notes = [Note.from_json(body) for body in version.notes if body["dimension"] == key]
    return text, notes


def _shown(note: Note) -> NoteShown:
    return NoteShown(
        number=note.number,
        dimension=note.dimension,
        text=to_html(note.text),
        words=count_words(note.text),
        language=note.language,
        item=note.item,
        at=note.at,
    )
