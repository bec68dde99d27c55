"""What is known of an item: to a person in training beside their own answers, to a lead alone."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from annotation.choices import BatchPurpose, Cause, Level, Outcome
from annotation.labels import label
from annotation.models.assignments import Assignment
from annotation.models.batches import Item
from annotation.models.judgments import Judgment, Preference, Rating
from annotation.models.quality import GoldAnswer
from annotation.models.rubric import ScalePoint
from annotation.reports.gold import Scored, outside_order, score, standing_answers
from annotation.reports.words import in_language, listed


@dataclass(frozen=True, slots=True)
class Told:
    """One question: where it stood on their screen, what they said, and what is known.

    :ivar question: such as "A, turn 2: Text quality". :ivar yours, known: answers in words.
    :ivar near: within the tolerance, and not the same. :ivar text: the feedback, or "".
    """

    question: str
    yours: str
    known: str
    hit: bool
    near: bool
    text: str


@dataclass(frozen=True, slots=True)
class Known:
    """One question with the answer that is known, in words; `text` as in `Told`."""

    question: str
    known: str
    text: str


def known_of(assignment: Assignment) -> tuple[Known, ...]:
    """Return the known answers to the assignment's item, sides by its letters. Two queries."""
    answers = standing_answers([assignment.item])[assignment.item_id]
    words = _words(assignment.item) if answers else {}
    rows = [
        Known(_question(one, assignment), _known(one, assignment, words), one.feedback)
        for one in answers
    ]
    return tuple(sorted(rows, key=lambda row: row.question))


def feedback_on(assignment: Assignment) -> tuple[Told, ...] | None:
    """Return what the person is told; None where it is not the time: the item is not submitted yet,
    or its batch is no training. Nine queries.

    Their first word on the item is what is compared.
    """
    item = assignment.item
    if item.batch.purpose != BatchPurpose.TRAINING:
        return None
    first = (
        Judgment.objects.filter(assignment=assignment, cause=Cause.FIRST)
        .order_by("revision")
        .prefetch_related("ratings", "preferences__preferred")
        .first()
    )
    if first is None:
        return None
    scored = score(first, standing_answers([item])[item.pk], outside=outside_order(item.batch))
    words = _words(item)
    rows = [_told(one, first, words) for one in scored]
    return tuple(sorted(rows, key=lambda row: row.question))


Words = dict[tuple[int, int], str]
"""The word of each score of each dimension."""


def _words(item: Item) -> Words:
    points = ScalePoint.objects.filter(dimension__rubric=item.batch.rubric_id)
    return {
        (dimension, score): in_language(word)
        for dimension, score, word in points.values_list("dimension", "score", "word")
    }


def _known(answer: GoldAnswer, seen: Judgment | Assignment, words: Words) -> str:
    if answer.score is None:
        return _preference(answer.outcome, answer.response_id, seen)
    known = _score(answer.dimension_id, answer.score, words)
    if answer.tolerance:
        return _("%(score)s (± %(points)s)") % {"score": known, "points": answer.tolerance}
    return known


def _told(one: Scored, judgment: Judgment, words: Words) -> Told:
    answer, given = one.answer, one.given
    if isinstance(given, Preference):
        yours = _preference(given.outcome, given.preferred_id, judgment)
    else:
        yours = _score(answer.dimension_id, given.score if given else None, words)
    return Told(
        question=_question(answer, judgment),
        yours=yours,
        known=_known(answer, judgment, words),
        hit=one.hit,
        near=one.hit and isinstance(given, Rating) and given.score != answer.score,
        text=answer.feedback,
    )


def _score(dimension: int | None, points: int | None, words: Words) -> str:
    if points is None:
        return _("not applicable")
    return f"{points} {words.get((dimension or 0, points), '')}".strip()


def _preference(outcome: str, preferred: int | None, judgment: Judgment | Assignment) -> str:
    if outcome != Outcome.PREFERS:
        return str(label(Outcome(outcome)))
    return _("prefers %(side)s") % {"side": _letter(preferred, judgment)}


def _letter(response: int | None, judgment: Judgment | Assignment) -> str:
    first = judgment.shown_first == 1
    return "A" if (response == judgment.item.response_1_id) == first else "B"


def _question(answer: GoldAnswer, judgment: Judgment | Assignment) -> str:
    name = _("Overall")
    if answer.dimension is not None:
        name = in_language(answer.dimension.short_name) or answer.dimension.key
    if answer.score is None or answer.response is None:
        return _("Preference: %(name)s") % {"name": name}
    item = judgment.item
    on_first = answer.response_id in item.response_1.lineage_ids()
    on_second = item.response_2 is not None and (
        answer.response_id in item.response_2.lineage_ids()
    )
    place = _("turn %(turn)s") % {"turn": answer.response.depth}
    if answer.dimension is not None and answer.dimension.level == Level.GLOBAL:
        place = _("whole")
    if item.response_2 is not None and on_first != on_second:
        side = item.response_1_id if on_first else item.response_2_id
        place = listed((_letter(side, judgment), place))
    return place + _(": ") + name
