"""What it takes to judge one real pair of five-turn conversations: `python benchmarks/keystrokes.py`.

The same questions in ours and, where LABEL_STUDIO names its command, in Label Studio: four
scores a turn and side, five for each whole conversation, a preference for each of those five and
overall, one written rationale; no reasons. A script works each in Chromium as a practised person
would, by keyboard where there are keys and by mouse where there are none, and what it pressed,
clicked and scrolled is counted. Seconds of hand are those of the keystroke-level model (Card,
Moran and Newell 1980: 0.2 s a key of an average typist, 1.1 s to point, 0.2 s to click, 0.4 s to
move the hand; a scroll as one key); seconds of the page are what the script itself waited. Reading
and thinking are the same in both and are not counted.

`drawn` is what the browser itself measures of each key and click (W3C Event Timing): from the event
to the frame that shows what came of it, in steps of 8 ms, 16 at the least.
"""

import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import judging_peers
import judging_world as world
from judging_ours import Ours
from measuring import chromium, spread

KEY, POINT, CLICK, HOME = 0.2, 1.1, 0.2, 0.4
RATIONALE = judging_peers.REASON
PORT = 8974


@dataclass
class Work:
    """What one item took."""

    name: str
    answers: int = 0
    keys: int = 0
    text: int = 0
    clicks: int = 0
    scrolls: int = 0
    switches: int = 0
    waited: float = 0.0
    drawn: list[float] = field(default_factory=list)

    def hand(self) -> float:
        """Return the seconds of hand by the keystroke-level model, the text's keys apart."""
        pointed = self.clicks * (POINT + CLICK)
        return (self.keys + self.scrolls) * KEY + pointed + self.switches * HOME

    def __str__(self) -> str:
        middle, slowest = spread(self.drawn)
        return (
            f"{self.name:14} {self.answers:>7} {self.keys:>6} {self.clicks:>6} {self.scrolls:>7} "
            f"{self.text:>9} {self.hand():>8.1f} {self.waited:>9.1f} "
            f"{middle:>7.0f}/{slowest:.0f}"
        )


def ours(folder: Path) -> Work:
    """Judge the first five-turn pair by keyboard alone."""
    installation = Ours(folder, PORT)
    name, key = installation.session(1)
    work = Work("ours")
    with installation.serving(), chromium() as browser:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": name, "value": key, "url": installation.address}])
        page = context.new_page()
        page.goto(f"{installation.address}/")
        page.locator('form[action="/batches/five/next/"] button').click()
        page.wait_for_selector("#judgment .prose")
        item = page.url
        page.evaluate(WATCH_FRAMES)
        began = time.perf_counter()

        def press(combination: str) -> None:
            work.keys += combination.count("+") + 1
            page.keyboard.press(combination)

        for _ in range(400):
            match page.evaluate(WHERE):
                case "done":
                    break
                case "rating":
                    press("2")
                    work.answers += 1
                case "preference":
                    press("a")
                    work.answers += 1
                case "text":
                    page.keyboard.type(RATIONALE)
                    work.text += len(RATIONALE)
                    work.answers += 1
                    press("Escape")
                case _:
                    press("Enter")
        work.drawn = page.evaluate(FRAMES)
        press("Control+Enter")
        page.wait_for_timeout(300)
        if page.locator("dialog[open] [data-send-anyway]").count():
            press("Escape")  # the script looked at no picture, and says so
            press("Control+Enter")
        page.wait_for_function("url => location.href !== url", arg=item, timeout=15_000)
        work.waited = time.perf_counter() - began
    return work


WHERE = """() => {
  const at = document.activeElement;
  const empty = document.getElementById("f-rationale");
  if (at === empty) return empty.value ? "other" : "text";
  const row = at?.closest("fieldset.rating, fieldset.preference");
  if (row && !row.querySelector("input:checked")) return row.matches(".rating") ? "rating" : "preference";
  if (at?.id === "submit") return "done";
  return "other";
}"""


