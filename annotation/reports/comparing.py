"""Several people's judgments of one item, side by side by pseudonym.

All of them are told with the letters of the page they stand on: responses are compared, never
sides of a screen. Where a person's own A and B were the other way round, it is said beside their
texts.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation.choices import Cause, Outcome, RemarkKind, SeatPurpose
from annotation.models.batches import Batch, Item
from annotation.models.judgments import Judgment, Preference, Rating, Remark
from annotation.reports.judging_parts import (
    NOT_APPLICABLE,
    DimensionShown,
    JudgingPage,
    PreferenceShown,
    RatingShown,
    Row,
)
from annotation.reports.voids import standing_voids
from annotation.reports.words import listed


@dataclass(frozen=True, slots=True)
class Said:
    """One person's answer to one question, in words; `value` is what a form would send."""

    who: str
    value: str
    words: str
    reason: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """One question with everybody's answers.

    :ivar field: its name on the page, `RESPONSE.DIMENSION` or `preference.KEY`.
    :ivar differs: not everybody gave the same answer. :ivar words: how far they are apart.
    :ivar size: the same as a number: points apart, 3 for opposite preferences.
    """

    field: str
    place: str
    name: str
    said: tuple[Said, ...]
    differs: bool
    words: str
    size: int

    @property
    def agreed(self) -> str:
        """The answer that everybody gave, or "" where they differ or only one has answered."""
        return self.said[0].value if len(self.said) > 1 and not self.differs else ""


@dataclass(frozen=True, slots=True)
class Person:
    """Who judged: when, as what, and their texts; `swapped`: their A is B on this page."""

    who: str
    judgment: str
    as_what: str
    submitted_at: datetime
    swapped: bool
    texts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """An item's judgments beside each other, by the page's field names."""

    people: tuple[Person, ...]
    questions: Mapping[str, Question]

    @property
    def differing(self) -> list[Question]:
        """The questions on which people differ, the furthest apart first."""
        found = [one for one in self.questions.values() if one.differs]
        return sorted(found, key=lambda one: -one.size)

    @property
    def agreeing(self) -> int:
        return sum(bool(one.agreed) for one in self.questions.values())


def judgments_beside(item: Item, *, but: SeatPurpose = SeatPurpose.ADJUDICATION) -> list[Judgment]:
    """Return the item's live judgments that no void takes out, the oldest first. Five queries.

    :param but: seats of this purpose are left out.
    """
    number = Batch.objects.values_list("last_number", flat=True).get(pk=item.batch_id)
    live = Judgment.objects.filter(item=item).live(number=number).exclude(seat__purpose=but)
    return list(
        standing_voids(item.batch, number=number)
        .outside(live)
        .select_related("member", "seat")
        .order_by("number")
    )


def agreed_answers(item: Item) -> dict[str, str]:
    """Return the answers on which all judgments beside each other agree, by field name."""
    judgments = judgments_beside(item)
    values: dict[str, list[str]] = defaultdict(list)
    for field, value, _one in _values(judgments):
        values[field].append(value)
    return {
        field: said[0]
        for field, said in values.items()
        if len(said) == len(judgments) > 1 and len(set(said)) == 1
    }


def compare(page: JudgingPage, judgments: Sequence[Judgment]) -> Compared:
    """Return the judgments by the questions of the page. Three queries."""
    by_field: dict[str, list[tuple[Judgment, str, Rating | Preference]]] = defaultdict(list)
    who = {judgment.pk: judgment for judgment in judgments}
    for field, value, row in _values(judgments):
        by_field[field].append((who[row.judgment_id], value, row))
    order = {judgment.pk: place for place, judgment in enumerate(judgments)}
    questions = {}
    for field, place, name, words in _asked(page):
        rows = sorted(by_field[field], key=lambda row: order[row[0].pk])
        said = tuple(_said(judgment, value, row, words, page) for judgment, value, row in rows)
        if said:
            questions[field] = _question(field, place, name, said)
    return Compared(people=_people(page, judgments), questions=questions)


def differing_first(page: JudgingPage, compared: Compared) -> JudgingPage:
    """Return the page with the rows on which people differ most at the head of each turn."""

    def ordered(rows: Sequence[Row]) -> tuple[Row, ...]:
        return tuple(sorted(rows, key=lambda row: -_apart(row, compared)))

    turns = tuple(replace(turn, rows=ordered(turn.rows)) for turn in page.turns)
    return replace(page, turns=turns, whole=ordered(page.whole))


def _apart(row: Row, compared: Compared) -> int:
    """Return how far people are apart at most on a row; 0 where they agree."""
    fields = [rating.field for rating in row.ratings]
    if row.preference:
        fields.append(row.preference.field)
    return max(
        (compared.questions[one].size for one in fields if one in compared.questions), default=0
    )


def _asked(page: JudgingPage) -> Iterable[tuple[str, str, str, Mapping[str, str]]]:
    """Yield each question of the page: field, place, name, and its answers in words."""
    rows = [row for turn in page.turns for row in turn.rows] + list(page.whole)
    for row in rows:
        for rating in row.ratings:
            yield rating.field, rating.place, rating.dimension.short_name, score_words(rating)
        if row.preference:
            yield _preference_asked(row.preference, _("Preference"))
    for preference in (page.fork_preference, page.overall):
        if preference:
            yield _preference_asked(preference, _("Overall"))


