"""The guideline an annotator reads: the newest version, in their language where there is one."""

from django.utils.translation import get_language

from annotation.models.batches import Batch
from annotation.models.guidelines import GuidelineVersion


def current_guideline(batch: Batch) -> GuidelineVersion | None:
    """Return the newest version in the active language, else in English, else any. One query."""
    if batch.guideline_id is None:
        return None
    versions = list(
        GuidelineVersion.objects.filter(guideline=batch.guideline_id).order_by("-number", "pk")
    )
    if not versions:
        return None
    newest = [one for one in versions if one.number == versions[0].number]
    active = (get_language() or "en").lower()
    for language in (active, active.split("-")[0], "en"):
        for version in newest:
            if version.language.lower() == language:
                return version
    return newest[0]
