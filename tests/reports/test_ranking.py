"""Models by what people prefer, and one answer from several, from real rows."""

import numpy as np
import pytest

from annotation.choices import BatchKind, PreferenceScope
from annotation.models import Preference
from annotation.reports.consensus import batch_consensus
from annotation.reports.ranking import batch_ranking
from tests.factories import make_batch, make_items, make_member
from tests.judged import judge
from tests.measured import measured_batch

pytestmark = pytest.mark.django_db

MODELS = ("amber", "birch", "cedar", "dune")


@pytest.fixture
def people():
    return [make_member(name=name) for name in ("moss", "fern", "reed")]


def made_by(item, one, other):
    for response, model in ((item.response_1, one), (item.response_2, other)):
        response.source = {"model": model} if model else {}
        response.save(update_fields=["source"])


def ranked(batch):
    return batch_ranking(batch).rankings[0]


def planted(people, strengths, *, items, pairs, seed=3):
    """A batch whose people prefer models by Davidson's model with these strengths."""
    rng = np.random.default_rng(seed)
    batch = make_batch()
    for place, item in enumerate(make_items(batch, items=items, seats=len(people), turns=1)):
        one, other = pairs[place % len(pairs)]
        made_by(item, MODELS[one], MODELS[other])
        for person in people:
            odds = np.exp(
                [strengths[one], (strengths[one] + strengths[other]) / 2 - 1, strengths[other]]
            )
            said = [item.response_1, "tie", item.response_2]
            judge(item, person, overall=said[rng.choice(3, p=odds / odds.sum())])
    return batch


def test_models_stand_in_the_order_of_their_planted_strengths(people):
    strengths = (1.5, 0.5, -0.5, -1.5)
    every = [(one, other) for one in range(4) for other in range(4) if one != other]

    found = ranked(planted(people, strengths, items=48, pairs=every))

    assert [one.model for one in found.models] == list(MODELS)
    assert all(one.low < true < one.high for one, true in zip(found.models, strengths, strict=True))
    assert [one.share > 0.5 for one in found.models] == [True, True, False, False]
    assert all(one.share_low < one.share < one.share_high for one in found.models)
    assert (found.compared, found.annotators, found.dialogues, found.parts) == (144, 3, 48, 1)
    assert found.state == "provisional"
    assert found.reason == (
        "preferences on 48 dialogues, fewer than 100; 3 annotators: the figure is about these"
    )
    assert sum(one.won for one in found.models) == sum(one.lost for one in found.models)


def test_models_that_never_met_have_no_common_scale(people):
    found = ranked(planted(people, (1, 0, 1, 0), items=20, pairs=[(0, 1), (2, 3)]))

    assert (found.state, found.parts) == ("undefined", 2)
    assert found.reason == "the models fall into 2 parts never compared: no scale"
    assert [one.part for one in found.models] == [1, 1, 2, 2]
    assert {one.strength for one in found.models} == {None}
    assert sum(one.won + one.tied + one.lost for one in found.models) == 120


def test_a_model_that_never_lost_has_no_finite_strength(people):
    batch = make_batch()
    for item in make_items(batch, items=8, seats=3, turns=1):
        made_by(item, "amber", "birch")
        for person in people:
            judge(item, person, overall=item.response_1)

    found = ranked(batch)

    assert found.state == "undefined"
    assert found.reason == "some models only won, or only lost, against the rest: no scale"
    assert [(one.model, one.won, one.lost) for one in found.models] == [
        ("amber", 24, 0),
        ("birch", 0, 24),
    ]


def test_sides_of_one_model_or_of_none_are_left_out_and_both_bad_ties(people):
    batch = make_batch()
    same, unnamed, told = make_items(batch, items=3, seats=3, turns=1)
    made_by(same, "amber", "amber")
    made_by(unnamed, "amber", "")
    made_by(told, "amber", "birch")
    for item in (same, unnamed):
        judge(item, people[0], overall=item.response_1)
    for person, outcome in zip(people, (told.response_1, told.response_2, "both_bad"), strict=True):
        judge(told, person, overall=outcome)

    found = ranked(batch)

    assert (found.compared, found.same_model, found.unnamed, found.both_bad) == (3, 1, 1, 1)
    assert [(one.won, one.tied, one.lost) for one in found.models] == [(1, 1, 1), (1, 1, 1)]
    assert found.state == "insufficient"
    assert found.reason == "3 preferences between models; 20 are the least"


