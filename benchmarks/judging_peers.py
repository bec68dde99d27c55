"""Label Studio and Potato, each with the same real conversation pairs, measured as ours is.

LABEL_STUDIO and POTATO name the commands (`.../bin/label-studio`, `.../bin/potato`) of
installations of their own; what is not named is not measured, and that is said.
"""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from judging_world import PEOPLE, SERVER, empty_database
from measuring import Clock, Row, Wire, at_once, chromium, readable_after

TURNS = 5
TASKS = 1000
LOCAL = ["image_text", "visual", "context", "text"]
WHOLE = ["awareness", "helpfulness", "crucial", "consistency", "style"]
SCORES = ["0", "1", "2", "3", "n/a"]
SIDES = ["A better", "same", "B better", "both bad"]
REASON = "The picture shows what the text says it shows, and the steps are named in their order."
PASSWORD = "a-password-4-benchmarks"

Pair = list[dict[str, str]]
"""Turns of a pair: the prompt and the two answers."""


def pairs(batch: str = "pairs") -> list[Pair]:
    """Return the real conversation pairs of the installation being measured."""
    from annotation.models import Item, Response

    found = []
    items = Item.objects.filter(batch__slug=batch, pk__lt=10_000_000)
    for item in items.select_related("response_1", "response_2").order_by("pk"):
        assert item.response_2 is not None
        sides = [
            list(Response.objects.on_path(side).select_related("turn"))
            for side in (item.response_1, item.response_2)
        ]
        turns = zip(*sides, strict=False)
        found.append([{"prompt": a.turn.prompt, "a": a.text, "b": b.text} for a, b in turns])
    return found


def measured(folder: Path, shown: list[Pair], items: int, each: int) -> list[Row]:
    """Measure the peers whose commands are named."""
    rows = []
    for name, measure in (("LABEL_STUDIO", LabelStudio), ("POTATO", Potato)):
        command = os.environ.get(name, "")
        if not command:
            print(f"{name} names no command: not measured.")
            continue
        (folder / name.lower()).mkdir(exist_ok=True)
        rows.append(measure(command, folder / name.lower(), shown).measured(items, each))
        print(rows[-1].name, "measured", flush=True)
    return rows


@contextmanager
def served(
    command: list[str], folder: Path, url: str, environment: dict[str, str] | None = None
) -> Iterator[None]:
    """Run a server until the block ends; wait until it answers."""
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            command,
            cwd=folder,
            stdout=log,
            stderr=log,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        try:
            for _ in range(1200):
                try:
                    requests.get(url, timeout=30)
                    break
                except requests.ConnectionError:
                    time.sleep(0.5)
            yield
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)


