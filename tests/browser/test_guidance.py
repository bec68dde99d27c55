"""What changed before the next item, and questions to the lead, as a person meets them."""

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from annotation.actions.assignments import claim_next
from annotation.actions.guidelines import add_note, note_reading, publish_documents
from annotation.choices import BatchKind, BatchSettings, LocalScope, OverallScale
from annotation.models import Draft, GuidelineReading, LeadQuestion
from annotation.reports.guidelines import current_guideline
from tests.browser.steps import answer_everything, nothing_found
from tests.factories import make_lead, make_rubric
from tests.worlds import open_batch_with

pytestmark = pytest.mark.django_db(transaction=True)

GRADED = BatchSettings(overall_scale=OverallScale.GRADED, local_scope=LocalScope.AFTER_FORK)
DOCUMENT = "Be fair.\n\n# text_quality\n\nGarbled lettering counts here always."
CHANGED = DOCUMENT.replace("always", "only where the answer refers to it")
QUESTION = "Is a crop of the user's own picture an image of the answer?"


def publish(lead, text, **more):
    return publish_documents("rules", documents={"en": text}, by=lead, now=timezone.now(), **more)


def world(items=3):
    """A lead, an annotator who has read version 1 and holds an item, and its address."""
    lead = make_lead("okafor")
    rubric = make_rubric()
    rules = publish(lead, DOCUMENT)
    batch, (annotator, _) = open_batch_with(
        kind=BatchKind.TURN_PAIR, items=items, settings=GRADED, guideline=rules, rubric=rubric
    )
    note_reading(current_guideline(batch), by=annotator, now=timezone.now())
    mine = claim_next(batch, by=annotator, now=timezone.now())
    return lead, annotator, mine, reverse("annotation:assignment", args=[mine.public_id])


def test_a_change_is_seen_compared_and_confirmed_by_keyboard_before_the_next_item(open_page):
    lead, annotator, _mine, path = world()
    page = open_page(annotator, path)
    answer_everything(page)
    publish(lead, CHANGED, sentence="Half of our differences came from this.")

    page.keyboard.press("Control+Enter")

    expect(page.get_by_role("heading", name="The guideline changed")).to_be_visible()
    expect(page.get_by_role("heading", name="text_quality")).to_be_visible()
    expect(page.locator("del")).to_contain_text(["struck through", "always"])
    expect(page.locator("ins")).to_contain_text(
        ["underlined", "only where the answer refers to it"]
    )
    expect(page.get_by_text("Half of our differences came from this.")).to_be_visible()
    nothing_found(page)
    expect(page.get_by_role("button", name="I have read it, go on")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("#judgment")).to_be_visible()
    newest = current_guideline(annotator.batches.get())
    assert GuidelineReading.objects.get(version=newest, member=annotator).confirmed_at
    expect(page.locator('input[name="guideline_version"]')).to_have_value(str(newest.pk))
    dot = page.locator('.dimension[data-dimension="text_quality"] h3 .changed').first
    expect(dot).to_contain_text("(changed today")
    page.locator('.dimension[data-dimension="text_quality"] input').first.focus()
    page.keyboard.press("g")
    panel = page.locator("#guideline")
    expect(panel.locator("strong", has_text="Changed today")).to_be_visible()
    expect(panel.locator("ins")).to_contain_text("only where the answer refers to it")
    nothing_found(page)


def test_a_question_from_within_an_item_loses_no_letter_of_the_draft_and_comes_back_answered(
    open_page,
):
    lead, annotator, mine, path = world()
    page = open_page(annotator, path)
    page.keyboard.press("Enter")
    page.keyboard.press("2")
    page.get_by_label("Why, in two or three sentences").fill("B names what it sho")
    page.locator('.dimension[data-dimension="text_quality"] input').first.focus()

    page.keyboard.press("Shift+Q")

    dialog = page.get_by_role("dialog", name="Ask the lead")
    expect(dialog.get_by_label("Your question")).to_be_focused()
    expect(dialog.get_by_label("Dimension")).to_have_value("text_quality")
    expect(dialog.get_by_label("About")).to_contain_text("Turn 2, A")
    assert dialog.get_by_label("About").input_value().startswith("2.")
    page.keyboard.type(QUESTION)
    nothing_found(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("Sent. The answer comes to your desk")).to_be_visible()
    expect(dialog.get_by_text("not answered yet")).to_be_visible()
    page.keyboard.press("Escape")
    why = page.get_by_label("Why, in two or three sentences")
    expect(why).to_have_value("B names what it sho")
    why.press_sequentially("ws.")
    expect(page.locator("#saved")).to_contain_text("Saved")
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    assert Draft.objects.get(assignment=mine).body["remarks"]["rationale"]["text"] == (
        "B names what it shows."
    )

    desk = open_page(lead, reverse("annotation:questions"))
    expect(desk.get_by_role("heading", name=QUESTION)).to_be_visible()
    nothing_found(desk)
    desk.get_by_role("textbox", name="Answer").fill("Yes. Judge what the crop shows.")
    desk.get_by_label("Also as a guideline note, for everybody").check()
    desk.get_by_role("button", name="Answer").click()
    expect(desk.get_by_text("A note of the guideline since version 2.")).to_be_visible()
    expect(desk.get_by_text("None waits for an answer")).to_be_visible()
    nothing_found(desk)

    page.goto(page.url.split("/items/")[0] + "/")
    expect(page.get_by_text("Your question was answered, today")).to_be_visible()
    expect(page.get_by_text("The guideline of")).to_be_visible()
    expect(page.locator("ins").get_by_text("Yes. Judge what the crop shows.")).to_be_visible()
    nothing_found(page)
    page.get_by_role("button", name="Back to the item").click()
    expect(page.get_by_label("Why, in two or three sentences")).to_have_value(
        "B names what it shows."
    )
    page.goto(page.url.split("/items/")[0] + "/")
    expect(page.get_by_text("Your question was answered")).to_have_count(0)
    page.get_by_role("button", name="I have read it").click()
    expect(page.get_by_text("The guideline of")).to_have_count(0)
    page.goto(page.url + f"batches/{mine.item.batch.slug}/guideline/")
    expect(page.get_by_text("Note of")).to_have_count(1)
    nothing_found(page)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="The example").click()
    expect(opened.value.get_by_text("nobody's judgments are shown")).to_be_visible()
    nothing_found(opened.value)


