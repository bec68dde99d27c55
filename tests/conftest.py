"""What all tests share. The shared data are third-party and read in place; a clone has none."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.files.storage import storages
from django.db import connection
from django.db.backends.sqlite3.base import DatabaseOperations as SqliteOperations
from django.db.models.signals import post_migrate
from django.utils import translation
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from annotation.models import Project
from annotation.models.evidence import drop_triggers, make_triggers

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

SHARED_DATA = (Path(__file__).resolve().parents[2] / "shared" / "data").resolve()

# A busy machine is no defect, and what fails once fails every time.
hypothesis_settings.register_profile(
    "suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("suite")

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""The time at which tests begin."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> Iterator[None]:
    """End what a thread of the live server left open: PostgreSQL drops no database in use."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture
def shared_data() -> Path:
    """Return the folder of the shared data; skip, saying so, where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no shared data at {SHARED_DATA}: tests on real dialogues did not run")
    return SHARED_DATA


@pytest.fixture(autouse=True)
def _no_language_left() -> Iterator[None]:
    """Forget the language that the last request of a test spoke."""
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def media(tmp_path: Path) -> Iterator[Path]:
    """Give each test empty folders of its own for files."""
    before = settings.MEDIA_ROOT, settings.EXPORT_ROOT
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.EXPORT_ROOT = tmp_path / "exports"
    storages["default"].__dict__.pop("base_location", None)
    storages["default"].__dict__.pop("location", None)
    yield settings.MEDIA_ROOT
    settings.MEDIA_ROOT, settings.EXPORT_ROOT = before


_execute_sql_flush = SqliteOperations.execute_sql_flush


def _flush_without_triggers(self: SqliteOperations, sql_list: list[str]) -> None:
    # Emptying a test database on SQLite is DELETE, which the evidence triggers refuse.
    drop_triggers()
    _execute_sql_flush(self, sql_list)
    make_triggers()


SqliteOperations.execute_sql_flush = _flush_without_triggers


def _make_default_project(**_: object) -> None:
    # Emptying the database takes away what the first migration made.
    Project.objects.get_or_create(slug="default", defaults={"name": "Default project"})


@pytest.fixture(autouse=True, scope="session")
def _default_project_after_flush() -> None:
    post_migrate.connect(_make_default_project, sender=apps.get_app_config("annotation"))
