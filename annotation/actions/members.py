"""Who is in a project, and as what."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from annotation.choices import Role
from annotation.errors import Invalid, NotAllowed
from annotation.models.projects import Member, Project
from annotation.models.users import User
from annotation.permissions import can_lead


def add_member(
    project: Project, *, user: User | None, pseudonym: str, role: Role, by: Member | None
) -> Member:
    """Make a person a member. Without a user: a reference annotator, or one from another tool.

    :param by: a lead; None for whoever sets the installation up, as long as there is no lead.
    :raises NotAllowed: if `by` is no lead.
    :raises Invalid: if the pseudonym or the user is in the project already.
    """
    _must_lead(project, by)
    pseudonym = pseudonym.strip()
    if not pseudonym:
        raise Invalid(_("A member needs a pseudonym."), fields={"pseudonym": _("Choose one.")})
    try:
        with transaction.atomic():
            return Member.objects.create(project=project, user=user, pseudonym=pseudonym, role=role)
    except IntegrityError as taken:
        raise Invalid(
            _("%(pseudonym)s, or the user, is in the project already.") % {"pseudonym": pseudonym},
            fields={"pseudonym": _("Choose another.")},
        ) from taken


def add_person(
    project: Project, *, username: str, password: str, pseudonym: str, role: Role, by: Member | None
) -> Member:
    """Make an account and its member. A lead's account may use the admin.

    :param by: as in `add_member`.
    :raises NotAllowed: as in `add_member`.
    :raises Invalid: as in `add_member`, or if the user name is taken or cannot be one.
    """
    user = User(username=username)
    user.is_staff = user.is_superuser = role == Role.LEAD
    user.set_password(password)
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as refused:
        raise Invalid(
            " ".join(refused.messages), fields={"username": _("Choose another.")}
        ) from None
    with transaction.atomic():
        user.save()
        return add_member(project, user=user, pseudonym=pseudonym, role=role, by=by)


def change_role(member: Member, role: Role, *, by: Member | None) -> None:
    """Make the member an annotator, reviewer or lead.

    :raises NotAllowed: if `by` is no lead.
    :raises Invalid: if the project would be left without a lead.
    """
    _must_lead(member.project, by)
    with transaction.atomic():
        if role != Role.LEAD:
            _must_leave_a_lead(member)
        Member.objects.filter(pk=member.pk).update(role=role)
    member.role = role


def end_membership(member: Member, *, by: Member, now: datetime) -> None:
    """Let the member take no part any more; what they have done stays, under their pseudonym.

    :raises NotAllowed: if `by` is no lead.
    :raises Invalid: if the project would be left without a lead.
    """
    _must_lead(member.project, by)
    with transaction.atomic():
        _must_leave_a_lead(member)
        Member.objects.filter(pk=member.pk, ended_at=None).update(ended_at=now)
    member.refresh_from_db(fields=["ended_at"])


def _must_lead(project: Project, by: Member | None) -> None:
    if by is None:
        if project.members.active().filter(role=Role.LEAD).exists():
            raise NotAllowed(_("The project has a lead: ask them."))
    elif not can_lead(by) or by.project_id != project.pk:
        raise NotAllowed(_("Only a lead of the project decides who is in it."))


def _must_leave_a_lead(member: Member) -> None:
    Project.objects.select_for_update(no_key=True).get(pk=member.project_id)
    leads = member.project.members.active().filter(role=Role.LEAD)
    if not leads.exclude(pk=member.pk).exists():
        raise Invalid(_("The project needs a lead: make somebody else one first."))
