"""The lead's lists on a telephone and on paper."""

import re

import pytest

from tests.browser.conftest import sign_in
from tests.exported import decided_batch
from tests.factories import make_lead

pytestmark = pytest.mark.django_db(transaction=True)


def test_no_column_of_the_list_runs_off_a_telephone(open_page):
    decided_batch()

    page = open_page(make_lead(), "/batches/", viewport={"width": 390, "height": 800})

    wrap = page.locator(".table-wrap")
    assert wrap.evaluate("one => one.scrollWidth <= one.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    cells = page.locator(".batch-table tbody > tr > *").all()
    assert len(cells) == 7
    for cell in cells:
        box = cell.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 390


def test_a_list_of_the_admin_is_printed_from_the_first_page_and_without_what_stands_beside_it(
    browser, live_server
):
    decided_batch()
    lead = make_lead()
    lead.user.is_staff = lead.user.is_superuser = True
    lead.user.save()
    context = browser.new_context()
    sign_in(context, lead, live_server.url)
    page = context.new_page()
    page.goto(f"{live_server.url}/admin/annotation/judgment/")

    printed = page.pdf(format="A4")

    assert len(re.findall(rb"/Type /Page\b", printed)) == 1
    page.emulate_media(media="print")
    assert page.locator("#result_list tbody tr").count() > 3
    assert not page.locator("#nav-sidebar").is_visible()
    assert not page.locator("#changelist-filter").is_visible()
    context.close()
