"""Judging as a person does it: by keys, by pointer, on a phone, without script, with bad luck."""

import re

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from annotation.actions.assignments import claim_next
from annotation.actions.categories import set_support
from annotation.choices import (
    BatchKind,
    BatchSettings,
    DimensionPreference,
    LocalScope,
    ReasonRule,
    SlotState,
)
from annotation.models import Assignment, Draft, Judgment, Response, Slot
from tests.browser.steps import answer_everything, given_scores, held_item, with_files
from tests.factories import (
    make_batch,
    make_category,
    make_image,
    make_item,
    make_lead,
    make_mark,
    make_member,
    make_project,
    make_slot,
    make_tree,
)


@pytest.mark.parametrize("kind", list(BatchKind))
def test_an_item_of_each_kind_is_judged_by_keyboard_alone(open_page, kind):
    assignment, annotator, path = held_item(kind)
    page = open_page(annotator, path)
    first_url = page.url

    answer_everything(page)
    page.keyboard.press("Control+Enter")

    expect(page).not_to_have_url(first_url)
    expect(page.get_by_text("The item before is sent.")).to_be_visible()
    judgment = Judgment.objects.get(assignment=assignment)
    assert set(judgment.ratings.values_list("score", flat=True)) == {2}
    if kind != BatchKind.CONVERSATION:
        item = assignment.item
        shown_as_b = item.response_2 if assignment.shown_first == 1 else item.response_1
        assert {one.preferred for one in judgment.preferences.all()} == {shown_as_b}
    assert judgment.first_input_at is not None


@pytest.mark.parametrize("kind", list(BatchKind))
def test_an_item_of_each_kind_is_judged_by_touch_alone_on_a_phone_in_the_dark(open_page, kind):
    assignment, annotator, path = held_item(kind)
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = open_page(annotator, path, color_scheme="dark", **phone)
    first_url = page.url

    bar = page.locator("#missing")
    for _step in range(80):
        if bar.get_attribute("data-state") == "ready":
            break
        page.get_by_role("button", name="Go there").tap()
        row = page.locator("fieldset:focus-within")
        preference = "preference" in (row.get_attribute("class") or "")
        row.locator(
            "label", has=page.locator("[data-key=b]" if preference else "[value='2']")
        ).tap()
    page.get_by_role("button", name="Submit").tap()

    expect(page).not_to_have_url(first_url)
    expect(page.get_by_text("The item before is sent.")).to_be_visible()
    judgment = Judgment.objects.get(assignment=assignment)
    assert set(judgment.ratings.values_list("score", flat=True)) == {2}


def test_undo_brings_the_item_back_as_it_was(open_page):
    _assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    answer_everything(page)
    page.get_by_label("Why, in two or three sentences").fill("B names what it shows.")
    page.get_by_role("button", name="Submit").click()

    page.get_by_role("button", name="Undo").click()

    expect(page.get_by_text("Taken back. It is open again as you left it.")).to_be_visible()
    expect(page.get_by_label("Why, in two or three sentences")).to_have_value(
        "B names what it shows."
    )
    assert path in page.url


@pytest.mark.parametrize("size", [(1440, 900), (1280, 720), (390, 844)])
def test_the_way_to_the_item_before_is_seen_in_windows_of_every_width(open_page, size):
    _assignment, annotator, path = held_item()
    page = open_page(annotator, path, viewport={"width": size[0], "height": size[1]})
    answer_everything(page)
    page.keyboard.press("Control+Enter")

    before = page.get_by_role("link", name="The item before")
    expect(before.locator("kbd")).to_be_visible()
    assert before.bounding_box()["width"] >= 24
    bar = page.locator("#bar .bar-actions")
    assert bar.evaluate("one => one.scrollWidth <= one.clientWidth")


