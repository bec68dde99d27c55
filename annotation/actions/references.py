"""Scores and preferences that stand in files, as judgments of a reference member.

Each import that brings some makes closed batches of purpose `reference`, one a kind of item. A
unit that the reference member has rated before is not rated again: the same value is counted as
the same, another one is a conflict, listed and not stored.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from annotation.actions.answers import Answers, PreferenceAnswer, RatingAnswer, RemarkAnswer
from annotation.actions.judgments import write_judgment
from annotation.choices import (
    AssignmentState,
    BatchKind,
    BatchPurpose,
    BatchSettings,
    BatchState,
    Cause,
    Level,
    Origin,
    Outcome,
    PreferenceScope,
    RemarkKind,
    Role,
    SeatPurpose,
    SeatState,
)
from annotation.formats import records as given
from annotation.models.assignments import Assignment, Seat
from annotation.models.batches import Batch, Item, Participation
from annotation.models.content import Response
from annotation.models.imports import Import
from annotation.models.judgments import Preference, Rating
from annotation.models.projects import Member, Project
from annotation.models.rubric import Dimension, Rubric
from annotation.reports.imports import Conflict, ImportReport

PSEUDONYM = "reference"

Value = tuple[int | None, str]
"""A score (None: not applicable) and its reason."""

Verdict = tuple[str, int | None, int | None]
"""An outcome, the response preferred and the strength."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A record and the responses of its path, saved."""

    file: str
    record: given.Record
    path: tuple[Response, ...]


@dataclass(frozen=True, slots=True)
class _Scale:
    """A rubric's dimensions by key, with their scores."""

    rubric: Rubric
    dimensions: Mapping[str, tuple[Dimension, frozenset[int]]]


