"""Exporting as a lead does it: choose, start, watch it come, fetch it; also on a phone."""

import json
import tarfile

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from annotation import tasks
from annotation.actions.exports import build_export
from annotation.formats.manifest import verified
from annotation.models import Export
from tests.exported import decided_batch
from tests.factories import make_lead

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def sent(monkeypatch):
    """Keep what is sent to the broker; a test builds it when it is time."""
    ids = []
    monkeypatch.setattr(tasks.build_export, "delay", lambda *, export_id: ids.append(export_id))
    return ids


def start(page, batch, *, name="ms-swift"):
    page.get_by_label(f"{batch.title} ({batch.slug})").check()
    page.get_by_role("radio", name=name).check()
    page.get_by_role("button", name="Start the export").click()


def test_an_export_comes_to_the_page_by_itself_and_holds_what_was_preferred(
    open_page, sent, tmp_path
):
    batch, lead = decided_batch(), make_lead()
    page = open_page(lead, "/exports/")

    start(page, batch)
    entry = page.locator(".export-entry")
    expect(entry.get_by_text("waiting")).to_be_visible()
    expect(entry.get_by_role("progressbar", name="Judgments read")).to_be_visible()
    build_export(sent[0], clock=timezone.now)
    expect(entry.get_by_text("done", exact=True)).to_be_visible()
    with page.expect_download() as download:
        entry.get_by_role("link", name="Download").click()

    with tarfile.open(download.value.path()) as tar:
        tar.extractall(tmp_path / "got", filter="data")
    (folder,) = (tmp_path / "got").iterdir()
    assert verified(folder) == []
    rows = [json.loads(line) for line in (folder / "pairs.jsonl").read_text().splitlines()]
    preferred = {item.dialogue.content_key: item.response_2.text for item in batch.items.all()}
    assert len(rows) == 3
    for row in rows:
        assert row["messages"][-1]["content"] == preferred[row["dialogue"]] + "<image>"
    expect(entry).to_contain_text("6 of 9 judgments.")
    entry.get_by_text("Not in it").click()
    expect(entry.locator("dl")).to_contain_text("no majority")


def test_a_refused_export_says_what_to_do_and_the_next_one_can_begin(open_page, sent):
    batch, lead = decided_batch(), make_lead()
    page = open_page(lead, f"/exports/?batch={batch.slug}")
    expect(page.get_by_label(f"{batch.title} ({batch.slug})")).to_be_checked()

    start(page, batch, name="TRL")
    build_export(sent[0], clock=timezone.now)

    expect(page.locator(".export-entry").get_by_text("refused")).to_be_visible()
    expect(page.locator(".export-entry")).to_contain_text("have the pictures of responses dropped")
    page.get_by_text("Where a format falls short").click()
    page.get_by_label("Pictures of responses").select_option(label="Drop and count them")
    start(page, batch, name="TRL")
    expect(page.locator(".export-entry")).to_have_count(2)
    assert Export.objects.order_by("-pk").first().options["response_images"] == "drop"


def test_the_page_fits_a_telephone(open_page):
    batch, lead = decided_batch(), make_lead()

    page = open_page(lead, "/exports/", viewport={"width": 390, "height": 800})

    expect(page.get_by_label(f"{batch.title} ({batch.slug})")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
