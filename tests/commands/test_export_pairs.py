"""The shell's way to export, verify, take out and see what has changed."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from annotation.actions.tokens import find_token
from annotation.agreement.__main__ import main as agreement
from annotation.choices import BatchKind, Cause
from annotation.formats.card import card
from annotation.formats.manifest import read_manifest
from annotation.models import Judgment, Member, Void
from tests.exported import fixed_world
from tests.factories import (
    NOW,
    make_batch,
    make_item,
    make_items,
    make_lead,
    make_member,
    make_slot,
)
from tests.judged import judge, make_picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def judged():
    """Two decided pairs of the batch `cats`."""
    batch = make_batch(slug="cats")
    make_lead(name="lead")
    person = make_member(name="robin")
    for item in make_items(batch, items=2):
        judge(item, person, overall=item.response_2, at=NOW)
    return batch


def run(capsys, *arguments, **options):
    call_command(*arguments, **options)
    return capsys.readouterr().out


def test_an_export_says_what_it_wrote_and_verifies(judged, tmp_path, capsys):
    out = tmp_path / "out"

    told = run(capsys, "export_pairs", "--batch", "cats", "--format", "swift", "--out", str(out))

    assert told.splitlines() == [
        f"{out}/index.jsonl: 2 rows",
        f"{out}/pairs.jsonl: 2 rows",
        "judgments: submitted 2 = exported 2",
        "decisions: made 2 = written 2",
    ]
    assert run(capsys, "verify_export", str(out)) == "Sound: 4 files, 4 rows, all sums balance.\n"


def test_an_altered_export_fails_verification_by_name(judged, tmp_path, capsys):
    out = tmp_path / "out"
    call_command("export_pairs", "--batch", "cats", "--out", str(out))
    path = out / "pairs.jsonl"
    path.write_bytes(path.read_bytes().replace(b"robin", b"rabin"))

    with pytest.raises(CommandError, match="1 problems"):
        call_command("verify_export", str(out))
    assert "pairs.jsonl was altered" in capsys.readouterr().err
    with pytest.raises(CommandError, match="not an export"):
        call_command("verify_export", str(tmp_path))


def test_the_manifest_is_printed_as_json_with_every_option(judged, tmp_path, capsys):
    told = json.loads(
        run(
            capsys,
            "export_pairs", "--batch", "cats", "--out", str(tmp_path / "out"), "--json",
            "--format", "canonical", "--dimension", "all", "--from", "scores",
            "--min-gap", "2", "--aggregate", "raw", "--ties", "drop", "--margin", "none",
            "--split", "90/5/5", "--seed", "7", "--text", "raw", "--images", "none",
            "--at", "1",
        )
    )  # fmt: skip

    assert told == read_manifest(tmp_path / "out")
    assert told["options"] == {
        "format": "canonical",
        "dimension": "all",
        "source": "scores",
        "min_gap": 2.0,
        "aggregate": "raw",
        "ties": "drop",
        "margin": "none",
        "split": "90/5/5",
        "seed": 7,
        "text": "raw",
        "images": "none",
        "last_response_only": False,
        "response_images": "refuse",
        "set": "final",
        "without_marks": "",
        "marks_at": 0,
    }
    assert told["snapshots"][0]["number"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--batch", "dogs"], "There is no batch dogs"),
        (["--batch", "cats", "--at", "9"], "cats is at number 2"),
        (["--batch", "cats", "--format", "swift", "--ties", "keep"], "a tie cannot be kept"),
        (["--batch", "cats", "--project", "other"], "There is no project other"),
        (["--batch", "cats", "--split", "a/b"], "is no split"),
        (["--batch", "cats", "--split", "90/5"], "90/0/5 sum to 95: they must sum to 100"),
        (["--batch", "cats", "--min-gap", "2"], "preferences as given have no gap"),
        (["--batch", "cats", "--batch", "cats"], "--batch cats is there twice"),
        (
            ["--batch", "cats", "--dimension", "text_qality"],
            "'text_qality' is none of overall, fork",
        ),
    ],
)
def test_what_cannot_be_exported_is_refused_in_words(judged, tmp_path, arguments, message):
    with pytest.raises(CommandError, match=message):
        call_command("export_pairs", "--out", str(tmp_path / "out"), *arguments)
    assert not (tmp_path / "out").exists()


def test_what_a_format_cannot_hold_is_refused_with_the_switches_that_would_help(tmp_path):
    (item,) = make_items(make_batch(slug="cats"))
    make_slot(response=item.response_1, image=make_picture(1))
    judge(item, make_member(), overall=item.response_1)
    out = str(tmp_path / "out")

    with pytest.raises(
        CommandError, match=r"pictures of responses dropped.*--response-images drop"
    ):
        call_command("export_pairs", "--batch", "cats", "--format", "trl", "--out", out)
    call_command(
        "export_pairs", "--batch", "cats", "--format", "trl", "--out", out,
        "--response-images", "drop",
    )  # fmt: skip


def test_errata_list_what_changed_went_and_came_by_pair(judged, tmp_path, capsys):
    out = tmp_path / "out"
    first, second = judged.items.order_by("position")
    call_command("export_pairs", "--batch", "cats", "--format", "swift", "--out", str(out))
    capsys.readouterr()
    assert run(capsys, "errata", str(out)) == "0 changed, 0 gone, 0 come\n"

    judge(
        first,
        Member.objects.get(pseudonym="robin"),
        overall=first.response_1,
        cause=Cause.CORRECTION,
    )
    call_command("void", "item", second.public_id, "--reason", "broken", "--by", "lead")
    (third,) = make_items(judged, items=1)
    judge(third, make_member(), overall="tie")
    capsys.readouterr()

    lines = run(capsys, "errata", str(out)).splitlines()
    assert sorted(line.split()[0] for line in lines[:3]) == ["changed", "come", "gone"]
    assert lines[3] == "1 changed, 1 gone, 1 come"
    assert any("overall response_2 -> response_1" in line for line in lines)
    found = [json.loads(line) for line in run(capsys, "errata", str(out), "--json").splitlines()]
    assert {one["what"]: one["now"] for one in found} == {
        "changed": {"overall": "response_1"},
        "gone": {},
        "come": {"overall": "tie"},
    }


def test_errata_of_ratings_go_by_item(tmp_path, capsys):
    batch = make_batch(slug="cats")
    (item,) = make_items(batch)
    robin = make_member(name="robin")
    judge(item, robin, scores={(item.response_1, "text_quality"): 1})
    out = tmp_path / "out"
    call_command("export_pairs", "--batch", "cats", "--format", "ratings", "--out", str(out))

    judge(item, robin, scores={(item.response_1, "text_quality"): 2}, cause=Cause.CORRECTION)
    capsys.readouterr()

    assert run(capsys, "errata", str(out)).splitlines()[-1] == "1 changed, 0 gone, 0 come"


@pytest.mark.parametrize("name", ["ratings.csv", "ratings.parquet"])
def test_the_agreement_command_reads_the_ratings_file(tmp_path, capsys, name):
    batch = make_batch(slug="cats")
    people = [make_member(), make_member()]
    for number, item in enumerate(make_items(batch, items=4)):
        for place, person in enumerate(people):
            scores = {(item.response_1, "text_quality"): 3 if number else place}
            judge(item, person, scores=scores)
    call_command(
        "export_pairs", "--batch", "cats", "--format", "ratings", "--out", str(tmp_path / "out")
    )
    capsys.readouterr()

    code = agreement([str(tmp_path / "out" / name), "--where", "dimension=text_quality",
                      "--level", "nominal", "--domain", "0,1,2,3", "--json"])  # fmt: skip

    told = json.loads(capsys.readouterr().out)
    assert (code, told["units"], told["ratings"], told["annotators"]) == (0, 4, 8, 2)
    exact = next(one for one in told["figures"] if one["measure"] == "percent_agreement")
    assert exact["value"] == 0.75


@pytest.mark.parametrize("name", ["ratings.csv", "ratings.parquet"])
def test_the_ratings_of_several_batches_are_read_though_one_rated_a_unit_in_both(
    tmp_path, capsys, name
):
    people = [make_member(), make_member()]
    first = make_batch(slug="cats", kind=BatchKind.CONVERSATION)
    second = make_batch(slug="dogs", kind=BatchKind.CONVERSATION)
    for item in make_items(first, items=3):
        for person in people:
            judge(item, person, scores={(item.response_1, "helpfulness"): 1})
        again = make_item(second, item.response_1, position=item.position)
        judge(again, people[0], scores={(item.response_1, "helpfulness"): 2})
    out = tmp_path / "out"
    run(
        capsys, "export_pairs", "--batch", "cats", "--batch", "dogs",
        "--format", "ratings", "--out", str(out),
    )  # fmt: skip

    code = agreement([str(out / name), "--domain", "0,1,2,3", "--json"])

    told = json.loads(capsys.readouterr().out)
    assert (code, told["units"], told["ratings"], told["annotators"]) == (0, 3, 6, 2)
    sums = read_manifest(out)["judgments"]
    assert sums == {"submitted": 9, "exported": 9, "excluded": {}}
    rows = (out / "ratings.csv").read_text().splitlines()
    assert sum(",rated_again," in row for row in rows) == 3
    assert run(capsys, "errata", str(out)).splitlines()[-1] == "0 changed, 0 gone, 0 come"


def test_void_takes_out_lists_and_puts_back(judged, capsys):
    judgment = Judgment.objects.get(number=1)

    told = run(capsys, "void", "judgment", judgment.public_id, "--reason", "copied", "--by", "lead")
    row = Void.objects.get()
    assert told == (
        f"Out of cats as number 3; put it back by: void lift {row.public_id} --reason ...\n"
    )
    assert "cats 3" in run(capsys, "void", "list", "cats")
    assert "judgment: copied (lead" in run(capsys, "void", "list")

    told = run(capsys, "void", "lift", row.public_id, "--reason", "it was not", "--by", "lead")
    assert told == "Put back in cats as number 4.\n"
    assert run(capsys, "void", "list") == ""


def test_void_of_a_member_counts_from_the_time_named(judged):
    since = (NOW + timedelta(hours=1)).isoformat()

    call_command("void", "member", "robin", "--since", since, "--reason", "tired", "--by", "lead")
    assert Void.objects.get().since == NOW + timedelta(hours=1)
    with pytest.raises(CommandError, match="write a time"):
        call_command("void", "member", "robin", "--since", "noon", "--reason", "x", "--by", "lead")


def test_voids_of_a_batch_that_is_not_there_are_not_just_none(judged, capsys):
    assert run(capsys, "void", "list", "cats") == ""
    with pytest.raises(CommandError, match="There is no batch nosuch"):
        call_command("void", "list", "nosuch")


def test_a_split_without_a_row_is_told_and_training_is_shown_with_the_training_file(
    tmp_path, capsys
):
    fixed_world()
    arguments = ["export_pairs", "--batch", "fixed", "--format", "canonical", "--seed", "3"]

    whole = run(capsys, *arguments, "--split", "60/20/20", "--out", str(tmp_path / "whole"))
    gap = run(capsys, *arguments, "--split", "98/1/1", "--out", str(tmp_path / "gap"))

    assert "no row fell" not in whole
    readme = (tmp_path / "whole" / "README.md").read_text(encoding="utf-8")
    listed = [readme.index(f"- `{name}.jsonl`") for name in ("train", "validation", "test")]
    assert listed == sorted(listed)
    assert [line for line in readme.splitlines() if line.startswith("  - split: ")] == [
        "  - split: train", "  - split: validation", "  - split: test",
    ]  # fmt: skip
    readme = (tmp_path / "gap" / "README.md").read_text(encoding="utf-8")
    for name in ("validation", "test"):
        assert f"no row fell to {name} of 98/1/1, so it has no file" in gap
        assert f"- no file for {name}: no row fell to it" in readme
    assert "no row fell to train" not in gap


@pytest.mark.parametrize("format", ["swift", "trl"])
def test_the_readme_loads_the_training_file(format):
    told = {
        "format": format, "set": "final", "policies": [], "judgments": None, "decisions": None,
        "lost": {}, "snapshots": [{"batch": "cats", "number": 8}],
        "splits": {"shares": "90/5/5", "rows": {"train": 9, "validation": 1, "test": 1}},
        "files": [
            {"path": f"{name}.jsonl", "rows": 1, "split": name}
            for name in ("test", "train", "validation")
        ],
    }  # fmt: skip

    loading = card(told, {"batches": []}).split("## Loading")[1]

    assert "train.jsonl" in loading
    assert "test.jsonl" not in loading


@pytest.mark.parametrize("what", ["judgment", "member", "item", "dialogue", "image", "lift"])
def test_void_of_something_unknown_is_refused(judged, what):
    with pytest.raises(CommandError, match="There is no"):
        call_command("void", what, "nobody", "--reason", "x", "--by", "lead")


def test_a_token_is_printed_once_and_works(judged, capsys):
    call_command("create_token", "trainer", "--scope", "pairs:read", "--for", "lead")

    printed = capsys.readouterr()
    token = find_token(printed.out.strip(), now=timezone.now())
    assert (token.name, token.scopes, token.member.pseudonym) == ("trainer", ["pairs:read"], "lead")
    assert "only time" in printed.err
