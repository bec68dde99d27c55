"""What the judging page says beside its rows, and in place of what was rated before."""

import pytest
from django.utils import timezone

from annotation.actions.assignments import claim_next
from annotation.choices import BatchKind, SlotState
from annotation.reports.judging import judging_page
from annotation.reports.questions import questions_of
from tests.factories import make_batch, make_item, make_member, make_slot, make_tree

pytestmark = pytest.mark.django_db
STORED, BROKEN, MISSING = SlotState.STORED, SlotState.BROKEN, SlotState.MISSING


def page_with(states):
    """Return the page of a single conversation whose first answer holds slots in these states."""
    batch = make_batch(kind=BatchKind.CONVERSATION, members=[annotator := make_member()])
    last = make_tree(paths=1, turns=1).responses.full().get()
    for position, state in enumerate(states):
        make_slot(response=last, state=state, position=position)
    item = make_item(batch, last)
    mine = claim_next(batch, by=annotator, now=timezone.now())
    return judging_page(questions_of(item, member=annotator), assignment=mine, entered={})


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ([STORED], "1 image"),
        ([STORED, STORED], "2 images as one set"),
        ([BROKEN], "1 image, could not be read"),
        ([MISSING, MISSING], "2 images, could not be found"),
        ([STORED, STORED, BROKEN], "3 images, 1 could not be read"),
        (
            [STORED, BROKEN, MISSING],
            "3 images, 1 could not be read, 1 could not be found",
        ),
        ([STORED, SlotState.NEVER_MADE], "1 image"),
    ],
)
def test_an_image_row_says_how_many_images_there_are_and_which_cannot_be_shown(states, said):
    page = page_with(states)

    targets = {row.target for row in page.turns[-1].rows}

    assert targets - {""} == {said}
