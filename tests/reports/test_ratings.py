"""Ratings of a snapshot: what may be counted, and why not."""

from datetime import timedelta

import pytest

from annotation.actions.voids import Target, void
from annotation.choices import BatchKind, BatchPurpose, Cause, SeatPurpose, SlotState
from annotation.formats.write_ratings import RatingRow
from annotation.models import Rating
from annotation.reports.pairs import Snapshot
from annotation.reports.ratings import rating_pages
from tests.factories import (
    NOW,
    make_batch,
    make_gold,
    make_item,
    make_items,
    make_lead,
    make_member,
    make_slot,
    make_tree,
)
from tests.judged import judge, make_picture

pytestmark = pytest.mark.django_db


def pages_of(batch, **options):
    return list(rating_pages(Snapshot.now(batch), **options))


def rows_of(batch, **options):
    return [row for page in pages_of(batch, **options) for row in page.rows]


def counted(batch, **options):
    return [(row.judgment, row.score, row.left_out) for row in rows_of(batch, **options)]


def test_a_row_says_everything_of_one_rating():
    batch = make_batch(slug="cats")
    (item,) = make_items(batch)
    one = item.response_1
    make_slot(response=one, image=make_picture(1))
    make_slot(response=one, state=SlotState.NEVER_MADE, position=1)
    one.source = {"model": "model-x"}
    one.save()
    told = {
        "score": 2, "reason": "=because", "tags": ["fault", "other"], "branch": "answer_images",
    }  # fmt: skip
    judge(
        item, make_member(name="robin"), scores={(one, "visual_perceptual_quality"): told},
        active_ms={"2": 700}, language="en",
    )  # fmt: skip

    (row,) = rows_of(batch)

    assert row == RatingRow(
        project="default", batch="cats", item=row.item, dialogue=item.dialogue.content_key,
        unit=f"visual_perceptual_quality|{item.dialogue.content_key}|{one.content_key}",
        annotator="robin", score=2, dimension="visual_perceptual_quality", level="local", turn=2,
        response=one.content_key, answer="2", left_out="", origin="given", reason="=because",
        tags="fault other", branch="answer_images", purpose="overlap", set="final", judgment=1,
        revision=1, cause="first", guideline=None, language="en", model="model-x", images=1,
        active_ms=700, submitted_at="2026-03-02T09:00:00.000000Z",
    )  # fmt: skip


def test_what_is_no_ordinal_score_has_an_empty_score_and_says_why():
    batch = make_batch(kind=BatchKind.CONVERSATION)
    (item,) = make_items(batch)
    path = item.response_1
    person = make_member()
    first = judge(item, person, scores={(path, "helpfulness"): 3})
    (again,) = make_items(batch)
    judge(
        again,
        person,
        scores={
            (again.response_1, "helpfulness"): None,
            (again.response_1, "style_coherence"): -1,
            (again.response_1, "context_awareness"): {"score": 3, "origin": "by_rule"},
            (path, "helpfulness"): {
                "score": 3, "origin": "carried", "carried_from": Rating.objects.get(judgment=first),
            },
        },
    )  # fmt: skip

    assert sorted(
        (row.left_out, row.dimension, row.score, row.answer) for row in rows_of(batch)
    ) == [
        ("", "helpfulness", 3, "3"),
        ("by_rule", "context_awareness", None, "3"),
        ("carried", "helpfulness", None, "3"),
        ("not_applicable", "helpfulness", None, "not_applicable"),
        ("outside_order", "style_coherence", None, "-1"),
    ]


def test_a_unit_rated_anew_in_a_later_item_counts_once_by_the_last():
    batch = make_batch(kind=BatchKind.CONVERSATION_PAIR)
    tree = make_tree(paths=3, turns=2, fork=2)
    one, two, three = tree.responses.full().order_by("content_key")
    person = make_member()
    for sides, score in (((one, two), 1), ((one, three), 2)):
        item = make_item(batch, *sides)
        judge(item, person, overall="tie", scores={(one, "helpfulness"): score})

    assert counted(batch) == [(1, None, "rated_again"), (2, 2, "")]
    assert counted(batch, set_name="independent") == [(1, None, "rated_again"), (2, 2, "")]


