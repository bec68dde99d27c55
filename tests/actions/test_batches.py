"""Making batches and taking them through their states."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from annotation.actions.assignments import NothingToAnnotate, claim_next
from annotation.actions.batches import (
    BatchRefused,
    OverlapChange,
    WrongState,
    add_members,
    add_seats,
    close_batch,
    create_batch,
    discard_batch,
    offer_again,
    open_batch,
    pause_batch,
    reopen_batch,
    reopen_items,
    set_overlap,
)
from annotation.actions.guidelines import publish_guideline
from annotation.actions.judgments import BatchClosed, submit_judgment
from annotation.choices import (
    AssignmentState,
    BatchKind,
    BatchSettings,
    BatchState,
    ReasonRule,
    Role,
    SeatPurpose,
    SeatState,
)
from annotation.errors import Invalid, NotAllowed
from annotation.models import Assignment, Batch, Guideline, Item, Participation, Project, Seat
from annotation.reports.batches import BatchPlan
from annotation.reports.items import DialogueChoice
from tests.conftest import NOW
from tests.factories import (
    make_batch,
    make_dialogue,
    make_items,
    make_lead,
    make_member,
    make_path,
    make_project,
    make_rubric,
    make_tree,
)
from tests.worlds import full_body

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)


def plan_of(kind: BatchKind = BatchKind.TURN_PAIR, **more) -> BatchPlan:
    return BatchPlan(
        slug=more.pop("slug", "wave-1"),
        title=more.pop("title", "Wave 1"),
        kind=kind,
        rubric=more.pop("rubric", None) or make_rubric(),
        **more,
    )


def draft(*, items: int = 2, members: int = 2, **more) -> tuple[Batch, list]:
    for _ in range(items):
        make_tree(paths=2, turns=2)
    people = [make_member() for _ in range(members)]
    batch = create_batch(plan_of(members=tuple(people), **more), by=make_lead(), now=NOW)
    return batch, people


def lead_of(batch: Batch):
    return batch.project.members.filter(role=Role.LEAD).get()


def seats_of(item: Item) -> list[tuple[int, str, str]]:
    return list(item.seats.order_by("number").values_list("number", "purpose", "state"))


# --- Making


def test_a_batch_is_made_as_a_draft_with_everything_the_lead_decided():
    for task in ("drawing", "drawing", "cooking"):
        make_tree(paths=2, task=task)
    lead, annotator = make_lead("okafor"), make_member()
    settings = BatchSettings(reasons={"text_quality": ReasonRule(at_or_below=1, share=0.2)})

    batch = create_batch(
        plan_of(
            choice=DialogueChoice(tasks=("drawing",)),
            settings=settings,
            members=(annotator, annotator),
            guideline_texts={"en": "Be fair.", "zh-hans": "要公平。"},
            lease_minutes=90,
        ),
        by=lead,
        now=NOW,
    )

    batch.refresh_from_db()
    assert (batch.state, batch.kind, batch.lease_minutes) == (BatchState.DRAFT, "turn_pair", 90)
    assert batch.choice == {"tasks": ["drawing"]}
    assert batch.left_out == {"dialogues_without_item": 0}
    assert batch.parsed_settings().reasons == settings.reasons
    assert batch.parsed_settings().global_ratings is False
    assert [one.member for one in batch.participations.all()] == [annotator]
    assert batch.items.count() == 2
    assert not Seat.objects.exists()
    assert {
        version.language: version.text for version in batch.guideline.versions.filter(number=1)
    } == {"en": "Be fair.", "zh-hans": "要公平。"}
    assert batch.history == [
        {"at": NOW.isoformat(), "by": "okafor", "what": "created", "detail": "2 items"}
    ]


def test_items_know_their_place_their_fork_and_their_load():
    batch, _ = draft(items=3)

    items = list(batch.items.order_by("position"))

    assert [item.position for item in items] == [0, 1, 2]
    for item in items:
        assert item.response_1.content_key < item.response_2.content_key
        assert item.fork_depth == 2
        assert item.counts["decisions"] == 4 * 2 + 4 + 1
        assert item.counts["turns"] == 2
    assert {item.coin for item in items} <= {1, 2}


def test_nothing_is_written_where_the_plan_is_refused():
    make_tree(paths=2)
    settings = BatchSettings(overlap=0, pairs_per_tree=0)

    with pytest.raises(BatchRefused) as refused:
        create_batch(plan_of(settings=settings, title=""), by=make_lead(), now=NOW)

    assert len(refused.value.problems) == 3
    assert refused.value.status == 422
    assert not Batch.objects.exists()


def test_a_plan_without_items_leaves_no_guideline_behind():
    make_path(make_dialogue(), turns=2)

    with pytest.raises(BatchRefused, match="none has two sides to compare"):
        create_batch(plan_of(guideline_texts={"en": "Be fair."}), by=make_lead(), now=NOW)

    assert not Guideline.objects.exists()


def test_only_a_lead_of_the_project_makes_and_runs_batches():
    batch, _ = draft()
    elsewhere = make_lead()
    elsewhere.project = Project.objects.create(slug="other", name="Other")
    elsewhere.save()
    plan = plan_of(slug="wave-2", rubric=batch.rubric)

    for stranger in (make_member(), make_member(Role.REVIEWER), elsewhere):
        with pytest.raises(NotAllowed):
            create_batch(plan, by=stranger, now=NOW)
        for act in (open_batch, pause_batch, close_batch, reopen_batch):
            with pytest.raises(NotAllowed):
                act(batch, by=stranger, now=NOW)
        with pytest.raises(NotAllowed):
            set_overlap(batch, 3, by=stranger, now=NOW)
        with pytest.raises(NotAllowed):
            discard_batch(batch, by=stranger)
    assert Batch.objects.get().state == BatchState.DRAFT


def test_a_draft_can_be_discarded_and_an_open_batch_cannot():
    batch, _ = draft()
    lead = lead_of(batch)
    open_batch(batch, by=lead, now=NOW)

    with pytest.raises(WrongState, match="wave-1 is open: it can be discarded only while draft"):
        discard_batch(batch, by=lead)
    Batch.objects.update(state=BatchState.DRAFT)
    discard_batch(batch, by=lead)

    assert not Batch.objects.exists()
    assert not Item.objects.exists()


# --- Opening


def test_opening_makes_the_seats_and_every_second_one_sees_the_other_side_first():
    batch, _ = draft(members=3, settings=BatchSettings(overlap=3))

    opened = open_batch(batch, by=lead_of(batch), now=LATER)

    assert (opened.state, opened.opened_at) == (BatchState.OPEN, LATER)
    for item in batch.items.all():
        assert seats_of(item) == [(n, "overlap", "open") for n in (1, 2, 3)]
        shown = list(item.seats.order_by("number").values_list("shown_first", flat=True))
        assert shown == [item.coin, 3 - item.coin, item.coin]
    assert [entry["what"] for entry in opened.history] == ["created", "opened"]


def test_mixed_overlap_gives_the_seats_the_preview_promised():
    settings = BatchSettings(overlap=1, overlap_high=3, overlap_high_share=0.5)
    batch, _ = draft(items=6, members=3, settings=settings)

    open_batch(batch, by=lead_of(batch), now=NOW)

    counts = sorted(item.seats.count() for item in batch.items.all())
    assert counts == [1, 1, 1, 3, 3, 3]


def test_a_batch_with_fewer_members_than_seats_is_not_opened():
    batch, _ = draft(members=1)

    with pytest.raises(BatchRefused, match="1 member cannot fill 2 seats"):
        open_batch(batch, by=lead_of(batch), now=NOW)

    assert not Seat.objects.exists()
    add_members(batch, [make_member()], by=lead_of(batch), now=NOW)
    assert open_batch(batch, by=lead_of(batch), now=NOW).state == BatchState.OPEN


def test_an_open_batch_is_not_opened_again():
    batch, _ = draft()
    open_batch(batch, by=lead_of(batch), now=NOW)

    with pytest.raises(WrongState, match="it can be opened only while draft or paused"):
        open_batch(batch, by=lead_of(batch), now=NOW)

    assert Seat.objects.count() == 4


def test_a_batch_without_items_is_not_opened():
    batch = make_batch(state=BatchState.DRAFT, members=[make_member()])

    with pytest.raises(BatchRefused, match="no items"):
        open_batch(batch, by=make_lead(), now=NOW)


# --- Pausing and closing


def test_pausing_stops_claims_and_opening_lets_them_go_on():
    batch, (annotator, _) = draft()
    lead = lead_of(batch)
    open_batch(batch, by=lead, now=NOW)

    paused = pause_batch(batch, by=lead, now=NOW)
    with pytest.raises(NothingToAnnotate):
        claim_next(paused, by=annotator, now=NOW)
    resumed = open_batch(batch, by=lead, now=LATER)

    assert resumed.opened_at == NOW
    assert Seat.objects.count() == 4
    assert claim_next(resumed, by=annotator, now=LATER).state == AssignmentState.HELD
    assert [entry["what"] for entry in resumed.history] == [
        "created",
        "opened",
        "paused",
        "resumed",
    ]


def test_closing_frees_what_is_held_and_keeps_what_is_submitted():
    batch, (early, late) = draft()
    lead = lead_of(batch)
    opened = open_batch(batch, by=lead, now=NOW)
    done, held = claim_next(opened, by=early, now=NOW), claim_next(opened, by=late, now=NOW)
    Assignment.objects.filter(pk=done.pk).update(
        state=AssignmentState.SUBMITTED, lease_until=None, submitted_at=NOW
    )

    closed = close_batch(opened, by=lead, now=LATER)

    assert (closed.state, closed.closed_at) == (BatchState.CLOSED, LATER)
    done.refresh_from_db()
    held.refresh_from_db()
    assert (done.state, held.state) == (AssignmentState.SUBMITTED, AssignmentState.LAPSED)
    assert held.seat is None
    assert Seat.objects.filter(state=SeatState.TAKEN).get() == done.seat
    assert closed.history[-1]["what"] == "closed"


def test_a_closed_batch_is_reopened_whole():
    batch, (annotator, _) = draft()
    lead = lead_of(batch)
    open_batch(batch, by=lead, now=NOW)
    close_batch(batch, by=lead, now=NOW)

    reopened = reopen_batch(batch, by=lead, now=LATER)

    assert (reopened.state, reopened.closed_at) == (BatchState.OPEN, None)
    assert claim_next(reopened, by=annotator, now=LATER).state == AssignmentState.HELD


def test_chosen_items_of_a_closed_batch_are_reopened_until_it_closes_again():
    batch, _ = draft(items=3)
    lead = lead_of(batch)
    open_batch(batch, by=lead, now=NOW)
    close_batch(batch, by=lead, now=NOW)
    first, second, _third = batch.items.order_by("position")

    assert reopen_items([first, second], by=lead, now=LATER) == 2
    assert reopen_items([first], by=lead, now=LATER) == 0

    batch.refresh_from_db()
    assert batch.state == BatchState.CLOSED
    assert set(batch.items.exclude(reopened_at=None)) == {first, second}
    assert batch.history[-2]["detail"] == "2 items"
    reopen_batch(batch, by=lead, now=LATER)
    close_batch(batch, by=lead, now=LATER)
    assert not batch.items.exclude(reopened_at=None).exists()


def test_items_of_an_open_batch_or_of_two_are_not_reopened():
    batch, _ = draft()
    lead = lead_of(batch)
    open_batch(batch, by=lead, now=NOW)
    other = make_items(make_batch())[0]

    with pytest.raises(WrongState, match="only while closed"):
        reopen_items(batch.items.all(), by=lead, now=NOW)
    with pytest.raises(WrongState, match="items of one batch"):
        reopen_items([batch.items.first(), other], by=lead, now=NOW)
    with pytest.raises(WrongState, match="items of one batch"):
        reopen_items([], by=lead, now=NOW)


@pytest.mark.parametrize(
    ("act", "allowed"),
    [
        (open_batch, {"draft", "paused"}),
        (pause_batch, {"open"}),
        (close_batch, {"open", "paused"}),
        (reopen_batch, {"closed"}),
    ],
)
def test_each_step_is_allowed_from_its_states_only(act, allowed):
    lead = make_lead()
    members = [make_member(), make_member()]

    went = set()
    for state in BatchState:
        batch = make_batch(state=state, members=members)
        make_items(batch, seats=0 if state == BatchState.DRAFT else 2)
        try:
            act(batch, by=lead, now=NOW)
        except WrongState:
            batch.refresh_from_db()
            assert (batch.state, batch.history) == (state, [])
        else:
            went.add(state)

    assert went == allowed


def test_a_batch_of_imported_judgments_is_not_reopened():
    batch = make_batch(state=BatchState.CLOSED)
    make_items(batch, seats=0)

    with pytest.raises(BatchRefused, match="imported judgments only"):
        reopen_batch(batch, by=make_lead(), now=NOW)


# --- Parked items, members and seats


def test_parked_items_are_offered_again():
    batch, _ = draft(items=2)
    parked = batch.items.order_by("position")[0]
    Item.objects.filter(pk=parked.pk).update(parked_at=NOW)

    assert offer_again(batch.items.all(), by=lead_of(batch), now=NOW) == 1

    assert not batch.items.parked().exists()


def test_members_are_added_once():
    batch, (annotator, _) = draft()
    new = make_member()

    assert add_members(batch, [annotator, new, new], by=lead_of(batch), now=NOW) == 1

    assert Participation.objects.filter(batch=batch).count() == 3


def test_a_member_added_where_everyone_judges_brings_a_seat_at_each_item():
    batch, _ = draft(items=2, members=2, settings=BatchSettings(everyone=True))
    open_batch(batch, by=lead_of(batch), now=NOW)

    add_members(batch, [make_member()], by=lead_of(batch), now=NOW)

    for item in batch.items.all():
        assert seats_of(item) == [(n, "overlap", "open") for n in (1, 2, 3)]


def test_members_who_left_are_not_added():
    batch, _ = draft()
    gone = make_member(name="gone")
    gone.ended_at = NOW
    gone.save()

    with pytest.raises(BatchRefused, match="Not active members of this project: gone"):
        add_members(batch, [gone], by=lead_of(batch), now=NOW)


def test_extra_seats_are_added_to_chosen_items_after_the_others():
    batch, _ = draft(items=2)
    lead = lead_of(batch)
    open_batch(batch, by=lead, now=NOW)
    chosen, other = batch.items.order_by("position")

    assert add_seats([chosen], count=2, by=lead, now=NOW) == 2

    assert seats_of(chosen)[2:] == [(3, "extra", "open"), (4, "extra", "open")]
    assert chosen.seats.get(number=3).shown_first == chosen.coin
    assert len(seats_of(other)) == 2
    with pytest.raises(BatchRefused, match="between 1 and 50"):
        add_seats([chosen], count=0, by=lead, now=NOW)


def test_seats_are_not_added_to_a_draft():
    batch, _ = draft()

    with pytest.raises(
        WrongState, match="is draft: it can be given seats only while open or paused"
    ):
        add_seats(batch.items.all(), by=lead_of(batch), now=NOW)


# --- Overlap


def test_raising_the_overlap_adds_seats_and_lowering_closes_open_ones():
    batch, (annotator, *_) = draft(items=2, members=3)
    lead = lead_of(batch)
    opened = open_batch(batch, by=lead, now=NOW)
    begun = claim_next(opened, by=annotator, now=NOW).item

    assert set_overlap(batch, 3, by=lead, now=NOW) == OverlapChange(added=2)
    assert set_overlap(batch, 1, by=lead, now=NOW) == OverlapChange(closed=4)
    assert seats_of(begun) == [
        (1, "overlap", "taken"),
        (2, "overlap", "closed"),
        (3, "overlap", "closed"),
    ]
    assert set_overlap(batch, 2, by=lead, now=NOW) == OverlapChange(added=2)

    assert seats_of(begun) == [
        (1, "overlap", "taken"),
        (2, "overlap", "open"),
        (3, "overlap", "closed"),
    ]
    batch.refresh_from_db()
    assert batch.parsed_settings().overlap == 2
    assert batch.history[-1]["detail"] == "2: 2 seats added, 0 closed"


def test_lowering_the_overlap_takes_no_seat_from_anybody():
    batch, people = draft(items=1, members=3, settings=BatchSettings(overlap=3))
    lead = lead_of(batch)
    opened = open_batch(batch, by=lead, now=NOW)
    for annotator in people[:2]:
        claim_next(opened, by=annotator, now=NOW)

    change = set_overlap(batch, 1, by=lead, now=NOW)

    assert change == OverlapChange(closed=1, still_taken=1)
    assert [state for *_, state in seats_of(batch.items.get())] == ["taken", "taken", "closed"]


def test_extra_seats_count_for_no_overlap():
    batch, _ = draft(items=1)
    lead = lead_of(batch)
    open_batch(batch, by=lead, now=NOW)
    add_seats(batch.items.all(), by=lead, now=NOW)

    set_overlap(batch, 1, by=lead, now=NOW)

    assert seats_of(batch.items.get()) == [
        (1, "overlap", "open"),
        (2, "overlap", "closed"),
        (3, "extra", "open"),
    ]


def test_the_overlap_of_a_draft_is_changed_before_there_are_seats():
    batch, _ = draft(settings=BatchSettings(overlap=1, overlap_high=2, overlap_high_share=0.5))

    assert set_overlap(batch, 2, by=lead_of(batch), now=NOW) == OverlapChange()

    open_batch(batch, by=lead_of(batch), now=NOW)
    assert [item.seats.count() for item in batch.items.all()] == [2, 2]


def test_an_overlap_beyond_the_members_is_refused():
    batch, _ = draft(members=2)
    open_batch(batch, by=lead_of(batch), now=NOW)

    with pytest.raises(BatchRefused, match="2 members cannot fill 3 seats"):
        set_overlap(batch, 3, by=lead_of(batch), now=NOW)
    with pytest.raises(BatchRefused, match="between 1 and 50"):
        set_overlap(batch, 0, by=lead_of(batch), now=NOW)

    assert Seat.objects.filter(purpose=SeatPurpose.OVERLAP).count() == 4


# --- Guidelines


def test_a_new_version_keeps_the_texts_of_languages_that_were_not_changed():
    lead = make_lead()
    make_rubric()
    publish_guideline("fair", texts={"en": "Be fair.", "zh-hans": "要公平。"}, by=lead, now=NOW)

    guideline = publish_guideline(
        "fair",
        texts={"en": "Be fair and quick."},
        by_dimension={"en": {"text_quality": "Mind the commas."}},
        sentence="Be quick too.",
        by=lead,
        now=LATER,
    )

    assert {
        (version.number, version.language): version.text for version in guideline.versions.all()
    } == {
        (1, "en"): "Be fair.",
        (1, "zh-hans"): "要公平。",
        (2, "en"): "Be fair and quick.",
        (2, "zh-hans"): "要公平。",
    }
    newest = guideline.versions.get(number=2, language="en")
    assert newest.by_dimension == {"text_quality": "Mind the commas."}
    assert (newest.sentence, newest.published_by) == ("Be quick too.", lead)


def test_a_guideline_without_text_or_by_an_annotator_is_refused():
    with pytest.raises(Invalid, match="needs a text"):
        publish_guideline("fair", texts={"en": "  "}, by=make_lead(), now=NOW)
    with pytest.raises(NotAllowed):
        publish_guideline("fair", texts={"en": "Be fair."}, by=make_member(), now=NOW)

    assert not Guideline.objects.exists()


# --- Two at once


@pytest.mark.django_db(transaction=True)
def test_a_batch_closed_while_people_submit_loses_no_seat_and_nobody_waits_for_ever():
    make_project()
    batch, people = draft(items=12, members=4, settings=BatchSettings(overlap=4))
    lead = lead_of(batch)
    opened = open_batch(batch, by=lead, now=NOW)
    held = [claim_next(opened, by=annotator, now=NOW) for annotator in people]
    bodies = [full_body(assignment) for assignment in held]
    ready = threading.Barrier(len(held) + 2)

    def submit(assignment: Assignment, body: dict) -> str:
        ready.wait()
        try:
            submit_judgment(assignment, by=assignment.member, body=body, key="k", now=NOW)
        except BatchClosed:
            return "refused"
        finally:
            connection.close()
        return "submitted"

    def lower() -> str:
        ready.wait()
        try:
            set_overlap(batch, 1, by=lead, now=NOW)
        except WrongState:
            return "too late"
        finally:
            connection.close()
        return "lowered"

    def close() -> str:
        ready.wait()
        try:
            return close_batch(batch, by=lead, now=NOW).state
        finally:
            connection.close()

    with ThreadPoolExecutor(len(held) + 2) as pool:
        submits = [
            pool.submit(submit, assignment, body)
            for assignment, body in zip(held, bodies, strict=True)
        ]
        lead_acts = [pool.submit(lower), pool.submit(close)]
        ends = [one.result(timeout=30) for one in submits]
        assert lead_acts[1].result(timeout=30) == BatchState.CLOSED
        assert lead_acts[0].result(timeout=30) in {"lowered", "too late"}

    submitted = Assignment.objects.filter(state=AssignmentState.SUBMITTED)
    assert submitted.count() == ends.count("submitted")
    assert not Assignment.objects.held().exists()
    assert set(Seat.objects.filter(state=SeatState.TAKEN)) == {one.seat for one in submitted}
    assert {entry["what"] for entry in Batch.objects.get().history} >= {"created", "closed"}
