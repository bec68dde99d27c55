"""`manage.py create_batch` and `manage.py batch`."""

import json
import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from annotation.choices import (
    BatchSettings,
    BatchState,
    DimensionPreference,
    LocalScope,
    OverallScale,
    PairChoice,
    ReasonRule,
)
from annotation.models import Batch, Item
from annotation.reports.words import rounded
from tests.conftest import NOW
from tests.factories import make_lead, make_member, make_rubric, make_tree

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def lead():
    make_rubric()
    return make_lead("okafor")


def make_wave(*more: str) -> Batch:
    make_tree(paths=2)
    make_member(name="heron")
    make_member(name="larch")
    run("create_batch", "wave-1", "--kind", "turn_pair", "--all-annotators", *more)
    return Batch.objects.get(slug="wave-1")


def test_a_preview_says_what_it_would_be_and_writes_nothing(lead):
    make_tree(paths=4, turns=5, fork=1)

    said = run("create_batch", "wave-1", "--kind", "conversation_pair", "--dry-run")

    assert "items      4 of 6 possible" in said
    assert "2 left out: not chosen" in said
    assert "seats      8 (2 at each of 4 items), 0 members" in said
    assert "decisions  56 an item (median), 56 to 56" in said
    assert re.search(r"\n  hours      [0-9.]+, or [0-9.]+ where ratings are carried\n", said)
    assert not Batch.objects.exists()


def test_a_preview_is_rounded_and_says_hours_twice_only_where_they_differ(lead):
    make_tree(paths=2)

    said = run("create_batch", "wave-1", "--kind", "turn_pair", "--preview")

    assert re.search(r"\n  hours      [0-9]+(\.[0-9])?\n", said)
    assert "(2 at each of 1 item)" in said
    assert not re.search(r"\.[0-9]{2}", said)
    assert [rounded(value) for value in (1.11, 2.0, 9.96, 14.43, 0)] == [
        "1.1",
        "2",
        "10",
        "14",
        "0",
    ]


def test_a_preview_in_json_holds_the_same_and_says_what_is_wrong(lead):
    make_tree(paths=2)
    out = StringIO()

    body = json.loads(run("create_batch", "wave-1", "--kind", "turn_pair", "--preview", "--json"))
    with pytest.raises(CommandError, match="sample of dialogues must be 1"):
        call_command(
            *("create_batch", "wave-1", "--kind", "turn_pair", "--sample", "0"),
            *("--preview", "--json"),
            stdout=out,
        )

    assert (body["items"], body["seats"], body["problems"]) == (1, 2, [])
    assert json.loads(out.getvalue())["problems"] == ["A sample of dialogues must be 1 or more."]


def test_every_option_reaches_the_batch(lead, tmp_path):
    for task in ("drawing", "cooking"):
        make_tree(paths=4, turns=3, fork=1, task=task)
    make_member(name="heron")
    (tmp_path / "en.md").write_text("Be fair.", encoding="utf-8")
    (tmp_path / "zh.md").write_text("要公平。", encoding="utf-8")

    body = json.loads(
        run(
            "create_batch",
            "wave-1",
            *("--kind", "conversation_pair", "--purpose", "pilot", "--title", "Wave 1"),
            *("--rubric", "intermt:1", "--by", "okafor", "--json"),
            *("--task", "drawing", "--turns", "2-4", "--images", "none", "--sample", "5"),
            *("--pairs", "sample:2", "--unequal-length", "--include-incomplete"),
            *("--order", "shuffled", "--seed", "7", "--member", "heron"),
            *("--overlap", "1+3:0.5", "--lease", "30"),
            *("--guideline-file", f"en={tmp_path / 'en.md'}"),
            *("--guideline-file", f"zh-hans={tmp_path / 'zh.md'}"),
            *("--local", "after_fork", "--no-global", "--reasons", "intermt"),
            *("--reason", "text_quality=at-or-below:1+share:0.1"),
            *("--reason", "crucial_step_recognition=never", "--reason-minimum", "10"),
            *("--dimension-preference", "none", "--overall-scale", "graded"),
            *(
                "--fork-preference",
                "--guideline-fixed",
                "--undo-minutes",
                "5",
                "--review-share",
                "0.2",
                "--review-blind-share",
                "0.5",
                "--rationale-minimum",
                "15",
            ),
        )
    )

    batch = Batch.objects.get()
    assert (body["items"], body["state"], body["public_id"]) == (2, "draft", batch.public_id)
    assert (batch.title, batch.purpose, batch.order) == ("Wave 1", "pilot", "shuffled")
    assert (batch.seed, batch.lease_minutes, batch.created_by) == (7, 30, lead)
    assert batch.choice == {
        "tasks": ["drawing"],
        "turns_least": 2,
        "turns_most": 4,
        "has_images": False,
        "sample": 5,
    }
    assert batch.parsed_settings() == BatchSettings(
        local_scope=LocalScope.AFTER_FORK,
        global_ratings=False,
        reasons={
            "local_image_text_consistency": ReasonRule(at_or_below=1, share=0.2),
            "text_quality": ReasonRule(at_or_below=1, share=0.1),
            "visual_perceptual_quality": ReasonRule(at_or_below=1, share=0.2),
        },
        reason_minimum=10,
        rationale_minimum=15,
        dimension_preference=DimensionPreference.NONE,
        overall_scale=OverallScale.GRADED,
        fork_preference=True,
        guideline_fixed=True,
        pairs=PairChoice.SAMPLE,
        pairs_per_tree=2,
        equal_length_only=False,
        include_incomplete=True,
        overlap=1,
        overlap_high=3,
        overlap_high_share=0.5,
        undo_minutes=5,
        review_share=0.2,
        review_blind_share=0.5,
    )
    assert set(batch.guideline.versions.values_list("language", "text")) == {
        ("en", "Be fair."),
        ("zh-hans", "要公平。"),
    }


