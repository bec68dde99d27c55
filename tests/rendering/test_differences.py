"""What changed between two texts, as words that can be read."""

from hypothesis import given
from hypothesis import strategies as st

from annotation.rendering.differences import Span, compare, compare_words
from annotation.rendering.markdown import to_paragraphs


def side(spans, kind):
    return "".join(span.text for span in spans if span.kind in {"same", kind})


def test_whole_words_are_struck_and_put_in():
    spans = compare_words(
        "Garbled lettering counts here always.",
        "Garbled lettering counts here only where the answer refers to it.",
    )

    assert spans == (
        Span("same", "Garbled lettering counts here "),
        Span("removed", "always"),
        Span("added", "only where the answer refers to it"),
        Span("same", "."),
    )


def test_chinese_is_compared_sign_by_sign():
    assert compare_words("图片文字一律算错。", "图片文字不算错。") == (
        Span("same", "图片文字"),
        Span("removed", "一律"),
        Span("added", "不"),
        Span("same", "算错。"),
    )


def test_a_change_runs_on_over_a_space_that_stayed():
    assert compare_words("one two three", "four five three") == (
        Span("removed", "one two"),
        Span("added", "four five"),
        Span("same", " three"),
    )


@given(st.text(alphabet="ab ,.é好坏\n", max_size=40), st.text(alphabet="ab ,.é好坏\n", max_size=40))
def test_both_texts_can_be_read_back_from_the_difference(before, after):
    spans = compare_words(before, after)

    assert side(spans, "removed") == before
    assert side(spans, "added") == after


def test_only_changed_paragraphs_are_told_with_how_many_stand_between():
    before = ["One.", "Two.", "Three is the third.", "Four.", "Five."]
    after = ["One.", "Two.", "Three is the third one.", "Four.", "Five.", "Six."]

    changed = compare(before, after)

    assert [paragraph.skipped for paragraph in changed] == [2, 2]
    assert changed[0].spans[0] == Span("same", "Three is the third")
    assert changed[1].spans == (Span("added", "Six."),)
    assert compare(before, before) == ()


def test_a_paragraph_written_anew_is_not_woven_into_the_one_it_replaces():
    assert [p.spans for p in compare(["Rate the picture first."], ["先看图片。"])] == [
        (Span("added", "先看图片。"),),
        (Span("removed", "Rate the picture first."),),
    ]


def test_thousands_of_new_paragraphs_are_compared_at_once():
    before = [f"Old paragraph number {n}" for n in range(2_000)]
    after = [f"New paragraph number {n}" for n in range(2_000)]

    assert len(compare(before, after)) == 4_000


def test_markdown_is_compared_as_it_is_read():
    assert to_paragraphs(
        "# Title\n\nSome **bold** and `code`\nnext line\n\n- one\n- two [there](https://x.org)\n\n"
        "3. three\n\n| a | b |\n|---|---|\n| c | d |\n\n```\nx = 1\ny = 2\n```\n![alt](u.png)"
    ) == [
        "Title",
        "Some bold and code\nnext line",
        "• one",
        "• two there (https://x.org)",
        "3. three",
        "a | b",
        "c | d",
        "x = 1",
        "y = 2",
        "alt (u.png)",
    ]
