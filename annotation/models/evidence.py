"""What all evidence has in common: a number in its batch, and that it never changes.

Each row takes the next number of its batch under the batch's row lock, as the last act before
the commit, so `number <= N` is the same set of rows for ever. Triggers on both databases refuse
UPDATE and DELETE; they are made again after every migrate, because SQLite's table rebuilds drop
them.
"""

from django.apps import AppConfig
from django.db import connections

EVIDENCE_TABLES = (
    "annotation_judgment",
    "annotation_rating",
    "annotation_preference",
    "annotation_remark",
    "annotation_review",
    "annotation_void",
    "annotation_goldanswer",
)

_POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION annotation_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are evidence: they are never changed or deleted', TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def trigger_names() -> set[str]:
    """Return the names of all triggers that must exist."""
    return {f"{table}_no_{verb}" for table in EVIDENCE_TABLES for verb in ("update", "delete")}


def make_triggers(using: str = "default") -> None:
    """Refuse UPDATE and DELETE of evidence in the database `using`. Safe to run twice."""
    connection = connections[using]
    existing = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRESQL_FUNCTION)
        for table in EVIDENCE_TABLES:
            if table not in existing:
                continue
            for verb in ("update", "delete"):
                name = f"{table}_no_{verb}"
                if connection.vendor == "postgresql":
                    cursor.execute(
                        f"CREATE OR REPLACE TRIGGER {name} BEFORE {verb.upper()} ON {table} "
                        "FOR EACH ROW EXECUTE FUNCTION annotation_refuse_change()"
                    )
                else:
                    cursor.execute(
                        f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {verb.upper()} ON {table} "
                        f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are evidence: "
                        "they are never changed or deleted'); END"
                    )


def drop_triggers(using: str = "default") -> None:
    """Take the triggers away, for a test database that is about to be emptied."""
    connection = connections[using]
    existing = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for table in EVIDENCE_TABLES:
            if table not in existing:
                continue
            for verb in ("update", "delete"):
                on_table = f" ON {table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb}{on_table}")


def existing_triggers(using: str = "default") -> set[str]:
    """Return which of the triggers stand in the database now."""
    connection = connections[using]
    query = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {row[0] for row in cursor.fetchall()} & trigger_names()


def make_triggers_after_migrate(sender: AppConfig, using: str, **_: object) -> None:
    """Receive post_migrate (connected in apps.py)."""
    make_triggers(using)
