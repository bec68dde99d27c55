"""What people and browsers do to an item: odd signs, double clicks, long texts, back and forth."""

import re

from playwright.sync_api import expect

from annotation.actions.answers import weighted_length
from annotation.choices import AssignmentState, BatchSettings, ReasonRule
from annotation.models import Assignment, Draft, Hold, Judgment, Turn
from tests.browser.steps import answer_everything, given_scores, held_item

WHY = "Why, in two or three sentences"

ODD = "<script>alert(1)</script> \u0000 😀👩‍👩‍👧‍👦 مرحبا بالعالم \u202e txt \r\n {{ 7*7 }} %s & ' \" </textarea>"


def test_odd_signs_in_a_reason_come_back_as_they_were(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    why = page.get_by_label(WHY)
    why.fill(ODD)
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    written = why.input_value()
    page.reload()
    assert why.input_value() == written.replace("\u0000", "")
    answer_everything(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("The item before is sent.")).to_be_visible()
    stored = Judgment.objects.get(assignment=assignment).remarks.get()
    assert stored.text == written.replace("\u0000", "").strip()


def test_keys_pressed_faster_than_one_can_see_each_answer_their_row(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    page.keyboard.press("Enter")
    page.evaluate(
        """keys => {
            for (const key of keys) {
                const code = /[0-9]/.test(key) ? `Digit${key}` : `Key${key.toUpperCase()}`;
                for (const type of ["keydown", "keyup"]) {
                    document.activeElement.dispatchEvent(new KeyboardEvent(type, { key, code, bubbles: true, cancelable: true }));
                }
            }
        }""",
        "32a10b",
    )

    expect(page.locator("fieldset.preference input:checked")).to_have_count(2)
    expect(page.locator("fieldset.rating input:checked")).to_have_count(4)
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    assert given_scores(Draft.objects.get(assignment=assignment).body) == [0, 1, 2, 3]


def test_a_double_click_on_submit_sends_once(open_page):
    _assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    answer_everything(page)
    page.get_by_role("button", name="Submit").dblclick()
    expect(page.get_by_text("The item before is sent.")).to_be_visible()
    assert Judgment.objects.count() == 1


def test_a_double_click_on_undo_opens_the_item_once(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    answer_everything(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("The item before is sent.")).to_be_visible()

    page.get_by_role("button", name="Undo").dblclick(no_wait_after=True)

    expect(page.get_by_text("Taken back. It is open again as you left it.")).to_be_visible()
    assert page.url.endswith(path)
    assert assignment.judgments.count() == 2  # sent, taken back


def test_a_double_click_on_skip_goes_on_to_the_next_item(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    page.keyboard.press("Shift+S")
    page.locator("#skip label").first.click()

    page.get_by_role("button", name="Skip it").dblclick(no_wait_after=True)

    expect(page.get_by_text("Skipped. It goes to somebody else.")).to_be_visible()
    expect(page.locator("#judgment")).to_be_visible()
    assert Assignment.objects.get(pk=assignment.pk).state == AssignmentState.SKIPPED


def test_a_double_click_on_hold_uses_one_hold(open_page):
    _assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    page.get_by_role("link", name="Hold", exact=True).click()
    page.get_by_role("button", name="Hold it").dblclick()
    expect(page.locator("#hold").get_by_text(" of 3 holds used today.")).to_be_visible()
    expect(page.get_by_role("button", name="Hold it")).to_be_enabled()
    assert Hold.objects.count() == 1


def test_a_prompt_of_twenty_thousand_signs_is_read_whole_from_anywhere_on_the_page(open_page):
    assignment, annotator, path = held_item()
    dialogue = assignment.item.dialogue
    Turn.objects.filter(dialogue=dialogue).update(prompt="A line of the prompt.\n\n" * 900)
    page = open_page(annotator, path)
    page.keyboard.press("End")
    expect(page.locator('[data-rail="overall"]')).to_have_attribute("aria-current", "true")

    page.keyboard.press("p")

    whole = page.locator(".whole-prompt .prompts")
    expect(whole).to_be_visible()
    assert whole.evaluate("one => one.clientHeight < innerHeight && one.scrollHeight > 10000")
    page.keyboard.press("PageDown")
    page.wait_for_timeout(500)
    assert whole.evaluate("one => one.scrollTop") > 100
    page.keyboard.press("p")
    expect(whole).to_have_count(0)
    answer_everything(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("The item before is sent.")).to_be_visible()


def test_picture_keys_do_nothing_where_there_is_no_picture(open_page):
    _assignment, annotator, path = held_item()
    page = open_page(annotator, path)

    for key in ("z", "Control+ArrowRight", "Control+ArrowLeft"):
        page.keyboard.press(key)

    expect(page.locator("#viewer")).to_be_hidden()
    expect(page.locator("fieldset input:checked")).to_have_count(0)


def test_back_and_forward_again_keep_what_was_entered(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    page.get_by_label(WHY).fill("Before I went.")
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    page.locator(".brand").click()
    expect(page.locator("#judgment")).to_have_count(0)
    page.go_back()
    expect(page.get_by_label(WHY)).to_have_value("Before I went.")
    page.get_by_label(WHY).fill("After I came.")
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    assert "After I came." in str(Draft.objects.get(assignment=assignment).body)
    expect(page.locator("#conflict")).to_be_hidden()


def test_a_page_brought_back_from_memory_is_loaded_again_and_saves_nothing_of_its_own(open_page):
    """Safari keeps the page one leaves, and brings it back with its fields emptied."""
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    page.keyboard.press("Enter")
    page.keyboard.press("3")
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    written = Draft.objects.get(assignment=assignment)

    with page.expect_navigation():
        page.evaluate(
            """() => {
                document.getElementById("judgment").reset();
                dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
            }"""
        )

    expect(page.locator("fieldset.rating input:checked")).to_have_count(1)
    page.keyboard.press("Enter")
    page.keyboard.press("2")
    expect(page.locator("fieldset.rating input:checked")).to_have_count(2)
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    kept = Draft.objects.get(assignment=assignment)
    assert (kept.version, given_scores(kept.body)) == (written.version + 1, [2, 3])


def test_another_language_in_mid_item_loses_nothing(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    page.on("dialog", lambda dialog: dialog.accept())
    answer_everything(page)
    page.locator(".menu:has(.person) > summary").click()
    page.get_by_label("Language", exact=True).select_option("zh-hans")
    why = page.locator("#f-rationale")
    why.evaluate(
        """(field, text) => {
            field.value = text;
            field.dispatchEvent(new Event("input", { bubbles: true }));
            document.getElementById("screen-language").form.requestSubmit();
        }""",
        "In the last moment.",
    )

    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(why).to_have_value("In the last moment.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("form.undo")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    judgment = Judgment.objects.get(assignment=assignment)
    assert (judgment.language, judgment.remarks.get().text) == ("zh-hans", "In the last moment.")


def test_two_items_in_two_tabs_stay_apart_and_one_sent_in_both_is_sent_once(open_page):
    first, annotator, path = held_item(items=4)
    one = open_page(annotator, path)
    answer_everything(one)
    expect(one.locator("[data-prepared]")).to_have_count(1)
    second = Assignment.objects.exclude(pk=first.pk).get(member=annotator)
    two = one.context.new_page()
    two.goto(one.url.replace(first.public_id, second.public_id))
    answer_everything(two, score="1", preference="a")
    expect(two.locator("#saved")).to_have_attribute("data-state", "saved")

    one.keyboard.press("Control+Enter")
    expect(one).to_have_url(two.url)
    expect(one.locator("#missing")).to_have_attribute("data-state", "ready")
    two.keyboard.press("Control+Enter")
    expect(two).not_to_have_url(one.url)
    one.get_by_label(WHY).fill("Sent again from here.")
    one.keyboard.press("Control+Enter")

    expect(one.locator("#missing")).to_contain_text("arrived before with other content")
    assert Judgment.objects.get(assignment=first).ratings.filter(score=2).exists()
    sent = Judgment.objects.get(assignment=second)
    assert set(sent.ratings.values_list("score", flat=True)) == {1}


def test_texts_that_are_too_long_together_are_refused_in_words(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    answer_everything(page)
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    page.locator("#judgment textarea").evaluate_all(
        """fields => fields.forEach(field => {
            field.value = "\u6587".repeat(20000);
            field.dispatchEvent(new Event("input", { bubbles: true }));
        })"""
    )
    too_long = "The texts are too long together to be kept. Shorten one."
    expect(page.locator("#saved")).to_have_text(too_long)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#missing")).to_contain_text(too_long)
    expect(page.locator("#saved")).not_to_have_text("Sending")
    page.locator("#judgment textarea").evaluate_all(
        """fields => fields.forEach(field => {
            field.value = "";
            field.dispatchEvent(new Event("input", { bubbles: true }));
        })"""
    )
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("The item before is sent.")).to_be_visible()
    assert Judgment.objects.filter(assignment=assignment).count() == 1


def test_a_text_that_was_cut_says_so(open_page):
    _assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    why = page.get_by_label(WHY)
    why.click()

    why.evaluate("(_, text) => document.execCommand('insertText', false, text)", "x" * 1_000_000)

    expect(page.get_by_role("alert").get_by_text("20000 characters")).to_be_visible()
    assert why.input_value() == "x" * 20_000
    why.press("Backspace")
    expect(page.get_by_text("20000 characters")).to_have_count(0)


def test_skipped_in_another_window_says_so_and_shows_no_two_versions(open_page):
    _assignment, annotator, path = held_item()
    here = open_page(annotator, path)
    there = open_page(annotator, path)
    there.keyboard.press("Shift+S")
    there.locator("#skip label").first.click()
    there.get_by_role("button", name="Skip it").click()
    expect(there.get_by_text("Skipped. It goes to somebody else.")).to_be_visible()
    here.get_by_label(WHY).fill("Too late.")
    expect(here.locator("#saved")).to_have_text(
        "You skipped this item, so nothing more is kept for it."
    )
    expect(here.locator("#conflict")).to_be_hidden()


def test_the_screen_is_changed_from_an_item_shown_in_place(open_page):
    _first, annotator, path = held_item(items=4)
    page = open_page(annotator, path)
    answer_everything(page)
    expect(page.locator("[data-prepared]")).to_have_count(1)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("The item before is sent.")).to_be_visible()
    assert page.evaluate("window.stage.shown")
    second = page.url

    page.locator(".menu:has(.person) > summary").click()
    page.get_by_label("Colours").select_option("dark")
    page.get_by_role("button", name="Keep").click()

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("#judgment")).to_be_visible()
    assert page.url == second


def test_enter_goes_to_the_reason_that_is_asked_before_the_next_row(open_page):
    settings = BatchSettings(reasons={"text_quality": ReasonRule(at_or_below=1)}, reason_minimum=10)
    _assignment, annotator, path = held_item(settings=settings)
    page = open_page(annotator, path)
    row = page.locator('fieldset.rating[data-name="text_quality"]').first
    row.locator("input").first.focus()
    page.keyboard.press("1")
    expect(row.locator('input[value="1"]')).to_be_focused()

    page.keyboard.press("Enter")

    reason = page.locator(".detail.current [data-reason]")
    expect(reason).to_be_focused()
    page.keyboard.type("Two sentences break off.")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(row.locator("input:focus")).to_have_count(0)
    expect(page.locator("fieldset.rating:focus-within")).to_have_count(1)


def test_the_length_of_a_reason_is_counted_as_the_server_counts_it(open_page):
    settings = BatchSettings(reasons={"text_quality": ReasonRule(always=True)}, reason_minimum=10)
    _assignment, annotator, path = held_item(settings=settings)
    page = open_page(annotator, path)
    page.locator('fieldset.rating[data-name="text_quality"] input').first.click()
    reason = page.locator(".detail.current textarea")

    for text in (
        "🚀🚀🚀🚀",
        "✅✅✅",
        "👩‍👩‍👧‍👦",
        "ｶﾅ カナ",
        "한국어입니다",
        "語 文\u3000、",
        "☺ not wide",
        "مرحبا",
        "𠀀𛀁㍿〈",
        "⌚☔〰ꥠ",
    ):
        reason.fill(text)
        counted = page.locator(".detail.current [data-count-of]")
        expect(counted).to_have_text(f"{int(weighted_length(text))}, at least 10")


def test_a_prompt_without_a_space_widens_no_page_that_names_it(open_page):
    _assignment, annotator, path = held_item(items=1)
    Turn.objects.filter(depth=1).update(prompt="https://example.org/" + "a" * 180)
    page = open_page(annotator, path)
    answer_everything(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="My work")).to_be_visible()

    for name in ("/", "/my-work/"):
        page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/")[2] + name)
        expect(page.get_by_role("cell", name="https://example.org/").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 1440
        assert page.locator(".table-wrap").evaluate("one => one.scrollWidth <= one.clientWidth")


def test_a_click_that_leaves_the_focus_where_it_is_makes_its_row_the_current_one(open_page):
    """Safari gives the focus to no button that is clicked."""
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    page.evaluate(
        "addEventListener('mousedown', event => event.target.closest('label, button') && event.preventDefault())"
    )
    row = page.locator("fieldset.rating").first

    row.locator("label").nth(1).click()

    expect(row).to_have_class(re.compile(r"\bcurrent\b"))
    page.locator(".detail.current [data-add-reason]").click()
    page.keyboard.insert_text("The garden has no wall.")
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    assert "The garden has no wall." in str(Draft.objects.get(assignment=assignment).body)
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowDown")
    expect(page.locator("fieldset.rating").nth(1)).to_have_class(re.compile(r"\bcurrent\b"))


def test_keys_go_from_row_to_row_after_a_press_that_was_no_click(open_page):
    _, annotator, path = held_item()
    page = open_page(annotator, path)
    page.locator(".prose p").first.click(button="right")
    page.keyboard.press("Escape")

    row = page.locator("fieldset.rating").nth(1)
    row.locator("input").first.focus()

    expect(row).to_have_class(re.compile(r"\bcurrent\b"))
