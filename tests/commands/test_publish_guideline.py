"""A guideline's next version from files."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from annotation.models import Guideline
from tests.factories import make_lead, make_rubric

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def lead():
    make_rubric()
    return make_lead("okafor")


def publish(*arguments):
    out = StringIO()
    call_command("publish_guideline", *map(str, arguments), "--slug", "rules", stdout=out)
    return out.getvalue()


def test_one_file_a_language_is_one_version(tmp_path):
    (tmp_path / "rules.md").write_text("Be fair.\n\n# text_quality\n\nGrammar counts.")
    (tmp_path / "rules.zh-hans.md").write_text("要公平。", encoding="utf-8")

    said = publish(tmp_path / "rules.md", tmp_path / "rules.zh-hans.md", "--sentence", "New.")

    assert said == "Published rules, version 1: en, zh-hans.\n"
    english = Guideline.objects.get().versions.get(language="en")
    assert (english.text, english.sentence) == ("Be fair.", "New.")
    assert english.by_dimension == {"text_quality": "Grammar counts."}


def test_a_language_that_was_not_given_is_named(tmp_path):
    both, english = tmp_path / "both.json", tmp_path / "rules.md"
    both.write_text(json.dumps({"en": "Be fair.", "zh-Hans": "要公平。"}))
    english.write_text("Be quick.")
    publish(both)

    assert publish(english) == "Published rules, version 2: en, zh-hans as in version 1.\n"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("rules.json", "[1]", "write an object of language to Markdown"),
        ("rules.json", "{", "is no JSON"),
        ("rules.md", "# text_qualty\n\nx", "there is no dimension text_qualty"),
        ("rules.md", " ", "needs a text"),
        ("rules.md", b"\xff\xfe", "could not be read"),
        ("missing.md", None, "could not be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_words(tmp_path, name, content, said):
    if content is not None:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(CommandError, match=said):
        publish(tmp_path / name)

    assert not Guideline.objects.exists()


def test_the_same_language_twice_is_refused(tmp_path):
    for name in ("a.md", "b.en.md"):
        (tmp_path / name).write_text("x")

    with pytest.raises(CommandError, match="en is given twice"):
        publish(tmp_path / "a.md", tmp_path / "b.en.md")
