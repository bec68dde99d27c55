"""The demo's people, dialogues and batches. Run again, it keeps what is there."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from django.utils.translation import gettext as _

from annotation.actions.batches import create_batch
from annotation.actions.categories import load_categories, set_support
from annotation.actions.imports import import_files
from annotation.actions.members import add_person
from annotation.choices import (
    BatchKind,
    BatchSettings,
    DimensionPreference,
    OverallScale,
    Role,
)
from annotation.errors import NotFound
from annotation.models.batches import Batch
from annotation.models.projects import Member, Project
from annotation.models.rubric import Rubric
from annotation.models.users import User
from annotation.reports.batches import RUBRIC_PRESET, BatchPlan, reasons_of
from annotation.reports.imports import ImportReport

PEOPLE = [
    ("lead", Role.LEAD),
    ("ada", Role.ANNOTATOR),
    ("ben", Role.ANNOTATOR),
    ("chen", Role.ANNOTATOR),
]

GUIDELINE = {
    "en": (
        "Read the whole conversation first. Rate what stands there, not what you would have "
        "written.\n\n"
        "- **Rate before you compare.** Each answer gets its scores; then say which is better.\n"
        "- **A picture that was never made** counts against the answer that announced it. One that "
        "could not be loaded does not: leave it out.\n"
        "- **Write reasons for somebody who has not seen the item**: what is wrong, and where.\n"
    ),
    "zh-hans": (
        "请先读完整个对话。评价的是眼前的内容，而不是你自己会怎么写。\n\n"
        "- **先打分，再比较。** 先给每个回答打分，再说哪一个更好。\n"
        "- **预告了却没有生成的图片**要算回答的缺点；加载失败的图片则不算，请跳过。\n"
        "- **理由要写给没看过这一题的人**：哪里有问题，是什么问题。\n"
    ),
}

SUPPORT = {
    "en": (
        "Some of this is hard to look at. **You may leave any item**, at any time, and nobody asks "
        "why.\n\nTalk to the lead, or to somebody you trust. In this demo there is no one else; "
        "the lead writes here whom you can call."
    ),
    "zh-hans": (
        "有些内容看了会难受。**任何一题您都可以随时放下**，不会有人问为什么。\n\n"
        "可以和负责人谈谈，或找您信任的人。演示里没有其他人；负责人会在这里写明可以联系谁。"
    ),
}

_BATCHES = [
    (
        "demo-turn-pairs",
        "Two answers to one prompt",
        BatchKind.TURN_PAIR,
        BatchSettings(include_incomplete=True, overall_scale=OverallScale.GRADED),
    ),
    (
        "demo-conversation-pairs",
        "Two conversations",
        BatchKind.CONVERSATION_PAIR,
        BatchSettings(
            equal_length_only=False,
            dimension_preference=DimensionPreference.PROPOSED,
            fork_preference=True,
            rationale_minimum=20,
        ),
    ),
    (
        "demo-conversations",
        "Whole conversations",
        BatchKind.CONVERSATION,
        BatchSettings(include_incomplete=True, overlap=1, overlap_high=3, overlap_high_share=0.25),
    ),
]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the demo, with the password they have until the next start."""

    username: str
    password: str
    user: User
    member: Member


@dataclass(frozen=True, slots=True)
class Demo:
    """What stands ready."""

    people: tuple[Person, ...]
    imported: ImportReport
    batches: tuple[Batch, ...]


def load_demo(project: Project, *, folder: Path, now: datetime) -> Demo:
    """Make the people with new passwords, import `folder`, open one batch of each kind.

    :raises NotFound: if no rubric is published; run `load_rubric` first.
    """
    rubric = Rubric.objects.filter(project=project, slug="intermt").order_by("version").last()
    if rubric is None:
        raise NotFound(_("The rubric intermt is not published: run manage.py load_rubric first."))
    people = _people(project)
    lead = people[0].member
    _contents(project, folder.parent / "content_categories.json", lead=lead, now=now)
    imported = import_files(project, [folder / "dialogues.json"], by=lead, now=now)
    members = tuple(one.member for one in people[1:])
    batches = []
    for slug, title, kind, settings in _BATCHES:
        batch = project.batches.filter(slug=slug).first()
        if batch is None:
            plan = BatchPlan(
                slug=slug,
                title=title,
                kind=kind,
                rubric=rubric,
                settings=replace(settings, reasons=reasons_of(RUBRIC_PRESET, rubric)),
                members=members,
                guideline_texts=GUIDELINE,
            )
            batch = create_batch(plan, by=lead, now=now, opened=True)
        batches.append(batch)
    return Demo(people, imported, tuple(batches))


def _contents(project: Project, file: Path, *, lead: Member, now: datetime) -> None:
    """Name the kinds of content, and whom to talk to, where nobody has yet."""
    if not project.categories.exists():
        load_categories(project, file.read_bytes(), by=lead, now=now)
    if not project.support:
        set_support(project, SUPPORT, by=lead)


def _people(project: Project) -> tuple[Person, ...]:
    people = []
    lead: Member | None = None
    for username, role in PEOPLE:
        password = secrets.token_urlsafe(12)
        member = project.members.filter(user__username=username).first()
        if member is None:
            member = add_person(
                project,
                username=username,
                password=password,
                pseudonym=username,
                role=role,
                by=lead,
            )
        user = User.objects.get(username=username)
        user.set_password(password)
        user.save(update_fields=["password"])
        lead = lead or member
        people.append(Person(username, password, user, member))
    return tuple(people)
