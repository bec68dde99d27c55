"""What an item asks and what it takes: branches, locks, reasons, preferences."""

import pytest

from annotation.actions.answers import read_answers, weighted_length
from annotation.actions.assignments import claim_next
from annotation.actions.judgments import submit_judgment
from annotation.choices import (
    BatchKind,
    BatchSettings,
    Branch,
    DimensionPreference,
    LocalScope,
    Origin,
    OverallScale,
    ReasonRule,
    SlotState,
)
from annotation.models import Response
from annotation.reports.questions import questions_of
from tests.factories import (
    NOW,
    make_batch,
    make_dialogue,
    make_item,
    make_member,
    make_path,
    make_slot,
    make_tree,
)
from tests.worlds import body_for, full_body, open_batch_with, problems_of

pytestmark = pytest.mark.django_db

IMAGE_DIMENSIONS = ["local_image_text_consistency", "visual_perceptual_quality"]


def questions_for(kind: BatchKind, settings: BatchSettings | None = None, **tree):
    batch = make_batch(kind=kind, settings=settings)
    dialogue = make_tree(**({"paths": 2, "turns": 3, "fork": 2} | tree))
    sides = list(dialogue.responses.full().order_by("pk"))
    if kind == BatchKind.TURN_PAIR:
        sides = list(
            Response.objects.filter(dialogue=dialogue, turn__prompt="fork prompt").order_by("pk")
        )
    if kind == BatchKind.CONVERSATION:
        sides = sides[:1]
    return questions_of(make_item(batch, *sides), member=None)


def test_a_turn_pair_asks_its_turn_on_both_sides_and_local_preferences():
    questions = questions_for(BatchKind.TURN_PAIR)

    assert [(unit.level, unit.depth, unit.sides) for unit in questions.units] == [
        ("local", 2, (1,)),
        ("local", 2, (2,)),
    ]
    assert [one.key for one in questions.preferences] == [
        "dimension:local_image_text_consistency",
        "dimension:visual_perceptual_quality",
        "dimension:context_coherence",
        "dimension:text_quality",
        "overall",
    ]


def test_a_conversation_pair_asks_a_shared_response_once():
    questions = questions_for(BatchKind.CONVERSATION_PAIR)

    assert [(unit.level, unit.depth, unit.sides) for unit in questions.units] == [
        ("local", 1, (1, 2)),
        ("local", 2, (1,)),
        ("local", 2, (2,)),
        ("local", 3, (1,)),
        ("local", 3, (2,)),
        ("global", 3, (1,)),
        ("global", 3, (2,)),
    ]
    assert questions.decisions == 5 * 4 + 2 * 5 + 6


@pytest.mark.parametrize(
    ("scope", "depths"),
    [
        (LocalScope.EVERY_TURN, [1, 2, 2, 3, 3]),
        (LocalScope.AFTER_FORK, [2, 2, 3, 3]),
        (LocalScope.FORK_TURN, [2, 2]),
        (LocalScope.NONE, []),
    ],
)
def test_the_local_scope_decides_which_turns_are_rated(scope, depths):
    questions = questions_for(
        BatchKind.CONVERSATION_PAIR, BatchSettings(local_scope=scope, global_ratings=False)
    )

    assert [unit.depth for unit in questions.units] == depths


def test_a_single_conversation_asks_every_turn_the_whole_and_no_preference():
    questions = questions_for(BatchKind.CONVERSATION)

    assert [(unit.level, unit.depth) for unit in questions.units] == [
        ("local", 1),
        ("local", 2),
        ("local", 3),
        ("global", 3),
    ]
    assert questions.preferences == ()


def test_the_fork_preference_is_asked_where_the_batch_says_so():
    questions = questions_for(BatchKind.CONVERSATION_PAIR, BatchSettings(fork_preference=True))

    fork = next(one for one in questions.preferences if one.key == "fork")
    assert [side.text for side in fork.sides] == ["side 1 answer 2", "side 2 answer 2"]


