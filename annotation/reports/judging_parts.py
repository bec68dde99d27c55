"""The parts of the judging page: what stands on it, frozen, in the reader's language.

Letters exist here and on the page only: A is the side shown first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation.choices import Branch, SlotState
from annotation.formats.pixels import THUMBNAIL
from annotation.models.assignments import Assignment
from annotation.models.guidelines import GuidelineVersion
from annotation.rendering.html import SafeHtml
from annotation.reports.guideline_changes import NoteShown, PartChange
from annotation.reports.guidelines import GuidelineNow
from annotation.reports.words import listed

AGREED_KEYS = frozenset("ABCFGLMNOPSTVXZ")
"""The letters that mean something on the judging page: no tag may have them."""
TAG_KEYS = "QWERYUIHJKD"
NOT_APPLICABLE = "na"
BY_RULE = "rule"
GALLERY_FROM = 9
SLOT_WIDTH, SLOT_HEIGHT = 304, 400

Entered = Mapping[str, str | Sequence[str]]
"""What is entered, by the names of the form's fields; tags are lists."""


@dataclass(frozen=True, slots=True)
class Point:
    """One answer of a scale. `value` is what the form sends."""

    value: str
    word: str
    meaning: str
    in_order: bool


@dataclass(frozen=True, slots=True)
class Tag:
    """A named kind of fault, with the key that chooses it on the focused row."""

    key: str
    name: str
    shortcut: str


def tag_keys(wished: Sequence[str]) -> list[str]:
    """Return a letter for each tag of a dimension, "" where none is left.

    A tag keeps the letter its rubric wishes, unless the page means something by it or an earlier
    tag has it; then it gets the first of `TAG_KEYS` that nobody wishes.
    """
    taken = set(AGREED_KEYS)
    keys = []
    for wish in wished:
        free = len(wish) == 1 and wish.isascii() and wish.isalpha() and wish not in taken
        keys.append(wish if free else "")
        taken.update(keys[-1])
    left = iter(key for key in TAG_KEYS if key not in taken)
    return [key or next(left, "") for key in keys]


@dataclass(frozen=True, slots=True)
class DimensionShown:
    """A dimension in the reader's language; `guideline` is the batch's own word on it.

    :ivar notes: what questions taught about it. :ivar changed: what changed of it within a day.
    """

    key: str
    name: str
    short_name: str
    question: str
    guidance: tuple[str, ...]
    guideline: SafeHtml | None
    notes: tuple[NoteShown, ...]
    changed: PartChange | None
    points: tuple[Point, ...]
    tags: tuple[Tag, ...]


@dataclass(frozen=True, slots=True)
class SlotShown:
    """A picture's place: `sha256` and sizes where it is stored, else only its state and caption."""

    field: str
    number: int
    state: str
    caption: str
    kind: str
    sha256: str
    width: int
    height: int
    marks: tuple[str, ...]
    remark: str

    @property
    def shown_width(self) -> int:
        """The width at which the picture stands in the text, in CSS pixels."""
        scale = min(1, SLOT_WIDTH / max(1, self.width), SLOT_HEIGHT / max(1, self.height))
        return max(1, round(self.width * scale))

    @property
    def shown_height(self) -> int:
        return max(1, round(self.height * self.shown_width / max(1, self.width)))

    @property
    def thumbnail_width(self) -> int:
        """The width of the thumbnail file, whose longer side is at most `THUMBNAIL`."""
        longer = max(1, self.width, self.height)
        return max(1, round(self.width * min(1, THUMBNAIL / longer)))


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text: HTML, or a picture's place."""

    html: SafeHtml | None
    slot: SlotShown | None


@dataclass(frozen=True, slots=True)
class Text:
    """A prompt or response as it is read, and raw."""

    pieces: tuple[Piece, ...]
    raw: str
    words: int
    language: str
    direction: str
    excerpt: str
    images: tuple[SlotShown, ...]

    @property
    def gallery(self) -> bool:
        return len(self.images) >= GALLERY_FROM

    @property
    def counts(self) -> str:
        """Words and images in words: `145 words, 1 image, 1 not made`."""
        stored = sum(slot.state == SlotState.STORED for slot in self.images)
        never = sum(slot.state == SlotState.NEVER_MADE for slot in self.images)
        other = len(self.images) - stored - never
        parts = [ngettext("%(n)d word", "%(n)d words", self.words) % {"n": self.words}]
        if stored:
            parts.append(ngettext("%(n)d image", "%(n)d images", stored) % {"n": stored})
        if never:
            parts.append(_("%(n)d not made") % {"n": never})
        if other:
            parts.append(_("%(n)d not shown") % {"n": other})
        return listed(parts)


@dataclass(frozen=True, slots=True)
class RatingShown:
    """One row of the matrix: a unit on a dimension.

    `reason_scores` are the values at which a reason is asked, as a space-separated list.
    """

    field: str
    letter: str
    place: str
    dimension: DimensionShown
    target: str
    branch: str
    locked: str
    value: str
    proposed: Point | None
    reason: str
    reason_scores: str
    reason_where_differs: bool
    reason_rule: str
    tags: frozenset[str]
    yours: str
    yours_at: datetime | None

    @property
    def rule_value(self) -> str:
        """What the form sends for the score that the rubric's rule offers."""
        return f"{BY_RULE}:{self.proposed.value}" if self.proposed else ""

    @property
    def keys_hint(self) -> str:
        """The digits that choose a score of the row."""
        ordered = [point.value for point in self.dimension.points if point.in_order]
        return f"{ordered[0]}–{ordered[-1]}" if len(ordered) > 1 else "".join(ordered)


