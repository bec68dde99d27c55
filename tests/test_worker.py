"""Jobs in a real Celery worker: on Redis where it answers, else over files.

The worker is a process of its own on the test's database; it is ended by its pid.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone
from kombu import Connection

from annotation.actions.assignments import claim_next
from annotation.actions.exports import request_export
from annotation.actions.judgments import submit_judgment
from annotation.choices import AssignmentState, JobState
from annotation.formats.options import ExportOptions
from annotation.models import Export
from intermt_annotate.celery import app
from tests.factories import make_lead
from tests.worlds import full_body, open_batch_with

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

REDIS_URL = os.environ.get("TEST_REDIS_URL", "")
PATIENCE = 60.0


def database_url() -> str:
    """The address of the database this test runs on, for another process."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    return f"postgres://{values['USER']}:{values['PASSWORD']}@{values['HOST']}:{values['PORT']}/{values['NAME']}"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a worker with a queue of its own."""
    if REDIS_URL:
        redis.Redis.from_url(REDIS_URL).flushdb()
    return {
        **os.environ,
        "DATABASE_URL": database_url(),
        "REDIS_URL": REDIS_URL,
        "VAR_DIR": str(tmp_path / "var"),
        "MEDIA_ROOT": str(settings.MEDIA_ROOT),
    }


@contextmanager
def worker(environment: dict[str, str], *more: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker until the block ends."""
    log = Path(environment["VAR_DIR"]).with_suffix(".log")
    with log.open("ab") as output:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "celery",
                "-A",
                "intermt_annotate",
                "worker",
                "--concurrency",
                "1",
                "--loglevel",
                "INFO",
                "--without-gossip",
                "--without-mingle",
                *more,
            ],
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(15)


def send(environment: dict[str, str], name: str, **arguments: object) -> None:
    """Send a task to the queue of this environment, as the web process would."""
    if REDIS_URL:
        broker = Connection(REDIS_URL)
    else:
        queue = Path(environment["VAR_DIR"]) / "queue"
        for folder in ("messages", "processed", "control"):
            (queue / folder).mkdir(parents=True, exist_ok=True)
        broker = Connection(
            "filesystem://",
            transport_options={
                "data_folder_in": str(queue / "messages"),
                "data_folder_out": str(queue / "messages"),
                "processed_folder": str(queue / "processed"),
                "control_folder": str(queue / "control"),
            },
        )
    with broker:
        app.send_task(name, kwargs=arguments, connection=broker, ignore_result=True)


def wait_until(condition: Callable[[], bool]) -> bool:
    """Look five times a second until the condition holds or patience ends."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.2)
    return False


def a_waiting_export() -> Export:
    """An export of one judged item, asked for by a lead."""
    batch, [ann, _] = open_batch_with()
    held = claim_next(batch, by=ann, now=timezone.now())
    submit_judgment(held, by=ann, body=full_body(held), key="k", now=timezone.now())
    options = ExportOptions(images="none")
    return request_export([batch], options=options, by=make_lead(), now=timezone.now())


def is_done(export: Export) -> bool:
    export.refresh_from_db()
    return export.state == JobState.DONE


def test_a_worker_builds_the_export_it_is_sent(environment):
    export = a_waiting_export()
    with worker(environment):
        send(environment, "annotation.build_export", export_id=export.pk)

        assert wait_until(lambda: is_done(export)), log_of(environment)

    assert export.attempt == 1
    assert export.manifest is not None


def test_the_sweep_finds_what_was_never_sent_and_what_a_dead_worker_left(environment):
    export = a_waiting_export()
    an_hour_ago = timezone.now() - timedelta(hours=1)
    Export.objects.filter(pk=export.pk).update(
        state=JobState.RUNNING, attempt=1, heartbeat_at=an_hour_ago, started_at=an_hour_ago
    )
    with worker(environment, "--beat"):
        assert wait_until(lambda: is_done(export)), log_of(environment)

    assert export.attempt == 2


def test_a_worker_frees_seats_whose_lease_ran_out(environment):
    batch, [ann, _] = open_batch_with()
    held = claim_next(batch, by=ann, now=timezone.now() - timedelta(hours=2))
    with worker(environment):
        send(environment, "annotation.sweep_leases")

        def lapsed() -> bool:
            held.refresh_from_db()
            return held.state == AssignmentState.LAPSED

        assert wait_until(lapsed), log_of(environment)


def log_of(environment: dict[str, str]) -> str:
    return Path(environment["VAR_DIR"]).with_suffix(".log").read_text(errors="replace")[-3000:]
