"""Test and retest: exact, within one, kappa, and whether the side or the answer was kept."""

import pytest

from annotation.reports.repeats import repeat_report
from tests.factories import make_batch, make_item, make_items, make_member
from tests.judged import judge

pytestmark = pytest.mark.django_db


def twice(batch, item, person, first, second, *, scores=(2, 2)):
    """The person judges the item and its repeat; `first` and `second` are what they prefer."""
    again = make_item(
        batch,
        item.response_1,
        item.response_2,
        repeat_of=item,
        coin=3 - item.coin,
        position=100 + item.position,
    )
    for one, outcome, score in ((item, first, scores[0]), (again, second, scores[1])):
        told = {(item.response_1, "text_quality"): score}
        judge(one, person, overall=outcome, scores=told)
    return again


def test_the_second_time_is_compared_by_answer_and_by_dimension():
    batch, person = make_batch(), make_member(name="larch")
    one, two, three = make_items(batch, items=3)
    twice(batch, one, person, one.response_1, one.response_1, scores=(3, 3))
    changed = twice(batch, two, person, two.response_1, two.response_2, scores=(3, 2))
    tied = twice(batch, three, person, "tie", three.response_1, scores=(3, 0))
    batch.refresh_from_db()

    (row,) = repeat_report(batch, number=batch.last_number)

    assert (row.pseudonym, row.items, row.compared, row.same_outcome) == ("larch", 3, 3, 1)
    assert (row.decided, row.same_answer, row.side_kept) == (2, 1, 1)
    assert set(row.changed) == {changed.public_id, tied.public_id}
    (dimension,) = row.dimensions
    assert (dimension.units, dimension.exact, dimension.within_1) == (3, 1, 2)
    assert dimension.kappa == pytest.approx(0.0, abs=1e-9)


def test_a_repeat_without_its_first_time_tells_nothing():
    batch, person = make_batch(), make_member()
    (one,) = make_items(batch)
    again = make_item(batch, one.response_1, one.response_2, repeat_of=one, position=9)
    judge(again, person, overall="tie")
    batch.refresh_from_db()

    assert repeat_report(batch, number=batch.last_number) == ()


def test_what_came_after_the_number_is_not_in_the_report():
    batch, person = make_batch(), make_member()
    (one,) = make_items(batch)
    twice(batch, one, person, "tie", "tie")

    assert repeat_report(batch, number=1) == ()
    assert len(repeat_report(batch, number=2)) == 1
