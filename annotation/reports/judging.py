"""Everything the judging page shows, made from what an item asks.

Nothing of other people, of models or of known answers is read here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation.choices import (
    BatchKind,
    DimensionPreference,
    Level,
    Outcome,
    PreferenceScope,
    SlotState,
)
from annotation.models.assignments import Assignment
from annotation.models.batches import Item
from annotation.models.content import Slot
from annotation.models.rubric import Dimension
from annotation.rendering.markdown import to_html
from annotation.rendering.slots import (
    HtmlBlock,
    RenderedText,
    SlotToken,
    render_prompt,
    render_response,
)
from annotation.reports.categories import category_names
from annotation.reports.guidelines import GuidelineNow, guideline_now
from annotation.reports.items import minutes_of
from annotation.reports.judging_parts import (
    NOT_APPLICABLE,
    Answer,
    DimensionShown,
    Entered,
    JudgingPage,
    Option,
    Piece,
    Point,
    PreferenceShown,
    Prompt,
    RatingShown,
    Row,
    SideSummary,
    SlotShown,
    Tag,
    Text,
    TurnShown,
    tag_keys,
)
from annotation.reports.judging_words import (
    local_target,
    lock_sentence,
    reason_sentence,
    whole_target,
)
from annotation.reports.paths import Side, Step
from annotation.reports.questions import PreferenceQuestion, Questions, RatingQuestion, Unit
from annotation.reports.times import length_of
from annotation.reports.words import in_language, listed


def judging_page(
    questions: Questions,
    *,
    assignment: Assignment,
    entered: Entered,
    now: datetime | None = None,
) -> JudgingPage:
    """Return the page of an assignment with what is `entered` filled in. One or two queries more.

    :param questions: what the item asks of the member, from `questions_of`.
    :param entered: the draft's or judgment's values by field name.
    :param now: for the marks of what changed in the guideline within a day; without it none.
    """
    return _Builder(questions, assignment, entered, now).page()


def turns_read(
    item: Item, sides: tuple[Side, ...], *, shown_first: int, depths: Sequence[int] | None = None
) -> tuple[TurnShown, ...]:
    """Return the item's turns only to be read: nothing is asked, nobody's answers are there.

    :param sides: the item's sides, from `load_sides`. No query.
    :param shown_first: the side (1 or 2) that is called A.
    :param depths: the turns that are wanted, from 1; not given: all.
    """
    nothing = Questions(
        item=item, settings=item.batch.parsed_settings(), sides=sides, units=(), preferences=()
    )
    return _Builder(nothing, Assignment(item=item, shown_first=shown_first), {}).turns(depths)


class _Builder:
    """Keeps what all parts need: the letters, the entered values, the units by response."""

    def __init__(
        self,
        questions: Questions,
        assignment: Assignment,
        entered: Entered,
        now: datetime | None = None,
    ) -> None:
        self.questions = questions
        self.assignment = assignment
        self.entered = entered
        self.single = len(questions.sides) == 1
        first = assignment.shown_first
        self.ordered = tuple(sorted(questions.sides, key=lambda side: side.number != first))
        self.letters = {
            side.number: "" if self.single else letter
            for side, letter in zip(self.ordered, "AB", strict=False)
        }
        self.units = {(unit.response.pk, unit.level): unit for unit in questions.units}
        self.now = now
        self._dimensions: dict[int, DimensionShown] = {}
        self._names: dict[str, str] = {}
        self._seen_texts: dict[tuple[str, str], int] = {}

    @cached_property
    def guide(self) -> GuidelineNow | None:
        return guideline_now(self.questions.item.batch, now=self.now)

    def turns(self, depths: Sequence[int] | None = None) -> tuple[TurnShown, ...]:
        return tuple(self._turn(depth) for depth in depths or range(1, self._length() + 1))

    def page(self) -> JudgingPage:
        turns = self.turns()
        texts = [text for turn in turns for text in turn.texts]
        words = sum(text.words for text in texts)
        images = sum(len(text.images) for text in texts)
        by_key = {one.key: one for one in self.questions.preferences}
        guideline = self.guide.version if self.guide else None
        return JudgingPage(
            assignment=self.assignment,
            kind=self.questions.item.batch.kind,
            single=self.single,
            turns=turns,
            whole=self._whole(),
            sides=tuple(self._summary(side) for side in self.ordered),
            fork_preference=self._preference(by_key.get("fork")),
            overall=self._preference(by_key.get("overall")),
            rationale=self._text_of("rationale"),
            guideline=guideline,
            guide=self.guide,
            guideline_text=to_html(guideline.text) if guideline and guideline.text else None,
            reason_minimum=self.questions.settings.reason_minimum,
            rationale_minimum=self.questions.settings.rationale_minimum,
            words=words,
            images=images,
            minutes=length_of(self.questions.item).minutes or self._minutes(words, images),
            carried=sum(bool(q.yours) for unit in self.questions.units for q in unit.questions),
            prefix_read=self._prefix_read(turns),
        )

    def _minutes(self, words: int, images: int) -> int:
        """Estimate the length of an item that nobody counted before it was made."""
        decisions = self.questions.decisions
        minutes = minutes_of(words=words, images=images, decisions=decisions, texts=0)
        return max(1, round(minutes))

    def _length(self) -> int:
        return max(len(side.steps) for side in self.questions.sides)

    def _prefix_read(self, turns: Sequence[TurnShown]) -> bool:
        """Tell whether the person judged another pair that begins with the same turns. One query.

        The same pair does not count: who judges it again must not see that they do.
        """
        depth = next((i for i, turn in enumerate(turns) if not turn.is_prefix), len(turns))
        if depth == 0:
            return False
        item = self.questions.item
        read = self.questions.sides[0].steps[depth - 1].response
        begins = Q(item__response_1__lineage__startswith=read.lineage) | Q(
            item__response_2__lineage__startswith=read.lineage
        )
        return (
            Assignment.objects.submitted()
            .filter(begins, member=self.assignment.member, item__dialogue=read.dialogue_id)
            .exclude(item__response_1=item.response_1_id, item__response_2=item.response_2_id)
            .exists()
        )

    # Turns

    def _turn(self, depth: int) -> TurnShown:
        steps = [(side, step) for side in self.ordered if (step := side.step_at(depth))]
        turns = {step.turn.pk for _side, step in steps}
        responses = {step.response.pk for _side, step in steps}
        both = len(steps) == len(self.ordered)
        shared_prompt = both and len(turns) == 1
        shared = both and len(responses) == 1
        prompts = tuple(
            Prompt(
                letter="" if shared_prompt else self.letters[side.number], text=self._prompt(step)
            )
            for side, step in (steps[:1] if shared_prompt else steps)
        )
        answers = tuple(
            self._answer("" if shared else self.letters[side.number], step)
            for side, step in (steps[:1] if shared else steps)
        )
        return TurnShown(
            depth=depth,
            prompts=prompts,
            answers=answers,
            rows=self._local_rows(depth, steps[:1] if shared else steps, shared=shared),
            note=self._note(depth, shared_prompt=shared_prompt, shared=shared),
        )

    def _note(self, depth: int, *, shared_prompt: bool, shared: bool) -> str:
        if self.single or shared:
            return ""
        if self.questions.item.batch.kind == BatchKind.TURN_PAIR:
            return _("the turn to judge")
        if depth == self.questions.item.fork_depth:
            return (
                _("the answers part here")
                if shared_prompt
                else _("the prompts differ from here on")
            )
        return ""

    def _prompt(self, step: Step) -> Text:
        rendered = render_prompt(step.turn.prompt, _tokens(step.prompt_slots))
        return self._text(rendered, step.turn.prompt, step.prompt_slots)

    def _answer(self, letter: str, step: Step) -> Answer:
        raw = step.response.text
        rendered = render_response(raw, _tokens(step.response_slots))
        seen = self._seen_texts.setdefault((letter, raw.strip()), step.depth)
        unit = self.units.get((step.response.pk, Level.LOCAL))
        public_id = step.response.public_id
        return Answer(
            letter=letter,
            public_id=public_id,
            text=self._text(rendered, raw, step.response_slots),
            same_as=seen if seen != step.depth else None,
            yours_at=_yours_at(unit),
            critique=self._text_of(f"critique.{public_id}"),
            refinement=self._text_of(f"refinement.{public_id}"),
        )

    def _text(self, rendered: RenderedText, raw: str, slots: Sequence[Slot]) -> Text:
        shown = {slot.position: self._slot(slot, number) for number, slot in enumerate(slots, 1)}
        return Text(
            pieces=tuple(
                Piece(html=block.html, slot=None)
                if isinstance(block, HtmlBlock)
                else Piece(html=None, slot=shown[block.position])
                for block in rendered.blocks
            ),
            raw=raw,
            words=rendered.word_count,
            language=rendered.language,
            direction=rendered.direction,
            excerpt=rendered.excerpt,
            images=tuple(shown.values()),
        )

    def _slot(self, slot: Slot, number: int) -> SlotShown:
        field = f"image.{slot.pk}"
        image = slot.image if slot.state == SlotState.STORED else None
        return SlotShown(
            field=field,
            number=number,
            state=slot.state,
            caption=slot.caption,
            kind=slot.kind,
            sha256=image.sha256 if image else "",
            width=image.width if image else 0,
            height=image.height if image else 0,
            marks=self._mark_names(slot.marks or self.questions.item.dialogue.marks),
            remark=self._text_of(field),
        )

    def _mark_names(self, keys: Sequence[str]) -> tuple[str, ...]:
        """Return what marks are called; names are read once, and only where there are marks."""
        if any(key not in self._names for key in keys):
            self._names |= category_names(self.questions.item.batch.project_id, keys)
        return tuple(self._names[key] for key in keys)

    # What is asked

    def _local_rows(
        self, depth: int, steps: Sequence[tuple[Side, Step]], *, shared: bool
    ) -> tuple[Row, ...]:
        units = [
            ("" if shared else self.letters[side.number], step, unit)
            for side, step in steps
            if (unit := self.units.get((step.response.pk, Level.LOCAL)))
        ]
        compared = self._dimension_preferences() if depth == self._length() and not shared else {}
        place = _("Turn %(depth)d") % {"depth": depth}
        return self._rows(
            units,
            compared if self.questions.item.batch.kind == BatchKind.TURN_PAIR else {},
            place=place,
            target=lambda step, question: local_target(step, question),
        )

    def _whole(self) -> tuple[Row, ...]:
        units = [
            (self.letters[side.number], side.steps[-1], unit)
            for side in self.ordered
            if (unit := self.units.get((side.last.pk, Level.GLOBAL)))
        ]
        if self.questions.item.batch.kind == BatchKind.TURN_PAIR:
            return ()
        return self._rows(
            units,
            self._dimension_preferences(),
            place=_("Whole"),
            target=lambda _step, question: whole_target(question),
        )

    def _dimension_preferences(self) -> dict[int, PreferenceQuestion]:
        return {
            one.dimension.pk: one
            for one in self.questions.preferences
            if one.scope == PreferenceScope.DIMENSION and one.dimension is not None
        }

    def _rows(
        self,
        units: Sequence[tuple[str, Step, Unit]],
        compared: Mapping[int, PreferenceQuestion],
        *,
        place: str,
        target: Callable[[Step, RatingQuestion], str],
    ) -> tuple[Row, ...]:
        by_dimension: dict[int, list[RatingShown]] = {}
        dimensions: dict[int, Dimension] = {}
        for letter, step, unit in units:
            for question in unit.questions:
                dimensions[question.dimension.pk] = question.dimension
                by_dimension.setdefault(question.dimension.pk, []).append(
                    self._rating(letter, unit, question, place=place, target=target(step, question))
                )
        for pk, preference in compared.items():
            if preference.dimension is not None:
                dimensions.setdefault(pk, preference.dimension)
        return tuple(
            Row(
                dimension=self._dimension(dimension),
                ratings=tuple(by_dimension.get(pk, ())),
                preference=self._preference(compared.get(pk)),
            )
            for pk, dimension in sorted(dimensions.items(), key=lambda pair: pair[1].position)
        )

    def _rating(
        self, letter: str, unit: Unit, question: RatingQuestion, *, place: str, target: str
    ) -> RatingShown:
        dimension = self._dimension(question.dimension)
        field = f"{unit.response.public_id}.{question.dimension.key}"
        yours = question.yours
        was = "" if yours is None else NOT_APPLICABLE if yours.not_applicable else str(yours.score)
        value = self.entered.get(f"score.{field}", was)
        rule = question.reason_rule
        below = rule.at_or_below
        everywhere = rule.always or question.reason_drawn
        asked_at = [
            point.value
            for point in dimension.points
            if everywhere or (below is not None and int(point.value) <= below)
        ]
        tags = self.entered.get(f"tag.{field}", yours.tags if yours else [])
        proposed = next((p for p in dimension.points if p.value == str(question.automatic)), None)
        return RatingShown(
            field=field,
            letter=letter,
            place=listed((place, letter)),
            dimension=dimension,
            target=target,
            branch=question.branch,
            locked=lock_sentence(question.locked),
            value=str(value),
            proposed=proposed,
            reason=str(self.entered.get(f"reason.{field}", yours.reason if yours else "")),
            reason_scores=" ".join(asked_at),
            reason_where_differs=rule.where_sides_differ and not self.single,
            reason_rule=reason_sentence(question, asked_at, dimension.points),
            tags=frozenset([tags] if isinstance(tags, str) else tags),
            yours=was,
            yours_at=yours.judgment.submitted_at if yours else None,
        )

    def _preference(self, question: PreferenceQuestion | None) -> PreferenceShown | None:
        if question is None:
            return None
        sides = {
            side.number: response
            for side, response in zip(self.questions.sides, question.sides, strict=True)
        }
        a, b = (sides[side.number].public_id for side in self.ordered)
        title = {
            PreferenceScope.OVERALL: _("All in all, which answer is better?")
            if self.questions.item.batch.kind == BatchKind.TURN_PAIR
            else _("All in all, which conversation is better?"),
            PreferenceScope.FORK: _("Where they part, which answer is better?"),
        }.get(PreferenceScope(question.scope), "")
        if question.dimension is not None:
            title = self._dimension(question.dimension).short_name
        field = f"preference.{question.key}"
        return PreferenceShown(
            key=question.key,
            field=field,
            title=title,
            options=tuple(_options(question, a, b)),
            value=self._text_of(field),
            rule=question.rule
            if question.scope == PreferenceScope.DIMENSION
            else DimensionPreference.ASKED,
            origin=self._text_of(f"origin.{question.key}"),
            in_bulk=self._text_of(f"bulk.{question.key}"),
            contradiction=self._text_of(f"contradiction.{question.key}"),
        )

    def _summary(self, side: Side) -> SideSummary:
        slots = [slot for step in side.steps for slot in step.response_slots]
        rendered = [
            render_response(step.response.text, _tokens(step.response_slots)) for step in side.steps
        ]
        turns = ngettext("%(n)d turn", "%(n)d turns", len(side.steps)) % {"n": len(side.steps)}
        words = sum(one.word_count for one in rendered)
        images = sum(slot.state == SlotState.STORED for slot in slots)
        counts = [
            turns,
            ngettext("%(n)d word", "%(n)d words", words) % {"n": words},
            ngettext("%(n)d image", "%(n)d images", images) % {"n": images},
        ]
        never = sum(slot.state == SlotState.NEVER_MADE for slot in slots)
        if never:
            counts.append(_("%(n)d not made") % {"n": never})
        return SideSummary(
            letter=self.letters[side.number],
            public_id=side.last.public_id,
            counts=listed(counts),
            yours_at=_yours_at(self.units.get((side.last.pk, Level.GLOBAL))),
        )

    def _dimension(self, dimension: Dimension) -> DimensionShown:
        if dimension.pk not in self._dimensions:
            self._dimensions[dimension.pk] = _dimension_shown(dimension, self.guide)
        return self._dimensions[dimension.pk]

    def _text_of(self, field: str) -> str:
        value = self.entered.get(field, "")
        return value if isinstance(value, str) else ""


def _dimension_shown(dimension: Dimension, guide: GuidelineNow | None) -> DimensionShown:
    own = guide.version.by_dimension.get(dimension.key) if guide else None
    guidance = dimension.guidance if isinstance(dimension.guidance, list) else [dimension.guidance]
    keys = tag_keys([str(tag.get("shortcut", "")).upper() for tag in dimension.tags])
    points = sorted(dimension.points.all(), key=lambda point: (point.in_order, point.score))
    name = in_language(dimension.name) or dimension.key
    return DimensionShown(
        key=dimension.key,
        name=name,
        short_name=in_language(dimension.short_name) or name,
        question=in_language(dimension.question),
        guidance=tuple(text for one in guidance if (text := in_language(one))),
        guideline=to_html(own) if own else None,
        notes=guide.notes_on(dimension.key) if guide else (),
        changed=guide.change.of(dimension.key) if guide and guide.change else None,
        points=tuple(
            Point(
                value=str(point.score),
                word=in_language(point.word),
                meaning=in_language(point.meaning),
                in_order=point.in_order,
            )
            for point in points
        ),
        tags=tuple(
            Tag(
                key=tag["key"],
                name=in_language(tag.get("name")) or tag["key"],
                shortcut=key,
            )
            for tag, key in zip(dimension.tags, keys, strict=True)
        ),
    )


def _tokens(slots: Iterable[Slot]) -> tuple[SlotToken, ...]:
    return tuple(
        SlotToken(
            position=slot.position,
            start=slot.offset,
            end=None if slot.offset is None else slot.offset + (slot.length or 0),
            stays=slot.offset is not None and not slot.kind,
        )
        for slot in slots
    )


def _yours_at(unit: Unit | None) -> datetime | None:
    if unit is None or not unit.is_yours:
        return None
    times = [question.yours.judgment.submitted_at for question in unit.questions if question.yours]
    return max(times, default=None)


def _options(question: PreferenceQuestion, a: str, b: str) -> Iterable[Option]:
    offered = set(question.outcomes)
    if (Outcome.PREFERS, 2) in offered:
        yield Option(f"{a}:2", _("A much"), _("A is much better."), "A", apart=False)
    yield Option(f"{a}:1", _("A"), _("A is better."), "a", apart=False)
    if (Outcome.TIE, None) in offered:
        yield Option("tie", _("Same"), _("Both are the same."), "t", apart=False)
    yield Option(f"{b}:1", _("B"), _("B is better."), "b", apart=False)
    if (Outcome.PREFERS, 2) in offered:
        yield Option(f"{b}:2", _("B much"), _("B is much better."), "B", apart=False)
    if (Outcome.BOTH_BAD, None) in offered:
        yield Option("both_bad", _("Both bad"), _("Both are bad."), "x", apart=True)