def _preference_asked(one: PreferenceShown, place: str) -> tuple[str, str, str, Mapping[str, str]]:
    words = {option.value: option.sentence for option in one.options}
    return one.field, place, one.title, words


def score_words(rating: RatingShown) -> dict[str, str]:
    """Return the answers of a row in words: "1 Weak"."""
    return scale_words(rating.dimension)


def scale_words(dimension: DimensionShown) -> dict[str, str]:
    """Return a dimension's answers in words by what a form sends."""
    words = {
        point.value: f"{point.value.replace('-', '−')} {point.word}".strip()
        for point in dimension.points
    }
    return {**words, NOT_APPLICABLE: _("not applicable")}


def _values(
    judgments: Sequence[Judgment],
) -> Iterable[tuple[str, str, "Rating | Preference"]]:
    ratings = Rating.objects.filter(judgment__in=judgments).select_related("response", "dimension")
    for one in ratings:
        value = NOT_APPLICABLE if one.score is None else str(one.score)
        yield f"{one.response.public_id}.{one.dimension.key}", value, one
    preferences = Preference.objects.filter(judgment__in=judgments)
    for other in preferences.select_related("preferred", "dimension"):
        name = f"dimension:{other.dimension.key}" if other.dimension else other.scope
        preferred = other.preferred
        said = f"{preferred.public_id}:{other.strength or 1}" if preferred else other.outcome
        yield f"preference.{name}", said, other


def _said(
    judgment: Judgment,
    value: str,
    row: Rating | Preference,
    words: Mapping[str, str],
    page: JudgingPage,
) -> Said:
    if isinstance(row, Preference):
        return Said(judgment.member.pseudonym, value, words.get(value, value))
    names = {tag.key: tag.name for one in page.dimensions for tag in one.tags}
    return Said(
        judgment.member.pseudonym,
        value,
        words.get(value, value),
        row.reason,
        tuple(names.get(tag, tag) for tag in row.tags),
    )


OPPOSITE = 3


def _question(field: str, place: str, name: str, said: tuple[Said, ...]) -> Question:
    values = {one.value for one in said}
    if len(values) < 2:
        words = _("all the same") if len(said) > 1 else ""
        return Question(field, place, name, said, differs=False, words=words, size=0)
    if field.startswith("preference."):
        preferred = {value.rpartition(":")[0] for value in values if value not in set(Outcome)}
        size = OPPOSITE if len(preferred) > 1 else 1
        words = _("opposite sides") if len(preferred) > 1 else _("they differ")
    elif NOT_APPLICABLE in values:
        size, words = 1, _("one says not applicable")
    else:
        scores = [int(value) for value in values]
        size = max(scores) - min(scores)
        words = ngettext("%(n)d point apart", "%(n)d points apart", size) % {"n": size}
    return Question(field, place, name, said, differs=True, words=words, size=size)


def _people(page: JudgingPage, judgments: Sequence[Judgment]) -> tuple[Person, ...]:
    texts: dict[int, list[tuple[str, str]]] = defaultdict(list)
    places = {
        answer.public_id: (turn.depth, answer.letter)
        for turn in page.turns
        for answer in turn.answers
    }
    for remark in (
        Remark.objects.filter(judgment__in=judgments)
        .select_related("response", "slot__response")
        .order_by("pk")
    ):
        texts[remark.judgment_id].append((_remark_place(remark, places), remark.text))
    first = page.assignment.shown_first
    return tuple(
        Person(
            who=judgment.member.pseudonym,
            judgment=judgment.public_id,
            as_what=_as_what(judgment),
            submitted_at=judgment.submitted_at,
            swapped=not page.single and judgment.shown_first != first,
            texts=tuple(texts[judgment.pk]),
        )
        for judgment in judgments
    )


def _as_what(judgment: Judgment) -> str:
    if judgment.cause == Cause.FIX:
        return _("a reviewer's fix")
    purpose = judgment.seat.purpose if judgment.seat else ""
    return (
        {
            SeatPurpose.REVIEW: _("a blind review"),
            SeatPurpose.ADJUDICATION: _("the deciding judgment"),
        }.get(SeatPurpose(purpose), "")
        if purpose
        else ""
    )


def _remark_place(remark: Remark, places: Mapping[str, tuple[int, str]]) -> str:
    response = remark.response or (remark.slot.response if remark.slot else None)
    depth, letter = places.get(response.public_id, (0, "")) if response else (0, "")
    kind = {
        RemarkKind.RATIONALE: _("Why"),
        RemarkKind.CRITIQUE: _("Critique"),
        RemarkKind.REFINEMENT: _("Rewrite"),
        RemarkKind.IMAGE: _("Image"),
    }[RemarkKind(remark.kind)]
    if not depth:
        return kind
    turn = _("turn %(depth)d") % {"depth": depth}
    return listed((kind, turn, letter))