def test_each_letter_and_digit_means_what_the_sheet_says(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    page.keyboard.press("Enter")
    rows = page.locator("fieldset.rating")

    page.keyboard.press("3")
    expect(rows.nth(0).locator("input:checked")).to_have_value("3")
    expect(rows.nth(1).locator(":focus")).to_have_count(1)
    page.keyboard.press("n")
    expect(rows.nth(1).locator("input:checked")).to_have_value("na")
    preference = page.locator("fieldset.preference").nth(0)
    first, second = assignment.item.response_1, assignment.item.response_2
    a, b = (first, second) if assignment.shown_first == 1 else (second, first)
    said = {
        "t": "tie",
        "x": "both_bad",
        "a": f"{a.public_id}:1",
        "b": f"{b.public_id}:1",
        "Shift+A": f"{a.public_id}:2",
        "Shift+B": f"{b.public_id}:2",
    }
    for key, value in said.items():
        preference.locator("input[type=radio]").first.focus()
        page.keyboard.press(key)
        expect(preference.locator("input:checked")).to_have_value(value)
    page.keyboard.press("Shift+?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    expect(page.locator("#flag")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+S")
    expect(page.locator("#skip")).to_be_visible()


def test_keys_rest_while_one_types_or_composes(open_page):
    _, annotator, path = held_item()
    page = open_page(annotator, path)
    why = page.get_by_label("Why, in two or three sentences")
    why.click()

    page.keyboard.type("A is 3 times better, n/a? Fine.")
    why.dispatch_event("keydown", {"key": "Process", "code": "Digit2", "keyCode": 229})
    page.locator("fieldset.rating input").first.focus()
    page.locator("fieldset.rating input").first.dispatch_event(
        "keydown", {"key": "2", "code": "Digit2", "isComposing": True}
    )

    expect(why).to_have_value("A is 3 times better, n/a? Fine.")
    expect(page.locator("fieldset input:checked")).to_have_count(0)
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_single_keys_can_be_switched_off(open_page):
    _, annotator, path = held_item()
    annotator.user.single_keys = False
    annotator.user.save(update_fields=["single_keys"])
    page = open_page(annotator, path)

    page.keyboard.press("Enter")
    page.keyboard.press("3")

    expect(page.locator("fieldset.rating input:checked")).to_have_count(0)


def test_the_reason_the_batch_asks_for_is_asked_in_words_and_marked(open_page):
    settings = BatchSettings(reasons={"text_quality": ReasonRule(at_or_below=1)}, reason_minimum=10)
    _, annotator, path = held_item(settings=settings)
    page = open_page(annotator, path)
    row = page.locator('fieldset.rating[data-name="text_quality"]').first

    row.locator('input[value="1"]').click()

    detail = page.locator(".detail.current")
    expect(detail.get_by_text("Reason, asked at 0 to 1")).to_be_visible()
    expect(row.locator("[data-mark=asked]")).to_be_visible()
    detail.get_by_role("textbox").fill("语法错误太多")
    expect(detail.get_by_text("15, at least 10")).to_be_visible()
    expect(row.locator("[data-mark=written]")).to_be_visible()
    row.locator('input[value="2"]').click()
    expect(row.locator("[data-mark=asked]")).to_have_count(0)


def test_submitting_too_early_leads_to_what_is_missing(open_page):
    _, annotator, path = held_item()
    page = open_page(annotator, path)

    page.get_by_role("button", name="Submit").click()

    expect(page.locator("fieldset.rating").first.locator(":focus")).to_have_count(1)
    assert not Judgment.objects.exists()


def test_saved_is_said_only_when_it_is_stored(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    saved = page.locator("#saved")
    page.route("**/draft/", lambda route: route.abort())
    page.get_by_label("Why, in two or three sentences").fill("Not yet there.")

    expect(saved).to_contain_text("Not saved, trying again")
    assert not Draft.objects.filter(assignment=assignment).exists()
    page.unroute("**/draft/")

    expect(saved).to_contain_text(re.compile(r"Saved \d\d:\d\d:\d\d"))
    kept = Draft.objects.get(assignment=assignment)
    assert kept.body["remarks"]["rationale"]["text"] == "Not yet there."


def test_a_change_is_stored_within_a_second_also_while_one_goes_on(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    sent = []
    page.on("request", lambda request: request.method == "POST" and sent.append(request.url))
    saved = page.locator("#saved")
    expect(saved).to_have_text("Nothing entered yet")
    page.get_by_label("Why, in two or three sentences").click()
    page.evaluate(
        """() => {
          const saved = document.getElementById("saved");
          window.states = [];
          new MutationObserver(() => window.states.push(saved.dataset.state)).observe(saved, { attributes: true });
        }"""
    )

    page.keyboard.type("A")
    letters = 0
    while letters < 11 or (len(sent) < 2 and letters < 100):  # four a second, without a pause
        page.keyboard.type("x")
        page.wait_for_timeout(250)
        letters += 1

    assert len(sent) >= 2
    assert page.evaluate("window.states[0]") == "saving"
    assert Draft.objects.filter(assignment=assignment, version__gte=1).exists()
    expect(saved).to_contain_text(re.compile(r"Saved \d\d:\d\d:\d\d"))
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    assert Draft.objects.get(assignment=assignment).body["remarks"]["rationale"]["text"] == (
        "A" + "x" * letters
    )


def test_what_never_arrived_survives_a_reload(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    page.on("dialog", lambda dialog: dialog.accept())
    page.route("**/draft/", lambda route: route.abort())
    page.get_by_label("Why, in two or three sentences").fill("Typed in a tunnel.")
    expect(page.locator("#saved")).to_contain_text("Not saved")

    page.reload()
    page.unroute("**/draft/")

    expect(page.get_by_label("Why, in two or three sentences")).to_have_value("Typed in a tunnel.")
    expect(page.locator("#saved")).to_contain_text("Saved")
    assert Draft.objects.get(assignment=assignment).body["remarks"]["rationale"]["text"] == (
        "Typed in a tunnel."
    )
    assert page.evaluate("localStorage.length") == 0


def test_a_lost_reply_to_a_save_is_no_conflict_with_oneself(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    lost = []

    def lose_first(route):
        route.fetch()
        lost.append(route.request.url)
        route.abort()

    page.route("**/draft/", lose_first, times=1)
    page.get_by_label("Why, in two or three sentences").fill("Sent once.")

    expect(page.locator("#saved")).to_contain_text(re.compile(r"Saved \d\d"))
    assert len(lost) == 1
    assert Draft.objects.get(assignment=assignment).version == 1
    expect(page.locator("#conflict")).to_be_hidden()


def test_the_second_window_shows_both_versions_and_the_person_chooses(open_page):
    assignment, annotator, path = held_item()
    here = open_page(annotator, path)
    there = open_page(annotator, path)
    why = "Why, in two or three sentences"
    there.get_by_label(why).fill("From there.")
    expect(there.locator("#saved")).to_contain_text("Saved")

    here.get_by_label(why).fill("From here.")
    dialog = here.locator("#conflict")
    expect(dialog).to_be_visible()
    expect(dialog.locator("tbody tr")).to_have_count(1)
    expect(dialog).to_contain_text("From there.")
    expect(dialog).to_contain_text("From here.")
    dialog.get_by_role("button", name="All from the other").click()

    expect(here.get_by_label(why)).to_have_value("From there.")
    here.get_by_label(why).fill("Agreed.")
    expect(here.locator("#saved")).to_contain_text(re.compile(r"Saved \d\d"))
    expect(here.locator("#saved")).to_have_attribute("data-state", "saved")
    assert Draft.objects.get(assignment=assignment).body["remarks"]["rationale"]["text"] == (
        "Agreed."
    )


def test_what_another_window_sent_already_is_opened_again_with_what_was_changed_here(open_page):
    assignment, annotator, path = held_item()
    here = open_page(annotator, path)
    answer_everything(here)
    expect(here.locator("#saved")).to_have_attribute("data-state", "saved")
    there = open_page(annotator, path)
    here.keyboard.press("Control+Enter")
    expect(here.get_by_text("The item before is sent.")).to_be_visible()
    again = there.get_by_role("button", name="Open it again")
    expect(again).to_be_hidden()

    there.get_by_label("Why, in two or three sentences").fill("One more thought.")
    there.keyboard.press("Control+Enter")
    expect(there.locator("#missing")).to_contain_text("Open the item again to correct it.")
    again.click()

    expect(there.get_by_role("button", name="Send the correction")).to_be_visible()
    expect(there.get_by_label("Why, in two or three sentences")).to_have_value("One more thought.")
    assert Judgment.objects.filter(assignment=assignment).count() == 1


def test_lines_only_one_window_changed_are_put_together_without_asking(open_page):
    assignment, annotator, path = held_item()
    here = open_page(annotator, path)
    there = open_page(annotator, path)
    there.locator("fieldset.rating").nth(0).locator('input[value="3"]').click()
    there.get_by_label("Why, in two or three sentences").fill("From there.")
    expect(there.locator("#saved")).to_have_attribute("data-state", "saved")

    here.locator("fieldset.rating").nth(1).locator('input[value="1"]').click()

    expect(here.locator("fieldset.rating").nth(0).locator("input:checked")).to_have_value("3")
    expect(here.get_by_label("Why, in two or three sentences")).to_have_value("From there.")
    expect(here.locator("#saved")).to_contain_text(re.compile(r"Saved \d\d"))
    expect(here.locator("#conflict")).to_be_hidden()
    expect(here.locator("#saved")).to_have_attribute("data-state", "saved")
    kept = Draft.objects.get(assignment=assignment).body
    assert given_scores(kept) == [1, 3]
    assert kept["remarks"]["rationale"]["text"] == "From there."


def test_a_line_both_windows_changed_is_asked_and_the_others_are_not(open_page):
    assignment, annotator, path = held_item()
    here = open_page(annotator, path)
    there = open_page(annotator, path)
    why = "Why, in two or three sentences"
    there.locator("fieldset.rating").nth(0).locator('input[value="3"]').click()
    there.get_by_label(why).fill("From there.")
    expect(there.locator("#saved")).to_have_attribute("data-state", "saved")

    here.get_by_label(why).fill("From here.")
    dialog = here.locator("#conflict")
    expect(dialog.locator("tbody tr")).to_have_count(1)
    dialog.get_by_role("button", name="Keep this choice").click()

    expect(here.get_by_label(why)).to_have_value("From here.")
    expect(here.locator("fieldset.rating").nth(0).locator("input:checked")).to_have_value("3")
    expect(here.locator("#saved")).to_have_attribute("data-state", "saved")
    kept = Draft.objects.get(assignment=assignment).body
    assert given_scores(kept) == [3]
    assert kept["remarks"]["rationale"]["text"] == "From here."


def test_a_flag_is_confirmed_briefly_and_what_is_missing_is_said_again(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    answer_everything(page)
    bar = page.locator("#missing")

    page.get_by_role("link", name="Flag").click()
    page.get_by_label("What should the lead look at?").fill("Odd crop.")
    page.locator("#flag").get_by_role("button", name="Flag").click()

    expect(bar).to_contain_text("Flagged for the lead.")
    expect(bar.locator("use")).to_have_attribute("href", "#i-check")
    expect(bar).to_contain_text("Nothing is missing.")
    assert Assignment.objects.get(pk=assignment.pk).flag_note == "Odd crop."


def test_a_lost_reply_to_a_submission_leads_to_one_judgment(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    answer_everything(page)
    expect(page.locator("#saved")).to_contain_text("Saved")
    before = page.url

    def lose(route):
        route.fetch()
        route.abort()

    page.route(lambda url: url.endswith(path), lose, times=1)
    page.get_by_role("button", name="Submit").click()

    expect(page).not_to_have_url(before)
    expect(page.get_by_text("The item before is sent.")).to_be_visible()
    assert Judgment.objects.filter(assignment=assignment).count() == 1


def test_an_expired_session_is_signed_in_again_in_place(open_page):
    assignment, annotator, path = held_item()
    annotator.user.set_password("a long pass phrase")
    annotator.user.save()
    page = open_page(annotator, path)
    Session.objects.all().delete()

    page.get_by_label("Why, in two or three sentences").fill("Before tea.")
    dialog = page.locator("#signed-out")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Password").fill("wrong")
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog.get_by_text("Name and password do not match.")).to_be_visible()
    dialog.get_by_label("Password").fill("a long pass phrase")
    dialog.get_by_role("button", name="Sign in").click()

    expect(page.locator("#saved")).to_contain_text(re.compile(r"Saved \d\d"))
    expect(dialog).to_be_hidden()
    assert Draft.objects.get(assignment=assignment).body["remarks"]["rationale"]["text"] == (
        "Before tea."
    )


def test_pictures_refused_meanwhile_are_asked_for_again_after_signing_in_in_place(open_page):
    assignment, annotator, path = held_item()
    annotator.user.set_password("a long pass phrase")
    annotator.user.save()
    side = assignment.item.response_1
    Response.objects.filter(pk=side.pk).update(text="A line.\n\n" * 400)
    make_slot(response=side, image=with_files(make_image(width=600, height=400)))
    page = open_page(annotator, path)
    Session.objects.all().delete()

    page.locator("figure.slot-stored").scroll_into_view_if_needed()
    refused = page.get_by_text("This image could not be loaded").first
    expect(refused).to_be_visible()
    page.get_by_label("Why, in two or three sentences").fill("Before tea.")
    dialog = page.locator("#signed-out")
    dialog.get_by_label("Password").fill("a long pass phrase")
    dialog.get_by_role("button", name="Sign in").click()

    expect(dialog).to_be_hidden()
    expect(refused).to_be_hidden()
    expect(page.locator("fieldset.rating.held")).to_have_count(0)
    assert page.locator("figure.slot-stored .picture img").evaluate("one => one.naturalWidth") > 0


def test_scores_that_say_the_opposite_of_the_preference_are_asked_about_once(open_page):
    _, annotator, path = held_item()
    page = open_page(annotator, path)
    dimension = page.locator(".dimension").first
    a, b = dimension.locator("fieldset.rating").all()
    a.locator('input[value="3"]').click()
    b.locator('input[value="0"]').click()

    dimension.locator('input[data-key="b"]').click()

    question = dimension.locator("[data-contradiction]")
    expect(question).to_contain_text("You scored A higher here, 3 to 0, and prefer B.")
    question.get_by_role("button", name="Yes, keep both").click()
    expect(question).to_be_hidden()
    expect(page.locator("#saved")).to_contain_text(re.compile(r"Saved \d\d"))
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    kept = Draft.objects.get().body["preferences"]
    assert [one["contradiction"] for one in kept.values()] == ["kept"]


def test_pictures_are_looked_at_opened_and_reported(open_page):
    assignment, annotator, path = held_item()
    image = with_files(make_image(width=600, height=400))
    make_slot(response=assignment.item.response_1, image=image)
    make_slot(response=assignment.item.response_2, state=SlotState.BROKEN)
    page = open_page(annotator, path)

    page.locator("figure.slot-stored").scroll_into_view_if_needed()
    expect(page.locator("[data-looked]")).to_be_visible()
    page.locator("[data-viewer]").click()
    viewer = page.locator("#viewer")
    large = viewer.locator("[data-picture]").first
    expect(large).to_be_visible()
    viewer.get_by_role("button", name="1:1").click()
    assert large.bounding_box()["width"] == 600
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()

    page.get_by_role("link", name="Report and skip").click()
    expect(page.get_by_label("An image is missing or broken")).to_be_checked()
    page.get_by_role("button", name="Skip it").click()
    expect(page.get_by_text("Skipped. It goes to somebody else.")).to_be_visible()
    assert Assignment.objects.get(pk=assignment.pk).skip_reason == "image_missing"


def test_pictures_that_were_seen_are_evidence(open_page):
    assignment, annotator, path = held_item(BatchKind.CONVERSATION)
    image = with_files(make_image(width=600, height=400))
    make_slot(response=assignment.item.response_1, image=image)
    page = open_page(annotator, path)
    page.locator("figure.slot-stored").scroll_into_view_if_needed()
    expect(page.locator("[data-looked]")).to_be_visible()

    answer_everything(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("The item before is sent.")).to_be_visible()

    judgment = Judgment.objects.get(assignment=assignment)
    assert judgment.images_seen == [image.sha256]
    assert sum(judgment.active_ms.values()) > 0


@pytest.mark.parametrize("kind", list(BatchKind))
def test_a_phone_shows_one_side_at_a_time_and_nothing_sticks_out(open_page, kind):
    _assignment, annotator, path = held_item(kind)
    page = open_page(annotator, path, viewport={"width": 390, "height": 844})

    assert page.evaluate("document.documentElement.scrollWidth") == 390
    if kind != BatchKind.CONVERSATION:
        expect(page.locator(".answer-B").first).to_be_hidden()
        page.get_by_role("button", name="Response B").click()
        expect(page.locator(".answer-B").first).to_be_visible()
        expect(page.locator(".answer-A").first).to_be_hidden()
    target = page.locator(".turn-rated .point:visible").first.bounding_box()
    assert target["height"] >= 44
    page.locator(".turn-rated .point:visible").nth(1).click()
    expect(page.locator(".detail.current")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_system_and_ones_own_choice(open_page, scheme):
    _, annotator, path = held_item()
    page = open_page(annotator, path, color_scheme=scheme)
    ground = "getComputedStyle(document.body).backgroundColor"
    assert (
        page.evaluate(ground) == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 21, 19)"}[scheme]
    )

    page.locator(".menu:has(.person) > summary").click()
    other = "dark" if scheme == "light" else "light"
    page.get_by_label("Colours").select_option(other)
    page.get_by_role("button", name="Keep").click()

    expect(page.locator("html")).to_have_attribute("data-theme", other)
    assert (
        page.evaluate(ground) == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 21, 19)"}[other]
    )
    assert page.url.endswith(path)


@pytest.mark.parametrize("kind", list(BatchKind))
def test_the_page_is_a_plain_form_without_script(open_page, kind):
    assignment, annotator, path = held_item(kind)
    page = open_page(annotator, path, java_script_enabled=False)

    for row in page.locator("fieldset.rating").all():
        row.locator('input[value="2"]').press("Space")
    for row in page.locator("fieldset.preference").all():
        row.locator('input[data-key="a"]').press("Space")
    page.get_by_role("button", name="Submit").click()

    expect(page.get_by_text("The item before is sent.")).to_be_visible()
    judgment = Judgment.objects.get(assignment=assignment)
    item = assignment.item
    shown_as_a = item.response_1 if assignment.shown_first == 1 else item.response_2
    assert {one.preferred for one in judgment.preferences.all()} == (
        set() if kind == BatchKind.CONVERSATION else {shown_as_a}
    )


def test_a_missing_answer_without_script_is_named_and_led_to(open_page):
    _, annotator, path = held_item()
    page = open_page(annotator, path, java_script_enabled=False)

    page.get_by_role("button", name="Submit").click()

    problems = page.get_by_role("alert")
    expect(problems).to_contain_text("9 answers are missing or not as asked.")
    problems.get_by_role("link", name="Turn 2, A, text_quality").first.click()
    assert "#q-" in page.url


def test_hostile_text_runs_nothing_and_calls_nobody(open_page):
    evil = (
        "<script>window.hacked=1</script><img src=x onerror='window.hacked=1'>"
        "![p](http://127.0.0.1:9/pixel.png) [l](javascript:window.hacked=1) "
        "$\\href{javascript:window.hacked=1}{x}$ <svg onload='window.hacked=1'>"
    )
    batch = make_batch(kind=BatchKind.TURN_PAIR, members=[annotator := make_member()])
    sides = list(make_tree(paths=2, turns=1, fork=1).responses.full().order_by("pk"))
    Response.objects.update(text=evil)
    Slot.objects.update(caption=evil)
    make_item(batch, *sides)
    assignment = claim_next(batch, by=annotator, now=timezone.now())
    page = open_page(annotator, reverse("annotation:assignment", args=[assignment.public_id]))

    page.get_by_role("button", name="Raw").first.click()
    page.get_by_label("Why, in two or three sentences").fill(evil)
    expect(page.locator("#saved")).to_contain_text(re.compile(r"Saved \d\d"))
    page.reload()

    expect(page.get_by_label("Why, in two or three sentences")).to_have_value(evil)
    assert page.evaluate("window.hacked") is None
    expect(page.locator(".answer img, .answer svg:not(.icon), .answer script")).to_have_count(0)


def test_a_unit_rated_before_is_folded_and_can_be_read_again(open_page):
    settings = BatchSettings(local_scope=LocalScope.AFTER_FORK)
    batch = make_batch(
        kind=BatchKind.CONVERSATION_PAIR, members=[annotator := make_member()], settings=settings
    )
    sides = list(make_tree(paths=3, turns=2, fork=2).responses.full().order_by("pk"))
    for one, two in ((0, 1), (0, 2)):
        make_item(batch, sides[one], sides[two])
    first = claim_next(batch, by=annotator, now=timezone.now())
    page = open_page(annotator, reverse("annotation:assignment", args=[first.public_id]))
    answer_everything(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("The item before is sent.")).to_be_visible()

    folded = page.locator("details.rated-before")
    expect(folded).to_have_count(1)
    expect(folded.locator(".prose")).to_be_hidden()
    folded.locator("summary").click()
    expect(folded.locator(".prose")).to_be_visible()
    folded.locator("summary").blur()
    answer_everything(page, score="1")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("You have done everything that is yours")).to_be_visible()

    second = Judgment.objects.exclude(assignment=first).get()
    carried = second.ratings.filter(origin="carried")
    assert set(carried.values_list("response", flat=True)) == {sides[0].pk}
    assert carried.count() == 4 + 5


def test_a_turn_rated_before_keeps_less_empty_room_until_its_answer_is_read_again(open_page):
    settings = BatchSettings(local_scope=LocalScope.EVERY_TURN)
    batch = make_batch(
        kind=BatchKind.CONVERSATION_PAIR, members=[annotator := make_member()], settings=settings
    )
    sides = list(make_tree(paths=3, turns=2, fork=2).responses.full().order_by("pk"))
    for one, two in ((0, 1), (0, 2)):
        make_item(batch, sides[one], sides[two])
    first = claim_next(batch, by=annotator, now=timezone.now())
    page = open_page(annotator, reverse("annotation:assignment", args=[first.public_id]))
    shared = page.locator(".turn-shared.turn-rated")
    unread = shared.bounding_box()["height"]
    answer_everything(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("The item before is sent.")).to_be_visible()

    folded = shared.locator("details.rated-before")
    assert shared.bounding_box()["height"] <= unread - 100
    folded.locator("summary").click()
    expect(folded.locator(".prose")).to_be_visible()
    assert shared.bounding_box()["height"] >= unread - 20


def test_the_same_answer_for_dimensions_still_open_is_confirmed_once_and_recorded(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    for row in page.locator("fieldset.rating").all():
        row.locator('input[value="2"]').click()
    first, second, *_rest = page.locator(".dimension fieldset.preference").all()
    first.locator('input[data-key="a"]').click()

    page.get_by_role("button", name="Give the same answer").click()
    page.get_by_role("button", name="Yes, the same").click()

    expect(page.locator('.dimension input[data-key="a"]:checked')).to_have_count(4)
    second.locator('input[data-key="t"]').click()
    page.locator('#overall input[data-key="a"]').click()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("The item before is sent.")).to_be_visible()
    given = Judgment.objects.get(assignment=assignment).preferences
    assert sorted(given.values_list("in_bulk", flat=True)) == [False] * 3 + [True] * 2


def test_images_nobody_looked_at_are_named_once_and_never_block(open_page):
    assignment, annotator, path = held_item()
    below = assignment.item.response_2
    Response.objects.filter(pk=below.pk).update(text="A line.\n\n" * 60)
    make_slot(response=below, image=with_files(make_image(width=600, height=400)))
    page = open_page(annotator, path)
    answer_everything(page)

    page.keyboard.press("Control+Enter")
    dialog = page.locator("#unseen")
    expect(dialog).to_contain_text("Image 1")
    dialog.get_by_role("button", name="Show me the next").click()
    expect(page.locator("[data-viewer]:focus")).to_have_count(1)
    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("The item before is sent.")).to_be_visible()
    assert Judgment.objects.get(assignment=assignment).images_seen == []


def test_the_inspector_of_a_turn_both_sides_share_leaves_its_answer_free(open_page):
    settings = BatchSettings(local_scope=LocalScope.EVERY_TURN)
    _, annotator, path = held_item(BatchKind.CONVERSATION_PAIR, settings=settings)
    page = open_page(annotator, path)
    turn = page.locator(".turn-shared.turn-rated").first

    turn.locator('input[value="2"]').first.click()

    inspector = page.locator(".detail.current .inspector").bounding_box()
    answer = turn.locator(".answer").bounding_box()
    assert inspector["x"] >= answer["x"] + answer["width"]
    assert inspector["x"] + inspector["width"] <= 1440


def test_the_inspector_leaves_what_is_answered_next_free_and_closes(open_page):
    _, annotator, path = held_item()
    page = open_page(annotator, path)
    rows = page.locator(".matrix fieldset.rating")
    detail = page.locator(".detail.current .inspector")

    rows.nth(0).locator('input[value="2"]').click()
    expect(detail).to_be_visible()
    below = rows.nth(1).bounding_box()
    assert below["y"] + below["height"] <= detail.bounding_box()["y"]
    page.keyboard.press("Escape")
    expect(detail).to_have_count(0)

    rows.nth(0).locator('input[value="2"]').click()
    expect(detail).to_be_visible()
    page.mouse.click(1200, 500)
    expect(detail).to_have_count(0)


@pytest.mark.parametrize("kind", [BatchKind.TURN_PAIR, BatchKind.CONVERSATION])
@pytest.mark.parametrize("height", [900, 650])
def test_the_inspector_stays_in_its_turn_and_moves_nothing_after_it(open_page, kind, height):
    _, annotator, path = held_item(kind)
    page = open_page(annotator, path, viewport={"width": 1366, "height": height})
    rows = page.locator(".turn-rated").last.locator("fieldset.rating")
    after = page.locator(".turn-rated").last.locator("xpath=following::section[1]")
    place = "one => one.getBoundingClientRect().top + scrollY"
    before = after.evaluate(place)

    for row in (rows.first, rows.last):
        row.evaluate("one => window.judge.focusRow(one)")
        inspector = page.locator(".detail.current .inspector").bounding_box()
        box = row.bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= inspector["y"]
        next_one = row.evaluate(
            "one => { const all = [...one.closest('.matrix').querySelectorAll('fieldset')];"
            " return all[all.indexOf(one) + 1]?.getBoundingClientRect().bottom ?? 0 }"
        )
        assert next_one <= inspector["y"]
        assert inspector["y"] + inspector["height"] <= page.locator(".bar").bounding_box()["y"]
        assert inspector["y"] + inspector["height"] <= after.bounding_box()["y"]
        assert abs(after.evaluate(place) - before) <= 1
    page.evaluate("scrollTo(0, document.body.scrollHeight)")

    inspector = page.locator(".detail.current .inspector").bounding_box()
    assert inspector["y"] + inspector["height"] <= after.bounding_box()["y"]


def test_what_is_offered_below_the_last_row_is_not_covered(open_page):
    _, annotator, path = held_item()
    page = open_page(annotator, path, viewport={"width": 1440, "height": 700})
    rows = page.locator(".matrix fieldset.rating")
    for row in rows.all():
        row.locator('input[value="2"]').evaluate("one => one.click()")
    page.locator('.matrix [data-key="b"]').first.evaluate("one => one.click()")
    offer = page.locator(".matrix [data-bulk]")
    expect(offer).to_be_visible()

    rows.last.evaluate("one => window.judge.focusRow(one)")

    box = offer.bounding_box()
    assert (
        box["y"] + box["height"] <= page.locator(".detail.current .inspector").bounding_box()["y"]
    )


def test_going_to_a_row_far_below_leaves_its_ratings_in_their_turn(open_page):
    _assignment, annotator, path = held_item(BatchKind.CONVERSATION)
    Response.objects.update(text="A long answer. " * 400)
    page = open_page(annotator, path)
    rows = page.locator(".turn-rated").last.locator("fieldset.rating")

    rows.nth(1).evaluate("one => window.judge.focusRow(one)")

    expect(rows.nth(1)).to_be_in_viewport(ratio=1)
    head = page.locator(".spine-head").last.bounding_box()
    assert page.locator(".matrix").last.bounding_box()["y"] >= head["y"] + head["height"]


def test_in_a_low_dialog_its_buttons_stay_in_view(open_page):
    _assignment, annotator, path = held_item()
    page = open_page(annotator, path, viewport={"width": 390, "height": 500})

    page.evaluate("document.getElementById('keys').showModal()")

    keys = page.locator("#keys")
    expect(keys.get_by_role("heading", name="Keys")).to_be_in_viewport()
    expect(keys.get_by_role("button", name="Close")).to_be_in_viewport(ratio=1)


def test_rows_about_the_whole_keep_their_place_while_one_answers(open_page):
    settings = BatchSettings(dimension_preference=DimensionPreference.ASKED)
    _, annotator, path = held_item(BatchKind.CONVERSATION_PAIR, settings=settings)
    page = open_page(annotator, path)
    dimensions = page.locator("#whole .dimension-wide")
    first, second = dimensions.nth(0), dimensions.nth(1)
    first.locator("fieldset.rating").first.evaluate("one => window.judge.focusRow(one)")
    place = "one => one.getBoundingClientRect().top"

    before = second.evaluate(place)
    page.keyboard.press("2")
    page.keyboard.press("1")
    expect(first.locator("fieldset.preference.current")).to_have_count(1)
    assert abs(second.evaluate(place) - before) <= 1

    row = second.locator("fieldset.rating").first
    before = row.evaluate(place)
    row.locator('input[value="2"]').click()
    assert abs(row.evaluate(place) - before) <= 1


def test_the_reason_is_hidden_until_it_is_asked_or_wanted(open_page):
    settings = BatchSettings(reasons={"text_quality": ReasonRule(at_or_below=1)}, reason_minimum=1)
    _, annotator, path = held_item(settings=settings)
    page = open_page(annotator, path)
    row = page.locator('fieldset.rating[data-name="text_quality"]').first
    reason = page.locator(".detail.current [data-reason]")

    row.locator('input[value="2"]').click()
    expect(reason).to_be_hidden()
    row.locator('input[value="0"]').click()
    expect(reason).to_be_visible()
    row.locator('input[value="2"]').click()
    expect(reason).to_be_hidden()

    page.get_by_role("button", name="Add a reason").click()
    expect(reason).to_be_focused()
    page.keyboard.type("Crisp.")
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    page.reload()
    row.locator('input[value="2"]').click()
    expect(reason).to_have_value("Crisp.")
    expect(reason).to_be_visible()


def test_skip_and_flag_open_and_close_without_script(open_page):
    assignment, annotator, path = held_item()
    make_slot(response=assignment.item.response_1, state=SlotState.BROKEN)
    page = open_page(annotator, path, java_script_enabled=False)

    page.locator(".bar").get_by_role("link", name="Flag").click()
    dialog = page.locator("#flag")
    expect(dialog).to_be_visible()
    dialog.get_by_role("link", name="Back").click()
    expect(dialog).to_be_hidden()

    page.get_by_role("link", name="Report and skip").click()
    expect(page.locator("#skip")).to_be_visible()
    page.get_by_label("An image is missing or broken").check()
    page.get_by_role("button", name="Skip it").click()
    expect(page.get_by_text("Skipped. It goes to somebody else.")).to_be_visible()


def test_an_answer_rated_before_is_shortened_to_plain_words(open_page):
    settings = BatchSettings(local_scope=LocalScope.AFTER_FORK)
    batch = make_batch(
        kind=BatchKind.CONVERSATION_PAIR, members=[annotator := make_member()], settings=settings
    )
    sides = list(make_tree(paths=3, turns=2, fork=2).responses.full().order_by("pk"))
    Response.objects.filter(pk=sides[0].pk).update(text="## Beds\n\n**Three** of them.")
    for one, two in ((0, 1), (0, 2)):
        make_item(batch, sides[one], sides[two])
    first = claim_next(batch, by=annotator, now=timezone.now())
    page = open_page(annotator, reverse("annotation:assignment", args=[first.public_id]))
    answer_everything(page)
    page.keyboard.press("Control+Enter")

    expect(page.locator(".rated-before .preview")).to_have_text("Beds Three of them.")


def test_a_submitted_item_can_be_left_as_it_is(open_page):
    _assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    answer_everything(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("The item before is sent.")).to_be_visible()

    page.goto(page.url.split("/items/")[0] + path)
    page.get_by_role("link", name="Leave it as it is").click()

    expect(page).to_have_url(re.compile(reverse("annotation:my-work") + "$"))
    assert Judgment.objects.count() == 1


def test_the_guideline_leaves_no_hole_where_no_inspector_stands(open_page):
    _, annotator, path = held_item()
    page = open_page(annotator, path)

    page.keyboard.press("g")

    left = page.locator("#guideline article:visible .guideline-left").bounding_box()
    right = page.locator("#guideline article:visible .guideline-right").bounding_box()
    assert right["x"] - (left["x"] + left["width"]) < 60


def test_a_phone_has_targets_for_fingers_and_pictures_without_strips(open_page):
    assignment, annotator, path = held_item()
    make_slot(
        response=assignment.item.response_1, image=with_files(make_image(width=200, height=400))
    )
    page = open_page(annotator, path, viewport={"width": 390, "height": 844})

    picture = page.locator(".answer-A .picture")
    drawn = picture.locator("img").bounding_box()
    assert picture.bounding_box()["width"] - drawn["width"] <= 2
    targets = ".answer-A [data-raw], .answer-A .remarks > summary, .image-remark > summary"
    for target in page.locator(f"{targets}, .menu:has(.person) > summary").all():
        box = target.bounding_box()
        assert min(box["width"], box["height"]) >= 44, target.inner_text()


def test_a_phone_gives_a_finger_room_where_a_page_has_but_a_line_of_text(open_page):
    make_category("disaster")
    assignment, annotator, path = held_item(BatchKind.CONVERSATION)
    make_mark(assignment.item.dialogue, "disaster")
    set_support(make_project(), {"en": "Call **Kim**."}, by=make_lead())
    Response.objects.update(text="The same words.")
    page = open_page(annotator, path, viewport={"width": 390, "height": 844})
    small = """() => [...document.querySelectorAll("a, button, summary, select, input, textarea")]
      .filter((one) => one.checkVisibility({visibilityProperty: true}) && !one.matches(".skip-link"))
      .map((one) => one.closest("label") ?? one)
      .filter((one) => one.getClientRects().length && one.getBoundingClientRect().width > 1)
      .filter((one) => Math.min(one.getBoundingClientRect().width, one.getBoundingClientRect().height) < 44)
      .map((one) => one.outerHTML.slice(0, 120))"""

    expect(page.get_by_role("heading", name="It is marked: Disaster")).to_be_visible()
    assert page.evaluate(small) == []
    page.get_by_role("link", name="Open it").click()
    expect(page.get_by_role("link", name="Show them").first).to_be_visible()
    assert page.evaluate(small) == []
    for name in ("skip", "hold", "flag", "report", "ask", "signed-out", "keys", "unseen"):
        page.evaluate("(name) => document.getElementById(name).showModal()", name)
        assert page.evaluate(small) == [], name
        page.keyboard.press("Escape")


def test_on_a_phone_questions_and_two_versions_fit_and_can_be_pressed(open_page):
    _assignment, annotator, path = held_item()
    here = open_page(annotator, path, viewport={"width": 390, "height": 844})
    there = open_page(annotator, path)
    why = "Why, in two or three sentences"
    there.get_by_label(why).fill("From there, in words of some length. " * 4)
    expect(there.locator("#saved")).to_have_attribute("data-state", "saved")

    here.get_by_label(why).fill("From here, in words of some length. " * 4)
    dialog = here.locator("#conflict")
    expect(dialog).to_be_visible()
    assert dialog.evaluate("one => one.scrollWidth <= one.clientWidth")
    for label in dialog.locator("label").all():
        assert label.bounding_box()["height"] >= 44
    dialog.get_by_role("button", name="Keep this choice").click()

    first = here.locator(".dimension").first
    first.locator('fieldset.rating:visible input[value="3"]').click()
    here.get_by_role("button", name="Response B").click()
    first.locator('fieldset.rating:visible input[value="0"]').click()
    first.locator('input[data-key="b"]').click()
    for answer in first.locator("[data-contradiction] button").all():
        assert answer.bounding_box()["height"] >= 44


def test_on_a_phone_the_side_is_switched_only_where_sides_differ(open_page):
    settings = BatchSettings(local_scope=LocalScope.EVERY_TURN)
    _, annotator, path = held_item(BatchKind.CONVERSATION_PAIR, settings=settings)
    page = open_page(annotator, path, viewport={"width": 390, "height": 844})

    switch = page.locator(".side-switch")
    expect(switch).to_have_count(1)
    shared = page.locator(".turn-shared").last.bounding_box()
    assert switch.bounding_box()["y"] >= shared["y"] + shared["height"]
    dimension = page.locator("#whole .dimension-wide").first
    rating = dimension.locator("fieldset.rating:visible")
    expect(rating.locator(".chip-A")).to_be_visible()
    assert rating.bounding_box()["y"] < dimension.locator("fieldset.preference").bounding_box()["y"]


def test_on_a_phone_what_sticks_to_the_top_lies_one_under_the_other(open_page):
    _assignment, annotator, path = held_item(BatchKind.CONVERSATION_PAIR)
    page = open_page(annotator, path, viewport={"width": 390, "height": 844})

    page.locator('[data-rail="whole"]').click()

    expect(page.locator('[data-rail="whole"]')).to_have_attribute("aria-current", "true")
    header, rail, switch, title = (
        page.locator(one).bounding_box()
        for one in (".judge-header", ".rail", ".side-switch", "#whole h2")
    )
    for above, below in ((header, rail), (rail, switch), (switch, title)):
        assert below["y"] >= above["y"] + above["height"] - 1.5
