"""The canonical record: content, bytes, reading back."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.formats.pairs import (
    MalformedPair,
    Part,
    SlotPlace,
    canonical_json,
    drawn_order,
    interleaved,
    pair_digest,
    pair_line,
    parse_pair,
    parse_pairs,
    plain_text,
    same_content,
)
from tests.golden.pairs import CAT, judgment, message, sample_pairs


def test_a_text_is_cut_at_its_tokens_and_keeps_every_character():
    text = "See <Image, a cat> there"

    parts = interleaved(text, [SlotPlace(1, "stored", "k", 4, 14), SlotPlace(0, "stored", CAT)])

    assert parts == (
        Part("text", "See "),
        Part("image", "<Image, a cat>", "k", 1, "stored"),
        Part("text", " there"),
        Part("image", "", CAT, 0, "stored"),
    )


def test_markup_taken_for_a_wish_stays_text_and_keeps_its_picture():
    parts = interleaved("x<sup>2", [SlotPlace(0, "stored", CAT, 1, 5, is_token=False)])

    assert parts == (Part("text", "x<sup>"), Part("image", "", CAT, 0, "stored"), Part("text", "2"))


def test_a_missing_picture_is_never_named():
    parts = interleaved("", [SlotPlace(0, "missing", CAT), SlotPlace(1, "withdrawn", CAT)])

    assert [(part.state, part.image) for part in parts] == [("missing", None), ("withdrawn", None)]


def test_a_cleaned_text_keeps_its_pictures_in_place():
    parts = interleaved(
        "  a <Image, x> b ]] ",
        [SlotPlace(0, "stored", CAT, 4, 10)],
        clean=lambda text: text.strip().removesuffix("]]").strip(),
    )

    assert [part.text for part in parts] == ["a ", "<Image, x>", " b"]


def test_cleaning_that_would_swallow_a_picture_is_not_done():
    parts = interleaved(
        "note <Image, x> question",
        [SlotPlace(0, "stored", CAT, 5, 10)],
        clean=lambda text: text.split(" ")[-1],
    )

    assert [part.text for part in parts] == ["note ", "<Image, x>", " question"]


@given(
    st.text(max_size=40),
    st.lists(st.tuples(st.integers(-5, 50), st.integers(0, 20)), max_size=5),
)
def test_no_place_of_a_slot_loses_or_doubles_text(text, places):
    slots = [SlotPlace(n, "stored", CAT, start, size) for n, (start, size) in enumerate(places)]

    parts = interleaved(text, slots)

    assert "".join(part.text for part in parts) == text
    assert sorted(part.slot for part in parts if part.type == "image") == list(range(len(places)))


def test_json_is_sorted_without_blanks_and_safe_for_careless_line_readers():
    assert canonical_json({"b": "é\u2028", "a": [1.5, None]}) == '{"a":[1.5,null],"b":"é\\u2028"}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))


def test_a_line_is_one_line_and_reads_back():
    for pair in sample_pairs():
        line = pair_line(pair)

        assert line.decode().splitlines() == [line.decode().removesuffix("\n")]
        assert parse_pair(line) == pair


def test_a_malformed_line_is_named():
    good = pair_line(sample_pairs()[0])

    with pytest.raises(MalformedPair, match="line 2: not a canonical pair record"):
        list(parse_pairs([good, b"{}"]))
    with pytest.raises(MalformedPair, match="schema is 'mmpref/1'"):
        parse_pair(b'{"schema": "mmpref/1"}')


def test_the_digest_is_of_the_evidence_and_not_of_the_policy():
    pair = sample_pairs()[0]
    elsewhere = replace(pair, split="test", order=("response_2", "response_1"))
    judged_again = replace(pair, judgments=(*pair.judgments, judgment("p-9", 99, "tie")))

    assert pair_digest(elsewhere) == pair_digest(pair)
    assert pair_digest(judged_again) != pair_digest(pair)


def test_positions_are_drawn_from_the_seed_and_fall_evenly():
    keys = [f"sha256:{number}" for number in range(2000)]
    first = [drawn_order(key, seed=1)[0] for key in keys]

    assert first == [drawn_order(key, seed=1)[0] for key in keys]
    assert first != [drawn_order(key, seed=2)[0] for key in keys]
    assert 900 < first.count("response_1") < 1100


def test_sides_are_the_same_only_in_text_and_pictures():
    text = message("assistant", "n1", 1, "A cat")
    shown = message("assistant", "n2", 1, "A cat", ("", "stored", CAT))

    assert same_content([text], [replace(text, node="other", model="m")])
    assert not same_content([text], [shown])
    assert plain_text(shown) == "A cat"
