"""Publishing what annotators are told, and noting who has read it.

A version, once published, is never changed.
"""

import re
from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from annotation.actions.storable import refuse_unstorable
from annotation.choices import BatchState
from annotation.errors import AnnotationError, Invalid, NotAllowed
from annotation.formats.guidelines import GuidelineFault, Note, read_guideline
from annotation.models.batches import Batch, Item
from annotation.models.guidelines import Guideline, GuidelineReading, GuidelineVersion
from annotation.models.projects import Member
from annotation.models.rubric import Dimension
from annotation.permissions import can_lead

LONGEST_SENTENCE = 300
_LANGUAGE = re.compile(r"(?=.{2,16}\Z)[a-z]{2,3}(?:-[a-z0-9]{2,8})*")


class GuidelineFixed(AnnotationError):
    """A batch that uses the guideline does not let it change now."""


def publish_guideline(
    slug: str,
    *,
    texts: Mapping[str, str],
    by_dimension: Mapping[str, Mapping[str, str]] | None = None,
    sentence: str = "",
    without_notes: Collection[int] = (),
    by: Member,
    now: datetime,
) -> Guideline:
    """Publish the next version of the project's guideline `slug`, which is made if need be.

    A language that is not given is carried over, marked as written for the version before, and
    its readers are shown what changed in a language that was given.

    :param texts: language -> Markdown.
    :param by_dimension: language -> dimension key -> Markdown; not given: as before.
    :param sentence: what changed, in one sentence, shown to those who have read the one before.
    :param without_notes: places, from 0, of the notes that are left out from now on.
    :raises NotAllowed: unless `by` is a lead.
    :raises Invalid: if there is no text, nothing changed, or something cannot be taken.
    :raises GuidelineFixed: if a batch that uses it does not let it change.
    """
    _must_lead(by)
    own = by_dimension or {}
    for language in texts:
        if not _LANGUAGE.fullmatch(language):
            raise Invalid(_("%(tag)s is no language.") % {"tag": language}, fields={"texts": ""})
    refuse_unstorable(dict(texts), place="texts")
    refuse_unstorable({language: dict(parts) for language, parts in own.items()}, place="texts")
    _known_dimensions(by, {key for parts in own.values() for key in parts})
    with transaction.atomic():
        guideline, number, before = _next(slug, sentence=sentence, by=by)
        versions = [
            GuidelineVersion(
                guideline=guideline,
                language=language,
                text=texts[language] if language in texts else before[language].text,
                by_dimension=_by_dimension(language, by_dimension, before.get(language)),
                written_in=number if language in texts else before[language].written_in,
            )
            for language in [*before, *(one for one in texts if one not in before)]
        ]
        if not any(one.text.strip() or one.by_dimension for one in versions):
            raise Invalid(
                _("A guideline needs a text."), fields={"texts": _("Write at least one language.")}
            )
        notes = next(iter(before.values())).notes if before else []
        kept = [note for place, note in enumerate(notes) if place not in without_notes]
        if kept == notes and all(_same(one, before.get(one.language)) for one in versions):
            raise Invalid(
                _("Nothing changed: there is no next version to publish."), fields={"texts": ""}
            )
        _insert(versions, number=number, notes=kept, sentence=sentence, by=by, now=now)
    return guideline


def publish_documents(
    slug: str,
    *,
    documents: Mapping[str, str],
    sentence: str = "",
    without_notes: Collection[int] = (),
    by: Member,
    now: datetime,
) -> Guideline:
    """Publish the next version from whole texts, in which a dimension's part has its heading.

    :param documents: language -> Markdown, as `formats.guidelines.read_guideline` reads it.
    :raises NotAllowed: as `publish_guideline`.
    :raises Invalid: as `publish_guideline`, and where a heading names no dimension.
    :raises GuidelineFixed: as `publish_guideline`.
    """
    _must_lead(by)
    keys = set(
        Dimension.objects.filter(rubric__project=by.project_id).values_list("key", flat=True)
    )
    read = {}
    for language, document in documents.items():
        try:
            read[language] = read_guideline(document, keys=keys)
        except GuidelineFault as fault:
            said = f"{language}: {fault}"
            raise Invalid(said, fields={language: str(fault)}) from None
    return publish_guideline(
        slug,
        texts={language: one.text for language, one in read.items()},
        by_dimension={language: one.by_dimension for language, one in read.items()},
        sentence=sentence,
        without_notes=without_notes,
        by=by,
        now=now,
    )


