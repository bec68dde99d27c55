"""WCAG 2.2 AA on every page: axe finds nothing, and what axe cannot see is asked of the browser.

Pages come from the URLconf, so a new page is looked at without being named here.
"""

import itertools
import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import transaction
from django.test import Client
from playwright.sync_api import Page, expect

from annotation.choices import AssignmentState, BatchKind, BatchState
from annotation.models import Assignment, Member, User
from tests.browser.conftest import sign_in
from tests.browser.steps import answer_everything, held_item, stands, with_files
from tests.canaries import World, plant
from tests.factories import make_image, make_slot
from tests.walker import addresses

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = {"width": 390, "height": 844}
NARROW = {"width": 320, "height": 640}
DESK = {"width": 1440, "height": 900}


@pytest.fixture
def world(live_server, media) -> World:
    return plant()


def faults(page: Page, *rules: str) -> list[str]:
    """Return what axe finds: rule, element and the reason."""
    run = {"type": "rule", "values": list(rules)} if rules else {"type": "tag", "values": TAGS}
    found = Axe().run(page, options={"resultTypes": ["violations"], "runOnly": run})
    return [
        f"{one['id']}: {node['target']} {node['failureSummary'][:300]}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]


def faults_in_all_lights(page: Page) -> list[str]:
    """Return what axe finds in light, in dark and on a phone, each told once."""
    stands(page)
    page.emulate_media(reduced_motion="reduce")  # else colours are caught on their way
    found = faults(page)
    page.emulate_media(color_scheme="dark")
    found += [f"dark {one}" for one in faults(page, "color-contrast")]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    stands(page)
    page.evaluate("scrollTo(0, 0)")  # what a bar covers while one scrolls is no target yet
    found += [f"390 {one}" for one in faults(page)]
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    return found


def html_pages(world: World, member: Member) -> list[str]:
    """Return the addresses that give the member a page of HTML, one of each route, ours alone."""
    client = Client()
    assert member.user is not None
    client.force_login(member.user)
    pages: dict[str, str] = {}
    for route, path in addresses(world, own=member == world.walker):
        if "api" in route.name or route.name in pages or route.name.startswith("admin:"):
            continue
        if "size>" in route.text or route.name == "annotation:sign-in-link":
            continue
        with transaction.atomic():
            answer = client.get(path)
            transaction.set_rollback(True)
        if answer.status_code == 200 and b"<html" in answer.getvalue():
            pages[route.name] = path
    return list(pages.values())


@pytest.mark.parametrize("role", ["annotator", "reviewer", "lead"])
def test_axe_finds_nothing_on_any_page(open_page, world, role):
    members = {
        "annotator": world.walker,
        "reviewer": Member.objects.get(role="reviewer"),
        "lead": world.lead,
    }
    member = members[role]
    paths = html_pages(world, member)
    page = open_page(member)
    found = {}
    for path in paths:
        page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/")[2] + path)
        if wrong := faults_in_all_lights(page):
            found[path] = wrong

    assert found == {}
    assert len(paths) >= {"annotator": 5, "reviewer": 7, "lead": 14}[role]


@pytest.mark.parametrize("kind", list(BatchKind))
def test_axe_finds_nothing_while_an_item_is_judged(open_page, kind):
    _assignment, annotator, path = held_item(kind)
    page = open_page(annotator, path)
    untouched = faults_in_all_lights(page)
    page.keyboard.press("Enter")
    focused = faults(page)
    answer_everything(page)

    assert (untouched, focused, faults_in_all_lights(page)) == ([], [], [])


@pytest.mark.parametrize("dialog", ["skip", "flag", "conflict", "signed-out", "unseen", "keys"])
def test_axe_finds_nothing_in_an_open_dialog(open_page, dialog):
    _assignment, annotator, path = held_item()
    page = open_page(annotator, path)

    page.evaluate("(id) => document.getElementById(id).showModal()", dialog)

    assert faults_in_all_lights(page) == []


def test_axe_finds_nothing_in_the_viewer(open_page):
    assignment, annotator, path = held_item()
    for response in (assignment.item.response_1, assignment.item.response_2):
        make_slot(response=response, image=with_files(make_image(width=320, height=240)))
    page = open_page(annotator, path)

    page.locator("[data-viewer]").first.click()

    expect(page.locator("#viewer")).to_be_visible()
    assert faults_in_all_lights(page) == []


def _submitted(assignment: Assignment) -> None:
    assignment.state = AssignmentState.SUBMITTED
    assignment.submitted_at = assignment.claimed_at
    assignment.save()


def _lapsed(assignment: Assignment) -> None:
    assignment.state = AssignmentState.LAPSED
    assignment.seat = None
    assignment.lease_until = None
    assignment.save()


def _closed(assignment: Assignment) -> None:
    assignment.item.batch.state = BatchState.CLOSED
    assignment.item.batch.save()


def _paused(assignment: Assignment) -> None:
    assignment.item.batch.state = BatchState.PAUSED
    assignment.item.batch.save()


@pytest.mark.parametrize(
    "state", [_submitted, _lapsed, _closed, _paused], ids=lambda one: one.__name__[1:]
)
def test_axe_finds_nothing_on_an_item_in_any_state(open_page, state):
    assignment, annotator, path = held_item()
    state(assignment)

    assert faults_in_all_lights(open_page(annotator, path)) == []


def test_axe_finds_nothing_before_sign_in_and_on_errors(open_page, world):
    page = open_page(world.walker, "/nothing/here/")
    missing = faults_in_all_lights(page)
    page.context.clear_cookies()
    page.goto(page.url.split("/nothing")[0] + "/sign-in/")

    assert (missing, faults_in_all_lights(page)) == ([], [])


def test_axe_finds_nothing_on_the_admins_own_pages(browser, live_server, world):
    # Unwatched: axe itself tries a style that the admin's policy refuses.
    world.lead.user.is_staff = world.lead.user.is_superuser = True
    world.lead.user.save()
    context = browser.new_context()
    sign_in(context, world.lead, live_server.url)
    page = context.new_page()
    found = {}
    for path in ("batch/add", "goldanswer/add", "void/add", "import/add", "guideline/add"):
        page.goto(f"{live_server.url}/admin/annotation/{path}/")
        found[path] = [one for one in faults(page) if "#content-main" in one]
    context.close()

    assert {path: wrong for path, wrong in found.items() if wrong} == {}


# --- What axe cannot see ------------------------------------------------------------------------


def tree_of(page: Page) -> list[dict[str, Any]]:
    """Return the accessibility tree as the browser tells it to a screen reader."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    return [
        {"role": one["role"]["value"], "name": one.get("name", {}).get("value", "")}
        for one in nodes
        if not one.get("ignored")
    ]


def named(tree: list[dict[str, Any]], role: str) -> list[str]:
    return [one["name"] for one in tree if one["role"] == role]


def test_a_screen_reader_hears_what_each_row_asks_and_what_each_choice_means(open_page):
    _assignment, annotator, path = held_item(BatchKind.CONVERSATION_PAIR)
    tree = tree_of(open_page(annotator, path))
    groups, choices = named(tree, "group"), named(tree, "radio")

    assert any(name.startswith("Turn 2, A: text_quality") for name in groups), groups
    assert any(name.startswith("Whole, B: helpfulness") for name in groups), groups
    assert any("which side is better?" in name for name in groups), groups
    assert "2 word 2" in choices
    assert "not applicable" in choices
    assert "A is much better." in choices
    assert "" not in choices + named(tree, "button") + named(tree, "link")


def test_a_page_has_one_main_its_navigation_and_headings_in_order(open_page):
    _assignment, annotator, path = held_item(BatchKind.CONVERSATION_PAIR)
    for address in ("/", "/my-work/", path):
        page = open_page(annotator, address)
        tree = tree_of(page)
        levels = page.evaluate(
            "[...document.querySelectorAll('h1,h2,h3,h4')].filter(h => h.checkVisibility())"
            ".map(h => Number(h.tagName[1]))"
        )

        assert len(named(tree, "main")) == 1
        assert named(tree, "navigation")
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels)), levels


def test_saving_is_said_politely_and_refusals_at_once(open_page):
    _assignment, annotator, path = held_item()
    page = open_page(annotator, path)

    expect(page.locator("#saved")).to_have_attribute("role", "status")
    expect(page.locator("#missing")).to_have_attribute("role", "status")
    expect(page.locator("[data-sign-in-failed]")).to_have_attribute("role", "alert")


@pytest.mark.parametrize("kind", list(BatchKind))
def test_what_has_the_focus_is_never_hidden_under_a_bar(open_page, kind):
    _assignment, annotator, path = held_item(kind)
    page = open_page(annotator, path)
    hidden = []
    for _step in range(70):
        page.keyboard.press("Tab")
        told = page.evaluate(
            """() => {
              const one = document.activeElement;
              if (one === document.body || one.closest(".site-header, .bar, .skip-link, .rail")) return null;
              const target = one.closest("label, .point, .pill") ?? one;
              const box = target.getBoundingClientRect();
              if (!box.width || !box.height) return null;
              const within = (at, most) => Math.min(Math.max(at, 1), most - 1);
              const covered = [0.1, 0.5, 0.9].every((share) => {
                const x = within(box.x + box.width * share, innerWidth);
                const y = within(box.y + box.height * share, innerHeight);
                const over = document.elementFromPoint(x, y);
                return over?.closest(".site-header, .bar") && !target.contains(over);
              });
              return covered ? one.outerHTML.slice(0, 120) : "";
            }"""
        )
        if told:
            hidden.append(told)

    assert hidden == []


@pytest.mark.parametrize("kind", list(BatchKind))
def test_a_page_reflows_at_four_hundred_percent(open_page, kind):
    _assignment, annotator, path = held_item(kind)
    for address in ("/", "/my-work/", path):
        page = open_page(annotator, address, viewport=NARROW)
        wide = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )

        assert wide <= 0, address


def test_text_of_twice_the_size_stays_on_the_page(open_page):
    _assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    page.evaluate("document.documentElement.style.setProperty('font-size', '200%')")

    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")

    assert wide <= 0


@pytest.mark.parametrize("viewport", [DESK, PHONE])
def test_the_largest_text_one_can_choose_cuts_no_word_of_what_one_presses(open_page, viewport):
    _assignment, annotator, path = held_item(BatchKind.CONVERSATION_PAIR)
    User.objects.filter(pk=annotator.user.pk).update(text_size="larger")
    page = open_page(annotator, path, viewport=viewport)
    page.locator("fieldset.rating:visible input").first.focus()

    cut = page.evaluate(
        """() => [...document.querySelectorAll(".bar .button, .judge-header :is(a, p, summary), .rail-name, .point, .pill")]
          .filter((one) => one.checkVisibility())
          .filter((one) => {
            const box = one.getBoundingClientRect();
            const off = !one.closest(".rail") && (box.left < 0 || box.right > innerWidth);
            return off || one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline";
          })
          .map((one) => one.outerHTML.slice(0, 100))"""
    )
    header = page.locator(".judge-header").bounding_box()
    assert cut == []
    assert header["height"] <= 60


def test_forced_colours_keep_what_is_chosen_to_be_seen(open_page):
    _assignment, annotator, path = held_item()
    page = open_page(annotator, path, forced_colors="active")
    page.keyboard.press("Enter")
    page.keyboard.press("2")
    chosen, other = page.evaluate(
        """() => {
          const row = document.querySelector("fieldset.rating:has(input:checked)");
          const look = (one) => {
            const style = getComputedStyle(one.closest("label").querySelector("span"));
            return [style.backgroundColor, style.borderTopColor, style.borderTopWidth, style.outlineStyle].join();
          };
          return [look(row.querySelector("input:checked")), look(row.querySelector("input:not(:checked)"))];
        }"""
    )

    assert chosen != other


def test_nothing_moves_for_one_who_wants_no_motion(open_page):
    _assignment, annotator, path = held_item()
    page = open_page(annotator, path, reduced_motion="reduce")
    moving = page.evaluate(
        """() => [...document.querySelectorAll("*")].filter((one) => {
          const style = getComputedStyle(one);
          return parseFloat(style.transitionDuration) > 0.01 || parseFloat(style.animationDuration) > 0.01;
        }).map((one) => one.className).slice(0, 5)"""
    )

    assert moving == []
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") != "smooth"


def test_an_annotator_who_reads_chinese_chooses_it_and_judges_in_it(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    page.locator("details.menu summary.person").click()
    page.get_by_label("Language", exact=True).select_option("zh-hans")
    page.get_by_role("button", name="Keep").click()

    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(page.get_by_role("button", name="提交")).to_be_visible()
    prompt = page.locator(".prompt .prose").first
    assert prompt.get_attribute("translate") == "no"
    expect(page.locator("[data-missing-words]")).to_have_text(
        re.compile("^第 2 轮，A：[^,.:]+，[^,.:]+。共 \\d+ 处。$")
    )
    answer_everything(page)
    expect(page.locator("#missing")).to_contain_text("没有遗漏")
    expect(page.locator("#saved")).to_contain_text("已保存")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("上一题已提交。")).to_be_visible()
    assert assignment.judgments.get().language == "zh-hans"


def test_the_language_can_be_chosen_before_sign_in(browser, live_server):
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(live_server.url + "/sign-in/")

    page.get_by_role("button", name="简体中文").click()

    expect(page.get_by_role("heading", name="登录")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    context.close()
