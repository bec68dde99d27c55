"""Categories as data, what a person would rather not meet, and how much a day."""

import json
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.actions.assignments import (
    NothingToAnnotate,
    claim_next,
    open_assignment,
    prepare_next,
    skip,
)
from annotation.actions.categories import load_categories, set_opt_outs, set_support
from annotation.choices import AssignmentState, SkipReason
from annotation.errors import Invalid, NotAllowed
from annotation.models import Assignment, Category, OptOut, Project, Seat
from annotation.reports.categories import exposures
from tests.factories import (
    NOW,
    make_category,
    make_lead,
    make_mark,
    make_member,
    make_project,
    make_slot,
)
from tests.worlds import open_batch_with

pytestmark = pytest.mark.django_db

NOON = timezone.localtime(NOW).replace(hour=12)


def file_of(**more) -> bytes:
    one = {"key": "disaster", "name": {"en": "Disaster"}, "daily_limit": 5, "words": ["fire"]}
    return json.dumps(
        {"format": "intermt-annotate-categories/1", "categories": [one | more]}
    ).encode()


def marked_batch(*keys: str, plain: int = 0, people: int = 1):
    """A batch with an item for each key, whose dialogue carries it, and `plain` others."""
    batch, members = open_batch_with(items=len(keys) + plain, seats=2, people=people)
    for item, key in zip(batch.items.order_by("position"), keys, strict=False):
        make_mark(item.dialogue, key)
    return batch, members


def offered(batch, member, *, at=NOON) -> int:
    return (
        Seat.objects.claimable()
        .not_refused_by(member)
        .bearable_to(member, at=at)
        .filter(item__batch=batch)
        .values("item")
        .distinct()
        .count()
    )


def opened(batch, member, *, at=NOON) -> Assignment:
    held = claim_next(batch, by=member, now=at)
    open_assignment(held, now=at)
    skip(held, by=member, reason=SkipReason.UNCLEAR, now=at)
    return held


def test_categories_are_loaded_changed_and_left_alone():
    lead = make_lead()

    first = load_categories(make_project(), file_of(), by=None, now=NOW)
    same = load_categories(make_project(), file_of(), by=lead, now=NOW)
    changed = load_categories(make_project(), file_of(daily_limit=None), by=lead, now=NOW)

    assert [(one.new, one.changed, one.same) for one in (first, same, changed)] == [
        (1, 0, 0),
        (0, 0, 1),
        (0, 1, 0),
    ]
    category = Category.objects.get()
    assert (category.daily_limit, category.words, category.changed_by) == (None, ["fire"], lead)


def test_only_a_lead_loads_categories_and_a_bad_file_writes_nothing():
    with pytest.raises(NotAllowed):
        load_categories(make_project(), file_of(), by=make_member(), now=NOW)
    with pytest.raises(Invalid) as refused:
        load_categories(make_project(), file_of(name={"fr": "Feu"}), by=None, now=NOW)

    assert refused.value.fields == {"categories[0].name": "has no English text"}
    assert not Category.objects.exists()


def test_the_support_text_is_a_leads_and_kept_by_language():
    set_support(make_project(), {"en": " Call **us**. ", "zh-hans": " "}, by=make_lead())

    assert Project.objects.get().support == {"en": "Call **us**."}
    with pytest.raises(NotAllowed):
        set_support(make_project(), {"en": "x"}, by=make_member())


def test_what_a_person_opted_out_of_is_not_given_to_them_and_is_given_to_others():
    batch, [ann, ben] = marked_batch("disaster", "injury", plain=1, people=2)
    set_opt_outs(ann, ["disaster"], by=ann, now=NOW)

    assert offered(batch, ann) == 2
    assert offered(batch, ben) == 3
    keys = [claimed.item.dialogue.marks for claimed in (opened(batch, ann), opened(batch, ann))]
    assert sorted(keys) == [[], ["injury"]]
    with pytest.raises(NothingToAnnotate, match="chose not to see"):
        claim_next(batch, by=ann, now=NOON)


def test_a_marked_picture_anywhere_in_the_dialogue_counts_as_the_dialogues():
    batch, [ann] = open_batch_with(items=1, people=1)
    item = batch.items.get()
    slot = make_slot(response=item.response_2)
    make_mark(item.dialogue, "injury", slot=slot)
    set_opt_outs(ann, ["injury"], by=ann, now=NOW)

    assert offered(batch, ann) == 0
    assert slot.marks == ["injury"]


