"""Who may do what, as predicates over a member. Views and the API ask these, templates do not."""

from django.contrib.auth.models import AnonymousUser

from annotation.choices import Role
from annotation.models.batches import Batch
from annotation.models.projects import Member
from annotation.models.users import User


def member_of(user: User | AnonymousUser) -> Member | None:
    """Return the user's membership (the oldest active one), or None. One query."""
    if isinstance(user, AnonymousUser):
        return None
    return (
        Member.objects.active()
        .of_user(user)
        .select_related("project")
        .order_by("created_at", "pk")
        .first()
    )


def can_lead(member: Member) -> bool:
    """Run batches, see figures, export, void."""
    return member.ended_at is None and member.role == Role.LEAD


def can_review(member: Member) -> bool:
    return member.ended_at is None and member.role in {Role.LEAD, Role.REVIEWER}


def can_judge(member: Member, batch: Batch) -> bool:
    """Be offered items of the batch. One query."""
    return (
        member.ended_at is None
        and batch.participations.filter(member=member, paused_at=None).exists()
    )