class LabelStudio:
    """From its package, on PostgreSQL, with its own server and a control for every answer."""

    name = "Label Studio"
    port = 8972

    def __init__(self, command: str, folder: Path, shown: list[Pair]) -> None:
        self.command, self.folder, self.pairs = command, folder, shown
        self.address = f"http://127.0.0.1:{self.port}"
        self.project = 1

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve on an empty database, with the project and its tasks."""
        parts = urlsplit(SERVER)
        environment = {
            "DJANGO_DB": "default",
            "POSTGRE_NAME": "annotate_benchmark_ls",
            "POSTGRE_USER": parts.username or "postgres",
            "POSTGRE_PASSWORD": parts.password or "none",
            "POSTGRE_HOST": parts.hostname or "127.0.0.1",
            "POSTGRE_PORT": str(parts.port or 5432),
            "LABEL_STUDIO_BASE_DATA_DIR": str(self.folder / "data"),
            "COLLECT_ANALYTICS": "False",
            "LATEST_VERSION_CHECK": "False",
        }
        os.environ.pop("DJANGO_SETTINGS_MODULE", None)  # it is ours, not its
        command = [self.command, "start", "--no-browser", "-p", str(self.port)]
        command += ["--username", "person-0@example.com", "--password", PASSWORD]
        with (
            empty_database("annotate_benchmark_ls"),
            served(command, self.folder, f"{self.address}/health", environment),
        ):
            self._fill()
            yield

    def signed_in(self, number: int) -> requests.Session:
        """Return a person's session; the first is the owner, others sign up."""
        session = requests.Session()
        where = "login" if number == 0 else "signup"
        page = session.get(f"{self.address}/user/{where}/", timeout=60)
        token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token
        session.post(
            f"{self.address}/user/{where}/",
            data={
                "csrfmiddlewaretoken": token[1],
                "email": f"person-{number}@example.com",
                "password": PASSWORD,
                "allow_newsletters": "false",
            },
            headers={"Referer": self.address},
            timeout=60,
        )
        session.headers["X-CSRFToken"] = session.cookies["csrftoken"]
        session.headers["Referer"] = self.address
        return session

    def _fill(self) -> None:
        owner = self.signed_in(0)
        made = owner.post(
            f"{self.address}/api/projects/",
            json={"title": "Pairs", "label_config": label_config(), "maximum_annotations": 2},
            timeout=60,
        )
        made.raise_for_status()
        self.project = made.json()["id"]
        tasks = [{"data": task_data(self.pairs[n % len(self.pairs)])} for n in range(TASKS)]
        for start in range(0, TASKS, 100):
            owner.post(
                f"{self.address}/api/projects/{self.project}/import",
                json=tasks[start : start + 100],
                timeout=120,
            ).raise_for_status()

    def measured(self, items: int, each: int) -> Row:
        row = Row(self.name)
        with self.serving():
            people = [self.signed_in(number) for number in range(1, PEOPLE + 1)]
            self._work(people[0], 3)
            clock = self._work(people[0], items)
            row.values |= {name: clock.seconds[name] for name in ("submit", "next", "save")}
            row.values |= self._in_browser(people[1])
            clocks: list[Clock] = []
            works: list[Callable[[], None]] = [
                lambda one=one: clocks.append(self._work(one, each))
                for one in people  # type: ignore[misc]
            ]
            seconds = at_once(works)
            for name in ("save", "submit", "next"):
                row.values[f"{name}_8"] = [s for clock in clocks for s in clock.seconds[name]]
            row.values["rate_8"] = PEOPLE * each / seconds
        return row

    def _work(self, session: requests.Session, items: int) -> Clock:
        clock = Clock(session)
        task = clock("first", "GET", f"{self.address}/api/projects/{self.project}/next").json()
        result = annotation()
        for _ in range(items):
            url = f"{self.address}/api/tasks/{task['id']}"
            draft = {"result": result, "lead_time": 60}
            clock("save", "POST", f"{url}/drafts?project={self.project}", json=draft)
            done = {"result": result, "lead_time": 600}
            clock("submit", "POST", f"{url}/annotations/?project={self.project}", json=done)
            answer = clock("load", "GET", f"{self.address}/api/projects/{self.project}/next")
            clock.whole("next", "submit", "load")
            task = answer.json()
        return clock

    def labelling(self) -> str:
        """Return the address at which a person labels all tasks."""
        return f"{self.address}/projects/{self.project}/data?labeling=1"

    def _in_browser(self, session: requests.Session) -> dict[str, object]:
        cookies = [
            {"name": one.name, "value": one.value or "", "url": self.address}
            for one in session.cookies
        ]
        ready, pressed = [], []
        with chromium() as browser:
            for _ in range(5):
                cold = browser.new_context(viewport={"width": 1440, "height": 900})
                cold.add_cookies(cookies)  # type: ignore[arg-type]
                tab = cold.new_page()
                wire = Wire(tab, lambda address: "/data/" in address and "upload" in address)
                ready.append(readable_after(tab, self.labelling(), READY))
                tab.wait_for_load_state("networkidle")
                weight = (wire.bytes, wire.script, wire.requests)
                if len(ready) == 5:
                    pressed = [self._one_item(tab) for _ in range(5)]
                cold.close()
        return {
            "bytes": weight[0] / 1000,
            "script": weight[1] / 1000,
            "requests": weight[2],
            "ready": ready,
            "key": pressed,
        }

    def _one_item(self, tab: Any) -> float:
        """Press its submit key; return the seconds until another task's text stands there."""
        before = tab.locator(READY).first.inner_text()
        tab.wait_for_timeout(1500)
        tab.evaluate("localStorage.pressed = performance.now()")
        tab.keyboard.press("Control+Enter")
        return float(
            tab.evaluate(
                """([selector, before]) => new Promise((done) => {
                  const began = Number(localStorage.pressed);
                  const look = () => {
                    const now = document.querySelector(selector)?.innerText;
                    const over = performance.now() - began;
                    if ((now && now !== before) || over > 15000) done(over / 1000);
                    else requestAnimationFrame(look);
                  };
                  look();
                })""",
                [READY, before],
            )
        )


