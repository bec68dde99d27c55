"""Reading what a page or a robot sends: one body of answers, checked against the questions.

The body is the same in a draft and in a submission:

    {"ratings": {RESPONSE: {DIMENSION: {"score": 2 | null, "na": false, "origin": "given",
                                        "reason": "...", "reason_language": "en",
                                        "tags": ["..."]}}},
     "preferences": {"overall" | "fork" | "dimension:KEY":
                        {"outcome": "prefers", "preferred": RESPONSE, "strength": 1,
                         "origin": "given", "in_bulk": false, "contradiction": ""}},
     "remarks": {"rationale" | "critique:RESPONSE" | "refinement:RESPONSE" | "image:SLOT":
                    {"text": "...", "language": "en"}},
     "evidence": {"first_input_at": ISO, "last_input_at": ISO, "active_ms": {"1": 41200},
                  "images_seen": [SHA256], "images_opened": [SHA256]}}

RESPONSE is a response's public id and SLOT the slot's number. A side is never named by its
letter. A unit that is already the person's own may be left out: then it is carried.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation.choices import (
    DimensionPreference,
    Level,
    Origin,
    Outcome,
    PreferenceScope,
    RemarkKind,
    SlotState,
)
from annotation.errors import Invalid
from annotation.labels import label
from annotation.models.content import Response
from annotation.models.judgments import Rating
from annotation.models.rubric import Dimension
from annotation.reports.paths import images_of
from annotation.reports.questions import PreferenceQuestion, Questions, RatingQuestion, Unit

LONGEST_TEXT = 20_000
CJK_WEIGHT = 2.5
CJK = (
    "\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff"
    "\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\U00016fe0-\U0001b2ff\U00020000-\U0003fffd"
)
"""The signs that are words or syllables, and their marks: ranges of a regular expression's set."""


@dataclass(frozen=True, slots=True)
class RatingAnswer:
    response: Response
    dimension: Dimension
    score: int | None
    origin: Origin
    branch: str
    carried_from: Rating | None = None
    reason: str = ""
    reason_language: str = ""
    tags: tuple[str, ...] = ()
    steps_named: int | None = None


@dataclass(frozen=True, slots=True)
class PreferenceAnswer:
    scope: PreferenceScope
    dimension: Dimension | None
    outcome: Outcome
    preferred: Response | None
    strength: int | None
    origin: Origin = Origin.GIVEN
    in_bulk: bool = False
    contradiction: str = ""

    @property
    def key(self) -> str:
        """The comparison's name in a body."""
        return f"dimension:{self.dimension.key}" if self.dimension else self.scope.value

    @property
    def value(self) -> str:
        """The answer as a form sends it."""
        if self.preferred is None:
            return self.outcome.value
        return f"{self.preferred.public_id}:{self.strength or 1}"


@dataclass(frozen=True, slots=True)
class RemarkAnswer:
    kind: RemarkKind
    response: Response | None
    slot_id: int | None
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Answers:
    """A checked body, ready to be stored."""

    ratings: tuple[RatingAnswer, ...] = ()
    preferences: tuple[PreferenceAnswer, ...] = ()
    remarks: tuple[RemarkAnswer, ...] = ()
    first_input_at: datetime | None = None
    last_input_at: datetime | None = None
    active_ms: Mapping[str, int] = field(default_factory=dict)
    images_shown: tuple[str, ...] = ()
    images_seen: tuple[str, ...] = ()
    images_opened: tuple[str, ...] = ()


class Incomplete(Invalid):
    """Something is missing or cannot be taken; `fields` names each place, in reading order."""


def weighted_length(text: str) -> float:
    """Return the length by which a reason is measured: code points, a CJK one as 2.5.

    Whitespace does not count.
    """
    written = re.sub(r"\s", "", text)
    return len(written) + (CJK_WEIGHT - 1) * len(re.findall(f"[{CJK}]", written))


def read_answers(questions: Questions, body: object) -> Answers:
    """Check `body` against what the item asks and return it as answers.

    :raises Incomplete: with every missing or wrong place in `fields`, at once.
    """
    reader = _Reader(questions, body)
    answers = reader.read()
    if reader.problems:
        count = len(reader.problems)
        told = ngettext(
            "%(count)s answer is missing or not as asked.",
            "%(count)s answers are missing or not as asked.",
            count,
        )
        raise Incomplete(told % {"count": count}, fields=reader.problems)
    return answers


