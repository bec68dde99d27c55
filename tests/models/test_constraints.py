"""Every named constraint, and something that tries to break it."""

from collections.abc import Callable

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from annotation.choices import (
    AssignmentState,
    Cause,
    JobState,
    RecordOutcome,
    SlotState,
)
from annotation.models import (
    Assignment,
    Batch,
    ContentReport,
    Dialogue,
    Dimension,
    Figure,
    GoldAnswer,
    Guideline,
    GuidelineReading,
    GuidelineVersion,
    Hold,
    Image,
    Item,
    Judgment,
    LeadQuestion,
    Member,
    OptOut,
    Participation,
    Preference,
    Rating,
    Record,
    Remark,
    Response,
    Review,
    Rubric,
    ScalePoint,
    Seat,
    Sight,
    Slot,
    Turn,
    Variant,
    Void,
)
from annotation.models.evidence import existing_triggers, make_triggers, trigger_names
from tests.factories import (
    NOW,
    make_batch,
    make_category,
    make_dialogue,
    make_image,
    make_import,
    make_item,
    make_lead,
    make_mark,
    make_member,
    make_path,
    make_project,
    make_response,
    make_rubric,
    make_slot,
    make_tree,
    make_turn,
)

pytestmark = pytest.mark.django_db

BREAKERS: dict[str, Callable[[], object]] = {}


def breaks(constraint: str):
    def register(breaker: Callable[[], object]) -> Callable[[], object]:
        BREAKERS[constraint] = breaker
        return breaker

    return register


def again(row, **changes):
    """Insert a copy of the row with these changes."""
    fields = {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.attname not in {"id", "public_id"}
    }
    return type(row).objects.create(**{**fields, **changes})


def a_pair() -> Item:
    batch = make_batch()
    return make_item(batch, *make_tree(turns=2).responses.full().order_by("pk"))


def held(item: Item | None = None, member: Member | None = None) -> Assignment:
    item = item or a_pair()
    return Assignment.objects.create(
        item=item,
        member=member or make_member(),
        seat=item.seats.order_by("number").first(),
        state=AssignmentState.HELD,
        lease_until=NOW,
        claimed_at=NOW,
    )


def a_judgment(**more) -> Judgment:
    assignment = held()
    values = {
        "batch": assignment.item.batch,
        "number": 1,
        "item": assignment.item,
        "member": assignment.member,
        "assignment": assignment,
        "seat": assignment.seat,
        "revision": 1,
        "cause": Cause.FIRST,
        "submission_key": "k",
        "submitted_at": NOW,
    }
    return Judgment.objects.create(**{**values, **more})


def a_rating(**more) -> Rating:
    judgment = more.pop("judgment", None) or a_judgment()
    dimension = judgment.batch.rubric.dimensions.order_by("position").first()
    values = {
        "judgment": judgment,
        "response": judgment.item.response_1,
        "dimension": dimension,
        "score": 2,
    }
    return Rating.objects.create(**{**values, **more})


def a_preference(**more) -> Preference:
    judgment = more.pop("judgment", None) or a_judgment()
    values = {
        "judgment": judgment,
        "scope": "overall",
        "outcome": "prefers",
        "preferred": judgment.item.response_1,
        "strength": 1,
    }
    return Preference.objects.create(**{**values, **more})


def a_remark(**more) -> Remark:
    judgment = more.pop("judgment", None) or a_judgment()
    return Remark.objects.create(
        **{"judgment": judgment, "kind": "rationale", "text": "Why.", **more}
    )


def a_void(**more) -> Void:
    judgment = a_judgment()
    values = {
        "batch": judgment.batch,
        "number": 2,
        "target": "judgment",
        "judgment": judgment,
        "reason": "spoiled",
        "created_by": make_lead(),
        "created_at": NOW,
    }
    return Void.objects.create(**{**values, **more})


def a_gold_answer(**more) -> GoldAnswer:
    item = a_pair()
    values = {
        "batch": item.batch,
        "number": 1,
        "item": item,
        "outcome": "tie",
        "created_by": make_lead(),
        "created_at": NOW,
    }
    return GoldAnswer.objects.create(**{**values, **more})


