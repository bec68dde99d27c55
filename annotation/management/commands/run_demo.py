"""`manage.py run_demo`, which `make demo` calls: everything on this machine, until Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.error import URLError

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

READY_WITHIN = 60
STOP_WITHIN = 15


class Command(BaseCommand):
    help = (
        "Migrate, load the rubric and the demo, start the web server, a worker and beat, and wait. "
        "Start it with `make demo`."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        port = options["port"]
        address = f"http://127.0.0.1:{port}"
        if not settings.SIGN_IN_LINKS or address != settings.PUBLIC_URL:
            raise CommandError(f"Start the demo with: make demo PORT={port}")
        _refuse_taken(port)
        try:
            with _signals_as_ctrl_c():
                self._run(port, address)
        except KeyboardInterrupt:
            self.stdout.write("Stopped. What was entered is kept in " + str(settings.VAR_DIR))

    def _run(self, port: int, address: str) -> None:
        self._step(f"Preparing the database in {settings.VAR_DIR}")
        call_command("migrate", verbosity=0)
        self._step("Gathering static files")
        call_command("collectstatic", interactive=False, verbosity=0)
        self._step("Publishing the rubric")
        call_command("load_rubric", stdout=self.stdout)
        self._step("Loading the demo")
        call_command("load_demo", stdout=self.stdout)
        with _children(port) as children:
            self._step("Starting the web server, a worker and beat")
            _wait_until_ready(children, address)
            self._step(
                f"Ready: {address}   lead's pages: {address}/batches/   admin: {address}/admin/"
            )
            self._step(f"Logs are in {settings.VAR_DIR / 'logs'}. Ctrl-C ends all of it.")
            try:
                while not _ended(children):
                    time.sleep(0.5)
            except KeyboardInterrupt:
                self._step("Stopping; work under way is finished first")
                raise
            raise CommandError(_why_ended(children))

    def _step(self, words: str) -> None:
        self.stdout.write(words)
        self.stdout.flush()


Children = dict[str, subprocess.Popen[bytes]]


@contextmanager
def _signals_as_ctrl_c() -> Iterator[None]:
    """Have a closed terminal or a plain kill end the demo as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as taken:
            raise CommandError(
                f"Port {port} is in use. Try another: make demo PORT={port + 1}"
            ) from taken


def _commands(port: int) -> dict[str, list[str]]:
    web = ["gunicorn", "--config", "intermt_annotate/gunicorn.py", "--bind", f"127.0.0.1:{port}"]
    celery = ["celery", "--app", "intermt_annotate", "--quiet"]
    return {
        "web": [*web, "intermt_annotate.wsgi"],
        "worker": [*celery, "worker", "--concurrency", "1", "--loglevel", "INFO"],
        "beat": [*celery, "beat", "--loglevel", "INFO"],
    }


@contextmanager
def _children(port: int) -> Iterator[Children]:
    """Start the three, each in a process group of its own; end them and all theirs at the end."""
    logs = settings.VAR_DIR / "logs"
    logs.mkdir(exist_ok=True)
    children: Children = {}
    try:
        for name, command in _commands(port).items():
            with (logs / f"{name}.log").open("wb") as log:
                children[name] = subprocess.Popen(  # noqa: S603
                    [sys.executable, "-m", *command],
                    cwd=settings.BASE_DIR,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    env={**os.environ, "PYTHONUNBUFFERED": "1"},
                )
        yield children
    finally:
        _stop(children)


def _stop(children: Children) -> None:
    # A second Ctrl-C must not leave any of them behind.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for child in children.values():
        child.terminate()
    until = time.monotonic() + STOP_WITHIN
    for child in children.values():
        try:
            child.wait(timeout=max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _wait_until_ready(children: Children, address: str) -> None:
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        if _ended(children):
            raise CommandError(_why_ended(children))
        if _web_answers(address) and b" ready." in _log("worker").read_bytes():
            return
        time.sleep(0.2)
    raise CommandError(
        f"Not ready after {READY_WITHIN} s; see the logs in {settings.VAR_DIR / 'logs'}."
    )


def _web_answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health/", timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _log(name: str) -> Path:
    return Path(settings.VAR_DIR) / "logs" / f"{name}.log"


def _ended(children: Children) -> list[str]:
    return [name for name, child in children.items() if child.poll() is not None]


def _why_ended(children: Children) -> str:
    name = _ended(children)[0]
    last = _log(name).read_text(errors="replace").strip().splitlines()[-12:]
    return "\n  ".join([f"The {name} process ended by itself. The end of its log:", *last])
