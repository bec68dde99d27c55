"""What an item asks of one person: units, dimensions, preferences, and what is already theirs.

The judging page draws it and `actions.judgments` checks against it, so the two cannot differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.db.models import Exists, OuterRef

from annotation.choices import (
    DECIDING,
    BatchKind,
    BatchPurpose,
    BatchSettings,
    Branch,
    DimensionPreference,
    ImageRule,
    Level,
    LocalScope,
    Origin,
    Outcome,
    OverallScale,
    PreferenceScope,
    ReasonRule,
    SlotState,
)
from annotation.models.assignments import Assignment
from annotation.models.batches import Item
from annotation.models.content import Response
from annotation.models.judgments import Judgment, Rating
from annotation.models.projects import Member
from annotation.models.rubric import Dimension
from annotation.reports.paths import LOCKING, Side, Step, load_sides
from annotation.sampling import in_share

OUTCOMES: dict[OverallScale, tuple[tuple[Outcome, int | None], ...]] = {
    OverallScale.STRICT: ((Outcome.PREFERS, 1),),
    OverallScale.TIE: ((Outcome.PREFERS, 1), (Outcome.TIE, None)),
    OverallScale.TIE_BOTH_BAD: (
        (Outcome.PREFERS, 1),
        (Outcome.TIE, None),
        (Outcome.BOTH_BAD, None),
    ),
    OverallScale.GRADED: (
        (Outcome.PREFERS, 2),
        (Outcome.PREFERS, 1),
        (Outcome.TIE, None),
        (Outcome.BOTH_BAD, None),
    ),
}
"""The (outcome, strength) pairs a scale offers."""


@dataclass(frozen=True, slots=True)
class RatingQuestion:
    """One dimension of one unit.

    :ivar scores: the legal scores.
    :ivar branch: what an image dimension is about here, by the rubric's rule.
    :ivar locked: the slot state that makes it unanswerable, or "".
    :ivar automatic: the score offered by the rubric's rule, or None.
    :ivar reason_rule: when a reason is asked.
    :ivar reason_drawn: whether the seeded share asks for a reason here.
    :ivar yours: the person's own earlier rating of this unit, or None.
    """

    dimension: Dimension
    scores: frozenset[int]
    branch: Branch
    locked: str
    automatic: int | None
    reason_rule: ReasonRule
    reason_drawn: bool
    yours: Rating | None


@dataclass(frozen=True, slots=True)
class Unit:
    """What is rated: a response, or a full path named by its last response.

    :ivar sides: the sides (1, 2) it belongs to; a shared response belongs to both.
    :ivar depth: the turn of the response; of a path its length.
    """

    response: Response
    level: Level
    sides: tuple[int, ...]
    depth: int
    questions: tuple[RatingQuestion, ...]

    @property
    def is_yours(self) -> bool:
        """Whether every open question of the unit was answered in an earlier item."""
        open_questions = [one for one in self.questions if not one.locked]
        return bool(open_questions) and all(one.yours for one in open_questions)


@dataclass(frozen=True, slots=True)
class PreferenceQuestion:
    """One comparison of the item's two sides.

    :ivar key: "overall", "fork" or "dimension:<key>", its name in a submission.
    :ivar sides: the responses that may be preferred, side 1 first.
    """

    key: str
    scope: PreferenceScope
    dimension: Dimension | None
    sides: tuple[Response, Response]
    outcomes: tuple[tuple[Outcome, int | None], ...]
    rule: DimensionPreference


@dataclass(frozen=True, slots=True)
class Questions:
    """Everything an item asks of one person."""

    item: Item
    settings: BatchSettings
    sides: tuple[Side, ...]
    units: tuple[Unit, ...]
    preferences: tuple[PreferenceQuestion, ...]

    def rating_questions(self) -> dict[tuple[str, str], tuple[Unit, RatingQuestion]]:
        """Return the questions by (response public id, dimension key)."""
        return {
            (unit.response.public_id, question.dimension.key): (unit, question)
            for unit in self.units
            for question in unit.questions
        }

    @property
    def decisions(self) -> int:
        """How many answers the person still has to give, at most."""
        ratings = sum(
            1 for unit in self.units for one in unit.questions if not one.locked and not one.yours
        )
        return ratings + len(self.preferences)


def questions_of(item: Item, *, member: Member | None, fresh: bool = False) -> Questions:
    """Return what `item` asks of `member`; `fresh` leaves their earlier ratings out.

    Seven or eight queries. Repeats, gold items, training and qualification batches always ask
    afresh.
    """
    batch = item.batch
    settings = batch.parsed_settings()
    sides = load_sides(item)
    dimensions = list(batch.rubric.dimensions.prefetch_related("points").order_by("position", "pk"))
    places = [*_local_places(item, settings, sides), *_global_places(item, settings, sides)]
    yours: dict[tuple[int, int], Rating] = {}
    if member is not None and not fresh:
        # Asked of every item, so that the time it takes tells nobody what an item is.
        earlier = earlier_ratings(member, {place.response.pk for place in places}, besides=item)
        yours = {} if asks_afresh(item) else earlier
    units = (
        Unit(
            response=place.response,
            level=place.level,
            sides=place.sides,
            depth=len(place.steps),
            questions=tuple(
                _question(one, item, place, settings, yours.get((place.response.pk, one.pk)))
                for one in dimensions
                if one.level == place.level
            ),
        )
        for place in places
    )
    return Questions(
        item=item,
        settings=settings,
        sides=sides,
        units=tuple(unit for unit in units if unit.questions),
        preferences=_preferences(item, settings, sides, dimensions),
    )


def questions_for(assignment: Assignment) -> Questions:
    """Return what the assignment's item asks of its member; of those who decide, all of it."""
    fresh = assignment.purpose in DECIDING
    return questions_of(assignment.item, member=assignment.member, fresh=fresh)