READY = ".lsf-text, [class*='lsf-richtext'], .lsf-richtext__container"


def label_config() -> str:
    """Return a labelling interface that asks what ours asks of a pair of five-turn conversations."""

    def choice(name: str, target: str, values: list[str]) -> str:
        options = "".join(f'<Choice value="{value}"/>' for value in values)
        return (
            f'<Header value="{name}" size="6"/>'
            f'<Choices name="{name}" toName="{target}" choice="single-radio" showInline="true">'
            f"{options}</Choices>"
        )

    parts = []
    for turn in range(1, TURNS + 1):
        columns = []
        for side in "ab":
            text = f"{side}{turn}"
            rows = "".join(choice(f"{side}{turn}_{name}", text, SCORES) for name in LOCAL)
            columns.append(f'<View><Text name="{text}" value="${text}"/>{rows}</View>')
        parts.append(
            f'<Text name="p{turn}" value="$p{turn}"/>'
            f'<View style="display: grid; grid-template-columns: 1fr 1fr">{"".join(columns)}</View>'
        )
    for side in "ab":
        parts += [choice(f"{side}_{name}", f"{side}1", SCORES) for name in WHOLE]
    parts += [choice(f"prefer_{name}", "p1", SIDES) for name in [*WHOLE, "overall"]]
    parts.append('<TextArea name="rationale" toName="p1" rows="3"/>')
    return f"<View>{''.join(parts)}</View>"


def task_data(pair: Pair) -> dict[str, str]:
    """Return a pair as the data of one task; turns it has not are a dash."""
    data = {}
    for turn in range(1, TURNS + 1):
        there = pair[turn - 1] if turn <= len(pair) else {"prompt": "-", "a": "-", "b": "-"}
        data |= {f"p{turn}": there["prompt"], f"a{turn}": there["a"], f"b{turn}": there["b"]}
    return data


def annotation() -> list[dict[str, Any]]:
    """Return a complete answer to every control."""

    def chosen(name: str, target: str, value: str) -> dict[str, Any]:
        return {
            "from_name": name,
            "to_name": target,
            "type": "choices",
            "value": {"choices": [value]},
        }

    result = [
        chosen(f"{side}{turn}_{name}", f"{side}{turn}", "2")
        for turn in range(1, TURNS + 1)
        for side in "ab"
        for name in LOCAL
    ]
    result += [chosen(f"{side}_{name}", f"{side}1", "2") for side in "ab" for name in WHOLE]
    result += [chosen(f"prefer_{name}", "p1", "A better") for name in [*WHOLE, "overall"]]
    result.append(
        {"from_name": "rationale", "to_name": "p1", "type": "textarea", "value": {"text": [REASON]}}
    )
    return result


