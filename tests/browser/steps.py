"""What several browser tests do alike: an item to open, answers by keys."""

import io

import PIL.Image
from axe_playwright_python.sync_playwright import Axe
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from annotation.actions.assignments import claim_next
from annotation.choices import BatchKind, BatchSettings, LocalScope, OverallScale
from tests.worlds import open_batch_with

GRADED = BatchSettings(overall_scale=OverallScale.GRADED, local_scope=LocalScope.AFTER_FORK)


def held_item(kind=BatchKind.TURN_PAIR, *, settings=GRADED, items=2):
    batch, (annotator, _) = open_batch_with(kind=kind, items=items, settings=settings)
    assignment = claim_next(batch, by=annotator, now=timezone.now())
    return assignment, annotator, reverse("annotation:assignment", args=[assignment.public_id])


def with_files(image):
    """Store a real picture under the image's names."""
    picture = io.BytesIO()
    PIL.Image.new("RGB", (image.width, image.height), (30, 90, 160)).save(picture, "PNG")
    for file in (image.display, image.thumbnail):
        default_storage.save(file.name, ContentFile(picture.getvalue()))
    return image


def given_scores(body):
    """Return the scores of a draft's body, in order."""
    units = body["ratings"].values()
    given = (one.get("score") for unit in units for one in unit.values())
    return sorted(score for score in given if score is not None)


def answer_everything(page: Page, *, score: str = "2", preference: str = "b") -> None:
    """Go from one missing answer to the next by keys until nothing is missing."""
    bar = page.locator("#missing")
    for _step in range(80):
        if bar.get_attribute("data-state") == "ready":
            return
        page.keyboard.press("Enter")
        row = page.evaluate("document.activeElement.closest('fieldset')?.className ?? ''")
        page.keyboard.press(preference if "preference" in row else score)
    raise AssertionError(bar.inner_text())


def stands(page: Page) -> None:
    """Wait until the page is whole: its heading, the parts it asks for by itself, a frame drawn."""
    page.wait_for_load_state()
    page.locator("main h1").first.wait_for()  # a page on its way has neither
    expect(page.locator("[hx-trigger^=load]")).to_have_count(0)
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def nothing_found(page: Page) -> None:
    """Fail where axe finds anything on the page, once it stands."""
    stands(page)
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
