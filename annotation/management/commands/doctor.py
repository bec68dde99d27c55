"""`manage.py doctor`: is everything here that the application needs, and if not, what to do."""

import json
import os
import shutil
import sqlite3
import stat
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import redis
from celery import current_app
from django.conf import settings
from django.core.checks import WARNING, run_checks
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from packaging.requirements import Requirement
from PIL import features

from annotation.choices import Role
from annotation.models.evidence import existing_triggers, trigger_names
from annotation.models.projects import Member
from annotation.models.rubric import Rubric

OLDEST_PYTHON = (3, 11, 2)
OLDEST_POSTGRESQL = 140000
LEAST_FREE_BYTES = 1 << 30
PICTURE_FORMATS = {"jpg": "JPEG", "zlib": "PNG", "webp": "WebP"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, what was found, and what to do about it; "" where it is well."""

    name: str
    found: str
    mend: str = ""


class Command(BaseCommand):
    help = "Look at every dependency, service, setting, migration and trigger; exit 1 if one fails."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--running", action="store_true", help="also ask for a living worker")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        looks = [*LOOKS, *([worker] if options["running"] else [])]
        findings = [finding for look in looks for finding in look()]
        if options["json"]:
            self.stdout.write(json.dumps([asdict(one) for one in findings], ensure_ascii=False))
        else:
            for one in findings:
                self.stdout.write(f"{'MEND' if one.mend else 'ok  '}  {one.name}: {one.found}")
                if one.mend:
                    self.stdout.write(f"      -> {one.mend}")
        ill = sum(1 for one in findings if one.mend)
        if ill:
            raise CommandError(f"{ill} of {len(findings)} need mending.")


def python() -> Iterator[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    fine = sys.version_info[:3] >= OLDEST_PYTHON
    yield Finding("Python", found, "" if fine else "Use Python 3.11.2 or newer.")


def dependencies() -> Iterator[Finding]:
    """Compare what is installed with the lock file."""
    lock = Path(settings.BASE_DIR) / "requirements" / "run.txt"
    wrong, count = [], 0
    for line in lock.read_text().splitlines():
        if not line or line[0] in " #-":
            continue
        wanted = Requirement(line.rstrip(" \\"))
        if wanted.marker and not wanted.marker.evaluate():
            continue
        count += 1
        try:
            installed = version(wanted.name)
        except PackageNotFoundError:
            wrong.append(f"{wanted.name} is not installed")
            continue
        if installed not in wanted.specifier:
            wrong.append(f"{wanted.name} is {installed}, not {wanted.specifier}")
    found = "; ".join(wrong) or f"all {count} as locked"
    yield Finding("dependencies", found, "Run make setup." if wrong else "")


def pictures() -> Iterator[Finding]:
    lacking = [name for key, name in PICTURE_FORMATS.items() if not features.check(key)]
    found = f"cannot read {', '.join(lacking)}" if lacking else "JPEG, PNG and WebP"
    yield Finding("picture formats", found, "Reinstall Pillow: make setup." if lacking else "")


def configuration() -> Iterator[Finding]:
    """Settings, by Django's own checks and the few they do not know."""
    faults = [one for one in run_checks(databases=["default"]) if one.level >= WARNING]
    for fault in faults:
        yield Finding(f"check {fault.id}", fault.msg, fault.hint or "See Django's documentation.")
    if not faults:
        yield Finding("system checks", "none has anything to say")
    yield Finding("PUBLIC_URL", settings.PUBLIC_URL, _url_mend())
    key_file = Path(settings.VAR_DIR) / "secret-key"
    if os.environ.get("SECRET_KEY"):
        yield Finding("SECRET_KEY", "from the environment")
    else:
        open_to_others = stat.S_IMODE(key_file.stat().st_mode) & 0o077
        yield Finding(
            "SECRET_KEY", str(key_file), f"chmod 600 {key_file}" if open_to_others else ""
        )
    if settings.IMPORT_ROOT is not None:
        there = settings.IMPORT_ROOT.is_dir()
        mend = "" if there else "Make the folder, or unset IMPORT_ROOT."
        yield Finding("IMPORT_ROOT", str(settings.IMPORT_ROOT), mend)


def _url_mend() -> str:
    if settings.HTTPS or settings.LOOPBACK:
        return ""
    return "Passwords travel in the clear: put a proxy with https in front and name it here."


def files() -> Iterator[Finding]:
    """Can the folders and the picture store be written, and is there room?"""
    var = Path(settings.VAR_DIR)
    writable = os.access(var, os.W_OK)
    yield Finding("VAR_DIR", str(var), "" if writable else f"Make {var} writable.")
    free = shutil.disk_usage(var).free
    mend = "" if free >= LEAST_FREE_BYTES else "Free some space: under 1 GiB exports may fail."
    yield Finding("disk", f"{free / (1 << 30):.1f} GiB free", mend)
    where = (settings.S3_BUCKET and f"bucket {settings.S3_BUCKET}") or str(settings.MEDIA_ROOT)
    try:
        name = default_storage.save("doctor/probe", ContentFile(b"probe"))
        default_storage.delete(name)
    except Exception as error:
        mend = "Check MEDIA_ROOT, or the S3_ variables; manage.py make_bucket makes the bucket."
        yield Finding("pictures' store", f"{where}: {type(error).__name__}: {error}", mend)
    else:
        yield Finding("pictures' store", where)
    if not settings.WHITENOISE_USE_FINDERS:
        manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
        mend = "" if manifest.exists() else "Run manage.py collectstatic --no-input."
        yield Finding("static files", "not gathered" if mend else "gathered", mend)


def database() -> Iterator[Finding]:
    """The database, and all that must stand in it."""
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        mend = "Start the database, or correct DATABASE_URL."
        yield Finding("database", str(error).strip(), mend)
        return
    yield from _postgresql() if connection.vendor == "postgresql" else _sqlite()
    waiting = MigrationExecutor(connection).migration_plan(
        MigrationExecutor(connection).loader.graph.leaf_nodes()
    )
    if waiting:
        yield Finding("migrations", f"{len(waiting)} not applied", "Run manage.py migrate.")
        return
    yield Finding("migrations", "all applied")
    lacking = sorted(trigger_names() - existing_triggers())
    found = f"lacks {', '.join(lacking)}" if lacking else f"all {len(trigger_names())} stand"
    yield Finding("evidence triggers", found, "Run manage.py migrate." if lacking else "")
    rubrics = Rubric.objects.count()
    mend = "" if rubrics else "Run manage.py load_rubric."
    yield Finding("rubrics", f"{rubrics} published", mend)
    leads = Member.objects.active().filter(role=Role.LEAD).count()
    mend = "" if leads else "Run manage.py add_member NAME --role lead."
    yield Finding("leads", str(leads), mend)


def _postgresql() -> Iterator[Finding]:
    number = connection.connection.info.server_version
    mend = "" if number >= OLDEST_POSTGRESQL else "Use PostgreSQL 14 or newer."
    yield Finding("database", f"PostgreSQL {number // 10000}.{number % 10000}", mend)
    with connection.cursor() as cursor:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            cursor.execute(f"SHOW {name}")
            value = cursor.fetchone()[0]
            mend = "" if value == "on" else f"Set {name} = on: a power cut can lose judgments."
            yield Finding(f"PostgreSQL {name}", value, mend)


def _sqlite() -> Iterator[Finding]:
    yield Finding("database", f"SQLite {sqlite3.sqlite_version}")
    with connection.cursor() as cursor:
        values = {}
        for name in ("journal_mode", "synchronous", "foreign_keys"):
            cursor.execute(f"PRAGMA {name}")
            values[name] = cursor.fetchone()[0]
    journal = str(values["journal_mode"]).upper()
    mend = ""
    if journal == "WAL" and not settings.SQLITE_HAS_WAL_FIX:
        mend = "This SQLite can lose commits in WAL mode; stop all processes and start them again."
    gate = "has the WAL fix" if settings.SQLITE_HAS_WAL_FIX else "lacks the WAL fix, so no WAL"
    yield Finding("SQLite gate", f"journal {journal}; this version {gate}", mend)
    safe = int(values["synchronous"]) >= (2 if journal == "WAL" else 3)
    mend = "" if safe else "Leave the database's OPTIONS as settings.py has them."
    yield Finding("SQLite synchronous", str(values["synchronous"]), mend)
    mend = "" if values["foreign_keys"] else "Leave the database's OPTIONS as settings.py has them."
    yield Finding("SQLite foreign keys", "on" if values["foreign_keys"] else "off", mend)


def queue() -> Iterator[Finding]:
    """The broker: Redis, or files under VAR_DIR."""
    if not settings.REDIS_URL:
        folder = Path(settings.VAR_DIR) / "queue" / "messages"
        writable = os.access(folder, os.W_OK)
        yield Finding("queue", f"files in {folder}", "" if writable else "Make it writable.")
        return
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2) as client:
            about = client.info()
    except redis.RedisError as error:
        yield Finding("queue", f"Redis: {error}", "Start Redis, or correct REDIS_URL.")
        return
    yield Finding("queue", f"Redis {about['redis_version']}")
    policy = about.get("maxmemory_policy", "noeviction")
    mend = "" if policy == "noeviction" else "Set maxmemory-policy noeviction: tasks may vanish."
    yield Finding("Redis eviction", policy, mend)


def worker() -> Iterator[Finding]:
    answers = current_app.control.ping(timeout=2.0) or []
    mend = "" if answers else "Start one: celery --app intermt_annotate worker"
    yield Finding("worker", f"{len(answers)} answer", mend)


LOOKS: list[Callable[[], Iterator[Finding]]] = [
    python,
    dependencies,
    pictures,
    configuration,
    files,
    database,
    queue,
]