def decided_questions(item: Item) -> Questions:
    """Return what an adjudication of the item answers: all of it, one reason for the whole."""
    questions = questions_of(item, member=None)
    return replace(
        questions,
        settings=replace(questions.settings, rationale_minimum=0),
        units=tuple(
            replace(
                unit,
                questions=tuple(
                    replace(one, reason_rule=ReasonRule(), reason_drawn=False)
                    for one in unit.questions
                ),
            )
            for unit in questions.units
        ),
    )


def asks_afresh(item: Item) -> bool:
    """Say whether earlier ratings of the same units must not be filled in."""
    return (
        item.repeat_of_id is not None
        or item.batch.purpose in {BatchPurpose.TRAINING, BatchPurpose.QUALIFICATION}
        or item.is_gold
    )


def earlier_ratings(
    member: Member, responses: set[int], *, besides: Item | None
) -> dict[tuple[int, int], Rating]:
    """Return the member's own live ratings of these responses by (response, dimension) keys.

    Of other items of batches that ask what they mean (no training, no qualification, no repeat);
    the newest where there are several. One query.
    """
    later = Judgment.objects.filter(
        assignment=OuterRef("judgment__assignment"), revision__gt=OuterRef("judgment__revision")
    )
    found = (
        Rating.objects.filter(judgment__member=member, response__in=responses)
        .exclude(judgment__item=besides)
        .exclude(origin=Origin.CARRIED)
        .exclude(judgment__assignment__purpose__in=DECIDING)
        .exclude(judgment__batch__purpose__in=[BatchPurpose.TRAINING, BatchPurpose.QUALIFICATION])
        .filter(judgment__item__repeat_of=None, judgment__item__is_gold=False)
        .exclude(Exists(later))
        .select_related("judgment")
        .order_by("judgment__submitted_at", "pk")
    )
    return {(one.response_id, one.dimension_id): one for one in found}


