"""Repeats and gold: placed when the batch opens, offered where nobody can foresee them."""

from collections import defaultdict
from datetime import timedelta
from itertools import combinations, pairwise

import pytest

from annotation.actions.assignments import claim_next, skip
from annotation.actions.batches import add_members, discard_batch, open_batch, set_overlap
from annotation.actions.checks import NotChecked
from annotation.actions.gold import KnownAnswer, set_gold_answers
from annotation.actions.judgments import submit_judgment
from annotation.choices import (
    BatchKind,
    BatchPurpose,
    BatchSettings,
    BatchState,
    ItemOrder,
    SkipReason,
)
from annotation.errors import AnnotationError
from annotation.models import Assignment, Batch, GoldAnswer, Item, Judgment, Seat
from annotation.reports.checks import open_items
from annotation.reports.desk import desk
from annotation.reports.questions import questions_of
from tests.factories import (
    NOW,
    make_batch,
    make_item,
    make_items,
    make_lead,
    make_member,
    make_rubric,
    make_tree,
)
from tests.judged import judge
from tests.worlds import full_body

pytestmark = pytest.mark.django_db


def draft(*, items=20, people=2, purpose=BatchPurpose.MAIN, **settings):
    """A draft with `items` items of dialogues of their own, its people and its lead."""
    lead = make_lead()
    members = [make_member() for _ in range(people)]
    order = settings.pop("order", ItemOrder.SHUFFLED)
    rubric = settings.pop("rubric", None) or make_rubric(slug=f"r-{lead.pk}")
    batch = make_batch(
        state=BatchState.DRAFT,
        members=members,
        purpose=purpose,
        order=order,
        rubric=rubric,
        settings=BatchSettings(**settings),
    )
    make_items(batch, items=items, seats=0)
    return batch, members, lead


def pool(lead, *, items=3, rubric=None):
    """A finished batch whose items have a known overall preference and a known score."""
    batch = make_batch(state=BatchState.CLOSED, rubric=rubric, closed_at=NOW)
    made = make_items(batch, items=items)
    answers = [
        answer
        for item in made
        for answer in (
            KnownAnswer(item, "overall", response="1", outcome="prefers"),
            KnownAnswer(item, "text_quality", response="2", score=1, tolerance=1, feedback="Why."),
        )
    ]
    set_gold_answers(answers, by=lead, now=NOW)
    return batch


def work(batch, member, *, at=NOW, most=1000):
    """Claim and submit until nothing is left; return (assignment, open items before it)."""
    done = []
    for number in range(most):
        now = at + timedelta(minutes=number)
        before = open_items(batch, member, at=now)
        try:
            assignment = claim_next(batch, by=member, now=now)
        except AnnotationError:
            break
        submit_judgment(assignment, by=member, body=full_body(assignment), key="k", now=now)
        done.append((Assignment.objects.get(pk=assignment.pk), before))
    return done


def test_opening_adds_repeats_with_swapped_coin_and_gold_with_its_answers():
    batch, _people, lead = draft(items=20, repeats=0.2, gold=2)
    source = pool(lead, rubric=batch.rubric)

    batch = open_batch(batch, by=lead, now=NOW)

    repeats = list(batch.items.filter(repeat_of__isnull=False).select_related("repeat_of"))
    golds = list(batch.items.filter(is_gold=True))
    assert (len(repeats), len(golds), batch.items.count()) == (4, 2, 26)
    assert all(one.coin == 3 - one.repeat_of.coin for one in repeats)
    assert all(one.counts == one.repeat_of.counts for one in repeats)
    assert {one.response_1_id for one in golds} <= set(
        source.items.values_list("response_1", flat=True)
    )
    assert {one.counts["minutes"] > 0 for one in golds} == {True}
    assert GoldAnswer.objects.filter(batch=batch).count() == 4
    assert set(GoldAnswer.objects.filter(batch=batch).values_list("feedback", flat=True)) == {
        "", "Why.",
    }  # fmt: skip
    assert Seat.objects.filter(item__in=golds).count() == 2 * 2
    assert Seat.objects.filter(item__in=repeats).count() == 4 * 2
    batch.refresh_from_db()
    assert "4 repeats, 2 gold" in batch.history[-1]["detail"]


def test_the_same_seed_places_the_same_repeats():
    placed = []
    batch, _people, lead = draft(items=15, repeats=3)
    for _time in range(2):
        batch = open_batch(batch, by=lead, now=NOW)
        placed.append(sorted(batch.items.filter(repeat_of__isnull=False).values_list("repeat_of")))
        Seat.objects.filter(item__batch=batch).delete()
        batch.items.filter(repeat_of__isnull=False).delete()
        Batch.objects.filter(pk=batch.pk).update(state=BatchState.DRAFT, opened_at=None)

    assert placed[0] == placed[1]


