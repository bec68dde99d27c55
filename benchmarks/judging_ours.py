"""The product measured over HTTP, as an annotator's browser uses it."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from judging_world import PEOPLE, ROOT
from measuring import Clock, Row, Wire, at_once, chromium, readable_after

FIELD = re.compile(r"<(input|textarea)\b([^>]*)>")
ATTRIBUTE = re.compile(r'([\w-]+)(?:="([^"]*)")?')
REASON = "The picture shows what the text says it shows, and the steps are named in their order."


def answers(page: str) -> dict[str, str]:
    """Return a complete form: every score 2, A preferred, every text written."""
    form: dict[str, str] = {}
    page = page[page.index('<form id="judgment"') :]
    page = page[: page.index("</form>")]
    for tag, inside in FIELD.findall(page):
        field: dict[str, str] = dict(ATTRIBUTE.findall(inside))
        name = field.get("name", "")
        if not name or "disabled" in field:
            continue
        if tag == "textarea":
            if name.startswith("reason.") or name == "rationale":
                form[name] = REASON
        elif field.get("type") == "radio":
            wanted = (
                field.get("data-key") == "a"
                if name.startswith("preference.")
                else field["value"] == "2"
            )
            if wanted or (name not in form and field["value"] not in {"", "na"}):
                form[name] = field["value"]
        elif field.get("type") == "hidden":
            form[name] = field.get("value", "").replace("&quot;", '"')
    return form


class Ours:
    """One installation behind gunicorn, and people at it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.address = f"http://127.0.0.1:{port}"

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Run gunicorn with the product's own settings."""
        with (self.folder / "gunicorn.log").open("a") as log:
            server = subprocess.Popen(
                [
                    *(sys.executable, "-m", "gunicorn", "--config", "intermt_annotate/gunicorn.py"),
                    *("--bind", f"127.0.0.1:{self.port}", "intermt_annotate.wsgi"),
                ],
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )
            try:
                for _ in range(200):
                    try:
                        requests.get(f"{self.address}/accounts/login/", timeout=60)
                        break
                    except requests.ConnectionError:
                        time.sleep(0.1)
                yield
            finally:
                server.terminate()
                server.wait(30)

    def measured(self, slug: str, kind: str, items: int, each: int) -> Row:
        """Measure one batch kind: alone, in Chromium, with eight at once."""
        row = Row(f"ours, {kind}")
        self.cookies = [self.session(number) for number in range(1, PEOPLE + 1)]
        row.values["queries"] = self._queries(slug)
        with self.serving():
            self._work(1, slug, 5)  # the first requests of a process load its code
            self._analyze()
            clock = self._work(1, slug, items)
            row.values |= {name: clock.seconds[name] for name in ("page", "save", "claim")}
            clock = self._work(1, slug, items, prepared=True)
            row.values |= {name: clock.seconds[name] for name in ("prepare", "submit", "next")}
            row.values |= self._in_browser(slug)
            clocks: list[Clock] = []
            works = [
                lambda n=n: clocks.append(self._work(n, slug, each, prepared=True))
                for n in range(1, PEOPLE + 1)
            ]
            seconds = at_once(works)
            for name in ("save", "submit", "next"):
                row.values[f"{name}_8"] = [s for clock in clocks for s in clock.seconds[name]]
            row.values["rate_8"] = PEOPLE * each / seconds
        return row

    def _analyze(self) -> None:
        """Count the rows anew, as PostgreSQL itself does minutes after a table began to fill."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    def session(self, number: int) -> tuple[str, str]:
        """Sign a person in; return the cookie."""
        from django.conf import settings
        from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
        from django.contrib.sessions.backends.db import SessionStore

        from annotation.models import Member

        user = Member.objects.get(pseudonym=f"person-{number}").user
        assert user is not None
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        return settings.SESSION_COOKIE_NAME, session.session_key or ""

    def _work(self, number: int, slug: str, items: int, *, prepared: bool = False) -> Clock:
        """One person judges items, each: save, submit, next; the page is loaded for the first.

        `prepared` as the page's script does it: the next item is fetched while this one is
        judged, and put in place once the server says that it is still what it would send. Else
        as without a script: submitting claims, and the next page is loaded, twice to measure it.
        """
        clock = Clock()
        clock.session.cookies.set(*self.cookies[number - 1])
        clock.session.headers.update({"Referer": f"{self.address}/", "Accept-Encoding": "gzip"})
        desk = clock("desk", "GET", f"{self.address}/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', desk.text)
        assert token
        clock.session.headers["X-CSRFToken"] = token[1]
        page = clock("begin", "POST", f"{self.address}/batches/{slug}/next/")
        url, html = page.url, page.text
        json = {"Accept": "application/json"}
        for _ in range(items):
            if not prepared:
                html = clock("page", "GET", url).text
            form = answers(html)
            kept = clock("save", "POST", f"{url}draft/", data=form, headers=json)
            form["draft_version"] = kept.headers["Draft-Version"]
            form["rationale"] = form.get("rationale", "") + " More."
            ready = clock("prepare", "POST", f"{url}prepare/") if prepared else None
            item = {"Prepared-Item": ready.headers["Item"]} if ready is not None else {}
            sent = clock("submit", "POST", url, data=form, headers=json | item).json()
            url = self.address + sent["next"]
            if ready is None:
                clock("load", "GET", url)
                clock.whole("claim", "submit", "load")
                continue
            if sent.get("stamp") != ready.headers["Item-Stamp"]:
                raise RuntimeError(f"{url}: what was prepared is not what follows")
            html = ready.text
            clock.whole("next", "submit")
            clock("opened", "POST", f"{url}opened/")
        return clock

    def _queries(self, slug: str) -> str:
        """Count the queries of a page, of preparing the next and of submitting, in this process."""
        from django.db import connection
        from django.test import Client
        from django.test.utils import CaptureQueriesContext

        name, key = self.cookies[1]
        client = Client(SERVER_NAME="127.0.0.1")
        client.cookies[name] = key
        url = client.post(f"/batches/{slug}/next/")["Location"]
        counts = []
        client.get(url)
        page = client.get(url)
        with CaptureQueriesContext(connection) as seen:
            page = client.get(url)
        counts.append(len(seen))
        with CaptureQueriesContext(connection) as seen:
            ready = client.post(f"{url}prepare/")
        counts.append(len(seen))
        headers = {"Accept": "application/json", "Prepared-Item": ready.headers["Item"]}
        with CaptureQueriesContext(connection) as seen:
            client.post(url, answers(page.content.decode()), headers=headers)
        counts.append(len(seen))
        return ", ".join(map(str, counts))

    def _in_browser(self, slug: str) -> dict[str, object]:
        name, key = self.cookies[2]
        with chromium() as browser:
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            context.add_cookies([{"name": name, "value": key, "url": self.address}])
            context.add_init_script(READY)
            page = context.new_page()
            page.goto(f"{self.address}/")
            page.locator(f'form[action="/batches/{slug}/next/"] button').click()
            page.wait_for_selector("#judgment")
            url = page.url
            ready = []
            for _ in range(5):
                cold = browser.new_context(viewport={"width": 1440, "height": 900})
                cold.add_cookies([{"name": name, "value": key, "url": self.address}])
                tab = cold.new_page()
                wire = Wire(tab, lambda address: "/images/" in address)
                ready.append(readable_after(tab, url, "#judgment .prose"))
                tab.wait_for_load_state("networkidle")
                cold.close()
            pressed = [self._one_item(page) for _ in range(7)]
        return {
            "bytes": wire.bytes / 1000,
            "script": wire.script / 1000,
            "requests": wire.requests,
            "ready": ready,
            "key": [seconds for seconds in pressed if seconds is not None],
        }

    def _one_item(self, page: Any) -> float | None:
        """Fill in the item, press Ctrl+Enter; return the seconds until the next is readable."""
        item = page.locator("#judgment").get_attribute("data-item")
        page.evaluate(FILL, REASON)
        page.wait_for_selector('#saved[data-state="saved"]')
        page.wait_for_timeout(2500)  # as long as nobody can judge faster: the next is prepared
        for _ in range(3):  # a reminder of pictures may stand between
            page.keyboard.press("Control+Enter")
            try:
                page.wait_for_function(
                    "item => document.querySelector('#judgment')?.dataset.item !== item"
                    " && sessionStorage.readyItem === document.querySelector('#judgment')?.dataset.item",
                    arg=item,
                    timeout=4000,
                )
                break
            except Exception:
                if page.locator("dialog[open] [data-send-anyway]").count():
                    page.evaluate("document.querySelector('dialog[open]').close()")
        return page.evaluate("(sessionStorage.readyAt - sessionStorage.pressedAt) / 1000")


FILL = """reason => {
  const form = document.getElementById("judgment");
  for (const group of form.querySelectorAll("fieldset.rating, fieldset.preference")) {
    if (group.querySelector("input:checked")) continue;
    const choice = group.querySelector('input[data-key="a"]') ?? group.querySelector('input[value="2"]')
      ?? group.querySelector("input[type=radio]:not(:disabled)");
    if (choice) { choice.checked = true; choice.dispatchEvent(new Event("input", { bubbles: true })); }
  }
  for (const field of form.querySelectorAll('textarea[name^="reason."], textarea[name="rationale"]')) {
    field.value = reason;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}"""

READY = """
addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.ctrlKey) sessionStorage.pressedAt = Date.now();
}, true);
const look = () => {
  const form = document.querySelector("#judgment");
  const item = form?.dataset.item;
  if (item && item !== sessionStorage.readyItem && form.querySelector(".prose")?.getClientRects().length) {
    sessionStorage.readyAt = Date.now();
    sessionStorage.readyItem = item;
  }
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
