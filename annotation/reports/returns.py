"""What a reviewer sent back to its author: each place in words, with the answer given there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from annotation.choices import AssignmentState, Level, Outcome, PreferenceScope, ReviewOutcome
from annotation.models.assignments import Assignment
from annotation.models.content import Response
from annotation.models.judgments import Preference, Rating
from annotation.models.reviews import Review
from annotation.models.rubric import Dimension
from annotation.reports.words import in_language, listed


@dataclass(frozen=True, slots=True)
class ReturnedPlace:
    """One answer to look at again.

    :ivar words: "Turn 4, A, visual quality". :ivar given: "You gave 3 Great."
    :ivar anchor: where it stands on the judging page. :ivar link: "Open at turn 4".
    :ivar answer: public id of the answer of a turn that it rates, "" where it rates none.
    """

    words: str
    given: str
    anchor: str
    link: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Returned:
    """A return: the reviewer's note, when, and the places."""

    note: str
    at: datetime
    places: tuple[ReturnedPlace, ...]

    @property
    def answers(self) -> frozenset[str]:
        """The public ids of the answers to read again."""
        return frozenset(one.answer for one in self.places if one.answer)


def returned_notes(assignments: Iterable[Assignment]) -> dict[int, Returned]:
    """Return what was said of each returned assignment, by primary key. At most five queries.

    `item` with its responses must be loaded.
    """
    returned = {one.pk: one for one in assignments if one.state == AssignmentState.RETURNED}
    if not returned:
        return {}
    reviews: dict[int, Review] = {
        review.judgment.assignment_id: review
        for review in Review.objects.filter(
            judgment__assignment__in=returned, outcome=ReviewOutcome.RETURN
        )
        .select_related("judgment")
        .order_by("number")
    }
    words = _Words(list(reviews.values()))
    return {
        pk: Returned(
            note=review.note,
            at=review.created_at,
            places=tuple(words.place(one, review, returned[pk]) for one in review.places),
        )
        for pk, review in reviews.items()
    }


class _Words:
    """The answers of the reviewed judgments, loaded at once."""

    def __init__(self, reviews: Sequence[Review]) -> None:
        judgments = [review.judgment_id for review in reviews]
        named = {
            one["response"] for review in reviews for one in review.places if "response" in one
        }
        self.responses = {
            one.public_id: one for one in Response.objects.filter(public_id__in=named).defer("text")
        }
        ratings = Rating.objects.filter(judgment__in=judgments, response__public_id__in=named)
        self.ratings: dict[tuple[int, str, str], Rating] = {
            (one.judgment_id, one.response.public_id, one.dimension.key): one
            for one in ratings.select_related("response", "dimension").prefetch_related(
                "dimension__points"
            )
        }
        self.preferences: dict[tuple[int, str], Preference] = {}
        if any("preference" in one for review in reviews for one in review.places):
            for other in Preference.objects.filter(judgment__in=judgments).select_related(
                "dimension", "preferred"
            ):
                name = f"dimension:{other.dimension.key}" if other.dimension else other.scope
                self.preferences[other.judgment_id, name] = other

    def place(
        self, place: Mapping[str, str], review: Review, assignment: Assignment
    ) -> ReturnedPlace:
        if "preference" in place:
            return self._preference(place["preference"], review, assignment)
        return self._rating(place["response"], place["dimension"], review, assignment)

    def _rating(
        self, public_id: str, key: str, review: Review, assignment: Assignment
    ) -> ReturnedPlace:
        rating = self.ratings[review.judgment_id, public_id, key]
        response = self.responses[public_id]
        depth = {"depth": response.depth}
        if rating.dimension.level == Level.LOCAL:
            where, link = _("Turn %(depth)d") % depth, _("Open at turn %(depth)d") % depth
        else:
            where, link = _("Whole conversation"), _("Open at the whole conversation")
        parts = (where, _letter(response, assignment), dimension_name(rating.dimension))
        return ReturnedPlace(
            words=listed(parts),
            given=_("You gave %(score)s.") % {"score": _score(rating)},
            anchor=f"q-{public_id}.{key}",
            link=link,
            answer=public_id if rating.dimension.level == Level.LOCAL else "",
        )

    def _preference(self, name: str, review: Review, assignment: Assignment) -> ReturnedPlace:
        one = self.preferences[review.judgment_id, name]
        what = {
            PreferenceScope.OVERALL: _("overall"),
            PreferenceScope.FORK: _("where they part"),
        }.get(PreferenceScope(one.scope), "")
        if one.dimension is not None:
            what = dimension_name(one.dimension)
        return ReturnedPlace(
            words=_("Preference, %(what)s") % {"what": what},
            given=_("You said: %(sentence)s") % {"sentence": _outcome(one, assignment)},
            anchor=f"q-preference.{name}",
            link=_("Open at the preference"),
        )


def dimension_name(dimension: Dimension) -> str:
    """Return the dimension's short name in the reader's language."""
    return in_language(dimension.short_name) or in_language(dimension.name) or dimension.key


def _score(rating: Rating) -> str:
    if rating.score is None:
        return _("not applicable")
    points = {point.score: in_language(point.word) for point in rating.dimension.points.all()}
    return f"{rating.score} {points.get(rating.score, '')}".replace("-", "−", 1).strip()


def _letter(response: Response, assignment: Assignment) -> str:
    """Return the letter under which the author saw the response, "" where both sides share it."""
    item = assignment.item
    if item.response_2 is None:
        return ""
    sides = [response.pk in side.lineage_ids() for side in (item.response_1, item.response_2)]
    if sides == [True, True] or sides == [False, False]:
        return ""
    return "A" if sides.index(True) + 1 == assignment.shown_first else "B"


def _outcome(one: Preference, assignment: Assignment) -> str:
    if one.outcome == Outcome.TIE:
        return _("both are the same.")
    if one.outcome == Outcome.BOTH_BAD or one.preferred is None:
        return _("both are bad.")
    letter = {"letter": _letter(one.preferred, assignment)}
    if one.strength and one.strength > 1:
        return _("%(letter)s is much better.") % letter
    return _("%(letter)s is better.") % letter
