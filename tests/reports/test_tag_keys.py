"""The letters of fault tags, beside the letters the judging page means something by."""

from annotation.reports.judging_parts import AGREED_KEYS, tag_keys


def test_a_tag_keeps_the_letter_its_rubric_wishes():
    assert tag_keys(["Q", "W", "J"]) == ["Q", "W", "J"]


def test_a_letter_the_page_means_something_by_or_another_tag_has_is_replaced():
    assert tag_keys(["A", "Q", "Q", "", "7", "W"]) == ["E", "Q", "R", "Y", "U", "W"]


def test_more_tags_than_letters_leave_the_last_without_one():
    keys = tag_keys([""] * 20)

    given = [key for key in keys if key]
    assert len(given) == len(set(given)) == 11
    assert not set(given) & AGREED_KEYS
    assert keys[11:] == [""] * 9