@pytest.mark.parametrize("order", list(ItemOrder))
def test_a_person_meets_each_repeat_once_swapped_and_at_least_the_gap_later(order):
    batch, people, lead = draft(items=16, repeats=5, repeat_gap=4, order=order)
    batch = open_batch(batch, by=lead, now=NOW)

    for member in people:
        done = [assignment for assignment, _open in work(batch, member)]

        place = {assignment.item_id: at for at, assignment in enumerate(done)}
        shown = {assignment.item_id: assignment.shown_first for assignment in done}
        repeats = batch.items.filter(repeat_of__isnull=False, pk__in=place)
        originals = batch.items.filter(repeats__isnull=False).values_list("pk", flat=True)
        met = {repeat.repeat_of_id for repeat in repeats}
        # Too late an original has no room for its repeat.
        assert met >= {pk for pk in originals if place[pk] + 4 < len(done)}
        assert len(done) == 16 + len(met)
        for repeat in repeats:
            assert place[repeat.pk] - place[repeat.repeat_of_id] > 4
            assert shown[repeat.pk] == 3 - shown[repeat.repeat_of_id]


def test_a_repeat_is_offered_only_to_whoever_judged_its_original():
    batch, people, lead = draft(items=12, people=3, repeats=12, repeat_gap=2, overlap=1)
    batch = open_batch(batch, by=lead, now=NOW)
    first, second, third = people
    half = work(batch, first, most=6)
    rest = work(batch, second)
    nothing = work(batch, third)

    assert nothing == []
    again = [one.item.repeat_of_id for one, _open in rest if one.item.repeat_of_id]
    own = {one.item_id for one, _open in rest}
    assert again
    assert set(again) <= own
    assert len(half) == 6


def test_the_number_of_open_items_falls_by_one_with_each_whatever_it_is():
    batch, people, lead = draft(items=20, repeats=6, gold=3, repeat_gap=5)
    pool(lead, rubric=batch.rubric)
    batch = open_batch(batch, by=lead, now=NOW)

    for member in people:
        told = [before for _assignment, before in work(batch, member)]

        assert told[0] == 29
        assert {one - other for one, other in pairwise(told) if other > 5 + 6} == {1}
        assert min(one - other for one, other in pairwise(told)) == 1
        assert told[-1] == 1
        assert open_items(batch, member, at=NOW) == 0


def test_the_desk_says_the_same_number():
    batch, people, lead = draft(items=12, repeats=3, repeat_gap=4)
    batch = open_batch(batch, by=lead, now=NOW)

    (queue,) = desk(people[0], at=NOW).queues

    assert queue.open == open_items(batch, people[0], at=NOW) == 15


def test_a_skipped_original_takes_its_repeat_along():
    batch, people, lead = draft(items=12, repeats=12, repeat_gap=2)
    batch = open_batch(batch, by=lead, now=NOW)
    before = open_items(batch, people[0], at=NOW)
    assignment = claim_next(batch, by=people[0], now=NOW)

    skip(assignment, by=people[0], reason=SkipReason.TOO_LONG, now=NOW)

    assert open_items(batch, people[0], at=NOW) == before - 2


def test_gold_comes_at_other_places_for_each_person():
    batch, people, lead = draft(items=30, people=8, gold=3, overlap=8)
    pool(lead, rubric=batch.rubric)
    batch = open_batch(batch, by=lead, now=NOW)

    places = set()
    for member in people:
        done = [assignment for assignment, _open in work(batch, member, most=40)]
        mine = tuple(at for at, one in enumerate(done) if one.item.is_gold)
        assert len(mine) == 3
        places.add(mine)

    assert len(places) >= 7


def test_in_an_order_by_dialogue_gold_and_repeats_never_part_items_of_one_dialogue():
    batch, people, lead = draft(
        items=0, gold=2, repeats=4, repeat_gap=3, order=ItemOrder.BY_DIALOGUE
    )
    for _dialogue in range(5):
        turn = make_tree(paths=3, turns=2, fork=2).turns.get(prompt="fork prompt")
        for pair in combinations(turn.responses.order_by("content_key"), 2):
            make_item(batch, *pair, seats=0)
    pool(lead, rubric=batch.rubric)
    batch = open_batch(batch, by=lead, now=NOW)

    done = [assignment.item for assignment, _open in work(batch, people[0])]

    places = defaultdict(list)
    for at, item in enumerate(done):
        if not item.is_gold and item.repeat_of_id is None:
            places[item.dialogue_id].append(at)
    assert sorted(map(len, places.values())) == [3] * 5
    assert all(at == list(range(at[0], at[0] + 3)) for at in places.values())
    assert len(done) > 5 * 3 + 2


def test_gold_that_a_person_judged_where_it_comes_from_is_not_given_to_them():
    batch, people, lead = draft(items=6, gold=1)
    source = pool(lead, items=1, rubric=batch.rubric)
    judge(source.items.get(), people[0], overall="tie")
    batch = open_batch(batch, by=lead, now=NOW)

    assert open_items(batch, people[0], at=NOW) == 6
    assert len(work(batch, people[0])) == 6
    assert len(work(batch, people[1])) == 7


