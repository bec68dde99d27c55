"""Taking out, putting back and keys in the admin."""

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from annotation.actions.tokens import find_token
from annotation.models import Judgment, Token, Void
from tests.factories import make_batch, make_items, make_lead, make_member
from tests.judged import judge

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(client):
    """A signed-in lead who is staff."""
    lead = make_lead()
    lead.user.is_staff = True
    lead.user.save()
    client.force_login(lead.user)
    return lead


@pytest.fixture
def judgment():
    """One judgment of a batch."""
    (item,) = make_items(make_batch(slug="cats"))
    return judge(item, make_member(name="robin"), overall="tie")


ADD = "/admin/annotation/void/add/"


def test_a_judgment_is_taken_out_and_put_back_with_reasons(client, lead, judgment):
    taken = client.post(
        ADD, {"kind": "judgment", "name": judgment.public_id, "reason": "copied"}, follow=True
    )
    row = Void.objects.get()
    listed = client.get(reverse("admin:annotation_void_changelist")).content.decode()
    back = client.post(
        reverse("admin:annotation_void_lift", args=[row.pk]), {"reason": "not so"}, follow=True
    )

    assert "Out of figures and exports of cats (2)." in taken.content.decode()
    assert (row.judgment, row.reason, row.created_by) == (judgment, "copied", lead)
    assert reverse("admin:annotation_void_lift", args=[row.pk]) in listed
    assert "Put back in cats (3)." in back.content.decode()
    assert Void.objects.get(lifts=row).reason == "not so"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "nobody"}, "There is no judgment nobody."),
        ({"reason": ""}, "This field is required."),
        ({"since": "2026-03-02 09:00"}, "Only a person&#x27;s work"),
    ],
)
def test_what_cannot_be_taken_out_is_said(client, lead, judgment, changes, told):
    body = {"kind": "judgment", "name": judgment.public_id, "reason": "copied"} | changes

    response = client.post(ADD, body)

    assert response.status_code == 422
    assert told in response.content.decode()
    assert not Void.objects.exists()


def test_voids_are_never_changed_or_deleted_and_are_not_for_annotators(client, lead, judgment):
    client.post(ADD, {"kind": "member", "name": "robin", "reason": "not a person"})
    row = Void.objects.get()

    assert (
        client.post(f"/admin/annotation/void/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    )
    assert (
        client.post(f"/admin/annotation/void/{row.pk}/change/", {"reason": "x"}).status_code == 403
    )
    staff = make_member().user
    staff.is_staff = True
    staff.save()
    client.force_login(staff)
    assert client.post(ADD, {"kind": "member", "name": "robin", "reason": "x"}).status_code == 403
    assert Judgment.objects.count() == Void.objects.count() == 1


def test_a_key_is_shown_once_and_is_in_no_table(client, lead):
    url = "/admin/annotation/token/add/"

    response = client.post(url, {"name": "trainer", "scopes": ["exports"], "days": "30"})

    key = response.content.decode().split('<code id="key">')[1].split("<")[0]
    assert find_token(key, now=timezone.now()) == Token.objects.get()
    assert key not in client.get("/admin/annotation/token/").content.decode()
    assert key not in str([session.get_decoded() for session in Session.objects.all()])
    assert key not in str(response.cookies)


def test_a_key_without_a_scope_is_not_made_and_a_revoked_one_is_no_key(client, lead):
    url = "/admin/annotation/token/add/"

    assert client.post(url, {"name": "trainer", "days": "30"}).status_code == 422
    made = client.post(url, {"name": "trainer", "scopes": ["exports"], "days": "30"})
    key = made.content.decode().split('<code id="key">')[1].split("<")[0]
    client.post(
        "/admin/annotation/token/",
        {"action": "revoke", "_selected_action": [Token.objects.get().pk]},
    )

    assert find_token(key, now=timezone.now()) is None
