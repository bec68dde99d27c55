"""The words that are stored and exported, and the settings of a batch.

Values are what stands in the database and in files; they never change. No Django here, so the
pure layers may use them too; `choices()` gives Django its pairs.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Self


class Choice(StrEnum):
    """A stored word."""

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """Return (value, label) pairs as Django's fields want them."""
        return [(member.value, member.value.replace("_", " ")) for member in cls]


class Role(Choice):
    ANNOTATOR = "annotator"
    REVIEWER = "reviewer"
    LEAD = "lead"


class JobState(Choice):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # three attempts failed, or the work itself was refused: parked
    CANCELLED = "cancelled"


class RecordOutcome(Choice):
    NEW = "new"
    SAME = "same"
    DUPLICATE = "duplicate"
    PREFIX = "prefix"
    REFUSED = "refused"


class SlotState(Choice):
    STORED = "stored"
    NEVER_MADE = "never_made"  # the file says that the model made no image
    MISSING = "missing"  # named, but no such file was found
    BROKEN = "broken"  # found, but not readable as an image
    WITHDRAWN = "withdrawn"


class Level(Choice):
    LOCAL = "local"
    GLOBAL = "global"


class ImageRule(Choice):
    """What the rubric says a dimension is about, where images are concerned."""

    NONE = "none"  # text only: images play no part
    ANSWER = "answer"  # this turn's images; else the announced one; else the user's picture
    CONVERSATION = "conversation"  # the images of all turns


class Branch(Choice):
    """What an image dimension was about on the turn that was rated."""

    ANSWER_IMAGES = "answer_images"
    ANNOUNCED = "announced"  # an image was announced and not made
    USER_IMAGES = "user_images"
    NO_IMAGES = "no_images"  # nothing to judge: not applicable in one key
    NOT_ABOUT_IMAGES = ""


class SignalKind(Choice):
    """What in a person's work a lead should look at. A sign never acts by itself."""

    SEVERE = "severe"
    LENIENT = "lenient"
    RANDOM = "random"
    SIDE = "side"
    FAST = "fast"
    FLAT = "flat"
    COPIED = "copied"
    TWIN = "twin"
    GOLD = "gold"
    REPEATS = "repeats"


class BatchKind(Choice):
    TURN_PAIR = "turn_pair"
    CONVERSATION_PAIR = "conversation_pair"
    CONVERSATION = "conversation"


class BatchPurpose(Choice):
    PILOT = "pilot"
    TRAINING = "training"
    QUALIFICATION = "qualification"
    MAIN = "main"
    TRIAL = "trial"
    REFERENCE = "reference"


class BatchState(Choice):
    DRAFT = "draft"
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"


class ItemOrder(Choice):
    BY_DIALOGUE = "by_dialogue"
    SHUFFLED = "shuffled"


class SeatPurpose(Choice):
    OVERLAP = "overlap"
    EXTRA = "extra"
    REVIEW = "review"
    ADJUDICATION = "adjudication"
    REFERENCE = "reference"


ANNOTATING = (SeatPurpose.OVERLAP, SeatPurpose.EXTRA, SeatPurpose.REFERENCE)
DECIDING = (SeatPurpose.REVIEW, SeatPurpose.ADJUDICATION)
"""Seats of those who look at others' work."""


class SeatCause(Choice):
    """Why a seat was made beside those that the batch's overlap asks for."""

    PLANNED = ""
    DIFFERENCE = "difference"  # the votes before it differed
    LEAD = "lead"  # a lead added it
    LATE = "late"  # for work that came after its lease and was admitted


class OnDifference(Choice):
    """What follows when an item's independent judgments differ."""

    THIRD_SEAT = "third_seat"
    ADJUDICATE = "adjudicate"
    LEAVE = "leave"


class SeatState(Choice):
    OPEN = "open"
    TAKEN = "taken"
    CLOSED = "closed"


class AssignmentState(Choice):
    HELD = "held"
    LAPSED = "lapsed"
    SKIPPED = "skipped"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    SURPLUS = "surplus"  # submitted after the seat was gone; enters nothing until admitted


SEATED = (AssignmentState.HELD, AssignmentState.SUBMITTED, AssignmentState.RETURNED)


class SkipReason(Choice):
    TOO_LONG = "too_long"
    NOT_MY_FIELD = "not_my_field"
    LANGUAGE = "language"
    IMAGE_MISSING = "image_missing"
    UNCLEAR = "unclear"
    RATHER_NOT = "rather_not"
    OTHER = "other"


class Cause(Choice):
    FIRST = "first"
    CORRECTION = "correction"
    WITHDRAWAL = "withdrawal"
    RETURNED = "returned"
    ADMITTED = "admitted"
    FIX = "fix"
    ADJUDICATION = "adjudication"
    IMPORT = "import"


class Origin(Choice):
    """How a rating or preference came to stand there."""

    GIVEN = "given"
    BY_RULE = "by_rule"
    PROPOSED = "proposed"  # the page proposed it, the person confirmed it
    CARRIED = "carried"  # the person's own earlier rating of the same unit, left as it was


