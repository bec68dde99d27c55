"""What the stored words of `choices` are called on a screen, in the reader's language.

English labels are the words themselves. A word that two kinds share ("open" of a batch and of a
seat) has a label of each, because another language need not use one word for both.
"""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from annotation.choices import (
    AssignmentState,
    BatchKind,
    BatchPurpose,
    BatchState,
    Branch,
    Cause,
    Choice,
    DimensionPreference,
    ImageRule,
    ItemOrder,
    JobState,
    Level,
    LocalScope,
    MarkOrigin,
    OnDifference,
    Origin,
    Outcome,
    OverallScale,
    OwnFigures,
    PairChoice,
    PreferenceScope,
    RecordOutcome,
    RemarkKind,
    ReportOutcome,
    ReviewOutcome,
    Role,
    SeatCause,
    SeatPurpose,
    SeatState,
    SignalKind,
    SkipReason,
    SlotState,
    TokenScope,
    VoidTarget,
)

LABELS: Mapping[type[Choice], Mapping[str, str | Promise]] = {
    Role: {
        Role.ANNOTATOR: pgettext_lazy("role", "annotator"),
        Role.REVIEWER: pgettext_lazy("role", "reviewer"),
        Role.LEAD: pgettext_lazy("role", "lead"),
    },
    JobState: {
        JobState.WAITING: pgettext_lazy("job", "waiting"),
        JobState.RUNNING: pgettext_lazy("job", "running"),
        JobState.DONE: pgettext_lazy("job", "done"),
        JobState.FAILED: pgettext_lazy("job", "failed"),
        JobState.CANCELLED: pgettext_lazy("job", "cancelled"),
    },
    RecordOutcome: {
        RecordOutcome.NEW: pgettext_lazy("record", "new"),
        RecordOutcome.SAME: pgettext_lazy("record", "same"),
        RecordOutcome.DUPLICATE: pgettext_lazy("record", "duplicate"),
        RecordOutcome.PREFIX: pgettext_lazy("record", "prefix"),
        RecordOutcome.REFUSED: pgettext_lazy("record", "refused"),
    },
    SlotState: {
        SlotState.STORED: pgettext_lazy("picture", "stored"),
        SlotState.NEVER_MADE: pgettext_lazy("picture", "never made"),
        SlotState.MISSING: pgettext_lazy("picture", "missing"),
        SlotState.BROKEN: pgettext_lazy("picture", "broken"),
        SlotState.WITHDRAWN: pgettext_lazy("picture", "withdrawn"),
    },
    Level: {
        Level.LOCAL: pgettext_lazy("level", "local"),
        Level.GLOBAL: pgettext_lazy("level", "global"),
    },
    ImageRule: {
        ImageRule.NONE: pgettext_lazy("image rule", "none"),
        ImageRule.ANSWER: pgettext_lazy("image rule", "answer"),
        ImageRule.CONVERSATION: pgettext_lazy("image rule", "conversation"),
    },
    Branch: {
        Branch.ANSWER_IMAGES: pgettext_lazy("image branch", "answer images"),
        Branch.ANNOUNCED: pgettext_lazy("image branch", "announced"),
        Branch.USER_IMAGES: pgettext_lazy("image branch", "user images"),
        Branch.NO_IMAGES: pgettext_lazy("image branch", "no images"),
        Branch.NOT_ABOUT_IMAGES: "",
    },
    BatchKind: {
        BatchKind.TURN_PAIR: pgettext_lazy("kind of batch", "turn pair"),
        BatchKind.CONVERSATION_PAIR: pgettext_lazy("kind of batch", "conversation pair"),
        BatchKind.CONVERSATION: pgettext_lazy("kind of batch", "conversation"),
    },
    BatchPurpose: {
        BatchPurpose.PILOT: pgettext_lazy("purpose of a batch", "pilot"),
        BatchPurpose.TRAINING: pgettext_lazy("purpose of a batch", "training"),
        BatchPurpose.QUALIFICATION: pgettext_lazy("purpose of a batch", "qualification"),
        BatchPurpose.MAIN: pgettext_lazy("purpose of a batch", "main"),
        BatchPurpose.TRIAL: pgettext_lazy("purpose of a batch", "trial"),
        BatchPurpose.REFERENCE: pgettext_lazy("purpose of a batch", "reference"),
    },
    BatchState: {
        BatchState.DRAFT: pgettext_lazy("batch", "draft"),
        BatchState.OPEN: pgettext_lazy("batch", "open"),
        BatchState.PAUSED: pgettext_lazy("batch", "paused"),
        BatchState.CLOSED: pgettext_lazy("batch", "closed"),
    },
    ItemOrder: {
        ItemOrder.BY_DIALOGUE: pgettext_lazy("order of items", "by dialogue"),
        ItemOrder.SHUFFLED: pgettext_lazy("order of items", "shuffled"),
    },
    SignalKind: {
        SignalKind.SEVERE: pgettext_lazy("signal", "severe"),
        SignalKind.LENIENT: pgettext_lazy("signal", "lenient"),
        SignalKind.RANDOM: pgettext_lazy("signal", "as if by chance"),
        SignalKind.SIDE: pgettext_lazy("signal", "one side"),
        SignalKind.FAST: pgettext_lazy("signal", "too fast"),
        SignalKind.FLAT: pgettext_lazy("signal", "straight lines"),
        SignalKind.COPIED: pgettext_lazy("signal", "copied texts"),
        SignalKind.TWIN: pgettext_lazy("signal", "same answers"),
        SignalKind.GOLD: pgettext_lazy("signal", "known answers missed"),
        SignalKind.REPEATS: pgettext_lazy("signal", "does not repeat"),
    },
    SeatCause: {
        SeatCause.PLANNED: "",
        SeatCause.DIFFERENCE: pgettext_lazy("why a seat", "votes differ"),
        SeatCause.LEAD: pgettext_lazy("why a seat", "added by a lead"),
        SeatCause.LATE: pgettext_lazy("why a seat", "late work"),
    },
    OnDifference: {
        OnDifference.THIRD_SEAT: pgettext_lazy("votes differ", "a third seat"),
        OnDifference.ADJUDICATE: pgettext_lazy("votes differ", "adjudicate"),
        OnDifference.LEAVE: pgettext_lazy("votes differ", "leave"),
    },
    SeatPurpose: {
        SeatPurpose.OVERLAP: pgettext_lazy("purpose of a seat", "overlap"),
        SeatPurpose.EXTRA: pgettext_lazy("purpose of a seat", "extra"),
        SeatPurpose.REVIEW: pgettext_lazy("purpose of a seat", "review"),
        SeatPurpose.ADJUDICATION: pgettext_lazy("purpose of a seat", "adjudication"),
        SeatPurpose.REFERENCE: pgettext_lazy("purpose of a seat", "reference"),
    },
    SeatState: {
        SeatState.OPEN: pgettext_lazy("seat", "open"),
        SeatState.TAKEN: pgettext_lazy("seat", "taken"),
        SeatState.CLOSED: pgettext_lazy("seat", "closed"),
    },
    AssignmentState: {
        AssignmentState.HELD: pgettext_lazy("assignment", "held"),
        AssignmentState.LAPSED: pgettext_lazy("assignment", "lapsed"),
        AssignmentState.SKIPPED: pgettext_lazy("assignment", "skipped"),
        AssignmentState.SUBMITTED: pgettext_lazy("assignment", "submitted"),
        AssignmentState.RETURNED: pgettext_lazy("assignment", "returned"),
        AssignmentState.SURPLUS: pgettext_lazy("assignment", "surplus"),
    },
    SkipReason: {
        SkipReason.TOO_LONG: pgettext_lazy("reason to skip", "too long"),
        SkipReason.NOT_MY_FIELD: pgettext_lazy("reason to skip", "not my field"),
        SkipReason.LANGUAGE: pgettext_lazy("reason to skip", "language"),
        SkipReason.IMAGE_MISSING: pgettext_lazy("reason to skip", "image missing"),
        SkipReason.UNCLEAR: pgettext_lazy("reason to skip", "unclear"),
        SkipReason.RATHER_NOT: pgettext_lazy("reason to skip", "rather not"),
        SkipReason.OTHER: pgettext_lazy("reason to skip", "other"),
    },
    Cause: {
        Cause.FIRST: pgettext_lazy("cause of a judgment", "first"),
        Cause.CORRECTION: pgettext_lazy("cause of a judgment", "correction"),
        Cause.WITHDRAWAL: pgettext_lazy("cause of a judgment", "withdrawal"),
        Cause.RETURNED: pgettext_lazy("cause of a judgment", "returned"),
        Cause.ADMITTED: pgettext_lazy("cause of a judgment", "admitted"),
        Cause.FIX: pgettext_lazy("cause of a judgment", "fix"),
        Cause.ADJUDICATION: pgettext_lazy("cause of a judgment", "adjudication"),
        Cause.IMPORT: pgettext_lazy("cause of a judgment", "import"),
    },
    Origin: {
        Origin.GIVEN: pgettext_lazy("origin of a rating", "given"),
        Origin.BY_RULE: pgettext_lazy("origin of a rating", "by rule"),
        Origin.PROPOSED: pgettext_lazy("origin of a rating", "proposed"),
        Origin.CARRIED: pgettext_lazy("origin of a rating", "carried"),
    },
    Outcome: {
        Outcome.PREFERS: pgettext_lazy("preference", "prefers"),
        Outcome.TIE: pgettext_lazy("preference", "tie"),
        Outcome.BOTH_BAD: pgettext_lazy("preference", "both bad"),
    },
    PreferenceScope: {
        PreferenceScope.DIMENSION: pgettext_lazy("scope of a preference", "dimension"),
        PreferenceScope.OVERALL: pgettext_lazy("scope of a preference", "overall"),
        PreferenceScope.FORK: pgettext_lazy("scope of a preference", "fork"),
    },
    RemarkKind: {
        RemarkKind.CRITIQUE: pgettext_lazy("remark", "critique"),
        RemarkKind.REFINEMENT: pgettext_lazy("remark", "refinement"),
        RemarkKind.RATIONALE: pgettext_lazy("remark", "rationale"),
        RemarkKind.IMAGE: pgettext_lazy("remark", "image"),
    },
    ReviewOutcome: {
        ReviewOutcome.ACCEPT: pgettext_lazy("review", "accept"),
        ReviewOutcome.FIX: pgettext_lazy("review", "fix"),
        ReviewOutcome.RETURN: pgettext_lazy("review", "return"),
    },
    VoidTarget: {
        VoidTarget.JUDGMENT: pgettext_lazy("void", "judgment"),
        VoidTarget.MEMBER: pgettext_lazy("void", "member"),
        VoidTarget.ITEM: pgettext_lazy("void", "item"),
        VoidTarget.DIALOGUE: pgettext_lazy("void", "dialogue"),
        VoidTarget.IMAGE: pgettext_lazy("void", "image"),
    },
    LocalScope: {
        LocalScope.EVERY_TURN: pgettext_lazy("turns rated", "every turn"),
        LocalScope.AFTER_FORK: pgettext_lazy("turns rated", "after fork"),
        LocalScope.FORK_TURN: pgettext_lazy("turns rated", "fork turn"),
        LocalScope.NONE: pgettext_lazy("turns rated", "none"),
    },
    DimensionPreference: {
        DimensionPreference.ASKED: pgettext_lazy("preference per dimension", "asked"),
        DimensionPreference.PROPOSED: pgettext_lazy("preference per dimension", "proposed"),
        DimensionPreference.ASKED_WHERE_EQUAL: pgettext_lazy(
            "preference per dimension", "asked where equal"
        ),
        DimensionPreference.NONE: pgettext_lazy("preference per dimension", "none"),
    },
    OwnFigures: {
        OwnFigures.CLOSED: pgettext_lazy("own figures", "once the batch is closed"),
        OwnFigures.ANY_TIME: pgettext_lazy("own figures", "at any time"),
        OwnFigures.NEVER: pgettext_lazy("own figures", "never"),
    },
    OverallScale: {
        OverallScale.STRICT: pgettext_lazy("scale of preferences", "strict"),
        OverallScale.TIE: pgettext_lazy("scale of preferences", "with ties"),
        OverallScale.TIE_BOTH_BAD: pgettext_lazy("scale of preferences", "with ties and both bad"),
        OverallScale.GRADED: pgettext_lazy("scale of preferences", "graded"),
    },
    PairChoice: {
        PairChoice.ALL: pgettext_lazy("choice of pairs", "all"),
        PairChoice.RING: pgettext_lazy("choice of pairs", "ring"),
        PairChoice.SAMPLE: pgettext_lazy("choice of pairs", "sample"),
    },
    TokenScope: {
        TokenScope.READ_PAIRS: pgettext_lazy("scope of a key", "pairs:read"),
        TokenScope.READ_RATINGS: pgettext_lazy("scope of a key", "ratings:read"),
        TokenScope.READ_AGREEMENT: pgettext_lazy("scope of a key", "agreement:read"),
        TokenScope.EXPORTS: pgettext_lazy("scope of a key", "exports"),
        TokenScope.READ_IMAGES: pgettext_lazy("scope of a key", "images:read"),
    },
    MarkOrigin: {
        MarkOrigin.FILE: pgettext_lazy("origin of a mark", "file"),
        MarkOrigin.WORDS: pgettext_lazy("origin of a mark", "words"),
        MarkOrigin.REPORT: pgettext_lazy("origin of a mark", "report"),
    },
    ReportOutcome: {
        ReportOutcome.PUT_BACK: pgettext_lazy("report", "put back"),
        ReportOutcome.MARKED: pgettext_lazy("report", "marked"),
        ReportOutcome.WITHDRAWN: pgettext_lazy("report", "withdrawn"),
    },
}

