"""The whole way, as a newcomer goes it: clone, `make demo`, judge, export, read the file.

Needs the committed tree (it is cloned) and the installed environment of this one (it is linked,
so that nothing is downloaded). Pictures of the way are kept in SCREENSHOTS where that is set.
"""

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Watch

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"^ +(\w+) +(?:lead|annotator) .*\n +(http\S+)$", re.MULTILINE)
REASON = "The answer names what its picture shows, and its steps are in order."


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[str]:
    """Clone the project, run `make demo` in it, and return what it printed."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    (clone / ".venv").symlink_to(Path(sys.prefix))
    for stamp in (".run-installed", ".dev-installed"):
        if (clone / ".venv" / stamp).exists():
            (clone / ".venv" / stamp).touch()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path / "demo.log"
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"VAR_DIR", "DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["make", "demo", f"PORT={port}"],
            cwd=clone,
            env=environment | {"HOME": str(tmp_path)},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + 120
        while "Ready: " not in log.read_text() and time.monotonic() < until:
            assert process.poll() is None, log.read_text()
            time.sleep(0.3)
        yield log.read_text()
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)


def open_by_link(browser: Browser, printed: str, person: str, watch: Watch) -> Page:
    """Sign in with the one-click link that was printed for the person."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    page = watch.page(context.new_page())
    page.set_default_timeout(15_000)
    page.goto(dict(LINK.findall(printed))[person])
    return page


def answer_everything(page: Page, letter: str) -> None:
    """Go from one missing answer to the next by keys: 2 everywhere, `letter` better."""
    bar = page.locator("#missing")
    page.keyboard.press("Escape")
    for _step in range(160):
        if bar.get_attribute("data-state") == "ready":
            return
        page.locator("#missing a, #missing button").first.click()
        where = page.evaluate(
            """() => document.activeElement.tagName === 'TEXTAREA' ? 'text'
               : document.activeElement.closest('fieldset')?.className ?? ''"""
        )
        if where == "text":
            page.keyboard.insert_text(REASON)
            page.keyboard.press("Escape")
        else:
            page.keyboard.press(letter if "preference" in where else "2")
    raise AssertionError(bar.inner_text())


def keep(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def preferred_text(page: Page, letter: str) -> str:
    """The raw text of the last answer under this letter, as the page shows it."""
    raw = page.locator(f"article.answer-{letter} [data-raw-text] pre")
    return raw.last.text_content() or ""


def test_from_a_fresh_clone_to_pairs_that_hold_what_the_person_preferred(
    browser: Browser, demo: str, tmp_path: Path
):
    address = re.search(r"Ready: (\S+)", demo)[1]
    watch = Watch(address)
    ada = open_by_link(browser, demo, "ada", watch)
    preferred = {}
    for slug, letter in (
        ("demo-turn-pairs", "b"),
        ("demo-conversation-pairs", "a"),
        ("demo-conversations", ""),
    ):
        ada.goto(f"{address}/")
        ada.locator(f'form[action="/batches/{slug}/next/"] button').first.click()
        expect(ada.locator("#missing")).to_be_visible()
        first = ada.url
        keep(ada, f"{slug}-open")
        answer_everything(ada, letter)
        if letter:
            preferred[slug] = preferred_text(ada, letter.upper())
        keep(ada, f"{slug}-answered")
        ada.keyboard.press("Control+Enter")
        reminder = ada.get_by_role("button", name="Send anyway")
        sent = ada.get_by_text("The item before is sent.")
        expect(reminder.or_(sent)).to_be_visible()
        if reminder.is_visible():  # some images were answered past faster than one can look
            reminder.click()
        expect(ada).not_to_have_url(first)
        expect(sent).to_be_visible()

    lead = open_by_link(browser, demo, "lead", watch)
    lead.goto(f"{address}/exports/")
    lead.get_by_label("Two answers to one prompt").check()
    lead.get_by_label("Two conversations").check()
    lead.get_by_label("Canonical").check()
    lead.get_by_role("button", name="Start the export").click()
    download = lead.get_by_role("link", name=re.compile("^Download"))
    expect(download).to_be_visible(timeout=60_000)
    keep(lead, "export-done")
    with lead.expect_download() as got:
        download.click()
    archive = tmp_path / "export.tar"
    got.value.save_as(archive)
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path / "export", filter="data")

    assert watch.faults == []
    assert verified(tmp_path / "export").returncode == 0
    [pairs] = (tmp_path / "export").rglob("pairs.jsonl")
    records = [json.loads(line) for line in io.StringIO(pairs.read_text())]
    assert {record["batch"] for record in records} == set(preferred)
    for record in records:
        [overall] = [one for one in record["aggregates"] if one["dimension"] == "overall"]
        assert last_words(record["sides"][overall["preferred"]]) == words(
            preferred[record["batch"]]
        )


def verified(folder: Path) -> subprocess.CompletedProcess[bytes]:
    [manifest] = folder.rglob("manifest.json")
    return subprocess.run(
        [sys.executable, ROOT / "manage.py", "verify_export", manifest.parent],
        env=os.environ | {"VAR_DIR": str(folder / "var")},
        check=False,
        capture_output=True,
    )


def words(text: str) -> list[str]:
    """The words of a text, image tokens aside."""
    return re.findall(r"\w+", re.sub(r"<[^<>]*>", " ", text))


def last_words(messages: list[dict]) -> list[str]:
    """The words of the last message's text parts."""
    parts = messages[-1]["content"]
    return words(" ".join(part["text"] for part in parts if part["type"] == "text"))