class Outcome(Choice):
    PREFERS = "prefers"
    TIE = "tie"
    BOTH_BAD = "both_bad"


class PreferenceScope(Choice):
    DIMENSION = "dimension"
    OVERALL = "overall"
    FORK = "fork"  # overall, of the two answers at the fork alone


class RemarkKind(Choice):
    CRITIQUE = "critique"
    REFINEMENT = "refinement"
    RATIONALE = "rationale"
    IMAGE = "image"


class ReviewOutcome(Choice):
    ACCEPT = "accept"
    FIX = "fix"
    RETURN = "return"


class VoidTarget(Choice):
    JUDGMENT = "judgment"
    MEMBER = "member"  # a person's work since a time
    ITEM = "item"
    DIALOGUE = "dialogue"
    IMAGE = "image"


class MarkOrigin(Choice):
    """Who said that a dialogue or picture shows something hard to look at."""

    FILE = "file"
    WORDS = "words"  # the operator's word list
    REPORT = "report"  # an annotator, and the lead who looked


class ReportOutcome(Choice):
    PUT_BACK = "put_back"
    MARKED = "marked"
    WITHDRAWN = "withdrawn"


class LocalScope(Choice):
    EVERY_TURN = "every_turn"
    AFTER_FORK = "after_fork"  # the fork turn and all that follow
    FORK_TURN = "fork_turn"
    NONE = "none"


class DimensionPreference(Choice):
    ASKED = "asked"
    PROPOSED = "proposed"  # from differing scores, for the person to confirm
    ASKED_WHERE_EQUAL = "asked_where_equal"
    NONE = "none"


class OverallScale(Choice):
    STRICT = "strict"  # A, B
    TIE = "tie"  # A, same, B
    TIE_BOTH_BAD = "tie_both_bad"  # A, same, B, both bad
    GRADED = "graded"  # A much, A, same, B, B much, both bad


class PairChoice(Choice):
    ALL = "all"
    RING = "ring"
    SAMPLE = "sample"


class OwnFigures(Choice):
    """When annotators may see their own figures, which are made of others' judgments too."""

    CLOSED = "closed"  # once the batch is closed
    ANY_TIME = "any_time"
    NEVER = "never"


class TokenScope(Choice):
    READ_PAIRS = "pairs:read"
    READ_RATINGS = "ratings:read"
    READ_AGREEMENT = "agreement:read"
    EXPORTS = "exports"
    READ_IMAGES = "images:read"


