"""The lead's list of batches on a telephone."""

import pytest

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
