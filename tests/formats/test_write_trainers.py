"""The swift and TRL projections: what they hold, what they refuse, and that they load."""

from dataclasses import replace

import datasets
import pytest

from annotation.formats.aggregate import Policy
from annotation.formats.checks import Unfit, swift_problems, trl_problems
from annotation.formats.write_swift import swift_row
from annotation.formats.write_trl import trl_row
from tests.golden.pairs import (
    CAT,
    KITTEN,
    TIGER,
    golden,
    judgment,
    message,
    only_choices,
    pair,
    sample_pairs,
)


def picture(key):
    return f"images/{key[7:9]}/{key[7:]}.png"


def judged(*messages_of_sides, prompt=None):
    prompt = prompt or (message("user", "p", 1, "Draw"),)
    return only_choices(pair("x", prompt, *messages_of_sides, (judgment("p-1", 1, "response_1"),)))[
        0
    ]


def answer(text, *slots):
    return (message("assistant", "r", 1, text, *slots),)


def test_swift_keeps_the_pictures_of_both_sides_in_full():
    (choice,) = only_choices(sample_pairs()[0])

    row = swift_row(choice)

    assert row["messages"] == [
        {"role": "user", "content": "What is “this”?<image>"},
        {"role": "assistant", "content": "Look: <image>", "loss": True},
    ]
    assert row["images"] == [picture(CAT), picture(TIGER)]
    assert row["rejected_messages"][1] == {
        "role": "assistant",
        "content": "Here: <image> and <Image, more>.",
        "loss": True,
    }
    assert row["rejected_images"] == [picture(CAT), picture(KITTEN)]
    assert swift_problems(row) == []


def test_swift_holds_whole_conversations_and_compares_all_that_follows_the_fork():
    (choice,) = only_choices(sample_pairs()[2])

    row = swift_row(choice)
    last = swift_row(choice, last_response_only=True)

    assert [m.get("loss") for m in row["messages"]] == [None, False, None, True, None, True]
    assert [m.get("loss") for m in last["messages"]] == [None, False, None, False, None, True]
    assert row["images"] == [picture(CAT), picture(KITTEN)]
    assert row["rejected_images"] == [picture(CAT)]


@pytest.mark.parametrize("tag", ["<image>", "<video>", "<audio>"])
def test_a_text_that_contains_a_media_tag_is_left_out_of_swift(tag):
    choice = judged(answer(f"Write {tag} in HTML"), answer("No"))

    with pytest.raises(Unfit, match="literal_media_tag"):
        swift_row(choice)
    row, _ = trl_row(choice)
    assert row["chosen"][0]["content"] == [{"type": "text", "text": f"Write {tag} in HTML"}]


def test_a_media_tag_that_forms_only_where_pieces_meet_is_left_out_too():
    choice = judged(answer("<im<Image, x>age>", ("<Image, x>", "stored", CAT)), answer("No"))
    torn = judged(answer("a<ima|ge>b", ("|", "never_made", None)), answer("No"))
    split = judged(answer("<ima"), answer("No"), prompt=(message("user", "p", 1, "ge>"),))

    assert swift_row(choice)["messages"][1]["content"] == "<im<image>age>"
    assert swift_row(torn)["messages"][1]["content"] == "a<ima|ge>b"
    assert swift_row(split)["messages"][1]["content"] == "<ima"


@pytest.mark.parametrize("state", ["missing", "broken", "withdrawn"])
def test_a_picture_that_should_be_there_and_is_not_keeps_the_pair_out(state):
    choice = judged(answer("See", ("", state, None)), answer("No"))

    for write in (swift_row, trl_row):
        with pytest.raises(Unfit, match=f"image_{state}") as refusal:
            write(choice)
        assert not refusal.value.refuses


def test_sides_that_read_alike_are_no_pair():
    choice = judged(answer("Same"), answer("Same"))

    for write in (swift_row, trl_row):
        with pytest.raises(Unfit, match="sides_equal"):
            write(choice)