def test_gold_and_repeats_ask_afresh_and_carry_nothing_on():
    batch, people, lead = draft(items=8, repeats=8, repeat_gap=1)
    batch = open_batch(batch, by=lead, now=NOW)
    done = [assignment for assignment, _open in work(batch, people[0])]
    repeat = next(one.item for one in done if one.item.repeat_of_id)

    assert all(
        question.yours is None
        for unit in questions_of(repeat, member=people[0]).units
        for question in unit.questions
    )
    assert not Judgment.objects.filter(ratings__origin="carried").exists()


def test_answers_in_a_draft_make_its_own_item_gold_when_it_opens():
    batch, _people, lead = draft(items=3)
    item = batch.items.first()
    set_gold_answers([KnownAnswer(item, outcome="tie")], by=lead, now=NOW)

    batch = open_batch(batch, by=lead, now=NOW)

    assert [one.pk for one in batch.items.filter(is_gold=True)] == [item.pk]
    assert item.seats.count() == 2


def test_an_answer_entered_after_opening_leaves_the_items_figures_alone():
    batch, people, lead = draft(items=2)
    batch = open_batch(batch, by=lead, now=NOW)
    item = batch.items.first()
    judge(item, people[0], overall="tie")
    set_gold_answers([KnownAnswer(item, outcome="tie")], by=lead, now=NOW)
    batch.refresh_from_db()

    assert Judgment.objects.filter(batch=batch).independent(number=batch.last_number).count() == 1


def test_a_batch_that_asks_for_more_gold_than_there_is_does_not_open():
    batch, _people, lead = draft(items=5, gold=4)
    pool(lead, items=3, rubric=batch.rubric)

    with pytest.raises(NotChecked, match="4 gold items and there are 3"):
        open_batch(batch, by=lead, now=NOW)

    batch.refresh_from_db()
    assert batch.state == BatchState.DRAFT
    assert batch.items.count() == 5


def test_gold_comes_only_from_the_batches_named_and_never_from_its_own_pairs():
    batch, _people, lead = draft(items=5, gold=1, gold_from=("nowhere",))
    source = pool(lead, items=1, rubric=batch.rubric)
    with pytest.raises(NotChecked):
        open_batch(batch, by=lead, now=NOW)
    batch.settings = BatchSettings(gold=1, gold_from=(source.slug,)).as_json()
    batch.save()
    own = source.items.get()
    Item.objects.create(
        batch=batch,
        dialogue=own.dialogue,
        response_1=own.response_1,
        response_2=own.response_2,
        position=99,
        fork_depth=own.fork_depth,
    )

    with pytest.raises(NotChecked):
        open_batch(batch, by=lead, now=NOW)


def test_repeats_in_too_short_a_batch_are_refused():
    batch, _people, lead = draft(items=5, repeats=1, repeat_gap=5)

    with pytest.raises(NotChecked, match="at least 5 items later"):
        open_batch(batch, by=lead, now=NOW)


def test_a_qualification_without_known_answers_does_not_open():
    batch, _people, lead = draft(items=2, purpose=BatchPurpose.QUALIFICATION, everyone=True)

    with pytest.raises(NotChecked, match="set_gold"):
        open_batch(batch, by=lead, now=NOW)


def test_who_joins_later_meets_the_gold_too():
    batch, _people, lead = draft(items=4, gold=2)
    pool(lead, rubric=batch.rubric)
    batch = open_batch(batch, by=lead, now=NOW)
    add_members(batch, [make_member()], by=lead, now=NOW)

    assert {item.seats.count() for item in batch.items.filter(is_gold=True)} == {3}
    assert {item.seats.count() for item in batch.items.filter(is_gold=False)} == {2}


def test_another_overlap_leaves_the_seats_of_gold_alone():
    batch, _people, lead = draft(items=4, people=3, gold=2)
    pool(lead, rubric=batch.rubric)
    batch = open_batch(batch, by=lead, now=NOW)

    set_overlap(batch, 1, by=lead, now=NOW)

    golden = Seat.objects.filter(item__is_gold=True, item__batch=batch)
    assert {*golden.values_list("state", flat=True)} == {"open"}


def test_a_draft_with_known_answers_is_not_discarded():
    batch, _people, lead = draft(items=1)
    set_gold_answers([KnownAnswer(batch.items.get(), outcome="tie")], by=lead, now=NOW)

    with pytest.raises(AnnotationError, match="evidence"):
        discard_batch(batch, by=lead)


def test_single_conversations_repeat_too():
    batch, people, lead = draft(items=0, repeats=5, repeat_gap=1, overlap=1)
    Batch.objects.filter(pk=batch.pk).update(kind=BatchKind.CONVERSATION)
    batch.refresh_from_db()
    make_items(batch, items=5, seats=0)

    batch = open_batch(batch, by=lead, now=NOW)

    assert len(work(batch, people[0])) >= 8