@dataclass(slots=True)
class References:
    """Writes the reference judgments of one run."""

    project: Project
    report: ImportReport
    now: datetime
    rubric: Rubric | None = None
    _scales: list[_Scale] | None = None
    _member: Member | None = None
    _batches: dict[tuple[int, BatchKind], Batch] = field(default_factory=dict)
    _rated: dict[tuple[int, str], Value] = field(default_factory=dict)

    def load(self, responses: Iterable[Response]) -> None:
        """Load what the reference member has said of these responses. One query."""
        rows = Rating.objects.filter(
            response__in=[one.pk for one in responses],
            judgment__batch__project=self.project,
            judgment__batch__purpose=BatchPurpose.REFERENCE,
            judgment__cause=Cause.IMPORT,
        ).values_list("response", "dimension__key", "score", "reason")
        self._rated = {(response, key): (score, reason) for response, key, score, reason in rows}

    def has_new(self, placed: Placed) -> bool:
        """Whether a record brings a score that is not stored and can be."""
        scale = self._scale_for(placed.record.scores)
        return scale is not None and any(
            (self._unit(placed, score), score.dimension) not in self._rated
            and self._fault(scale, score) is None
            for score in placed.record.scores
        )

    def write_scores(self, placed: Placed, imported_in: Import | None) -> None:
        """Store a record's scores as one judgment of its path, where there are new ones.

        :param imported_in: needed where `has_new` says so.
        """
        if not placed.record.scores:
            return
        scale = self._scale_for(placed.record.scores)
        if scale is None:
            self.report.scores["without_rubric"] += len(placed.record.scores)
            return
        answers = []
        for score in placed.record.scores:
            answer = self._rating(placed, score, scale)
            if answer is not None:
                answers.append(answer)
        if answers and imported_in is not None:
            batch = self._batch(imported_in, scale.rubric, BatchKind.CONVERSATION)
            self._write(batch, (placed.path[-1],), Answers(ratings=tuple(answers)))

    def _rating(self, placed: Placed, score: given.Score, scale: _Scale) -> RatingAnswer | None:
        """Return what to store of one score, or None; count what becomes of it."""
        fault = self._fault(scale, score)
        if fault is not None:
            self.report.scores[fault] += 1
            return None
        unit = self._unit(placed, score)
        value = (score.score, score.reason)
        stored = self._rated.setdefault((unit, score.dimension), value)
        if stored is not value:
            self._compare(placed, score, stored, value)
            return None
        more = score.named_steps is not None and score.named_steps > len(placed.record.turns)
        self.report.scores["stored"] += 1
        self.report.scores["names_more_steps"] += more
        return RatingAnswer(
            response=placed.path[-1 if score.turn is None else score.turn - 1],
            dimension=scale.dimensions[score.dimension][0],
            score=score.score,
            origin=Origin.GIVEN,
            branch="",
            reason=score.reason,
            steps_named=score.named_steps if more else None,
        )

    def _compare(self, placed: Placed, score: given.Score, stored: Value, value: Value) -> None:
        if stored == value:
            self.report.scores["same"] += 1
            return
        self.report.scores["conflict"] += 1
        self.report.contradict(
            Conflict(
                file=placed.file,
                position=placed.record.position,
                place=placed.record.place,
                dimension=score.dimension,
                turn=score.turn,
                stored=_shown(stored),
                given=_shown(value),
            )
        )

    def write_preferences(
        self, entry: given.Entry, placed: Sequence[Placed], import_row: Callable[[], Import]
    ) -> None:
        """Store an entry's preferences, one judgment for each pair of sides.

        :param placed: the entry's records, in order.
        :param import_row: gives the import; called only where something is written.
        """
        together: dict[tuple[int, int, int | None], list[given.Preference]] = {}
        for one in entry.preferences:
            together.setdefault((one.first, one.second, one.turn), []).append(one)
        for (first, second, turn), preferences in together.items():
            depth = None if turn is None else turn - 1
            sides = tuple(
                placed[index].path[-1 if depth is None else depth] for index in (first, second)
            )
            kind = BatchKind.CONVERSATION_PAIR if turn is None else BatchKind.TURN_PAIR
            self._write_pair(placed[second], sides, kind, preferences, import_row)

    def _write_pair(
        self,
        placed: Placed,
        sides: tuple[Response, ...],
        kind: BatchKind,
        preferences: Sequence[given.Preference],
        import_row: Callable[[], Import],
    ) -> None:
        scale = self._scale_for(preferences)
        if scale is None:
            self.report.preferences["without_rubric"] += len(preferences)
            return
        first, second = sides
        ordered = tuple(sorted(sides, key=lambda one: (one.content_key, one.turn.content_key)))
        if first.pk == second.pk or fork_depth(first, second) is None:
            self.report.preferences["no_pair"] += len(preferences)
            return
        known = self._verdicts(ordered, kind)
        answers = [
            answer
            for one in preferences
            if (answer := self._preference(placed, one, sides, scale, known)) is not None
        ]
        if answers:
            reasons = "\n".join(
                f"{one.dimension or 'overall'}: {one.reason}" for one in preferences if one.reason
            )
            rationale = RemarkAnswer(RemarkKind.RATIONALE, None, None, reasons, "")
            batch = self._batch(import_row(), scale.rubric, kind)
            self._write(
                batch,
                ordered,
                Answers(preferences=tuple(answers), remarks=(rationale,) if reasons else ()),
                shown_first=ordered.index(first) + 1,
            )

    def _preference(
        self,
        placed: Placed,
        one: given.Preference,
        sides: tuple[Response, ...],
        scale: _Scale,
        known: dict[str, Verdict],
    ) -> PreferenceAnswer | None:
        """Return what to store of one preference, or None; count what becomes of it."""
        if one.dimension and one.dimension not in scale.dimensions:
            self.report.preferences["unknown_dimension"] += 1
            return None
        preferred = {"first": sides[0], "second": sides[1]}.get(one.outcome)
        outcome = Outcome.PREFERS if preferred is not None else Outcome(one.outcome)
        strength = (one.strength or 1) if preferred is not None else None
        verdict = (str(outcome), preferred.pk if preferred is not None else None, strength)
        stored = known.setdefault(one.dimension, verdict)
        if stored is not verdict:
            self.report.preferences["same" if stored == verdict else "conflict"] += 1
            if stored != verdict:
                self.report.contradict(
                    Conflict(
                        file=placed.file,
                        position=placed.record.position,
                        place=placed.record.place,
                        dimension=one.dimension or "overall",
                        turn=one.turn,
                        stored=_side_of(stored, sides),
                        given=_side_of(verdict, sides),
                    )
                )
            return None
        self.report.preferences["stored"] += 1
        return PreferenceAnswer(
            scope=PreferenceScope.DIMENSION if one.dimension else PreferenceScope.OVERALL,
            dimension=scale.dimensions[one.dimension][0] if one.dimension else None,
            outcome=outcome,
            preferred=preferred,
            strength=strength,
        )

    def _verdicts(self, sides: tuple[Response, ...], kind: BatchKind) -> dict[str, Verdict]:
        """Return what the reference member has said of this pair, by dimension key."""
        rows = Preference.objects.filter(
            judgment__item__response_1=sides[0],
            judgment__item__response_2=sides[1],
            judgment__batch__kind=kind,
            judgment__batch__purpose=BatchPurpose.REFERENCE,
            judgment__cause=Cause.IMPORT,
        ).values_list("dimension__key", "outcome", "preferred", "strength")
        return {key or "": (outcome, side, strength) for key, outcome, side, strength in rows}

    def _write(
        self,
        batch: Batch,
        sides: tuple[Response, ...],
        answers: Answers,
        *,
        shown_first: int = 1,
    ) -> None:
        """Insert a judgment; what the same item holds already is said again in the new revision."""
        assignment = self._assignment(batch, sides, shown_first)
        last = assignment.judgments.order_by("revision").last()
        if last is not None:
            answers = _with_earlier(answers, last)
        revision = 1 if last is None else last.revision + 1
        write_judgment(
            assignment,
            cause=Cause.IMPORT,
            answers=answers,
            key=f"import-{revision}",
            now=self.now,
        )

    def _assignment(
        self, batch: Batch, sides: tuple[Response, ...], shown_first: int
    ) -> Assignment:
        second = sides[1] if len(sides) > 1 else None
        item = batch.items.filter(response_1=sides[0], response_2=second).first()
        if item is not None:
            assignment = Assignment.objects.get(item=item, member=self._reference())
            assignment.item.batch = batch
            return assignment
        item = Item.objects.create(
            batch=batch,
            dialogue=sides[0].dialogue,
            response_1=sides[0],
            response_2=second,
            position=batch.items.count(),
            fork_depth=None if second is None else fork_depth(sides[0], second),
        )
        seat = Seat.objects.create(
            item=item,
            number=1,
            purpose=SeatPurpose.REFERENCE,
            state=SeatState.TAKEN,
            shown_first=shown_first,
        )
        return Assignment.objects.create(
            item=item,
            member=self._reference(),
            seat=seat,
            state=AssignmentState.SUBMITTED,
            shown_first=shown_first,
            claimed_at=self.now,
            submitted_at=self.now,
        )

    def _reference(self) -> Member:
        if self._member is None:
            self._member, _ = Member.objects.get_or_create(
                project=self.project, pseudonym=PSEUDONYM, defaults={"role": Role.ANNOTATOR}
            )
        return self._member

    def _batch(self, imported_in: Import, rubric: Rubric, kind: BatchKind) -> Batch:
        """Return the import's closed batch for this kind of item; it is made at the first."""
        if found := self._batches.get((rubric.pk, kind)):
            return found
        word = str(kind).replace("_", "-")
        batch, made = Batch.objects.get_or_create(
            project=self.project,
            slug=f"reference-{imported_in.pk}-{word}-{rubric.pk}",
            defaults={
                "title": f"Reference: {imported_in.name}"[:200],
                "kind": kind,
                "purpose": BatchPurpose.REFERENCE,
                "state": BatchState.CLOSED,
                "rubric": rubric,
                "settings": BatchSettings(overlap=1).as_json(),
                "imported_in": imported_in,
                "created_by": imported_in.created_by,
                "created_at": self.now,
                "opened_at": self.now,
                "closed_at": self.now,
            },
        )
        if made:
            Participation.objects.create(batch=batch, member=self._reference())
        self._batches[rubric.pk, kind] = batch
        return batch

    def _scale_for(
        self, values: Sequence[given.Score] | Sequence[given.Preference]
    ) -> _Scale | None:
        """Return the newest rubric that knows most of the dimensions named, or None."""
        if not values:
            return None
        wanted = {one.dimension for one in values}
        best = max(
            self._all_scales(),
            key=lambda scale: len(wanted & scale.dimensions.keys()),
            default=None,
        )
        known = wanted == {""} or (best is not None and bool(wanted & best.dimensions.keys()))
        return best if known else None

    def _all_scales(self) -> list[_Scale]:
        if self._scales is None:
            rubrics = (
                [self.rubric]
                if self.rubric
                else list(self.project.rubrics.order_by("-published_at", "-pk"))
            )
            self._scales = [_scale_of(rubric) for rubric in rubrics]
        return self._scales

    def _fault(self, scale: _Scale, score: given.Score) -> str | None:
        """Return the word for why a score cannot be stored, or None."""
        if score.dimension not in scale.dimensions:
            return "unknown_dimension"
        dimension, scores = scale.dimensions[score.dimension]
        if (dimension.level == Level.GLOBAL) != (score.turn is None):
            return "wrong_level"
        if score.score is not None and score.score not in scores:
            return "off_scale"
        return None

    def _unit(self, placed: Placed, score: given.Score) -> int:
        return placed.path[-1 if score.turn is None else score.turn - 1].pk