@dataclass(frozen=True, slots=True)
class ReasonRule:
    """When a written reason is asked for a rating; asked where any of the parts says so.

    :ivar always: every time.
    :ivar at_or_below: where the score is this or lower (points outside the order count as lower).
    :ivar where_sides_differ: where the two sides of the item got different scores.
    :ivar share: on this share of the units, drawn from the batch's seed (0 to 1).
    """

    always: bool = False
    at_or_below: int | None = None
    where_sides_differ: bool = False
    share: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `always`, `never`, `at-or-below:1`, `differ`, `share:0.2`, or several with `+`.

        :raises ValueError: with what was not understood.
        """
        rule = cls()
        for part in (piece.strip() for piece in text.split("+")):
            name, _, value = part.partition(":")
            match name.replace("_", "-"):
                case "never":
                    continue
                case "always":
                    rule = replace(rule, always=True)
                case "at-or-below":
                    rule = replace(rule, at_or_below=int(value))
                case "differ" | "where-sides-differ":
                    rule = replace(rule, where_sides_differ=True)
                case "share":
                    share = float(value)
                    if not 0 <= share <= 1:
                        raise ValueError(f"share:{value} is not between 0 and 1")
                    rule = replace(rule, share=share)
                case _:
                    raise ValueError(
                        f"{part!r} is not a reason rule; "
                        "use always, never, at-or-below:N, differ or share:F, joined by +"
                    )
        return rule

    def __str__(self) -> str:
        parts = [
            "always" if self.always else "",
            f"at-or-below:{self.at_or_below}" if self.at_or_below is not None else "",
            "differ" if self.where_sides_differ else "",
            f"share:{self.share:g}" if self.share else "",
        ]
        return "+".join(part for part in parts if part) or "never"


REASON_PRESETS: Mapping[str, Mapping[str, str]] = {
    "intermt": {
        "crucial_step_recognition": "always",
        "local_image_text_consistency": "at-or-below:1+share:0.2",
        "visual_perceptual_quality": "at-or-below:1+share:0.2",
    },
    "as-published": {
        "crucial_step_recognition": "always",
        "local_image_text_consistency": "always",
        "visual_perceptual_quality": "always",
    },
}
"""Reason rules by dimension key; a dimension not named asks for none."""


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """Everything about a batch that decides what an annotator is asked. Fixed when it opens.

    Stored as JSON on the batch by `as_json` and read by `from_json`, the one schema there is.

    :ivar local_scope: on which turns responses are rated.
    :ivar global_ratings: whether whole conversations are rated.
    :ivar reasons: dimension key -> when a reason is asked; absent means never.
    :ivar reason_minimum: least length of an asked reason, in code points; a CJK character
        counts as two and a half.
    :ivar rationale_minimum: least length of the rationale of a pair's overall preference,
        counted alike; 0 asks for none.
    :ivar dimension_preference: whether and how a preference per dimension is asked.
    :ivar overall_scale: the answers offered for preferences.
    :ivar fork_preference: also ask the overall preference of the two answers at the fork.
    :ivar pairs: which conversation pairs of a tree become items; None: ring above three paths.
    :ivar pairs_per_tree: how many, where `pairs` is `sample`.
    :ivar equal_length_only: leave out pairs of unequal length.
    :ivar include_incomplete: take items with missing or broken slots.
    :ivar overlap: independent judgments an item needs.
    :ivar overlap_high: where overlap is mixed, the higher number ...
    :ivar overlap_high_share: ... and the seeded share of items (0 to 1) that has it.
    :ivar everyone: one seat for each member of the batch, whatever `overlap` says.
    :ivar on_difference: what follows when an item's independent judgments differ.
    :ivar difference_points: two scores of one unit differ from so many points on; 0: scores
        are not compared. Two overall preferences differ when their outcomes do.
    :ivar repeats: items that the same person meets again, sides swapped: below 1 a share of the
        items, from 1 on that many.
    :ivar repeat_gap: least number of a person's own items between the two.
    :ivar gold: items with known answers that are mixed in for everyone, counted alike.
    :ivar gold_from: slugs of the batches whose items with known answers may be drawn; empty: of
        all batches of the kind.
    :ivar pass_mark: share of the known answers (0 to 1) that passes a qualification.
    :ivar requires: slug of the qualification batch that must be passed first, or "".
    :ivar population: who the annotators are, in the lead's words; exports carry it.
    :ivar own_figures: when annotators may see their own severity and agreement.
    :ivar undo_minutes: how long a submission can be taken back.
    :ivar hold_minutes: how long an item is kept for somebody who asks to hold it for a break.
    :ivar holds_per_day: how often a person can ask for that in a day; 0 is never.
    :ivar browser_translation: whether the dialogue's text may be translated by the browser.
    :ivar guideline_fixed: whether the guideline stays as it was while the batch is open.
    :ivar review_share: the seeded share of items whose judgments a reviewer looks at (0 to 1).
    :ivar review_blind_share: the seeded part of those that a reviewer judges alone first
        (0 to 1); only they say how well reviewers agree with annotators.
    """

    local_scope: LocalScope = LocalScope.EVERY_TURN
    global_ratings: bool = True
    reasons: Mapping[str, ReasonRule] = field(default_factory=dict)
    reason_minimum: int = 20
    rationale_minimum: int = 0
    dimension_preference: DimensionPreference = DimensionPreference.ASKED
    overall_scale: OverallScale = OverallScale.TIE_BOTH_BAD
    fork_preference: bool = False
    pairs: PairChoice | None = None
    pairs_per_tree: int = 3
    equal_length_only: bool = True
    include_incomplete: bool = False
    overlap: int = 2
    overlap_high: int = 0
    overlap_high_share: float = 0.0
    everyone: bool = False
    on_difference: OnDifference = OnDifference.LEAVE
    difference_points: int = 2
    repeats: float = 0.0
    repeat_gap: int = 10
    gold: float = 0.0
    gold_from: tuple[str, ...] = ()
    pass_mark: float = 0.8
    requires: str = ""
    population: str = ""
    own_figures: OwnFigures = OwnFigures.CLOSED
    undo_minutes: int = 10
    hold_minutes: int = 120
    holds_per_day: int = 3
    browser_translation: bool = False
    guideline_fixed: bool = False
    review_share: float = 0.0
    review_blind_share: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values; `from_json` gives the same settings back."""
        body = asdict(self)
        body["reasons"] = {key: str(rule) for key, rule in sorted(self.reasons.items())}
        body["gold_from"] = list(self.gold_from)
        return body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Read settings; a missing name has its default.

        :raises ValueError: for an unknown name or a value that is none of its choices.
        """
        known = {one.name for one in fields(cls)}
        if unknown := sorted(set(body) - known):
            raise ValueError(f"unknown batch settings: {', '.join(unknown)}")
        values = dict(body)
        kinds: dict[str, type[Choice]] = {
            "local_scope": LocalScope,
            "dimension_preference": DimensionPreference,
            "overall_scale": OverallScale,
            "pairs": PairChoice,
            "on_difference": OnDifference,
            "own_figures": OwnFigures,
        }
        for name, kind in kinds.items():
            if values.get(name) is not None:
                values[name] = kind(values[name])
        if "reasons" in values:
            values["reasons"] = {
                key: ReasonRule.parse(rule) for key, rule in values["reasons"].items()
            }
        values["gold_from"] = tuple(values.get("gold_from", ()))
        return cls(**values)
