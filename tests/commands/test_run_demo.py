"""`make demo` as a newcomer meets it: ready, signed in by link, ended by Ctrl-C with all its own."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"http://\S+/sign-in/\S+")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(port: int, var: Path, **more: str) -> subprocess.Popen[str]:
    cleared = dict.fromkeys(["DATABASE_URL", "REDIS_URL", "S3_BUCKET", "MEDIA_ROOT"], "")
    environment = {
        **os.environ,
        **cleared,
        "VAR_DIR": str(var),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SIGN_IN_LINKS": "1",
        "PYTHONUNBUFFERED": "1",
        **more,
    }
    return subprocess.Popen(
        [sys.executable, "manage.py", "run_demo", "--port", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_until(process: subprocess.Popen[str], word: str) -> str:
    lines = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if word in line:
            return "".join(lines)
    raise AssertionError("ended before it was ready:\n" + "".join(lines))


def children_of(pid: int) -> list[int]:
    listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(one) for one in listed.stdout.split()]


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_the_demo_starts_signs_in_by_link_and_ends_with_all_its_processes(tmp_path):
    port = free_port()
    process = start(port, tmp_path / "var")
    try:
        said = read_until(process, "Ready:")
        links = LINK.findall(said)
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        desk = browser.open(links[1], timeout=30).read().decode()
        children = children_of(process.pid)
        grandchildren = [one for child in children for one in children_of(child)]
        process.send_signal(signal.SIGINT)
        time.sleep(1)
        process.send_signal(signal.SIGINT)  # people press it twice
        rest, _ = process.communicate(timeout=40)
    finally:
        process.kill()

    assert len(links) == 4
    assert "Two answers to one prompt" in desk
    assert len(children) == 3
    assert len(grandchildren) >= 3
    assert "Stopped." in rest
    assert process.returncode == 0
    until = time.monotonic() + 5
    while any(map(lives, children + grandchildren)) and time.monotonic() < until:
        time.sleep(0.1)
    assert [one for one in children + grandchildren if lives(one)] == []
    with pytest.raises((OSError, HTTPError)):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health/", timeout=2)


def test_a_port_in_use_is_said_with_another_to_try(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        process = start(port, tmp_path / "var")
        said, _ = process.communicate(timeout=60)

    assert process.returncode == 1
    assert f"Port {port} is in use. Try another: make demo PORT={port + 1}" in said


def test_sign_in_links_are_refused_off_loopback(tmp_path):
    process = start(
        free_port(), tmp_path / "var", PUBLIC_URL="https://example.org", SECRET_KEY="k" * 50
    )
    said, _ = process.communicate(timeout=60)

    assert process.returncode != 0
    assert "SIGN_IN_LINKS=1 is for a demo on a loopback address only" in said
