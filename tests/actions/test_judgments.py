"""Submitting, correcting, undoing: nothing lost, nothing twice, nothing changed."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection, transaction

from annotation.actions.assignments import claim_next, release_lapsed, skip
from annotation.actions.drafts import DraftConflict, save_draft
from annotation.actions.judgments import (
    AlreadySubmitted,
    BatchClosed,
    TooLate,
    admit_surplus,
    submit_judgment,
    withdraw_judgment,
)
from annotation.choices import (
    AssignmentState,
    BatchKind,
    BatchSettings,
    BatchState,
    Cause,
    SeatPurpose,
    SkipReason,
)
from annotation.errors import AnnotationError, Invalid, NotAllowed
from annotation.models import Assignment, Judgment, Preference, Rating, Remark
from tests.factories import NOW, make_batch, make_item, make_lead, make_member, make_tree
from tests.worlds import full_body, open_batch_with

LEASE = timedelta(minutes=60)
pytestmark = pytest.mark.django_db


def held_item(**more):
    batch, [ann, ben] = open_batch_with(**more)
    return claim_next(batch, by=ann, now=NOW), ann, ben


def test_submit_stores_what_was_answered():
    held, ann, _ = held_item()
    better = held.item.response_2
    body = full_body(held, score=1, preferred=better)
    body["remarks"] = {
        "rationale": {"text": "B names the parts.", "language": "en"},
        f"critique:{better.public_id}": {"text": "Too long."},
    }

    judgment = submit_judgment(held, by=ann, body=body, key="k", now=NOW)

    assert (judgment.number, judgment.revision, judgment.cause) == (1, 1, Cause.FIRST)
    assert judgment.seat == held.seat
    assert judgment.shown_first == held.shown_first
    assert judgment.ratings.count() == 8
    assert set(judgment.ratings.values_list("score", flat=True)) == {1}
    overall = judgment.preferences.get(scope="overall")
    assert (overall.outcome, overall.preferred, overall.strength) == ("prefers", better, 1)
    assert set(judgment.remarks.values_list("kind", "response", "text")) == {
        ("rationale", None, "B names the parts."),
        ("critique", better.pk, "Too long."),
    }
    held.refresh_from_db()
    assert (held.state, held.submitted_at) == (AssignmentState.SUBMITTED, NOW)


def test_the_same_key_and_body_give_the_same_judgment_for_ever():
    held, ann, _ = held_item()
    body = full_body(held)

    first = submit_judgment(held, by=ann, body=body, key="k", now=NOW)
    again = submit_judgment(held, by=ann, body=body, key="k", now=NOW + timedelta(days=9))

    assert again == first
    assert Judgment.objects.count() == 1


def test_the_same_key_with_other_content_is_refused_and_the_first_stays():
    held, ann, _ = held_item()
    submit_judgment(held, by=ann, body=full_body(held, score=2), key="k", now=NOW)

    with pytest.raises(AlreadySubmitted):
        submit_judgment(held, by=ann, body=full_body(held, score=3), key="k", now=NOW)

    assert set(Rating.objects.values_list("score", flat=True)) == {2}


def test_another_persons_item_cannot_be_submitted():
    held, _, ben = held_item()

    with pytest.raises(NotAllowed):
        submit_judgment(held, by=ben, body=full_body(held), key="k", now=NOW)

    assert Judgment.objects.count() == 0


def test_an_incomplete_submission_names_every_place_and_stores_nothing():
    held, ann, _ = held_item()
    body = full_body(held)
    response = held.item.response_1.public_id
    del body["ratings"][response]["text_quality"]
    body["ratings"][response]["context_coherence"] = {"score": 4}
    del body["preferences"]["overall"]

    with pytest.raises(Invalid) as refused:
        submit_judgment(held, by=ann, body=body, key="k", now=NOW)

    assert set(refused.value.fields) == {
        f"ratings.{response}.text_quality",
        f"ratings.{response}.context_coherence",
        "preferences.overall",
    }
    assert Judgment.objects.count() == 0
    held.refresh_from_db()
    assert held.state == AssignmentState.HELD


def test_a_correction_is_a_new_revision_and_the_old_one_stays():
    held, ann, _ = held_item()
    submit_judgment(held, by=ann, body=full_body(held, score=2), key="one", now=NOW)

    second = submit_judgment(held, by=ann, body=full_body(held, score=3), key="two", now=NOW)

    assert (second.revision, second.cause, second.number) == (2, Cause.CORRECTION, 2)
    assert Judgment.objects.count() == 2
    assert list(Judgment.objects.final(number=2)) == [second]
    assert list(Judgment.objects.independent(number=2)) == [second]
    assert [one.revision for one in Judgment.objects.final(number=1)] == [1]


def test_undo_brings_seat_and_draft_back_and_a_new_submission_is_a_first():
    held, ann, _ = held_item()
    save_draft(held, by=ann, body={"ratings": {}}, version=0, now=NOW)
    submit_judgment(held, by=ann, body=full_body(held), key="one", now=NOW)

    undone = withdraw_judgment(held, by=ann, key="undo", now=NOW + timedelta(minutes=9))

    held.refresh_from_db()
    assert undone.cause == Cause.WITHDRAWAL
    assert held.state == AssignmentState.HELD
    assert held.draft.body == {"ratings": {}}
    assert not Judgment.objects.final(number=2).exists()
    assert not Judgment.objects.independent(number=2).exists()
    again = submit_judgment(held, by=ann, body=full_body(held), key="two", now=NOW)
    assert (again.cause, again.revision) == (Cause.FIRST, 3)
    assert list(Judgment.objects.independent(number=3)) == [again]


def test_undo_is_refused_after_its_time():
    held, ann, _ = held_item(settings=BatchSettings(undo_minutes=5))
    submit_judgment(held, by=ann, body=full_body(held), key="k", now=NOW)

    with pytest.raises(TooLate):
        withdraw_judgment(held, by=ann, key="undo", now=NOW + timedelta(minutes=6))


def test_late_work_takes_its_seat_back_where_it_is_free():
    held, ann, _ = held_item(seats=1)
    body = full_body(held)
    release_lapsed(now=NOW + LEASE)

    judgment = submit_judgment(held, by=ann, body=body, key="k", now=NOW + LEASE)

    held.refresh_from_db()
    assert held.state == AssignmentState.SUBMITTED
    assert judgment.seat is not None


def test_late_work_is_kept_as_surplus_where_the_seat_is_gone_and_enters_nothing():
    held, ann, ben = held_item(seats=1)
    body = full_body(held)
    claim_next(held.item.batch, by=ben, now=NOW + LEASE)

    judgment = submit_judgment(held, by=ann, body=body, key="k", now=NOW + LEASE)

    held.refresh_from_db()
    assert held.state == AssignmentState.SURPLUS
    assert judgment.seat is None
    assert judgment.ratings.count() == 8
    assert not Judgment.objects.final(number=9).exists()
    assert not Judgment.objects.independent(number=9).exists()


def test_a_lead_admits_surplus_to_an_extra_seat_that_no_agreement_counts():
    held, ann, ben = held_item(seats=1)
    body = full_body(held)
    claim_next(held.item.batch, by=ben, now=NOW + LEASE)
    submit_judgment(held, by=ann, body=body, key="k", now=NOW + LEASE)

    with pytest.raises(NotAllowed):
        admit_surplus(held, by=ann, now=NOW)
    admitted = admit_surplus(held, by=make_lead(), now=NOW)

    assert (admitted.cause, admitted.seat.purpose) == (Cause.ADMITTED, SeatPurpose.EXTRA)
    assert admitted.ratings.count() == 8
    assert list(Judgment.objects.final(number=9)) == [admitted]
    assert not Judgment.objects.independent(number=9).exists()


@pytest.mark.parametrize("state", [BatchState.CLOSED, BatchState.DRAFT])
def test_a_batch_that_is_not_open_takes_no_judgment(state):
    held, ann, _ = held_item()
    type(held.item.batch).objects.update(state=state)

    with pytest.raises(BatchClosed):
        submit_judgment(held, by=ann, body=full_body(held), key="k", now=NOW)


def test_a_paused_batch_still_takes_what_was_begun():
    held, ann, _ = held_item()
    type(held.item.batch).objects.update(state=BatchState.PAUSED)

    assert submit_judgment(held, by=ann, body=full_body(held), key="k", now=NOW).number == 1


def test_a_reopened_item_of_a_closed_batch_takes_a_correction_that_is_not_independent():
    held, ann, _ = held_item()
    first = submit_judgment(held, by=ann, body=full_body(held), key="one", now=NOW)
    type(held.item.batch).objects.update(state=BatchState.CLOSED)
    type(held.item).objects.update(reopened_at=NOW)

    second = submit_judgment(held, by=ann, body=full_body(held, score=3), key="two", now=NOW)

    assert list(Judgment.objects.final(number=2)) == [second]
    assert list(Judgment.objects.independent(number=2)) == [first]


def test_a_skipped_item_takes_neither_draft_nor_judgment():
    held, ann, _ = held_item()
    body = full_body(held)
    skip(held, by=ann, reason=SkipReason.OTHER, now=NOW)

    with pytest.raises(AnnotationError):
        save_draft(held, by=ann, body=body, version=0, now=NOW)
    with pytest.raises(AnnotationError):
        submit_judgment(held, by=ann, body=body, key="k", now=NOW)


def test_three_pairs_of_one_tree_are_rated_once_each_and_later_ones_carried():
    ann = make_member()
    batch = make_batch(kind=BatchKind.CONVERSATION_PAIR, members=[ann])
    sides = list(make_tree(paths=3, turns=3, fork=2).responses.full().order_by("pk"))
    for one, two in ((0, 1), (0, 2), (1, 2)):
        make_item(batch, sides[one], sides[two], seats=1)
    for number in range(3):
        held = claim_next(batch, by=ann, now=NOW)
        body = full_body(held) if number == 0 else {"preferences": full_body(held)["preferences"]}
        if number == 1:  # the third path is new in the second item
            seen = set(Rating.objects.values_list("response__public_id", flat=True))
            fresh = full_body(held)["ratings"]
            body["ratings"] = {key: value for key, value in fresh.items() if key not in seen}
            for side in (held.item.response_1, held.item.response_2):
                if side.public_id in fresh and side.public_id not in body["ratings"]:
                    assert Rating.objects.filter(response=side).count() == 9
        submit_judgment(held, by=ann, body=body, key=f"{number}", now=NOW)

    given = Rating.objects.exclude(origin="carried")
    # The shared turn, two turns on each of three paths: seven responses; three whole paths.
    assert given.count() == 7 * 4 + 3 * 5
    assert given.values("response", "dimension").distinct().count() == given.count()
    # Each item shows five responses and two paths: 5 x 4 + 2 x 5 answers.
    assert Rating.objects.count() == 3 * (5 * 4 + 2 * 5)


def test_a_carried_rating_that_is_changed_is_the_persons_new_answer():
    ann = make_member()
    batch = make_batch(kind=BatchKind.CONVERSATION_PAIR, members=[ann])
    sides = list(make_tree(paths=3).responses.full().order_by("pk"))
    for one, two in ((0, 1), (0, 2)):
        make_item(batch, sides[one], sides[two], seats=1)
    first = claim_next(batch, by=ann, now=NOW)
    submit_judgment(first, by=ann, body=full_body(first, score=2), key="k", now=NOW)
    second = claim_next(batch, by=ann, now=NOW)

    judgment = submit_judgment(second, by=ann, body=full_body(second, score=3), key="k", now=NOW)

    assert set(judgment.ratings.values_list("origin", "score")) == {("given", 3)}


def test_evidence_refuses_update_and_delete():
    held, ann, _ = held_item()
    body = full_body(held)
    body["remarks"] = {"rationale": {"text": "Why."}}
    judgment = submit_judgment(held, by=ann, body=body, key="k", now=NOW)
    rows = [judgment, Rating.objects.first(), Preference.objects.first(), Remark.objects.first()]

    for row in rows:
        table = type(row).objects.filter(pk=row.pk)
        with pytest.raises(IntegrityError), transaction.atomic():
            table.update(id=row.pk + 1)
        with pytest.raises(IntegrityError), transaction.atomic():
            table._raw_delete(using="default")
        assert table.exists()


def test_a_draft_grows_by_versions_and_an_old_one_is_a_conflict_with_both():
    held, ann, _ = held_item()
    first = save_draft(held, by=ann, body={"ratings": {"a": {}}}, version=0, now=NOW)
    save_draft(held, by=ann, body={"ratings": {"b": {}}}, version=first.version, now=NOW)

    with pytest.raises(DraftConflict) as conflict:
        save_draft(held, by=ann, body={"ratings": {"c": {}}}, version=first.version, now=NOW)

    assert conflict.value.draft.body == {"ratings": {"b": {}}}
    assert conflict.value.draft.version == 2


def test_sending_the_same_draft_again_is_no_conflict():
    held, ann, _ = held_item()
    save_draft(held, by=ann, body={"ratings": {"a": {}}}, version=0, now=NOW)

    again = save_draft(held, by=ann, body={"ratings": {"a": {}}}, version=0, now=NOW)

    assert again.version == 1


@pytest.mark.parametrize("body", [[], "text", None, {"ratings": {"x": "y" * 600_000}}])
def test_a_draft_that_is_no_object_or_too_large_is_refused(body):
    held, ann, _ = held_item()

    with pytest.raises(Invalid):
        save_draft(held, by=ann, body=body, version=0, now=NOW)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_twelve_equal_submissions_at_once_are_one_judgment():
    batch, [ann, _] = open_batch_with()
    held = claim_next(batch, by=ann, now=NOW)
    body = full_body(held)
    barrier = Barrier(12)
    seen: list[object] = []

    def send():
        try:
            barrier.wait()
            mine = Assignment.objects.get(pk=held.pk)
            seen.append(submit_judgment(mine, by=ann, body=body, key="k", now=NOW).pk)
        except BaseException as error:
            seen.append(error)
        finally:
            connection.close()

    threads = [Thread(target=send) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(seen)) == 1
    assert Judgment.objects.count() == 1
