"""What a reviewer chooses of the queue, as an address says it."""

from typing import Any

from django.http import QueryDict  # noqa: TID251  # the type of what an address says

from annotation.rendering.text import without_unstorable
from annotation.reports.reviews import ReviewFilter

LONGEST_NAME = 64


def filter_of(data: QueryDict) -> ReviewFilter:
    """Return the filter that an address names; what it does not name is as by default."""
    return ReviewFilter(
        drawn=data.get("which") != "all",
        annotator=without_unstorable(data.get("annotator", ""))[:LONGEST_NAME],
        differ="differ" in data,
        flagged="flagged" in data,
        signs="signs" in data,
    )


def address_of(wanted: ReviewFilter, batch: str) -> str:
    """Return the query of an address that names the filter again."""
    query = QueryDict(mutable=True)
    values: dict[str, Any] = {
        "batch": batch,
        "which": "" if wanted.drawn else "all",
        "annotator": wanted.annotator,
        "differ": "1" if wanted.differ else "",
        "flagged": "1" if wanted.flagged else "",
        "signs": "1" if wanted.signs else "",
    }
    query.update({name: value for name, value in values.items() if value})
    return query.urlencode()
