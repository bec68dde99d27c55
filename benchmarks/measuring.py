"""What the judging benchmarks share: a row of figures, a browser that counts, many at once."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median, quantiles
from threading import Thread

import requests
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

FIGURES = {
    "page": "page, ms p50/p95",
    "save": "save, ms p50/p95",
    "prepare": "prepare the next, unseen, ms",
    "submit": "submit, ms p50/p95",
    "next": "submit and next item, ms p50/p95",
    "claim": "the same, nothing prepared",
    "save_8": "save, 8 at once",
    "submit_8": "submit, 8 at once",
    "next_8": "submit and next item, 8 at once",
    "rate_8": "submits a second, 8 at once",
    "queries": "queries: page, prepare, submit",
    "bytes": "kB over the wire, no dialogue images",
    "script": "of it kB script",
    "requests": "requests, no dialogue images",
    "ready": "ms until readable, cold",
    "key": "ms from key to next readable",
}


@dataclass
class Row:
    """One tool's figures. A list of seconds is shown as milliseconds, median and 95th percentile."""

    name: str
    values: dict[str, object] = field(default_factory=dict)

    def shown(self, figure: str) -> str:
        value = self.values.get(figure)
        if value is None or value == []:
            return "-"
        if isinstance(value, list):
            p50, p95 = spread(value)
            return f"{p50 * 1000:.0f} / {p95 * 1000:.0f}"
        return f"{value:.1f}" if isinstance(value, float) else str(value)

    def against(self, ours: "Row") -> Iterator[tuple[str, float]]:
        """Give this tool's median over ours, figure by figure."""
        for figure in FIGURES:
            one, other = self.values.get(figure), ours.values.get(figure)
            if one and other and not isinstance(one, str):
                yield FIGURES[figure].split(",")[0], _middle(one) / _middle(other)


def _middle(value: object) -> float:
    return median(value) if isinstance(value, list) else float(value)  # type: ignore[arg-type]


def spread(seconds: list[float]) -> tuple[float, float]:
    """Return median and 95th percentile."""
    return median(seconds), quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]


def table(rows: list[Row]) -> str:
    """Return the figures as a table, one column a tool."""
    widths = [max(len(row.name), 14) for row in rows]
    lines = [" " * 38 + "  ".join(f"{row.name:>{w}}" for row, w in zip(rows, widths, strict=True))]
    for figure, words in FIGURES.items():
        cells = (f"{row.shown(figure):>{w}}" for row, w in zip(rows, widths, strict=True))
        lines.append(f"{words:38}" + "  ".join(cells))
    return "\n".join(lines)


class Clock:
    """A session that notes how long each named request takes, body included."""

    def __init__(self, session: requests.Session | None = None) -> None:
        self.session = session or requests.Session()
        self.seconds: dict[str, list[float]] = {}

    def __call__(self, name: str, method: str, url: str, **more: object) -> requests.Response:
        began = time.perf_counter()
        answer = self.session.request(method, url, timeout=60, **more)  # type: ignore[arg-type]
        self.seconds.setdefault(name, []).append(time.perf_counter() - began)
        if answer.status_code >= 400:
            raise RuntimeError(f"{method} {url}: {answer.status_code} {answer.text[:300]}")
        return answer

    def whole(self, name: str, *parts: str) -> None:
        """Note as one the last time of each part: what a person waits for from first to last."""
        waited = sum(self.seconds[part][-1] for part in parts)
        self.seconds.setdefault(name, []).append(waited)


def at_once(works: list[Callable[[], None]]) -> float:
    """Run all of them in threads; return the seconds until the last is done."""
    trouble: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            trouble.append(error)

    threads = [Thread(target=guarded, args=[work]) for work in works]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if trouble:
        raise trouble[0]
    return time.perf_counter() - began


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, headless."""
    import os
    import shutil

    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class Wire:
    """Counts what a page fetches: compressed bytes and requests, by kind."""

    def __init__(self, page: Page, is_content: Callable[[str], bool]) -> None:
        self.bytes = 0
        self.script = 0
        self.requests = 0
        self._urls: dict[str, tuple[str, str]] = {}
        self._is_content = is_content
        cdp: CDPSession = page.context.new_cdp_session(page)
        cdp.send("Network.enable")
        cdp.on("Network.responseReceived", self._received)
        cdp.on("Network.loadingFinished", self._finished)

    def _received(self, event: dict) -> None:  # type: ignore[type-arg]
        self._urls[event["requestId"]] = (event["response"]["url"], event["type"])

    def _finished(self, event: dict) -> None:  # type: ignore[type-arg]
        url, kind = self._urls.get(event["requestId"], ("", ""))
        if not url.startswith("http") or self._is_content(url):
            return
        self.requests += 1
        self.bytes += int(event["encodedDataLength"])
        if kind == "Script":
            self.script += int(event["encodedDataLength"])


def readable_after(page: Page, url: str, selector: str) -> float:
    """Open the address; return the seconds until the selector is there and visible."""
    began = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_selector(selector, state="visible", timeout=60_000)
    return time.perf_counter() - began
