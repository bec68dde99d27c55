"""Who may do what, as predicates over a member. Views and the API ask these, templates do not."""

from django.contrib.auth.models import AnonymousUser

from annotation.choices import BatchState, OwnFigures, Role
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


def can_read_calibration(member: Member, batch: Batch) -> bool:
    """Read all judgments of a batch that a lead opened to its members. One query."""
    return (
        member.ended_at is None
        and member.project_id == batch.project_id
        and batch.calibration_opened_at is not None
        and (can_review(member) or batch.participations.filter(member=member).exists())
    )


def may_see_own_figures(member: Member, batch: Batch) -> bool:
    """See how one stands to the others of the batch: by its setting, once it is closed.

    Before that it would be an aggregate of others' judgments before its time. One query.
    """
    return (
        member.ended_at is None
        and own_figures_are_due(batch)
        and batch.participations.filter(member=member).exists()
    )


def own_figures_are_due(batch: Batch) -> bool:
    """Say whether the batch's setting lets its people see their own figures now."""
    own = batch.parsed_settings().own_figures
    return own == OwnFigures.ANY_TIME or (
        own == OwnFigures.CLOSED and batch.state == BatchState.CLOSED
    )
