"""The guideline's pages, and the change that is read before the next item."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.actions.assignments import claim_next
from annotation.actions.guidelines import add_note, note_reading, publish_documents
from annotation.models import Assignment, GuidelineReading
from annotation.reports.guidelines import current_guideline
from tests.factories import make_image, make_lead, make_member, make_slot
from tests.worlds import open_batch_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead():
    return make_lead("okafor")


def publish(lead, text, **more):
    return publish_documents("rules", documents={"en": text}, by=lead, now=timezone.now(), **more)


@pytest.fixture
def world(lead, client):
    """A batch, its annotator signed in, who has read version 1, and the change to version 2."""
    rules = publish(lead, "Be fair.")
    batch, (reader, _) = open_batch_with(guideline=rules, items=3)
    note_reading(current_guideline(batch), by=reader, now=timezone.now())
    publish(lead, "Be fair <b>and</b> quick.", sentence="We were slow.")
    client.force_login(reader.user)
    return batch, reader


def item_url(assignment):
    return reverse("annotation:assignment", args=[assignment.public_id])


def change_url(batch, then=""):
    address = reverse("annotation:guideline-change", args=[batch.slug])
    return f"{address}?then={then}" if then else address


def test_beginning_the_next_item_leads_through_the_change(client, world):
    batch, reader = world

    begun = client.post(reverse("annotation:next", args=[batch.slug]))
    page = client.get(begun.url)
    text = page.content.decode()

    assert begun.url == change_url(batch, "next")
    assert not Assignment.objects.exists()
    assert "We were slow." in text
    assert "okafor" in text
    assert "&lt;b&gt;and&lt;/b&gt; quick" in text
    version = current_guideline(batch)
    confirmed = client.post(change_url(batch), {"version": version.pk, "then": "next"})
    assert confirmed.url == item_url(Assignment.objects.get(member=reader))
    assert client.get(confirmed.url).status_code == 200
    assert GuidelineReading.objects.get(version=version).confirmed_at is not None


def test_an_item_that_is_open_is_not_interrupted_and_one_that_is_not_waits(client, world):
    batch, reader = world
    opened = claim_next(batch, by=reader, now=timezone.now())
    Assignment.objects.update(opened_at=timezone.now())

    assert client.get(item_url(opened)).status_code == 200
    Assignment.objects.update(opened_at=None)
    assert client.get(item_url(opened)).url == change_url(batch, opened.public_id)
    opened.refresh_from_db()
    assert opened.opened_at is None


def test_after_a_skip_the_change_comes_before_the_next_item(client, world):
    batch, reader = world
    mine = claim_next(batch, by=reader, now=timezone.now())

    skipped = client.post(
        reverse("annotation:assignment-skip", args=[mine.public_id]), {"reason": "rather_not"}
    )

    assert skipped.url == change_url(batch, "next")


def test_what_came_while_the_change_was_read_is_shown_as_well(client, lead, world):
    batch, _reader = world
    shown = current_guideline(batch)
    publish(lead, "Be fair, quick and kind.")

    answer = client.post(change_url(batch), {"version": shown.pk, "then": "next"})

    assert answer.status_code == 200
    assert "Version 2 to 3" in answer.content.decode()


def test_the_first_item_shows_no_change_and_notes_what_was_on_screen(client, lead):
    batch, (reader, _) = open_batch_with(guideline=publish(lead, "Be fair."))
    client.force_login(reader.user)
    mine = claim_next(batch, by=reader, now=timezone.now())

    assert client.get(item_url(mine)).status_code == 200

    reading = GuidelineReading.objects.get(member=reader)
    assert (reading.version.number, reading.confirmed_at) == (1, None)


def test_a_judgment_keeps_the_version_that_was_on_screen(client, world, lead):
    batch, reader = world
    version = current_guideline(batch)
    client.post(change_url(batch), {"version": version.pk})
    mine = claim_next(batch, by=reader, now=timezone.now())
    page = client.get(item_url(mine)).content.decode()
    publish(lead, "Be kind.")

    assert f'name="guideline_version" value="{version.pk}"' in page


def test_nobody_confirms_another_guidelines_version_or_one_that_is_no_number(client, lead, world):
    batch, _reader = world
    other = publish_documents(
        "others", documents={"en": "Else."}, by=lead, now=timezone.now()
    ).versions.get()

    for version in (other.pk, "x", "", 10**12):
        assert client.post(change_url(batch), {"version": version}).status_code == 404
    client.force_login(make_member().user)
    assert client.get(change_url(batch)).status_code == 404


def test_with_nothing_to_read_one_goes_on(client, world):
    batch, reader = world
    client.post(change_url(batch), {"version": current_guideline(batch).pk})

    assert client.get(change_url(batch)).url == reverse("annotation:desk")
    elsewhere = client.get(change_url(batch, "not-theirs"))
    assert elsewhere.url == reverse("annotation:desk")
    assert client.get(change_url(batch, "next")).url == item_url(
        Assignment.objects.get(member=reader)
    )


def test_the_desk_shows_the_difference_at_its_top(client, world):
    batch, _reader = world

    page = client.get(reverse("annotation:desk")).content.decode()

    assert "Before the next item" in page
    assert "The guideline change above comes first." in page
    assert f"The guideline of {batch.title} changed, version 1 to 2, today" in page
    client.post(change_url(batch), {"version": current_guideline(batch).pk})
    assert "Before the next item" not in client.get(reverse("annotation:desk")).content.decode()


def test_the_changed_dimension_wears_a_dot_with_words_for_a_day(client, world, lead):
    batch, reader = world
    publish(lead, "Be fair.\n\n# text_quality\n\nGrammar counts.")
    client.post(change_url(batch), {"version": current_guideline(batch).pk})
    mine = claim_next(batch, by=reader, now=timezone.now())

    page = client.get(item_url(mine)).content.decode()
    current_guideline(batch).guideline.versions.update(
        published_at=timezone.now() - timedelta(hours=25)
    )
    later = client.get(item_url(mine)).content.decode()

    assert page.count("(changed today") == 3  # the header, the row, the panel
    assert "<ins>" in page
    assert "(changed" not in later
    assert "Grammar counts." in later


def test_a_notes_example_is_read_without_judgments_by_those_whose_guideline_shows_it(
    client, world, lead, django_assert_num_queries
):
    batch, _reader = world
    item = batch.items.order_by("pk").first()
    image = make_image()
    make_slot(response=item.response_1, image=image)
    url = reverse("annotation:example", args=[item.public_id])
    hidden = client.get(url).status_code
    add_note(
        batch.guideline,
        dimension="text_quality",
        text="Crops count.",
        example_item=item,
        shown_first=2,
        by=lead,
        now=timezone.now(),
    )

    page = client.get(url)
    text = page.content.decode()
    guideline = client.get(reverse("annotation:guideline", args=[batch.slug])).content.decode()

    assert (hidden, page.status_code) == (404, 200)
    assert text.index(
        "side 2 answer 2" if item.response_2.text == "side 2 answer 2" else item.response_2.text
    ) < text.index(item.response_1.text)
    assert '<input type="radio"' not in text
    picture = reverse("annotation:example-image", args=[item.public_id, image.sha256, "display"])
    assert picture in text
    assert f'href="{url}"' in guideline
    assert "Crops count." in guideline
    other = batch.items.order_by("pk").last()
    assert client.get(reverse("annotation:example", args=[other.public_id])).status_code == 404
    wrong = reverse("annotation:example-image", args=[other.public_id, image.sha256, "display"])
    assert client.get(wrong).status_code == 404
    client.force_login(make_member().user)
    assert client.get(url).status_code == 404
