"""Reviewing: who may, what it writes, and what it never touches."""

from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection

from annotation.actions.assignments import claim_next
from annotation.actions.batches import close_batch
from annotation.actions.judgments import submit_judgment, withdraw_judgment
from annotation.actions.reviews import (
    JudgeFirst,
    Looked,
    NotNewest,
    accept,
    begin_blind,
    begin_fix,
    fix,
    return_to_author,
)
from annotation.actions.voids import Target, void
from annotation.choices import (
    AssignmentState,
    BatchSettings,
    Cause,
    ReviewOutcome,
    Role,
    SeatPurpose,
)
from annotation.errors import AnnotationError, Invalid, NotAllowed
from annotation.models import Assignment, Item, Judgment, Review, Sight
from annotation.reports.reviews import ReviewFilter, waiting_reviews
from tests.factories import NOW, make_lead, make_member
from tests.worlds import full_body, open_batch_with

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=5)


def judged(*, people=2, **more):
    """An item judged by all its people; returns the batch and their judgments."""
    batch, members = open_batch_with(people=people, seats=people, **more)
    sent = []
    for score, member in enumerate(members, 1):
        held = claim_next(batch, by=member, now=NOW)
        body = full_body(held, score=min(score, 3))
        sent.append(submit_judgment(held, by=member, body=body, key="k", now=NOW))
    return batch, sent


def reviewer():
    return make_member(Role.REVIEWER)


def drawn_blind(batch):
    settings = replace(batch.parsed_settings(), review_share=1.0, review_blind_share=1.0)
    batch.settings = settings.as_json()
    batch.save(update_fields=["settings"])
    Item.objects.filter(batch=batch).update(review_draw=0)


def a_place(judgment):
    rating = judgment.ratings.select_related("response", "dimension").first()
    return f"{rating.response.public_id}.{rating.dimension.key}"


def test_accepting_is_numbered_and_changes_nothing_of_the_judgment():
    batch, [one, _] = judged()
    before = list(one.ratings.values())

    review = accept(Looked(one), by=reviewer(), now=LATER)

    assert (review.outcome, review.number, review.fix) == (ReviewOutcome.ACCEPT, 3, None)
    batch.refresh_from_db()
    assert batch.last_number == 3
    assert list(one.ratings.values()) == before
    assert one.assignment.state == AssignmentState.SUBMITTED


def test_accepting_twice_is_once():
    _, [one, _] = judged()
    heron = reviewer()

    first = accept(Looked(one), by=heron, now=LATER)

    assert accept(Looked(one), by=heron, now=LATER) == first
    assert Review.objects.count() == 1


def test_nobody_but_reviewers_and_leads_reviews_and_nobody_their_own():
    _, [one, two] = judged()
    with pytest.raises(NotAllowed, match="Only reviewers"):
        accept(Looked(one), by=make_member(), now=LATER)
    for role in (Role.REVIEWER, Role.LEAD):
        type(one.member).objects.filter(pk=one.member_id).update(role=role)
        one.member.role = role
        for judgment in (one, two):  # the other's judgment of the same item neither
            with pytest.raises(NotAllowed, match="yourself"):
                accept(Looked(judgment), by=one.member, now=LATER)
    assert not Review.objects.exists()


def test_a_return_names_places_and_the_next_submission_says_that_it_was_returned():
    _, [one, _] = judged()

    review = return_to_author(
        Looked(one), by=reviewer(), now=LATER, note=" Look at the legs. ", places=[a_place(one)]
    )

    response, dimension = a_place(one).split(".")
    assert review.places == [{"response": response, "dimension": dimension}]
    assert review.note == "Look at the legs."
    mine = Assignment.objects.get(pk=one.assignment_id)
    assert mine.state == AssignmentState.RETURNED
    body = full_body(mine, score=0)
    again = submit_judgment(mine, by=one.member, body=body, key="k2", now=LATER)
    assert (again.cause, again.revision, again.saw_others) == (Cause.RETURNED, 2, True)
    assert one in Judgment.objects.independent(number=99)
    assert again in Judgment.objects.final(number=99)


@pytest.mark.parametrize(
    ("note", "places", "field"),
    [("", None, "note"), ("  ", None, "note"), ("why", [], "places"), ("why", ["x.y"], "places")],
)
def test_a_return_without_a_word_or_a_place_is_refused_and_writes_nothing(note, places, field):
    _, [one, _] = judged()
    places = [a_place(one)] if places is None else places

    with pytest.raises(Invalid) as refused:
        return_to_author(Looked(one), by=reviewer(), now=LATER, note=note, places=places)

    assert field in refused.value.fields
    assert not Review.objects.exists()
    assert one.assignment.state == AssignmentState.SUBMITTED


