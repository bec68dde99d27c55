"""A batch of a million ratings in a PostgreSQL database made for it and dropped afterwards.

Conversations of five turns, each judged by three of the annotators on nine dimensions: 75
ratings an item. Ratings travel by COPY, everything else by the ORM.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import psycopg

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TURNS, EACH = 5, 3
LOCAL, GLOBAL = 4, 5
MODELS = ("amber", "birch", "cedar", "dune", "elm")
PER_ITEM = EACH * (TURNS * LOCAL + GLOBAL)


@contextmanager
def own_database(url: str) -> Iterator[None]:
    """Make a database on the server of `url`, point the project at it, and drop it at the end."""
    name = f"benchmark_agreement_{os.getpid()}"
    parts = urlsplit(url)
    server = urlunsplit(parts._replace(path="/postgres"))
    with psycopg.connect(server, autocommit=True) as door:
        door.execute(f'CREATE DATABASE "{name}"')
    os.environ["DATABASE_URL"] = urlunsplit(parts._replace(path=f"/{name}"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "intermt_annotate.settings")
    try:
        import django
        from django.core.management import call_command
        from django.db import connections

        django.setup()
        call_command("migrate", verbosity=0)
        yield
        connections.close_all()
    finally:
        with psycopg.connect(server, autocommit=True) as door:
            door.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def rated_batch(*, items: int, annotators: int = 60, kind: str = "conversation"):
    """Make the batch and return it; `items * PER_ITEM` ratings.

    With `kind` conversation_pair each judgment also prefers, overall and on every dimension, one of
    two paths that part at the last turn, where two models answered.
    """
    from annotation.models import (
        Assignment,
        Batch,
        Dialogue,
        Dimension,
        GuidelineVersion,
        Import,
        Item,
        Judgment,
        Member,
        Preference,
        Project,
        Response,
        Rubric,
        ScalePoint,
        Seat,
        Turn,
    )
    from annotation.models.guidelines import Guideline

    rng = np.random.default_rng(1)
    project = Project.objects.get(slug="default")
    people = Member.objects.bulk_create(
        Member(project=project, role="annotator", pseudonym=f"annotator-{n}")
        for n in range(annotators)
    )
    rubric = Rubric.objects.create(
        project=project, slug="bench", version=1, digest="0" * 64, published_at=NOW
    )
    dimensions = [
        Dimension.objects.create(
            rubric=rubric,
            key=f"{level}-{n}",
            level=level,
            position=n + (LOCAL if level == "global" else 0) + 1,
            name={"en": f"{level} {n}"},
            image_rule="answer" if (level, n) == ("local", 0) else "none",
        )
        for level, count in (("local", LOCAL), ("global", GLOBAL))
        for n in range(count)
    ]
    ScalePoint.objects.bulk_create(
        ScalePoint(dimension=one, score=score) for one in dimensions for score in range(4)
    )
    guideline = Guideline.objects.create(project=project, slug="bench")
    version = GuidelineVersion.objects.create(
        guideline=guideline, number=1, language="en", text="", published_at=NOW
    )
    batch = Batch.objects.create(
        project=project,
        slug="bench",
        title="Bench",
        kind=kind,
        state="open",
        rubric=rubric,
        guideline=guideline,
        seed=1,
        created_at=NOW,
        opened_at=NOW,
    )
    imported = Import.objects.create(project=project, name="made", state="done", created_at=NOW)
    dialogues = Dialogue.objects.bulk_create(
        [
            Dialogue(project=project, imported_in=imported, content_key=f"d{n:063}", created_at=NOW)
            for n in range(items)
        ],
        batch_size=5000,
    )
    pair = kind == "conversation_pair"
    last, other, path = _trees(dialogues, rng, Turn, Response, pair=pair)
    made = Item.objects.bulk_create(
        [
            Item(
                batch=batch,
                dialogue=dialogue,
                response_1=last[n],
                response_2=other[n] if pair else None,
                fork_depth=TURNS if pair else None,
                position=n,
            )
            for n, dialogue in enumerate(dialogues)
        ],
        batch_size=5000,
    )
    seats = Seat.objects.bulk_create(
        [
            Seat(item=one, number=n + 1, state="taken", shown_first=1 + n % 2)
            for one in made
            for n in range(EACH)
        ],
        batch_size=5000,
    )
    first = rng.integers(0, annotators, items)
    who = (first[:, None] + np.array([0, 7, 23])) % annotators
    assignments = Assignment.objects.bulk_create(
        [
            Assignment(
                item=seat.item,
                seat=seat,
                member=people[who[n // EACH, n % EACH]],
                state="submitted",
                claimed_at=NOW,
                submitted_at=NOW + timedelta(seconds=n),
            )
            for n, seat in enumerate(seats)
        ],
        batch_size=5000,
    )
    judgments = Judgment.objects.bulk_create(
        [
            Judgment(
                batch=batch,
                number=n + 1,
                item=one.item,
                member=one.member,
                assignment=one,
                seat=one.seat,
                cause="first",
                submission_key=str(n),
                guideline_version=version,
                shown_first=one.seat.shown_first,
                submitted_at=one.submitted_at,
                active_ms={"1": 60000},
            )
            for n, one in enumerate(assignments)
        ],
        batch_size=5000,
    )
    Batch.objects.filter(pk=batch.pk).update(last_number=len(judgments))
    if pair:
        for dimension in (None, *dimensions):
            draws = rng.integers(0, 3, len(judgments)).tolist()
            Preference.objects.bulk_create(
                [
                    Preference(
                        judgment=one,
                        scope="dimension" if dimension else "overall",
                        dimension=dimension,
                        outcome="tie" if draw == 2 else "prefers",
                        preferred_id=(one.item.response_1_id, one.item.response_2_id, None)[draw],
                        strength=None if draw == 2 else 1,
                    )
                    for one, draw in zip(judgments, draws, strict=True)
                ],
                batch_size=5000,
            )
    _copy_ratings(rng, judgments, path, who, dimensions, annotators)
    batch.refresh_from_db()
    return batch


def _trees(dialogues, rng, Turn, Response, *, pair):  # noqa: N803
    """Grow a path of turns in each dialogue; return last responses, those beside them, and keys."""
    before, path, other = None, [], []
    for depth in range(1, TURNS + 1):
        turns = Turn.objects.bulk_create(
            [
                Turn(
                    dialogue=dialogue,
                    follows=before[n] if before else None,
                    depth=depth,
                    prompt="What then?",
                    content_key=f"t{depth}-{n:060}",
                )
                for n, dialogue in enumerate(dialogues)
            ],
            batch_size=5000,
        )
        lengths = rng.integers(200, 1200, len(turns))
        made = [
            Response(
                dialogue=turn.dialogue,
                turn=turn,
                depth=depth,
                text="x" * int(lengths[n]),
                content_key=f"r{depth}-{n:060}",
                source={"model": MODELS[n % len(MODELS)]} if pair else {},
            )
            for n, turn in enumerate(turns)
        ]
        Response.objects.bulk_create(made, batch_size=5000)
        if pair and depth == TURNS:
            other = Response.objects.bulk_create(
                [
                    Response(
                        dialogue=turn.dialogue,
                        turn=turn,
                        depth=depth,
                        text="y" * 600,
                        content_key=f"s{depth}-{n:060}",
                        source={"model": MODELS[(n + 1 + n // 5 % 4) % len(MODELS)]},
                    )
                    for n, turn in enumerate(turns)
                ],
                batch_size=5000,
            )
        for n, one in enumerate(made + list(other if depth == TURNS else [])):
            at = n % len(turns)
            one.lineage = f"{before[at].lineage if before else '/'}{one.pk}/"
        Response.objects.bulk_update(
            made + list(other if depth == TURNS else []), ["lineage"], batch_size=5000
        )
        before = made
        path.append([one.pk for one in made])
    return before, other, np.array(path).T


def _copy_ratings(rng, judgments, path, who, dimensions, annotators):
    from django.db import connection

    severity = rng.normal(scale=0.3, size=annotators)
    connection.ensure_connection()
    columns = (
        "judgment_id, response_id, dimension_id, score, not_applicable, origin, branch, reason, "
        "reason_language, tags"
    )
    with (
        connection.connection.cursor() as cursor,
        cursor.copy(f"COPY annotation_rating ({columns}) FROM STDIN") as copy,
    ):
        for item in range(len(path)):
            units = [(response, one) for response in path[item] for one in dimensions[:LOCAL]]
            units += [(path[item][-1], one) for one in dimensions[LOCAL:]]
            quality = rng.normal(size=len(units))
            for place in range(EACH):
                judgment = judgments[item * EACH + place].pk
                seen = (
                    quality + severity[who[item, place]] + rng.normal(scale=0.75, size=len(units))
                )
                scores = np.digitize(seen, [-0.2, 0.85, 1.9])
                for (response, one), score in zip(units, scores.tolist(), strict=True):
                    branch = "answer_images" if one.image_rule == "answer" else ""
                    copy.write_row(
                        (
                            judgment,
                            int(response),
                            one.pk,
                            score,
                            False,
                            "given",
                            branch,
                            "",
                            "",
                            "[]",
                        )
                    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
