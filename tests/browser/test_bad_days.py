"""What goes wrong around an item: clocks, held keys, other people, a browser that keeps nothing."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Page, expect

from annotation.actions.assignments import release_lapsed
from annotation.choices import AssignmentState
from annotation.models import Assignment, Draft, Judgment, LeadQuestion
from tests.browser.conftest import sign_in
from tests.browser.steps import answer_everything, given_scores, held_item

WHY = "Why, in two or three sentences"
PASSWORD = "a long pass phrase"


def with_password(member):
    member.user.set_password(PASSWORD)
    member.user.save()
    return member


def unanswered(page: Page, path: str) -> None:
    """Let no submission of the item reach the server."""
    page.route(
        lambda url: url.endswith(path),
        lambda route: route.abort() if route.request.method == "POST" else route.continue_(),
    )


def sign_in_again(page: Page) -> None:
    dialog = page.locator("#signed-out")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog).to_be_hidden()


def test_a_submission_met_by_an_expired_session_is_sent_after_signing_in_in_place(open_page):
    assignment, annotator, path = held_item()
    with_password(annotator)
    page = open_page(annotator, path)
    answer_everything(page)
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    Session.objects.all().delete()

    page.keyboard.press("Control+Enter")
    sign_in_again(page)

    expect(page.get_by_text("The item before is sent.")).to_be_visible()
    assert Judgment.objects.filter(assignment=assignment).count() == 1


def test_every_form_of_the_page_still_works_after_signing_in_in_place(open_page):
    assignment, annotator, path = held_item()
    with_password(annotator)
    page = open_page(annotator, path)
    Session.objects.all().delete()
    page.get_by_label(WHY).fill("Before tea.")
    sign_in_again(page)
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")

    page.get_by_role("link", name="Flag").click()
    page.get_by_label("What should the lead look at?").fill("Odd crop.")
    page.locator("#flag").get_by_role("button", name="Flag").click()
    expect(page.locator("#missing")).to_contain_text("Flagged for the lead.")
    page.locator("[data-asks]:visible").first.click()
    page.locator("#ask textarea").fill("Is this a crop?")
    page.locator("#ask button[type=submit]").click()
    expect(page.locator("[data-ask-says][data-state=sent]")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Skip ⇧S").click()
    page.locator("#skip label").first.click()
    page.get_by_role("button", name="Skip it").click()

    expect(page.get_by_text("Skipped. It goes to somebody else.")).to_be_visible()
    assert LeadQuestion.objects.get().text == "Is this a crop?"
    assert Assignment.objects.get(pk=assignment.pk).flag_note == "Odd crop."


def test_a_key_that_is_held_down_answers_one_row_alone(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    page.keyboard.press("Enter")

    for _repeated in range(6):
        page.keyboard.down("2")
    page.keyboard.up("2")

    expect(page.locator("fieldset.rating input:checked")).to_have_count(1)
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    assert given_scores(Draft.objects.get(assignment=assignment).body) == [2]


def test_a_held_submit_key_sends_one_item_and_not_the_next(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    answer_everything(page)
    sent = []
    page.on("request", lambda one: one.method == "POST" and sent.append(one.url.endswith(path)))

    page.keyboard.down("Control")
    for _repeated in range(6):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    page.keyboard.up("Control")

    expect(page.get_by_text("The item before is sent.")).to_be_visible()
    assert sum(sent) == 1
    assert Judgment.objects.count() == 1
    assert Judgment.objects.get().assignment == assignment


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_clock_that_jumps_in_mid_item_costs_nobody_the_item(open_page, hours):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    page.keyboard.press("Enter")
    page.keyboard.press("2")
    page.wait_for_timeout(1500)

    page.evaluate(
        """hours => {
            const now = Date.now;
            const Real = Date;
            Date.now = () => now() + hours * 3600000;
            window.Date = class extends Real {
                constructor(...given) { given.length ? super(...given) : super(Date.now()); }
            };
        }""",
        hours,
    )
    page.wait_for_timeout(1500)
    answer_everything(page)
    page.wait_for_timeout(1500)
    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("The item before is sent.")).to_be_visible()
    judgment = Judgment.objects.get(assignment=assignment)
    assert all(0 <= time < 60_000 for time in judgment.active_ms.values())


def test_a_change_made_while_a_submission_waits_is_not_lost(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    answer_everything(page)
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    page.context.set_offline(True)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Not sent yet: the server does not answer.")).to_be_visible()

    page.get_by_label(WHY).fill("A second thought.")
    page.context.set_offline(False)

    expect(page.get_by_text("You have submitted this item.")).to_be_visible()
    expect(page.get_by_label(WHY)).to_have_value("A second thought.")
    assert page.url.endswith(path)
    page.get_by_role("button", name="Send the correction").click()
    expect(page.get_by_text("The correction is kept.")).to_be_visible()
    texts = assignment.judgments.order_by("revision").values_list("remarks__text", flat=True)
    assert list(texts) == [None, "A second thought."]


def test_leaving_while_a_submission_waits_is_asked_about(open_page):
    _assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    answer_everything(page)
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    unanswered(page, path)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Not sent yet: the server does not answer.")).to_be_visible()

    page.reload()

    assert asked == ["beforeunload"]


def test_a_skip_met_by_an_expired_session_leads_back_to_the_item(open_page):
    _assignment, annotator, path = held_item()
    with_password(annotator)
    page = open_page(annotator, path)
    Session.objects.all().delete()

    page.get_by_role("link", name="Skip ⇧S").click()
    page.locator("#skip label").first.click()
    page.get_by_role("button", name="Skip it").click()
    page.get_by_label("Name").fill(annotator.user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    expect(page.locator("#judgment")).to_be_visible()
    assert page.url.endswith(path)


FORBIDDEN = """
for (const name of ["getItem", "setItem", "removeItem", "clear", "key"]) {
  Storage.prototype[name] = () => { throw new DOMException("no", "SecurityError"); };
}
"""
NO_STORE = """
Object.defineProperty(window, "localStorage", { get() { throw new DOMException("no", "SecurityError"); } });
"""


def test_a_browser_whose_memory_is_full_says_that_what_waits_is_not_kept(open_page):
    _, annotator, path = held_item()
    page = open_page(annotator, path)
    page.evaluate(
        """() => {
            for (let size = 2 ** 20, n = 0; size >= 1; size >>= 1) {
                try {
                    for (;;) localStorage.setItem(`full-${n++}`, "x".repeat(size));
                } catch { /* half as much */ }
            }
        }"""
    )
    page.context.set_offline(True)

    page.keyboard.press("Enter")
    page.keyboard.press("3")

    bar = page.locator("#missing")
    expect(bar).to_contain_text("so leave this page open.")
    page.context.set_offline(False)
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    page.context.set_offline(True)
    page.evaluate("localStorage.clear()")
    page.keyboard.press("2")
    expect(bar).to_contain_text("It is kept in this browser; go on working.")


@pytest.mark.parametrize("script", [FORBIDDEN, NO_STORE])
def test_a_browser_that_keeps_nothing_judges_as_well(open_page, script):
    assignment, annotator, path = held_item()
    annotator.user.break_minutes = 25
    annotator.user.save()
    page = open_page(annotator, "/")
    page.add_init_script(script)
    page.goto(page.url.rstrip("/") + path)

    answer_everything(page)
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("The item before is sent.")).to_be_visible()
    assert Judgment.objects.filter(assignment=assignment).count() == 1


def test_signing_in_without_a_network_says_so(open_page):
    _assignment, annotator, path = held_item()
    with_password(annotator)
    page = open_page(annotator, path)
    Session.objects.all().delete()
    page.get_by_label(WHY).fill("Before tea.")
    dialog = page.locator("#signed-out")
    expect(dialog).to_be_visible()
    page.context.set_offline(True)
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog.get_by_text("The server did not answer.")).to_be_visible()
    page.context.set_offline(False)
    sign_in_again(page)
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")


def test_setting_aside_what_another_window_changed_shows_both_versions(open_page):
    _assignment, annotator, path = held_item()
    here = open_page(annotator, path)
    there = open_page(annotator, path)
    there.get_by_label(WHY).fill("From there.")
    expect(there.locator("#saved")).to_have_attribute("data-state", "saved")

    here.route("**/draft/", lambda route: route.abort())
    here.get_by_label(WHY).fill("From here.")
    expect(here.locator("#saved")).to_have_attribute("data-state", "failed")
    here.unroute("**/draft/")
    here.get_by_role("button", name="Set aside").click()

    expect(here.locator("#conflict")).to_be_visible()


def test_work_of_one_waits_where_somebody_else_signed_in_in_the_same_browser(
    open_page, live_server
):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    other = assignment.item.batch.participations.exclude(member=annotator).get().member
    sign_in(page.context, other, live_server.url)

    page.get_by_label(WHY).fill("Mine.")
    expect(page.locator("#missing")).to_contain_text("Somebody else is signed in")
    sign_in(page.context, annotator, live_server.url)
    page.get_by_role("button", name="Try now").click()

    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    expect(page.locator("#missing")).not_to_contain_text("Somebody else")
    assert "Mine." in str(Draft.objects.get(assignment=assignment).body)


def test_the_time_of_the_last_save_is_the_readers_own_also_after_a_reload(open_page):
    _assignment, annotator, path = held_item()
    page = open_page(annotator, path, timezone_id="Asia/Shanghai")
    page.get_by_label(WHY).fill("Words.")
    saved = page.locator("#saved")
    expect(saved).to_contain_text(re.compile(r"Saved \d\d:\d\d:\d\d"))
    said = saved.inner_text()

    page.reload()

    expect(saved).to_have_text(said)


def test_times_the_server_writes_are_the_readers_own(open_page):
    assignment, annotator, _path = held_item()
    until = assignment.lease_until.astimezone(ZoneInfo("Asia/Kathmandu"))
    page = open_page(annotator, timezone_id="Asia/Kathmandu")  # a quarter to the hour from UTC

    page.goto(page.url)

    expect(page.get_by_text(f"kept for you until {until:%H:%M}")).to_be_visible()


def test_midnight_is_the_hour_nought(open_page):
    assignment, annotator, path = held_item()
    at = timezone.now().replace(hour=0, minute=3, second=4)
    Draft.objects.create(assignment=assignment, version=1, body={}, saved_at=at)
    page = open_page(annotator, path, locale="en-US", timezone_id="UTC")

    expect(page.locator("#saved")).to_have_text("Saved 00:03:04")


def test_an_item_left_open_for_two_hours_goes_on_where_it_was(open_page):
    assignment, annotator, path = held_item(items=1)
    page = open_page(annotator, path)
    page.keyboard.press("Enter")
    page.keyboard.press("3")
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    Assignment.objects.filter(pk=assignment.pk).update(
        lease_until=timezone.now() - timedelta(hours=1)
    )
    release_lapsed(now=timezone.now())
    assert Assignment.objects.get(pk=assignment.pk).seat is None

    answer_everything(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="My work")).to_be_visible()
    assignment.refresh_from_db()
    assert assignment.state == AssignmentState.SUBMITTED
    assert assignment.seat is not None


def test_what_is_set_aside_signed_out_is_said_to_be_saved_after_signing_in(open_page):
    _assignment, annotator, path = held_item()
    with_password(annotator)
    page = open_page(annotator, path)
    page.get_by_label(WHY).fill("Half a thought.")
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    Session.objects.all().delete()
    page.get_by_role("button", name="Set aside").click()
    expect(page.locator("#saved")).to_have_text("Signed out, your changes wait")

    sign_in_again(page)

    expect(page.locator("#saved")).to_have_text(re.compile(r"Saved \d\d:\d\d:\d\d"))
    page.get_by_role("button", name="Set aside").click()
    expect(page.get_by_role("heading", name="Set aside")).to_be_visible()


def test_escape_is_no_choice_between_two_versions(open_page):
    assignment, annotator, path = held_item()
    here = open_page(annotator, path)
    there = open_page(annotator, path)
    there.get_by_label(WHY).fill("From there.")
    expect(there.locator("#saved")).to_have_attribute("data-state", "saved")
    here.get_by_label(WHY).fill("From here.")
    dialog = here.locator("#conflict")
    expect(dialog).to_be_visible()

    for _press in range(5):
        here.keyboard.press("Escape")

    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="All from here").click()
    expect(dialog).to_be_hidden()
    expect(here.locator("#saved")).to_have_attribute("data-state", "saved")
    assert "From here." in str(Draft.objects.get(assignment=assignment).body)


def test_only_who_began_the_item_signs_in_again_in_place(open_page):
    _assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    Session.objects.all().delete()
    page.get_by_label(WHY).fill("Before tea.")

    name = page.locator("#signed-out").get_by_label("Name")
    expect(name).to_have_value(annotator.user.username)
    expect(name).not_to_be_editable()