def two_batches_with_one_dialogue(**of_second):
    """Return two batches and the item that each has on the same response."""
    first = make_batch(slug="a-first", kind=BatchKind.CONVERSATION)
    second = make_batch(slug="b-second", kind=BatchKind.CONVERSATION, **of_second)
    (item,) = make_items(first)
    return (first, item), (second, make_item(second, item.response_1))


def counted_beside(*batches, **options):
    snapshots = [Snapshot.now(batch) for batch in batches]
    return {
        snapshot.batch.slug: [
            (row.judgment, row.score, row.left_out)
            for page in rating_pages(snapshot, beside=snapshots, **options)
            for row in page.rows
        ]
        for snapshot in snapshots
    }


@pytest.mark.parametrize("set_name", ["final", "independent"])
@pytest.mark.parametrize("later", ["a-first", "b-second"])
def test_a_unit_rated_anew_in_another_batch_of_the_file_counts_once_by_the_last(set_name, later):
    places = two_batches_with_one_dialogue()
    person, other = make_member(), make_member()
    for batch, item in places:
        at = NOW + timedelta(days=batch.slug == later)
        judge(item, person, scores={(item.response_1, "helpfulness"): 1}, at=at)
    (first, item), (second, _) = places
    judge(item, other, scores={(item.response_1, "helpfulness"): 3})

    told = counted_beside(first, second, set_name=set_name)

    again = [(1, None, "rated_again")]
    assert told == {
        "a-first": ([(1, 1, "")] if later == "a-first" else again) + [(2, 3, "")],
        "b-second": [(1, 1, "")] if later == "b-second" else again,
    }
    assert told == counted_beside(second, first, set_name=set_name)
    assert counted(first, set_name=set_name) == [(1, 1, ""), (2, 3, "")]
    assert counted(second, set_name=set_name) == [(1, 1, "")]


def test_a_tie_in_time_goes_to_the_later_slug():
    (first, item), (second, same) = two_batches_with_one_dialogue()
    person = make_member()
    judge(same, person, scores={(same.response_1, "helpfulness"): 2})
    judge(item, person, scores={(item.response_1, "helpfulness"): 1})

    assert counted_beside(first, second) == {
        "a-first": [(1, None, "rated_again")], "b-second": [(1, 2, "")],
    }  # fmt: skip


def test_what_never_counts_takes_no_other_ratings_place():
    (first, item), (training, same) = two_batches_with_one_dialogue(purpose=BatchPurpose.TRAINING)
    person = make_member()
    judge(item, person, scores={(item.response_1, "helpfulness"): 1})
    later = NOW + timedelta(days=1)
    judge(same, person, scores={(same.response_1, "helpfulness"): 2}, at=later)
    third = make_batch(slug="c-third", kind=BatchKind.CONVERSATION)
    seen = make_item(third, item.response_1)
    judge(seen, person, scores={(item.response_1, "helpfulness"): 3}, at=later, saw_others=True)

    assert counted_beside(first, training, third) == {
        "a-first": [(1, 1, "")],
        "b-second": [(1, None, "training_batch")],
        "c-third": [(1, None, "saw_others")],
    }


def test_a_void_or_a_number_before_gives_the_place_back():
    (first, item), (second, same) = two_batches_with_one_dialogue()
    person = make_member()
    judge(item, person, scores={(item.response_1, "helpfulness"): 1})
    later = judge(
        same, person, scores={(same.response_1, "helpfulness"): 2}, at=NOW + timedelta(days=1)
    )
    before = [Snapshot.now(first), Snapshot(second, 0)]
    (row,) = next(rating_pages(before[0], beside=before)).rows
    void(Target(judgment=later), by=make_lead(), reason="by mistake", now=NOW)

    assert row.score == 1
    assert counted_beside(first, second) == {"a-first": [(1, 1, "")], "b-second": []}


