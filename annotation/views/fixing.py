"""A reviewer's own judgment on the judging page: a blind review, or a fix."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from annotation.actions.reviews import Looked, NotNewest, fix
from annotation.choices import AssignmentState
from annotation.models.assignments import Assignment
from annotation.models.judgments import Judgment
from annotation.models.reviews import Review


@dataclass(frozen=True, slots=True)
class Fixing:
    """What a fix on the page is about: the judgment's public id, and its newest review or 0."""

    judgment: str
    review: int


def fixing(mine: Assignment) -> Fixing | None:
    """Return what the assignment fixes, or None. Two queries where it does."""
    judgment = newest_judgment(mine.about) if mine.about else None
    if judgment is None:
        return None
    return Fixing(judgment.public_id, newest_review(judgment))


def newest_judgment(assignment: Assignment) -> Judgment | None:
    """Return the assignment's highest revision."""
    judgments = assignment.judgments.select_related("member", "item", "seat")
    return judgments.order_by("-revision").first()


def newest_review(judgment: Judgment) -> int:
    """Return the number of the judgment's newest review, 0 without one."""
    numbers = Review.objects.filter(judgment=judgment).order_by("-number")
    return numbers.values_list("number", flat=True).first() or 0


def review_notice(mine: Assignment) -> str:
    """Return what the judging page says to a reviewer."""
    if mine.about is not None:
        return _(
            "You fix the judgment of %(who)s, whose answers stand here. What you send is your own judgment; theirs stays on record."
        ) % {"who": mine.about.member.pseudonym}
    return _(
        "A blind review: judge the item as an annotator does. Then you see their answers beside yours."
    )


def sent_fix(request: HttpRequest, mine: Assignment, sending: dict[str, Any]) -> str:
    """Take a fix; return the address of the next review.

    :raises annotation.errors.AnnotationError: as `actions.reviews.fix`.
    """
    public_id, number = request.POST.get("reviewed", ""), request.POST.get("review", "")
    seen = Judgment.objects.filter(assignment=mine.about, public_id=public_id)
    judgment = seen.select_related("member").first()
    if judgment is None:
        raise NotNewest(_("The page is out of date. Open it again from the reviews."))
    looked = Looked(judgment, int(number) if number.isdecimal() and len(number) < 19 else 0)
    fix(looked, **sending)
    messages.success(
        request,
        _("Fixed. Your judgment stands in place of that of %(who)s.")
        % {"who": judgment.member.pseudonym},
    )
    return f"{reverse('annotation:reviews-next')}?batch={mine.item.batch.slug}"


def after_blind(request: HttpRequest, mine: Assignment) -> str:
    """Return where a blind review goes on: at the judgment it is to be compared with."""
    author = (
        Assignment.objects.annotating()
        .filter(item=mine.item_id, state=AssignmentState.SUBMITTED)
        .exclude(judgments__reviews__isnull=False)
        .order_by("submitted_at", "pk")
        .first()
    )
    if author is None:
        return f"{reverse('annotation:reviews-next')}?batch={mine.item.batch.slug}"
    messages.success(request, _("Kept. Here are the annotator's answers beside yours."))
    return reverse("annotation:review", args=[author.public_id])
