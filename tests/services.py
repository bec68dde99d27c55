"""Which services answer here: PostgreSQL, Redis, Chromium.

python -m tests.services postgresql       exit 0 if it answers
python -m tests.services postgresql-url   print the address that is used
"""

import os
import shutil
import socket
import sys
from urllib.parse import urlsplit

POSTGRESQL_URL = os.environ.get("TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
REDIS_URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")


def answers(url: str) -> bool:
    """Say whether something listens at the address's host and port."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=2):
            return True
    except OSError:
        return False


def chromium() -> str:
    """Return the path of the system's Chromium, or ""."""
    named = os.environ.get("CHROMIUM", "")
    return named or shutil.which("chromium") or shutil.which("chromium-browser") or ""


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["postgresql"]:
            sys.exit(0 if answers(POSTGRESQL_URL) else 1)
        case ["postgresql-url"]:
            sys.stdout.write(POSTGRESQL_URL)
        case _:
            sys.exit(__doc__)
