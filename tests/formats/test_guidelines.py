"""A guideline as one Markdown text."""

import pytest

from annotation.formats.guidelines import GuidelineFault, read_guideline, write_guideline

KEYS = {"text_quality", "helpfulness"}


def test_a_heading_that_is_a_key_begins_what_is_said_of_the_dimension():
    read = read_guideline(
        "Be fair.\n\n# Pictures\n\nLook.\r\n\r\n# text_quality\n\nGrammar counts.\n", keys=KEYS
    )

    assert read.text == "Be fair.\n\n# Pictures\n\nLook."
    assert read.by_dimension == {"text_quality": "Grammar counts."}


def test_a_text_written_down_is_read_back():
    document = write_guideline("Be fair.", {"text_quality": "One.", "helpfulness": "Two."})

    assert read_guideline(document, keys=KEYS).by_dimension == {
        "text_quality": "One.",
        "helpfulness": "Two.",
    }
    assert read_guideline(document, keys=KEYS).text == "Be fair."


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("Hello\n# text_qualty\n", "Line 2: there is no dimension text_qualty"),
        ("# text_quality\na\n# text_quality\nb", "Line 3: text_quality has a part already."),
    ],
)
def test_a_heading_that_looks_like_a_key_and_is_none_is_refused(document, said):
    with pytest.raises(GuidelineFault, match=said):
        read_guideline(document, keys=KEYS)


def test_code_is_no_heading():
    assert read_guideline("```\n# no_dimension\n```", keys=KEYS).by_dimension == {}
