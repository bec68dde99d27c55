"""Every page there is, read in Chinese by each role: no English stands where a person reads."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.db import transaction
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation

from annotation.models import Batch, Dimension, Member, Response, ScalePoint, Turn
from tests.canaries import World, plant
from tests.walker import addresses

pytestmark = pytest.mark.django_db

NAMES = re.compile(
    r"""zqx\w+|ZQ|InterMT\w*|InstructGPT|ada|shared|intermt|annotator|reviewer|English|Django|Alpha|alpha|kappa|
    AC2|Gwet|Krippendorff|Wilson|Dawid|Skene|Davidson|Bradley|Terry|CSV|Parquet|JSONL?|DPO|TRL|ms-swift|swift|Markdown|SHA-?256|
    sha256|API|URL|UTC|MIME|ID|HTTP|px|kB|KB|MB|GB|Ctrl|Esc|Enter|Tab|Shift|
    manage\.py[\w\s=./-]*|IMPORT_ROOT|U\+0000|margin|min_gap|https?://\S+|A|B|n/a
    |always|never|at-or-below|differ|share|visual_perceptual_quality|my\ own\ reason|my\ rationale|Search|Pk|canonical|rubric-\d+
    """,
    re.VERBOSE,
)
"""What stays as it is in any language: names of things, people, formats, keys and commands."""

OUR_ADMIN = re.compile(
    r"admin:annotation_(?!user)\w+_(add|changelist|members|overlap|lift|progress)"
)
"""The pages of the admin that are our own, but for the rows of a list, which are data."""

ENGLISH = re.compile(r"[A-Za-z]{2,}")
SILENT = {"script", "style", "code", "kbd", "pre", "title"}
SPOKEN = ("aria-label", "title", "alt", "placeholder", "data-label", "data-sentence", "data-name")
INLINE = {"a", "abbr", "b", "bdi", "code", "em", "i", "kbd", "mark", "q", "span", "strong", "time"}
"""What stands within a sentence; between any other elements a new one begins."""

WESTERN = re.compile(
    r"[\u4e00-\u9fff）”][.,;:!?](?=[\s\u4e00-\u9fff]|$)|\s[，。；：！？、）]", re.M
)
"""A Western mark after Chinese, or a space before a Chinese one."""

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}


class Reader(HTMLParser):
    """Collects what is read or spoken of a page, without what is in no language of the page."""

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[bool] = []
        self.said: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        quiet = (
            tag in SILENT
            or told.get("translate") == "no"
            or told.get("lang", "zh-hans") not in {"zh-hans", None}
        )
        if not quiet and not any(self.inside):
            self.said += [told[name] or "" for name in SPOKEN if name in told]
            if tag == "input" and told.get("type") in {"submit", "button"}:
                self.said.append(told.get("value") or "")
        if tag not in INLINE:
            self.text += "\n"
        if tag not in VOID:
            self.inside.append(quiet)

    def handle_endtag(self, tag: str) -> None:
        if tag not in INLINE:
            self.text += "\n"
        if tag not in VOID and self.inside:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if not any(self.inside):
            self.said.append(data)
        self.text += re.sub(r"\s+", " ", data)


def english_in(html: str) -> list[str]:
    """Return each piece of the page that holds English, as it is read."""
    reader = Reader()
    reader.feed(html)
    pieces = [" ".join(piece.split()) for piece in reader.said]
    return sorted({piece for piece in pieces if ENGLISH.search(NAMES.sub("", piece))})


def western_marks_in(html: str) -> list[str]:
    """Return each place where a Chinese sentence of the page is set with Western marks."""
    reader = Reader()
    reader.feed(html)
    lines = [line.strip() for line in reader.text.split("\n")]
    found = [
        line[max(0, mark.start() - 12) : mark.end() + 8]
        for line in lines
        for mark in WESTERN.finditer(line)
    ]
    return sorted(set(found))


@pytest.fixture
def world(media) -> World:
    planted = plant()
    dialogue = "对话里的文字"
    Turn.objects.update(prompt=dialogue)
    Response.objects.update(text=dialogue)
    for one in Dimension.objects.all():
        told = {"en": one.key, "zh-hans": "维度"}
        one.name = one.short_name = one.question = told
        one.tags = [{"key": "fault", "name": {"en": "Fault", "zh-hans": "问题"}}]
        one.save()
    ScalePoint.objects.update(
        word={"en": "good", "zh-hans": "好"}, meaning={"en": "It is good.", "zh-hans": "好。"}
    )
    Batch.objects.update(title="批次")
    return planted


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ("<p>轮次对. <b>评分标准</b> r 1。</p>", ["轮次对. 评分标准 r "]),
        ("<p>3 个评判 ，涉及 1 道题</p>", ["3 个评判 ，涉及 1 道题"]),
        ("<p>评判 <span>好</span>, A</p>", ["评判 好, A"]),
        ("<p>轮次对。评分标准 r 1，0.5，a, b</p><p>好</p>: <p>1:30</p>", []),
    ],
)
def test_western_marks_in_chinese_sentences_are_found_and_others_are_not(html, found):
    assert western_marks_in(html) == found


@pytest.mark.parametrize("role", ["annotator", "reviewer", "lead"])
def test_no_page_says_anything_in_english_or_with_its_marks_to_one_who_reads_chinese(world, role):
    member = {
        "annotator": world.walker,
        "reviewer": Member.objects.get(role="reviewer"),
        "lead": world.lead,
    }[role]
    read, found, marks = 0, {}, {}
    for route, path, html in _pages(world, member):
        read += 1
        if english := english_in(html):
            found[f"{route} {path}"] = english
        ours = not route.startswith("admin:")
        if ours and (western := western_marks_in(html)):
            marks[f"{route} {path}"] = western

    assert found == {}
    assert marks == {}
    assert read >= {"annotator": 8, "reviewer": 12, "lead": 60}[role]


def _pages(world: World, member: Member) -> Iterator[tuple[str, str, str]]:
    assert member.user is not None
    member.user.language = "zh-hans"
    member.user.is_staff = member.user.is_superuser = member.role == "lead"
    member.user.save()
    client = Client()
    client.force_login(member.user)
    for route, path in addresses(world, own=member == world.walker):
        if "api" in route.name or route.text.endswith(("<str:size>", "file/")):
            continue
        if route.name.startswith("admin:") and not OUR_ADMIN.fullmatch(route.name):
            continue
        with transaction.atomic():
            answer = client.get(path)
            html = answer.getvalue().decode("utf-8", "replace")
            transaction.set_rollback(True)
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            if route.name.startswith("admin:"):
                html = re.sub(
                    r"<tbody.*?</tbody>|<nav.*?</nav>|<select.*?</select>", "", html, flags=re.S
                )
            yield route.name, path, html


def test_the_pages_before_sign_in_and_of_errors_are_chinese(client, world):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-CN,zh;q=0.9"
    pages = {"sign-in": client.get("/sign-in/?next=/my-work/").content.decode()}
    pages["refused"] = client.post("/sign-in/", {"username": "x", "password": "y"}).content.decode()
    pages["not there"] = client.get("/nothing/here/").content.decode()
    with translation.override("zh-hans"):
        for status in (400, 403, 404, 500):
            pages[str(status)] = render_to_string(f"{status}.html")

    assert {name: found for name, html in pages.items() if (found := english_in(html))} == {}


def test_words_that_scripts_say_are_chinese(world):
    from annotation.views.words import words_for_script  # noqa: PLC0415

    with translation.override("zh-hans"):
        said = str(words_for_script())

    assert re.findall(r"'[^']*[a-z]{3,} [a-z]{2,}[^']*'", re.sub(r"\{\w+\}", "", said)) == []


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ("<p>开始 <b>Begin</b></p>", ["Begin"]),
        ('<button aria-label="Close">×</button>', ["Close"]),
        ('<p translate="no">Begin</p><code>Begin</code><kbd>Ctrl</kbd>', []),
        ('<p lang="en">Begin</p><p>InterMT，A 更好</p>', []),
        ('<input type="submit" value="Keep"><p>好', ["Keep"]),
    ],
)
def test_english_on_a_page_is_found_and_names_are_not(html, found):
    assert english_in(html) == found
