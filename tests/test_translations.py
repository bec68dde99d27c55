"""English is written in the code; Simplified Chinese is whole, and stands in the clone as it is used."""

import ast
import re

import polib
import pytest
from django.apps import apps
from django.utils import translation
from django.utils.functional import Promise

from annotation import choices
from annotation.admin.names import COLUMNS, TABLES
from annotation.labels import LABELS
from annotation.reports.sentences import in_words
from tests.messages import ROOT, Message, messages, of_python, of_template

FOLDER = ROOT / "annotation" / "locale" / "zh_Hans" / "LC_MESSAGES"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w+\}|<[^>]+>")


@pytest.fixture(scope="module")
def catalogue() -> dict[Message, polib.POEntry]:
    entries = polib.pofile(str(FOLDER / "django.po"))
    return {Message(one.msgctxt or "", one.msgid, one.msgid_plural or ""): one for one in entries}


def _translated(entry: polib.POEntry) -> str:
    return str(entry.msgstr_plural[0] if entry.msgid_plural else entry.msgstr)


def test_everything_that_is_marked_stands_in_the_catalogue(catalogue):
    missing = {f"{where}: {one.text}" for one, where in messages().items() if one not in catalogue}

    assert not missing, "run make messages and translate what is new"


def test_the_catalogue_holds_nothing_that_is_not_asked_for(catalogue):
    asked_for = messages()

    assert {one.text for one in catalogue if one not in asked_for} == set()


def test_every_message_is_translated_and_none_is_a_guess(catalogue):
    assert [one.msgid for one in catalogue.values() if not _translated(one).strip()] == []
    assert [one.msgid for one in catalogue.values() if one.fuzzy or one.obsolete] == []


def test_every_translation_has_the_placeholders_of_its_message(catalogue):
    wrong = {
        one.msgid: _translated(one)
        for one in catalogue.values()
        if sorted(PLACEHOLDER.findall(one.msgid_plural or one.msgid))
        != sorted(PLACEHOLDER.findall(_translated(one)))
    }

    assert wrong == {}


def test_a_word_of_the_glossary_is_translated_alike_everywhere(catalogue):
    glossary = dict(re.findall(r"^# +(\S+) +(\w[\w ]*)$", (FOLDER / "django.po").read_text(), re.M))
    tables = {
        str(name): _translated(catalogue[Message("table", str(name), "")])
        for pair in TABLES.values()
        for name in pair[:1]
    }

    assert len(glossary) > 20
    for chinese, english in glossary.items():
        if english in tables:
            assert tables[english] == chinese


def test_the_compiled_catalogue_is_the_one_that_can_be_read(catalogue):
    compiled = {
        Message(one.msgctxt or "", one.msgid, one.msgid_plural or ""): _translated(one)
        for one in polib.mofile(str(FOLDER / "django.mo"))
    }

    written = {one: _translated(entry) for one, entry in catalogue.items()}
    assert {one for one, _text in compiled.items() ^ written.items()} == set(), "run make messages"


def test_a_message_is_found_in_python_and_in_templates():
    python = """
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy, pgettext
_("One " "sentence."); ngettext_lazy("%(n)s turn", "%(n)s turns", "n"); pgettext("seat", "open")
other("Not this."); _(variable)
"""
    template = """{% load i18n %}{% translate "Desk" %}{% translate 'open' context "seat" %}
{% blocktranslate trimmed count n=turns %}
  {{ n }} turn
{% plural %}
  {{ n }} turns, 95 %
{% endblocktranslate %}<p>{{ _("Not marked by a tag") }}</p>"""

    assert set(of_python(python)) == {
        ("", "One sentence.", ""),
        ("", "%(n)s turn", "%(n)s turns"),
        ("seat", "open", ""),
    }
    assert set(of_template(template)) >= {
        ("", "Desk", ""),
        ("seat", "open", ""),
        ("", "%(n)s turn", "%(n)s turns, 95 %%"),
    }


KINDS = [
    kind
    for kind in vars(choices).values()
    if isinstance(kind, type) and issubclass(kind, choices.Choice)
]


@pytest.mark.parametrize("kind", [one for one in KINDS if one is not choices.Choice])
def test_every_stored_word_is_called_something_in_both_languages(kind):
    for word in kind:
        name = LABELS[kind][word]
        with translation.override("zh-hans"):
            chinese = str(name)

        assert bool(str(name)) == bool(word.value)
        assert chinese.isascii() == (not word.value)


def test_every_table_and_column_of_the_admin_has_a_name():
    nameless = []
    for model in apps.get_app_config("annotation").get_models():
        options = model._meta
        if not isinstance(options.verbose_name, Promise):
            nameless.append(str(options.verbose_name))
        nameless += [
            f"{options.model_name}.{field.name}"
            for field in options.fields + options.many_to_many
            if not isinstance(field.verbose_name, Promise) and not field.primary_key
        ]

    assert nameless == []
    assert all(str(name) == stored for stored, name in COLUMNS.items())


def test_a_sentence_of_the_pure_layers_is_said_in_the_readers_language():
    stored = "12 units with two ratings or more, fewer than 50; no interval can be computed"

    assert in_words(stored) == stored
    with translation.override("zh-hans"):
        assert in_words(stored) == "有 12 个单元有两个或更多评分，少于 50 个；无法计算区间"
        assert in_words(
            "93 % of the scores are the same: there is little to tell apart, "
            "so read exact agreement beside it"
        ).startswith("93 % 的分数相同")
        assert in_words("3 extra at each of 12 items") == "12 道题各增加 3 个额外席位"
        assert in_words("ben's own words") == "ben's own words"


PURE_REASONS = [
    ROOT / "annotation" / "agreement" / name
    for name in ("estimates.py", "intervals.py", "preferences.py", "reliability.py")
]


@pytest.mark.parametrize("path", PURE_REASONS, ids=lambda path: path.name)
def test_every_reason_that_a_figure_can_give_is_a_known_sentence(path):
    unknown = [text for text in _sentences(path.read_text()) if in_words_in_chinese(text) == text]

    assert unknown == []


def in_words_in_chinese(text: str) -> str:
    with translation.override("zh-hans"):
        return in_words(text)


def _sentences(source: str) -> list[str]:
    """Return the sentences a pure module says: its texts of several words that are no docstring or error."""
    tree = ast.parse(source)
    silent = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for inner in ast.walk(node)
    }
    parts = {
        id(one) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for one in node.values
    }
    said = []
    for node in ast.walk(tree):
        if id(node) in silent or id(node) in parts:
            continue
        if isinstance(node, ast.JoinedStr):
            said.append(
                "".join(
                    str(one.value) if isinstance(one, ast.Constant) else "7" for one in node.values
                )
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            said.append(node.value)
    return [text for text in said if re.search(r"[a-z]{2,},? [a-z]{2,} [a-z]+", text)]