def one_turn(*, answer=(), prompt=()):
    """Questions on one turn whose answer and prompt have slots of these states."""
    last = make_path(make_dialogue(), turns=1)
    for position, state in enumerate(answer):
        make_slot(response=last, state=state, position=position)
    for position, state in enumerate(prompt):
        make_slot(turn=last.turn, state=state, position=position)
    item = make_item(make_batch(kind=BatchKind.CONVERSATION), last)
    return questions_of(item, member=None)


def local_image_questions(questions):
    return [
        one
        for unit in questions.units
        for one in unit.questions
        if one.dimension.key in IMAGE_DIMENSIONS
    ]


@pytest.mark.parametrize(
    ("answer", "prompt", "branch", "locked"),
    [
        ([SlotState.STORED], [SlotState.STORED], Branch.ANSWER_IMAGES, ""),
        ([SlotState.NEVER_MADE], [SlotState.STORED], Branch.ANNOUNCED, ""),
        ([], [SlotState.STORED], Branch.USER_IMAGES, ""),
        ([], [], Branch.NO_IMAGES, ""),
        ([SlotState.STORED, SlotState.MISSING], [], Branch.ANSWER_IMAGES, "missing"),
        ([SlotState.BROKEN], [], Branch.ANSWER_IMAGES, "broken"),
        ([SlotState.WITHDRAWN], [], Branch.ANSWER_IMAGES, "withdrawn"),
        ([], [SlotState.MISSING], Branch.USER_IMAGES, "missing"),
    ],
)
def test_an_image_dimension_names_what_it_is_about(answer, prompt, branch, locked):
    found = local_image_questions(one_turn(answer=answer, prompt=prompt))

    assert [(one.branch, one.locked) for one in found] == [(branch, locked)] * 2


def test_a_missing_image_locks_its_dimensions_and_is_never_a_score():
    questions = one_turn(answer=[SlotState.MISSING])
    body = body_for(questions)
    response = questions.units[0].response.public_id

    assert problems_of(questions, body) == {}
    body["ratings"][response]["visual_perceptual_quality"] = {"score": 0}

    assert problems_of(questions, body) == {
        f"ratings.{response}.visual_perceptual_quality": ("cannot be rated: an image is missing")
    }


def test_a_never_made_image_can_be_rated_as_absent():
    questions = one_turn(answer=[SlotState.NEVER_MADE])

    answers = read_answers(questions, body_for(questions, score=0))

    branches = {one.dimension.key: one.branch for one in answers.ratings}
    assert branches["visual_perceptual_quality"] == Branch.ANNOUNCED


def test_the_automatic_score_is_offered_where_one_turn_has_images_and_marked():
    questions = one_turn(answer=[SlotState.STORED])
    body = body_for(questions)
    [style] = [
        one
        for unit in questions.units
        for one in unit.questions
        if one.dimension.key == "style_coherence"
    ]
    response = questions.units[-1].response.public_id
    body["ratings"][response]["style_coherence"] = {"score": 3, "origin": "by_rule"}

    answers = read_answers(questions, body)

    assert style.automatic == 3
    origins = {one.dimension.key: one.origin for one in answers.ratings}
    assert origins["style_coherence"] == Origin.BY_RULE


def test_by_rule_is_believed_only_where_the_rule_gives_that_score():
    questions = one_turn(answer=[])
    body = body_for(questions)
    response = questions.units[-1].response.public_id
    body["ratings"][response]["style_coherence"] = {"score": 3, "origin": "by_rule"}

    answers = read_answers(questions, body)

    assert {one.origin for one in answers.ratings} == {Origin.GIVEN}


@pytest.mark.parametrize(("score", "taken"), [(-1, True), (-2, False), (4, False), (True, False)])
def test_minus_one_is_legal_for_style_coherence_alone(score, taken):
    questions = questions_for(BatchKind.CONVERSATION)
    body = body_for(questions)
    response = questions.units[-1].response.public_id
    body["ratings"][response]["style_coherence"] = {"score": score}

    problems = problems_of(questions, body)

    assert (problems == {}) is taken
    body["ratings"][response]["helpfulness"] = {"score": -1}
    assert f"ratings.{response}.helpfulness" in problems_of(questions, body)


