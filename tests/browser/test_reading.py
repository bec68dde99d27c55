"""Reading an item: sides beside each other or one at a time, pictures, what folds, what is said."""

import re
from itertools import pairwise

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from annotation.actions.assignments import claim_next
from annotation.choices import BatchKind, SlotState
from annotation.models import Draft, Judgment, Response, Slot, Turn
from tests.browser.steps import (
    GRADED,
    answer_everything,
    held_item,
    nothing_found,
    with_files,
)
from tests.factories import (
    make_batch,
    make_dialogue,
    make_image,
    make_item,
    make_member,
    make_path,
    make_slot,
    make_tree,
)
from tests.worlds import open_batch_with

PHONE = {"width": 390, "height": 844}
TOP = "document.querySelector('.turn-apart').getBoundingClientRect().top"
LONG = "\n\n".join(
    f"Paragraph {n} of a long answer, with words enough for a line." for n in range(40)
)


def until(page: Page, expression: str) -> None:
    """Wait until the expression holds; the page's own policy forbids it to evaluate strings."""
    for _ in range(100):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(expression)


def picture_for(response: Response, *, width: int = 600, height: int = 400, position: int = 0):
    return make_slot(
        response=response,
        image=with_files(make_image(width=width, height=height)),
        position=position,
    )


def pair_with_pictures(**more):
    """A held turn pair with one picture on each side, and the page's address."""
    assignment, annotator, path = held_item(**more)
    for side in (assignment.item.response_1, assignment.item.response_2):
        picture_for(side)
    return assignment, annotator, path


def sides_of(assignment) -> dict[str, Response]:
    item = assignment.item
    first, second = item.response_1, item.response_2
    return dict(
        zip("AB", (first, second) if assignment.shown_first == 1 else (second, first), strict=True)
    )


# One side at a time, and sides that scroll apart


def test_one_key_lays_the_sides_in_one_column_and_another_flips_them_in_place(open_page):
    assignment, annotator, path = pair_with_pictures()
    Response.objects.filter(pk=assignment.item.response_1_id).update(text=LONG)
    page = open_page(annotator, path)
    a, b = page.locator(".answer-A"), page.locator(".answer-B")
    page.locator(".turn-apart").scroll_into_view_if_needed()

    with page.expect_response("**/screen/columns/"):
        page.keyboard.press("l")
    expect(b).to_be_hidden()
    expect(page.locator("fieldset.rating[data-letter=B]").first).to_be_visible()
    before = page.evaluate(TOP)
    page.keyboard.press("v")
    expect(a).to_be_hidden()
    expect(b).to_be_visible()
    assert abs(page.evaluate(TOP) - before) <= 1
    b.get_by_role("button", name="Show A").click()
    expect(a.get_by_role("button", name="Show B")).to_be_focused()

    elsewhere = open_page(annotator, path)
    expect(elsewhere.locator(".answer-B")).to_be_hidden()
    with elsewhere.expect_response("**/screen/columns/"):
        elsewhere.keyboard.press("l")
    expect(elsewhere.locator(".answer-B")).to_be_visible()


def test_where_one_side_is_shown_it_is_the_side_one_rates_and_each_is_rated_whole(open_page):
    _assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    with page.expect_response("**/screen/columns/"):
        page.keyboard.press("l")
    shown = page.locator("body")
    letters = []

    page.keyboard.press("Enter")
    for _ in range(8):
        row = page.locator("fieldset.rating:focus-within")
        letters.append(row.get_attribute("data-letter"))
        expect(shown).to_have_attribute("data-side", letters[-1])
        page.keyboard.press("2")
        expect(page.locator("fieldset.rating input:checked")).to_have_count(len(letters))

    assert "".join(letters) == "AAAABBBB"
    expect(page.locator("fieldset.preference:focus-within")).to_have_count(1)


def test_where_one_side_is_shown_the_inspector_leaves_the_overall_answer_free(open_page):
    _assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    with page.expect_response("**/screen/columns/"):
        page.keyboard.press("l")

    page.locator(".turn-apart fieldset.rating").last.locator("input").nth(2).click()

    inspector = page.locator(".detail.current .inspector").bounding_box()
    overall = page.locator("#overall").bounding_box()
    assert inspector["y"] + inspector["height"] <= overall["y"]


