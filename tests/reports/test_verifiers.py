"""How well reviewers agree with annotators: from blind reviews alone, and from nothing else."""

import json
from dataclasses import replace

import pytest
from django.core.management import call_command
from django.urls import reverse

from annotation.agreement.estimates import State
from annotation.choices import Role, SeatPurpose
from annotation.models import Item
from annotation.reports.agreement import batch_agreement
from annotation.reports.verifiers import batch_verification
from tests.factories import make_batch, make_items, make_lead, make_member
from tests.judged import judge

pytestmark = pytest.mark.django_db
TEXT = "text_quality"


def blind_batch(items=30):
    batch = make_batch()
    settings = replace(batch.parsed_settings(), review_share=1.0, review_blind_share=0.5)
    batch.settings = settings.as_json()
    batch.save()
    made = make_items(batch, items=items)
    Item.objects.filter(batch=batch).update(review_draw=0)
    return batch, made


def scores(item, score):
    return {(item.response_1, TEXT): score}


def test_exact_within_one_and_alpha_are_of_pairs_of_annotator_and_reviewer():
    batch, items = blind_batch()
    ann, ben, heron = make_member(), make_member(), make_member(Role.REVIEWER)
    for number, item in enumerate(items):
        judge(item, ann, scores=scores(item, number % 4))
        judge(item, ben, scores=scores(item, min(3, number % 4 + 1)))
        judge(item, heron, scores=scores(item, number % 4), purpose=SeatPurpose.REVIEW)

    report = batch_verification(batch)

    (text,) = report.dimensions
    assert (report.items, report.verifiers, report.annotators) == (30, 1, 2)
    assert text.reliability.pairable_units == 60
    exact = text.reliability.figure("percent_agreement", "identity")
    same = 30 + sum(number % 4 == 3 for number in range(30))
    assert exact.value == pytest.approx(same / 60)
    assert text.reliability.figure("percent_agreement", "within_1").value == 1
    alpha = text.reliability.figure("krippendorff_alpha", "ordinal")
    assert alpha.low < alpha.value < alpha.high


def test_what_a_reviewer_judged_after_seeing_or_of_items_not_drawn_is_left_out():
    batch, [drawn, undrawn, seen] = blind_batch(items=3)
    Item.objects.filter(pk=undrawn.pk).update(review_draw=999_999)
    heron = make_member(Role.REVIEWER)
    for item in (drawn, undrawn, seen):
        judge(item, make_member(), scores=scores(item, 1))
        judge(
            item,
            heron,
            scores=scores(item, 1),
            purpose=SeatPurpose.REVIEW,
            saw_others=item == seen,
        )

    report = batch_verification(batch)

    assert report.items == 1
    assert report.dimensions[0].reliability.pairable_units == 1


def test_blind_reviews_change_no_figure_of_the_annotators():
    batch, items = blind_batch(items=4)
    for item in items:
        judge(item, make_member(), scores=scores(item, 1), overall="tie")
        judge(item, make_member(), scores=scores(item, 2), overall="tie")
    before = batch_agreement(batch).as_dict()
    for item in items:
        judge(item, make_lead(), scores=scores(item, 3), purpose=SeatPurpose.REVIEW, overall="tie")

    after = batch_agreement(batch).as_dict()

    assert [before["dimensions"], before["preferences"]] == [
        after["dimensions"],
        after["preferences"],
    ]
    assert batch_verification(batch).overall.agreement.pairable_units == 8


def test_many_pairs_of_few_answers_are_too_few_to_tell_and_the_page_shows_no_alpha(client):
    batch, items = blind_batch(items=2)
    for item in items:
        for person in range(6):
            judge(item, make_member(), scores=scores(item, person % 4), overall="tie")
        for reviewer in range(2):
            judge(
                item,
                make_member(Role.REVIEWER),
                scores=scores(item, reviewer),
                overall="tie",
                purpose=SeatPurpose.REVIEW,
            )
    batch_report = batch_verification(batch)

    (text,) = batch_report.dimensions
    assert (text.units, text.reliability.pairable_units) == (2, 24)
    alpha = text.reliability.figure("krippendorff_alpha", "ordinal")
    assert (alpha.state, alpha.reason) == (
        State.INSUFFICIENT,
        "2 units with two ratings or more; 20 are the least",
    )
    assert batch_report.overall.units == 2
    client.force_login(make_lead().user)
    page = client.get(reverse("annotation:batch", args=[batch.slug])).content.decode()
    table = page[page.index('id="batch-reviews"') :]
    assert "<strong>–</strong>" in table
    assert "too few" in table


def test_a_snapshot_says_the_same_for_ever():
    batch, [item, _] = blind_batch(items=2)
    heron = make_member(Role.REVIEWER)
    judge(item, make_member(), scores=scores(item, 1))
    judge(item, heron, scores=scores(item, 1), purpose=SeatPurpose.REVIEW)
    then = batch_verification(batch, number=2).as_dict()
    judge(item, heron, scores=scores(item, 3), purpose=SeatPurpose.REVIEW, cause="correction")

    assert batch_verification(batch, number=2).as_dict() == then
    assert batch_verification(batch).as_dict() != then


def test_page_command_and_report_say_the_same(client, capsys):
    batch, items = blind_batch(items=2)
    for item in items:
        judge(item, make_member(), scores=scores(item, 1))
        judge(item, make_lead(), scores=scores(item, 1), purpose=SeatPurpose.REVIEW)
    report = batch_verification(batch).as_dict()

    call_command("report_reviews", "--batch", batch.slug, "--json")
    told = json.loads(capsys.readouterr().out)
    waits = {"reviews": 2, "blind": 2, "returned": 0, "adjudications": 0}
    more = {"waits": waits, "calibration_readers": 0}
    assert told == {**json.loads(json.dumps(report)), **more}
    call_command("report_reviews", "--batch", batch.slug)
    assert "2 items, 2 reviewers, 2 annotators" in capsys.readouterr().out
    client.force_login(make_lead().user)
    page = client.get(reverse("annotation:batch", args=[batch.slug])).content.decode()
    assert "2 items, 2 reviewers, 2 annotators" in page


def test_one_is_said_as_one(client, capsys):
    batch, [item] = blind_batch(items=1)
    judge(item, make_member(), scores=scores(item, 1))
    judge(item, make_lead(), scores=scores(item, 1), purpose=SeatPurpose.REVIEW)
    client.force_login(make_lead().user)

    call_command("report_reviews", "--batch", batch.slug)
    page = client.get(reverse("annotation:batch", args=[batch.slug])).content.decode()

    for told in (capsys.readouterr().out, page):
        assert "1 item, 1 reviewer, 1 annotator" in told
