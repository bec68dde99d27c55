"""Words that pages and their scripts share."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.actions.answers import CJK, CJK_WEIGHT
from annotation.choices import AssignmentState, BatchKind, SkipReason
from annotation.labels import label

KINDS: dict[str, Promise] = {
    BatchKind.TURN_PAIR: gettext_lazy("Turn pair"),
    BatchKind.CONVERSATION_PAIR: gettext_lazy("Conversation pair"),
    BatchKind.CONVERSATION: gettext_lazy("Conversation"),
}

STATES: dict[str, Promise] = {
    "ok": gettext_lazy("ok"),
    "provisional": gettext_lazy("provisional"),
    "insufficient": gettext_lazy("too few"),
    "low_variation": gettext_lazy("low variation"),
    "undefined": gettext_lazy("undefined"),
}
"""How far a figure can be leaned on."""

SCOPES: dict[str, Promise] = {
    "overall": gettext_lazy("Overall"),
    "fork": gettext_lazy("At the fork"),
}
"""What is compared, where it is no dimension."""

SKIP_REASONS: tuple[tuple[str, Promise], ...] = (
    (
        SkipReason.RATHER_NOT,
        gettext_lazy("I would rather not (asks nothing, counts in nobody's figures)"),
    ),
    (SkipReason.IMAGE_MISSING, gettext_lazy("An image is missing or broken")),
    (SkipReason.UNCLEAR, gettext_lazy("It cannot be judged as it stands")),
    (SkipReason.LANGUAGE, gettext_lazy("A language I do not read well")),
    (SkipReason.NOT_MY_FIELD, gettext_lazy("It needs knowledge I do not have")),
    (SkipReason.TOO_LONG, gettext_lazy("Too long for the time I have")),
    (SkipReason.OTHER, gettext_lazy("Another reason")),
)


def words_for_script() -> dict[str, object]:
    """Return what the judging page's scripts say, in the reader's language, and what they count by."""
    return {
        "cjk": CJK,
        "cjkWeight": CJK_WEIGHT,
        "comma": _(", "),
        "colon": _(": "),
        "period": _(". "),
        "more": _("{name} ({n} more characters)"),
        "preference": _("Preference"),
        "overall": _("Overall"),
        "overallPreference": _("the preference"),
        "why": _("why"),
        "oneMissing": _("One answer."),
        "allMissing": _("{n} answers in all."),
        "nothingMissing": _("Nothing is missing."),
        "atLeast": _("{n}, at least {least}"),
        "marks": {"asked": _("a reason is asked"), "written": _("a reason is written")},
        "fill": {"empty": _("empty"), "part": _("part"), "done": _("done"), "yours": _("yours")},
        "proposal": _("Your scores say {letter}. Take it"),
        "contradiction": _(
            "You scored {higher} higher here, {high} to {low}, and prefer {side}. Is that what you mean?"
        ),
        "bulk": _("Still open: {names}. Give the same answer…"),
        "bulkSure": _("{names}: {sentence}"),
        "returned": label(AssignmentState.RETURNED),
        "imageWaits": _("{name}, its image could not be loaded"),
        "imageHeld": _("Waits: an image could not be loaded. It is not a score."),
        "imagesLeft": _("Not looked at: {n}."),
        "imageAbout": _("Image {n} of {all} here, {size} px"),
        "noImageHere": _("{letter} has no image at this place."),
        "stop": _("{n} of {all}"),
        "yes": _("Yes, the same"),
        "no": _("No"),
        "keepBoth": _("Yes, keep both"),
        "change": _("Change"),
        "saved": _("Saved {at}"),
        "saving": _("Saving"),
        "sending": _("Sending"),
        "notSaved": _("Not saved, trying again"),
        "oneWaits": _(
            "1 answer is not on the server yet. It is kept in this browser; go on working. Next try in {s} s."
        ),
        "someWait": _(
            "{n} answers are not on the server yet. They are kept in this browser; go on working. Next try in {s} s."
        ),
        "waitUnkept": _(
            "Not yet on the server: {n}. This browser's memory is full or closed to us, so leave this page open. Next try in {s} s."
        ),
        "signedOut": _("Signed out, your changes wait"),
        "someoneElse": _(
            "Somebody else is signed in in this browser now. What you entered is kept here; it is sent once you are signed in again."
        ),
        "seatLost": _("Kept, but the seat is somebody else's now"),
        "twoVersions": _("Two versions"),
        "conflict": _(
            "This item was also changed in another window. Nothing is lost: take one version, or choose line by line. Lines that differ: {n}; the rest is the same in both."
        ),
        "empty": _("empty"),
        "tooLarge": _("The texts are too long together to be kept. Shorten one."),
        "full": _(
            "This is as long as a text can be here: {n} characters. What was more is not kept."
        ),
        "refused": _("The server did not take this. Nothing is lost; try again."),
        "notSent": _(
            "Not sent yet: the server does not answer. It is kept here. Next try in {n} s."
        ),
        "asked": _("Sent. The answer comes to your desk; you can go on."),
        "askFailed": _(
            "Not sent: the server does not answer. Your question is kept here; send it again."
        ),
        "askSignedOut": _(
            "Not sent: you are signed out. Your question is kept here; sign in and send it again."
        ),
        "flagged": _("Flagged for the lead."),
        "notHeld": _("The server did not answer. Try again."),
        "notFlagged": _("The flag did not arrive. Try again."),
    }
