"""Marks from the shell: categories from a file, and every stored dialogue marked by their words."""

import pytest
from django.core.management import CommandError, call_command

from annotation.models import Category, Mark
from tests.factories import make_category, make_dialogue, make_tree

pytestmark = pytest.mark.django_db


def told(capsys, *command):
    call_command(*map(str, command))
    return capsys.readouterr().out


def test_the_shipped_categories_are_taken_in_once_and_then_found_the_same(capsys):
    first = told(capsys, "load_categories")
    stored = Category.objects.count()
    again = told(capsys, "load_categories")

    assert stored > 0
    assert first.startswith(f"{stored} new, 0 changed, 0 as before.")
    assert again == f"0 new, 0 changed, {stored} as before.\n"
    assert Category.objects.count() == stored


def test_a_file_that_holds_no_categories_is_refused_by_name_and_stores_nothing(tmp_path):
    file = tmp_path / "categories.json"
    file.write_text('{"format": "something else"}')

    with pytest.raises(CommandError, match=r"categories\.json"):
        call_command("load_categories", str(file))

    assert not Category.objects.exists()


def test_dialogues_are_marked_by_words_once_and_unmarked_when_the_word_is_gone(capsys):
    category = make_category("fork", words=["fork prompt"])
    marked = make_tree()
    make_dialogue()

    assert told(capsys, "mark_dialogues") == "2 dialogues: 1 marks new, 0 taken away.\n"
    assert told(capsys, "mark_dialogues") == "2 dialogues: 0 marks new, 0 taken away.\n"
    mark = Mark.objects.get()
    assert (mark.dialogue, mark.key) == (marked, category.key)

    Category.objects.filter(pk=category.pk).update(words=["seaside"])
    assert told(capsys, "mark_dialogues") == "2 dialogues: 0 marks new, 1 taken away.\n"


def test_marking_an_unknown_project_is_refused():
    with pytest.raises(CommandError, match="There is no project elsewhere"):
        call_command("mark_dialogues", "--project", "elsewhere")