def test_not_applicable_is_an_answer_and_takes_no_score_beside_it():
    questions = questions_for(BatchKind.CONVERSATION)
    body = body_for(questions)
    response = questions.units[0].response.public_id
    body["ratings"][response]["text_quality"] = {"na": True}

    answers = read_answers(questions, body)

    scores = {
        one.dimension.key: one.score
        for one in answers.ratings
        if one.response == questions.units[0].response
    }
    assert scores["text_quality"] is None
    body["ratings"][response]["text_quality"] = {"na": True, "score": 2}
    assert f"ratings.{response}.text_quality" in problems_of(questions, body)


def asking(rule: ReasonRule, *, scores=(2, 2), reason=""):
    """The places where a reason is missing on a turn pair with these scores for the sides."""
    questions = questions_for(
        BatchKind.TURN_PAIR, BatchSettings(reasons={"text_quality": rule}, reason_minimum=5)
    )
    body = body_for(questions)
    for unit, score in zip(questions.units, scores, strict=True):
        body["ratings"][unit.response.public_id]["text_quality"] = {
            "score": score,
            "reason": reason,
        }
    return len(problems_of(questions, body))


@pytest.mark.parametrize(
    ("rule", "scores", "asked"),
    [
        (ReasonRule(), (0, 3), 0),
        (ReasonRule(always=True), (2, 3), 2),
        (ReasonRule(at_or_below=1), (1, 2), 1),
        (ReasonRule(where_sides_differ=True), (2, 2), 0),
        (ReasonRule(where_sides_differ=True), (2, 3), 2),
        (ReasonRule(share=1.0), (3, 3), 2),
        (ReasonRule(share=0.0), (3, 3), 0),
    ],
)
def test_a_reason_is_asked_where_the_rule_says_so(rule, scores, asked):
    assert asking(rule, scores=scores) == asked
    assert asking(rule, scores=scores, reason="Because.") == 0


def test_a_reason_is_measured_by_characters_and_script():
    assert weighted_length("a b") == 2
    assert weighted_length("画面清晰") == 10
    assert weighted_length("🚀ﾊ、") == 1 + 1 + 2.5
    assert asking(ReasonRule(always=True), reason="1234") == 2
    assert asking(ReasonRule(always=True), reason="清晰") == 0


@pytest.mark.parametrize(
    ("scale", "outcome", "strength", "taken"),
    [
        (OverallScale.STRICT, "tie", None, False),
        (OverallScale.STRICT, "prefers", 1, True),
        (OverallScale.TIE, "tie", None, True),
        (OverallScale.TIE, "both_bad", None, False),
        (OverallScale.TIE_BOTH_BAD, "both_bad", None, True),
        (OverallScale.TIE_BOTH_BAD, "prefers", 2, False),
        (OverallScale.GRADED, "prefers", 2, True),
        (OverallScale.GRADED, "prefers", 3, False),
        (OverallScale.GRADED, "maybe", None, False),
    ],
)
def test_a_preference_is_one_of_the_answers_of_the_scale(scale, outcome, strength, taken):
    questions = questions_for(BatchKind.TURN_PAIR, BatchSettings(overall_scale=scale))
    body = body_for(questions)
    body["preferences"]["overall"] = {
        "outcome": outcome,
        "preferred": questions.sides[0].last.public_id,
        "strength": strength,
    }

    assert (problems_of(questions, body) == {}) is taken


def test_a_preference_names_a_response_of_the_item_never_a_letter():
    questions = questions_for(BatchKind.TURN_PAIR)
    body = body_for(questions)
    body["preferences"]["overall"]["preferred"] = "A"

    assert set(problems_of(questions, body)) == {"preferences.overall.preferred"}


def test_asked_where_equal_needs_a_preference_only_there():
    questions = questions_for(
        BatchKind.TURN_PAIR,
        BatchSettings(dimension_preference=DimensionPreference.ASKED_WHERE_EQUAL),
    )
    body = body_for(questions)
    first = questions.units[0].response.public_id
    body["ratings"][first]["text_quality"]["score"] = 3
    body["preferences"] = {"overall": body["preferences"]["overall"]}

    assert set(problems_of(questions, body)) == {
        "preferences.dimension:local_image_text_consistency",
        "preferences.dimension:visual_perceptual_quality",
        "preferences.dimension:context_coherence",
    }


