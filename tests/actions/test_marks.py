"""Content marks: from files, words and reports; how they are ended, numbered and made again."""

import copy
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.actions import marks
from annotation.actions.imports import import_files
from annotation.actions.jobs import take
from annotation.actions.marks import (
    MarkEnded,
    RunUnderWay,
    end_mark,
    mark_by_words,
    request_run,
    run_marks,
    word_lists,
)
from annotation.choices import JobState, MarkOrigin
from annotation.errors import Invalid, NotAllowed
from annotation.models import Category, Dialogue, Import, Mark, MarkRun, Project, Record, Slot
from tests.factories import (
    NOW,
    make_category,
    make_dialogue,
    make_lead,
    make_mark,
    make_member,
    make_project,
    make_slot,
    make_tree,
    make_turn,
)
from tests.formats.files import tree, written

pytestmark = pytest.mark.django_db


def bring(path, **more):
    return import_files(make_project(), [path], by=None, now=NOW, **more)


def told() -> list[tuple[str, str]]:
    standing = Mark.objects.standing().order_by("key", "origin", "pk")
    return list(standing.values_list("key", "origin"))


def run_all(**more) -> MarkRun:
    run = request_run(make_project(), by=None, now=NOW)
    run_marks(run.pk, clock=lambda: NOW, **more)
    return MarkRun.objects.get(pk=run.pk)


def test_a_files_marks_are_kept_with_import_and_time_also_those_no_category_names(tmp_path):
    make_category("sensitive")
    file = tree()
    file["marks"] = ["sensitive", "Körperverletzung"]
    file["prompt"]["responses"][0]["images"][0]["marks"] = ["blood"]

    bring(written(tmp_path, file))

    assert told() == [("Körperverletzung", "file"), ("blood", "file"), ("sensitive", "file")]
    dialogue = Dialogue.objects.get()
    assert dialogue.marks == ["Körperverletzung", "sensitive"]
    assert Slot.objects.get(response__external_id="a1").marks == ["blood"]
    picture = Mark.objects.get(key="blood")
    assert picture.slot == Slot.objects.get(response__external_id="a1")
    assert (picture.imported_in, picture.made_at) == (Import.objects.get(), NOW)
    assert Project.objects.get().last_mark_number == 3


def test_a_file_that_came_before_adds_only_the_marks_that_are_new(tmp_path):
    bring(written(tmp_path, tree()))
    later = copy.deepcopy(tree())
    later["marks"] = ["sensitive", "disaster"]
    later["prompt"]["images"] = [{"path": "map.png", "marks": ["weapons"]}]

    bring(written(tmp_path, later, "later.json"))
    again = bring(written(tmp_path, later, "later.json"))

    assert told() == [("disaster", "file"), ("sensitive", "file"), ("weapons", "file")]
    assert Slot.objects.get(turn__external_id="q1").marks == ["weapons"]
    assert Import.objects.count() == 2
    assert again.written


def test_a_mark_too_long_or_of_another_kind_is_refused_by_name(tmp_path):
    file = tree()
    file["marks"] = ["x" * 101]

    bring(written(tmp_path, file))

    assert Record.objects.get().problem["field"] == "marks[0]"
    assert not Mark.objects.exists()


def test_an_import_marks_what_has_the_operators_words(tmp_path):
    make_category("art", words=["museum"])
    make_category("sea", words=["seaside"])

    bring(written(tmp_path, tree()))

    mark = Mark.objects.get(origin=MarkOrigin.WORDS)
    assert (mark.key, mark.detail, mark.slot) == ("art", "museum", None)
    assert mark.imported_in == Import.objects.get()
    assert Dialogue.objects.get().marks == ["art", "sensitive"]


def test_captions_and_titles_are_searched_too():
    category = make_category("art", words=["great hall", "Louvre"])
    one, two = make_dialogue(), make_dialogue()
    Dialogue.objects.filter(pk=one.pk).update(title="The Louvre")
    slot = make_slot(turn=make_turn(two))
    Slot.objects.filter(pk=slot.pk).update(caption="the great\nhall")

    run_all()

    found = dict(Mark.objects.values_list("dialogue", "detail"))
    assert found == {one.pk: "Louvre", two.pk: "great hall"}
    assert category.key in Dialogue.objects.get(pk=two.pk).marks