class _Reader:
    """Reads one body; collects what is wrong instead of stopping at the first place."""

    def __init__(self, questions: Questions, body: object) -> None:
        self.questions = questions
        self.problems: dict[str, str] = {}
        self.body = self._mapping(body, "")
        self.asked = questions.rating_questions()
        self.scores: dict[tuple[str, str], int | None] = {}

    def read(self) -> Answers:
        ratings = self._ratings()
        preferences = self._preferences()
        remarks = self._remarks()
        evidence = self._mapping(self.body.get("evidence"), "evidence")
        shown = images_of(self.questions.sides)
        for name in sorted(set(self.body) - {"ratings", "preferences", "remarks", "evidence"}):
            self.problems[name] = _("is not part of an answer")
        return Answers(
            ratings=tuple(ratings),
            preferences=tuple(preferences),
            remarks=tuple(remarks),
            first_input_at=self._time(evidence.get("first_input_at"), "first_input_at"),
            last_input_at=self._time(evidence.get("last_input_at"), "last_input_at"),
            active_ms=self._milliseconds(evidence.get("active_ms")),
            images_shown=tuple(shown),
            images_seen=self._images(evidence.get("images_seen"), shown),
            images_opened=self._images(evidence.get("images_opened"), shown),
        )

    # Ratings

    def _ratings(self) -> list[RatingAnswer]:
        sent = self._mapping(self.body.get("ratings"), "ratings")
        given: dict[tuple[str, str], Mapping[str, Any]] = {}
        for response, dimensions in sent.items():
            place = f"ratings.{response}"
            for dimension, value in self._mapping(dimensions, place).items():
                if (response, dimension) not in self.asked:
                    self.problems[f"{place}.{dimension}"] = _("is not asked here")
                    continue
                given[response, dimension] = self._mapping(value, f"{place}.{dimension}")
        answers = []
        for key, (unit, question) in self.asked.items():
            answer = self._rating(key, unit, question, given.get(key, {}))
            if answer is not None:
                self.scores[key] = answer.score
                answers.append(answer)
        for answer in answers:
            self._check_reason(answer)
        return answers

    def _rating(
        self,
        key: tuple[str, str],
        unit: Unit,
        question: RatingQuestion,
        value: Mapping[str, Any],
    ) -> RatingAnswer | None:
        place = f"ratings.{key[0]}.{key[1]}"
        score, not_applicable = value.get("score"), value.get("na") is True
        answered = score is not None or not_applicable
        if question.locked:
            if answered:
                state = label(SlotState(question.locked))
                self.problems[place] = _("cannot be rated: an image is %(state)s") % {
                    "state": state
                }
            return None
        if not answered:
            if question.yours is None:
                self.problems[place] = _("is missing")
                return None
            return self._carried(unit, question, question.yours)
        if score is not None and (
            not_applicable
            or isinstance(score, bool)
            or not isinstance(score, int)
            or score not in question.scores
        ):
            legal = ", ".join(map(str, sorted(question.scores)))
            self.problems[place] = _("%(score)s is no score here; use one of %(legal)s, or n/a") % {
                "score": repr(score),
                "legal": legal,
            }
            return None
        reason = self._text(value.get("reason"), f"{place}.reason").strip()
        tags = self._tags(value.get("tags"), question, place)
        yours = question.yours
        if (
            value.get("origin") == Origin.CARRIED
            and yours is not None
            and (yours.score, yours.reason, tuple(yours.tags)) == (score, reason, tags)
        ):
            return self._carried(unit, question, yours)
        return RatingAnswer(
            response=unit.response,
            dimension=question.dimension,
            score=score,
            origin=self._origin(value.get("origin"), question, score),
            branch=question.branch,
            reason=reason,
            reason_language=self._language(value.get("reason_language")),
            tags=tags,
        )

    def _carried(self, unit: Unit, question: RatingQuestion, yours: Rating) -> RatingAnswer:
        return RatingAnswer(
            response=unit.response,
            dimension=question.dimension,
            score=yours.score,
            origin=Origin.CARRIED,
            branch=yours.branch,
            carried_from=yours,
            reason=yours.reason,
            reason_language=yours.reason_language,
            tags=tuple(yours.tags),
        )

    @staticmethod
    def _origin(value: object, question: RatingQuestion, score: int | None) -> Origin:
        if value == Origin.BY_RULE and score is not None and score == question.automatic:
            return Origin.BY_RULE
        return Origin.GIVEN

    def _tags(self, value: object, question: RatingQuestion, place: str) -> tuple[str, ...]:
        known = [tag["key"] for tag in question.dimension.tags]
        sent = value or []
        if not isinstance(sent, list) or any(tag not in known for tag in sent):
            self.problems[f"{place}.tags"] = _("use tags of this dimension: %(tags)s") % {
                "tags": ", ".join(known)
            }
            return ()
        return tuple(tag for tag in known if tag in sent)

    def _check_reason(self, answer: RatingAnswer) -> None:
        if answer.origin == Origin.CARRIED or not self.reason_asked(answer):
            return
        minimum = self.questions.settings.reason_minimum
        length = weighted_length(answer.reason)
        if length < minimum or not answer.reason:
            place = f"ratings.{answer.response.public_id}.{answer.dimension.key}.reason"
            self.problems[place] = _(
                "a reason is asked: %(written)s of at least %(least)s characters"
            ) % {"written": int(length), "least": max(minimum, 1)}

    def reason_asked(self, answer: RatingAnswer) -> bool:
        """Say whether the batch asks for a reason of this rating; never of 'not applicable'."""
        _unit, question = self.asked[answer.response.public_id, answer.dimension.key]
        rule = question.reason_rule
        if answer.score is None:
            return False
        if rule.always or question.reason_drawn:
            return True
        if rule.at_or_below is not None and answer.score <= rule.at_or_below:
            return True
        return rule.where_sides_differ and self._sides_differ(answer)

    def _sides_differ(self, answer: RatingAnswer) -> bool:
        unit, _question = self.asked[answer.response.public_id, answer.dimension.key]
        for (_response, dimension), (other, _theirs) in self.asked.items():
            if (
                dimension == answer.dimension.key
                and other.response != unit.response
                and (unit.level == Level.GLOBAL or other.depth == unit.depth)
            ):
                score = self.scores.get((other.response.public_id, dimension))
                if score is not None and score != answer.score:
                    return True
        return False

    # Preferences

    def _preferences(self) -> list[PreferenceAnswer]:
        sent = self._mapping(self.body.get("preferences"), "preferences")
        asked = {question.key: question for question in self.questions.preferences}
        for name in sorted(set(sent) - set(asked)):
            self.problems[f"preferences.{name}"] = _("is not asked here")
        answers = []
        for name, question in asked.items():
            place = f"preferences.{name}"
            value = self._mapping(sent.get(name), place)
            if not value.get("outcome"):
                if self._preference_needed(question):
                    self.problems[place] = _("is missing")
                continue
            answer = self._preference(question, value, place)
            if answer is not None:
                answers.append(answer)
        return answers

    def _side_scores(self, question: PreferenceQuestion) -> list[int | None] | None:
        """Both sides' scores on the question's dimension; None where they were not asked."""
        if question.dimension is None:
            return None
        keys = [(side.public_id, question.dimension.key) for side in question.sides]
        if any(key not in self.asked for key in keys):
            return None
        return [self.scores.get(key) for key in keys]

    def _preference_needed(self, question: PreferenceQuestion) -> bool:
        scores = self._side_scores(question)
        if scores is None:
            return True
        if None in scores:  # not applicable or locked on a side: nothing to compare
            return False
        if question.rule == DimensionPreference.ASKED_WHERE_EQUAL:
            return scores[0] == scores[1]
        return True

    def _preference(
        self, question: PreferenceQuestion, value: Mapping[str, Any], place: str
    ) -> PreferenceAnswer | None:
        sides = {side.public_id: side for side in question.sides}
        outcome, strength = value.get("outcome"), value.get("strength")
        preferred = sides.get(str(value.get("preferred")))
        if outcome == Outcome.PREFERS:
            strength = 1 if strength is None else strength
            if preferred is None:
                self.problems[f"{place}.preferred"] = _("name the response that is better")
                return None
        else:
            preferred, strength = None, None
        if (outcome, strength) not in question.outcomes:
            self.problems[place] = _("is not one of the answers this batch offers")
            return None
        contradiction = value.get("contradiction") or ""
        if contradiction not in {"", "kept", "changed"}:
            self.problems[f"{place}.contradiction"] = _("use kept or changed")
            return None
        proposed = (
            value.get("origin") == Origin.PROPOSED
            and question.rule == DimensionPreference.PROPOSED
            and preferred is not None
            and self._proposal(question) == preferred
        )
        return PreferenceAnswer(
            scope=question.scope,
            dimension=question.dimension,
            outcome=Outcome(str(outcome)),
            preferred=preferred,
            strength=strength,
            origin=Origin.PROPOSED if proposed else Origin.GIVEN,
            in_bulk=value.get("in_bulk") is True,
            contradiction=contradiction,
        )

    def _proposal(self, question: PreferenceQuestion) -> Response | None:
        """The side with the higher score, as the page proposes it; None where equal."""
        scores = self._side_scores(question)
        if scores is None or scores[0] is None or scores[1] is None or scores[0] == scores[1]:
            return None
        return question.sides[0] if scores[0] > scores[1] else question.sides[1]

    # Remarks

    def _remarks(self) -> list[RemarkAnswer]:
        sent = self._mapping(self.body.get("remarks"), "remarks")
        responses = {
            step.response.public_id: step.response
            for side in self.questions.sides
            for step in side.steps
        }
        slots = {
            f"{slot.pk}": slot.pk
            for side in self.questions.sides
            for step in side.steps
            for slot in step.slots
        }
        answers = []
        for name, raw in sent.items():
            place = f"remarks.{name}"
            value = self._mapping(raw, place)
            text = self._text(value.get("text"), place).strip()
            kind, _colon, target = name.partition(":")
            response = responses.get(target)
            named = (
                (kind == RemarkKind.RATIONALE and not target)
                or (kind == RemarkKind.IMAGE and target in slots)
                or (kind in {RemarkKind.CRITIQUE, RemarkKind.REFINEMENT} and response is not None)
            )
            if not named:
                self.problems[place] = _("names nothing of this item")
            elif text:
                answers.append(
                    RemarkAnswer(
                        kind=RemarkKind(kind),
                        response=response,
                        slot_id=slots.get(target) if kind == RemarkKind.IMAGE else None,
                        text=text,
                        language=self._language(value.get("language")),
                    )
                )
        self._check_rationale(answers)
        return answers

    def _check_rationale(self, answers: list[RemarkAnswer]) -> None:
        minimum = self.questions.settings.rationale_minimum
        if not minimum or not self.questions.preferences:
            return
        text = next((one.text for one in answers if one.kind == RemarkKind.RATIONALE), "")
        length = weighted_length(text)
        if length < minimum:
            self.problems["remarks.rationale"] = _(
                "say why: %(written)s of at least %(least)s characters"
            ) % {"written": int(length), "least": minimum}

    # Plain values

    def _mapping(self, value: object, place: str) -> Mapping[str, Any]:
        if value is None:
            return {}
        if isinstance(value, dict):
            return value
        self.problems[place or "body"] = _("must be a JSON object")
        return {}

    def _text(self, value: object, place: str) -> str:
        if value is None:
            return ""
        if not isinstance(value, str):
            self.problems[place] = _("must be text")
            return ""
        if len(value) > LONGEST_TEXT:
            self.problems[place] = _("is longer than %(most)s characters") % {"most": LONGEST_TEXT}
            return ""
        if "\x00" in value or any(0xD800 <= ord(one) <= 0xDFFF for one in value):
            self.problems[place] = _("has a character that cannot be stored")
            return ""
        return value

    @staticmethod
    def _language(value: object) -> str:
        return value[:16] if isinstance(value, str) else ""

    def _time(self, value: object, name: str) -> datetime | None:
        if not value:
            return None
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            self.problems[f"evidence.{name}"] = _("must be an ISO 8601 time with its zone")
            return None
        return moment

    def _milliseconds(self, value: object) -> dict[str, int]:
        times = self._mapping(value, "evidence.active_ms")
        depths = {f"{n}" for side in self.questions.sides for n in range(len(side.steps) + 1)}
        kept = {}
        for depth, time in times.items():
            if depth in depths and isinstance(time, int) and 0 <= time < 2**31:
                kept[depth] = time
            else:
                self.problems[f"evidence.active_ms.{depth}"] = _("must be milliseconds of a turn")
        return kept

    @staticmethod
    def _images(value: object, shown: list[str]) -> tuple[str, ...]:
        """Only what was shown can have been looked at; anything else is dropped."""
        sent = {one for one in value if isinstance(one, str)} if isinstance(value, list) else set()
        return tuple(one for one in shown if one in sent)
