"""Categories as people read them, and what one person has met of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from annotation.models.assignments import Assignment, day_of
from annotation.models.categories import Category, OptOut
from annotation.models.marks import Mark
from annotation.models.projects import Member, Project
from annotation.rendering.html import SafeHtml
from annotation.rendering.markdown import to_html
from annotation.reports.words import in_language


@dataclass(frozen=True, slots=True)
class Exposure:
    """One category as one person meets it. A mark that no category names is called by its key.

    :ivar today: items with it that the person opened since midnight, where they are.
    :ivar week: the same since Monday. :ivar limit: the most a day, or None.
    :ivar unwanted: whether they have opted out. :ivar in_use: whether any dialogue carries it.
    """

    key: str
    name: str
    description: str
    today: int
    week: int
    limit: int | None
    unwanted: bool
    in_use: bool

    @property
    def is_met(self) -> bool:
        """Whether there is anything to say of it on the desk."""
        return bool(self.week or self.unwanted or (self.in_use and self.limit is not None))


def exposures(
    member: Member, *, at: datetime, keys: Iterable[str] | None = None
) -> tuple[Exposure, ...]:
    """Return the project's categories, and marks in use that are none, as the person meets them.

    An item counts from its first opening, under every mark that its dialogue carries now. Four
    queries, however many there are.

    :param keys: only these; all where not given.
    """
    categories = {
        one.key: one for one in Category.objects.filter(project=member.project_id).order_by("pk")
    }
    used = _used_keys(member.project_id)
    wanted = list(keys if keys is not None else dict.fromkeys([*categories, *used]))
    unwanted = set(OptOut.objects.filter(member=member).values_list("key", flat=True))
    met = _met(member, at)
    return tuple(
        Exposure(
            key=key,
            name=_name(key, categories.get(key)),
            description=in_language(categories[key].description) if key in categories else "",
            today=met.get(key, (0, 0))[0],
            week=met.get(key, (0, 0))[1],
            limit=categories[key].daily_limit if key in categories else None,
            unwanted=key in unwanted,
            in_use=key in used,
        )
        for key in wanted
    )


def category_names(project: Project | int, keys: Iterable[str]) -> dict[str, str]:
    """Return each key's name in the reader's language; an unknown key is its own. One query."""
    wanted = list(keys)
    known = {one.key: one for one in Category.objects.filter(project=project, key__in=wanted)}
    return {key: _name(key, known.get(key)) for key in wanted}


def support_of(project: Project) -> SafeHtml | None:
    """Return the project's support text in the reader's language; None where there is none."""
    text = in_language(project.support)
    return to_html(text) if text else None


def reportable(project: Project | int) -> list[tuple[str, str]]:
    """Return (key, name) of the categories that a report can name. One query."""
    categories = Category.objects.filter(project=project).order_by("pk")
    return [(one.key, _name(one.key, one)) for one in categories]


def known_keys(project: Project | int) -> list[str]:
    """Return the keys of the project's categories, then of marks that no category names."""
    categories = Category.objects.filter(project=project).order_by("pk")
    named = categories.values_list("key", flat=True)
    return list(dict.fromkeys([*named, *_used_keys(project)]))


def _used_keys(project: Project | int) -> list[str]:
    used = Mark.objects.standing().filter(project=project).order_by("key")
    return list(used.values_list("key", flat=True).distinct())


def _name(key: str, category: Category | None) -> str:
    return (in_language(category.name) if category else "") or key


def _met(member: Member, at: datetime) -> dict[str, tuple[int, int]]:
    day = day_of(at)
    monday = day_of(day - timedelta(days=day.weekday()))
    rows = (
        Assignment.objects.filter(
            member=member,
            opened_at__gte=monday,
            item__dialogue__mark_rows__ended_number=None,
            item__dialogue__mark_rows__key__isnull=False,
        )
        .order_by()
        .values_list("item__dialogue__mark_rows__key")
        .annotate(
            today=Count("pk", distinct=True, filter=Q(opened_at__gte=day)),
            week=Count("pk", distinct=True),
        )
    )
    return {key: (today, week) for key, today, week in rows}
