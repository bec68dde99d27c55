"""Finding words: whole ones where a script has them, anywhere where it has none."""

import json
from pathlib import Path

import pytest

from annotation.formats.categories import read_categories, tidy_words
from annotation.formats.records import Unfit
from annotation.formats.word_lists import WordLists

WORDS = ["gun", "AK-47", "self harm", "枪", "폭력", "हत", "Straße", "c++", "ปืน"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a gun.", "gun"),
        ("GUN", "gun"),
        ("ｇｕｎ", "gun"),
        ("用gun射击", "gun"),
        ("his gun's barrel", "gun"),
        ("(AK-47)", "AK-47"),
        ("self\n  Harm", "self harm"),
        ("他有枪吗", "枪"),
        ("폭력을 쓰다", "폭력"),
        ("STRASSE", "Straße"),
        ("i like c++!", "c++"),
        ("เขามีปืนอยู่", "ปืน"),
    ],
)
def test_a_word_is_found_where_it_stands(text, word):
    assert WordLists({"any": WORDS}).found(["nothing", text]) == {"any": word}


@pytest.mark.parametrize(
    "text", ["gunpowder", "gun_1", "begun", "ak-47s", "self-harm", "हत्या", "gun\u0308", "", "c+"]
)
def test_a_piece_of_another_word_is_not_the_word(text):
    assert WordLists({"any": WORDS}).found([text]) == {}


def test_a_word_is_plain_text_and_never_a_pattern():
    words = WordLists({"any": ["g.n", "(a+)+$", "[xyz]", "  "]})

    assert words.found(["gun", "aaaa", "x"]) == {}
    assert words.found(["a g.n and [xyz]"]) == {"any": "[xyz]"}
    assert not WordLists({"any": ["  ", ""]})


def test_each_category_names_the_word_it_found():
    words = WordLists({"weapons": ["gun", "rifle"], "injury": ["blood"], "none": ["peace"]})

    assert words.found(["Blood and a rifle", "no gun"]) == {"injury": "blood", "weapons": "gun"}


def test_words_equal_as_compared_are_kept_once():
    assert tidy_words([" Gun ", "gun", "", "rifle"]) == ("Gun", "rifle")


def test_the_shipped_categories_can_be_read():
    data = (Path(__file__).parents[2] / "fixtures" / "content_categories.json").read_bytes()

    given = read_categories(data)

    assert {"violence", "injury", "disaster", "weapons", "sensitive"} <= {one.key for one in given}
    assert all({"en", "zh-hans"} <= one.name.keys() & one.description.keys() for one in given)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"key": "a,b"}, "categories[0].key"),
        ({"key": " a"}, "categories[0].key"),
        ({"key": ""}, "categories[0].key"),
        ({"name": {"zh-hans": "灾难"}}, "categories[0].name"),
        ({"daily_limit": -1}, "categories[0].daily_limit"),
        ({"daily_limit": "5"}, "categories[0].daily_limit"),
        ({"words": "gun"}, "categories[0].words"),
        ({"words": ["x" * 101]}, "categories[0].words[0]"),
    ],
)
def test_a_file_that_holds_no_categories_says_where(change, field):
    one = {"key": "a", "name": {"en": "A"}, "daily_limit": 2, "words": ["gun"]} | change
    data = {"format": "intermt-annotate-categories/1", "categories": [one]}

    with pytest.raises(Unfit) as refused:
        read_categories(json.dumps(data).encode())

    assert refused.value.field == field
