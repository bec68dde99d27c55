"""The demo: drawn the same every time, whole, and loaded as often as one likes."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db.models import Count, F
from django.test import Client

from annotation.actions.demo import PEOPLE, load_demo
from annotation.choices import BatchKind, BatchState, Role, SlotState
from annotation.models import Batch, Dialogue, Item, Member, Response, Slot, Turn
from annotation.reports.questions import questions_of
from tests.factories import NOW, make_project

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def loaded(now=NOW):
    call_command("load_rubric", verbosity=0)
    return load_demo(make_project(), folder=FIXTURES / "demo", now=now)


def test_the_script_writes_the_very_files_that_are_shipped(tmp_path):
    subprocess.run([sys.executable, FIXTURES / "make_demo.py", tmp_path], check=True)

    written = files_of(tmp_path)
    assert written.keys() == files_of(FIXTURES / "demo").keys()
    assert {
        name for name, data in files_of(FIXTURES / "demo").items() if written[name] != data
    } == set()
    assert sum(map(len, written.values())) < 3_000_000


@pytest.mark.django_db
def test_the_demo_has_eight_trees_of_two_to_four_paths_of_three_to_five_turns():
    loaded()

    assert Dialogue.objects.count() == 8
    paths = Response.objects.filter(ends_record=True)
    per_tree = paths.values("dialogue").annotate(count=Count("pk")).values_list("count", flat=True)
    assert (min(per_tree), max(per_tree)) == (2, 4)
    depths = set(paths.values_list("depth", flat=True))
    assert depths == {3, 4, 5}


@pytest.mark.django_db
def test_the_demo_shows_every_hard_case():
    loaded()

    states = dict(Slot.objects.values_list("state").annotate(Count("pk")))
    assert states[SlotState.NEVER_MADE] == 1
    assert states[SlotState.BROKEN] == 1
    assert SlotState.MISSING not in states
    widest = Response.objects.annotate(slot_count=Count("slots")).order_by("-slot_count").first()
    assert widest.slot_count == 28
    texts = Response.objects.filter
    assert texts(text__contains="|---|").exists()
    assert texts(text__contains="\\frac").exists()
    assert texts(dialogue__language="zh-hans", text__contains="番茄").exists()
    assert Turn.objects.filter(dialogue__language="he", prompt__contains="פיקניק").exists()
    sensitive = [one.title for one in Dialogue.objects.all() if "sensitive" in one.marks]
    assert sensitive == ["The Anatomy Room"]


@pytest.mark.django_db
def test_the_demo_shows_the_score_that_the_rubric_offers_by_rule():
    made = loaded()

    offered = {
        (unit.response.dialogue.title, question.dimension.key, question.automatic)
        for batch in made.batches
        for item in batch.items.order_by("position")
        for unit in questions_of(item, member=made.people[1].member).units
        for question in unit.questions
        if question.automatic is not None
    }
    assert offered == {("פיקניק ליד הים", "style_coherence", 3)}


@pytest.mark.django_db
def test_loading_the_demo_makes_people_and_opens_a_batch_of_each_kind():
    made = loaded()

    assert [(one.username, one.member.role) for one in made.people] == PEOPLE
    assert {(batch.kind, batch.state) for batch in made.batches} == {
        (kind, BatchState.OPEN) for kind in BatchKind
    }
    pairs = Item.objects.filter(batch__kind=BatchKind.CONVERSATION_PAIR)
    assert pairs.exclude(response_1__depth=F("response_2__depth")).exists()
    for batch in made.batches:
        assert batch.participations.count() == 3
        assert batch.items.exists()


@pytest.mark.django_db
def test_loading_the_demo_again_keeps_what_is_there_and_gives_new_passwords():
    first = loaded()
    counts = [model.objects.count() for model in (Dialogue, Batch, Item, Member)]

    second = loaded()

    assert [model.objects.count() for model in (Dialogue, Batch, Item, Member)] == counts
    assert [one.member for one in first.people] == [one.member for one in second.people]
    for before, after in zip(first.people, second.people, strict=True):
        assert before.password != after.password
        assert len(after.password) >= 12
    client = Client()
    assert not client.login(username="lead", password=first.people[0].password)
    assert client.login(username="lead", password=second.people[0].password)


@pytest.mark.django_db
def test_only_the_lead_may_see_the_admin():
    made = loaded()

    staff = {one.username for one in made.people if one.member.user.is_staff}
    assert staff == {"lead"}
    assert {one.username for one in made.people if one.member.role == Role.LEAD} == {"lead"}
