"""Publishing guidelines, adding notes to them, and who has read what."""

from datetime import timedelta

import pytest

from annotation.actions.batches import close_batch
from annotation.actions.guidelines import (
    GuidelineFixed,
    add_note,
    confirm_reading,
    note_reading,
    publish_documents,
    publish_guideline,
)
from annotation.choices import BatchSettings
from annotation.errors import Invalid, NotAllowed
from annotation.models import Batch, GuidelineReading, GuidelineVersion
from annotation.reports.guidelines import current_guideline
from tests.conftest import NOW
from tests.factories import make_lead, make_member, make_rubric
from tests.worlds import open_batch_with

pytestmark = pytest.mark.django_db


def publish(lead, *, slug="rules", now=NOW, **documents):
    documents = {name.replace("_", "-"): text for name, text in documents.items()}
    return publish_documents(slug, documents=documents, by=lead, now=now)


def rows(guideline, number):
    found = guideline.versions.filter(number=number).order_by("language")
    return [(one.language, one.text, one.written_in) for one in found]


def test_a_language_that_is_not_given_is_carried_over_and_says_so():
    lead = make_lead()
    publish(lead, en="Be fair.", zh_hans="要公平。")

    guideline = publish(lead, en="Be fair and quick.")

    assert rows(guideline, 2) == [("en", "Be fair and quick.", 2), ("zh-hans", "要公平。", 1)]


def test_parts_of_dimensions_are_taken_from_the_text():
    lead = make_lead()
    make_rubric()

    guideline = publish(lead, en="Be fair.\n\n# text_quality\n\nGrammar counts.")

    version = guideline.versions.get()
    assert (version.text, version.by_dimension) == ("Be fair.", {"text_quality": "Grammar counts."})


@pytest.mark.parametrize(
    ("documents", "said"),
    [
        ({"en": "Be fair."}, "Nothing changed"),
        ({"en": " "}, "needs a text"),
        ({"en": "# no_dimension\n\nx"}, "no dimension no_dimension"),
        ({"english!": "Be fair."}, "english! is no language"),
        ({"en": "Be\x00fair."}, "cannot be stored"),
    ],
)
def test_what_cannot_be_published_is_refused_and_nothing_is_written(documents, said):
    lead = make_lead()
    publish(lead, en="Be fair.")

    with pytest.raises(Invalid, match=said):
        publish_documents("rules", documents=documents, by=lead, now=NOW)

    assert GuidelineVersion.objects.count() == 1


def test_only_leads_publish():
    with pytest.raises(NotAllowed):
        publish(make_member(), en="Be fair.")


def test_a_batch_that_fixes_its_guideline_lets_nobody_change_it():
    lead = make_lead()
    rules = publish(lead, en="Be fair.")
    open_batch_with(settings=BatchSettings(guideline_fixed=True), guideline=rules)

    with pytest.raises(GuidelineFixed, match="keeps its guideline"):
        publish(lead, en="Be quick.")


def test_a_guideline_changes_no_more_when_every_batch_with_it_is_closed():
    lead = make_lead()
    rules = publish(lead, en="Be fair.")
    batch, _ = open_batch_with(guideline=rules)
    close_batch(batch, by=lead, now=NOW)

    with pytest.raises(GuidelineFixed, match="Reopen one first"):
        publish(lead, en="Be quick.")


def test_a_note_is_the_next_version_with_the_texts_as_they_were():
    lead = make_lead()
    rules = publish(lead, en="Be fair.", zh_hans="要公平。")
    batch, _ = open_batch_with(guideline=rules)
    item = batch.items.get()

    note = add_note(
        rules, dimension="text_quality", text=" Crops count. ", example_item=item, by=lead, now=NOW
    )

    assert rows(rules, 2) == [("en", "Be fair.", 1), ("zh-hans", "要公平。", 1)]
    stored = [version.notes for version in rules.versions.filter(number=2)]
    assert stored == [[note.as_json()]] * 2
    assert (note.number, note.text, note.item) == (2, "Crops count.", item.public_id)
    assert current_guideline(Batch.objects.get(pk=batch.pk)).number == 2


def test_a_note_without_a_word_or_under_no_dimension_is_refused():
    lead = make_lead()
    rules = publish(lead, en="Be fair.")
    make_rubric()

    for dimension, text in (("text_quality", " "), ("no_dimension", "Yes.")):
        with pytest.raises(Invalid):
            add_note(rules, dimension=dimension, text=text, example_item=None, by=lead, now=NOW)
    with pytest.raises(NotAllowed):
        add_note(rules, dimension="", text="Yes.", example_item=None, by=make_member(), now=NOW)

    assert rules.versions.count() == 1


def test_a_note_can_be_left_out_when_the_text_says_it():
    lead = make_lead()
    rules = publish(lead, en="Be fair.")
    for text in ("One.", "Two."):
        add_note(rules, dimension="", text=text, example_item=None, by=lead, now=NOW)

    publish_guideline("rules", texts={"en": "Be fair. One."}, without_notes=[0], by=lead, now=NOW)

    assert [note["text"] for note in rules.versions.get(number=4).notes] == ["Two."]


def test_a_reading_is_noted_once_and_confirmed_once():
    lead, reader = make_lead(), make_member()
    version = publish(lead, en="Be fair.").versions.get()

    note_reading(version, by=reader, now=NOW)
    confirm_reading(version, by=reader, now=NOW + timedelta(minutes=1))
    confirm_reading(version, by=reader, now=NOW + timedelta(minutes=9))

    reading = GuidelineReading.objects.get()
    assert (reading.shown_at, reading.confirmed_at) == (NOW, NOW + timedelta(minutes=1))