def test_gold_repeats_reviews_adjudications_extra_seats_and_seen_work_never_count():
    batch = make_batch()
    plain, golden, decided = make_items(batch, items=3)
    make_gold(golden)
    repeat = make_item(batch, plain.response_1, plain.response_2, repeat_of=plain, position=9)
    scores = {(plain.response_1, "text_quality"): 1}
    person = make_member()
    judge(plain, person, scores=scores)
    judge(repeat, person, scores=scores)
    judge(plain, make_lead(), scores=scores, purpose=SeatPurpose.REVIEW)  # stands nowhere
    decision = {(decided.response_1, "text_quality"): 1}
    judge(decided, make_lead(), scores=decision, purpose=SeatPurpose.ADJUDICATION)
    judge(plain, make_member(), scores=scores, purpose=SeatPurpose.EXTRA)
    judge(plain, make_member(), scores=scores, saw_others=True)
    judge(golden, person, scores={(golden.response_1, "text_quality"): 1})
    type(batch).objects.filter(pk=batch.pk).update(last_number=50)

    assert counted(batch) == [
        (1, 1, ""), (2, None, "repeat"), (4, None, "adjudication"),
        (5, None, "extra"), (6, None, "saw_others"), (7, None, "gold"),
    ]  # fmt: skip
    assert counted(batch, set_name="independent") == [(1, 1, "")]


@pytest.mark.parametrize(
    "purpose", [BatchPurpose.TRAINING, BatchPurpose.QUALIFICATION, BatchPurpose.TRIAL]
)
def test_batches_that_measure_nothing_have_no_countable_scores(purpose):
    batch = make_batch(purpose=purpose)
    (item,) = make_items(batch)
    judge(item, make_member(), scores={(item.response_1, "text_quality"): 1})

    assert counted(batch) == [(1, None, f"{purpose}_batch")]
    assert counted(batch, set_name="independent") == []


def test_every_judgment_has_rows_or_is_counted_out():
    batch = make_batch()
    (item,) = make_items(batch)
    scores = {(item.response_1, "text_quality"): 1}
    corrects, withdraws, late, silent = (make_member() for _ in range(4))
    judge(item, corrects, scores=scores)
    judge(item, corrects, scores=scores, cause=Cause.CORRECTION)
    judge(item, withdraws, scores=scores)
    judge(item, withdraws, cause=Cause.WITHDRAWAL)
    judge(item, late, scores=scores, seated=False)
    judge(item, silent, overall="tie")

    pages = pages_of(batch, size=4)

    assert [page.judgment_count for page in pages] == [4, 2]
    assert pages[0].excluded == {"superseded": 2, "withdrawal": 1}
    assert pages[1].excluded == {"surplus": 1, "no_ratings": 1}
    assert [row.judgment for page in pages for row in page.rows] == [2]


def test_a_picture_found_later_changes_no_row():
    batch = make_batch()
    (item,) = make_items(batch)
    slot = make_slot(response=item.response_1, state=SlotState.MISSING)
    judge(item, make_member(), scores={(item.response_1, "text_quality"): 1})
    before = rows_of(batch)

    slot.state, slot.image = SlotState.STORED, make_picture(1)
    slot.save()

    assert rows_of(batch) == before
    assert before[0].images == 1


def test_a_page_costs_the_same_for_one_judgment_and_many(django_assert_max_num_queries):
    batch = make_batch()
    for item in make_items(batch, items=4):
        judge(item, make_member(), scores={(item.response_1, "text_quality"): 1})

    with django_assert_max_num_queries(13):
        assert len(rows_of(batch)) == 4