class Potato:
    """From its package, with its own server; the pair is one text, every answer a radio group."""

    name = "Potato"
    port = 8973

    def __init__(self, command: str, folder: Path, shown: list[Pair]) -> None:
        self.command, self.folder, self.pairs = command, folder, shown
        self.address = f"http://127.0.0.1:{self.port}"

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Write its configuration and data, and serve them."""
        (self.folder / "data").mkdir(exist_ok=True)
        (self.folder / "config.yaml").write_text(json.dumps(self._config()))
        with (self.folder / "data" / "pairs.jsonl").open("w") as out:
            for number in range(TASKS):
                pair = self.pairs[number % len(self.pairs)]
                text = "".join(
                    f"<h3>{escape(turn['prompt'])}</h3><div>A: {escape(turn['a'])}</div>"
                    f"<div>B: {escape(turn['b'])}</div>"
                    for turn in pair
                )
                out.write(json.dumps({"id": f"pair-{number}", "text": text}) + "\n")
        command = [self.command, "start", "config.yaml", "-p", str(self.port)]
        with served([*command, "--host", "127.0.0.1"], self.folder, self.address):
            yield

    def _config(self) -> dict[str, Any]:
        """Return its configuration (JSON is YAML)."""

        def radio(name: str, labels: list[str]) -> dict[str, Any]:
            return {
                "annotation_type": "radio",
                "name": name,
                "description": name,
                "labels": labels,
            }

        schemes = [radio(name, labels) for name, labels in self._groups().items()]
        return {
            "annotation_task_name": "Pairs",
            "task_dir": ".",
            "output_annotation_dir": "out",
            "data_files": ["data/pairs.jsonl"],
            "item_properties": {"id_key": "id", "text_key": "text"},
            "user_config": {"allow_all_users": True, "users": []},
            "require_password": False,
            "annotation_schemes": [
                *schemes,
                {"annotation_type": "text", "name": "rationale", "description": "Why"},
            ],
            "site_dir": "default",
        }

    def _groups(self) -> dict[str, list[str]]:
        local = [
            f"{side}{turn}_{name}"
            for turn in range(1, TURNS + 1)
            for side in "ab"
            for name in LOCAL
        ]
        whole = [f"{side}_{name}" for side in "ab" for name in WHOLE]
        scores = dict.fromkeys([*local, *whole], SCORES)
        return scores | dict.fromkeys((f"prefer_{name}" for name in [*WHOLE, "overall"]), SIDES)

    def measured(self, items: int, each: int) -> Row:
        row = Row(self.name)
        with self.serving():
            self._work("person-0", 3)
            clock = self._work("person-1", items)
            row.values |= {name: clock.seconds[name] for name in ("page", "submit", "next")}
            row.values |= self._in_browser()
            clocks: list[Clock] = []
            works: list[Callable[[], None]] = [
                lambda n=n: clocks.append(self._work(f"many-{n}", each))
                for n in range(PEOPLE)  # type: ignore[misc]
            ]
            seconds = at_once(works)
            for name in ("submit", "next"):
                row.values[f"{name}_8"] = [s for clock in clocks for s in clock.seconds[name]]
            row.values["rate_8"] = PEOPLE * each / seconds
        return row

    def _work(self, person: str, items: int) -> Clock:
        """Sign in; then page, submit (its save of all answers), and moving to the next."""
        clock = Clock()
        form = {"action": "login", "email": person, "pass": ""}
        page = clock("first", "POST", f"{self.address}/auth", data=form)
        answers = {f"{name}:{labels[2]}": labels[2] for name, labels in self._groups().items()}
        page = clock("page", "GET", f"{self.address}/annotate")
        for _ in range(items):
            found = re.search(r'id="instance_id"[^>]*value="([^"]+)"|"(pair-\d+)"', page.text)
            assert found
            item = found[1] or found[2]
            body = {"instance_id": item, "annotations": answers | {"rationale:text_box": REASON}}
            kept = clock("submit", "POST", f"{self.address}/updateinstance", json=body)
            assert kept.json().get("status") != "error", kept.text
            step = {"action": "next_instance", "instance_id": item}
            clock("step", "POST", f"{self.address}/annotate", json=step)
            page = clock("page", "GET", f"{self.address}/annotate")
            clock.whole("next", "submit", "step", "page")
        return clock

    def _in_browser(self) -> dict[str, object]:
        ready, pressed = [], []
        with chromium() as browser:
            for number in range(5):
                cold = browser.new_context(viewport={"width": 1440, "height": 900})
                form = {"action": "login", "email": f"browser-{number}", "pass": ""}
                cold.request.post(f"{self.address}/auth", form=form)
                tab = cold.new_page()
                wire = Wire(tab, lambda _address: False)
                ready.append(readable_after(tab, f"{self.address}/annotate", TEXT))
                tab.wait_for_load_state("networkidle")
                weight = (wire.bytes, wire.script, wire.requests)
                if number == 4:
                    pressed = [self._one_item(tab) for _ in range(5)]
                cold.close()
        return {
            "bytes": weight[0] / 1000,
            "script": weight[1] / 1000,
            "requests": weight[2],
            "ready": ready,
            "key": pressed,
        }

    def _one_item(self, tab: Any) -> float:
        """Press its key for the next item; return the seconds until another text stands there."""
        tab.wait_for_timeout(1500)
        origin = tab.evaluate("performance.timeOrigin")  # it loads a new page for each item
        began = time.perf_counter()
        tab.keyboard.press("ArrowRight")
        tab.wait_for_function(
            "([selector, origin]) => performance.timeOrigin > origin"
            " && document.querySelector(selector)?.innerText",
            arg=[TEXT, origin],
            timeout=30_000,
        )
        return time.perf_counter() - began


TEXT = "#instance-text"
