"""An annotator meets nobody else's work, no model's name, no known answer and no figure, anywhere."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.choices import AssignmentState, BatchKind, SeatPurpose
from annotation.models import Assignment, GoldAnswer, Item
from tests.canaries import World, plant
from tests.factories import (
    NOW,
    make_batch,
    make_dialogue,
    make_item,
    make_lead,
    make_member,
    make_path,
    make_response,
    make_slot,
)
from tests.judged import make_picture
from tests.walker import ALLOWED, Walker, routes

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(media) -> World:
    return plant()


def test_no_address_gives_an_annotator_what_is_not_theirs(world):
    walker = Walker(world)

    found = walker.walk()

    assert found == []
    assert walker.asked > 200


def test_every_address_says_what_an_annotator_gets_there():
    names = {route.name for route in routes() if not route.name.startswith("admin:")}

    assert names - set(ALLOWED) == set(), "a new address must be walked: name it in tests/walker.py"
    assert {name for name in ALLOWED if not name.startswith("admin:")} - names == set()


class Leaking:
    """A middleware that lets one planted word through, where `place` says."""

    place = ""
    word = ""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if self.place == "body" and request.path == "/my-work/":
            answer.content += self.word.encode()
        if self.place == "header" and request.path.endswith("/draft/"):
            answer.headers["X-Made-By"] = self.word
        if self.place == "cookie" and request.path == "/screen/columns/":
            answer.set_cookie("seen", self.word)
        if self.place == "json" and answer.headers.get("Content-Type") == "application/json":
            answer.content = answer.content.replace(b"{", b'{"by": "%s", ' % self.word.encode(), 1)
        return answer


@pytest.mark.parametrize("place", ["body", "header", "cookie", "json"])
def test_one_word_that_comes_through_is_found(world, settings, monkeypatch, place):
    word = next(word for word, what in world.words.items() if what == "a models name")
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.Leaking"]
    monkeypatch.setattr(Leaking, "place", place)
    monkeypatch.setattr(Leaking, "word", word)

    some = {"annotation:my-work", "annotation:assignment-draft", "annotation:columns"}

    found = Walker(world).walk(only=some)

    assert {one.what for one in found} == {"holds a models name"}


def test_every_planted_word_is_there_to_be_found(world):
    """What is planted reaches those who may see it: at least the admin's tables hold each word."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        held = ""
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')  # a table's own name
            held += str(cursor.fetchall())

    assert [what for word, what in world.words.items() if word not in held] == []


# --- What an item is cannot be told -----------------------------------------------------------


@pytest.fixture
def twins(media) -> dict[str, Item]:
    """Four items of the same words and pictures: a plain one, a known one, a repeat, an extra seat."""
    batch = make_batch(kind=BatchKind.TURN_PAIR, members=[make_member(name="ada")], slug="twins")
    picture = make_picture(1)
    items = {}
    for purpose in ("plain", "gold", "repeat", "extra"):
        dialogue = make_dialogue()
        first = make_path(dialogue, turns=1)
        second = make_path_beside(first)
        for response in (first, second):
            make_slot(response=response, image=picture)
        items[purpose] = make_item(batch, first, second, seats=1)
    Item.objects.filter(pk=items["repeat"].pk).update(repeat_of=items["plain"])
    Item.objects.filter(pk=items["gold"].pk).update(is_gold=True)
    items["extra"].seats.update(purpose=SeatPurpose.EXTRA)
    GoldAnswer.objects.create(
        batch=batch,
        number=1,
        item=items["gold"],
        dimension=batch.rubric.dimensions.get(key="text_quality"),
        response=items["gold"].response_1,
        score=3,
        feedback="what a good answer says",
        created_by=make_lead(),
        created_at=NOW,
    )
    return items


def make_path_beside(first):
    return make_response(first.turn, text="Or this.", ends_record=True)


def test_known_answers_repeats_and_extra_items_are_the_same_page_as_any_other(twins):
    pages, costs = {}, {}
    _page_of(twins["plain"])  # what a process reads once is read before
    for purpose, item in twins.items():
        pages[purpose], costs[purpose] = _page_of(item)

    assert set(pages.values()) == {pages["plain"]}
    assert set(costs.values()) == {costs["plain"]}


def _page_of(item: Item) -> tuple[str, int]:
    """Return what the annotator gets when they open the item, without its ids, and its queries."""
    client = Client()
    member = item.batch.participations.get().member
    client.force_login(member.user)
    with transaction.atomic():
        seat = item.seats.get()
        mine = Assignment.objects.create(
            item=item,
            member=member,
            seat=seat,
            purpose=seat.purpose,
            state=AssignmentState.HELD,
            shown_first=1,
            claimed_at=NOW,
            opened_at=NOW,
            lease_until=timezone.now() + timedelta(hours=1),
        )
        client.get("/my-work/")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = client.get(f"/items/{mine.public_id}/")
        transaction.set_rollback(True)
    told = answer.content.decode() + str(sorted(answer.headers.items()))
    for one in (mine, *(step for step in (item.response_1, item.response_2))):
        told = told.replace(one.public_id, "ID")
    told = re.sub(r'(csrfmiddlewaretoken" value=|X-CSRFToken": )"[^"]*"', "", told)
    slots = [slot.pk for side in (item.response_1, item.response_2) for slot in side.slots.all()]
    for place, slot in enumerate(sorted(slots)):
        told = re.sub(rf"\b(image[.-]|reveal-image\.)(?:{slot})\b", rf"\1slot{place}", told)
    return re.sub(r"'Content-Length', '\d+'|csrftoken=[^;]*", "", told), len(queries)
