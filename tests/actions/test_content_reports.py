"""Reports: out of every queue at once, and back by a lead's word only."""

from threading import Barrier, Thread

import pytest
from django.db import connection

from annotation.actions.assignments import (
    NothingToAnnotate,
    claim_next,
    open_assignment,
    prepare_next,
    skip,
)
from annotation.actions.content_reports import NothingToSettle, report_content, settle_reports
from annotation.actions.judgments import submit_judgment
from annotation.choices import AssignmentState, ReportOutcome, SkipReason
from annotation.errors import Invalid, NotAllowed
from annotation.models import (
    Assignment,
    Batch,
    ContentReport,
    Dialogue,
    Item,
    Judgment,
    Mark,
    Seat,
    Void,
)
from annotation.reports.voids import standing_voids
from tests.factories import NOW, make_batch, make_item, make_lead, make_member
from tests.worlds import full_body, open_batch_with

pytestmark = pytest.mark.django_db


def two_batches_of_one_dialogue():
    """A dialogue's item in two open batches, and the people of both."""
    batch, people = open_batch_with(items=1, seats=3, people=3)
    item = batch.items.get()
    other = make_batch(members=people)
    make_item(other, item.response_1, item.response_2, seats=3)
    return batch, other, people


def report(
    assignment, *, leave: bool = False, key: str = "injury", note: str = ""
) -> ContentReport:
    return report_content(
        assignment, by=assignment.member, key=key, note=note, leave=leave, now=NOW
    )


def test_a_report_takes_the_dialogue_out_of_every_batch_at_once():
    batch, other, [ann, ben, _] = two_batches_of_one_dialogue()
    held = claim_next(batch, by=ann, now=NOW)
    open_assignment(held, now=NOW)

    report(held, note="There is blood in it.")

    assert Dialogue.objects.get().held_back_at == NOW
    assert not Seat.objects.claimable().exists()
    for where in (batch, other):
        with pytest.raises(NothingToAnnotate):
            claim_next(where, by=ben, now=NOW)
    waiting = ContentReport.objects.get()
    assert (waiting.key, waiting.note, waiting.made_by, waiting.made_at) == (
        "injury",
        "There is blood in it.",
        ann,
        NOW,
    )


def test_who_has_it_open_may_finish_and_what_was_prepared_goes_back():
    batch, other, [ann, ben, chen] = two_batches_of_one_dialogue()
    first, second = (claim_next(batch, by=one, now=NOW) for one in (ann, ben))
    open_assignment(first, now=NOW)
    open_assignment(second, now=NOW)
    ahead = claim_next(other, by=chen, now=NOW)

    report(first)

    ahead.refresh_from_db()
    assert (ahead.state, ahead.seat) == (AssignmentState.LAPSED, None)
    submit_judgment(second, by=ben, body=full_body(second), key="k", now=NOW)
    submit_judgment(first, by=ann, body=full_body(first), key="k", now=NOW)
    assert set(Judgment.objects.values_list("seat", flat=True)) == {first.seat_id, second.seat_id}


def test_a_reporter_may_leave_as_one_who_would_rather_not():
    batch, _, [ann, *_] = two_batches_of_one_dialogue()
    held = claim_next(batch, by=ann, now=NOW)

    report(held, leave=True)

    held.refresh_from_db()
    assert (held.state, held.skip_reason) == (AssignmentState.SKIPPED, SkipReason.RATHER_NOT)


def test_a_second_word_of_the_same_person_is_added_to_the_first():
    batch, _, [ann, ben, _] = two_batches_of_one_dialogue()
    held, bens = (claim_next(batch, by=one, now=NOW) for one in (ann, ben))

    report(held, note="One.")
    report(held, key="", note="Two.")
    report(bens, note="Mine.")

    told = ContentReport.objects.order_by("pk").values_list("made_by", "key", "note")
    assert list(told) == [(ann.pk, "injury", "One.\nTwo."), (ben.pk, "injury", "Mine.")]


def test_a_report_needs_a_category_or_a_word_and_is_the_holders():
    batch, _, [ann, *_] = two_batches_of_one_dialogue()
    held = claim_next(batch, by=ann, now=NOW)

    with pytest.raises(Invalid, match="write a word"):
        report(held, key="", note="  ")
    with pytest.raises(Invalid):
        report(held, key="a,b")
    with pytest.raises(NotAllowed):
        report_content(held, by=make_member(), key="injury", note="", leave=False, now=NOW)

    assert Dialogue.objects.get().held_back_at is None


