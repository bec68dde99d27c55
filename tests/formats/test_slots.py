"""Which picture belongs where in a text."""

from collections import Counter

import pytest

from annotation.formats.records import Anomaly, Slot
from annotation.formats.slots import count_tokens, slots_of, tokens_of


def read(text, names):
    anomalies = Counter()
    return slots_of(text, names, anomalies), +anomalies


def test_entry_i_belongs_to_the_ith_token_when_the_counts_agree():
    text = "First <Image, a cat>, then <Video, it jumps>."

    slots, anomalies = read(text, ["a.png", "b.png"])

    assert slots == (
        Slot(0, "a.png", offset=6, length=14, kind="Image", caption="a cat"),
        Slot(1, "b.png", offset=27, length=17, kind="Video", caption="it jumps"),
    )
    assert text[27 : 27 + 17] == "<Video, it jumps>"
    assert anomalies == {}


@pytest.mark.parametrize(
    ("token", "kind", "caption"),
    [
        ("<Image, a cat>", "Image", "a cat"),
        ("< Image, a cat>", "Image", "a cat"),
        ("<[Image], a cat>", "Image", "a cat"),
        ("<Image: a cat>", "Image", "a cat"),
        ("<Modality:, a cat>", "Modality", "a cat"),
        ("<Comic Strip, a cat>", "Comic Strip", "a cat"),
        ("<Headphones, a cat>", "Headphones", "a cat"),
        ("<Casual Brunch Outfit Image>", "Image", "Casual Brunch Outfit"),
        ('<Image, a "cat", sitting>', "Image", 'a "cat", sitting'),
        ("<Image>", "Image", ""),
        ("<sup>", "", ""),
        ("</ref>", "", ""),
        ("< 2 and Draws >", "", ""),
        ("<x, y>", "", ""),
        ("<>", "", ""),
    ],
)
def test_a_token_asks_for_a_picture_only_where_it_names_a_kind(token, kind, caption):
    (found,) = tokens_of(f"before {token} after")

    assert (found.offset, found.length) == (7, len(token))
    assert (found.kind, found.caption) == (kind, caption)


@pytest.mark.parametrize("no_image", [[], [""], [None]])
def test_an_announced_picture_that_did_not_come_was_never_made(no_image):
    slots, anomalies = read("Here: <Image, a cat>", no_image)

    assert slots == (
        Slot(0, "", never_made=True, offset=6, length=14, kind="Image", caption="a cat"),
    )
    assert anomalies == {Anomaly.TOKEN_WITHOUT_IMAGE: 1}


@pytest.mark.parametrize("no_image", [[], [""]])
@pytest.mark.parametrize("text", ["No picture.", "x<sup>2</sup>", "a < b"])
def test_without_a_token_an_empty_list_makes_no_slot(text, no_image):
    assert read(text, no_image) == ((), {})


def test_a_blank_inside_a_longer_list_is_a_picture_never_made():
    slots, anomalies = read("10<sup>9</sup> of them <Image, dots>", ["a.png", "", "b.png"])

    assert [(slot.name, slot.never_made, slot.kind) for slot in slots] == [
        ("a.png", False, ""),
        ("", True, ""),
        ("b.png", False, "Image"),
    ]
    assert anomalies == {Anomaly.MARKUP_AS_TOKEN: 2}


def test_a_picture_without_a_token_stands_after_the_text():
    slots, _ = read("No token here.", ["a.png", "b.png"])

    assert [(slot.name, slot.offset, slot.length) for slot in slots] == [
        ("a.png", None, None),
        ("b.png", None, None),
    ]


def test_where_counts_differ_only_tokens_that_ask_are_matched():
    slots, anomalies = read("Draws < 2 > 1 and <Image, a cat>", ["a.png"])

    assert slots == (Slot(0, "a.png", offset=18, length=14, kind="Image", caption="a cat"),)
    assert anomalies == {Anomaly.TOKENS_DIFFER_FROM_IMAGES: 1}


def test_more_announced_than_delivered_is_counted_and_not_guessed():
    slots, anomalies = read("<Image, a> <Image, b> <Image, c>", ["a.png", "b.png"])

    assert [slot.caption for slot in slots] == ["a", "b"]
    assert anomalies == {Anomaly.TOKENS_DIFFER_FROM_IMAGES: 1, Anomaly.TOKEN_WITHOUT_IMAGE: 1}


def test_offsets_count_code_points():
    (slot,), _ = read("👩🏽‍🍳 <Image, a cook>", ["a.png"])

    assert (slot.offset, slot.length) == (5, 15)


def test_kinds_unclosed_tokens_and_tokens_in_prompts_are_counted():
    anomalies = Counter()

    count_tokens("<Video, a> <Image, b> <Image, 10<sup>9</sup> dots", anomalies, in_prompt=True)

    assert +anomalies == {
        Anomaly.OTHER_KIND: 1,
        Anomaly.UNCLOSED_TOKEN: 1,
        Anomaly.TOKEN_IN_PROMPT: 1,
    }
