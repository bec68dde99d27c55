"""Batches that are judged, and what their exports hold."""

import hashlib
import json
from datetime import timedelta

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from annotation.actions.export_files import (
    write_folder,
)
from annotation.actions.voids import Target, void
from annotation.choices import Cause
from annotation.formats.manifest import file_digest
from annotation.formats.options import ExportOptions
from annotation.models import Dialogue, Image, Response, Turn
from annotation.reports.pairs import Snapshot
from tests.factories import (
    NOW,
    make_batch,
    make_import,
    make_item,
    make_items,
    make_lead,
    make_mark,
    make_member,
    make_project,
    make_rubric,
    make_slot,
)
from tests.judged import judge, make_picture


def export(batch, out, number=None, **options):
    snapshot = Snapshot.now(batch) if number is None else Snapshot(batch, number)
    return write_folder(
        out, project=batch.project, snapshots=[snapshot], options=ExportOptions(**options)
    )


def rows_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): file_digest(path)[1]
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def decided_batch():
    """Four turn pairs with pictures in their prompts and responses; two people each.

    Three are decided, the second side preferred; on the fourth the two differ.
    """
    batch = make_batch(slug="cats")
    items = make_items(batch, items=4)
    people = [make_member(name="robin"), make_member(name="kim")]
    for number, item in enumerate(items):
        make_slot(turn=item.response_1.turn, image=make_picture(number))
        make_slot(response=item.response_2, image=make_picture(100 + number))
        for person in people:
            judge(
                item,
                person,
                overall=item.response_2,
                scores={(item.response_1, "text_quality"): 1, (item.response_2, "text_quality"): 3},
                rationale='=HYPERLINK("x") "B" is better',
            )
    judge(items[3], people[1], overall=items[3].response_1, cause=Cause.CORRECTION)
    return batch


def fixed_world():
    """Return a batch whose every exported byte is written here: no counter, no clock, no chance."""
    project, lead = make_project(), make_lead(name="lead")
    rubric = make_rubric(slug="fixed", local=["text_quality"], global_=["helpfulness"])
    batch = make_batch(slug="fixed", rubric=rubric)
    people = [make_member(name=name) for name in ("kim", "robin", "山田")]
    for number in range(6):
        name = f"{number:064x}"
        content = b"picture %d" % number
        digest = hashlib.sha256(content).hexdigest()
        picture = Image.objects.create(
            project=project, sha256=digest, pixel_sha256=digest, mime="image/png",
            byte_size=len(content), width=8, height=6,
            original=default_storage.save(f"originals/{digest}.png", ContentFile(content)),
        )  # fmt: skip
        tree = Dialogue.objects.create(
            project=project, imported_in=make_import(), content_key=name, created_at=NOW
        )
        root = Turn.objects.create(
            dialogue=tree, content_key=name, depth=1, prompt="Draw “it” <Image, x>]]"
        )
        make_slot(turn=root, image=picture)
        sides = []
        for side in ("a", "b"):
            response = Response.objects.create(
                dialogue=tree, turn=root, depth=1, content_key=side + name[1:],
                text=f"Réponse {side}\u2028 😀 {number}", source={"model": f"model-{side}"},
            )  # fmt: skip
            response.lineage = f"/{response.pk}/"
            response.save()
            sides.append(response)
        item = make_item(batch, *sides, position=number)
        for place, person in enumerate(people):
            judge(
                item,
                person,
                overall=sides[(number * place) % 2],
                scores={(side, "text_quality"): (number + place) % 4 for side in sides},
                rationale="B “is” better",
                at=NOW + timedelta(minutes=number, microseconds=place),
                shown_first=1 + place % 2,
            )
    make_mark(batch.items.order_by("position").first().dialogue, "灾难")
    void(Target(item=batch.items.order_by("position").last()), by=lead, reason="broken", now=NOW)
    return batch
