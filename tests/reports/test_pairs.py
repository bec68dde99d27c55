"""Pairs of a snapshot: what is in them, what is not, and that they stay the same."""

import pytest

from annotation.choices import BatchKind, Cause, SeatPurpose, SlotState
from annotation.formats.pairs import pair_line
from annotation.models import GoldAnswer
from annotation.reports.pairs import Snapshot, pair_pages, trees_of
from tests.factories import (
    make_batch,
    make_gold,
    make_item,
    make_items,
    make_lead,
    make_member,
    make_path,
    make_slot,
    make_tree,
)
from tests.judged import judge, make_picture

pytestmark = pytest.mark.django_db


def pairs_of(batch, number=None, **options):
    snapshot = Snapshot.now(batch) if number is None else Snapshot(batch, number)
    return [pair for page in pair_pages(snapshot, **options) for pair in page.pairs]


def excluded_of(batch):
    pages = list(pair_pages(Snapshot.now(batch)))
    return sum(page.judgment_count for page in pages), {
        reason: sum(page.excluded[reason] for page in pages)
        for page in pages
        for reason in page.excluded
    }


def bytes_of(batch, number):
    return [pair_line(pair) for pair in pairs_of(batch, number)]


def test_a_turn_pair_holds_the_shared_turns_both_sides_and_every_word_of_the_judgment():
    batch = make_batch(kind=BatchKind.TURN_PAIR)
    (item,) = make_items(batch)
    picture = make_picture(7)
    make_slot(response=item.response_2, image=picture)
    person = make_member()
    one, two = item.response_1, item.response_2
    judge(
        item,
        person,
        overall=two,
        strength=2,
        scores={
            (one, "text_quality"): 1,
            (two, "text_quality"): 3,
            (two, "context_coherence"): None,
        },
        rationale="B shows it",
        shown_first=2,
        active_ms={"1": 1000, "2": 500},
    )

    (pair,) = pairs_of(batch)

    assert [(m.role, m.turn, "".join(p.text for p in m.content)) for m in pair.prompt] == [
        ("user", 1, "shared prompt 1"),
        ("assistant", 1, "shared answer 1"),
        ("user", 2, "fork prompt"),
    ]
    assert [m.content[0].text for m in pair.sides["response_1"]] == [one.text]
    assert [p.image for p in pair.sides["response_2"][0].content] == [
        None,
        f"sha256:{picture.sha256}",
    ]
    assert [image.path for image in pair.images] == [
        f"images/{picture.sha256[:2]}/{picture.sha256}.png"
    ]
    (told,) = pair.judgments
    assert (told.annotator, told.shown_first, told.letters) == (
        person.pseudonym,
        "response_2",
        {"A": "response_2", "B": "response_1"},
    )
    assert told.active_ms == 1500
    assert told.submitted_at == "2026-03-02T09:00:00.000000Z"
    assert [(p.dimension, p.outcome, p.preferred, p.strength) for p in told.preferences] == [
        ("overall", "prefers", "response_2", 2)
    ]
    assert [(r.dimension, r.side, r.score, r.not_applicable) for r in told.ratings] == [
        ("context_coherence", "response_2", None, True),
        ("text_quality", "response_1", 1, False),
        ("text_quality", "response_2", 3, False),
    ]
    assert [(r.kind, r.text) for r in told.remarks] == [("rationale", "B shows it")]


def test_a_conversation_pair_shares_the_turns_up_to_the_fork_and_no_more():
    batch = make_batch(kind=BatchKind.CONVERSATION_PAIR)
    tree = make_tree(paths=2, turns=4, fork=2)
    sides = list(tree.responses.full().order_by("content_key"))
    item = make_item(batch, *sides)
    shared = tree.responses.get(text="shared answer 1")
    judge(item, make_member(), overall=sides[0], scores={(shared, "text_quality"): 2})

    (pair,) = pairs_of(batch)

    assert [message.role for message in pair.prompt] == ["user", "assistant", "user"]
    assert [[m.role for m in pair.sides[side]] for side in ("response_1", "response_2")] == [
        ["assistant", "user", "assistant", "user", "assistant"]
    ] * 2
    assert [rating.side for rating in pair.judgments[0].ratings] == ["both"]


def test_paths_that_part_at_a_prompt_have_sides_that_begin_with_the_user():
    batch = make_batch(kind=BatchKind.CONVERSATION_PAIR)
    tree = make_tree(paths=1, turns=1, fork=1)
    root = tree.responses.get()
    ends = [make_path(tree, turns=1, after=root, word=word) for word in ("left", "right")]
    item = make_item(batch, *ends)
    judge(item, make_member(), overall=ends[0])

    (pair,) = pairs_of(batch)

    assert [message.role for message in pair.prompt] == ["user", "assistant"]
    assert [m.role for m in pair.sides["response_2"]] == ["user", "assistant"]


def test_a_path_that_ends_where_the_other_goes_on_is_still_a_side_of_its_own():
    batch = make_batch(kind=BatchKind.CONVERSATION_PAIR)
    tree = make_tree(paths=1, turns=1, fork=1)
    short = tree.responses.get()
    long = make_path(tree, turns=1, after=short)
    item = make_item(batch, short, long)
    judge(item, make_member(), overall=short)

    (pair,) = pairs_of(batch)

    assert pair.judgments[0].preferences[0].preferred == "response_1"
    assert [len(pair.sides[side]) for side in ("response_1", "response_2")] == [0, 2]