def test_a_closed_batch_returns_nothing_that_its_author_could_not_correct():
    batch, [one, _] = judged()
    close_batch(batch, by=make_lead(), now=LATER)

    with pytest.raises(AnnotationError, match="closed"):
        return_to_author(Looked(one), by=reviewer(), now=LATER, note="x", places=[a_place(one)])

    accept(Looked(one), by=reviewer(), now=LATER)


def test_a_fix_is_the_reviewers_own_judgment_on_a_review_seat_and_stands_for_the_authors():
    _, [one, two] = judged()
    heron = reviewer()
    mine = begin_fix(Looked(one), by=heron, now=LATER)
    body = full_body(mine, score=3)

    review = fix(Looked(one), by=heron, body=body, key="f", now=LATER)

    fixed = review.fix
    assert (fixed.cause, fixed.member, fixed.saw_others) == (Cause.FIX, heron, True)
    assert fixed.seat.purpose == SeatPurpose.REVIEW
    assert fixed.shown_first == one.shown_first
    assert set(Judgment.objects.final(number=99)) == {fixed, two}
    assert set(Judgment.objects.independent(number=99)) == {one, two}
    assert fix(Looked(one), by=heron, body=body, key="f", now=LATER) == review
    assert Judgment.objects.count() == 3


def test_a_fix_that_is_incomplete_writes_neither_judgment_nor_review():
    _, [one, _] = judged()

    with pytest.raises(Invalid):
        fix(Looked(one), by=reviewer(), body={}, key="f", now=LATER)

    assert Judgment.objects.count() == 2
    assert not Review.objects.exists()


def test_a_fix_cannot_be_sent_past_the_reviews():
    _, [one, _] = judged()
    heron = reviewer()
    mine = begin_fix(Looked(one), by=heron, now=LATER)

    with pytest.raises(NotAllowed):
        submit_judgment(mine, by=heron, body=full_body(mine), key="f", now=LATER)


def test_one_reviewer_fixes_both_judgments_of_an_item_with_one_of_their_own():
    _, [one, two] = judged()
    heron = reviewer()
    mine = begin_fix(Looked(one), by=heron, now=LATER)
    fix(Looked(one), by=heron, body=full_body(mine, score=3), key="f", now=LATER)

    fix(Looked(two), by=heron, body=full_body(mine, score=0), key="g", now=LATER)

    last = Judgment.objects.get(member=heron, revision=2)
    assert list(Judgment.objects.final(number=99)) == [last]


def test_a_correction_after_the_review_waits_again_and_a_fix_stands_until_then():
    batch, [one, two] = judged()
    heron = reviewer()
    mine = begin_fix(Looked(one), by=heron, now=LATER)
    review = fix(Looked(one), by=heron, body=full_body(mine, score=3), key="f", now=LATER)
    author = Assignment.objects.get(pk=one.assignment_id)

    corrected = submit_judgment(
        author, by=one.member, body=full_body(author, score=0), key="k2", now=LATER
    )

    every = ReviewFilter(drawn=False)
    assert set(waiting_reviews(batch, every)) == {corrected, two}
    assert set(Judgment.objects.final(number=99)) == {review.fix, two}
    accept(Looked(corrected), by=heron, now=LATER)
    assert set(Judgment.objects.final(number=99)) == {corrected, two}


def test_what_was_looked_at_must_be_the_newest():
    _, [one, two] = judged()
    author = Assignment.objects.get(pk=one.assignment_id)
    submit_judgment(author, by=one.member, body=full_body(author, score=0), key="k2", now=LATER)
    with pytest.raises(NotNewest, match="another version"):
        accept(Looked(one), by=reviewer(), now=LATER)

    withdraw_judgment(
        Assignment.objects.get(pk=two.assignment_id), by=two.member, key="u", now=LATER
    )
    with pytest.raises(NotNewest, match="taken back"):
        accept(Looked(two), by=reviewer(), now=LATER)


def test_a_second_reviewer_is_told_and_a_lead_may_decide_again():
    _, [one, _] = judged()
    heron, tern = reviewer(), reviewer()
    first = accept(Looked(one), by=heron, now=LATER)

    with pytest.raises(NotNewest, match=heron.pseudonym):
        return_to_author(Looked(one), by=tern, now=LATER, note="x", places=[a_place(one)])
    with pytest.raises(NotAllowed, match=heron.pseudonym):
        accept(Looked(one, first.number), by=tern, now=LATER)
    return_to_author(
        Looked(one, first.number), by=make_lead(), now=LATER, note="x", places=[a_place(one)]
    )
    returned = Review.objects.get(outcome=ReviewOutcome.RETURN)
    accept(Looked(one, returned.number), by=make_lead(), now=LATER)
    assert Assignment.objects.get(pk=one.assignment_id).state == AssignmentState.SUBMITTED


