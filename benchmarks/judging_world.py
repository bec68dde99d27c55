"""A large installation to measure: the published dialogues over and over, with ids of their own.

The real files are imported and cut into batches by the product itself, once; then every row of
dialogues, items and seats is copied in the database, with new keys, until there are as many
dialogues and turns as the data set has. Pictures that the files name and do not bring are drawn.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"
SERVER = os.environ.get("BENCHMARK_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
DATABASE = "annotate_benchmark"
STRIDE = 10_000_000
"""What is added to the keys of each copy: no table of the originals has so many rows."""

FILES = [
    "intermt/crucial_step_recognition.json",
    "intermt/score_evaluation.json",
    "intermt/site_examples/stepwise_regression",
    "intermt/site_examples/unclear_cognition",
]
BATCHES = {"turn-pairs": "turn_pair", "pairs": "conversation_pair", "whole": "conversation"}
PEOPLE = 8


def database_url(name: str = DATABASE) -> str:
    """Return the address of a database on the benchmark's server."""
    return urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}"))


def prepare_environment(folder: Path, port: int) -> None:
    """Point the product at the benchmark's database and folder; call before importing Django."""
    if not SHARED.is_dir():
        sys.exit(f"There are no shared data at {SHARED}; this benchmark needs the real dialogues.")
    os.environ |= {
        "DATABASE_URL": database_url(),
        "REDIS_URL": "",
        "VAR_DIR": str(folder / "var"),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SIGN_IN_LINKS": "1",
        "DJANGO_SETTINGS_MODULE": "intermt_annotate.settings",
        "LOG_LEVEL": "WARNING",
    }
    sys.path.insert(0, str(ROOT))


@contextmanager
def empty_database(name: str = DATABASE, *, keep: bool = False) -> Iterator[None]:
    """Make the database anew, and drop it in the end unless it is to be kept."""
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(drop)
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield
    finally:
        if not keep:
            with psycopg.connect(SERVER, autocommit=True) as server:
                server.execute(drop)


def build(folder: Path, *, dialogues: int, turns: int) -> dict[str, int]:
    """Fill the database; return how many rows of each kind it has."""
    import django

    django.setup()
    from django.core.management import call_command

    from annotation.models import Dialogue, Item, Response, Seat, Slot, Turn

    def run(*words: str) -> None:
        call_command(*words, verbosity=0, stdout=(folder / "build.log").open("a"))

    run("migrate")
    run("collectstatic", "--no-input")
    run("load_rubric")
    run("add_member", "lead", "--role", "lead", "--random-password")
    for number in range(1, PEOPLE + 1):
        run("add_member", f"person-{number}", "--role", "annotator", "--random-password")
    run(
        "import_dialogues",
        *(str(SHARED / file) for file in FILES),
        "--images",
        str(_draw_pictures(folder / "pictures")),
    )
    for slug, kind in BATCHES.items():
        run(
            *("create_batch", slug, "--kind", kind, "--all-annotators", "--open"),
            *("--order", "shuffled", "--include-incomplete"),
        )
    copies = max(-(-dialogues // Dialogue.objects.count()), -(-turns // Turn.objects.count()))
    with psycopg.connect(database_url(), autocommit=True) as connection:
        _copy_rows(connection, copies - 1)
    return {
        f"{model.__name__.lower()}s": model.objects.count()
        for model in (Dialogue, Turn, Response, Slot, Item, Seat)
    }


def _draw_pictures(folder: Path) -> Path:
    """Give every picture that the files name one of 48 drawn ones, 640 x 480, about 60 kB."""
    import json

    from PIL import Image, ImageDraw

    folder.mkdir(exist_ok=True)
    drawn = folder / "drawn"
    drawn.mkdir(exist_ok=True)
    for number in range(48):
        picture = Image.effect_noise((640, 480), 18 + number).convert("RGB")
        ImageDraw.Draw(picture).ellipse((80, 60, 560, 420), fill=(number * 5, 120, 200 - number))
        picture.save(drawn / f"{number}.jpg", quality=80)
    names = sorted(
        name
        for file in FILES[:2]
        for name in _picture_names(json.loads((SHARED / file).read_text()))
    )
    (folder / "images").mkdir(exist_ok=True)
    for number, name in enumerate(dict.fromkeys(names)):
        link = folder / "images" / Path(name).name
        if not link.exists():
            link.hardlink_to(drawn / f"{number % 48}.jpg")
    return folder


def _picture_names(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if value.startswith("images/") and value.endswith((".png", ".jpg", ".jpeg", ".webp")):
            yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _picture_names(inner)


KEYS = {
    "annotation_dialogue": ["id"],
    "annotation_turn": ["id", "dialogue_id", "follows_id"],
    "annotation_response": ["id", "dialogue_id", "turn_id"],
    "annotation_slot": ["id", "turn_id", "response_id"],
    "annotation_item": ["id", "dialogue_id", "response_1_id", "response_2_id", "position"],
    "annotation_seat": ["id", "item_id"],
}
"""Each table that is copied, in order, with the columns that move by the stride."""


def _copy_rows(connection: psycopg.Connection, copies: int) -> None:
    with connection.transaction():
        connection.execute("SET CONSTRAINTS ALL DEFERRED")
        connection.execute("SET LOCAL statement_timeout = 0")
        for table, moved in KEYS.items():
            columns = [
                row[0]
                for row in connection.execute(
                    "SELECT column_name FROM information_schema.columns"
                    " WHERE table_schema = 'public' AND table_name = %s ORDER BY ordinal_position",
                    [table],
                )
            ]
            connection.execute(
                sql.SQL(
                    "INSERT INTO {table} ({columns})"
                    " SELECT {values} FROM {table} o, generate_series(1, {copies}) c"
                ).format(
                    table=sql.Identifier(table),
                    columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
                    values=sql.SQL(", ").join(_value(column, moved) for column in columns),
                    copies=sql.Literal(copies),
                )
            )
            connection.execute(
                sql.SQL("SELECT setval(pg_get_serial_sequence(%s, 'id'), max(id)) FROM {}").format(
                    sql.Identifier(table)
                ),
                [table],
            )
    connection.execute("VACUUM ANALYZE")


def _value(column: str, moved: list[str]) -> sql.Composable:
    name = sql.SQL("o.") + sql.Identifier(column)
    if column in moved:
        if column == "position":  # as dense as the product numbers them
            return name + sql.SQL(" + c * count(*) OVER (PARTITION BY o.batch_id, c)")
        return name + sql.SQL(" + c * {}").format(sql.Literal(STRIDE))
    if column == "public_id":
        return sql.SQL("left(md5({} || c::text), 16)").format(name)
    if column == "content_key":
        return sql.SQL("md5({0} || c::text) || md5(c::text || {0})").format(name)
    if column == "lineage":
        return sql.SQL(
            "(SELECT '/' || string_agg((part::bigint + c * {stride})::text, '/' ORDER BY place)"
            " || '/' FROM unnest(string_to_array(trim(both '/' from {name}), '/'))"
            " WITH ORDINALITY AS parts(part, place))"
        ).format(name=name, stride=sql.Literal(STRIDE))
    return name
