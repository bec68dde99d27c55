"""One-click links: good once, for an hour, on this machine, and only while a demo runs. And the way back."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.actions.sign_in import LIFE, LinkRefused, make_sign_in_token, use_sign_in_token
from tests.factories import NOW, make_lead, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo_runs(settings):
    settings.SIGN_IN_LINKS = True


def address(user) -> str:
    token = make_sign_in_token(user, now=timezone.now())
    return reverse("annotation:sign-in-link", args=[token])


@pytest.mark.usefixtures("demo_runs")
def test_a_link_signs_its_user_in(client):
    member = make_member()

    response = client.get(address(member.user))

    assert (response.status_code, response.headers["Location"]) == (302, reverse("annotation:desk"))
    assert client.session["_auth_user_id"] == str(member.user.pk)


@pytest.mark.usefixtures("demo_runs")
def test_a_link_is_good_once(client):
    link = address(make_member().user)
    client.get(link)
    client.logout()

    response = client.get(link)

    assert response.headers["Location"] == reverse("login")
    assert "_auth_user_id" not in client.session


def test_without_a_demo_there_are_no_links(client):
    response = client.get(address(make_member().user))

    assert response.status_code == 404
    assert "_auth_user_id" not in client.session


@pytest.mark.usefixtures("demo_runs")
def test_a_link_is_refused_from_another_machine(client):
    link = address(make_member().user)

    assert client.get(link, REMOTE_ADDR="192.0.2.7").status_code == 404
    assert client.get(link).status_code == 302


@pytest.mark.usefixtures("demo_runs")
def test_a_link_is_read_by_get_only(client):
    assert client.post(address(make_member().user)).status_code == 405


def test_a_link_dies_after_its_life():
    user = make_member().user
    token = make_sign_in_token(user, now=NOW)

    with pytest.raises(LinkRefused):
        use_sign_in_token(token, now=NOW + LIFE + timedelta(seconds=1))

    assert use_sign_in_token(token, now=NOW + LIFE) == user


def test_a_link_dies_with_the_password():
    user = make_lead().user
    token = make_sign_in_token(user, now=NOW)
    user.set_password("another long password")
    user.save()

    with pytest.raises(LinkRefused):
        use_sign_in_token(token, now=NOW)


def test_a_forged_link_is_refused():
    user, other = make_member().user, make_lead().user
    token = make_sign_in_token(user, now=NOW)
    forged = make_sign_in_token(other, now=NOW).rsplit(":", 1)[0] + ":" + token.rsplit(":", 1)[1]

    for bad in (forged, token[:-1], "", "x"):
        with pytest.raises(LinkRefused):
            use_sign_in_token(bad, now=NOW)


def test_a_link_of_somebody_shut_out_is_refused():
    user = make_member().user
    token = make_sign_in_token(user, now=NOW)
    user.is_active = False
    user.save()

    with pytest.raises(LinkRefused):
        use_sign_in_token(token, now=NOW)


@pytest.mark.parametrize(
    ("came_from", "back"),
    [
        ("http://testserver/items/abc/?again", "/items/abc/?again"),
        ("https://elsewhere.example/items/abc/", "/"),
        ("", "/"),
    ],
)
def test_who_sends_a_form_signed_out_comes_back_to_the_page_that_sent_it(client, came_from, back):
    answer = client.post("/items/abc/skip/", {"reason": "other"}, headers={"referer": came_from})

    assert answer.status_code == 302
    assert parse_qs(urlsplit(answer.headers["Location"]).query) == {"next": [back]}
