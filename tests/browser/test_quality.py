"""The lead's quality section and the page of training, in a browser."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from annotation.actions.assignments import claim_next
from annotation.actions.figures import compute_figure, request_figures
from annotation.actions.gold import KnownAnswer, set_gold_answers
from annotation.actions.judgments import submit_judgment
from annotation.actions.participations import pause_member
from annotation.choices import BatchPurpose, BatchSettings
from tests.browser.steps import stands
from tests.factories import NOW, make_batch, make_items, make_lead, make_member
from tests.team import make_team
from tests.worlds import full_body

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_lead_pauses_somebody_by_keyboard_and_nothing_runs_off_a_telephone(open_page):
    team, lead = make_team(seed=1, items=90), make_lead()
    for pk in request_figures(now=timezone.now()):
        compute_figure(pk, clock=timezone.now)
    page = open_page(lead, f"/batches/{team.batch.slug}/")
    row = page.locator(f"#person-{team.bad['severe'].public_id}")
    expect(row).to_contain_text("Scores lower than others")

    row.locator("summary", has_text="Pause…").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("Let us look at three items together.")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.locator(".message, [role=status]").first).to_contain_text(re.compile("is paused"))
    expect(row).to_contain_text("Let us look at three items together.")
    row.get_by_role("button", name="Let go on").click()
    expect(row).not_to_contain_text("Let us look at three items together.")

    phone = open_page(lead, f"/batches/{team.batch.slug}/", viewport={"width": 390, "height": 800})
    assert phone.evaluate("document.documentElement.scrollWidth") == 390


def test_training_leads_from_an_item_to_what_is_known_and_on(open_page):
    person = make_member()
    batch = make_batch(
        purpose=BatchPurpose.TRAINING, members=[person], settings=BatchSettings(everyone=True)
    )
    first, _second = make_items(batch, items=2, seats=1)
    for item in (first, _second):
        set_gold_answers(
            [
                KnownAnswer(item, "overall", response="2", outcome="prefers"),
                KnownAnswer(
                    item,
                    "text_quality",
                    response="1",
                    score=1,
                    tolerance=1,
                    feedback="It repeats itself.",
                ),
            ],
            by=make_lead(),
            now=NOW,
        )
    held = claim_next(batch, by=person, now=timezone.now())
    submit_judgment(held, by=person, body=full_body(held), key="k", now=timezone.now())

    page = open_page(person, f"/items/{held.public_id}/feedback/")

    expect(page.get_by_role("heading", name="What is known of this item")).to_be_visible()
    expect(page.locator("table")).to_contain_text("It repeats itself.")
    page.get_by_role("button", name="Next item").press("Enter")
    page.wait_for_url(re.compile(r"/items/[^/]+/$"))
    phone = open_page(
        person, f"/items/{held.public_id}/feedback/", viewport={"width": 390, "height": 800}
    )
    assert phone.evaluate("document.documentElement.scrollWidth") == 390


ASK = """() => htmx.ajax("GET", location.pathname,
  {source: "#quality", target: "#quality", swap: "outerHTML"})"""
"""What the part does each minute, now."""


def test_what_refreshes_keeps_the_place_and_waits_for_who_writes(open_page):
    team, lead = make_team(seed=1, items=90), make_lead()
    for pk in request_figures(now=timezone.now()):
        compute_figure(pk, clock=timezone.now)
    page = open_page(lead, f"/batches/{team.batch.slug}/")
    stands(page)
    rows = [page.locator(f"#person-{team.bad[how].public_id}") for how in ("severe", "side")]
    rows[1].locator("summary", has_text="Pause…").focus()
    page.keyboard.press("Enter")
    severe = team.bad["severe"]
    pause_member(severe, reason="Let us talk.", by=lead, now=timezone.now(), batch=team.batch)
    scrolled = page.evaluate("scrollY")

    page.evaluate(ASK)

    expect(rows[0]).to_contain_text("Let us talk.")
    expect(rows[1].locator("textarea")).to_be_visible()
    expect(rows[1].locator("summary", has_text="Pause…")).to_be_focused()
    assert page.evaluate("scrollY") == scrolled

    rows[1].locator("textarea").fill("The first side again")
    page.get_by_role("heading", level=1).click()
    page.evaluate("window.before = document.getElementById('quality')")
    page.evaluate(ASK)
    page.wait_for_timeout(500)
    assert page.evaluate("window.before === document.getElementById('quality')")
    expect(rows[1].locator("textarea")).to_have_value("The first side again")
