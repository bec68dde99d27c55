"""The manifest: sums that balance, and files that are what it says."""

import json
from dataclasses import replace

import pytest

from annotation.formats.manifest import (
    INDEX,
    NAME,
    Balance,
    Erratum,
    FileEntry,
    IndexEntry,
    NoManifest,
    errata,
    file_digest,
    manifest,
    manifest_bytes,
    read_index,
    read_manifest,
    verified,
)
from tests.golden.pairs import golden

ENTRY = IndexEntry("pair-1", "cats", "root", "digest", (1, 2), {"overall": "response_1"})


@pytest.fixture
def export(tmp_path):
    """A finished swift export of the golden rows."""
    return write_export(tmp_path, golden()["pairs.swift.jsonl"])


def write_export(folder, content, *, told_rows=None, split="train", format="swift"):
    path = folder / "train.jsonl"
    path.write_bytes(content)
    (folder / INDEX).write_bytes(ENTRY.line())
    rows = content.count(b"\n") if told_rows is None else told_rows
    decisions = Balance()
    decisions.keep(content.count(b"\n"))
    decisions.leave_out("tie", 2)
    judgments = Balance()
    judgments.keep(6)
    judgments.leave_out("withdrawn")
    told = manifest(
        format=format,
        snapshots=[{"batch": "cats", "number": 8}],
        options={"format": format},
        judgments=judgments,
        decisions=decisions,
        files=[
            FileEntry("train.jsonl", *file_digest(path), rows=rows, split=split),
            FileEntry(INDEX, *file_digest(folder / INDEX), rows=1),
        ],
        policies=["a tie is no preference"],
        lost={"response_images": 0},
        splits=None,
        made_by="intermt-annotate test",
    )
    (folder / NAME).write_bytes(manifest_bytes(told))
    return folder


def test_a_sound_export_has_no_problem_and_its_sums_come_out(export):
    told = read_manifest(export)

    assert verified(export) == []
    assert told["judgments"] == {"submitted": 7, "exported": 6, "excluded": {"withdrawn": 1}}
    assert told["decisions"] == {"made": 5, "written": 3, "excluded": {"tie": 2}}


def test_one_flipped_bit_is_found(export):
    path = export / "train.jsonl"
    content = bytearray(path.read_bytes())
    content[10] ^= 1
    path.write_bytes(bytes(content))

    (problem,) = verified(export)
    assert problem.startswith("train.jsonl was altered")


def test_missing_and_strange_files_are_found(export):
    (export / "train.jsonl").rename(export / "other.jsonl")

    assert verified(export) == [
        "train.jsonl is missing",
        "other.jsonl is not in the manifest",
    ]


def test_sums_that_do_not_balance_are_found(export):
    told = read_manifest(export)
    told["judgments"]["submitted"] += 1
    told["decisions"]["written"] -= 1
    told["decisions"]["made"] -= 1
    (export / NAME).write_bytes(manifest_bytes(told))

    assert verified(export) == [
        "judgments: submitted is not exported plus excluded",
        "decisions: 2 written, 3 rows in files",
    ]


def test_a_row_count_that_lies_is_found(tmp_path):
    write_export(tmp_path, golden()["pairs.swift.jsonl"], told_rows=4)

    assert "train.jsonl has 3 rows, 4 in the manifest" in verified(tmp_path)


def test_a_bad_row_is_found_in_a_file_whose_checksum_is_right(tmp_path):
    row = json.loads(golden()["pairs.swift.jsonl"].splitlines()[0])
    row["images"] = row["images"][:1]
    write_export(tmp_path, (json.dumps(row) + "\n").encode())

    assert verified(tmp_path) == ["train.jsonl line 1: images has 2 placeholders for 1 pictures"]


def test_a_dialogue_in_two_splits_is_found(export):
    told = read_manifest(export)
    (export / "test.jsonl").write_bytes((export / "train.jsonl").read_bytes())
    twin = dict(next(entry for entry in told["files"] if entry["path"] == "train.jsonl"))
    told["files"].append(twin | {"path": "test.jsonl", "split": "test"})
    told["decisions"] |= {"written": 6, "made": 8}
    (export / NAME).write_bytes(manifest_bytes(told))

    assert verified(export) == [
        f"dialogue root-{name} stands in two splits" for name in ("drawn", "long", "plain")
    ]


def test_a_file_outside_the_folder_is_never_opened(export):
    told = read_manifest(export)
    told["files"].append(
        {"path": "../secret", "bytes": 0, "sha256": "", "rows": None, "split": None}
    )
    (export / NAME).write_bytes(manifest_bytes(told))

    assert verified(export) == ["../secret is not inside the export"]


def test_a_folder_without_a_manifest_is_no_export(tmp_path):
    with pytest.raises(NoManifest, match="not an export, or one that broke"):
        verified(tmp_path)
    (tmp_path / NAME).write_text("{}")
    with pytest.raises(NoManifest, match="not of the schema"):
        verified(tmp_path)


def test_errata_name_what_changed_went_and_came(export):
    before = read_index(export)
    other = replace(ENTRY, pair="pair-2")
    turned = replace(ENTRY, digest="other", decisions={"overall": "response_2"})

    assert before == {"pair-1": ENTRY}
    assert errata(before, before) == []
    assert errata(before, {"pair-1": turned, "pair-2": other}) == [
        Erratum("pair-1", "cats", "changed", ENTRY.decisions, turned.decisions),
        Erratum("pair-2", "cats", "come", {}, other.decisions),
    ]
    assert errata(before, {}) == [Erratum("pair-1", "cats", "gone", ENTRY.decisions, {})]
