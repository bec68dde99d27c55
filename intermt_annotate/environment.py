"""Reading the environment, loudly: a value that cannot be understood stops the start."""

import os
import secrets
import sqlite3
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str = "") -> str:
    """Return the variable's text, or `default` where it is unset or empty."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool = False) -> bool:
    """Return the variable as a boolean.

    :raises ImproperlyConfigured: if it is set and neither 1/true/yes nor 0/false/no.
    """
    value = text(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes"}:
        return True
    if value in {"0", "false", "no"}:
        return False
    raise ImproperlyConfigured(f"{name}={value!r}: use 1 or 0")


def number(name: str, default: int) -> int:
    """Return the variable as a whole number.

    :raises ImproperlyConfigured: if it is set and no whole number.
    """
    value = text(name)
    if not value:
        return default
    try:
        return int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value!r}: use a whole number") from None


def secret_key(var_dir: Path, *, on_loopback: bool) -> str:
    """Return SECRET_KEY, or on a loopback address the key kept in `var_dir`, made once, 0600.

    :raises ImproperlyConfigured: where a public server has no key, or the key is short.
    """
    key = text("SECRET_KEY")
    if not key:
        if not on_loopback:
            raise ImproperlyConfigured(
                "SECRET_KEY is not set. Make one with "
                "`python -c 'import secrets; print(secrets.token_urlsafe(50))'` "
                "and keep it out of the repository."
            )
        file = var_dir / "secret-key"
        if not file.exists():
            var_dir.mkdir(parents=True, exist_ok=True)
            try:
                descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                pass
            else:
                with os.fdopen(descriptor, "w") as opened:
                    opened.write(secrets.token_urlsafe(50))
        key = file.read_text().strip()
    if len(key) < 50:
        raise ImproperlyConfigured("SECRET_KEY is shorter than 50 characters")
    return key


def sqlite_has_wal_fix(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> bool:
    """Say whether this SQLite has the WAL-reset race fixed.

    3.7.0 to 3.51.2 can lose committed writes with two connections in WAL mode; fixed in 3.51.3,
    back-ported to 3.50.7 and 3.44.6; 3.52.0 was withdrawn.
    """
    major_minor = version[:2]
    if major_minor == (3, 44):
        return version >= (3, 44, 6)
    if major_minor == (3, 50):
        return version >= (3, 50, 7)
    return version >= (3, 51, 3) and version[:3] != (3, 52, 0)
