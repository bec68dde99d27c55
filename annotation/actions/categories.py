"""Categories of content, whom to talk to, and what a person would rather not meet."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from annotation.actions.assignments import let_lapse, skip
from annotation.actions.storable import refuse_unstorable
from annotation.choices import SkipReason
from annotation.errors import Invalid, NotAllowed
from annotation.formats.categories import CategoryGiven, read_categories, wrong_key
from annotation.formats.records import Unfit
from annotation.models.assignments import Assignment
from annotation.models.categories import Category, OptOut
from annotation.models.marks import Mark
from annotation.models.projects import Member, Project
from annotation.permissions import can_lead


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many categories a file made, changed, and left as they were."""

    new: int
    changed: int
    same: int


def load_categories(project: Project, data: bytes, *, by: Member | None, now: datetime) -> Loaded:
    """Take the categories in a file's bytes into the project; one of the same key is changed.

    Categories that the file does not name stay. Run again, nothing changes.

    :param by: a lead; None for whoever sets the installation up, from the shell.
    :raises NotAllowed: if `by` is no lead of the project.
    :raises Invalid: the file holds no categories; the message names the place.
    """
    try:
        given = read_categories(data)
    except Unfit as unfit:
        told = _("These are no categories: %(what)s.") % {"what": unfit}
        raise Invalid(told, fields={unfit.field: unfit.reason}) from unfit
    with transaction.atomic():
        done = [save_category(project, one, by=by, now=now) for one in given]
    return Loaded(done.count("new"), done.count("changed"), done.count("same"))


def save_category(
    project: Project, given: CategoryGiven, *, by: Member | None, now: datetime
) -> str:
    """Make the category of this key, or change it; return `new`, `changed` or `same`.

    :raises NotAllowed: if `by` is no lead of the project; None is the shell.
    :raises Invalid: the key cannot be one, or nothing says what it is called in English.
    """
    if by is not None and (not can_lead(by) or by.project_id != project.pk):
        raise NotAllowed(_("Only a lead of the project changes categories."))
    if wrong := wrong_key(given.key):
        raise Invalid(f"{given.key!r} {wrong}.", fields={"key": wrong})
    if not given.name.get("en", "").strip():
        missing = _("Say what it is called in English.")
        raise Invalid(missing, fields={"name": missing})
    refuse_unstorable([given.key, {**given.name}, {**given.description}, list(given.words)])
    values = {
        "name": given.name,
        "description": given.description,
        "daily_limit": given.daily_limit,
        "words": list(given.words),
    }
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        known = Category.objects.filter(project=project, key=given.key).first()
        if known is None:
            Category.objects.create(
                project=project, key=given.key, changed_by=by, changed_at=now, **values
            )
            return "new"
        if all(getattr(known, name) == value for name, value in values.items()):
            return "same"
        Category.objects.filter(pk=known.pk).update(changed_by=by, changed_at=now, **values)
        return "changed"


def set_support(project: Project, texts: Mapping[str, str], *, by: Member) -> None:
    """Say whom people can talk to after something hard: language -> Markdown, empty ones none.

    :raises NotAllowed: if `by` is no lead of the project.
    """
    if not can_lead(by) or by.project_id != project.pk:
        raise NotAllowed(_("Only a lead of the project changes its support text."))
    refuse_unstorable({**texts}, place="support")
    kept = {language: text.strip() for language, text in texts.items() if text.strip()}
    Project.objects.filter(pk=project.pk).update(support=kept)


def set_opt_outs(member: Member, keys: Iterable[str], *, by: Member, now: datetime) -> None:
    """Keep exactly these categories away from the person from now on.

    Items that are held for them and not opened yet go back; what they have opened stays theirs.

    :raises NotAllowed: for anybody but the person.
    :raises Invalid: for a key that is neither a category nor a mark of the project.
    """
    if by.pk != member.pk:
        raise NotAllowed(_("These choices are another person's."))
    wanted = set(keys)
    known = set(Category.objects.filter(project=member.project_id).values_list("key", flat=True))
    if unknown := wanted - known:
        refuse_unstorable(sorted(unknown))
        marks = Mark.objects.filter(project=member.project_id, key__in=unknown)
        unknown -= set(marks.values_list("key", flat=True))
    if unknown:
        told = _("There is no category %(keys)s.") % {"keys": ", ".join(sorted(unknown))}
        raise Invalid(told, fields={"keys": told})
    with transaction.atomic():
        # The row is locked as a claim locks it, so that none of these slips in meanwhile.
        Member.objects.select_for_update().get(pk=member.pk)
        OptOut.objects.filter(member=member).exclude(key__in=wanted).delete()
        OptOut.objects.bulk_create(
            [OptOut(member=member, key=key, since=now) for key in sorted(wanted)],
            ignore_conflicts=True,
        )
        marked = Mark.objects.standing().filter(project=member.project_id, key__in=wanted)
        let_lapse(
            Assignment.objects.held()
            .annotating()
            .filter(member=member, item__dialogue__in=marked.values("dialogue")),
            unopened=True,
        )


def refuse_kind(assignment: Assignment, key: str, *, by: Member, now: datetime) -> None:
    """Leave the item as one who would rather not, and opt out of a category from now on.

    :raises NotAllowed: for anybody but the person.
    :raises annotation.actions.assignments.NotHeld: if the item is not held by them any more.
    :raises Invalid: for a key that is neither a category nor a mark of the project.
    """
    with transaction.atomic():
        skip(assignment, by=by, reason=SkipReason.RATHER_NOT, now=now)
        unwanted = set(by.opt_outs.values_list("key", flat=True))
        set_opt_outs(assignment.member, unwanted | {key}, by=by, now=now)
