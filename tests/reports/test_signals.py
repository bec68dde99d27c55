"""Signs that need known answers or straight lines, and what they must not count."""

import pytest

from annotation.actions.gold import KnownAnswer, set_gold_answers
from annotation.choices import Origin, SignalKind
from annotation.reports.signals import Signal, signals_of
from tests.factories import NOW, make_batch, make_gold, make_items, make_lead, make_member
from tests.judged import judge

pytestmark = pytest.mark.django_db

KEYS = ["text_quality", "context_coherence"]


def lines(item, person, scores, **more):
    """Judge both sides on two dimensions; the four scores go down the page."""
    units = [(side, key) for side in (item.response_1, item.response_2) for key in KEYS]
    told = {unit: {"score": score, **more} for unit, score in zip(units, scores, strict=True)}
    judge(item, person, scores=told)


def kinds(batch):
    batch.refresh_from_db()
    found = signals_of(batch, batch.last_number)
    return {member: {one.kind for one in signals} for member, signals in found.items()}


def test_straight_lines_are_named_where_others_draw_none_and_not_where_carried():
    batch, straight, other = make_batch(), make_member(), make_member()
    for item in make_items(batch, items=14):
        lines(item, straight, (3, 3, 3, 3))
        lines(item, other, (3, 2, 1, 3))

    assert SignalKind.FLAT in kinds(batch)[straight.pk]
    assert other.pk not in kinds(batch) or SignalKind.FLAT not in kinds(batch)[other.pk]


def test_what_a_rule_filled_in_is_no_straight_line():
    batch, ruled, other = make_batch(), make_member(), make_member()
    for item in make_items(batch, items=14):
        lines(item, ruled, (3, 3, 3, 3), origin=Origin.BY_RULE)
        lines(item, other, (3, 2, 1, 3))

    assert ruled.pk not in kinds(batch)


def test_who_misses_what_others_hit_is_named_with_the_items():
    batch, wrong = make_batch(), make_member()
    right = [make_member() for _ in range(3)]
    items = make_items(batch, items=12, seats=4)
    for item in items:
        make_gold(item)
    known = [KnownAnswer(item, outcome="tie") for item in items]
    set_gold_answers(known, by=make_lead(), now=NOW)
    for item in items:
        judge(item, wrong, overall=item.response_1)
        for person in right:
            judge(item, person, overall="tie")
    batch.refresh_from_db()

    found = signals_of(batch, batch.last_number)

    assert set(found) == {wrong.pk}
    (signal,) = found[wrong.pk]
    assert signal.kind == SignalKind.GOLD
    assert "Hits 0 of 12 known answers on 12 items; the others hit 100 %" in signal.sentence
    assert Signal.from_dict(signal.as_dict()) == signal
    assert set(signal.items) <= {item.public_id for item in items}


def test_a_batch_without_judgments_shows_no_sign():
    assert signals_of(make_batch(), 0) == {}
