"""Log lines: no token of a sign-in link, no traceback of a refusal."""

import io
import logging

import pytest
from django.conf import settings as wired
from django.http import HttpResponse
from django.utils.log import log_response

from intermt_annotate.logs import WithoutSecrets
from tests.factories import make_member

LINK = "/sign-in/7.1790000000:c2VjcmV0/"


@pytest.fixture
def written():
    """What the console of the settings writes, of every logger below."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(WithoutSecrets())
    names = ("axes", "django.request", "django.server")
    for name in names:
        logging.getLogger(name).addHandler(handler)
    yield stream.getvalue
    for name in names:
        logging.getLogger(name).removeHandler(handler)


def test_the_console_of_the_settings_is_filtered():
    logging_of = wired.LOGGING
    assert logging_of["handlers"]["console"]["filters"] == ["without_secrets"]
    assert logging_of["filters"]["without_secrets"]["()"].endswith(WithoutSecrets.__name__)
    assert logging_of["loggers"]["django.server"]["handlers"] == ["console"]


@pytest.mark.parametrize("name", ["axes", "django.request", "django.server"])
def test_a_token_is_cut_from_the_address(written, name):
    logging.getLogger(name).warning('"GET %s HTTP/1.1" %s', LINK, 302)

    assert written() == '"GET /sign-in/…/ HTTP/1.1" 302\n'


def test_a_token_is_cut_from_a_traceback_too(written):
    try:
        int(LINK)
    except ValueError:
        logging.getLogger("django.request").exception("broke")

    assert "base 10: '/sign-in/…/'" in written()
    assert "c2VjcmV0" not in written()


@pytest.mark.django_db
def test_a_link_that_is_not_open_leaves_no_token(client, written):
    client.get(LINK)

    assert written() == "Not Found: /sign-in/…/\n"


@pytest.mark.django_db
def test_a_refusal_is_one_line(client, written):
    client.force_login(make_member().user)

    assert client.get("/batches/").status_code == 403

    assert written() == "Forbidden (Permission denied): /batches/\n"


def test_a_fault_keeps_its_traceback(written, rf):
    try:
        int("inside")
    except ValueError as fault:
        broken = HttpResponse(status=500)
        log_response("Broke: %s", "/x/", response=broken, request=rf.get("/x/"), exception=fault)

    assert "base 10: 'inside'" in written()
