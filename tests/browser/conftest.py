"""A real Chromium against the real server: the system's browser, nothing is downloaded.

Every page is watched: a script error, a message of the content security policy or a request to
another origin fails the test that caused it.
"""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.signals import request_finished, request_started
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from annotation.models import Member

expect.set_options(timeout=15_000)  # a busy machine is no defect

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)
            if not Path(CHROMIUM).exists():
                item.add_marker(pytest.mark.skip(reason=f"no Chromium at {CHROMIUM}"))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """Use the browser the system has."""
    return {
        **browser_type_launch_args,
        "executable_path": CHROMIUM,
        "args": ["--no-sandbox", "--disable-background-networking", "--disable-dev-shm-usage"],
    }


class Watch:
    """What a page did that it must not do."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.faults: list[str] = []

    def page(self, page: Page) -> Page:
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.on("console", lambda message: self._console(message.type, message.text))
        page.on("request", lambda request: self._request(request.url))
        return page

    def _console(self, kind: str, text: str) -> None:
        # Chromium reports refused and failed requests by itself; tests cause those on purpose.
        if kind == "error" and "Failed to load resource" not in text:
            self.faults.append(f"console: {text}")

    def _request(self, url: str) -> None:
        if not url.startswith((self.origin, "blob:", "about:")):
            self.faults.append(f"left the origin: {url}")


def sign_in(context: BrowserContext, member: Member, origin: str) -> None:
    """Give the browser a session of the member's user, without the form."""
    assert member.user is not None
    session = SessionStore()
    session[SESSION_KEY] = str(member.user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = member.user.get_session_auth_hash()
    session.save()
    context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session.session_key, "url": origin}]
    )


class Requests:
    """The requests the server has begun and not ended: what a closing page sends outlives it."""

    def __init__(self) -> None:
        self.running = 0
        self.changed = threading.Condition()

    def began(self, **_: object) -> None:
        self._count(1)

    def ended(self, **_: object) -> None:
        self._count(-1)

    def _count(self, more: int) -> None:
        with self.changed:
            self.running += more
            self.changed.notify_all()

    def wait(self, seconds: float) -> bool:
        """Wait until none is running; say whether that came about."""
        with self.changed:
            return self.changed.wait_for(lambda: self.running <= 0, seconds)


@pytest.fixture
def requests_ended() -> Iterator[None]:
    """Let the last requests end before the tables are emptied under them."""
    requests = Requests()
    request_started.connect(requests.began)
    request_finished.connect(requests.ended)
    yield
    time.sleep(0.05)  # what was sent at the last moment begins
    ended = requests.wait(20)
    request_started.disconnect(requests.began)
    request_finished.disconnect(requests.ended)
    assert ended, "the server is still busy"


@pytest.fixture
def hands_wait(monkeypatch) -> None:
    """Let no click and no key fall on a page whose scripts have not run: nobody is that quick.

    What a test waits for is there as soon as the server has said it; a busy machine may run the
    scripts, which wait for the whole page, a second later.
    """

    def wait_in(plain: Callable[..., Any], page_of: Callable[[Any], Page]) -> Callable[..., Any]:
        def waits(self: Any, *args: object, **options: object) -> object:
            page_of(self).wait_for_load_state("domcontentloaded")
            return plain(self, *args, **options)

        return waits

    for name in ("check", "click", "dblclick", "fill", "focus", "hover", "press", "select_option"):
        plain = getattr(Locator, name)
        monkeypatch.setattr(Locator, name, wait_in(plain, lambda locator: locator.page))
    for name in ("evaluate", "go_back", "go_forward"):
        monkeypatch.setattr(Page, name, wait_in(getattr(Page, name), lambda page: page))
    keyboard = wait_in(Page.keyboard.fget, lambda page: page)
    monkeypatch.setattr(Page, "keyboard", property(keyboard))


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, live_server, requests_ended, hands_wait) -> Iterator[OpenPage]:
    """Return a way to open a page as a member, in a browser of their own."""
    watch = Watch(live_server.url)
    contexts: list[BrowserContext] = []

    def opened(member: Member, path: str = "/", **options: object) -> Page:
        context = browser.new_context(
            **({"viewport": {"width": 1440, "height": 900}, "locale": "en-GB"} | options)
        )
        contexts.append(context)
        sign_in(context, member, live_server.url)
        page = watch.page(context.new_page())
        page.set_default_timeout(10_000)
        page.goto(live_server.url + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert watch.faults == []
