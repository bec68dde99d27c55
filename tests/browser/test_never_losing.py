"""Bad luck in mid-item: no network, a dead server, a seat that lapsed, a break."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from playwright.sync_api import expect

from annotation.actions.assignments import claim_next, release_lapsed
from annotation.choices import AssignmentState, BatchKind
from annotation.models import Assignment, Draft, Judgment
from tests.browser.conftest import sign_in
from tests.browser.steps import answer_everything, given_scores, held_item

WHY = "Why, in two or three sentences"


def test_work_goes_on_without_a_network_and_arrives_when_it_is_back(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    saved = page.locator("#saved")
    page.context.set_offline(True)

    page.keyboard.press("Enter")
    page.keyboard.press("3")
    page.get_by_label(WHY).fill("Written on a train.")

    expect(saved).to_have_attribute("data-state", "failed")
    expect(saved).to_have_text("Not saved, trying again")
    bar = page.locator("#missing")
    expect(bar).to_contain_text("2 answers are not on the server yet.")
    assert not Draft.objects.filter(assignment=assignment).exists()
    page.context.set_offline(False)
    expect(saved).to_have_attribute("data-state", "saved")
    expect(bar).to_contain_text("answers in all.")
    kept = Draft.objects.get(assignment=assignment).body
    assert given_scores(kept) == [3]
    assert "Written on a train." in str(kept)


def test_a_submission_made_without_a_network_is_sent_once_when_it_is_back(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    answer_everything(page)
    page.context.set_offline(True)

    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("Not sent yet: the server does not answer.")).to_be_visible()
    expect(page.get_by_text("The item before is sent.")).to_have_count(0)
    page.context.set_offline(False)
    expect(page.get_by_text("The item before is sent.")).to_be_visible()
    assert Judgment.objects.filter(assignment=assignment).count() == 1


def test_a_seat_that_lapsed_is_taken_back_in_words_when_it_is_free(open_page):
    assignment, annotator, path = held_item(items=1)
    release_lapsed(now=timezone.now() + timedelta(hours=2))
    page = open_page(annotator, path)

    expect(page.get_by_text("Your time for this item ran out.")).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.press("2")

    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    assignment.refresh_from_db()
    assert assignment.state == AssignmentState.HELD


def test_work_whose_seat_is_gone_is_kept_and_said_so(open_page):
    assignment, annotator, path = held_item(items=1)
    page = open_page(annotator, path)
    release_lapsed(now=timezone.now() + timedelta(hours=2))
    batch = assignment.item.batch
    others = batch.participations.exclude(member=annotator)
    for one in others:
        claim_next(batch, by=one.member, now=timezone.now())
    assignment.item.seats.filter(state="open").update(state="closed")

    answer_everything(page)

    expect(page.locator("#saved")).to_have_text("Kept, but the seat is somebody else's now")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="My work")).to_be_visible()
    assignment.refresh_from_db()
    assert assignment.state == AssignmentState.SURPLUS
    assert Judgment.objects.filter(assignment=assignment).count() == 1


def test_an_item_is_held_for_a_break_from_its_page(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)

    page.get_by_role("link", name="Hold", exact=True).click()
    page.get_by_role("button", name="Hold it").click()

    expect(page.locator("#hold").get_by_text("1 of 3 holds used today.")).to_be_visible()
    assignment.refresh_from_db()
    assert assignment.lease_until > timezone.now() + timedelta(minutes=115)


def test_an_item_set_aside_is_saved_and_left_in_one_go(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    page.get_by_label(WHY).fill("Half a thought.")

    page.get_by_role("button", name="Set aside").click()

    expect(page.get_by_role("heading", name="Set aside")).to_be_visible()
    assert "Half a thought." in str(Draft.objects.get(assignment=assignment).body)
    assert Assignment.objects.get(pk=assignment.pk).aside_at is not None


def test_brackets_go_to_the_item_before_and_back_and_keep_what_is_entered(open_page):
    first, annotator, path = held_item(items=4)
    page = open_page(annotator, path)
    answer_everything(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("The item before is sent.")).to_be_visible()
    second = page.url
    page.keyboard.press("Enter")
    page.keyboard.press("1")

    page.keyboard.press("BracketLeft")

    expect(page.get_by_text("You have submitted this item.")).to_be_visible()
    assert page.url.endswith(path)
    page.keyboard.press("BracketRight")
    expect(page).to_have_url(second)
    expect(page.locator("fieldset.rating input:checked")).to_have_count(1)
    assert first.judgments.count() == 1


def test_a_rest_is_proposed_gently_and_never_while_one_writes(open_page):
    _, annotator, path = held_item()
    annotator.user.break_minutes = 25
    annotator.user.save(update_fields=["break_minutes"])
    page = open_page(annotator, path)
    page.evaluate(
        "window.pace.write({ since: Date.now() - 26 * 60000, last: Date.now(), snoozed: 0 })"
    )
    page.get_by_label(WHY).focus()
    page.wait_for_timeout(5000)
    expect(page.locator("#rest")).to_be_hidden()

    page.evaluate("document.activeElement.blur()")

    expect(page.locator("#rest")).to_be_visible()
    page.get_by_role("button", name="In ten minutes").click()
    expect(page.locator("#rest")).to_be_hidden()


class Server:
    """A real process that serves the test's database, to be killed and started again."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        database = connection.settings_dict
        if database["ENGINE"].endswith("sqlite3"):
            url = f"sqlite:///{database['NAME']}"
        else:
            url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)
        environment = os.environ | {
            "DATABASE_URL": url.replace("postgres://postgres:@", "postgres://postgres@"),
            "PUBLIC_URL": self.url,
            "VAR_DIR": str(settings.VAR_DIR),
            "SECRET_KEY": settings.SECRET_KEY,
            "PYTHONPATH": str(settings.BASE_DIR),
        }
        code = (
            "import sys; sys.modules['pytest'] = sys\n"
            "from django.core.management import execute_from_command_line as run\n"
            f"run(['manage.py', 'runserver', '--noreload', '127.0.0.1:{self.port}'])"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            env=environment | {"DJANGO_SETTINGS_MODULE": "intermt_annotate.settings"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"{self.url}/health/", timeout=2):
                    return
            except OSError:
                time.sleep(0.2)
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def server(transactional_db):
    served = Server()
    served.start()
    yield served
    served.kill()


def test_a_server_killed_between_click_and_reply_has_one_judgment_when_it_is_back(browser, server):
    assignment, annotator, path = held_item(BatchKind.TURN_PAIR)
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    sign_in(context, annotator, server.url)
    page = context.new_page()
    page.goto(server.url + path)
    answer_everything(page)

    def killed(route):
        route.fetch()  # the server takes it and dies before the reply reaches the page
        server.kill()
        route.abort()

    page.route(f"**{path}", killed, times=1)
    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("Not sent yet: the server does not answer.")).to_be_visible()
    assert Judgment.objects.filter(assignment=assignment).count() == 1
    server.start()
    expect(page.get_by_text("The item before is sent.")).to_be_visible(timeout=30_000)
    assert Judgment.objects.filter(assignment=assignment).count() == 1
    context.close()