def test_a_question_that_cannot_be_sent_stays_and_is_asked_once(open_page):
    _lead, annotator, mine, path = world()
    page = open_page(annotator, path)
    page.keyboard.press("Shift+Q")
    page.keyboard.type("Is a crop an image?")
    page.context.set_offline(True)
    page.get_by_role("button", name="Send").click()

    expect(page.get_by_text("Not sent: the server does not answer.")).to_be_visible()
    page.context.set_offline(False)
    page.reload()
    page.keyboard.press("Shift+Q")
    expect(page.get_by_label("Your question")).to_have_value("Is a crop an image?")
    page.get_by_label("Your question").press("Control+Enter")
    expect(page.get_by_text("Sent. The answer comes to your desk")).to_be_visible()

    assert LeadQuestion.objects.get().assignment == mine
    expect(page.get_by_label("Your question")).to_have_value("")


def test_an_open_item_is_not_interrupted_by_a_change(open_page):
    lead, annotator, _mine, path = world()
    page = open_page(annotator, path)
    publish(lead, CHANGED)

    page.reload()

    expect(page.locator("#judgment")).to_be_visible()


def test_the_change_is_read_and_confirmed_on_a_phone_without_script(open_page):
    lead, annotator, mine, _path = world()
    publish(lead, CHANGED, sentence="Half of our differences.")
    page = open_page(
        annotator,
        reverse("annotation:guideline-change", args=[mine.item.batch.slug]) + "?then=next",
        viewport={"width": 390, "height": 844},
        java_script_enabled=False,
    )

    wide = page.locator("body").bounding_box()
    assert wide is not None
    assert wide["width"] <= 390
    page.get_by_role("button", name="I have read it, go on").click()

    expect(page.locator("#judgment")).to_be_visible()


def test_what_changed_in_general_and_what_became_an_example_wears_its_dot_beside_the_item(
    open_page,
):
    lead, annotator, mine, path = world()
    publish(lead, "Be fair and quick.\n\n# text_quality\n\nGarbled lettering counts here always.")
    rules = mine.item.batch.guideline
    now, example = timezone.now(), mine.item
    add_note(rules, dimension="text_quality", text="Crops.", example_item=example, by=lead, now=now)
    add_note(rules, dimension="", text="Read both.", example_item=None, by=lead, now=now)
    for version in rules.versions.all():
        note_reading(version, by=annotator, now=now)
    page = open_page(annotator, path)
    page.locator('.dimension[data-dimension="text_quality"] input').first.focus()

    page.keyboard.press("g")

    panel = page.locator("#guideline")
    parts = panel.locator("[data-guideline-part]")
    expect(parts).to_contain_text(
        ["This dimension", "In general(changed today", "Examples, 1(changed"]
    )
    expect(panel.get_by_role("heading", name="text_quality")).to_be_visible()
    page.keyboard.press("Shift+G")
    expect(panel.locator("ins", has_text="and quick")).to_be_visible()
    expect(panel.get_by_text("Read both.")).to_be_visible()
    expect(panel.get_by_role("heading", name="text_quality")).to_be_hidden()
    nothing_found(page)
    page.keyboard.press("Shift+G")
    expect(panel.get_by_text("Crops.").locator("visible=true")).to_have_count(1)
    expect(panel.get_by_role("link", name="The example").locator("visible=true")).to_have_count(1)
    expect(page.locator('.dimension[data-dimension="text_quality"] input').first).to_be_focused()
    nothing_found(page)
    parts.first.focus()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("heading", name="text_quality")).to_be_visible()