def test_marking_again_follows_the_list_and_changes_nothing_the_second_time():
    category = make_category("fork", words=["fork prompt"])
    make_tree(), make_tree()
    lead = make_lead()

    first = run_all()
    second = run_all()
    assert (first.state, first.progress, first.total, first.added) == (JobState.DONE, 2, 2, 2)
    assert (second.added, second.ended) == (0, 0)
    Category.objects.filter(pk=category.pk).update(words=["side 1"])
    third = request_run(make_project(), by=lead, now=NOW)
    run_marks(third.pk, clock=lambda: NOW)
    third.refresh_from_db()

    assert (third.added, third.ended) == (0, 0)
    Category.objects.filter(pk=category.pk).update(words=[])
    last = request_run(make_project(), by=lead, now=NOW)
    run_marks(last.pk, clock=lambda: NOW + timedelta(hours=1))
    last.refresh_from_db()
    assert (last.added, last.ended) == (0, 2)
    ended = Mark.objects.first()
    assert (ended.ended_by, ended.ended_at) == (lead, NOW + timedelta(hours=1))
    assert all(one.marks == [] for one in Dialogue.objects.all())


def test_what_a_lead_ended_is_not_made_again_by_list_or_file(tmp_path):
    make_category("art", words=["museum"])
    bring(written(tmp_path, tree()))
    lead = make_lead()
    for mark in Mark.objects.standing():
        end_mark(mark, by=lead, why="It is a children's museum.", now=NOW)

    run_all()
    later = copy.deepcopy(tree())
    later["title"] = "Another title"
    bring(written(tmp_path, later, "later.json"))

    assert told() == []
    assert Dialogue.objects.get().marks == []
    mark = Mark.objects.first()
    assert (mark.ended_by, mark.ended_why) == (lead, "It is a children's museum.")
    with pytest.raises(MarkEnded):
        end_mark(mark, by=lead, why="again", now=NOW)


def test_ending_a_mark_needs_a_lead_and_a_reason():
    mark = make_mark(make_dialogue(), "disaster")

    with pytest.raises(NotAllowed):
        end_mark(mark, by=make_member(), why="wrong", now=NOW)
    with pytest.raises(Invalid):
        end_mark(mark, by=make_lead(), why="  ", now=NOW)

    assert told() == [("disaster", "file")]


def test_marks_at_a_number_stay_the_same_for_ever():
    one = make_mark(make_dialogue(), "disaster")
    make_mark(make_dialogue(), "injury")
    end_mark(one, by=make_lead(), why="wrong", now=NOW)

    at = [
        set(Mark.objects.standing(number=number).values_list("key", flat=True))
        for number in range(4)
    ]
    assert at == [set(), {"disaster"}, {"disaster", "injury"}, {"injury"}]
    assert Project.objects.get().last_mark_number == 3


def test_one_pass_at_a_time_and_only_for_leads():
    with pytest.raises(NotAllowed):
        request_run(make_project(), by=make_member(), now=NOW)
    run = request_run(make_project(), by=make_lead(), now=NOW)
    assert request_run(make_project(), by=None, now=NOW) == run
    take(MarkRun, run.pk, now=NOW)

    with pytest.raises(RunUnderWay):
        request_run(make_project(), by=None, now=NOW)
    assert request_run(make_project(), by=None, now=NOW + timedelta(minutes=2)) == run


def test_a_pass_that_broke_goes_on_from_what_it_wrote(monkeypatch):
    make_category("fork", words=["fork prompt"])
    for _ in range(3):
        make_tree()
    monkeypatch.setattr(marks, "PAGE", 2)
    run = request_run(make_project(), by=None, now=NOW)

    def cut(_run):
        raise RuntimeError("the power went out")

    run_marks(run.pk, clock=lambda: NOW, watch=cut)
    run.refresh_from_db()
    assert (run.state, run.progress, Mark.objects.count()) == (JobState.WAITING, 2, 2)
    heard: list[int] = []
    run_marks(run.pk, clock=lambda: NOW, watch=lambda one: heard.append(one.progress))

    run.refresh_from_db()
    assert (run.state, run.progress, heard) == (JobState.DONE, 3, [2, 3])
    assert Mark.objects.count() == 3


def test_marking_a_page_asks_the_same_number_of_queries_however_many_dialogues():
    make_category("path", words=["prompt"])
    few = [make_tree().pk]
    many = [make_tree().pk for _ in range(8)]
    words = word_lists(make_project())

    def asked(dialogues):
        with CaptureQueriesContext(connection) as queries:
            mark_by_words(make_project(), dialogues, words, by=None, now=NOW)
        return len(queries)

    assert asked(few) == asked(many)
    assert Mark.objects.count() == 9