def add_note(
    guideline: Guideline,
    *,
    dimension: str,
    text: str,
    example_item: Item | None,
    shown_first: int = 1,
    language: str = "",
    sentence: str = "",
    by: Member,
    now: datetime,
) -> Note:
    """Publish the next version with one more note; the texts stay as they are.

    :param dimension: a dimension's key, or "" for a word on everything.
    :param text: Markdown; it names nobody.
    :param example_item: what the note is about; readers see it without anybody's judgments.
    :param shown_first: the side (1 or 2) that the text calls A.
    :param language: what the text is written in, where known.
    :param sentence: the lead's word on the change.
    :raises NotAllowed: unless `by` is a lead of the guideline's project.
    :raises Invalid: if the text is empty or cannot be stored, or there is no such dimension.
    :raises GuidelineFixed: if a batch that uses it does not let it change.
    """
    _must_lead(by, guideline)
    if example_item is not None and example_item.batch.project_id != by.project_id:
        raise Invalid(_("The example is another project's."), fields={"example_item": ""})
    if not text.strip():
        raise Invalid(_("A note needs a text."), fields={"text": _("Write what it says.")})
    refuse_unstorable(text, place="text")
    _known_dimensions(by, {dimension} - {""})
    with transaction.atomic():
        guideline, number, before = _next(guideline.slug, sentence=sentence, by=by)
        if not before:
            raise Invalid(
                _("The guideline has no text yet: publish it first."), fields={"guideline": ""}
            )
        note = Note(
            number=number,
            dimension=dimension,
            text=text.strip(),
            language=language,
            item=example_item.public_id if example_item else "",
            shown_first=shown_first,
            at=now,
        )
        notes = [*next(iter(before.values())).notes, note.as_json()]
        _insert(
            list(before.values()), number=number, notes=notes, sentence=sentence, by=by, now=now
        )
    return note


def note_reading(version: GuidelineVersion, *, by: Member, now: datetime) -> None:
    """Note that the version was on the member's screen, where nothing of it was noted before."""
    GuidelineReading.objects.get_or_create(member=by, version=version, defaults={"shown_at": now})


def confirm_reading(version: GuidelineVersion, *, by: Member, now: datetime) -> None:
    """Note that the member says they have read the version. The first time counts.

    :raises NotAllowed: if it is another project's.
    """
    if version.guideline.project_id != by.project_id:
        raise NotAllowed(_("This guideline is another project's."))
    with transaction.atomic():
        note_reading(version, by=by, now=now)
        GuidelineReading.objects.filter(member=by, version=version, confirmed_at=None).update(
            confirmed_at=now
        )


def _must_lead(by: Member, guideline: Guideline | None = None) -> None:
    if not can_lead(by) or (guideline and guideline.project_id != by.project_id):
        raise NotAllowed(_("Only a lead of the project publishes guidelines."))


def _next(
    slug: str, *, sentence: str, by: Member
) -> tuple[Guideline, int, dict[str, GuidelineVersion]]:
    """Return the guideline, locked, its next number, and its newest version by language."""
    refuse_unstorable(sentence, place="sentence")
    if len(sentence.strip()) > LONGEST_SENTENCE:
        said = _("At most %(most)d characters.") % {"most": LONGEST_SENTENCE}
        raise Invalid(_("The sentence is too long."), fields={"sentence": said})
    Guideline.objects.get_or_create(project=by.project, slug=slug)
    # The row is locked so that two leads publishing at once get two numbers.
    guideline = Guideline.objects.select_for_update().get(project=by.project, slug=slug)
    _may_change(guideline)
    last = guideline.versions.aggregate(last=Max("number"))["last"] or 0
    before = {one.language: one for one in guideline.versions.filter(number=last).order_by("pk")}
    return guideline, last + 1, before


def _may_change(guideline: Guideline) -> None:
    batches = list(Batch.objects.filter(guideline=guideline).order_by("pk"))
    for batch in batches:
        begun = batch.state in {BatchState.OPEN, BatchState.PAUSED}
        if begun and batch.parsed_settings().guideline_fixed:
            raise GuidelineFixed(
                _("%(batch)s keeps its guideline as it was when it opened.")
                % {"batch": batch.title}
            )
    if batches and all(batch.state == BatchState.CLOSED for batch in batches):
        raise GuidelineFixed(
            _("Every batch with this guideline is closed: nobody would be told. Reopen one first.")
        )


def _insert(
    versions: list[GuidelineVersion],
    *,
    number: int,
    notes: list[dict[str, object]],
    sentence: str,
    by: Member,
    now: datetime,
) -> None:
    """Insert the rows of one version; those of the version before are copied with their texts."""
    GuidelineVersion.objects.bulk_create(
        GuidelineVersion(
            guideline_id=version.guideline_id,
            number=number,
            language=version.language,
            text=version.text,
            by_dimension=version.by_dimension,
            written_in=version.written_in,
            notes=notes,
            sentence=sentence.strip(),
            published_by=by,
            published_at=now,
        )
        for version in versions
    )


def _known_dimensions(by: Member, keys: Collection[str]) -> None:
    """Refuse keys that no rubric of the project has."""
    known = Dimension.objects.filter(rubric__project=by.project_id, key__in=keys)
    if unknown := sorted(set(keys) - set(known.values_list("key", flat=True))):
        said = _("There is no dimension %(keys)s.") % {"keys": ", ".join(unknown)}
        raise Invalid(said, fields={"dimension": said})


def _same(version: GuidelineVersion, before: GuidelineVersion | None) -> bool:
    return before is not None and (version.text, version.by_dimension) == (
        before.text,
        before.by_dimension,
    )


def _by_dimension(
    language: str,
    given: Mapping[str, Mapping[str, str]] | None,
    before: GuidelineVersion | None,
) -> dict[str, str]:
    if given is not None and language in given:
        return {key: text for key, text in given[language].items() if text.strip()}
    return dict(before.by_dimension) if before else {}
