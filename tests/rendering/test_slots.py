import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from annotation.rendering.html import SafeHtml
from annotation.rendering.slots import (
    EXCERPT,
    HtmlBlock,
    SlotBlock,
    SlotToken,
    find_token_end,
    render_prompt,
    render_response,
)


def tokens_of(raw: str) -> list[SlotToken]:
    return [
        SlotToken(
            position, found.start(), found.end(), stays=found[0].strip("</>")[:3] in {"sup", " 2 "}
        )
        for position, found in enumerate(re.finditer(r"<[^<>]*>", raw))
    ]


def shown(raw: str, slots: list[SlotToken] | None = None) -> list[str | int]:
    rendered = render_response(raw, tokens_of(raw) if slots is None else slots)
    return [
        block.html.strip() if isinstance(block, HtmlBlock) else block.position
        for block in rendered.blocks
    ]


def test_a_token_between_paragraphs_gives_its_place_to_the_picture():
    assert shown("Before.\n\n<Image, a cat>\n\nAfter.") == [
        "<p>Before.</p>",
        0,
        "<p>After.</p>",
    ]


def test_a_token_within_a_sentence_parts_the_paragraph():
    assert shown("See <Image, a cat> now") == ["<p>See</p>", 0, "<p>now</p>"]


def test_emphasis_around_a_picture_is_closed_before_it_and_opened_after():
    blocks = shown("See **this <Image, a cat> cat** now")

    assert blocks[1] == 0
    assert blocks[0].endswith("</strong></p>")
    assert blocks[2].startswith("<p><strong>")


def test_a_list_goes_on_around_its_pictures():
    blocks = shown("1. Vanity:\n<Image, vanity>\n2. Wall:\n<Image, wall>\n3. Frame.")

    assert [block for block in blocks if isinstance(block, int)] == [0, 1]
    assert "".join(block for block in blocks if isinstance(block, str)).count("<ol>") == 1
    assert blocks[-1].rstrip().endswith("</ol>")


def test_a_table_keeps_its_rows_around_a_picture():
    blocks = shown("| a | b |\n|---|---|\n| x | <Image, y> |\n| z | w |")

    assert blocks[0].endswith("<td>")
    assert blocks[1] == 0
    assert "<td>z</td>" in blocks[2]


def test_bold_before_a_token_stays_bold():
    assert shown("**Pot:**<Image, pot>") == ["<p><strong>Pot:</strong></p>", 0]


def test_slots_without_a_token_stand_after_the_text_in_order():
    assert shown("Words.", [SlotToken(2), SlotToken(0), SlotToken(1)]) == [
        "<p>Words.</p>",
        0,
        1,
        2,
    ]


def test_a_response_of_pictures_only_has_no_text_block():
    assert shown("", [SlotToken(0)]) == [0]
    assert shown("<Image, only>") == [0]


def test_markup_taken_for_a_token_stays_readable_beside_its_picture():
    assert shown("E = mc<sup>2</sup> here") == [
        "<p>E = mc&lt;sup&gt;</p>",
        0,
        "<p>2&lt;/sup&gt;</p>",
        1,
        "<p>here</p>",
    ]


def test_a_comparison_taken_for_a_token_stays_readable():
    assert shown("Draws < 2 and wins > 3")[0] == "<p>Draws &lt; 2 and wins &gt;</p>"


def test_token_kinds_of_the_data_leave_the_text():
    for token in ("<Image, x>", "< Image, x>", "<[Image], x>", "<Modality:, x>", "<Image: x>", "<Video, x>",
                  "<Casual Brunch Outfit Image>", "<Comic Strip, x>", '<BarChart, "q">'):  # fmt: skip
        assert shown(f"A {token} B") == ["<p>A</p>", 0, "<p>B</p>"], token


def test_an_unclosed_token_ends_with_its_line():
    raw = "A\n<Image, never closed\nB"

    assert find_token_end(raw, 2) == raw.index("\nB")
    assert shown(raw, [SlotToken(0, 2)]) == ["<p>A</p>", 0, "<p>B</p>"]


def test_a_token_inside_code_or_a_formula_is_not_lost():
    for raw in (
        "```\na <Image, x> b\n```",
        "`<Image, x>`",
        "$a <Image, x> b$",
        "[t](<Image, x>)",
        "    <Image, x>",
    ):
        assert [block for block in shown(raw) if isinstance(block, int)] == [0], raw


def test_marks_of_our_own_in_the_text_stand_for_nothing():
    blocks = shown("\ue0000\ue001 and <Image, x>")

    assert [block for block in blocks if isinstance(block, int)] == [0]
    assert "\ufffd0\ufffd" in blocks[0]


def test_a_prompt_is_cleaned_and_cut_alike():
    rendered = render_prompt("Draw <Image, a cup> again?]]", [SlotToken(0, 5, 19)])

    assert rendered.blocks == (
        HtmlBlock(SafeHtml("<p>Draw</p>")),
        SlotBlock(0),
        HtmlBlock(SafeHtml("<p>again?</p>\n")),
    )
    assert rendered.word_count == 2
    assert rendered.language == ""


def test_length_counts_words_and_not_tokens():
    assert render_response("One two <Image, three four>", [SlotToken(0, 8)]).word_count == 2


class WellFormed(HTMLParser):
    """Counts what was opened and never closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in {"br", "hr", "mspace"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


@given(
    st.lists(
        st.sampled_from(
            [
                "word ",
                "**",
                "\n",
                "\n\n",
                "- ",
                "1. ",
                "> ",
                "| a | b |\n|---|---|\n",
                "| ",
                "`",
                "```\n",
                "# ",
                "$",
                "\\[",
                "\\]",
                "<Image, x>",
                "<sup>",
                "<",
                "~~",
                "[a](b)",
                "  ",
            ]
        ),
        max_size=30,
    )
)
def test_pieces_are_well_formed_together_and_every_slot_stands_once(parts):
    raw = "".join(parts)
    slots = tokens_of(raw)

    blocks = render_response(raw, slots).blocks

    together = WellFormed()
    for block in blocks:
        together.feed(block.html if isinstance(block, HtmlBlock) else "<figure></figure>")
    assert (together.open, together.wrong) == ([], [])
    assert sorted(block.position for block in blocks if isinstance(block, SlotBlock)) == [
        slot.position for slot in slots
    ]


@given(st.text(), st.lists(st.integers(-3, 60), max_size=5))
def test_no_offset_can_break_the_page(raw, offsets):
    slots = [SlotToken(position, start) for position, start in enumerate(offsets)]

    blocks = render_response(raw, slots).blocks

    assert sorted(block.position for block in blocks if isinstance(block, SlotBlock)) == list(
        range(len(offsets))
    )


def test_the_excerpt_is_plain_words_without_marks_or_tokens():
    raw = "# Title\n\n**Bold** `a<b` & <Image, a cat> then\n\n- one\n- two\n\n| a | b |\n|---|---|\n| c | d |"
    token = raw.index("<Image")

    excerpt = render_response(raw, [SlotToken(0, token, token + len("<Image, a cat>"))]).excerpt

    assert excerpt == "Title Bold a<b & then one two a b c d"


def test_a_long_excerpt_ends_at_a_word_or_a_sign_and_says_so():
    spaced = render_response("several words " * 60).excerpt
    unspaced = render_response("很长的回答" * 100).excerpt

    assert spaced.endswith(("several …", "words …"))
    assert unspaced.endswith(" …")
    assert unspaced.startswith("很长的回答" * 40)
    assert max(len(spaced), len(unspaced)) <= EXCERPT
