"""Reviewing, deciding and calibrating as people do it: by keys, and seen by axe."""

import re

from django.urls import reverse
from playwright.sync_api import expect

from annotation.actions.adjudications import open_adjudication
from annotation.actions.batches import close_batch
from annotation.choices import AssignmentState, BatchPurpose, Cause
from annotation.models import Assignment, Judgment, Review, Sight
from tests.actions.test_reviews import LATER, drawn_blind, judged, reviewer
from tests.browser.steps import answer_everything, nothing_found
from tests.factories import make_lead


def page_of(judgment, batch):
    url = reverse("annotation:review", args=[judgment.assignment.public_id])
    return f"{url}?batch={batch.slug}&which=all"


def test_accept_fix_and_return_by_keyboard_each_going_to_the_next(open_page):
    batch, [one, two, three] = judged(people=3)
    heron = reviewer()
    page = open_page(heron, reverse("annotation:reviews") + f"?batch={batch.slug}&which=all")
    nothing_found(page)
    page.get_by_role("link", name="Review the oldest").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name=one.member.pseudonym)).to_be_visible()
    nothing_found(page)

    page.keyboard.press("a")

    expect(page.get_by_role("heading", level=1, name=two.member.pseudonym)).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("m")
    expect(page.get_by_text("1 marked")).to_be_visible()
    page.keyboard.press("r")
    expect(page.get_by_role("dialog")).to_be_visible()
    nothing_found(page)
    page.keyboard.type("Look at the legs of the left chair, please.")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_role("heading", level=1, name=three.member.pseudonym)).to_be_visible()
    page.keyboard.press("f")
    expect(page.get_by_text("You fix the judgment of")).to_be_visible()
    page.locator("fieldset.rating input:checked").first.focus()
    page.keyboard.press("0")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("Nothing more waits here.")).to_be_visible()
    outcomes = dict(Review.objects.values_list("judgment", "outcome"))
    assert outcomes == {one.pk: "accept", two.pk: "return", three.pk: "fix"}
    scores = Judgment.objects.get(cause=Cause.FIX).ratings.values_list("score", flat=True)
    assert sorted(scores) == [0, *[3] * (len(scores) - 1)]
    returned = Review.objects.get(outcome="return")
    assert len(returned.places) == 1
    assert returned.note == "Look at the legs of the left chair, please."

    author = open_page(two.member)
    expect(author.get_by_text("Look at the legs of the left chair")).to_be_visible()
    nothing_found(author)
    author.get_by_role("link", name=re.compile("Open at turn 2")).focus()
    author.keyboard.press("Enter")
    place = returned.places[0]
    row = author.locator(f"[id='q-{place['response']}.{place['dimension']}']")
    expect(row).to_have_class(re.compile("current"))
    notice = author.locator("#notices .sent-back")
    expect(notice).to_contain_text("Look at the legs of the left chair, please.")
    expect(notice).to_contain_text("Turn 2, ")
    expect(notice).to_contain_text("You gave 2")
    expect(row).to_have_class(re.compile("is-returned"))
    expect(author.locator(".returned-tag")).to_have_count(1)
    expect(author.locator(".returned-tag")).to_contain_text("returned")
    nothing_found(author)
    author.keyboard.press("3")
    author.keyboard.press("Control+Enter")
    expect(author.get_by_text("The correction is kept.")).to_be_visible()
    again = Judgment.objects.get(assignment=two.assignment, revision=2)
    assert (again.cause, again.saw_others) == (Cause.RETURNED, True)
    assert Assignment.objects.get(pk=two.assignment_id).state == AssignmentState.SUBMITTED


def test_without_a_mark_a_return_says_what_to_do_and_sends_nothing(open_page):
    batch, [one, _] = judged()
    page = open_page(reviewer(), page_of(one, batch))

    page.keyboard.press("r")

    expect(page.get_by_text("Mark the answers to look at again, then R.")).to_be_visible()
    assert not Review.objects.exists()


def test_without_script_a_review_is_a_plain_form(open_page):
    batch, [one, two] = judged()
    page = open_page(reviewer(), page_of(one, batch), java_script_enabled=False)
    page.get_by_role("checkbox").first.check()
    page.get_by_role("link", name="Return").click()
    page.get_by_label("What to look at again").fill("The legs.")

    page.get_by_role("button", name="Return it").click()

    expect(page.get_by_role("heading", level=1, name=two.member.pseudonym)).to_be_visible()
    assert Review.objects.get().outcome == "return"