def test_a_side_that_two_models_wrote_is_nobodys_but_its_answer_at_the_fork_is(people):
    batch = make_batch(kind=BatchKind.CONVERSATION_PAIR)
    (item,) = make_items(batch, seats=3, turns=3)
    for side, models in ((item.response_1, ("amber", "cedar")), (item.response_2, ("birch",) * 2)):
        for response, model in zip(item.dialogue.responses.on_path(side)[1:], models, strict=True):
            response.source = {"model": model}
            response.save(update_fields=["source"])
    at_fork = item.dialogue.responses.on_path(item.response_1)[1]
    for person in people:
        judgment = judge(item, person, overall=item.response_1)
        Preference.objects.create(
            judgment=judgment,
            scope=PreferenceScope.FORK,
            outcome="prefers",
            preferred=at_fork,
            strength=1,
        )

    overall, fork = batch_ranking(batch).rankings

    assert (overall.compared, overall.unnamed) == (0, 3)
    assert (fork.scope, fork.compared) == ("fork", 3)
    assert [(one.model, one.won) for one in fork.models] == [("amber", 3), ("birch", 0)]


def test_a_ranking_is_seven_queries_however_many_people_and_items(
    people, django_assert_num_queries
):
    batch = planted(people, (1, 0, 0, 0), items=9, pairs=[(0, 1), (1, 2), (2, 0)])

    with django_assert_num_queries(7):
        batch_ranking(batch)


def test_conversations_alone_are_compared_with_nothing(people):
    batch = measured_batch(people, items=1, kind=BatchKind.CONVERSATION)

    assert batch_ranking(batch).rankings == ()
    assert batch_consensus(batch).preferences == ()


# --- One answer from several -------------------------------------------------------------------


def test_no_majority_is_a_state_of_its_own_and_a_second_opinion_stands_beside_it(people):
    batch = make_batch()
    items = make_items(batch, items=12, seats=3)
    for place, item in enumerate(items):
        one, other = item.response_1, item.response_2
        said = {0: (one, other, "tie"), 1: (one, one, other)}.get(place, (one, one, one))
        for person, outcome in zip(people, said, strict=True):
            score = 3 if person.pseudonym != "reed" or place else 0
            judge(item, person, overall=outcome, scores={(one, "text_quality"): score})

    report = batch_consensus(batch)

    (overall,) = report.preferences
    assert overall.summary.ways == {"unanimous": 10, "majority": 1, "no_majority": 1}
    assert overall.units == 12
    assert overall.summary.converged is None
    assert overall.summary.why_not == (
        "not fitted: 12 ratings a person at the middle; 30 are asked for"
    )
    (text,) = report.ratings
    assert (text.dimension, text.scope) == ("text_quality", "local")
    assert text.summary.ways == {"unanimous": 11, "majority": 1, "no_majority": 0}
    (undecided,) = report.listed
    assert (undecided.item, undecided.majority) == (items[0].public_id, None)
    assert undecided.votes == {"response_1": 1, "tie": 1, "response_2": 1}
    assert (undecided.second, undecided.probability) == (None, None)
    assert report.told_apart == 1


def test_the_second_opinion_weighs_who_answers_beside_the_others(people):
    batch = make_batch()
    five = [*people, make_member(name="oak"), make_member(name="birch")]
    items = make_items(batch, items=24, seats=5)
    for place, item in enumerate(items):
        one, other = item.response_1, item.response_2
        truth = one if place % 2 else other
        # Two are always right, a third but once; two say the first side whatever it is.
        said = (truth, truth, one if place == 4 else truth, one, one)
        for person, outcome in zip(five, said, strict=True):
            judge(item, person, overall=outcome)

    report = batch_consensus(batch)

    (overall,) = report.preferences
    assert overall.summary.converged is True
    assert (overall.summary.prior["tie"], overall.summary.prior["both_bad"]) == (0, 0)
    (apart,) = report.listed
    assert (apart.item, apart.majority, apart.second) == (
        items[4].public_id,
        "response_1",
        "response_2",
    )
    assert apart.probability > 0.5


def test_nothing_judged_has_no_consensus(people):
    report = batch_consensus(make_batch())

    assert (report.ratings, report.preferences, report.listed) == ((), (), ())
