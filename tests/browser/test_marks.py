"""A marked item as a person meets it: by keys alone, wide and on a phone, seen by axe."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from annotation.actions.assignments import claim_next
from annotation.actions.categories import set_support
from annotation.models import Assignment, ContentReport, Dialogue, OptOut, User
from tests.browser.steps import nothing_found, with_files
from tests.factories import (
    make_category,
    make_dialogue,
    make_image,
    make_lead,
    make_mark,
    make_member,
    make_project,
    make_slot,
)
from tests.worlds import open_batch_with


def press_until(page: Page, key: str, locator: str, *, most: int = 40) -> None:
    """Press a key until what is named has the focus."""
    for _ in range(most):
        if page.locator(f"{locator}:focus").count():
            return
        page.keyboard.press(key)
    raise AssertionError(f"{locator} was not reached")


@pytest.mark.parametrize("width", [1440, 390])
def test_a_marked_item_is_met_opened_and_reported_by_keyboard_alone(open_page, width):
    make_category("disaster", daily_limit=5)
    set_support(make_project(), {"en": "Call **Kim**."}, by=make_lead())
    batch, [ann] = open_batch_with(items=1, people=1)
    item = batch.items.get()
    make_slot(response=item.response_1, image=with_files(make_image(width=600, height=400)))
    make_mark(item.dialogue, "disaster")
    held = claim_next(batch, by=ann, now=timezone.now())
    page = open_page(ann, f"/items/{held.public_id}/", viewport={"width": width, "height": 900})

    expect(page.get_by_role("heading", name="It is marked: Disaster")).to_be_visible()
    expect(page.get_by_text("0 of at most 5 today")).to_be_visible()
    nothing_found(page)
    press_until(page, "Tab", ".warning .button-primary")
    page.keyboard.press("Enter")

    picture = page.locator("figure.marked img")
    expect(picture).to_have_css("filter", "blur(24px)")
    press_until(page, "Tab", ".marked .reveal", most=80)
    page.keyboard.press("Space")
    expect(picture).to_have_css("filter", "none")
    page.keyboard.press("?")
    expect(page.locator("#keys").get_by_text("Someone to talk to")).to_be_visible()
    page.keyboard.press("Escape")
    press_until(page, "Tab", "[data-opens=report]", most=120)
    page.keyboard.press("Enter")
    dialog = page.locator("#report")
    expect(dialog).to_be_visible()
    nothing_found(page)
    press_until(page, "Tab", "#report [name=key]")
    page.keyboard.press("Space")
    press_until(page, "Tab", "#report [value=leave]")
    page.keyboard.press("Enter")

    expect(page.get_by_text("Nobody is given this until the lead has looked.")).to_be_visible()
    assert ContentReport.objects.get().key == "disaster"
    assert Dialogue.objects.get(pk=item.dialogue_id).held_back_at is not None
    assert Assignment.objects.get(pk=held.pk).skip_reason == "rather_not"
    nothing_found(page)


@pytest.mark.parametrize("width", [1440, 390])
def test_a_choice_made_on_the_desk_is_respected_by_the_next_claim(open_page, width):
    make_category("disaster")
    batch, [ann] = open_batch_with(items=1, people=1)
    make_mark(batch.items.get().dialogue, "disaster")
    page = open_page(ann, "/", viewport={"width": width, "height": 900})

    page.get_by_role("link", name="Change my choices").click()
    nothing_found(page)
    page.get_by_label("Disaster").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Keep my choices").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_text("Your choices are kept.")).to_be_visible()
    assert OptOut.objects.get().member == ann
    page.get_by_role("link", name="Desk").first.click()
    expect(page.get_by_text("left out, your choice")).to_be_visible()
    expect(page.get_by_text("Nothing is open for you here now")).to_be_visible()
    overflow = "document.documentElement.scrollWidth > window.innerWidth"
    assert not page.evaluate(overflow)


def test_a_lead_reads_all_of_the_content_reports_without_scrolling_sideways(open_page):
    lead, ann = make_lead("okafor"), make_member()
    User.objects.filter(pk=lead.user_id).update(is_staff=True)
    now = timezone.now()
    for settled in ({}, {"outcome": "put_back", "settled_by": lead, "settled_at": now}):
        ContentReport.objects.create(
            dialogue=make_dialogue(),
            key="disaster",
            note="The third picture shows a burning house with people in it.",
            made_by=ann,
            made_at=now,
            settled_note="It is a stove; nothing burns." if settled else "",
            **settled,
        )

    page = open_page(lead, "/admin/annotation/contentreport/")

    expect(page.get_by_text("put back, okafor,")).to_contain_text("It is a stove")
    table = page.locator("#changelist .results")
    assert table.evaluate("one => one.scrollWidth <= one.clientWidth")
