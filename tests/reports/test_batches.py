"""What a plan would make: items, what is left out and why, seats and work."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest

from annotation.choices import (
    BatchKind,
    BatchSettings,
    DimensionPreference,
    ItemOrder,
    LocalScope,
    PairChoice,
    ReasonRule,
    SlotState,
)
from annotation.models import Item, Record, Response
from annotation.reports.batches import (
    BatchPlan,
    found_items,
    preview_batch,
    problems_of,
    reasons_of,
    settings_for,
)
from annotation.reports.items import (
    DialogueChoice,
    chosen_dialogues,
    draw_key,
    find_items,
    seats_needed,
)
from annotation.reports.questions import questions_of
from tests.factories import (
    make_batch,
    make_dialogue,
    make_image,
    make_item,
    make_member,
    make_path,
    make_response,
    make_rubric,
    make_slot,
    make_tree,
    make_turn,
)

pytestmark = pytest.mark.django_db


def plan_of(kind: BatchKind = BatchKind.CONVERSATION_PAIR, **more) -> BatchPlan:
    settings = more.pop("settings", BatchSettings())
    return BatchPlan(
        slug=more.pop("slug", "wave-1"),
        title=more.pop("title", "Wave 1"),
        kind=kind,
        rubric=more.pop("rubric", None) or make_rubric(),
        settings=settings,
        **more,
    )


# --- Work


def test_six_pairs_of_four_paths_are_336_decisions_or_136_where_units_are_carried():
    make_tree(paths=4, turns=5, fork=1)
    settings = BatchSettings(pairs=PairChoice.ALL, overlap=1)

    preview = preview_batch(plan_of(settings=settings))

    assert preview.items == 6
    assert preview.per_item["decisions"].total == 336
    assert preview.hours - preview.hours_carried == pytest.approx((336 - 136) * 5 / 3600, abs=0.1)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (BatchKind.TURN_PAIR, BatchSettings()),
        (BatchKind.TURN_PAIR, BatchSettings(dimension_preference=DimensionPreference.NONE)),
        (BatchKind.CONVERSATION, BatchSettings()),
        (BatchKind.CONVERSATION_PAIR, BatchSettings()),
        (BatchKind.CONVERSATION_PAIR, BatchSettings(local_scope=LocalScope.AFTER_FORK)),
        (BatchKind.CONVERSATION_PAIR, BatchSettings(local_scope=LocalScope.FORK_TURN)),
        (
            BatchKind.CONVERSATION_PAIR,
            BatchSettings(local_scope=LocalScope.NONE, global_ratings=False),
        ),
        (BatchKind.CONVERSATION_PAIR, BatchSettings(fork_preference=True)),
    ],
)
@pytest.mark.parametrize("turns", [2, 4])
def test_decisions_foretold_are_those_the_judging_page_asks(kind, settings, turns):
    make_tree(paths=2, turns=turns, fork=2)
    plan = plan_of(kind, settings=settings)
    found = found_items(plan)
    batch = make_batch(kind=kind, rubric=plan.rubric, settings=settings_for(kind, settings))

    for item in found.items:
        made = Item.objects.create(
            batch=batch,
            dialogue_id=item.dialogue,
            response_1_id=item.response_1,
            response_2_id=item.response_2,
            fork_depth=item.fork_depth,
            position=batch.items.count(),
        )

        assert questions_of(made, member=None).decisions == item.load.decisions
    assert found.items


def test_what_both_sides_share_is_read_once():
    dialogue = make_dialogue()
    shared = make_path(dialogue, turns=1, word="one two")
    turn = make_turn(dialogue, follows=shared, prompt="asks three words")
    make_slot(turn=turn)
    make_slot(response=make_response(turn, text="four words are here"))
    make_slot(response=make_response(turn, text="五个汉字呢"), state=SlotState.NEVER_MADE)
    shared.ends_record = False
    shared.save()

    (item,) = found_items(plan_of()).items

    # "one two prompt 1", "one two answer 1", the prompt, and each side.
    assert item.load.words == 4 + 4 + 3 + 4 + 5
    assert item.load.images == 2
    assert item.load.turns == 2
    assert item.fork_depth == 2


def test_a_reason_always_asked_is_a_text_and_one_asked_of_a_share_part_of_one():
    make_tree(paths=2, turns=2, fork=1)
    rules = {"text_quality": ReasonRule(always=True), "context_coherence": ReasonRule(share=0.25)}

    (item,) = found_items(plan_of(BatchKind.TURN_PAIR, settings=BatchSettings(reasons=rules))).items

    assert item.load.texts == 2 * 1.25


def test_a_reason_for_low_scores_is_expected_as_often_as_people_gave_them():
    make_tree(paths=2, turns=2, fork=1)
    rules = {"text_quality": ReasonRule(at_or_below=1)}

    (item,) = found_items(plan_of(BatchKind.TURN_PAIR, settings=BatchSettings(reasons=rules))).items

    assert item.load.texts == pytest.approx(2 * (0.019 + 0.077), abs=0.005)


def test_a_rationale_that_is_asked_is_a_text_of_each_pair():
    make_tree(paths=2, turns=2, fork=1)
    settings = BatchSettings(rationale_minimum=20)
    rubric = make_rubric()

    (pair,) = found_items(plan_of(BatchKind.TURN_PAIR, settings=settings, rubric=rubric)).items
    singles = found_items(plan_of(BatchKind.CONVERSATION, settings=settings, rubric=rubric)).items

    assert pair.load.texts == 1
    assert [item.load.texts for item in singles] == [0, 0]


# --- What is left out


def test_every_possible_pair_is_an_item_or_left_out_for_a_reason():
    tree = make_tree(paths=5, turns=3, fork=2)
    make_path(tree, turns=1, after=tree.responses.get(depth=1), word="short")
    broken = tree.responses.full().filter(depth=3).order_by("pk")[0]
    make_slot(response=broken, state=SlotState.BROKEN)

    preview = preview_batch(plan_of(settings=BatchSettings(pairs=PairChoice.RING)))

    assert preview.possible == 15  # six paths
    assert preview.left_out == {"incomplete": 5, "unequal_length": 4, "not_chosen": 2}
    assert preview.items == 4
    assert preview.items + sum(preview.left_out.values()) == preview.possible


def test_an_item_with_a_missing_picture_is_taken_where_the_lead_includes_them():
    tree = make_tree(paths=2, turns=2, fork=2)
    make_slot(turn=tree.turns.get(depth=1), state=SlotState.MISSING)

    without = preview_batch(plan_of())
    included = preview_batch(
        plan_of(settings=BatchSettings(include_incomplete=True), rubric=make_rubric(slug="other"))
    )

    assert (without.items, without.left_out) == (0, {"incomplete": 1})
    assert without.problems == (
        "The 1 dialogues chosen give no item; left out: 1 missing or broken pictures.",
    )
    assert (included.items, included.left_out) == (1, {})


def test_an_image_never_made_may_be_judged():
    tree = make_tree(paths=2, turns=2, fork=2)
    make_slot(response=tree.responses.filter(depth=2)[0], state=SlotState.NEVER_MADE)

    assert preview_batch(plan_of()).items == 1


def test_sides_equal_in_text_are_told_apart_by_their_pixels():
    dialogue = make_dialogue()
    turn = make_turn(dialogue)
    image = make_image()
    same = [make_response(turn, text="The same."), make_response(turn, text="The same.")]
    for response in same:
        make_slot(response=response, image=image)
    make_slot(response=make_response(turn, text="The same."))

    for kind in (BatchKind.TURN_PAIR, BatchKind.CONVERSATION_PAIR):
        settings = BatchSettings(pairs=PairChoice.ALL)
        preview = preview_batch(plan_of(kind, settings=settings, rubric=make_rubric(slug=kind)))

        assert (preview.items, preview.left_out) == (2, {"equal": 1})


def test_a_dialogue_with_one_path_gives_no_pair_and_is_counted():
    make_path(make_dialogue(), turns=2)
    make_tree(paths=2)

    preview = preview_batch(plan_of())

    assert (preview.dialogues, preview.dialogues_without_item, preview.items) == (2, 1, 1)


def test_conversations_are_all_full_paths_and_no_others():
    dialogue = make_dialogue()
    early = make_path(dialogue, turns=1)
    late = make_path(dialogue, turns=2, after=early)

    items = found_items(plan_of(BatchKind.CONVERSATION)).items

    # The early one ends a record, so it is full though it is followed.
    assert {item.response_1 for item in items} == {early.pk, late.pk}
    assert {item.response_2 for item in items} == {None}


def test_sides_are_ordered_by_content_key_whatever_their_primary_keys():
    for _ in range(6):
        make_tree(paths=2)

    for item in found_items(plan_of()).items:
        one = Response.objects.get(pk=item.response_1)
        two = Response.objects.get(pk=item.response_2)
        assert one.content_key < two.content_key


# --- Order and seats


def test_by_dialogue_keeps_the_items_of_a_dialogue_together():
    for _ in range(4):
        make_tree(paths=4)
    rubric = make_rubric()

    grouped = [item.dialogue for item in found_items(plan_of(rubric=rubric)).items]
    mixed = [
        item.dialogue
        for item in found_items(plan_of(rubric=rubric, order=ItemOrder.SHUFFLED)).items
    ]

    assert len(grouped) == len(mixed) == 16
    assert sum(a != b for a, b in pairwise(grouped)) == 3
    assert sum(a != b for a, b in pairwise(mixed)) > 3


def test_a_plan_gives_the_same_items_each_time_and_another_seed_others():
    for _ in range(8):
        make_tree(paths=5)
    plan = plan_of(choice=DialogueChoice(sample=4))

    assert found_items(plan) == found_items(plan)
    assert found_items(replace(plan, seed=1)) != found_items(replace(plan, seed=2))


def test_the_name_an_item_is_drawn_by_is_the_same_after_it_is_stored():
    make_tree(paths=2)
    (found,) = found_items(plan_of()).items
    responses = Response.objects.in_bulk([found.response_1, found.response_2])

    item = make_item(
        make_batch(kind=BatchKind.CONVERSATION_PAIR),
        responses[found.response_1],
        responses[found.response_2],
    )

    assert draw_key(item) == found.key


def test_mixed_overlap_gives_more_seats_to_a_share_of_each_task():
    tasks = {f"item {n}": "drawing" if n < 20 else "cooking" for n in range(30)}
    settings = BatchSettings(overlap=1, overlap_high=3, overlap_high_share=0.2)

    seats = seats_needed(tasks, settings, members=5, seed=7)

    high = [key for key, count in seats.items() if count == 3]
    assert len(high) == 6
    assert sum(tasks[key] == "drawing" for key in high) == 4
    assert set(seats.values()) == {1, 3}


def test_everyone_is_a_seat_for_each_member():
    make_tree(paths=2)
    members = (make_member(), make_member(), make_member())

    preview = preview_batch(plan_of(members=members, settings=BatchSettings(everyone=True)))

    assert (preview.seats, preview.seats_per_item) == (3, {3: 1})


# --- Choosing dialogues


def test_dialogues_are_chosen_by_import_source_task_turns_and_images():
    drawing = make_tree(task="drawing", turns=2)
    cooking = make_tree(task="cooking", turns=4)
    cooking.source = "wikihow"
    cooking.save()
    make_slot(response=cooking.responses.filter(depth=1)[0])
    make_slot(turn=drawing.turns.get(depth=1), state=SlotState.NEVER_MADE)
    rubric = make_rubric()

    def chosen(**parts) -> set[int]:
        plan = plan_of(rubric=rubric, choice=DialogueChoice(**parts))
        return {item.dialogue for item in found_items(plan).items}

    assert chosen() == {drawing.pk, cooking.pk}
    assert chosen(tasks=("drawing",)) == {drawing.pk}
    assert chosen(sources=("wikihow",)) == {cooking.pk}
    assert chosen(turns_least=3) == {cooking.pk}
    assert chosen(turns_most=3) == {drawing.pk}
    assert chosen(has_images=True) == {cooking.pk}
    assert chosen(has_images=False) == {drawing.pk}
    assert chosen(imports=(drawing.imported_in.public_id,)) == {drawing.pk}
    assert chosen(tasks=("drawing", "cooking"), turns_least=3, turns_most=5) == {cooking.pk}
    assert len(chosen(sample=1)) == 1


@pytest.mark.parametrize("state", [state for state in SlotState if state != SlotState.STORED])
def test_a_dialogue_has_images_where_a_file_names_one_though_it_is_not_found(state):
    of_prompt, of_response = make_tree(), make_tree()
    make_slot(turn=of_prompt.turns.get(depth=1), state=state)
    make_slot(response=of_response.responses.filter(depth=1)[0], state=state)

    def chosen(*, has_images: bool) -> set[int]:
        choice = DialogueChoice(has_images=has_images)
        return {row[0] for row in chosen_dialogues(of_prompt.project, choice, seed=1)}

    both = {of_prompt.pk, of_response.pk}
    assert chosen(has_images=True) == (set() if state == SlotState.NEVER_MADE else both)
    assert chosen(has_images=False) == (both if state == SlotState.NEVER_MADE else set())


def test_a_dialogue_belongs_to_each_import_that_brought_a_record_of_it():
    tree, other = make_tree(), make_tree()
    Record.objects.create(
        imported_in=other.imported_in,
        file="again.json",
        position=0,
        outcome="same",
        dialogue=tree,
        last_response=tree.responses.full()[0],
    )
    rubric = make_rubric()

    again = DialogueChoice(imports=(other.imported_in.public_id,))
    first = DialogueChoice(imports=(tree.imported_in.public_id,))

    assert preview_batch(plan_of(rubric=rubric, choice=again)).dialogues == 2
    assert preview_batch(plan_of(rubric=rubric, choice=first)).dialogues == 1


def test_items_are_found_in_as_many_queries_for_three_dialogues_as_for_one(
    django_assert_num_queries,
):
    plan = plan_of()

    def find() -> int:
        return len(
            find_items(
                plan.rubric.project,
                plan.choice,
                kind=plan.kind,
                settings=plan.settings,
                rubric=plan.rubric,
                order=plan.order,
                seed=1,
            ).items
        )

    make_tree(paths=2)
    with django_assert_num_queries(7):
        assert find() == 1
    make_tree(paths=2)
    make_tree(paths=2)
    with django_assert_num_queries(7):
        assert find() == 3


# --- What is wrong with a plan


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"slug": "wave one"}, "The slug needs letters a to z"),
        ({"slug": "welle-ü"}, "The slug needs letters a to z"),
        ({"title": " "}, "needs a title"),
        ({"lease_minutes": 1}, "lease must last"),
        ({"seed": -1}, "seed must be"),
        ({"choice": DialogueChoice(sample=0)}, "sample of dialogues must be 1"),
        ({"choice": DialogueChoice(turns_least=5, turns_most=2)}, "at least 5 and at most 2"),
    ],
)
def test_a_plan_is_refused_with_what_to_do(change, problem):
    plan = replace(plan_of(), **change)

    (said,) = problems_of(plan)

    assert problem in said


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (BatchSettings(overlap=0), "overlap must be between 1"),
        (BatchSettings(everyone=True), "needs the members named"),
        (BatchSettings(overlap_high=3), "needs both"),
        (BatchSettings(overlap=3, overlap_high=2, overlap_high_share=0.2), "must be above 3"),
        (BatchSettings(overlap=1, overlap_high=2, overlap_high_share=1.5), "between 0 and 1"),
        (BatchSettings(reasons={"wit": ReasonRule(always=True)}), "does not have"),
        (BatchSettings(reasons={"text_quality": ReasonRule(at_or_below=9)}), "none of its scores"),
        (BatchSettings(reasons={"text_quality": ReasonRule(share=2)}), "between 0 and 1"),
        (BatchSettings(reason_minimum=-1), "least length of a reason"),
        (BatchSettings(rationale_minimum=9999), "least length of the rationale"),
        (BatchSettings(pairs_per_tree=0), "sample of pairs per tree"),
        (
            BatchSettings(global_ratings=False, dimension_preference=DimensionPreference.PROPOSED),
            "cannot come from scores",
        ),
    ],
)
def test_settings_that_make_no_sense_are_refused_with_what_to_do(settings, problem):
    (said,) = problems_of(plan_of(settings=settings))

    assert problem in said


def test_a_slug_that_is_taken_is_refused():
    make_batch(slug="wave-1")

    assert problems_of(plan_of()) == ["There is a batch wave-1 already: choose another slug."]


def test_turn_pairs_need_local_dimensions():
    plan = plan_of(BatchKind.TURN_PAIR, rubric=make_rubric(local=[]))

    assert problems_of(plan) == [
        "Turn pairs need a rubric with local dimensions: choose another rubric."
    ]


def test_a_plan_nobody_has_data_for_says_so():
    assert preview_batch(plan_of()).problems == (
        "No dialogue fits the choice: choose fewer conditions, or import dialogues first.",
    )


def test_a_preview_is_plain_json():
    make_tree(paths=2)

    body = json.loads(json.dumps(preview_batch(plan_of()).as_json()))

    assert (body["items"], body["seats"], body["problems"]) == (1, 2, [])
    assert body["per_item"]["decisions"]["median"] == 4 * 5 + 10 + 6


def test_settings_say_what_the_kind_asks():
    turn = settings_for(BatchKind.TURN_PAIR, BatchSettings(fork_preference=True))
    whole = settings_for(BatchKind.CONVERSATION, BatchSettings(local_scope=LocalScope.NONE))
    pair = settings_for(BatchKind.CONVERSATION_PAIR, BatchSettings())

    assert (turn.global_ratings, turn.fork_preference) == (False, False)
    assert (whole.local_scope, whole.dimension_preference) == (
        LocalScope.EVERY_TURN,
        DimensionPreference.NONE,
    )
    assert pair.pairs is PairChoice.RING


# --- Reason rules


def test_reason_rules_come_from_a_preset_or_the_rubric():
    rubric = make_rubric()
    rubric.dimensions.filter(key="helpfulness").update(reason="differ")

    assert reasons_of("rubric", rubric) == {"helpfulness": ReasonRule(where_sides_differ=True)}
    assert reasons_of("none", rubric) == {}
    assert reasons_of("intermt", rubric) == {
        "crucial_step_recognition": ReasonRule(always=True),
        "local_image_text_consistency": ReasonRule(at_or_below=1, share=0.2),
        "visual_perceptual_quality": ReasonRule(at_or_below=1, share=0.2),
    }
    assert reasons_of("as-published", make_rubric(slug="small", global_=[])) == {
        "local_image_text_consistency": ReasonRule(always=True),
        "visual_perceptual_quality": ReasonRule(always=True),
    }
    with pytest.raises(ValueError, match="there are: rubric, intermt, as-published, none"):
        reasons_of("strict", rubric)
