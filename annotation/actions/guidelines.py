"""Publishing what annotators are told. A version, once published, is never changed."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from annotation.errors import Invalid, NotAllowed
from annotation.models.guidelines import Guideline, GuidelineVersion
from annotation.models.projects import Member
from annotation.permissions import can_lead


def publish_guideline(
    slug: str,
    *,
    texts: Mapping[str, str],
    by_dimension: Mapping[str, Mapping[str, str]] | None = None,
    sentence: str = "",
    by: Member,
    now: datetime,
) -> Guideline:
    """Publish the next version of the project's guideline `slug`, which is made if need be.

    A language that is not given keeps its text from the version before, so that every version
    is whole in every language it was ever written in.

    :param texts: language -> Markdown.
    :param by_dimension: language -> dimension key -> Markdown; not given: as before.
    :param sentence: what changed, in one sentence, shown to those who have read the one before.
    :raises NotAllowed: unless `by` is a lead.
    :raises Invalid: if there is no text.
    """
    if not can_lead(by):
        raise NotAllowed("Only a lead publishes guidelines.")
    if not any(text.strip() for text in texts.values()):
        raise Invalid("A guideline needs a text.", fields={"texts": "Write at least one language."})
    with transaction.atomic():
        guideline, _ = Guideline.objects.get_or_create(project=by.project, slug=slug)
        # The row is locked so that two leads publishing at once get two numbers.
        Guideline.objects.select_for_update().get(pk=guideline.pk)
        number = guideline.versions.aggregate(last=Max("number"))["last"] or 0
        before = {version.language: version for version in guideline.versions.filter(number=number)}
        languages = [*before, *(language for language in texts if language not in before)]
        GuidelineVersion.objects.bulk_create(
            GuidelineVersion(
                guideline=guideline,
                number=number + 1,
                language=language,
                text=texts[language] if language in texts else before[language].text,
                by_dimension=_by_dimension(language, by_dimension, before.get(language)),
                sentence=sentence.strip(),
                published_by=by,
                published_at=now,
            )
            for language in languages
        )
    return guideline


def _by_dimension(
    language: str,
    given: Mapping[str, Mapping[str, str]] | None,
    before: GuidelineVersion | None,
) -> dict[str, str]:
    if given is not None and language in given:
        return dict(given[language])
    return dict(before.by_dimension) if before else {}