def fork_depth(one: Response, other: Response) -> int | None:
    """Return the first turn, from 1, at which two paths differ; None where one begins the other."""
    pairs = zip(one.lineage_ids(), other.lineage_ids(), strict=False)
    return next((depth for depth, (left, right) in enumerate(pairs, 1) if left != right), None)


def _scale_of(rubric: Rubric) -> _Scale:
    dimensions = rubric.dimensions.prefetch_related("points")
    return _Scale(
        rubric,
        {
            one.key: (one, frozenset(point.score for point in one.points.all()))
            for one in dimensions
        },
    )


def _with_earlier(answers: Answers, last: Any) -> Answers:
    """Return the answers with those of the last revision before them."""
    ratings = [
        RatingAnswer(
            response=row.response,
            dimension=row.dimension,
            score=row.score,
            origin=Origin(row.origin),
            branch=row.branch,
            reason=row.reason,
            steps_named=row.steps_named,
        )
        for row in last.ratings.select_related("response", "dimension")
    ]
    preferences = [
        PreferenceAnswer(
            scope=PreferenceScope(row.scope),
            dimension=row.dimension,
            outcome=Outcome(row.outcome),
            preferred=row.preferred,
            strength=row.strength,
        )
        for row in last.preferences.select_related("dimension", "preferred")
    ]
    texts = [row.text for row in last.remarks.all()] + [one.text for one in answers.remarks]
    remarks = (RemarkAnswer(RemarkKind.RATIONALE, None, None, "\n".join(texts), ""),)
    return replace(
        answers,
        ratings=(*ratings, *answers.ratings),
        preferences=(*preferences, *answers.preferences),
        remarks=remarks if texts else (),
    )


def _shown(value: Value) -> str:
    score, reason = value
    shown = "not applicable" if score is None else str(score)
    return f"{shown}: {reason[:200]}" if reason else shown


def _side_of(verdict: Verdict, sides: tuple[Response, ...]) -> str:
    outcome, preferred, strength = verdict
    for word, side in zip(("first", "second"), sides, strict=True):
        if preferred == side.pk:
            return f"{word} (strength {strength})"
    return outcome