def test_all_annotators_are_those_who_can_sign_in(lead):
    make_member(name="reference", user=False)

    batch = make_wave()

    assert set(batch.members.values_list("pseudonym", flat=True)) == {"heron", "larch"}


def test_a_batch_can_be_opened_at_once(lead):
    assert make_wave("--open").state == BatchState.OPEN


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--by", "nobody"], "no lead nobody"),
        (["--project", "other"], "no project other"),
        (["--rubric", "wit"], "no rubric wit"),
        (["--rubric", "intermt:x"], "no number of rubric version"),
        (["--member", "nobody"], "Not members of default: nobody"),
        (["--guideline", "none-such"], "no guideline none-such"),
        (["--guideline-file", "en.md"], "LANGUAGE=PATH"),
        (["--guideline-file", "en=/nowhere/en.md"], "could not be read"),
        (["--turns", "many"], "^--turns many: write N or N-M, for example 2-5.$"),
        (["--turns", "-2"], "^--turns -2: write N or N-M"),
        (["--turns", "2-"], "^--turns 2-: write N or N-M"),
        (["--turns", "0"], "^The turns of a dialogue are counted from 1.$"),
        (["--turns", "5-2"], "^No dialogue has at least 5 and at most 2 turns.$"),
        (["--turns", "5-2", "--preview"], "^No dialogue has at least 5 and at most 2 turns.$"),
        (["--overlap", "2+x"], r"N\+M:SHARE"),
        (["--overlap", "some"], "no number of overlap"),
        (["--overlap", "9000"], "overlap must be between 1 and 50"),
        (["--pairs", "some"], "all, ring or sample:N"),
        (["--reason", "text_quality"], "DIMENSION=RULE"),
        (["--reason", "text_quality=sometimes"], "is not a reason rule"),
        (["--open"], "0 members cannot fill 2 seats"),
        (["--open", "--preview"], "0 members cannot fill 2 seats"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(lead, options, problem):
    make_tree(paths=2)

    with pytest.raises(CommandError, match=problem):
        run("create_batch", "wave-1", "--kind", "turn_pair", *options)


def test_a_preview_refuses_what_opening_would_refuse(lead):
    make_tree(paths=2)
    for name in ("heron", "larch", "wren"):
        make_member(name=name)
    asked = ["create_batch", "wave-1", "--kind", "turn_pair", "--all-annotators", "--overlap"]
    told = "^3 members cannot fill 5 seats of an item"

    for overlap in ("5", "1+5:0.5"):
        for more in ("--preview", "--open"):
            with pytest.raises(CommandError, match=told):
                run(*asked, overlap, more)
    assert "3 members" in run(*asked, "3", "--preview")
    assert not Batch.objects.exists()
    run(*asked, "5")
    assert Batch.objects.get().state == BatchState.DRAFT


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--gold", "1"], "^The batch asks for 1 gold items and there are 0 it can take"),
        (["--repeats", "1", "--repeat-gap", "3"], "at least 3 items later, and the batch has 1"),
        (["--purpose", "qualification", "--overlap", "everyone"], "^Nothing in wave-1 has a known"),
    ],
)
def test_a_preview_of_opening_says_of_known_answers_and_repeats_what_opening_says(
    lead, options, problem
):
    make_tree(paths=2)
    for name in ("heron", "larch"):
        make_member(name=name)
    asked = ["create_batch", "wave-1", "--kind", "turn_pair", "--all-annotators", *options]

    for more in (["--open"], ["--open", "--preview"]):
        with pytest.raises(CommandError, match=problem):
            run(*asked, *more)

    assert not Batch.objects.exists()
    assert "wave-1" in run(*asked, "--preview")


