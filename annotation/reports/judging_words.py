"""The sentences beside a row of the judging page: what it is about, why it is locked, when it asks."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, npgettext

from annotation.choices import Branch, ImageRule, SlotState
from annotation.models.content import Slot
from annotation.reports.judging_parts import Point
from annotation.reports.paths import Step
from annotation.reports.questions import RatingQuestion
from annotation.reports.words import listed


def local_target(step: Step, question: RatingQuestion) -> str:
    """Return what an image dimension is about on one turn, or ""."""
    if question.dimension.image_rule == ImageRule.NONE:
        return ""
    match question.branch:
        case Branch.ANSWER_IMAGES:
            return _images_target(step.response_slots)
        case Branch.ANNOUNCED:
            return _("the image not made")
        case Branch.USER_IMAGES:
            return _("the user's picture")
        case Branch.NO_IMAGES:
            return _("no image: n/a")
        case _:
            return ""


def _images_target(slots: Sequence[Slot]) -> str:
    """Say how many images the model made, and how many of them cannot be shown: `3 images, 1 could not be read`."""
    made = [slot.state for slot in slots if slot.state != SlotState.NEVER_MADE]
    lost = [
        (count, words)
        for state, words in (
            (SlotState.BROKEN, _("could not be read")),
            (SlotState.MISSING, _("could not be found")),
            (SlotState.WITHDRAWN, _("withdrawn")),
        )
        if (count := made.count(state))
    ]
    if not lost:
        return npgettext("what is rated", "%(n)d image", "%(n)d images as one set", len(made)) % {
            "n": len(made)
        }
    images = ngettext("%(n)d image", "%(n)d images", len(made)) % {"n": len(made)}
    alone = len(lost) == 1 and lost[0][0] == len(made)
    return listed([images, *(words if alone else f"{count} {words}" for count, words in lost)])


def whole_target(question: RatingQuestion) -> str:
    """Return what an image dimension is about in a whole conversation, or "" where that is plain."""
    match question.branch:
        case Branch.ANNOUNCED:
            return _("images not made")
        case Branch.USER_IMAGES:
            return _("the user's picture")
        case Branch.NO_IMAGES:
            return _("no image anywhere")
        case _:
            return ""


def lock_sentence(state: str) -> str:
    """Return why a rating cannot be given, by the slot state that locks it."""
    return (
        {
            SlotState.MISSING: _("Locked: an image could not be found. It is not a score."),
            SlotState.BROKEN: _("Locked: an image could not be read. It is not a score."),
            SlotState.WITHDRAWN: _("Locked: an image was withdrawn. There is nothing to do."),
        }.get(SlotState(state), "")
        if state
        else ""
    )


def reason_sentence(
    question: RatingQuestion, asked_at: Sequence[str], points: Sequence[Point]
) -> str:
    """Return when a reason is asked, as the label of its field.

    :param asked_at: the scores of the dimension at which one is asked, in order.
    :param points: all its scores.
    """
    rule = question.reason_rule
    if len(asked_at) == len(points):
        return _("Reason, asked here")
    if asked_at:
        last = asked_at[-1]
        at = (
            asked_at[0]
            if len(asked_at) == 1
            else _("%(first)s to %(last)s") % {"first": asked_at[0], "last": last}
        )
        if rule.where_sides_differ:
            return _("Reason, asked at %(scores)s and where the sides differ") % {"scores": at}
        return _("Reason, asked at %(scores)s") % {"scores": at}
    if rule.where_sides_differ:
        return _("Reason, asked where the sides differ")
    return _("Reason, if you like")