@pytest.mark.parametrize("kind", [BatchKind.TURN_PAIR, BatchKind.CONVERSATION])
def test_where_one_side_is_read_at_a_time_a_prompt_has_the_place_and_measure_of_its_answer(
    open_page, kind
):
    _, annotator, path = held_item(kind)
    Turn.objects.update(prompt=LONG)
    Response.objects.update(text=LONG)
    page = open_page(annotator, path)
    if kind == BatchKind.TURN_PAIR:
        with page.expect_response("**/screen/columns/"):
            page.keyboard.press("l")

    turn = page.locator(".turn-rated").first
    prompt = turn.locator(".prompts .prose p").first.bounding_box()
    answer = turn.locator(".answer .prose:visible p").first.bounding_box()
    assert (prompt["x"], prompt["width"]) == (answer["x"], answer["width"])


def test_sides_scroll_together_until_that_is_switched_off(open_page):
    assignment, annotator, path = held_item()
    Response.objects.filter(
        pk__in=[assignment.item.response_1_id, assignment.item.response_2_id]
    ).update(text=LONG)
    page = open_page(annotator, path)
    first_lines = [page.locator(f".answer-{side} .prose p").first for side in "AB"]

    def tops():
        return [line.bounding_box()["y"] for line in first_lines]

    page.get_by_text("View", exact=True).click()
    with page.expect_response("**/screen/columns/"):
        page.get_by_label("Sides scroll apart").check()
    page.keyboard.press("Escape")
    page.locator(".turn-apart").evaluate("one => one.scrollIntoView()")
    page.locator(".answer-A").hover()
    before = tops()
    page.mouse.wheel(0, 300)
    until(page, "document.querySelector('.answer-A').scrollTop > 200")
    after = tops()
    assert after[0] < before[0] - 200
    assert abs(after[1] - before[1]) <= 1

    with page.expect_response("**/screen/columns/"):
        page.keyboard.press("m")
    before = tops()
    place = page.evaluate("scrollY")
    page.mouse.wheel(0, 300)
    until(page, f"scrollY >= {place + 200}")
    after = tops()
    assert abs((before[0] - after[0]) - (before[1] - after[1])) <= 1


