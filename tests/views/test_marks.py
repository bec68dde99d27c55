"""Before a marked item, choices, reports, and the lead's word, as pages."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.actions.assignments import claim_next, open_assignment, skip
from annotation.actions.categories import set_opt_outs, set_support
from annotation.choices import AssignmentState, MarkOrigin, SkipReason
from annotation.models import (
    Assignment,
    ContentReport,
    Dialogue,
    Mark,
    OptOut,
    Seat,
    Void,
)
from annotation.reports.progress import batch_progress
from tests.factories import (
    NOW,
    make_category,
    make_item,
    make_lead,
    make_mark,
    make_member,
    make_project,
    make_slot,
    make_tree,
)
from tests.worlds import open_batch_with

pytestmark = pytest.mark.django_db


def held_item(*, people: int = 2, **more):
    batch, members = open_batch_with(people=people, seats=people, **more)
    return claim_next(batch, by=members[0], now=timezone.now()), members


def address(name: str, assignment: Assignment) -> str:
    return reverse(f"annotation:{name}", args=[assignment.public_id])


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def test_the_warning_says_what_by_whom_how_much_today_and_whom_to_talk_to(client):
    category = make_category("disaster", daily_limit=5)
    category.name = {"en": "Disaster", "zh-hans": "灾难"}
    category.description = {"en": "Fires and floods."}
    category.save()
    set_support(make_project(), {"en": "Call *Kim*."}, by=make_lead())
    held, [ann, _] = held_item()
    slot = make_slot(response=held.item.response_1)
    make_slot(response=held.item.response_2)
    make_mark(held.item.dialogue, "disaster", slot=slot)
    make_mark(held.item.dialogue, "körper", origin=MarkOrigin.WORDS)
    earlier = make_item(held.item.batch, *make_tree().responses.full().order_by("content_key"))
    make_mark(earlier.dialogue, "disaster")
    Assignment.objects.create(
        item=earlier,
        member=ann,
        state=AssignmentState.SKIPPED,
        claimed_at=NOW,
        opened_at=timezone.now(),
    )
    client.force_login(ann.user)

    page = text_of(client.get(address("assignment", held)))

    assert "It is marked:</h1>" not in page
    assert "Disaster, körper" in page
    assert "Fires and floods." in page
    assert "its source, the operator's word list." in page
    assert "Disaster: <b>1</b> of at most 5 today, <b>1</b> this week" in page
    assert "körper: <b>0</b> today" in page
    assert "2 of its 2 images are marked (turn 2)." in page
    assert "Marked: Disaster. Blurred." in page
    assert f"{reverse('annotation:content')}#support" in page
    assert held.item.response_1.text not in page


def test_names_of_marks_are_in_the_readers_language(client):
    category = make_category("disaster")
    category.name = {"en": "Disaster", "zh-hans": "灾难"}
    category.save()
    held, [ann, _] = held_item()
    make_slot(response=held.item.response_1)
    make_mark(held.item.dialogue, "disaster")
    client.force_login(ann.user)

    warning = client.get(address("assignment", held), headers={"Accept-Language": "zh-hans"})
    opened = client.get(
        address("assignment", held) + "?open=1", headers={"Accept-Language": "zh-hans"}
    )

    assert "灾难" in warning.content.decode()
    assert "灾难" in opened.content.decode()


def test_never_again_is_one_click_on_the_warning_and_asks_nothing(client):
    make_category("disaster")
    batch, [ann] = open_batch_with(items=2, people=1)
    for item in batch.items.all():
        make_mark(item.dialogue, "disaster")
    held = claim_next(batch, by=ann, now=timezone.now())
    client.force_login(ann.user)

    answer = client.post(address("assignment-never", held), {"key": "disaster"}, follow=True)

    held.refresh_from_db()
    assert (held.state, held.skip_reason) == ("skipped", "rather_not")
    assert OptOut.objects.get().key == "disaster"
    assert "you chose not to see" in text_of(answer)
    assert "Marked items are left out by your choices" in text_of(answer)


def test_choices_are_made_on_a_plain_form_and_shown_on_the_desk(client):
    make_category("disaster", daily_limit=3)
    make_category("injury")
    _, [ann] = open_batch_with(people=1)
    client.force_login(ann.user)
    url = reverse("annotation:content")

    page = text_of(client.post(url, {"without": ["injury"]}, follow=True))
    desk = text_of(client.get("/"))

    assert re.search(r'value="injury" checked', page)
    assert not re.search(r'value="disaster" checked', page)
    assert "Your choices are kept." in page
    assert "left out, your choice" in desk
    client.post(url, {})
    assert not OptOut.objects.exists()


def test_a_choice_that_is_none_is_refused_in_words(client):
    _, [ann] = open_batch_with(people=1)
    client.force_login(ann.user)

    page = text_of(
        client.post(reverse("annotation:content"), {"without": ["rumour\x00"]}, follow=True)
    )

    assert "cannot be stored" in page
    assert not OptOut.objects.exists()


def test_the_support_text_stands_in_the_help_sheet_of_an_item(client):
    held, [ann, _] = held_item()
    client.force_login(ann.user)
    assert "Someone to talk to" not in text_of(client.get(address("assignment", held)))

    set_support(make_project(), {"en": "Call <b>Kim</b>, *always*."}, by=make_lead())

    page = text_of(client.get(address("assignment", held)))
    assert "<em>always</em>" in page
    assert "<b>Kim</b>" not in page


def test_a_report_from_an_item_holds_the_dialogue_back_and_goes_on_or_leaves(client):
    make_category("injury")
    held, [ann, ben] = held_item()
    open_assignment(held, now=timezone.now())
    client.force_login(ann.user)
    page = text_of(client.get(address("assignment", held)))
    assert address("assignment-report", held) in page

    stay = client.post(
        address("assignment-report", held), {"key": "injury", "note": "Look", "do": "stay"}
    )
    assert stay.url == address("assignment", held)
    assert client.get(stay.url).status_code == 200
    leave = client.post(address("assignment-report", held), {"note": "Again", "do": "leave"})

    assert leave.url == reverse("annotation:desk")
    report = ContentReport.objects.get()
    assert (report.key, report.note, report.made_by) == ("injury", "Look\nAgain", ann)
    held.refresh_from_db()
    assert held.skip_reason == "rather_not"
    client.force_login(ben.user)
    assert "Nothing is open for you here now" in text_of(client.get("/"))


def test_a_report_of_nothing_is_refused_and_the_item_stays(client):
    held, [ann, _] = held_item()
    client.force_login(ann.user)

    answer = client.post(address("assignment-report", held), {"do": "leave"}, follow=True)

    assert "write a word about it" in text_of(answer)
    assert Dialogue.objects.get(pk=held.item.dialogue_id).held_back_at is None


def test_an_item_prepared_and_then_reported_by_another_says_so_and_is_not_opened(client):
    held, [ann, ben] = held_item()
    bens = claim_next(held.item.batch, by=ben, now=timezone.now())
    open_assignment(held, now=timezone.now())
    client.force_login(ann.user)
    client.post(address("assignment-report", held), {"note": "Look", "do": "stay"})
    client.force_login(ben.user)

    answer = client.get(address("assignment", bens), follow=True)

    assert "taken out of the queues before you began it" in text_of(answer)
    assert Assignment.objects.get(pk=bens.pk).opened_at is None


def test_nobody_reports_or_opts_out_on_anothers_item(client):
    held, _ = held_item()
    client.force_login(make_member().user)

    for name in ("assignment-report", "assignment-never"):
        assert client.post(address(name, held), {"note": "x", "key": "x"}).status_code == 404


@pytest.mark.parametrize("outcome", ["put_back", "marked", "withdrawn"])
def test_the_lead_sees_the_report_on_the_batch_and_settles_it(client, outcome):
    make_category("injury")
    held, [ann, _] = held_item()
    client.force_login(ann.user)
    client.post(
        address("assignment-report", held), {"key": "injury", "note": "Blood.", "do": "leave"}
    )
    lead = make_lead()
    client.force_login(lead.user)
    batch = held.item.batch
    url = reverse("annotation:batch", args=[batch.slug])

    page = text_of(client.get(url))
    assert "Reported, in no queue" in page
    assert f"{ann.pseudonym}: Injury: <q>Blood.</q>" in page
    assert "As reported: Injury" in page
    assert "1 reported" in page
    body = {"dialogue": held.item.dialogue.public_id, "outcome": outcome, "note": "Seen."}
    after = text_of(
        client.post(reverse("annotation:batch-settle", args=[batch.slug]), body, follow=True)
    )

    assert "Reported, in no queue" not in after
    report = ContentReport.objects.get()
    assert (report.outcome, report.settled_by, report.settled_note) == (outcome, lead, "Seen.")
    assert Mark.objects.filter(origin="report").exists() == (outcome == "marked")
    assert Void.objects.exists() == (outcome == "withdrawn")
    assert Seat.objects.claimable().exists() == (outcome != "withdrawn")


def test_settling_without_saying_how_changes_nothing(client):
    held, [ann, _] = held_item()
    client.force_login(ann.user)
    client.post(address("assignment-report", held), {"note": "Look", "do": "leave"})
    client.force_login(make_lead().user)
    url = reverse("annotation:batch-settle", args=[held.item.batch.slug])

    for outcome in ("", "burn"):
        answer = client.post(
            url, {"dialogue": held.item.dialogue.public_id, "outcome": outcome}, follow=True
        )
        assert "Choose to put it back" in text_of(answer)
    missing = client.post(url, {"dialogue": "none", "outcome": "put_back"})

    assert missing.status_code == 404
    assert ContentReport.objects.get().settled_at is None


def test_who_would_rather_not_enters_no_figure_and_three_show_the_item_without_names(client):
    batch, people = open_batch_with(items=1, seats=4, people=4)
    for person in people[:3]:
        held = claim_next(batch, by=person, now=NOW)
        skip(held, by=person, reason=SkipReason.RATHER_NOT, note="Too much.", now=NOW)
    held = claim_next(batch, by=people[3], now=NOW)
    skip(held, by=people[3], reason=SkipReason.UNCLEAR, now=NOW)

    progress = batch_progress(batch, now=NOW)
    rows = {row.pseudonym: row.skipped for row in progress.annotators}
    assert [rows[person.pseudonym] for person in people] == [0, 0, 0, 1]
    assert progress.assignments["skipped"] == 1
    lead = make_lead()
    lead.user.is_staff = True
    lead.user.save()
    client.force_login(lead.user)
    waiting = text_of(client.get(reverse("annotation:batch", args=[batch.slug])))
    section = waiting[waiting.index("people would rather not") : waiting.index("annotators-title")]
    assert "3 people would rather not" in waiting
    assert "Too much." in section
    assert not any(person.pseudonym in section for person in people)
    admin = text_of(client.get(reverse("admin:annotation_assignment_changelist")))
    assert people[3].pseudonym in admin
    assert people[0].pseudonym not in admin


def test_the_desk_says_that_items_are_left_out(client):
    batch, [ann] = open_batch_with(items=3, people=1)
    make_category("disaster")
    make_mark(batch.items.first().dialogue, "disaster")
    set_opt_outs(ann, ["disaster"], by=ann, now=NOW)
    client.force_login(ann.user)

    page = text_of(client.get("/"))

    assert "Marked items are left out by your choices or a daily limit." in page
