"""What the judging page costs to load, measured on the wire of the server that people meet.

The page is served by gunicorn with the static files as `collectstatic` leaves them, and weighed by
the browser: the bytes of every answer as they came, headers with them.
"""

import logging
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection
from playwright.sync_api import Browser, BrowserContext, Response

from annotation.choices import BatchKind
from tests.browser.conftest import Watch, sign_in
from tests.browser.steps import held_item

log = logging.getLogger(__name__)
ROOT = Path(__file__).parents[2]
MOST_BYTES, MOST_SCRIPT, MOST_REQUESTS = 120_000, 45_000, 10


def database_url() -> str:
    """Return the address of the database that the test itself uses."""
    at = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{at['NAME']}"
    return f"postgres://{quote(at['USER'])}:{quote(at['PASSWORD'])}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


@pytest.fixture
def served(transactional_db, tmp_path: Path) -> Iterator[str]:
    """Return the address of gunicorn over the test's database."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "VAR_DIR": str(tmp_path / "var"),
        "SECRET_KEY": settings.SECRET_KEY,
        "PUBLIC_URL": address,
        "DJANGO_SETTINGS_MODULE": "intermt_annotate.settings",
    }
    collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(collect, cwd=ROOT, env=environment, check=True)
    serve = ["gunicorn", "--config", "intermt_annotate/gunicorn.py", "--workers", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", *serve, "--bind", f"127.0.0.1:{port}", "intermt_annotate.wsgi"],
        cwd=ROOT,
        env=environment,
    )
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                urllib.request.urlopen(f"{address}/health/", timeout=5).close()
                break
            except (URLError, OSError):
                assert process.poll() is None
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def weigh(context: BrowserContext, address: str) -> tuple[Response, dict[str, tuple[str, int]]]:
    """Open the page cold; return its answer, and the kind and weight of every answer there was."""
    watch = Watch(address.partition("/items/")[0])
    page = watch.page(context.new_page())
    network = context.new_cdp_session(page)
    kinds: dict[str, str] = {}
    weights: dict[str, int] = {}
    network.on(
        "Network.responseReceived", lambda one: kinds.update({one["requestId"]: one["type"]})
    )
    network.on(
        "Network.loadingFinished",
        lambda one: weights.update({one["requestId"]: int(one["encodedDataLength"])}),
    )
    network.send("Network.enable")
    answer = page.goto(address, wait_until="networkidle")
    assert answer is not None
    assert watch.faults == []  # other origins and refused scripts among them
    return answer, {key: (kinds[key], weight) for key, weight in weights.items()}


def test_the_judging_page_of_each_kind_stays_within_its_weight(served, browser: Browser):
    for kind in BatchKind:
        _assignment, annotator, path = held_item(kind)
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        sign_in(context, annotator, served)

        answer, weights = weigh(context, served + path)

        policy = answer.headers["content-security-policy"]
        rules = [rule.strip() for rule in policy.split(";")]  # in whatever order they stand
        assert {"default-src 'none'", "script-src 'self'"} <= set(rules)
        assert "unsafe" not in policy
        scripts = sum(weight for name, weight in weights.values() if name == "Script")
        everything = sum(weight for _name, weight in weights.values())
        log.info("%s: %d bytes, %d scripts, %d requests", kind, everything, scripts, len(weights))
        assert len(weights) <= MOST_REQUESTS, weights
        assert 0 < scripts <= MOST_SCRIPT
        assert everything <= MOST_BYTES
        context.close()