def label_studio(command: str, folder: Path, pair: judging_peers.Pair) -> Work:
    """Judge the same pair: a click for each answer, its submit key in the end."""
    peer = judging_peers.LabelStudio(command, folder, [pair])
    judging_peers.TASKS = 3
    work = Work(peer.name)
    with peer.serving(), chromium() as browser:
        session = peer.signed_in(1)
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies(
            [{"name": c.name, "value": c.value or "", "url": peer.address} for c in session.cookies]
        )
        page = context.new_page()
        page.goto(peer.labelling())
        page.wait_for_selector(judging_peers.READY)
        page.wait_for_timeout(1000)
        groups = page.locator(".lsf-choices")
        page.evaluate(COUNT_SCROLLS)
        page.evaluate(WATCH_FRAMES)
        began = time.perf_counter()
        for number in range(groups.count()):
            _click(page, groups.nth(number), work)
        text = page.locator("textarea").last
        text.scroll_into_view_if_needed()
        text.click()
        work.clicks += 1
        work.switches += 1
        page.keyboard.type(RATIONALE)
        work.text += len(RATIONALE)
        work.keys += 2
        page.keyboard.press("Shift+Enter")  # adds the text
        work.answers = groups.count() + 1
        work.drawn = page.evaluate(FRAMES)
        with page.expect_response(
            lambda answer: "/annotations" in answer.url and answer.request.method == "POST"
        ):
            page.get_by_label("Submit current annotation").click()  # no key from a text
        work.clicks += 1
        work.waited = time.perf_counter() - began
        work.scrolls = page.evaluate("window.scrolledScreens")
    return work


def _click(page: Any, group: Any, work: Work) -> None:
    """Click the middle choice, scrolling to it where it is out of sight."""
    choice = group.locator("label").nth(2)
    box = group.bounding_box()
    if box is None or box["y"] < 60 or box["y"] + box["height"] > 840:
        group.scroll_into_view_if_needed()
        page.evaluate("window.scrolledScreens += 1")
    choice.click()
    work.clicks += 1


WATCH_FRAMES = """() => {
  const shown = window.shown = { events: 0, longest: new Map() };
  for (const name of ["keydown", "click"]) addEventListener(name, () => { shown.events += 1; }, true);
  new PerformanceObserver((list) => {
    for (const { interactionId, duration } of list.getEntries()) {
      if (interactionId) shown.longest.set(interactionId, Math.max(shown.longest.get(interactionId) ?? 0, duration));
    }
  }).observe({ type: "event", durationThreshold: 16 });
}"""
FRAMES = """async () => {
  await new Promise((done) => setTimeout(done, 500));
  const { events, longest } = window.shown;
  return [...longest.values(), ...Array(Math.max(0, events - longest.size)).fill(16)];
}"""
COUNT_SCROLLS = "() => { window.scrolledScreens = 0; }"


def main() -> None:
    """Work the pair in both and print what it took."""
    if len(sys.argv) > 1:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="annotate-benchmark-") as temporary:
        folder = Path(temporary)
        (folder / "var").mkdir()
        world.prepare_environment(folder, PORT)
        with world.empty_database("annotate_benchmark"):
            world.build(folder, dialogues=1, turns=1)
            from django.core.management import call_command

            call_command(
                *("create_batch", "five", "--kind", "conversation_pair", "--all-annotators"),
                *("--turns", "5", "--reasons", "none", "--rationale-minimum", "40", "--open"),
                "--include-incomplete",
                verbosity=0,
            )
            rows = [ours(folder)]
            pair = next(pair for pair in judging_peers.pairs("five") if len(pair) == 5)
        command = os.environ.get("LABEL_STUDIO", "")
        if command:
            (folder / "ls").mkdir()
            rows.append(label_studio(command, folder / "ls", pair))
        else:
            print("LABEL_STUDIO names no command: not measured.")
    print(
        f"{'':14} {'answers':>7} {'keys':>6} {'clicks':>6} {'scrolls':>7} {'text keys':>9} "
        f"{'hand, s':>8} {'script, s':>9} drawn, ms p50/p95"
    )
    for row in rows:
        print(row)
    if len(rows) > 1:
        print(f"hand, Label Studio / ours: x {rows[1].hand() / rows[0].hand():.1f}")


if __name__ == "__main__":
    main()