def test_in_the_viewer_the_tab_key_goes_as_the_eye_does(open_page):
    _assignment, annotator, path = pair_with_pictures()
    for viewport in (PHONE, {"width": 1440, "height": 900}):
        page = open_page(annotator, path, viewport=viewport)
        page.locator("[data-viewer]:visible").first.click()
        expect(page.locator("#viewer [data-state=shown]").first).to_be_visible()

        stops = page.locator(".viewer-head :is(button, input):visible:enabled")
        boxes = [stop.bounding_box() for stop in stops.all()]
        places = [(box["y"] // 40, box["x"]) for box in boxes]
        assert len(places) >= 6
        assert places == sorted(places)


# What folds


def test_the_turns_before_fold_once_rating_begins_and_one_key_goes_there_and_back(open_page):
    assignment, annotator, path = held_item()
    Response.objects.exclude(
        pk__in=[assignment.item.response_1_id, assignment.item.response_2_id]
    ).update(text=LONG)
    page = open_page(annotator, path)
    prefix = page.locator("#prefix")
    expect(prefix).to_have_attribute("open", "")

    page.keyboard.press("Enter")
    before = page.evaluate(TOP)
    page.keyboard.press("2")
    expect(prefix).not_to_have_attribute("open", "")
    assert abs(page.evaluate(TOP) - before) <= 1

    page.keyboard.press("o")
    expect(prefix).to_have_attribute("open", "")
    expect(prefix.get_by_text("Paragraph 0 of a long answer").first).to_be_in_viewport()
    page.keyboard.press("o")
    expect(prefix).not_to_have_attribute("open", "")
    assert abs(page.evaluate(TOP) - before) <= 1


def test_a_prefix_that_was_read_in_another_pair_is_folded_and_one_judged_again_is_not(open_page):
    annotator = make_member()
    sides = list(make_tree(paths=3, turns=2, fork=2).responses.full().order_by("pk"))
    folded = []
    for first, second in ((0, 1), (0, 1), (0, 2)):  # the second is the first pair again
        batch = make_batch(members=[annotator], settings=GRADED)
        make_item(batch, sides[first], sides[second])
        held = claim_next(batch, by=annotator, now=timezone.now())
        page = open_page(annotator, f"/items/{held.public_id}/")
        folded.append(page.locator("#prefix").get_attribute("open") is None)
        answer_everything(page)
        page.keyboard.press("Control+Enter")
        page.wait_for_url(lambda url, held=held: held.public_id not in url)

    assert folded == [False, False, True]


def test_the_whole_prompt_is_one_key_away_while_its_first_line_sticks(open_page):
    assignment, annotator, path = held_item()
    turn = assignment.item.response_1.turn
    turn.prompt = "First words. " + "More of the prompt. " * 60 + "Last words."
    turn.save()
    Response.objects.update(text=LONG)
    page = open_page(annotator, path)
    page.locator(".turn-apart .answer-A .prose p").nth(20).evaluate("one => one.scrollIntoView()")
    line = page.locator(".turn-apart [data-prompt-line]")
    expect(line.get_by_role("button", name="All of it")).to_be_visible()

    page.keyboard.press("p")
    expect(line.get_by_text("Last words.")).to_be_visible()
    page.keyboard.press("p")
    expect(line.get_by_text("Last words.")).to_be_hidden()


# Pictures


def test_the_three_reasons_for_no_picture_are_three_blocks_and_only_a_lost_one_can_be_reported(
    open_page,
):
    assignment, annotator, path = held_item()
    side = assignment.item.response_1
    for position, state in enumerate(
        (SlotState.NEVER_MADE, SlotState.MISSING, SlotState.WITHDRAWN)
    ):
        make_slot(response=side, state=state, position=position)
    page = open_page(annotator, path)

    never, lost, withdrawn = (
        page.locator(f".answer figure.slot-{one}") for one in ("never", "broken", "withdrawn")
    )
    expect(never).to_contain_text("Rate the answer as it stands")
    expect(lost).to_contain_text("it is not a score")
    expect(withdrawn).to_contain_text("Do not rate it")
    looks = [
        one.evaluate(
            "one => { const s = getComputedStyle(one); return [s.borderTopStyle, s.borderLeftWidth, s.backgroundColor].join() }"
        )
        for one in (never, lost, withdrawn)
    ]
    assert len(set(looks)) == 3
    expect(lost.get_by_role("link", name="Report and skip")).to_be_visible()
    expect(page.get_by_role("link", name="Report and skip")).to_have_count(1)
    lost.get_by_role("link", name="Try again").click()
    expect(page).to_have_url(re.compile(r"\?again$"))
    expect(page.locator(".locked").first).to_contain_text("It is not a score")


def test_a_stored_picture_that_does_not_come_is_said_and_its_ratings_wait_until_it_does(open_page):
    assignment, annotator, path = held_item()
    picture_for(sides_of(assignment)["A"])
    page = open_page(annotator, "/")
    page.route("**/images/**", lambda route: route.abort())
    page.goto(page.url.rstrip("/") + path)
    block = page.locator(".answer-A [data-failed]")
    page.locator(".answer-A figure").scroll_into_view_if_needed()

    expect(block.get_by_text("This image could not be loaded")).to_be_visible()
    held = page.locator("fieldset.rating.held")
    rows_about_images = held.count()
    assert rows_about_images >= 1
    expect(page.locator("#missing")).to_contain_text("its image could not be loaded")
    page.keyboard.press("Enter")
    expect(block.get_by_role("button", name="Try again")).to_be_focused()
    page.unroute("**/images/**")
    page.keyboard.press("Enter")

    expect(block).to_be_hidden()
    expect(held).to_have_count(0)
    expect(page.locator("#missing")).not_to_contain_text("could not be loaded")
    answer_everything(page)


def test_looked_at_means_half_in_view_for_a_second_at_three_hundred_pixels_or_opened(open_page):
    assignment, annotator, path = held_item(BatchKind.CONVERSATION)
    for position in range(9):
        picture_for(assignment.item.response_1, position=position, width=600 + position)
    page = open_page(annotator, path)
    small = page.locator(".gallery figure").first

    small.scroll_into_view_if_needed()
    assert small.locator(".picture img").bounding_box()["width"] < 300
    page.wait_for_timeout(1500)
    expect(small.locator("[data-looked]")).to_be_hidden()
    small.locator("[data-viewer]").click()
    expect(page.locator("#viewer [data-state=shown]")).to_have_count(1)
    page.keyboard.press("Escape")

    expect(small.locator("[data-looked]")).to_be_visible()


def test_the_reminder_lists_all_that_were_not_looked_at_and_leads_from_one_to_the_next(open_page):
    assignment, annotator, path = held_item(BatchKind.CONVERSATION)
    Response.objects.filter(pk=assignment.item.response_1_id).update(text=LONG)
    slots = [picture_for(assignment.item.response_1, position=n, height=900 + n) for n in range(3)]
    page = open_page(annotator, path)
    answer_everything(page)
    page.evaluate("window.scrollTo(0, 0)")

    page.keyboard.press("Control+Enter")
    dialog = page.locator("#unseen")
    expect(dialog).to_be_visible()
    lines = dialog.locator("li")
    listed = lines.count()
    assert listed >= 2
    dialog.get_by_role("button", name="Show me the next").click()
    strip = page.locator("#unseen-left")
    expect(page.locator("[data-viewer]:focus")).to_have_count(1)
    looked = page.locator("figure:has([data-viewer]:focus) [data-looked]")
    for _ in range(listed):  # after the last one, the focus is on the way to send
        expect(looked.or_(page.locator("#submit:focus"))).to_be_visible()
        if strip.is_visible():
            strip.get_by_role("button", name="Show me the next").click()
    expect(strip).to_be_hidden()
    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("The item before is sent.")).to_be_visible()
    judgment = Judgment.objects.get(assignment=assignment)
    assert set(judgment.images_seen) == {slot.image.sha256 for slot in slots}


def test_the_viewer_shows_a_beside_b_moves_both_and_can_be_untied(open_page):
    _assignment, annotator, path = pair_with_pictures()
    page = open_page(annotator, path)
    page.locator(".answer-A [data-viewer]").click()
    viewer = page.locator("#viewer")
    pictures = viewer.locator("[data-picture]")
    expect(viewer.locator("[data-pane][data-state=shown]")).to_have_count(2)

    def widths():
        return [round(one.bounding_box()["width"]) for one in pictures.all()]

    assert widths() == [600, 600]
    for _ in range(3):
        page.keyboard.press("+")
    assert widths()[0] == widths()[1] > 1000
    expect(viewer.locator("[data-mini]").first).to_be_visible()
    left = [one.bounding_box()["x"] for one in pictures.all()]
    page.keyboard.press("ArrowRight")
    moved = [one.bounding_box()["x"] for one in pictures.all()]
    assert moved[0] < left[0]
    assert left[0] - moved[0] == pytest.approx(left[1] - moved[1], abs=1)
    page.keyboard.press("1")
    assert widths() == [600, 600]

    viewer.get_by_label("Move both together").uncheck()
    viewer.locator("[data-pane='1']").focus()
    page.keyboard.press("+")
    assert widths() == [600, 750]
    page.keyboard.press("0")
    assert widths() == [600, 600]


def test_what_is_rated_and_remarked_in_the_viewer_is_rated_and_remarked_in_the_form(open_page):
    assignment, annotator, path = pair_with_pictures()
    page = open_page(annotator, path)
    page.keyboard.press("z")
    viewer = page.locator("#viewer")
    foot = viewer.locator("[data-foot='1']")

    row = foot.locator("fieldset.rating").first
    row.locator("input").first.focus()
    page.keyboard.press("3")
    foot.get_by_label("Remark on image 1").fill("The sky is green.")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")

    expect(viewer).to_be_hidden()
    b = sides_of(assignment)["B"]
    expect(page.locator(f'fieldset.rating[id^="q-{b.public_id}"] input:checked')).to_have_value("3")
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    body = Draft.objects.get(assignment=assignment).body
    assert [one["score"] for one in body["ratings"][b.public_id].values()] == [3]
    slot = Slot.objects.get(response=b)
    assert body["remarks"][f"image:{slot.pk}"]["text"] == "The sky is green."


def test_the_viewer_goes_from_picture_to_picture_by_keys_and_says_where_there_is_none(open_page):
    assignment, annotator, path = pair_with_pictures()
    picture_for(sides_of(assignment)["A"], position=1, width=500)
    page = open_page(annotator, path)
    page.locator(".answer-B [data-viewer]").click()
    viewer = page.locator("#viewer")
    expect(viewer.locator("[data-viewer-count]")).to_have_text("1 of 2")

    page.keyboard.press("PageDown")
    expect(viewer.locator("[data-viewer-count]")).to_have_text("2 of 2")
    expect(viewer.get_by_text("B has no image at this place.")).to_be_visible()
    viewer.locator("[data-pane='1']").click()
    page.keyboard.press("1")
    expect(viewer.locator("[data-zoom=one]")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.locator(".answer-A [data-viewer]").nth(1)).to_be_focused()


def test_a_key_of_the_viewer_counts_although_its_picture_is_still_on_the_way(open_page):
    _assignment, annotator, path = pair_with_pictures()
    page = open_page(annotator, path)
    held, waits = [], [True]
    page.route("**/images/**", lambda one: held.append(one) if waits else one.continue_())
    page.locator(".answer-B [data-viewer]").click()
    viewer = page.locator("#viewer")
    expect(viewer).to_be_visible()

    page.keyboard.press("1")
    expect(viewer.locator("[data-zoom=one]")).to_have_attribute("aria-pressed", "true")
    waits.clear()
    for one in held:
        one.continue_()

    expect(viewer.locator("[data-pane='1']")).to_have_attribute("data-state", "shown")
    expect(viewer.locator("[data-zoom=one]")).to_have_attribute("aria-pressed", "true")


def long_conversation():
    """A held conversation of 18 turns whose last answer has 37 pictures."""
    batch = make_batch(kind=BatchKind.CONVERSATION, members=[annotator := make_member()])
    last = make_path(make_dialogue(), turns=18)
    for position in range(37):
        picture_for(last, position=position, width=640 + position, height=480)
    make_item(batch, last)
    held = claim_next(batch, by=annotator, now=timezone.now())
    return held, annotator, f"/items/{held.public_id}/"


@pytest.mark.parametrize("viewport", [{"width": 1440, "height": 900}, PHONE])
def test_eighteen_turns_and_thirty_seven_pictures_stay_usable(open_page, viewport):
    held, annotator, path = long_conversation()
    page = open_page(annotator, "/", viewport=viewport)
    asked: list[str] = []
    page.on("request", lambda request: "/images/" in request.url and asked.append(request.url))
    page.evaluate("window.shifts = 0")
    page.goto(page.url.rstrip("/") + path)
    page.evaluate(
        "window.shifts = 0; new PerformanceObserver(list => { for (const one of list.getEntries()) "
        "if (!one.hadRecentInput) window.shifts += one.value }).observe({type: 'layout-shift', buffered: true})"
    )
    assert len(asked) < 37  # far away ones are not asked for yet

    rail = page.locator(".rail li")
    expect(rail).to_have_count(19)
    page.locator('[data-rail="18"]').click()
    expect(page.locator(".gallery figure")).to_have_count(37)
    box = page.locator(".gallery").bounding_box()
    assert box["height"] < 37 * 110
    page.evaluate(
        "async () => { for (let y = scrollY; y < document.body.scrollHeight; y += 500) "
        "{ scrollTo(0, y); await new Promise(done => setTimeout(done, 60)) } }"
    )
    until(
        page,
        "[...document.querySelectorAll('.gallery .picture img')].every(one => one.naturalWidth)",
    )
    assert page.evaluate("window.shifts") < 0.02
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    if viewport == PHONE:
        return
    assert page.locator(".rail").evaluate("one => one.scrollHeight <= one.clientHeight")
    answer_everything_of_many(page)
    page.keyboard.press("Control+Enter")
    page.locator("#unseen").get_by_role("button", name="Send anyway").click()
    page.wait_for_url(lambda url: path not in url)
    assert Judgment.objects.get(assignment=held).ratings.count() == 18 * 4 + 5


@pytest.mark.parametrize("width", [1120, 1280, 1440])
def test_the_choices_of_a_preference_lie_beside_each_other_and_can_be_hit(open_page, width):
    _, annotator, path = held_item()
    page = open_page(annotator, path, viewport={"width": width, "height": 900})
    for preference in page.locator(".matrix fieldset.preference").all():
        boxes = [pill.bounding_box() for pill in preference.locator(".pill").all()]
        assert len(boxes) == 6
        assert min(min(box["width"], box["height"]) for box in boxes) >= 23.5
        for before, after in pairwise(boxes):
            assert before["x"] + before["width"] <= after["x"] + 1.5
        matrix = page.locator(".matrix").first.bounding_box()
        assert boxes[-1]["x"] + boxes[-1]["width"] <= matrix["x"] + matrix["width"]


@pytest.mark.parametrize("viewport", [{"width": 1440, "height": 900}, PHONE])
def test_the_rail_of_many_turns_shows_where_one_is_and_covers_no_number(open_page, viewport):
    batch = make_batch(kind=BatchKind.CONVERSATION_PAIR, members=[annotator := make_member()])
    make_item(batch, *make_tree(paths=2, turns=18, fork=2).responses.full().order_by("pk"))
    held = claim_next(batch, by=annotator, now=timezone.now())
    page = open_page(annotator, f"/items/{held.public_id}/", viewport=viewport)

    page.locator("#turn-16").evaluate("one => one.scrollIntoView({ behavior: 'instant' })")

    here = page.locator('.rail [aria-current="true"]')
    expect(here).to_have_attribute("data-rail", "16")
    expect(here).to_be_in_viewport(ratio=1)
    number, mark = here.locator(".rail-name"), here.locator(".mark").first
    edges = "one => { const range = document.createRange(); range.selectNodeContents(one); return range.getBoundingClientRect().toJSON() }"
    words, box = number.evaluate(edges), mark.bounding_box()
    assert words["right"] <= box["x"] or words["top"] >= box["y"] + box["height"]


def answer_everything_of_many(page: Page) -> None:
    for _step in range(200):
        if page.locator("#missing").get_attribute("data-state") == "ready":
            return
        page.keyboard.press("Enter")
        page.keyboard.press("2")
    raise AssertionError(page.locator("#missing").inner_text())


# Keys and words


def test_the_question_about_a_contradiction_is_asked_once_per_item(open_page):
    _, annotator, path = held_item()
    page = open_page(annotator, path)
    rows = page.locator(".dimension").all()
    for dimension in rows[:2]:
        a, b = dimension.locator("fieldset.rating").all()
        a.locator('input[value="3"]').click()
        b.locator('input[value="0"]').click()
        dimension.locator('input[data-key="b"]').click()
    questions = page.locator("[data-contradiction]:visible")

    expect(questions).to_have_count(1)
    questions.get_by_role("button", name="Yes, keep both").click()
    expect(questions).to_have_count(0)


@pytest.mark.parametrize("composed", ["你好", "にほん"])
def test_while_an_input_method_composes_no_key_means_anything_else(open_page, composed):
    _, annotator, path = held_item()
    page = open_page(annotator, path)
    why = page.get_by_label("Why, in two or three sentences")
    why.click()
    browser = page.context.new_cdp_session(page)

    browser.send("Input.imeSetComposition", {"text": "ni", "selectionStart": 2, "selectionEnd": 2})
    for key, code in (
        ("Process", "Enter"),
        ("Process", "Escape"),
        ("Process", "Digit2"),
        ("Process", "KeyB"),
    ):
        browser.send(
            "Input.dispatchKeyEvent",
            {"type": "rawKeyDown", "key": key, "code": code, "windowsVirtualKeyCode": 229},
        )
    expect(why).to_be_focused()
    browser.send("Input.insertText", {"text": composed})

    expect(why).to_have_value(composed)
    expect(why).to_be_focused()
    expect(page.locator("fieldset input:checked")).to_have_count(0)
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    assert Draft.objects.get().body["remarks"]["rationale"]["text"] == composed


def test_keys_go_by_their_place_whatever_they_print(open_page):
    _, annotator, path = held_item()
    page = open_page(annotator, path)
    page.keyboard.press("Enter")
    browser = page.context.new_cdp_session(page)

    # A French keyboard prints "é" on the key of the 2, a Russian one "т" on that of the N.
    browser.send(
        "Input.dispatchKeyEvent", {"type": "keyDown", "key": "é", "code": "Digit2", "text": "é"}
    )
    browser.send(
        "Input.dispatchKeyEvent", {"type": "keyDown", "key": "т", "code": "KeyN", "text": "т"}
    )

    rows = page.locator("fieldset.rating")
    expect(rows.nth(0).locator("input:checked")).to_have_value("2")
    expect(rows.nth(1).locator("input:checked")).to_have_value("na")


def test_on_a_phone_one_answers_the_side_in_view_before_the_other(open_page):
    _, annotator, path = held_item()
    page = open_page(annotator, path, viewport=PHONE)
    page.keyboard.press("Enter")

    letters = []
    for _ in range(8):
        letters.append(page.evaluate("document.activeElement.closest('fieldset').dataset.letter"))
        page.keyboard.press("2")

    assert letters == ["A"] * 4 + ["B"] * 4
    expect(page.locator(".answer-B")).to_be_visible()


def test_what_is_chosen_is_told_without_own_colours(open_page):
    _, annotator, path = held_item()
    page = open_page(annotator, path, forced_colors="active")
    row = page.locator("fieldset.rating").first
    row.locator('input[value="2"]').click()
    ground = "one => getComputedStyle(one).backgroundColor"

    chosen, other = (
        row.locator(f".point:has([value='{value}'])").evaluate(ground) for value in "23"
    )
    assert chosen != other


def test_high_contrast_follows_the_system_and_ones_own_choice(open_page):
    _, annotator, path = held_item()
    ink = "getComputedStyle(document.body).color"

    page = open_page(annotator, path, contrast="more")
    assert page.evaluate(ink) == "rgb(0, 0, 0)"
    page = open_page(annotator, path)
    assert page.evaluate(ink) != "rgb(0, 0, 0)"
    page.locator(".menu:has(.person) > summary").click()
    page.get_by_label("Contrast").select_option("more")
    page.get_by_role("button", name="Keep").click()
    page.wait_for_load_state()

    assert page.evaluate(ink) == "rgb(0, 0, 0)"


def test_read_only_items_cannot_be_changed_by_keys(open_page):
    batch, (annotator, _) = open_batch_with(settings=GRADED)
    held = claim_next(batch, by=annotator, now=timezone.now())
    batch.state = "closed"
    batch.save(update_fields=["state"])
    page = open_page(annotator, f"/items/{held.public_id}/")

    page.locator("fieldset.rating").first.evaluate("one => one.scrollIntoView()")
    page.keyboard.press("Enter")
    page.keyboard.press("2")
    page.keyboard.press("a")

    expect(page.locator("fieldset input:checked")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_state_of_the_page(open_page, scheme):
    assignment, annotator, path = pair_with_pictures()
    a, b = assignment.item.response_1, assignment.item.response_2
    Response.objects.filter(pk=a.pk).update(
        text="# Title\n\n| a | b |\n|-|-|\n| 1 | 2 |\n\n```python\nx = 1  # one\n```\n\n$$\\int_0^1 x$$"
    )
    for position, state in enumerate(
        (SlotState.NEVER_MADE, SlotState.MISSING, SlotState.WITHDRAWN)
    ):
        make_slot(response=b, state=state, position=position + 1)
    page = open_page(annotator, path, color_scheme=scheme, bypass_csp=True)

    nothing_found(page)
    page.keyboard.press("Enter")
    page.keyboard.press("g")
    nothing_found(page)
    page.keyboard.press("g")
    page.keyboard.press("z")
    expect(page.locator("#viewer [data-state=shown]").first).to_be_visible()
    nothing_found(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+?")
    nothing_found(page)
    page.keyboard.press("Escape")
    for key in "lm":
        page.keyboard.press(key)
        nothing_found(page)