def test_a_lead_puts_it_back():
    batch, _, [ann, ben, _] = two_batches_of_one_dialogue()
    report(claim_next(batch, by=ann, now=NOW), leave=True)
    lead = make_lead()

    settle_reports(
        Dialogue.objects.get(), ReportOutcome.PUT_BACK, by=lead, note="Harmless.", now=NOW
    )

    settled = ContentReport.objects.get()
    assert (settled.outcome, settled.settled_by, settled.settled_at, settled.settled_note) == (
        "put_back",
        lead,
        NOW,
        "Harmless.",
    )
    assert claim_next(batch, by=ben, now=NOW).state == AssignmentState.HELD
    with pytest.raises(NothingToAnnotate):
        claim_next(batch, by=ann, now=NOW)
    with pytest.raises(NothingToSettle):
        settle_reports(Dialogue.objects.get(), ReportOutcome.PUT_BACK, by=lead, now=NOW)


def test_a_lead_marks_it_with_the_reported_category_or_another():
    batch, _, [ann, *_] = two_batches_of_one_dialogue()
    held = claim_next(batch, by=ann, now=NOW)
    lead = make_lead()

    report(held)
    settle_reports(Dialogue.objects.get(), ReportOutcome.MARKED, by=lead, now=NOW)
    report(held)
    settle_reports(Dialogue.objects.get(), ReportOutcome.MARKED, by=lead, key="gore", now=NOW)

    marks = Mark.objects.standing().order_by("key").values_list("key", "origin", "made_by")
    assert list(marks) == [("gore", "report", lead.pk), ("injury", "report", lead.pk)]
    dialogue = Dialogue.objects.get()
    assert (dialogue.marks, dialogue.held_back_at) == (["gore", "injury"], None)


def test_marking_without_a_category_is_refused_and_changes_nothing():
    batch, _, [ann, *_] = two_batches_of_one_dialogue()
    report(claim_next(batch, by=ann, now=NOW), key="", note="Look at this.")

    with pytest.raises(Invalid, match="Choose what"):
        settle_reports(Dialogue.objects.get(), ReportOutcome.MARKED, by=make_lead(), now=NOW)

    assert ContentReport.objects.get().settled_at is None
    assert not Seat.objects.claimable().exists()


def test_a_withdrawn_dialogue_is_void_where_it_was_judged_and_in_no_queue():
    batch, other, [ann, ben, _] = two_batches_of_one_dialogue()
    held = claim_next(batch, by=ann, now=NOW)
    submit_judgment(held, by=ann, body=full_body(held), key="k", now=NOW)
    report(claim_next(batch, by=ben, now=NOW), leave=True)
    lead = make_lead()

    with pytest.raises(Invalid, match="Say why"):
        settle_reports(Dialogue.objects.get(), ReportOutcome.WITHDRAWN, by=lead, now=NOW)
    settle_reports(
        Dialogue.objects.get(), ReportOutcome.WITHDRAWN, by=lead, note="Not for anybody.", now=NOW
    )

    assert set(Void.objects.values_list("batch", "reason")) == {
        (batch.pk, "Not for anybody."),
        (other.pk, "Not for anybody."),
    }
    number = Batch.objects.get(pk=batch.pk).last_number
    assert list(standing_voids(batch, number=number).items) == [held.item_id]
    assert not Seat.objects.claimable().exists()
    settle_reports(Dialogue.objects.get(), ReportOutcome.PUT_BACK, by=lead, now=NOW)
    assert Seat.objects.claimable().exists()


def test_only_a_lead_settles():
    batch, _, [ann, *_] = two_batches_of_one_dialogue()
    report(claim_next(batch, by=ann, now=NOW))

    with pytest.raises(NotAllowed):
        settle_reports(Dialogue.objects.get(), ReportOutcome.PUT_BACK, by=ann, now=NOW)


def test_three_who_would_rather_not_do_not_park_an_item():
    batch, people = open_batch_with(items=1, seats=4, people=4)
    for person in people[:3]:
        held = claim_next(batch, by=person, now=NOW)
        skip(held, by=person, reason=SkipReason.RATHER_NOT, now=NOW)

    assert Item.objects.get().parked_at is None
    assert claim_next(batch, by=people[3], now=NOW).state == AssignmentState.HELD


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="writers take turns on SQLite")
@pytest.mark.parametrize("_", range(6))
def test_whoever_claims_while_another_reports_is_before_the_report_or_gets_nothing(_):
    batch, people = open_batch_with(items=1, seats=9, people=9)
    mine = claim_next(batch, by=people[0], now=NOW)
    open_assignment(mine, now=NOW)
    barrier = Barrier(len(people))
    trouble: list[BaseException] = []

    def act(person):
        try:
            barrier.wait()
            if person == people[0]:
                report(mine)
            else:
                claim_next(batch, by=person, now=NOW)
        except NothingToAnnotate:
            return
        except BaseException as error:
            trouble.append(error)
        finally:
            connection.close()

    threads = [Thread(target=act, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert trouble == []
    # Whoever was quicker had not opened it, so their seat went back; whoever was not got none.
    assert list(Assignment.objects.held().values_list("pk", flat=True)) == [mine.pk]
    assert Seat.objects.filter(state="taken").count() == 1
    assert prepare_next(mine, now=NOW) is None