def test_what_a_lead_took_out_is_not_reviewed():
    batch, [one, _] = judged()
    void(Target(judgment=one), by=make_lead(), reason="guessing", now=LATER)

    with pytest.raises(NotNewest):
        accept(Looked(one), by=reviewer(), now=LATER)

    assert one not in waiting_reviews(batch, ReviewFilter(drawn=False))


def test_a_blind_review_is_judged_before_anything_is_seen():
    batch, [one, two] = judged()
    drawn_blind(batch)
    heron = reviewer()
    with pytest.raises(JudgeFirst):
        accept(Looked(one), by=heron, now=LATER)
    mine = begin_blind(one.item, by=heron, now=LATER)
    assert not Sight.objects.exists()

    alone = submit_judgment(mine, by=heron, body=full_body(mine), key="b", now=LATER)

    assert (alone.cause, alone.seat.purpose) == (Cause.FIRST, SeatPurpose.REVIEW)
    assert alone.saw_others is False
    assert accept(Looked(one), by=heron, now=LATER).blind
    assert accept(Looked(two), by=heron, now=LATER).blind
    assert set(Judgment.objects.final(number=99)) == {one, two}
    assert set(Judgment.objects.independent(number=99)) == {one, two}


def test_who_has_seen_the_dialogue_does_not_review_it_blind():
    batch, [one, _] = judged()
    heron = reviewer()
    accept(Looked(one), by=heron, now=LATER)
    drawn_blind(batch)

    with pytest.raises(NotAllowed, match="Another reviewer"):
        begin_blind(one.item, by=heron, now=LATER)

    assert not waiting_reviews(batch, ReviewFilter(), member=heron).exists()
    assert waiting_reviews(batch, ReviewFilter(), member=reviewer()).exists()


def test_a_reviewer_is_never_offered_a_seat_of_what_they_have_read():
    batch, members = open_batch_with(people=2, seats=2)
    first = claim_next(batch, by=members[0], now=NOW)
    sent = submit_judgment(first, by=members[0], body=full_body(first), key="k", now=NOW)
    members[1].role = Role.REVIEWER
    members[1].save()
    accept(Looked(sent), by=members[1], now=LATER)

    with pytest.raises(AnnotationError):
        claim_next(batch, by=members[1], now=LATER)


def test_a_begun_fix_is_not_the_annotators_next_item():
    batch, [one, _] = judged(items=1)
    heron = reviewer()
    batch.participations.create(member=heron)
    begin_fix(Looked(one), by=heron, now=LATER)

    with pytest.raises(AnnotationError):
        claim_next(batch, by=heron, now=LATER)


def test_the_drawn_share_is_seeded_and_a_smaller_one_lies_within_it():
    batch, _ = judged()
    draws = {0: 0, 1: 400_000, 2: 900_000}
    for number, draw in draws.items():
        Item.objects.filter(batch=batch).update(review_draw=draw)
        for share in (0.0, 0.3, 0.5, 1.0):
            settings = BatchSettings(review_share=share, review_blind_share=0.5)
            drawn = batch.items.to_review(settings).exists()
            blind = batch.items.to_review_blind(settings).exists()
            assert drawn == (draw < share * 1_000_000), (number, share)
            assert blind == (draw < share * 500_000)


def at_once(*works):
    """Run the works at the same time; return what each gave or raised, in their order."""
    barrier, seen = Barrier(len(works)), [None] * len(works)

    def run(place, work):
        try:
            barrier.wait()
            seen[place] = work()
        except BaseException as error:
            seen[place] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=one) for one in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_reviewers_at_one_judgment_at_once_one_decides_and_the_others_are_told():
    _, [one, _] = judged()
    people = [reviewer() for _ in range(6)]

    seen = at_once(*[lambda by=by: accept(Looked(one), by=by, now=LATER) for by in people])

    assert sum(isinstance(one, Review) for one in seen) == 1
    assert sum(isinstance(one, NotNewest) for one in seen) == 5
    assert Review.objects.count() == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_correction_and_a_return_at_once_leave_one_of_two_orders():
    _, [one, _] = judged()
    heron, place = reviewer(), a_place(one)
    author = Assignment.objects.get(pk=one.assignment_id)
    body = full_body(author, score=0)

    correct, returned = at_once(
        lambda: submit_judgment(author, by=one.member, body=body, key="k2", now=LATER),
        lambda: return_to_author(Looked(one), by=heron, now=LATER, note="x", places=[place]),
    )

    assert isinstance(correct, Judgment)
    author.refresh_from_db()
    assert author.state == AssignmentState.SUBMITTED
    if isinstance(returned, Review):
        assert (correct.cause, correct.number) == (Cause.RETURNED, returned.number + 1)
    else:
        assert isinstance(returned, NotNewest)
        assert correct.cause == Cause.CORRECTION