def test_a_proposal_counts_as_proposed_only_if_the_scores_say_so():
    questions = questions_for(
        BatchKind.TURN_PAIR, BatchSettings(dimension_preference=DimensionPreference.PROPOSED)
    )
    first, second = (side.last.public_id for side in questions.sides)
    body = body_for(questions)
    body["ratings"][first]["text_quality"]["score"] = 3
    for preferred, origin in ((first, "proposed"), (second, "given")):
        body["preferences"]["dimension:text_quality"] = {
            "outcome": "prefers",
            "preferred": preferred,
            "origin": "proposed",
        }

        answers = read_answers(questions, body)

        found = [one for one in answers.preferences if one.dimension is not None]
        assert [one.origin for one in found if one.dimension.key == "text_quality"] == [origin]


def test_no_preference_is_needed_where_a_side_is_not_applicable():
    questions = questions_for(BatchKind.TURN_PAIR)
    body = body_for(questions)
    first = questions.units[0].response.public_id
    body["ratings"][first]["text_quality"] = {"na": True}
    del body["preferences"]["dimension:text_quality"]

    assert problems_of(questions, body) == {}


def test_the_rationale_is_asked_where_the_batch_says_so():
    questions = questions_for(BatchKind.TURN_PAIR, BatchSettings(rationale_minimum=10))
    body = body_for(questions)

    assert set(problems_of(questions, body)) == {"remarks.rationale"}
    body["remarks"] = {"rationale": {"text": "It names every step."}}
    assert problems_of(questions, body) == {}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ([], "body"),
        ({"ratings": []}, "ratings"),
        ({"ratings": {"nobody": {"text_quality": {"score": 1}}}}, "ratings.nobody.text_quality"),
        ({"surprise": 1}, "surprise"),
        ({"remarks": {"image:77": {"text": "x"}}}, "remarks.image:77"),
        ({"remarks": {"rationale": {"text": "a\x00b"}}}, "remarks.rationale"),
        ({"remarks": {"rationale": {"text": 5}}}, "remarks.rationale"),
        ({"evidence": {"first_input_at": "yesterday"}}, "evidence.first_input_at"),
        ({"evidence": {"active_ms": {"99": 5}}}, "evidence.active_ms.99"),
    ],
)
def test_what_cannot_be_read_is_named(body, place):
    questions = questions_for(BatchKind.TURN_PAIR)

    assert place in problems_of(questions, body)


def test_only_images_that_were_shown_can_have_been_looked_at():
    questions = one_turn(answer=[SlotState.STORED])
    shown = questions.sides[0].steps[0].response_slots[0].image.sha256
    body = body_for(questions)
    body["evidence"] = {"images_seen": ["0" * 64, shown], "images_opened": "x"}

    answers = read_answers(questions, body)

    assert (answers.images_shown, answers.images_seen, answers.images_opened) == (
        (shown,),
        (shown,),
        (),
    )


def test_the_questions_of_an_item_cost_the_same_few_queries(django_assert_num_queries):
    for turns in (2, 6):
        batch, [ann, _] = open_batch_with(kind=BatchKind.CONVERSATION_PAIR, people=2)
        tree = make_tree(paths=2, turns=turns)
        item = make_item(batch, *tree.responses.full().order_by("pk"), position=9)
        item = (
            type(item)
            .objects.select_related("batch__rubric", "response_1", "response_2")
            .get(pk=item.pk)
        )

        with django_assert_num_queries(6):
            questions_of(item, member=ann)


def test_a_member_meets_their_own_ratings_again_and_nobody_elses():
    ann, ben = make_member(), make_member()
    batch = make_batch(kind=BatchKind.CONVERSATION_PAIR, members=[ann, ben])
    sides = list(make_tree(paths=3).responses.full().order_by("pk"))
    make_item(batch, sides[0], sides[1])
    other = make_item(batch, sides[0], sides[2])
    held = claim_next(batch, by=ann, now=NOW)
    submit_judgment(held, by=ann, body=full_body(held), key="k", now=NOW)
    left = other if held.item != other else batch.items.exclude(pk=other.pk).get()

    assert any(unit.is_yours for unit in questions_of(left, member=ann).units)
    assert not any(unit.is_yours for unit in questions_of(left, member=ben).units)