def test_trl_refuses_response_pictures_until_told_to_drop_them():
    (choice,) = only_choices(sample_pairs()[0])

    with pytest.raises(Unfit, match="response_images") as refusal:
        trl_row(choice)
    assert "pictures of responses dropped" in refusal.value.advice
    assert "--" not in refusal.value.advice

    row, dropped = trl_row(choice, response_images="drop")
    assert dropped == 2
    assert row["images"] == [picture(CAT)]
    assert row["prompt"][0]["content"] == [
        {"type": "text", "text": "What is “this”?"},
        {"type": "image"},
    ]
    assert row["chosen"] == [{"role": "assistant", "content": [{"type": "text", "text": "Look: "}]}]
    assert trl_problems(row) == []


def test_sides_that_differ_only_in_a_dropped_picture_are_no_pair():
    choice = judged(answer("Same", ("", "stored", CAT)), answer("Same", ("", "stored", TIGER)))

    with pytest.raises(Unfit, match="sides_equal_without_images"):
        trl_row(choice, response_images="drop")
    assert swift_row(choice)["images"] == [picture(CAT)]


def test_trl_refuses_sides_of_several_messages_and_never_makes_a_pair_of_unlike_contexts():
    (choice,) = only_choices(sample_pairs()[2])

    with pytest.raises(Unfit) as refusal:
        trl_row(choice)
    assert "only the last response" in refusal.value.advice
    assert "--" not in refusal.value.advice
    with pytest.raises(Unfit, match="contexts_differ") as left_out:
        trl_row(choice, last_response_only=True, response_images="drop")
    assert not left_out.value.refuses


def test_a_prompt_that_does_not_alternate_is_left_out():
    twice = (message("user", "p", 1, "One"), message("user", "q", 2, "Two"))
    choice = judged(answer("Yes"), answer("No"), prompt=twice)

    for write in (swift_row, trl_row):
        with pytest.raises(Unfit, match="not_alternating"):
            write(choice)


def test_the_margin_and_the_annotator_stand_in_the_row_when_asked():
    told = sample_pairs()[1]
    raw = only_choices(told, Policy(method="raw", margin="strength"))

    assert [(swift_row(c)["margin"], swift_row(c)["annotator"]) for c in raw] == [
        (2.0, "p-1"),
        (2.0, "p-2"),
    ]
    assert [trl_row(c)[0]["margin"] for c in raw] == [2.0, 2.0]
    assert "margin" not in swift_row(only_choices(told)[0])


def test_checks_see_what_a_writer_must_not_write():
    (choice,) = only_choices(sample_pairs()[0])
    row = swift_row(choice)
    dropped, _ = trl_row(choice, response_images="drop")

    assert swift_problems(row | {"images": [""]}) == ["images names an empty picture"]
    assert swift_problems(row | {"images": row["images"][:1]}) == [
        "images has 2 placeholders for 1 pictures"
    ]
    same = {"rejected_messages": row["messages"], "rejected_images": row["images"]}
    assert swift_problems(row | same) == ["chosen and rejected are the same"]
    assert trl_problems(dropped | {"images": []}) == ["images has 1 placeholders for 0 pictures"]
    assert trl_problems(dropped | {"chosen": dropped["rejected"]}) == [
        "chosen and rejected are the same"
    ]
    with_picture = [{"role": "assistant", "content": [{"type": "image"}]}]
    assert "a side holds a picture, which TRL cannot read" in trl_problems(
        dropped | {"chosen": with_picture}
    )


@pytest.mark.parametrize("name", ["pairs.swift.jsonl", "pairs.trl.jsonl"])
def test_the_datasets_library_loads_the_file_with_as_many_placeholders_as_pictures(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(golden()[name])

    rows = datasets.load_dataset(
        "json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache")
    )

    assert len(rows) == golden()[name].count(b"\n")
    for row in rows:
        if "swift" in name:
            for side in ("", "rejected_"):
                tags = sum(m["content"].count("<image>") for m in row[side + "messages"])
                assert tags == len(row[side + "images"])
        else:
            parts = [part for m in row["prompt"] for part in m["content"]]
            assert sum(part["type"] == "image" for part in parts) == len(row["images"])


def test_a_path_that_is_not_listed_is_an_error_and_not_an_empty_name():
    choice = judged(answer("See", ("", "stored", CAT)), answer("No"))
    torn = replace(choice, pair=replace(choice.pair, images=()))

    with pytest.raises(KeyError):
        swift_row(torn)