LEFT_OUT: Mapping[str, str | Promise] = {
    # judgments, ratings and preferences that are in no figure or file
    "not_applicable": gettext_lazy("not applicable"),
    "outside_order": gettext_lazy("outside the scale's order"),
    "by_rule": gettext_lazy("filled in by a rule"),
    "carried": gettext_lazy("carried from an earlier item"),
    "rated_again": gettext_lazy("rated anew in a later item"),
    "withdrawn": gettext_lazy("withdrawn"),
    "surplus": gettext_lazy("surplus, not admitted"),
    "extra": gettext_lazy("extra seats"),
    "review": gettext_lazy("reviews"),
    "adjudication": gettext_lazy("adjudications"),
    "reference": gettext_lazy("reference seats"),
    "repeat": gettext_lazy("repeats"),
    "gold": gettext_lazy("known answers"),
    "saw_others": gettext_lazy("made after seeing others' judgments"),
    "import": gettext_lazy("imported"),
    "fix": gettext_lazy("reviewers' fixes"),
    "void_judgment": gettext_lazy("void"),
    "void_member": gettext_lazy("void: the person's work"),
    "void_item": gettext_lazy("void: the item"),
    "void_dialogue": gettext_lazy("void: the dialogue"),
    "void_image": gettext_lazy("void: a picture"),
    "training_batch": gettext_lazy("training"),
    "qualification_batch": gettext_lazy("qualification"),
    "trial_batch": gettext_lazy("trial"),
    "reference_batch": gettext_lazy("reference"),
    # possible items that a batch does not take
    "incomplete": gettext_lazy("missing or broken pictures"),
    "prefix": gettext_lazy("one side begins the other"),
    "unequal_length": gettext_lazy("unequal length"),
    "equal": gettext_lazy("equal in text and pictures"),
    "not_chosen": gettext_lazy("not chosen by ring or sample"),
    "dialogues_without_item": gettext_lazy("dialogues without item"),
}
"""Why something is not counted or not taken: a stored reason and what it is called."""


def left_out(reason: str) -> str:
    """Return the reason in words; one without a name of its own as it is stored."""
    if reason.startswith("marked_"):
        return _("content mark: %(mark)s") % {"mark": reason.removeprefix("marked_")}
    return str(LEFT_OUT.get(reason, reason.replace("_", " ")))


def label(word: Choice) -> str:
    """Return what the word is called in the active language."""
    return str(LABELS[type(word)][word])


def choices(kind: type[Choice]) -> list[tuple[str, str | Promise]]:
    """Return (value, label) pairs as Django's fields want them, each label in its reader's language."""
    return [(word.value, LABELS[kind][word]) for word in kind]