def test_a_batch_that_cannot_open_leaves_no_draft(lead):
    make_tree(paths=2)

    with pytest.raises(CommandError):
        run("create_batch", "wave-1", "--kind", "turn_pair", "--open")

    assert not Batch.objects.exists()
    assert not Item.objects.exists()


def test_no_lead_or_several_are_told_what_to_do():
    make_rubric()
    make_tree(paths=2)
    command = ("create_batch", "wave-1", "--kind", "turn_pair")

    with pytest.raises(CommandError, match="has no lead"):
        run(*command)
    make_lead("okafor")
    make_lead("silva")
    with pytest.raises(CommandError, match=r"say which with --by \(okafor, silva\)"):
        run(*command)


# --- batch


def test_a_batch_is_taken_through_its_states(lead):
    make_wave()

    states = []
    for step in ("open", "pause", "open", "close", "reopen"):
        states.append(run("batch", "wave-1", step).strip())

    assert states == [
        "wave-1 is open.",
        "wave-1 is paused.",
        "wave-1 is open.",
        "wave-1 is closed.",
        "wave-1 is open.",
    ]
    with pytest.raises(CommandError, match="only while closed"):
        run("batch", "wave-1", "reopen")


def test_the_status_is_printed_in_words_and_json(lead):
    make_wave("--open")

    assert "0 of 2 submitted (0 %), 0 held, 0 parked, 2 open" in run("batch", "wave-1")
    assert json.loads(run("batch", "wave-1", "--json"))["seats"]["total"] == 2
    with pytest.raises(CommandError, match="no batch wave-9"):
        run("batch", "wave-9")


def test_overlap_members_seats_and_items_are_changed(lead):
    item = make_wave("--open").items.get()
    make_member(name="tern")

    assert run("batch", "wave-1", "members", "tern") == "1 member added.\n"
    assert run("batch", "wave-1", "overlap", "3").startswith("1 seat added")
    assert run("batch", "wave-1", "seats", "--item", item.public_id) == "1 extra seat added.\n"
    assert run("batch", "wave-1", "offer-again") == "0 items offered again.\n"
    Item.objects.update(parked_at=NOW)
    assert run("batch", "wave-1", "offer-again") == "1 item offered again.\n"
    run("batch", "wave-1", "close")
    assert run("batch", "wave-1", "reopen", "--item", item.public_id) == "1 item reopened.\n"

    item.refresh_from_db()
    assert (item.seats.count(), item.parked_at) == (4, None)
    assert item.reopened_at is not None
    assert item.batch.state == BatchState.CLOSED


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["overlap"], "Say the overlap"),
        (["overlap", "many"], "Say the overlap"),
        (["members", "nobody"], "Not members: nobody"),
        (["seats", "--item", "x"], "No items of wave-1: x"),
        (["seats"], "Say for which items"),
    ],
)
def test_a_change_that_cannot_be_made_is_refused_in_words(lead, arguments, problem):
    make_wave("--open")

    with pytest.raises(CommandError, match=problem):
        run("batch", "wave-1", *arguments)


def test_a_draft_is_discarded(lead):
    make_wave()

    assert run("batch", "wave-1", "discard") == "Discarded wave-1.\n"

    assert not Batch.objects.exists()


# --- Real dialogues


@pytest.mark.slow
@pytest.mark.shared_data
def test_the_published_halves_give_the_pairs_they_hold(lead, shared_data):
    run("import_dialogues", str(shared_data / "intermt"))

    def found(kind: str, *more: str) -> tuple[int, dict[str, int]]:
        command = ("create_batch", "real", "--kind", kind, "--preview", "--json", *more)
        body = json.loads(run(*command))
        assert body["dialogues"] == 312
        assert body["items"] + sum(body["left_out"].values()) == body["possible"]
        return body["items"], body["left_out"]

    # Most pictures are not in the shared folder, so their items are left out unless included.
    with pytest.raises(CommandError, match="left out: 61 missing or broken pictures"):
        found("turn_pair")
    assert found("turn_pair", "--include-incomplete") == (61, {})
    assert found("conversation_pair", "--include-incomplete") == (
        43,
        {"prefix": 4, "unequal_length": 29},
    )
    assert found(
        "conversation_pair", "--include-incomplete", "--unequal-length", "--pairs", "all"
    ) == (
        72,
        {"prefix": 4},
    )
    assert found("conversation") == (6, {"incomplete": 371})
