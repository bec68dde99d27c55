"""import_dialogues from the shell."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from annotation.models import Dialogue, Project, Record
from tests.actions.test_imports import draw
from tests.factories import NOW, make_project, make_rubric
from tests.formats.files import crucial, written

pytestmark = pytest.mark.django_db


def run(*args):
    out = io.StringIO()
    call_command("import_dialogues", *map(str, args), stdout=out)
    return out.getvalue()


def test_it_prints_what_became_of_the_records_and_what_can_be_judged(tmp_path):
    make_rubric()
    make_project()
    draw(tmp_path / "pictures", **{"7-1": "red"})
    bad = crucial(8)
    bad["conversations"][0]["prompt"] = 5
    other = crucial(7, crucial_step_recognition=1)
    other["id"] = 9
    path = written(tmp_path, [crucial(7), bad, other])

    lines = run(path, "--images", tmp_path / "pictures").splitlines()

    assert lines == [
        "file.json (intermt-crucial)",
        "  3 records with 4 turns: 1 new, 0 same, 1 duplicate, 0 prefix, 1 refused",
        "  new: 1 dialogue, 2 turns, 2 responses",
        "Records: 3 read: 1 new, 0 same, 1 duplicate, 0 prefix, 1 refused",
        "Their trees: 1 dialogue, 2 turns, 2 responses",
        "Picture slots: 1 stored, 0 never made, 2 missing, 0 broken, 0 withdrawn",
        "  in this run: 0 filled, 0 variants",
        "Scores: 1 conflict, 1 stored",
        "Can be judged now:",
        "  1 full path",
        "  0 turn pairs",
        "  0 conversation pairs",
        "  1 tree without a pair",
        "  with missing or broken pictures: 1 path, 0 turn pairs, 0 conversation pairs",
        "Oddities, all kept as they came:",
        "        2 no_image_as_blank",
        "Refused: 1",
        "  file.json [1] conversations[0].prompt: should be a text, is the number 5",
        "Conflicts: 1; what is stored stays",
        "  file.json [2] crucial_step_recognition: stored '3: From step 1 to step 2, all good.', "
        "given '1: From step 1 to step 2, all good.'",
    ]


def test_a_second_run_says_all_same(tmp_path):
    make_project()
    path = written(tmp_path, [crucial(7), crucial(8)])
    run(path)

    assert "  all same: nothing written\n" in run(path)


def test_json_is_the_whole_report(tmp_path):
    make_project()

    report = json.loads(run(written(tmp_path, [crucial(7)]), "--json", "--dry-run"))

    assert report["records"]["new"] == 1
    assert (report["dry_run"], report["written"]) == (True, False)
    assert report["files"][0]["format"] == "intermt-crucial"
    assert Dialogue.objects.count() == 0


def test_a_strict_run_with_a_refused_record_ends_badly_and_writes_nothing(tmp_path):
    make_project()
    path = written(tmp_path, [crucial(7), {**crucial(8), "conversations": 1}])

    with pytest.raises(CommandError, match="Nothing was written"):
        run(path, "--strict")

    assert Record.objects.count() == 0


def test_dialogues_go_into_the_project_that_is_named(tmp_path):
    make_project()
    other = Project.objects.create(slug="other", name="Other", created_at=NOW)

    run(written(tmp_path, [crucial(7)]), "--project", "other")

    assert Dialogue.objects.get().project == other


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["none.json"], "no such file"),
        (["unknown.json"], "has none of the known formats"),
        (["unknown.json", "--format", "intermt-site"], "Looked for intermt-site"),
        (["good.json", "--project", "nobody"], "There is no project 'nobody'"),
        (["good.json", "--images", "nowhere"], "nowhere is no folder"),
        (["good.json", "--rubric", "none"], "no rubric 'none'"),
    ],
)
def test_what_cannot_be_done_is_a_clear_refusal(tmp_path, monkeypatch, args, message):
    monkeypatch.chdir(tmp_path)
    make_project()
    written(tmp_path, [{"a": 1}], "unknown.json")
    written(tmp_path, [crucial(7)], "good.json")

    with pytest.raises(CommandError, match=message):
        run(*args)

    assert Record.objects.count() == 0


@pytest.mark.shared_data
@pytest.mark.slow
def test_the_published_halves_print_the_known_counts(shared_data):
    make_project()
    folder = shared_data / "intermt"

    first = run(folder)
    again = run(folder)

    for line in (
        "  250 records with 999 turns: 244 new, 0 same, 3 duplicate, 3 prefix, 0 refused",
        "  new: 182 dialogues, 876 turns, 937 responses",
        "  124 records with 750 turns: 124 new, 0 same, 0 duplicate, 0 prefix, 0 refused",
        "  new: 124 dialogues, 750 turns, 750 responses",
        "  3 records with 15 turns: 3 new, 0 same, 0 duplicate, 0 prefix, 0 refused",
        "Records: 380 read: 374 new, 0 same, 3 duplicate, 3 prefix, 0 refused",
        "Their trees: 312 dialogues, 1656 turns, 1717 responses",
        "Picture slots: 29 stored, 6 never made, 1681 missing, 0 broken, 0 withdrawn",
    ):
        assert line in first.splitlines()
    assert "Records: 380 read: 0 new, 380 same, 0 duplicate, 0 prefix, 0 refused" in again
    assert "  all same: nothing written" in again.splitlines()
