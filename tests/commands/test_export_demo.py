"""The demo, judged through the real actions and exported for every trainer."""

import json

import datasets
import pytest
from django.conf import settings
from django.core.management import call_command

from annotation.actions.assignments import NothingToAnnotate, claim_next
from annotation.actions.demo import load_demo
from annotation.actions.judgments import submit_judgment
from annotation.formats.manifest import read_manifest, verified
from annotation.models import Batch
from tests.factories import NOW, make_project
from tests.worlds import full_body

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

PAIRS = ("demo-turn-pairs", "demo-conversation-pairs")


@pytest.fixture
def preferred():
    """Judge every item of the demo by everybody; return the planted answer by dialogue and sides."""
    call_command("load_rubric")
    demo = load_demo(make_project(), folder=settings.BASE_DIR / "fixtures" / "demo", now=NOW)
    planted = {}
    for batch in demo.batches:
        for member in batch.members.order_by("pseudonym"):
            while held := next_item(batch, member):
                item = held.item
                best = None
                if item.response_2 is not None:
                    best = item.response_1 if item.position % 2 else item.response_2
                    sides = item.response_1.content_key, item.response_2.content_key
                    planted[batch.slug, *sides] = best
                body = full_body(held, score=2, preferred=best)
                if best is not None:
                    text = "It shows every step, and each picture is what the text says."
                    body["remarks"] = {"rationale": {"text": text, "language": "en"}}
                submit_judgment(held, by=member, body=body, key=held.public_id, now=NOW)
    return planted


def next_item(batch, member):
    try:
        return claim_next(batch, by=member, now=NOW)
    except NothingToAnnotate:
        return None


def rows_of(folder):
    return [
        (path.stem, json.loads(line))
        for path in sorted(folder.glob("*.jsonl"))
        if path.name != "index.jsonl"
        for line in path.read_text(encoding="utf-8").split("\n")[:-1]
    ]


def loaded(folder, cache):
    files = [path for path in sorted(folder.glob("*.jsonl")) if path.name != "index.jsonl"]
    full = [str(path) for path in files if path.stat().st_size]
    return datasets.load_dataset("json", data_files=full, split="train", cache_dir=str(cache))


def test_the_demo_exports_for_every_trainer_and_the_planted_answer_is_chosen(preferred, tmp_path):
    swift, trl, canonical, ratings = (tmp_path / name for name in ("s", "t", "c", "r"))
    both = ["--batch", PAIRS[0], "--batch", PAIRS[1]]
    call_command(
        "export_pairs", *both, "--out", str(swift), "--format", "swift", "--split", "60/20/20"
    )
    call_command("export_pairs", *both, "--out", str(trl), "--format", "trl", "--response-images",
                 "drop", "--last-response-only", "--split", "60/20/20")  # fmt: skip
    call_command("export_pairs", *both, "--out", str(canonical), "--dimension", "all")
    call_command("export_pairs", "--batch", "demo-conversations", *both, "--out", str(ratings),
                 "--format", "ratings")  # fmt: skip

    for folder in (swift, trl, canonical, ratings):
        assert verified(folder) == []
    submitted = Batch.objects.get(slug=PAIRS[0]).judgments.count()
    submitted += Batch.objects.get(slug=PAIRS[1]).judgments.count()
    for folder in (swift, trl, canonical):
        told = read_manifest(folder)
        assert told["judgments"]["submitted"] == submitted > 0
        assert told["decisions"]["written"] == len(rows_of(folder)) or folder == canonical
    assert read_manifest(swift)["decisions"]["written"] > 0
    assert read_manifest(trl)["decisions"]["written"] > 0
    for _, pair in rows_of(canonical):
        sides = {side: pair["sides"][side][-1]["node"] for side in ("response_1", "response_2")}
        best = preferred[pair["batch"], sides["response_1"], sides["response_2"]]
        decided = {one["dimension"]: one["preferred"] for one in pair["aggregates"]}
        assert sides[decided["overall"]] == best.content_key


def test_the_files_load_with_the_datasets_library_and_placeholders_equal_pictures(
    preferred, tmp_path
):
    swift, trl = tmp_path / "swift", tmp_path / "trl"
    both = ["--batch", PAIRS[0], "--batch", PAIRS[1], "--split", "60/20/20", "--seed", "3"]
    call_command("export_pairs", *both, "--out", str(swift), "--format", "swift")
    call_command("export_pairs", *both, "--out", str(trl), "--format", "trl", "--response-images",
                 "drop", "--last-response-only")  # fmt: skip

    rows = loaded(swift, tmp_path / "cache")
    assert len(rows) == len(rows_of(swift))
    assert sum(len(row["images"]) + len(row["rejected_images"]) for row in rows) > 0
    for row in rows:
        for side in ("", "rejected_"):
            tags = sum(message["content"].count("<image>") for message in row[side + "messages"])
            assert tags == len(row[side + "images"])
            assert all((swift / path).is_file() for path in row[side + "images"])
    rows = loaded(trl, tmp_path / "cache")
    rows = rows.map(lambda row: {"images": [str(trl / path) for path in row["images"]]})
    rows = rows.cast_column("images", datasets.List(datasets.Image()))
    for row in rows:
        parts = [part for message in row["prompt"] for part in message["content"]]
        assert sum(part["type"] == "image" for part in parts) == len(row["images"])
        assert all(picture.width > 0 for picture in row["images"])
    for folder in (swift, trl):
        placement = {}
        for split, row in rows_of(folder):
            assert placement.setdefault(row["dialogue"], split) == split
