"""The first lead comes in by the shell; after that a lead has to say so."""

from getpass import GetPassWarning, fallback_getpass
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from annotation.choices import Role
from annotation.models import Member, User
from tests.factories import make_lead

pytestmark = pytest.mark.django_db


def add(*arguments: str) -> str:
    out = StringIO()
    call_command("add_member", *arguments, "--random-password", stdout=out)
    return out.getvalue()


def test_the_first_lead_is_added_and_can_sign_in_with_the_printed_password():
    printed = add("noor", "--role", "lead")

    member = Member.objects.get(pseudonym="noor")
    assert (member.role, member.user.is_staff) == (Role.LEAD, True)
    password = printed.strip().rsplit(" ", 1)[1]
    assert Client().login(username="noor", password=password)


def test_an_annotator_has_no_way_into_the_admin_and_may_have_a_pseudonym():
    make_lead("lead")

    add("kim", "--pseudonym", "heron")

    user = User.objects.get(username="kim")
    assert (user.is_staff, user.is_superuser) == (False, False)
    assert user.memberships.get().pseudonym == "heron"


def test_a_taken_name_is_refused_and_leaves_nothing_behind():
    make_lead("lead")
    add("kim")

    with pytest.raises(CommandError):
        add("kim", "--pseudonym", "other")
    with pytest.raises(CommandError):
        add("lou", "--pseudonym", "kim")

    assert not User.objects.filter(username="lou").exists()


def test_without_a_terminal_one_is_told_what_to_use(monkeypatch):
    monkeypatch.setattr("sys.stdin", StringIO(""))
    monkeypatch.setattr("getpass.getpass", fallback_getpass)

    with (
        pytest.warns(GetPassWarning),
        pytest.raises(CommandError, match="Use --random-password"),
    ):
        call_command("add_member", "ada", "--role", "lead")