def yours_already(
    items: Mapping[int, Item], sides: Mapping[int, tuple[Side, ...]], *, member: Member
) -> dict[int, int]:
    """Return how many answers to each item are the member's own already, as its page says it.

    Two queries, however many items: their batches and what their sides show are loaded.

    :param items: by primary key, none of which the member has submitted.
    :param sides: of the items, by the same keys.
    """
    asked: dict[int, set[tuple[int, str]]] = {
        pk: {
            (place.response.pk, place.level)
            for settings in [item.batch.parsed_settings()]
            for place in (
                *_local_places(item, settings, sides[pk]),
                *_global_places(item, settings, sides[pk]),
            )
        }
        for pk, item in items.items()
    }
    responses = {response for units in asked.values() for response, _level in units}
    yours = earlier_ratings(member, responses, besides=None)
    dimensions: dict[int, list[Dimension]] = {}
    for one in Dimension.objects.filter(
        rubric__in={item.batch.rubric_id for item in items.values()}
    ).order_by("pk"):
        dimensions.setdefault(one.rubric_id, []).append(one)
    return {
        pk: 0
        if asks_afresh(item)
        else sum(
            dimension.level == level and (response, dimension.pk) in yours
            for response, level in asked[pk]
            for dimension in dimensions.get(item.batch.rubric_id, ())
        )
        for pk, item in items.items()
    }


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a unit stands: the steps up to it, and the sides it belongs to."""

    level: Level
    sides: tuple[int, ...]
    steps: tuple[Step, ...]

    @property
    def response(self) -> Response:
        return self.steps[-1].response


def _local_places(item: Item, settings: BatchSettings, sides: tuple[Side, ...]) -> list[_Place]:
    """The responses to rate, by depth, a shared one once."""
    first, last = 1, max(len(side.steps) for side in sides)
    if item.batch.kind == BatchKind.TURN_PAIR:
        first = last
    elif item.batch.kind == BatchKind.CONVERSATION_PAIR:
        match settings.local_scope:
            case LocalScope.NONE:
                return []
            case LocalScope.AFTER_FORK:
                first = item.fork_depth or 1
            case LocalScope.FORK_TURN:
                first = last = item.fork_depth or 1
            case LocalScope.EVERY_TURN:
                pass
    places: dict[int, _Place] = {}
    for depth in range(first, last + 1):
        for side in sides:
            step = side.step_at(depth)
            if step is None:
                continue
            known = places.get(step.response.pk)
            places[step.response.pk] = _Place(
                level=Level.LOCAL,
                sides=(*known.sides, side.number) if known else (side.number,),
                steps=side.steps[:depth],
            )
    return list(places.values())


def _global_places(item: Item, settings: BatchSettings, sides: tuple[Side, ...]) -> list[_Place]:
    asked = item.batch.kind == BatchKind.CONVERSATION or (
        item.batch.kind == BatchKind.CONVERSATION_PAIR and settings.global_ratings
    )
    return [_Place(Level.GLOBAL, (side.number,), side.steps) for side in sides if asked]


def _question(
    dimension: Dimension,
    item: Item,
    place: _Place,
    settings: BatchSettings,
    yours: Rating | None,
) -> RatingQuestion:
    branch, locked = image_branch(ImageRule(dimension.image_rule), place.steps)
    rule = settings.reasons.get(dimension.key, ReasonRule())
    return RatingQuestion(
        dimension=dimension,
        scores=frozenset(point.score for point in dimension.points.all()),
        branch=branch,
        locked=locked,
        automatic=_automatic(dimension, place.steps),
        reason_rule=rule,
        reason_drawn=in_share(
            f"{item.batch.seed}", rule.share, "reason", place.response.content_key, dimension.key
        ),
        yours=yours,
    )


def image_branch(rule: ImageRule, steps: tuple[Step, ...]) -> tuple[Branch, str]:
    """Return what an image dimension is about at the last of `steps`, and what locks it.

    This turn's images; else the image that was announced and not made; else the pictures of the
    nearest prompt that has any; else nothing. A whole conversation looks at all its turns. The
    second value is the slot state under which it cannot be judged, or "".
    """
    if rule == ImageRule.NONE:
        return Branch.NOT_ABOUT_IMAGES, ""
    about = steps if rule == ImageRule.CONVERSATION else steps[-1:]
    answers = [slot for step in about for slot in step.response_slots]
    for slot in answers:
        if slot.state in LOCKING:
            return Branch.ANSWER_IMAGES, slot.state
    if any(slot.state == SlotState.STORED for slot in answers):
        return Branch.ANSWER_IMAGES, ""
    if answers:
        return Branch.ANNOUNCED, ""
    for step in reversed(steps):
        if step.prompt_slots:
            locked = next((slot.state for slot in step.prompt_slots if slot.state in LOCKING), "")
            return Branch.USER_IMAGES, locked
    return Branch.NO_IMAGES, ""


def _automatic(dimension: Dimension, steps: tuple[Step, ...]) -> int | None:
    """The score the rubric's rule offers on these steps, or None."""
    rule = dimension.automatic or {}
    if rule.get("when") == "images_on_one_turn" and sum(step.has_images for step in steps) == 1:
        return int(rule["score"])
    return None


def _preferences(
    item: Item,
    settings: BatchSettings,
    sides: tuple[Side, ...],
    dimensions: list[Dimension],
) -> tuple[PreferenceQuestion, ...]:
    if len(sides) < 2:
        return ()
    one, two = sides
    outcomes = OUTCOMES[settings.overall_scale]
    level = Level.LOCAL if item.batch.kind == BatchKind.TURN_PAIR else Level.GLOBAL
    asked = []
    if settings.dimension_preference != DimensionPreference.NONE:
        asked = [
            PreferenceQuestion(
                key=f"dimension:{dimension.key}",
                scope=PreferenceScope.DIMENSION,
                dimension=dimension,
                sides=(one.last, two.last),
                outcomes=outcomes,
                rule=settings.dimension_preference,
            )
            for dimension in dimensions
            if dimension.level == level
        ]
    if settings.fork_preference and item.batch.kind == BatchKind.CONVERSATION_PAIR:
        depth = item.fork_depth or 1
        first, second = one.step_at(depth), two.step_at(depth)
        if first and second and first.turn == second.turn and first.response != one.last:
            asked.append(
                PreferenceQuestion(
                    key="fork",
                    scope=PreferenceScope.FORK,
                    dimension=None,
                    sides=(first.response, second.response),
                    outcomes=outcomes,
                    rule=DimensionPreference.ASKED,
                )
            )
    asked.append(
        PreferenceQuestion(
            key="overall",
            scope=PreferenceScope.OVERALL,
            dimension=None,
            sides=(one.last, two.last),
            outcomes=outcomes,
            rule=DimensionPreference.ASKED,
        )
    )
    return tuple(asked)
