"""The next item is ready when one submits: shown without a page load, and never stale."""

import re

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from annotation.actions.assignments import claim_next
from annotation.actions.batches import pause_batch
from annotation.actions.guidelines import publish_guideline
from annotation.choices import BatchKind
from annotation.models import Assignment, Judgment
from tests.browser.steps import answer_everything, held_item
from tests.factories import make_lead, make_mark
from tests.worlds import open_batch_with

LOADS = "performance.getEntriesByType('navigation')[0].name"


def prepared(page: Page) -> None:
    """Wait until the page has the next item."""
    expect(page.locator("#judgment[data-prepared]")).to_have_count(1)


def answer_and_wait(page: Page) -> None:
    answer_everything(page)
    prepared(page)


def test_the_prepared_next_item_is_shown_without_a_page_load(open_page):
    first, annotator, path = held_item(items=4)
    page = open_page(annotator, path)
    answer_and_wait(page)
    following = Assignment.objects.held().exclude(pk=first.pk).get()
    assert following.opened_at is None

    page.keyboard.press("Control+Enter")

    expect(page).to_have_url(re.compile(following.public_id))
    expect(page.get_by_text("The item before is sent.")).to_be_visible()
    assert path in page.evaluate(LOADS)
    assert page.title().startswith(first.item.batch.title)
    assert "Item 2" in page.title()
    expect(page.locator("#main:focus")).to_have_count(1)
    assert page.evaluate("scrollY") == 0
    expect(page.locator("fieldset input:checked")).to_have_count(0)
    with page.expect_response("**/draft/"):
        page.get_by_label("Why, in two or three sentences").fill("It goes on.")
    following.refresh_from_db()
    assert following.opened_at is not None


def test_items_follow_each_other_in_place_and_each_is_stored_as_answered(open_page):
    _, annotator, path = held_item(items=6)
    page = open_page(annotator, path)
    for score in ("1", "2", "3"):
        answer_everything(page, score=score)
        prepared(page)
        before = page.url
        page.keyboard.press("Control+Enter")
        expect(page).not_to_have_url(before)

    assert path in page.evaluate(LOADS)
    judgments = Judgment.objects.order_by("number")
    assert [set(one.ratings.values_list("score", flat=True)) for one in judgments] == [
        {1}, {2}, {3},
    ]  # fmt: skip
    assert all(one.opened_at and one.opened_at <= one.submitted_at for one in judgments)


def test_what_an_item_hung_on_the_page_goes_with_it(open_page):
    _, annotator, path = held_item(items=6)
    page = open_page(annotator, path)
    devtools = page.context.new_cdp_session(page)

    def listeners() -> dict[str, int]:
        found = {}
        for place in ("window", "document"):
            thing = devtools.send("Runtime.evaluate", {"expression": place})["result"]["objectId"]
            found[place] = len(
                devtools.send("DOMDebugger.getEventListeners", {"objectId": thing})["listeners"]
            )
        return found

    at_first = listeners()
    for _ in range(2):
        answer_and_wait(page)
        before = page.url
        page.keyboard.press("Control+Enter")
        expect(page).not_to_have_url(before)

    assert listeners() == at_first
    page.keyboard.press("Shift+?")
    expect(page.locator("dialog[open]")).to_have_count(1)


def test_back_leads_to_the_item_before_as_it_stands_on_the_server(open_page):
    first, annotator, path = held_item(items=4)
    page = open_page(annotator, path)
    answer_and_wait(page)
    page.keyboard.press("Control+Enter")
    expect(page).not_to_have_url(re.compile(first.public_id))

    page.go_back()

    expect(page.get_by_text("You have submitted this item.")).to_be_visible()
    expect(page).to_have_url(re.compile(path))
    page.go_forward()
    expect(page.get_by_text("The item before is sent.")).to_be_visible()


def test_undo_works_from_an_item_shown_in_place(open_page):
    _, annotator, path = held_item(items=4)
    page = open_page(annotator, path)
    answer_and_wait(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("The item before is sent.")).to_be_visible()

    page.get_by_role("button", name="Undo").click()

    expect(page.get_by_text("Taken back. It is open again as you left it.")).to_be_visible()
    expect(page).to_have_url(re.compile(path))
    expect(page.locator("#missing[data-state=ready]")).to_be_visible()


def test_a_guideline_that_changed_meanwhile_is_not_shown_as_it_was(open_page):
    lead = make_lead()
    guideline = publish_guideline("g", texts={"en": "Old."}, by=lead, now=timezone.now())
    batch, (annotator, _) = open_batch_with(items=4, guideline=guideline)
    assignment = claim_next(batch, by=annotator, now=timezone.now())
    page = open_page(annotator, reverse("annotation:assignment", args=[assignment.public_id]))
    answer_and_wait(page)
    publish_guideline(
        "g", texts={"en": "New."}, sentence="All is new.", by=lead, now=timezone.now()
    )

    page.keyboard.press("Control+Enter")

    expect(page).not_to_have_url(re.compile(assignment.public_id))
    assert assignment.public_id not in page.evaluate(LOADS)


def test_a_batch_paused_meanwhile_shows_nothing_new(open_page):
    assignment, annotator, path = held_item(items=4)
    page = open_page(annotator, path)
    answer_and_wait(page)
    pause_batch(assignment.item.batch, by=make_lead(), now=timezone.now())

    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("The batch is paused: nothing is handed out.")).to_be_visible()
    assert Judgment.objects.count() == 1
    assert Assignment.objects.held().get().opened_at is None


def test_a_marked_item_is_never_put_in_place_unasked(open_page):
    assignment, annotator, path = held_item(items=2)
    other = assignment.item.batch.items.exclude(pk=assignment.item_id).get()
    make_mark(other.dialogue, "violence")
    page = open_page(annotator, path)
    with page.expect_response("**/prepare/") as answer:
        answer_everything(page)
    assert answer.value.status == 204

    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("Before you open").first).to_be_visible()


def test_between_the_key_and_the_next_item_lies_one_request_and_no_page_load(open_page):
    _, annotator, path = held_item(BatchKind.CONVERSATION_PAIR, items=12)
    page = open_page(annotator, path)
    answer_and_wait(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    with page.expect_response(f"**{path}") as sent:
        page.keyboard.press("Control+Enter")
    expect(page).not_to_have_url(re.compile(path))

    assert sent.value.ok
    expected = f"POST {page.url.split('/items/')[0]}{path}"
    # The tab's icon is asked for by the browser itself, after the address has changed.
    beside = ("/draft/", "/opened/", "/thumbnail", "/icon.svg")
    assert [one for one in asked if not one.endswith(beside)] == [expected]