def a_review(**more) -> Review:
    judgment = a_judgment()
    values = {
        "batch": judgment.batch,
        "number": 2,
        "judgment": judgment,
        "reviewer": make_lead(),
        "outcome": "accept",
        "created_at": NOW,
    }
    return Review.objects.create(**{**values, **more})


def a_record(**more) -> Record:
    last = make_path(make_dialogue())
    values = {
        "imported_in": make_import(),
        "file": "a.json",
        "position": 0,
        "outcome": RecordOutcome.NEW,
        "dialogue": last.dialogue,
        "last_response": last,
    }
    return Record.objects.create(**{**values, **more})


def a_dimension() -> Dimension:
    return make_rubric(slug=f"r{Rubric.objects.count()}").dimensions.order_by("position").first()


# Projects and people


@breaks("annotation_member_pseudonym_in_project")
def _():
    again(make_member(), user_id=None)


@breaks("annotation_member_user_once_in_project")
def _():
    again(make_member(), pseudonym="another")


@breaks("annotation_member_known_role")
def _():
    again(make_member(user=False), pseudonym="another", role="king")


# Content


@breaks("annotation_image_bytes_in_project")
def _():
    again(make_image())


@breaks("annotation_image_has_size")
def _():
    make_image(width=0)


@breaks("annotation_dialogue_root_in_project")
def _():
    again(make_dialogue())


@breaks("annotation_turn_once_in_dialogue")
def _():
    last = make_path(make_dialogue(), turns=1)
    again(make_turn(last.dialogue, follows=last))


@breaks("annotation_turn_one_root")
def _():
    dialogue = make_dialogue()
    make_turn(dialogue)
    make_turn(dialogue, prompt="another root")


@breaks("annotation_turn_depth_from_root")
def _():
    Turn.objects.create(dialogue=make_dialogue(), depth=2, prompt="?", content_key="x")


@breaks("annotation_response_once_in_turn")
def _():
    again(make_response(make_turn(make_dialogue())))


@breaks("annotation_response_depth_from_one")
def _():
    turn = make_turn(make_dialogue())
    Response.objects.create(dialogue=turn.dialogue, turn=turn, depth=0, text="x", content_key="x")


@breaks("annotation_record_once_in_file")
def _():
    again(a_record())


@breaks("annotation_record_refused_says_why")
def _():
    a_record(outcome=RecordOutcome.REFUSED, last_response=None)


@breaks("annotation_slot_once_in_prompt")
def _():
    turn = make_turn(make_dialogue())
    make_slot(turn=turn)
    make_slot(turn=turn)


@breaks("annotation_slot_once_in_response")
def _():
    response = make_response(make_turn(make_dialogue()))
    make_slot(response=response)
    make_slot(response=response)


@breaks("annotation_slot_has_one_owner")
def _():
    make_slot()


@breaks("annotation_slot_stored_has_image")
def _():
    turn = make_turn(make_dialogue())
    Slot.objects.create(turn=turn, position=0, state=SlotState.STORED)


@breaks("annotation_slot_token_has_both_ends")
def _():
    turn = make_turn(make_dialogue())
    Slot.objects.create(turn=turn, position=0, state=SlotState.MISSING, offset=3)


@breaks("annotation_variant_once_in_slot")
def _():
    slot = make_slot(turn=make_turn(make_dialogue()))
    again(Variant.objects.create(slot=slot, image=make_image(), record=a_record()))


# Rubrics and guidelines


@breaks("annotation_rubric_version_in_project")
def _():
    make_rubric(slug="same")
    make_rubric(slug="same")


@breaks("annotation_dimension_key_in_rubric")
def _():
    again(a_dimension(), position=99)


@breaks("annotation_dimension_position_in_rubric")
def _():
    again(a_dimension(), key="another")


@breaks("annotation_dimension_known_level")
def _():
    again(a_dimension(), key="another", position=99, level="middle")


@breaks("annotation_scalepoint_score_in_dimension")
def _():
    ScalePoint.objects.create(dimension=a_dimension(), score=0)


