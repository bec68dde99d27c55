"""Taking work out with a reason, and putting it back."""

from datetime import timedelta

import pytest

from annotation.actions.voids import AlreadyVoid, NotVoid, Target, lift, void
from annotation.errors import Invalid, NotAllowed, NotFound
from annotation.models import Judgment, Project, Void
from annotation.reports.pairs import Snapshot, pair_pages
from annotation.reports.voids import standing_voids
from tests.factories import (
    NOW,
    make_batch,
    make_item,
    make_items,
    make_lead,
    make_member,
    make_slot,
)
from tests.judged import judge, make_picture

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=3)


def numbers_in_pairs(batch, number=None):
    snapshot = Snapshot(batch, number) if number is not None else Snapshot.now(batch)
    return sorted(
        told.number
        for page in pair_pages(snapshot)
        for pair in page.pairs
        for told in pair.judgments
    )


@pytest.fixture
def judged():
    """Two items, each judged by the same two people, one of them also three hours later."""
    batch = make_batch()
    items = make_items(batch, items=2)
    early, late = make_member(), make_member()
    for item, at in zip(items, (NOW, LATER), strict=True):
        judge(item, early, overall=item.response_1, at=NOW)
        judge(item, late, overall=item.response_1, at=at)
    return batch, items, early, late


def test_a_judgment_is_out_from_its_number_on_and_comes_back_when_lifted(judged):
    batch, _, _, _ = judged
    lead = make_lead()
    second = Judgment.objects.get(batch=batch, number=2)

    (row,) = void(Target(judgment=second), by=lead, reason="copied", now=LATER)

    assert numbers_in_pairs(batch) == [1, 3, 4]
    assert numbers_in_pairs(batch, 4) == [1, 2, 3, 4]

    back = lift(row, by=lead, reason="it was not", now=LATER)

    assert numbers_in_pairs(batch) == [1, 2, 3, 4]
    assert numbers_in_pairs(batch, row.number) == [1, 3, 4]
    assert (row.number, back.number, back.lifts) == (5, 6, row)


def test_a_persons_work_is_out_since_a_time_and_since_ever(judged):
    batch, _, _, late = judged
    lead = make_lead()

    void(Target(member=late, since=LATER), by=lead, reason="tired", now=LATER)
    assert numbers_in_pairs(batch) == [1, 2, 3]

    void(Target(member=late), by=lead, reason="not a person", now=LATER)
    assert numbers_in_pairs(batch) == [1, 3]


def test_an_item_and_a_dialogue_are_out_whole(judged):
    batch, (first, second), _, _ = judged
    lead = make_lead()

    void(Target(item=first), by=lead, reason="broken", now=LATER)
    assert numbers_in_pairs(batch) == [3, 4]
    assert standing_voids(batch, number=99).items == {first.pk: "item"}

    void(Target(dialogue=second.dialogue), by=lead, reason="asked to be taken out", now=LATER)
    assert numbers_in_pairs(batch) == []


def test_a_picture_takes_out_every_item_that_shows_it_in_a_prompt_or_response_and_no_other(judged):
    batch, (first, second), _, _ = judged
    lead = make_lead()
    face, other = make_picture(1), make_picture(2)
    make_slot(turn=first.response_1.turn, image=face)
    make_slot(response=second.response_1, image=other)

    void(Target(image=face), by=lead, reason="a real face", now=LATER)

    assert numbers_in_pairs(batch) == [3, 4]


def test_a_dialogue_in_two_batches_is_out_of_both_under_each_ones_number():
    lead = make_lead()
    batches = [make_batch(), make_batch()]
    (item,) = make_items(batches[0])
    again = make_item(batches[1], item.response_1, item.response_2)
    for one in (item, again):
        judge(one, make_member(), overall="tie")

    rows = void(Target(dialogue=item.dialogue), by=lead, reason="private", now=NOW)

    assert {(row.batch, row.number) for row in rows} == {(batches[0], 2), (batches[1], 2)}
    assert [numbers_in_pairs(batch) for batch in batches] == [[], []]


def test_a_correction_after_a_void_of_the_judgment_counts_again(judged):
    batch, (item, _), early, _ = judged
    void(
        Target(judgment=Judgment.objects.get(batch=batch, number=1)),
        by=make_lead(),
        reason="wrong item",
        now=LATER,
    )

    judge(item, early, overall=item.response_2, cause="correction")

    assert numbers_in_pairs(batch) == [2, 3, 4, 6]


def test_only_a_lead_of_the_project_takes_out_and_always_with_a_reason(judged):
    batch, (item, _), _, late = judged
    stranger = make_lead()
    stranger.project = Project.objects.create(slug="other", name="Other")
    stranger.save()

    with pytest.raises(NotAllowed):
        void(Target(item=item), by=late, reason="mine", now=NOW)
    with pytest.raises(NotFound):
        void(Target(dialogue=item.dialogue), by=stranger, reason="theirs", now=NOW)
    with pytest.raises(NotFound):
        void(Target(item=item), by=stranger, reason="theirs", now=NOW)
    with pytest.raises(Invalid):
        void(Target(item=item), by=make_lead(), reason="  ", now=NOW)
    assert not Void.objects.exists()
    assert numbers_in_pairs(batch) == [1, 2, 3, 4]


def test_out_twice_and_back_twice_are_refused(judged):
    _, (item, _), _, _ = judged
    lead = make_lead()
    (row,) = void(Target(item=item), by=lead, reason="broken", now=NOW)

    with pytest.raises(AlreadyVoid):
        void(Target(item=item), by=lead, reason="broken", now=NOW)
    back = lift(row, by=lead, reason="mended", now=NOW)
    with pytest.raises(NotVoid):
        lift(row, by=lead, reason="mended", now=NOW)
    with pytest.raises(NotVoid):
        lift(back, by=lead, reason="mended", now=NOW)

    void(Target(item=item), by=lead, reason="broken again", now=NOW)


@pytest.mark.parametrize("wrong", [{}, {"since": NOW}])
def test_a_target_is_one_thing(wrong):
    with pytest.raises(Invalid):
        Target(**wrong)
