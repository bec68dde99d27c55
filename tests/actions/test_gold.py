"""Known answers: entered all or none, from a decided judgment, and scored with tolerance."""

import pytest

from annotation.actions.gold import KnownAnswer, gold_from_judgment, set_gold_answers
from annotation.errors import Invalid, NotAllowed
from annotation.models import GoldAnswer
from annotation.reports.gold import gold_report, standing_answers
from tests.factories import NOW, make_batch, make_gold, make_items, make_lead, make_member
from tests.judged import judge

pytestmark = pytest.mark.django_db


@pytest.fixture
def item():
    return make_items(make_batch())[0]


def test_answers_are_numbered_evidence_and_a_newer_one_stands(item):
    lead = make_lead()
    first = KnownAnswer(item, "text_quality", response="1", score=3)
    second = KnownAnswer(item, "text_quality", response="1", score=2, tolerance=1)
    set_gold_answers([first, KnownAnswer(item, outcome="tie")], by=lead, now=NOW)
    set_gold_answers([second], by=lead, now=NOW)

    assert list(GoldAnswer.objects.order_by("number").values_list("number", "score")) == [
        (1, 3), (2, None), (3, 2),
    ]  # fmt: skip
    answers = standing_answers([item])[item.pk]
    assert {(one.score, one.tolerance, one.outcome) for one in answers} == {
        (2, 1, ""), (None, 0, "tie"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"dimension": "no_such", "response": "1", "score": 1}, "no dimension no_such"),
        ({"dimension": "text_quality", "response": "1", "score": 7}, "7 is no score"),
        ({"dimension": "text_quality", "response": "9", "score": 1}, "9 is no response"),
        ({"score": 1, "response": "1"}, "a score needs its dimension"),
        ({"outcome": "better", "response": "1"}, "better is no outcome"),
        ({"outcome": "prefers"}, "is no response"),
        ({"outcome": "tie", "response": "1"}, "only prefers names a response"),
        ({}, "say a score, or an outcome"),
        ({"outcome": "tie", "score": 1, "dimension": "text_quality"}, "say a score"),
        ({"outcome": "tie", "tolerance": -1}, "tolerance"),
        ({"outcome": "tie", "feedback": "\x00"}, "cannot be stored"),
    ],
)
def test_one_wrong_answer_keeps_all_out_and_is_named(item, told, says):
    right = KnownAnswer(item, outcome="tie")

    with pytest.raises(Invalid, match="Nothing was kept") as refused:
        set_gold_answers([right, KnownAnswer(item, **told)], by=make_lead(), now=NOW)

    assert says in refused.value.fields["2"]
    assert not GoldAnswer.objects.exists()


def test_only_a_lead_enters_answers(item):
    with pytest.raises(NotAllowed):
        set_gold_answers([KnownAnswer(item, outcome="tie")], by=make_member(), now=NOW)


def test_a_decided_judgment_becomes_gold_on_the_dimensions_named(item):
    decided = judge(
        item,
        make_lead(),
        overall=item.response_2,
        scores={
            (item.response_1, "text_quality"): {"score": 1, "reason": "It contradicts itself."},
            (item.response_2, "text_quality"): 3,
            (item.response_1, "context_coherence"): 2,
        },
        purpose="adjudication",
        cause="adjudication",
    )

    gold_from_judgment(
        decided, dimensions=["text_quality", "overall"], by=make_lead(), now=NOW, tolerance=1
    )

    told = {
        (one.dimension and one.dimension.key, one.response_id, one.score, one.outcome, one.feedback)
        for one in standing_answers([item])[item.pk]
    }
    assert told == {
        ("text_quality", item.response_1_id, 1, "", "It contradicts itself."),
        ("text_quality", item.response_2_id, 3, "", ""),
        (None, item.response_2_id, None, "prefers", ""),
    }


def test_a_judgment_that_says_nothing_on_a_dimension_makes_no_gold(item):
    decided = judge(item, make_lead(), overall="tie")

    with pytest.raises(Invalid, match="says nothing on: text_quality"):
        gold_from_judgment(decided, dimensions=["overall", "text_quality"], by=make_lead(), now=NOW)

    assert not GoldAnswer.objects.exists()


def test_answers_are_scored_with_tolerance_and_the_misses_named(item):
    lead, person = make_lead(), make_member()
    make_gold(item)
    set_gold_answers(
        [
            KnownAnswer(item, "text_quality", response="1", score=3, tolerance=1),
            KnownAnswer(item, "text_quality", response="2", score=3),
            KnownAnswer(item, "context_coherence", response="1", score=1),
            KnownAnswer(item, "overall", response="1", outcome="prefers"),
        ],
        by=lead,
        now=NOW,
    )
    judge(
        item,
        person,
        overall=item.response_1,
        scores={
            (item.response_1, "text_quality"): 2,
            (item.response_2, "text_quality"): 2,
            (item.response_1, "context_coherence"): None,
        },
    )
    item.batch.refresh_from_db()

    (row,) = gold_report(item.batch, number=item.batch.last_number)

    assert (row.pseudonym, row.items, row.answered, row.hits) == (person.pseudonym, 1, 4, 2)
    assert row.missed == ((item.public_id, 2),)
    assert row.low is not None
    assert row.low < 0.5 < row.high