def test_a_blind_review_is_judged_first_and_then_seen_beside(open_page):
    batch, [one, _] = judged()
    drawn_blind(batch)
    heron = reviewer()
    page = open_page(heron, page_of(one, batch))
    nothing_found(page)
    page.keyboard.press("Enter")
    expect(page.get_by_text("A blind review: judge the item")).to_be_visible()
    assert not Sight.objects.exists()

    answer_everything(page, score="3")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("Kept. Here are the annotator")).to_be_visible()
    expect(page.get_by_text("2 points apart").first).to_be_visible()
    nothing_found(page)
    page.keyboard.press("a")
    expect(page.get_by_role("heading", level=1, name="judgment")).to_be_visible()
    assert Review.objects.get().blind


def test_a_differing_pair_is_decided_by_keyboard_with_a_reason(open_page):
    batch, [one, _] = judged()
    lead = make_lead()
    open_adjudication(one.item, by=lead, now=LATER)
    page = open_page(lead, reverse("annotation:reviews") + f"?batch={batch.slug}")
    page.get_by_role("button", name=re.compile("^Decide")).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("8 answers differ")).to_be_visible()
    expect(page.get_by_text("8 to decide")).to_be_visible()
    nothing_found(page)

    page.keyboard.press("Enter")
    for _answer in range(8):
        page.keyboard.press("1")
    expect(page.get_by_text("Everything is decided. Say why.")).to_be_visible()
    page.keyboard.type("The legs float in both, and larch names it.")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("Decided. Exports carry this judgment")).to_be_visible()
    decided = Judgment.objects.get(cause=Cause.ADJUDICATION)
    assert set(decided.ratings.values_list("score", flat=True)) == {1}
    assert decided.remarks.get().text == "The legs float in both, and larch names it."
    page.get_by_role("link", name=re.compile("^Open")).click()
    expect(page.get_by_text("You decided this at")).to_be_visible()
    nothing_found(page)
    page.get_by_role("checkbox", name="text_quality").check()
    page.get_by_role("button", name="Make it gold").click()
    expect(page.get_by_text("3 answers of the item are known now.")).to_be_visible()


def test_a_calibration_is_opened_and_then_seen_by_the_team(open_page):
    batch, [one, two] = judged(purpose=BatchPurpose.PILOT)
    lead = make_lead()
    close_batch(batch, by=lead, now=LATER)
    member = open_page(one.member)
    expect(member.get_by_role("link", name=re.compile("Calibration"))).to_have_count(0)
    page = open_page(lead, reverse("annotation:batch", args=[batch.slug]))
    page.get_by_text("Calibrate…").click()
    page.get_by_role("button", name="Open it to the batch’s members").click()
    expect(page.get_by_text("members can read its judgments now")).to_be_visible()
    nothing_found(page)

    member.reload()
    member.get_by_role("link", name=re.compile("Calibration")).click()
    nothing_found(member)
    member.get_by_role("table").first.get_by_role("link").click()

    expect(member.get_by_text("1 point apart").first).to_be_visible()
    for author in (one, two):
        expect(member.get_by_text(author.member.pseudonym).first).to_be_visible()
    nothing_found(member)
    assert Sight.objects.get(member=one.member).item is None


def test_the_pages_fit_a_telephone_in_the_dark(open_page):
    batch, [one, _] = judged()
    lead = make_lead()
    open_adjudication(one.item, by=lead, now=LATER)
    page = open_page(
        lead, page_of(one, batch), viewport={"width": 390, "height": 844}, color_scheme="dark"
    )
    decision = reverse("annotation:adjudication", args=[one.item.public_id])
    nothing_found(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    page.goto(page.url.split("/reviews/")[0] + reverse("annotation:reviews"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    nothing_found(page)
    page.get_by_role("button", name=re.compile("^Decide")).click()

    expect(page).to_have_url(re.compile(decision))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    nothing_found(page)


def test_on_a_telephone_one_side_is_read_at_a_time_beside_the_judgments(open_page):
    batch, [one, _] = judged()
    page = open_page(reviewer(), page_of(one, batch), viewport={"width": 390, "height": 844})
    a, b = (page.locator(f".turn-apart .answer-{letter}").first for letter in "AB")
    expect(a).to_be_visible()
    expect(b).to_be_hidden()

    page.get_by_role("button", name="Response B").first.click()

    expect(b).to_be_visible()
    expect(a).to_be_hidden()
    expect(page.get_by_role("button", name="Response B").first).to_have_attribute(
        "aria-pressed", "true"
    )
    page.locator(".matrix").last.scroll_into_view_if_needed()
    expect(page.locator(".side-switch").first).to_be_in_viewport()
    nothing_found(page)
    page.set_viewport_size({"width": 1440, "height": 900})
    expect(a).to_be_visible()
    expect(b).to_be_visible()
    expect(page.locator(".side-switch").first).to_be_hidden()
