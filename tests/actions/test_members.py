"""Who is in a project, and as what."""

import pytest

from annotation.actions.members import add_member, change_role, end_membership
from annotation.choices import Role
from annotation.errors import Invalid, NotAllowed
from annotation.models import Member
from tests.conftest import NOW
from tests.factories import make_lead, make_member, make_project

pytestmark = pytest.mark.django_db


def test_the_first_lead_is_made_by_whoever_sets_up_and_makes_the_others():
    project = make_project()

    lead = add_member(project, user=None, pseudonym="okafor", role=Role.LEAD, by=None)
    heron = add_member(project, user=None, pseudonym=" heron ", role=Role.ANNOTATOR, by=lead)

    assert (heron.pseudonym, heron.role, heron.project) == ("heron", Role.ANNOTATOR, project)
    with pytest.raises(NotAllowed, match="has a lead"):
        add_member(project, user=None, pseudonym="second", role=Role.LEAD, by=None)
    with pytest.raises(NotAllowed, match="Only a lead"):
        add_member(project, user=None, pseudonym="second", role=Role.LEAD, by=heron)


def test_a_pseudonym_or_a_user_is_in_a_project_once():
    lead, there = make_lead(), make_member(name="heron")

    for user, pseudonym in [(None, "heron"), (there.user, "larch"), (None, " ")]:
        with pytest.raises(Invalid):
            add_member(lead.project, user=user, pseudonym=pseudonym, role=Role.ANNOTATOR, by=lead)

    assert Member.objects.count() == 2


def test_a_lead_changes_roles_and_ends_memberships_but_not_the_last_lead():
    lead, member = make_lead(), make_member()

    change_role(member, Role.REVIEWER, by=lead)
    member.refresh_from_db()
    assert member.role == Role.REVIEWER

    for act in (
        lambda: change_role(lead, Role.ANNOTATOR, by=lead),
        lambda: end_membership(lead, by=lead, now=NOW),
    ):
        with pytest.raises(Invalid, match="needs a lead"):
            act()

    change_role(member, Role.LEAD, by=lead)
    end_membership(lead, by=member, now=NOW)
    lead.refresh_from_db()
    assert lead.ended_at == NOW
    with pytest.raises(NotAllowed):
        change_role(member, Role.ANNOTATOR, by=lead)
