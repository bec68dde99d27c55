"""Robot annotators over HTTP: they read the page as a person does and post its form.

Each prefers the answer that holds a planted word, wherever it stands, by the letter shown over
it. Whatever goes wrong between page and export (a swapped side, a doubled seat) shows here.
"""

import json
import re
from collections import Counter
from threading import Thread

import pytest
import requests
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models import Count
from django.test import Client

from annotation.choices import BatchKind, BatchSettings, SeatState
from annotation.models import Judgment, Member, Preference, Rating, Response, Seat
from tests.factories import make_batch, make_item, make_items, make_lead, make_member, make_tree

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PLANTED = "persimmon"
ANSWER = re.compile(r'<article class="answer answer-([AB]).*?</article>', re.DOTALL)
RADIO = re.compile(r'<input type="radio" name="([^"]+)" value="([^"]*)"([^>]*)>')
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


class Robot:
    """One annotator with a browser's cookies and no script."""

    def __init__(self, address: str, member: Member, batch_slug: str) -> None:
        signed_in = Client()
        signed_in.force_login(member.user)
        self.session = requests.Session()
        cookie = signed_in.cookies[settings.SESSION_COOKIE_NAME]
        self.session.cookies.set(cookie.key, cookie.value)
        self.address, self.slug = address, batch_slug
        self.done = 0
        self.trouble: list[str] = []

    def work(self) -> None:
        """Take and judge items until there is none."""
        try:
            while (page := self._next()) is not None:
                self._judge(page)
                self.done += 1
        except Exception as error:
            self.trouble.append(repr(error))

    def _next(self) -> requests.Response | None:
        desk = self.session.get(f"{self.address}/", timeout=30)
        token = dict(HIDDEN.findall(desk.text))["csrfmiddlewaretoken"]
        page = self.session.post(
            f"{self.address}/batches/{self.slug}/next/",
            data={"csrfmiddlewaretoken": token},
            headers={"Referer": self.address},
            timeout=30,
        )
        assert page.status_code == 200, page.text[:500]
        return page if "/items/" in page.url else None

    def _judge(self, page: requests.Response) -> None:
        sides = {found[1]: found[0] for found in ANSWER.finditer(page.text) if PLANTED in found[0]}
        assert len(sides) == 1, f"the planted answer is on {sorted(sides)}"
        [letter] = sides
        form = dict(HIDDEN.findall(page.text))
        for name, value, more in RADIO.findall(page.text):
            wanted = (
                f'data-key="{letter.lower()}"' in more
                if name.startswith("preference.")
                else value == "2"
            )
            if wanted:
                form[name] = value
        answer = self.session.post(
            page.url, data=form, headers={"Referer": self.address}, timeout=30
        )
        assert answer.status_code == 200, answer.text[:500]


def planted_batch(*, items: int, people: list[Member]):
    """Turn pairs in each of which one answer, now the first and now the second, is planted."""
    batch = make_batch(
        kind=BatchKind.TURN_PAIR, members=people, settings=BatchSettings(undo_minutes=0)
    )
    made = make_items(batch, items=items, seats=2)
    for number, item in enumerate(made):
        side = item.response_1 if number % 2 else item.response_2
        Response.objects.filter(pk=side.pk).update(text=f"An answer with a {PLANTED} in it.")
    return batch


def test_sixteen_robots_finish_every_item_and_what_they_prefer_is_chosen(live_server, tmp_path):
    items = 200 if connection.vendor == "postgresql" else 24
    people = [make_member() for _ in range(16)]
    batch = planted_batch(items=items, people=people)
    robots = [Robot(live_server.url, person, batch.slug) for person in people]
    threads = [Thread(target=robot.work) for robot in robots]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [trouble for robot in robots for trouble in robot.trouble] == []
    judgments = Judgment.objects.filter(batch=batch)
    assert judgments.count() == 2 * items
    assert sum(robot.done for robot in robots) == 2 * items
    doubled = judgments.values("item", "member").annotate(n=Count("pk")).filter(n__gt=1)
    assert not doubled.exists()
    assert Seat.objects.filter(item__batch=batch).count() == 2 * items
    assert set(Seat.objects.values_list("state", flat=True)) == {SeatState.TAKEN}
    orders = Counter(judgments.values_list("item", "shown_first"))
    assert len(orders) == 2 * items
    overall = Preference.objects.filter(scope="overall")
    assert all(PLANTED in text for text in overall.values_list("preferred__text", flat=True))

    make_lead()
    out = tmp_path / "swift"
    call_command(
        *("export_pairs", "--batch", batch.slug, "--format", "swift"),
        *("--out", str(out), "--images", "none", "--verbosity", "0"),
    )
    rows = [
        json.loads(line)
        for file in sorted(out.rglob("pairs.jsonl"))
        for line in file.read_text().splitlines()
    ]
    assert len(rows) == items
    for row in rows:
        assert PLANTED in row["messages"][-1]["content"]
        assert PLANTED not in json.dumps(row["rejected_messages"])


def test_one_robot_judges_the_three_pairs_of_a_tree_and_rates_each_unit_once(live_server):
    person = make_member()
    batch = make_batch(kind=BatchKind.CONVERSATION_PAIR, members=[person])
    tree = make_tree(paths=3, turns=3, fork=2)
    sides = list(tree.responses.full().order_by("pk"))
    for one, two in ((0, 1), (1, 2), (0, 2)):
        make_item(batch, sides[one], sides[two], seats=1)
    for side in (sides[0], sides[1]):
        Response.objects.filter(pk=side.pk).update(text=f"{side.text} {PLANTED}")
    robot = Robot(live_server.url, person, batch.slug)
    # Two planted sides meet in one item: there the robot takes the first it reads.
    robot._judge = lambda page: judge_as_shown(robot, page)
    robot.work()

    assert robot.trouble == []
    assert robot.done == 3
    given = Rating.objects.exclude(origin="carried")
    assert given.count() == 7 * 4 + 3 * 5
    assert given.values("response", "dimension").distinct().count() == given.count()
    assert Rating.objects.filter(origin="carried").count() == 3 * (5 * 4 + 2 * 5) - given.count()


def judge_as_shown(robot: Robot, page: requests.Response) -> None:
    """Answer what is open, leave what the page has filled in, prefer A."""
    form = dict(HIDDEN.findall(page.text))
    for name, value, more in RADIO.findall(page.text):
        if "checked" in more or (
            name not in form
            and ('data-key="a"' in more if name.startswith("preference.") else value == "2")
        ):
            form[name] = value
    answer = robot.session.post(page.url, data=form, headers={"Referer": robot.address}, timeout=30)
    assert answer.status_code == 200, answer.text[:500]