def test_opting_out_gives_back_what_is_held_and_not_opened_and_nothing_else():
    batch, [ann] = marked_batch("disaster", "disaster")
    first = claim_next(batch, by=ann, now=NOON)
    open_assignment(first, now=NOON)
    ahead = prepare_next(first, now=NOON)

    set_opt_outs(ann, ["disaster"], by=ann, now=NOON)

    states = dict(Assignment.objects.values_list("pk", "state"))
    assert states == {first.pk: AssignmentState.HELD, ahead.pk: AssignmentState.LAPSED}
    set_opt_outs(ann, [], by=ann, now=NOON)
    assert not OptOut.objects.exists()
    assert offered(batch, ann) == 1


def test_a_choice_is_the_persons_own_and_names_what_there_is():
    ann = make_member()
    make_category("injury")

    with pytest.raises(NotAllowed):
        set_opt_outs(ann, ["injury"], by=make_lead(), now=NOW)
    with pytest.raises(Invalid, match="no category rumour"):
        set_opt_outs(ann, ["injury", "rumour"], by=ann, now=NOW)

    assert not OptOut.objects.exists()


def test_a_days_limit_is_kept_by_claims_until_local_midnight(settings):
    settings.TIME_ZONE = "Asia/Shanghai"
    timezone.get_default_timezone.cache_clear()
    make_category("disaster", daily_limit=2)
    batch, [ann] = marked_batch("disaster", "disaster", "disaster", "disaster", plain=0)
    evening = NOW.astimezone(ZoneInfo("Asia/Shanghai")).replace(hour=22)
    try:
        opened(batch, ann, at=evening)
        opened(batch, ann, at=evening)
        late = evening + timedelta(minutes=119)
        with pytest.raises(NothingToAnnotate, match="daily"):
            claim_next(batch, by=ann, now=late)
        assert exposures(ann, at=late)[0].today == 2

        tomorrow = evening + timedelta(minutes=121)
        assert exposures(ann, at=tomorrow)[0].today == 0
        assert claim_next(batch, by=ann, now=tomorrow).state == AssignmentState.HELD
    finally:
        timezone.get_default_timezone.cache_clear()


def test_an_item_held_and_not_opened_yet_counts_against_the_limit():
    make_category("disaster", daily_limit=1)
    batch, [ann] = marked_batch("disaster", "disaster", plain=1)
    while not (held := claim_next(batch, by=ann, now=NOON)).item.dialogue.marks:
        skip(held, by=ann, reason=SkipReason.UNCLEAR, now=NOON)

    ahead = prepare_next(held, now=NOON)

    assert ahead is None or ahead.item.dialogue.marks == []


def test_a_limit_of_none_a_day_keeps_a_category_from_everybody():
    make_category("disaster", daily_limit=0)
    batch, [ann] = marked_batch("disaster", plain=1)

    assert offered(batch, ann) == 1


def test_exposure_counts_openings_and_not_what_was_declined_at_the_warning():
    make_category("disaster", daily_limit=5)
    batch, [ann, ben] = marked_batch("disaster", "disaster", "körper", people=2)
    unseen = {"disaster", "körper"}
    for _item in range(3):  # in whatever order they come, one of each is opened
        held = claim_next(batch, by=ann, now=NOON)
        if now_seen := unseen & set(held.item.dialogue.marks):
            unseen -= now_seen
            open_assignment(held, now=NOON)
        skip(held, by=ann, reason=SkipReason.RATHER_NOT, now=NOON)
    set_opt_outs(ann, ["körper"], by=ann, now=NOON)

    told = {one.key: one for one in exposures(ann, at=NOON)}

    assert (told["disaster"].name, told["disaster"].today, told["disaster"].limit) == (
        "Disaster",
        1,
        5,
    )
    assert told["körper"].name == "körper"
    assert told["körper"].unwanted
    assert exposures(ben, at=NOON)[0].today == 0


def test_choices_and_limits_cost_a_claim_no_query_more():
    batch, [ann] = marked_batch("disaster", "injury", plain=2, people=1)

    def asked() -> int:
        with transaction.atomic():  # taken back: what is begun is offered first, by other queries
            with CaptureQueriesContext(connection) as queries:
                claim_next(batch, by=ann, now=NOON)
            transaction.set_rollback(True)
        return len(queries)

    before = asked()
    for number in range(6):
        make_category(f"kind-{number}", daily_limit=0)
    set_opt_outs(ann, ["disaster", *(f"kind-{n}" for n in range(6))], by=ann, now=NOW)

    assert asked() <= before