def test_the_same_snapshot_gives_the_same_bytes_whatever_comes_after():
    batch = make_batch()
    items = make_items(batch, items=3)
    missing = make_slot(response=items[0].response_1, state=SlotState.MISSING)
    people = [make_member(), make_member()]
    first = judge(items[0], people[0], overall=items[0].response_1)
    judge(items[1], people[0], overall="tie")
    number = Snapshot.now(batch).number
    before = bytes_of(batch, number)

    judge(items[0], people[0], overall=items[0].response_2, cause=Cause.CORRECTION)
    judge(items[2], people[1], overall="both_bad")
    missing.state, missing.image = SlotState.STORED, make_picture(3)
    missing.save()
    GoldAnswer.objects.create(
        batch=batch,
        item=items[1],
        number=99,
        outcome="tie",
        created_by=make_lead(),
        created_at=first.submitted_at,
    )

    assert bytes_of(batch, number) == before
    assert len(before) == 2
    assert len(bytes_of(batch, 99)) == 3  # that an answer is known takes nothing out


def test_a_picture_found_after_the_judgment_is_missing_in_its_pair():
    batch = make_batch()
    (item,) = make_items(batch)
    slot = make_slot(response=item.response_1, state=SlotState.MISSING)
    judge(item, make_member(), overall=item.response_1)
    slot.state, slot.image = SlotState.STORED, make_picture(4)
    slot.save()

    (pair,) = pairs_of(batch)

    assert pair.sides["response_1"][0].content[-1].state == "missing"
    assert pair.images == ()


def test_every_judgment_is_in_a_pair_or_counted_out_by_reason():
    batch = make_batch()
    plain, golden, repeated = make_items(batch, items=3)
    make_gold(golden)
    repeat = make_item(
        batch, repeated.response_1, repeated.response_2, repeat_of=repeated, position=10
    )
    corrects, withdraws, late, late_too = (make_member() for _ in range(4))
    judge(plain, corrects, overall="tie")
    judge(plain, corrects, overall=plain.response_1, cause=Cause.CORRECTION)
    judge(plain, withdraws, overall=plain.response_1)
    judge(plain, withdraws, cause=Cause.WITHDRAWAL)
    judge(plain, late, overall=plain.response_2, seated=False)
    judge(golden, late_too, overall=golden.response_1)
    judge(repeat, corrects, overall=repeat.response_1)
    type(batch).objects.filter(pk=batch.pk).update(last_number=50)

    total, excluded = excluded_of(batch)
    pairs = pairs_of(batch)

    assert total == 7
    assert excluded == {"superseded": 2, "withdrawal": 1, "surplus": 1, "gold": 1, "repeat": 1}
    assert [len(pair.judgments) for pair in pairs] == [1]
    assert total == sum(excluded.values()) + sum(len(pair.judgments) for pair in pairs)


def test_an_adjudication_stands_alone_and_what_it_overrules_is_counted():
    batch = make_batch()
    decided, reviewed = make_items(batch, items=2)
    for item in (decided, reviewed):
        judge(item, make_member(), overall=item.response_1)
    judge(
        decided,
        make_lead(),
        overall=decided.response_2,
        purpose=SeatPurpose.ADJUDICATION,
        cause=Cause.ADJUDICATION,
    )
    judge(reviewed, make_lead(), overall="tie", purpose=SeatPurpose.REVIEW)

    pairs = pairs_of(batch)

    purposes = [[told.purpose for told in pair.judgments] for pair in pairs]
    assert purposes == [["adjudication"], ["overlap"]]
    assert excluded_of(batch) == (4, {"overruled": 1, "review": 1})


def test_pages_join_to_the_whole_and_cost_no_more_for_more_items(django_assert_max_num_queries):
    batch = make_batch()
    for item in make_items(batch, items=5):
        judge(item, make_member(), overall=item.response_1)
    snapshot = Snapshot.now(batch)

    pages = list(pair_pages(snapshot, size=2))

    assert [len(page.pairs) for page in pages] == [2, 2, 1]
    assert [page.after is None for page in pages] == [False, False, True]
    assert [p for page in pages for p in page.pairs] == pairs_of(batch)
    with django_assert_max_num_queries(14):
        list(pair_pages(snapshot))


def test_shown_text_is_cleaned_and_raw_text_is_not():
    batch = make_batch()
    (item,) = make_items(batch)
    turn = item.response_1.turn
    turn.prompt = "Draw it bigger]]"
    turn.save()
    judge(item, make_member(), overall=item.response_1)

    shown, raw = (pairs_of(batch, text=text)[0].prompt[-1] for text in ("shown", "raw"))

    assert (shown.content[0].text, raw.content[0].text) == ("Draw it bigger", "Draw it bigger]]")


def test_trees_name_the_pictures_of_their_pairs_by_pixels():
    batch = make_batch()
    first, second, third = make_items(batch, items=3)
    picture = make_picture(9)
    make_slot(response=first.response_1, image=picture)
    make_slot(response=second.response_2, image=picture)
    for item in (first, second, third):
        judge(item, make_member(), overall="tie")

    trees = trees_of(Snapshot.now(batch))

    assert trees == {
        first.dialogue.content_key: {picture.pixel_sha256},
        second.dialogue.content_key: {picture.pixel_sha256},
        third.dialogue.content_key: set(),
    }
