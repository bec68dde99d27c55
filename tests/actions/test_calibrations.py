"""Calibration: nobody sees anything before it opens, and what follows the first look is told apart."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.urls import reverse

from annotation.actions.assignments import claim_next
from annotation.actions.batches import close_batch, reopen_batch
from annotation.actions.calibrations import (
    NotCalibrating,
    close_calibration,
    open_calibration,
    see_calibration,
)
from annotation.actions.guidelines import publish_guideline
from annotation.actions.judgments import submit_judgment
from annotation.choices import BatchKind, BatchPurpose
from annotation.errors import NotAllowed
from annotation.models import Assignment, Judgment, Sight
from annotation.reports.calibrations import calibration_rows, side_by_side
from tests.actions.test_reviews import judged, reviewer
from tests.factories import NOW, make_batch, make_item, make_lead, make_member
from tests.worlds import full_body, open_batch_with

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=5)


def calibrated(**more):
    batch, sent = judged(purpose=BatchPurpose.PILOT, **more)
    lead = make_lead()
    return open_calibration(batch, by=lead, now=LATER), sent, lead


def test_a_pilot_is_calibrated_while_it_is_open_and_any_other_batch_once_it_is_closed():
    batch, _ = judged()
    lead = make_lead()
    with pytest.raises(NotCalibrating):
        open_calibration(batch, by=lead, now=LATER)
    closed = close_batch(batch, by=lead, now=LATER)
    assert open_calibration(closed, by=lead, now=LATER).calibration_opened_at == LATER

    pilot, _, _ = calibrated()
    assert [step["what"] for step in pilot.history][-1] == "calibration opened"


def test_only_leads_open_it_and_it_is_taken_back_until_a_member_has_read_it():
    batch, [one, _], lead = calibrated()
    with pytest.raises(NotAllowed):
        open_calibration(batch, by=one.member, now=LATER)
    see_calibration(batch, by=lead, now=LATER)
    batch = close_calibration(batch, by=lead, now=LATER)
    assert batch.calibration_opened_at is None

    batch = open_calibration(batch, by=lead, now=LATER)
    see_calibration(batch, by=one.member, now=LATER)
    with pytest.raises(NotCalibrating, match="read"):
        close_calibration(batch, by=lead, now=LATER)


def test_how_many_have_read_it_is_printed_too(capsys):
    batch, [one, two], lead = calibrated()
    for person in (one.member, two.member, lead):
        see_calibration(batch, by=person, now=LATER)

    call_command("report_reviews", "--batch", batch.slug)
    assert "the calibration is open; 2 have read it" in capsys.readouterr().out

    call_command("report_reviews", "--batch", batch.slug, "--json")
    assert json.loads(capsys.readouterr().out)["calibration_readers"] == 2


def test_before_it_opens_and_outside_the_batch_nobody_sees_anything(client):
    batch, [one, two] = judged(purpose=BatchPurpose.PILOT)
    pages = [
        reverse("annotation:calibration", args=[batch.slug]),
        reverse("annotation:calibration-item", args=[batch.slug, one.item.public_id]),
    ]
    client.force_login(one.member.user)
    assert [client.get(page).status_code for page in pages] == [403, 403]
    open_calibration(batch, by=make_lead(), now=LATER)

    for page in pages:
        shown = client.get(page)
        assert shown.status_code == 200
    assert two.member.pseudonym in shown.content.decode()
    client.force_login(make_member().user)
    assert [client.get(page).status_code for page in pages] == [403, 403]
    assert Sight.objects.get().member == one.member


def test_what_is_made_or_corrected_after_the_look_is_not_independent():
    batch, [one, two], _ = calibrated()
    ann, ben = one.member, two.member
    see_calibration(batch, by=ann, now=LATER)
    corrections = []
    for member, judgment in ((ann, one), (ben, two)):
        mine = Assignment.objects.get(pk=judgment.assignment_id)
        body = full_body(mine, score=0)
        corrections.append(submit_judgment(mine, by=member, body=body, key="k2", now=LATER))

    assert [correction.saw_others for correction in corrections] == [True, False]
    assert set(Judgment.objects.independent(number=99)) == {one, corrections[1]}
    assert set(Judgment.objects.final(number=99)) == set(corrections)


def test_another_batch_of_the_same_dialogue_is_not_judged_independently_either():
    batch, [one, _], _ = calibrated()
    ann = one.member
    later = make_batch(members=[ann, make_member()])
    same = make_item(later, one.item.response_1, one.item.response_2)
    elsewhere, [_, _] = open_batch_with(people=2)
    elsewhere.participations.create(member=ann)
    see_calibration(batch, by=ann, now=LATER)

    seen = {}
    for where in (later, elsewhere):
        held = claim_next(where, by=ann, now=LATER)
        body = full_body(held)
        seen[where] = submit_judgment(held, by=ann, body=body, key="k", now=LATER).saw_others

    assert seen == {later: True, elsewhere: False}
    assert same.judgments.get().saw_others


def test_reopened_after_a_calibration_the_batch_can_go_on():
    batch, [one, _] = judged()
    lead = make_lead()
    batch = open_calibration(close_batch(batch, by=lead, now=LATER), by=lead, now=LATER)
    see_calibration(batch, by=one.member, now=LATER)

    assert reopen_batch(batch, by=lead, now=LATER).calibration_opened_at == LATER


def test_items_stand_furthest_apart_first_and_cost_the_same_however_many(
    django_assert_max_num_queries,
):
    batch, members = open_batch_with(items=3, purpose=BatchPurpose.PILOT)
    expected = {}
    for number in range(3):
        for score, member in zip((0, number), members, strict=True):
            held = claim_next(batch, by=member, now=NOW)
            body = full_body(held, score=score)
            submit_judgment(held, by=member, body=body, key="k", now=NOW)
            expected[held.item.public_id] = 8 * number

    with django_assert_max_num_queries(6):
        rows = calibration_rows(side_by_side(batch), start=0, size=9)

    found = {row.item: row.size for row in rows}
    assert sorted(found.values(), reverse=True) == [row.size for row in rows]
    assert sum(found.values()) >= sum(expected.values()) / 2
    assert calibration_rows(side_by_side(batch), start=1, size=1) == rows[1:2]


def test_opposite_preferences_weigh_three_points():
    batch, members = open_batch_with(purpose=BatchPurpose.PILOT)
    for member, side in zip(members, ("response_1", "response_2"), strict=True):
        held = claim_next(batch, by=member, now=NOW)
        body = full_body(held, preferred=getattr(held.item, side))
        submit_judgment(held, by=member, body=body, key="k", now=NOW)

    (row,) = calibration_rows(side_by_side(batch), start=0, size=9)

    assert row.size == 3


def test_a_lead_makes_an_item_an_example_of_the_guideline(client):
    batch, [one, _], lead = calibrated(kind=BatchKind.TURN_PAIR)
    published = publish_guideline("guide", texts={"en": "Be fair."}, by=lead, now=NOW)
    type(batch).objects.filter(pk=batch.pk).update(guideline=published)
    url = reverse("annotation:guideline-example", args=[one.item.public_id])
    client.force_login(reviewer().user)
    assert client.post(url, {"text": "A floating leg is a 1."}).status_code == 403

    client.force_login(lead.user)
    client.post(url, {"text": "A floating leg is a 1.", "dimension": ""})

    newest = published.versions.order_by("-number").first()
    assert newest.number == 2
    (note,) = newest.notes
    assert note["text"] == "A floating leg is a 1."
    assert one.item.public_id in note.values()
