"""What changed in a guideline since a person read it, and within a day."""

from datetime import timedelta

import pytest
from django.utils import translation

from annotation.actions.guidelines import add_note, note_reading, publish_documents
from annotation.reports.guidelines import (
    current_guideline,
    guideline_now,
    known_version,
    unread_changes,
)
from tests.conftest import NOW
from tests.factories import make_lead
from tests.worlds import open_batch_with

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def lead():
    return make_lead("okafor")


def publish(lead, *, slug="rules", sentence="", now=NOW, **documents):
    documents = {name.replace("_", "-"): text for name, text in documents.items()}
    return publish_documents(slug, documents=documents, sentence=sentence, by=lead, now=now)


def world(lead, **documents):
    """A batch whose first annotator has read version 1."""
    rules = publish(lead, **(documents or {"en": "Be fair."}))
    batch, (reader, stranger) = open_batch_with(guideline=rules)
    note_reading(current_guideline(batch), by=reader, now=NOW)
    return batch, reader, stranger


def told(part):
    return [[(s.kind, s.text) for s in paragraph.spans] for paragraph in part.paragraphs]


def test_who_read_the_version_before_is_told_what_changed_and_why(lead):
    batch, reader, _ = world(lead)
    publish(lead, en="Be fair.\n\n# text_quality\n\nGrammar counts.", now=NOW + HOUR)
    text = "Be fair.\n\n# text_quality\n\nGrammar counts double."
    publish(lead, en=text, sentence="Half of our differences.", now=NOW + 2 * HOUR)

    (change,) = unread_changes([batch], reader, now=NOW + 3 * HOUR)

    assert (change.before, change.version.number, change.said) == (1, 3, "today 11:00")
    assert [(w.number, w.sentence, w.by) for w in change.words] == [
        (3, "Half of our differences.", "okafor")
    ]
    (part,) = change.parts
    assert (part.key, told(part)) == ("text_quality", [[("added", "Grammar counts double.")]])


def test_nobody_is_told_of_a_version_they_read_or_of_one_that_is_all_new_to_them(lead):
    batch, reader, stranger = world(lead)

    assert not known_version(batch, reader).unread
    publish(lead, en="Be quick.", now=NOW + HOUR)
    assert known_version(batch, reader).unread
    assert not known_version(batch, stranger).unread
    note_reading(current_guideline(batch), by=reader, now=NOW + HOUR)
    assert not known_version(batch, reader).unread


def test_a_change_that_was_not_translated_is_shown_in_the_language_it_was_written_in(lead):
    batch, reader, _ = world(lead, en="Be fair.", zh_hans="要公平。")
    publish(lead, en="Be fair and quick.", now=NOW + HOUR)

    with translation.override("zh-hans"):
        (change,) = unread_changes([batch], reader, now=NOW + HOUR)
        now = guideline_now(batch, now=NOW + HOUR)

    assert (change.language, change.translated, change.version.language) == ("en", False, "zh-hans")
    assert told(change.parts[0]) == [[("same", "Be fair"), ("added", " and quick"), ("same", ".")]]
    assert (now.behind, now.foreign) == (1, False)
    with translation.override("fr"):
        assert guideline_now(batch, now=NOW + HOUR).foreign
    assert guideline_now(batch, now=NOW + HOUR).behind == 0


def test_a_note_is_told_under_its_dimension(lead):
    batch, reader, _ = world(lead)
    add_note(
        batch.guideline,
        dimension="text_quality",
        text="Crops *count*.",
        example_item=batch.items.get(),
        by=lead,
        now=NOW + HOUR,
    )

    (change,) = unread_changes([batch], reader, now=NOW + HOUR)

    (part,) = change.parts
    assert part.key == "text_quality"
    assert part.name == "text_quality"
    assert [note.text.strip() for note in part.notes] == ["<p>Crops <em>count</em>.</p>"]
    assert part.paragraphs == ()


def test_a_new_note_and_example_wear_their_mark_for_a_day_and_stay(lead):
    batch, *_ = world(lead)
    shown = {"by": lead, "now": NOW + HOUR}
    item = batch.items.get()
    add_note(batch.guideline, dimension="", text="Read both.", example_item=None, **shown)
    add_note(batch.guideline, dimension="text_quality", text="So.", example_item=item, **shown)

    soon = guideline_now(batch, now=NOW + 20 * HOUR)
    past = guideline_now(batch, now=NOW + 26 * HOUR)

    assert [note.dimension for note in soon.fresh] == ["", "text_quality"]
    assert soon.in_general.said == soon.examples_said == "yesterday 10:00"
    assert [note.item for note in soon.examples] == [item.public_id]
    assert (past.fresh, past.in_general, past.examples_said) == ((), None, "")
    assert (past.examples, past.general_notes) == (soon.examples, soon.general_notes)


def test_a_change_wears_its_mark_for_a_day(lead):
    batch, *_ = world(lead)
    first = guideline_now(batch, now=NOW + HOUR)
    publish(lead, en="Be quick.", now=NOW + 2 * HOUR)

    soon = guideline_now(batch, now=NOW + 20 * HOUR)
    later = guideline_now(batch, now=NOW + 25 * HOUR)
    past = guideline_now(batch, now=NOW + 26 * HOUR)

    assert first.change is None  # all of it is new, nothing changed
    assert soon.change.of("").said == "yesterday 11:00"
    assert later.change is not None
    assert past.change is None
    assert past.version.number == 2


def test_however_many_guidelines_changed_the_desk_asks_three_queries(
    lead, django_assert_num_queries
):
    worlds = []
    for slug in ("one", "two", "three"):
        rules = publish(lead, slug=slug, en="Be fair.")
        batch, _ = open_batch_with(guideline=rules)
        worlds.append(batch)
        note_reading(current_guideline(batch), by=lead, now=NOW)
        publish(lead, slug=slug, en="Be quick.", now=NOW + HOUR)

    with django_assert_num_queries(3):
        changes = unread_changes(worlds, lead, now=NOW + HOUR)

    assert len(changes) == 3
