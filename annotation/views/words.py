"""Words that pages and their scripts share."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.choices import BatchKind, SkipReason

KINDS: dict[str, Promise] = {
    BatchKind.TURN_PAIR: gettext_lazy("Turn pair"),
    BatchKind.CONVERSATION_PAIR: gettext_lazy("Conversation pair"),
    BatchKind.CONVERSATION: gettext_lazy("Conversation"),
}

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
    """Return the sentences the judging page's scripts say, in the reader's language."""
    return {
        "more": _("{name}, {n} more characters"),
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
        "yes": _("Yes, the same"),
        "no": _("No"),
        "keepBoth": _("Yes, keep both"),
        "change": _("Change"),
        "saved": _("Saved {at}"),
        "saving": _("Saving"),
        "sending": _("Sending"),
        "notSaved": _("Not saved, trying again"),
        "signedOut": _("Signed out, your changes wait"),
        "seatLost": _("Kept, but the seat is somebody else's now"),
        "twoVersions": _("Two versions"),
        "conflict": _(
            "This item was also changed in another window. Nothing is lost: take one version, or choose line by line. Lines that differ: {n}; the rest is the same in both."
        ),
        "empty": _("empty"),
        "refused": _("The server did not take this. Nothing is lost; try again."),
        "notSent": _(
            "Not sent yet: the server does not answer. It is kept here. Next try in {n} s."
        ),
        "flagged": _("Flagged for the lead."),
        "notFlagged": _("The flag did not arrive. Try again."),
    }