@breaks("annotation_scalepoint_score_in_bounds")
def _():
    ScalePoint.objects.create(dimension=a_dimension(), score=11)


@breaks("annotation_guideline_slug_in_project")
def _():
    again(Guideline.objects.create(project=make_project(), slug="house-rules"))


@breaks("annotation_guidelineversion_number_in_language")
def _():
    guideline = Guideline.objects.create(project=make_project(), slug="house-rules")
    again(GuidelineVersion.objects.create(guideline=guideline, number=1, published_at=NOW))


@breaks("annotation_guidelineversion_written_by_then")
def _():
    guideline = Guideline.objects.create(project=make_project(), slug="house-rules")
    GuidelineVersion.objects.create(guideline=guideline, number=1, written_in=2, published_at=NOW)


@breaks("annotation_guidelinereading_once")
def _():
    guideline = Guideline.objects.create(project=make_project(), slug="house-rules")
    version = GuidelineVersion.objects.create(guideline=guideline, number=1, published_at=NOW)
    again(GuidelineReading.objects.create(member=make_member(), version=version, shown_at=NOW))


# Batches


@breaks("annotation_batch_slug_in_project")
def _():
    again(make_batch())


@breaks("annotation_batch_lease_lasts")
def _():
    make_batch(lease_minutes=0)


@breaks("annotation_batch_begun_has_opened_at")
def _():
    Batch.objects.filter(pk=make_batch().pk).update(opened_at=None)


@breaks("annotation_participation_once_in_batch")
def _():
    batch = make_batch(members=[make_member()])
    again(Participation.objects.get(batch=batch))


@breaks("annotation_participation_pause_says_why")
def _():
    batch = make_batch(members=[make_member()])
    batch.participations.update(paused_at=NOW)


@breaks("annotation_participation_waiver_says_why")
def _():
    batch = make_batch(members=[make_member()])
    batch.participations.update(waived_at=NOW)


@breaks("annotation_seat_overlap_is_planned")
def _():
    a_pair().seats.update(cause="difference")


@breaks("annotation_item_position_in_batch")
def _():
    item = a_pair()
    again(item, response_1_id=item.response_2_id, response_2_id=item.response_1_id)


@breaks("annotation_item_pair_once_in_batch")
def _():
    again(a_pair(), position=99)


@breaks("annotation_item_path_once_in_batch")
def _():
    item = make_item(make_batch(kind="conversation"), make_path(make_dialogue()))
    again(item, position=99)


@breaks("annotation_item_sides_differ")
def _():
    item = a_pair()
    again(item, position=99, response_2_id=item.response_1_id)


@breaks("annotation_item_coin")
def _():
    Item.objects.filter(pk=a_pair().pk).update(coin=3)


@breaks("annotation_item_pair_has_fork")
def _():
    Item.objects.filter(pk=a_pair().pk).update(fork_depth=None)


# Seats and assignments


@breaks("annotation_seat_number_at_item")
def _():
    again(a_pair().seats.first())


@breaks("annotation_seat_shown_first")
def _():
    Seat.objects.create(item=a_pair(), number=9, shown_first=3)


@breaks("annotation_seat_known_state")
def _():
    Seat.objects.create(item=a_pair(), number=9, state="warm")


@breaks("annotation_hold_lasts")
def _():
    Hold.objects.create(assignment=held(), made_at=NOW, until=NOW)


@breaks("annotation_assignment_once_each")
def _():
    first = held()
    again(first, seat_id=first.item.seats.order_by("-number").first().pk)


@breaks("annotation_assignment_one_in_seat")
def _():
    held(member=make_member(), item=held().item)


@breaks("annotation_assignment_seated_has_seat")
def _():
    Assignment.objects.filter(pk=held().pk).update(seat=None)


@breaks("annotation_assignment_held_has_lease")
def _():
    Assignment.objects.filter(pk=held().pk).update(lease_until=None)


@breaks("annotation_assignment_reason_if_skipped")
def _():
    Assignment.objects.filter(pk=held().pk).update(skip_reason="other")