def test_what_waits_is_sent_at_once_with_try_now(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    page.route("**/draft/", lambda route: route.abort())
    page.get_by_label(WHY).fill("Not yet there.")
    expect(page.locator("#missing")).to_contain_text("1 answer is not on the server yet.")
    page.unroute("**/draft/")

    page.get_by_role("button", name="Try now").click()

    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    expect(page.get_by_role("button", name="Try now")).to_be_hidden()
    assert "Not yet there." in str(Draft.objects.get(assignment=assignment).body)


def test_a_change_arrives_although_the_tab_is_closed_at_once(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    page.get_by_label(WHY).fill("The last words.")
    closing = page.context.new_page()  # keeps the browser open
    page.on("dialog", lambda dialog: dialog.accept())

    page.close(run_before_unload=True)

    for _try in range(50):
        if Draft.objects.filter(assignment=assignment).exists():
            break
        closing.wait_for_timeout(100)
    assert "The last words." in str(Draft.objects.get(assignment=assignment).body)


def test_the_last_answers_are_taken_back_and_given_again_by_key(open_page):
    assignment, annotator, path = held_item()
    page = open_page(annotator, path)
    chosen = page.locator("fieldset.rating input:checked")
    page.keyboard.press("Enter")
    page.keyboard.press("3")
    page.keyboard.press("2")
    expect(chosen).to_have_count(2)

    page.keyboard.press("Control+z")
    expect(chosen).to_have_count(1)
    page.keyboard.press("Control+z")
    expect(chosen).to_have_count(0)
    page.keyboard.press("Control+Shift+Z")
    expect(chosen).to_have_count(1)

    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    assert given_scores(Draft.objects.get(assignment=assignment).body) == [3]
    page.get_by_label(WHY).fill("Words.")
    page.get_by_label(WHY).press("Control+z")
    expect(chosen).to_have_count(1)
