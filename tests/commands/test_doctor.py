"""The doctor names each fault and what to do; a broken-environment matrix."""

import contextlib
import json
import sqlite3
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from annotation.management.commands import doctor
from annotation.models import Rubric
from annotation.models.evidence import drop_triggers, make_triggers
from tests.factories import make_lead, make_rubric

pytestmark = pytest.mark.django_db


def findings() -> dict[str, dict[str, str]]:
    """What the doctor finds, by name, whether or not it ends in an error."""
    out = StringIO()
    with contextlib.suppress(CommandError):
        call_command("doctor", "--json", stdout=out)
    return {one["name"]: one for one in json.loads(out.getvalue())}


@pytest.fixture
def healthy():
    make_lead()
    make_rubric()


@pytest.mark.usefixtures("healthy")
def test_a_healthy_installation_has_nothing_to_mend():
    out = StringIO()

    call_command("doctor", stdout=out)

    assert "MEND" not in out.getvalue()
    names = {line[6:].split(":")[0] for line in out.getvalue().splitlines()}
    assert names >= {
        "Python",
        "dependencies",
        "picture formats",
        "system checks",
        "VAR_DIR",
        "pictures' store",
        "database",
        "migrations",
        "evidence triggers",
        "rubrics",
        "leads",
        "queue",
    }


def test_without_rubric_and_lead_it_says_how_to_get_them_and_fails():
    Rubric.objects.all().delete()
    out = StringIO()

    with pytest.raises(CommandError, match=r"2 of \d+ need mending"):
        call_command("doctor", stdout=out)

    assert "-> Run manage.py load_rubric." in out.getvalue()
    assert "-> Run manage.py add_member NAME --role lead." in out.getvalue()


def test_missing_triggers_are_named():
    drop_triggers()
    try:
        found = findings()["evidence triggers"]
    finally:
        make_triggers()

    assert "annotation_judgment_no_update" in found["found"]
    assert found["mend"] == "Run manage.py migrate."
    assert findings()["evidence triggers"]["mend"] == ""


def test_a_migration_not_applied_is_named():
    MigrationRecorder.Migration.objects.filter(app="annotation").delete()

    found = findings()["migrations"]

    assert found["mend"] == "Run manage.py migrate."
    assert "not applied" in found["found"]


def test_a_package_of_another_version_is_named(monkeypatch):
    monkeypatch.setattr(doctor, "version", lambda name: "1.0" if name == "django" else "0")

    found = findings()["dependencies"]

    assert "django is 1.0, not ==5.2" in found["found"]
    assert found["mend"] == "Run make setup."


def test_plain_http_on_a_public_address_is_named(settings):
    settings.PUBLIC_URL, settings.HTTPS, settings.LOOPBACK = "http://example.org", False, False

    assert "https" in findings()["PUBLIC_URL"]["mend"]


def test_an_import_folder_that_is_not_there_is_named(settings, tmp_path):
    settings.IMPORT_ROOT = tmp_path / "absent"

    assert findings()["IMPORT_ROOT"]["mend"] == "Make the folder, or unset IMPORT_ROOT."


def test_a_redis_that_does_not_answer_is_named(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    assert findings()["queue"]["mend"] == "Start Redis, or correct REDIS_URL."


def test_static_files_not_gathered_are_named(settings, tmp_path):
    settings.WHITENOISE_USE_FINDERS, settings.STATIC_ROOT = False, tmp_path

    assert findings()["static files"]["mend"] == "Run manage.py collectstatic --no-input."


def test_wal_on_a_sqlite_that_can_lose_commits_is_named(settings):
    if connection.vendor != "sqlite":
        pytest.skip("the gate is SQLite's")
    settings.SQLITE_HAS_WAL_FIX = False

    gate = findings()["SQLite gate"]

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        journal = cursor.fetchone()[0].upper()
    assert sqlite3.sqlite_version in findings()["database"]["found"]
    assert bool(gate["mend"]) == (journal == "WAL")


def test_a_picture_store_that_cannot_be_written_is_named(settings, tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    settings.MEDIA_ROOT = blocker / "media"

    found = findings()["pictures' store"]

    assert "MEDIA_ROOT" in found["mend"]