@dataclass(frozen=True, slots=True)
class Option:
    """One answer of a preference; `apart` sets it off from the scale."""

    value: str
    label: str
    sentence: str
    key: str
    apart: bool


@dataclass(frozen=True, slots=True)
class PreferenceShown:
    """One comparison; `rule` says when it is asked of the person."""

    key: str
    field: str
    title: str
    options: tuple[Option, ...]
    value: str
    rule: str
    origin: str
    in_bulk: str
    contradiction: str


@dataclass(frozen=True, slots=True)
class Row:
    """A dimension with its ratings, A first, and its preference where one is asked."""

    dimension: DimensionShown
    ratings: tuple[RatingShown, ...]
    preference: PreferenceShown | None

    @property
    def target(self) -> str:
        """What an image dimension is about here, where all rows share it."""
        targets = {rating.target for rating in self.ratings}
        if len(targets) != 1:
            return ""
        shared = targets.pop()
        several = len(self.ratings) > 1 and self.ratings[0].branch == Branch.ANSWER_IMAGES
        return _("%(target)s each") % {"target": shared} if shared and several else shared

    @property
    def targets(self) -> str:
        """The same where the sides differ: `A: 2 images as one set. B: the image not made.`"""
        if self.target or not any(rating.target for rating in self.ratings):
            return ""
        return " ".join(
            _("%(letter)s: %(target)s.") % {"letter": rating.letter, "target": rating.target}
            for rating in self.ratings
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """One response in its column. `same_as` names an earlier turn with the same words."""

    letter: str
    public_id: str
    text: Text
    same_as: int | None
    yours_at: datetime | None
    critique: str
    refinement: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt over the columns it belongs to; no letter: over all."""

    letter: str
    text: Text


@dataclass(frozen=True, slots=True)
class TurnShown:
    """One turn: its prompts, its answers in columns, and what is asked about them."""

    depth: int
    prompts: tuple[Prompt, ...]
    answers: tuple[Answer, ...]
    rows: tuple[Row, ...]
    note: str

    @property
    def texts(self) -> list[Text]:
        return [one.text for one in self.prompts] + [one.text for one in self.answers]

    @property
    def is_apart(self) -> bool:
        """Whether the two sides stand in columns here."""
        return any(answer.letter for answer in self.answers)

    @property
    def is_prefix(self) -> bool:
        """Whether the turn is only read: it folds away once read."""
        return not self.rows and not self.is_apart

    @property
    def ended(self) -> str:
        """The letter of the side that has no answer on this turn, or nothing."""
        letters = {answer.letter for answer in self.answers}
        return "" if letters != {"A"} and letters != {"B"} else ({"A", "B"} - letters).pop()


@dataclass(frozen=True, slots=True)
class SideSummary:
    """A whole side in a line."""

    letter: str
    public_id: str
    counts: str
    yours_at: datetime | None


@dataclass(frozen=True)
class JudgingPage:
    """One item as one person judges it."""

    assignment: Assignment
    kind: str
    single: bool
    turns: tuple[TurnShown, ...]
    whole: tuple[Row, ...]
    sides: tuple[SideSummary, ...]
    fork_preference: PreferenceShown | None
    overall: PreferenceShown | None
    rationale: str
    guideline: GuidelineVersion | None
    guide: GuidelineNow | None
    guideline_text: SafeHtml | None
    reason_minimum: int
    rationale_minimum: int
    words: int
    images: int
    minutes: int
    carried: int
    prefix_read: bool

    @cached_property
    def prefix(self) -> tuple[TurnShown, ...]:
        """The turns that are only read, from the root to the first one judged."""
        count = next(
            (i for i, turn in enumerate(self.turns) if not turn.is_prefix), len(self.turns)
        )
        return self.turns[:count]

    @cached_property
    def judged(self) -> tuple[TurnShown, ...]:
        """The turns after the prefix."""
        return self.turns[len(self.prefix) :]

    @cached_property
    def pictures(self) -> tuple[SlotShown, ...]:
        """The stored pictures the page shows, in reading order."""
        texts = [text for turn in self.turns for text in turn.texts]
        return tuple(
            slot for text in texts for slot in text.images if slot.state == SlotState.STORED
        )

    @property
    def marked_turns(self) -> list[int]:
        """The turns that show a marked picture."""
        return [
            turn.depth
            for turn in self.turns
            if any(slot.marks and slot.sha256 for text in turn.texts for slot in text.images)
        ]

    @property
    def marked_pictures(self) -> int:
        return sum(bool(one.marks) for one in self.pictures)

    @cached_property
    def dimensions(self) -> tuple[DimensionShown, ...]:
        """Every dimension that is asked about, once, in order."""
        rows = [row for turn in self.turns for row in turn.rows] + list(self.whole)
        return tuple({row.dimension.key: row.dimension for row in rows}.values())