@breaks("annotation_assignment_known_state")
def _():
    Assignment.objects.filter(pk=held().pk).update(state="lost", seat=None)


# Questions to the lead


def a_question(**more) -> LeadQuestion:
    values = {"assignment": held(), "key": "k", "text": "Is a crop an image?", "asked_at": NOW}
    return LeadQuestion.objects.create(**{**values, **more})


@breaks("annotation_leadquestion_sent_once")
def _():
    again(a_question())


@breaks("annotation_leadquestion_has_text")
def _():
    a_question(text="")


@breaks("annotation_leadquestion_answer_whole")
def _():
    a_question(answer="Yes.", answered_at=NOW)


@breaks("annotation_leadquestion_answered_first")
def _():
    a_question(seen_at=NOW)


# Judgments


@breaks("annotation_judgment_revision_once")
def _():
    again(a_judgment(), number=2, submission_key="other")


@breaks("annotation_judgment_number_in_batch")
def _():
    again(a_judgment(), revision=2, submission_key="other")


@breaks("annotation_judgment_sent_once")
def _():
    again(a_judgment(), number=2, revision=2)


@breaks("annotation_judgment_revision_from_one")
def _():
    a_judgment(revision=0)


@breaks("annotation_judgment_shown_first")
def _():
    a_judgment(shown_first=0)


@breaks("annotation_judgment_known_cause")
def _():
    a_judgment(cause="whim")


@breaks("annotation_rating_unit_once")
def _():
    again(a_rating())


@breaks("annotation_rating_score_or_not_applicable")
def _():
    a_rating(not_applicable=True)


@breaks("annotation_rating_score_in_bounds")
def _():
    a_rating(score=11)


@breaks("annotation_rating_carried_says_from")
def _():
    a_rating(origin="carried")


@breaks("annotation_preference_dimension_once")
def _():
    judgment = a_judgment()
    dimension = judgment.batch.rubric.dimensions.first()
    again(a_preference(judgment=judgment, scope="dimension", dimension=dimension))


@breaks("annotation_preference_overall_once")
def _():
    again(a_preference())


@breaks("annotation_preference_scope_has_dimension")
def _():
    a_preference(scope="dimension")


@breaks("annotation_preference_prefers_one")
def _():
    a_preference(outcome="tie")


@breaks("annotation_preference_prefers_one: strength")
def _():
    a_preference(strength=None)


@breaks("annotation_preference_known_outcome")
def _():
    a_preference(outcome="win", preferred=None, strength=None)


@breaks("annotation_remark_response_once")
def _():
    judgment = a_judgment()
    again(a_remark(judgment=judgment, kind="critique", response=judgment.item.response_1))


@breaks("annotation_remark_slot_once")
def _():
    judgment = a_judgment()
    slot = make_slot(response=judgment.item.response_1)
    again(a_remark(judgment=judgment, kind="image", slot=slot))


@breaks("annotation_remark_rationale_once")
def _():
    again(a_remark())


@breaks("annotation_remark_kind_names_target")
def _():
    a_remark(kind="critique")


@breaks("annotation_remark_says_something")
def _():
    a_remark(text="")


# Reviews, voids, gold answers, figures


@breaks("annotation_review_number_in_batch")
def _():
    again(a_review())


@breaks("annotation_review_return_says_why")
def a_return_without_a_note():
    a_review(outcome="return")


@breaks("annotation_assignment_about_if_review")
def an_annotator_who_fixes():
    fixed = a_judgment().assignment
    Assignment.objects.filter(pk=fixed.pk).update(about=fixed)


@breaks("annotation_sight_item_once")
def one_item_seen_twice():
    item, member = a_pair(), make_lead()
    for _ in range(2):
        Sight.objects.create(member=member, batch=item.batch, item=item, seen_others_at=NOW)


@breaks("annotation_sight_batch_once")
def one_batch_seen_twice():
    batch, member = make_batch(), make_lead()
    for _ in range(2):
        Sight.objects.create(member=member, batch=batch, seen_others_at=NOW)


@breaks("annotation_review_fix_has_judgment")
def _():
    a_review(outcome="fix")


@breaks("annotation_void_number_in_batch")
def _():
    again(a_void())


@breaks("annotation_void_lifted_once")
def _():
    void = a_void()
    again(again(void, number=3, lifts_id=void.pk), number=4)


@breaks("annotation_void_says_why")
def _():
    a_void(reason="")


@breaks("annotation_void_names_target")
def _():
    a_void(target="image")


@breaks("annotation_goldanswer_number_in_batch")
def _():
    again(a_gold_answer())


@breaks("annotation_goldanswer_score_or_outcome")
def _():
    a_gold_answer(outcome="")


@breaks("annotation_figure_once_at_number")
def _():
    again(Figure.objects.create(batch=make_batch(), kind="agreement", number=1, created_at=NOW))


@breaks("annotation_figure_done_has_body")
def _():
    Figure.objects.create(
        batch=make_batch(), kind="agreement", number=1, created_at=NOW, state=JobState.DONE
    )


# Content marks


@breaks("annotation_category_key_in_project")
def _():
    again(make_category("disaster"))


@breaks("annotation_category_has_key")
def _():
    make_category("")


@breaks("annotation_opt_out_once")
def _():
    again(OptOut.objects.create(member=make_member(), key="disaster", since=NOW))


@breaks("annotation_mark_number_in_project")
def _():
    again(make_mark(make_dialogue(), "disaster"), key="injury")


@breaks("annotation_mark_once_on_dialogue")
def _():
    again(make_mark(make_dialogue(), "disaster"), number=99)


@breaks("annotation_mark_once_on_slot")
def _():
    slot = make_slot(turn=make_turn(make_dialogue()))
    again(make_mark(slot.turn.dialogue, "disaster", slot=slot), number=99)


@breaks("annotation_mark_names_category")
def _():
    again(make_mark(make_dialogue(), "disaster"), number=99, key="")


@breaks("annotation_mark_known_origin")
def _():
    again(make_mark(make_dialogue(), "disaster"), number=99, origin="rumour")


@breaks("annotation_mark_ended_has_time")
def _():
    again(make_mark(make_dialogue(), "disaster"), number=99, ended_number=100)


@breaks("annotation_report_open_once_each")
def _():
    again(
        ContentReport.objects.create(
            dialogue=make_dialogue(), made_by=make_member(), made_at=NOW, note="look"
        )
    )


@breaks("annotation_report_settled_says_how")
def _():
    ContentReport.objects.create(
        dialogue=make_dialogue(), made_by=make_member(), made_at=NOW, settled_at=NOW
    )


@pytest.mark.parametrize("constraint", sorted(BREAKERS))
def test_what_the_constraint_forbids_is_refused(constraint):
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        BREAKERS[constraint]()

    constraint = constraint.partition(":")[0]
    message = str(refused.value)
    if connection.vendor == "postgresql" or "CHECK" in message:
        assert f'"{constraint}"' in message or f": {constraint}" in message
    else:
        columns = unique_columns(constraint)
        assert all(column in message for column in columns) or constraint in message


def unique_columns(constraint: str) -> list[str]:
    for model in apps.get_app_config("annotation").get_models():
        for one in model._meta.constraints:
            if one.name == constraint:
                table = model._meta.db_table
                return [f"{table}.{model._meta.get_field(name).column}" for name in one.fields]
    raise AssertionError(constraint)


def test_every_constraint_has_a_breaker():
    named = {
        constraint.name
        for model in apps.get_app_config("annotation").get_models()
        for constraint in model._meta.constraints
    }

    assert named == {name.partition(":")[0] for name in BREAKERS}


def test_the_triggers_stand_and_are_made_again():
    assert existing_triggers() == trigger_names()
    make_triggers()
    assert existing_triggers() == trigger_names()


def test_one_project_exists_after_the_first_migration():
    assert make_project().slug == "default"


def test_a_dialogue_in_use_cannot_be_deleted():
    item = a_pair()

    with pytest.raises(IntegrityError), transaction.atomic():
        Dialogue.objects.filter(pk=item.dialogue_id).delete()

    assert Image.objects.count() == 0
