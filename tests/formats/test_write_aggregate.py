"""Votes, majorities and margins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.formats.aggregate import (
    Choice,
    LeftOut,
    Policy,
    choices,
    decide,
    decisions,
    votes_on,
)
from annotation.formats.pairs import PairPreference
from tests.golden.pairs import judgment, message, pair, rating

FIRST, SECOND = "response_1", "response_2"


def judged(*judgments):
    return pair(
        "x",
        (message("user", "p", 1, "?"),),
        (message("assistant", "r1", 1, "one"),),
        (message("assistant", "r2", 1, "two"),),
        judgments,
    )


def outcome_of(told, **policy):
    ((decision, _),) = decisions(told, policy=Policy(**policy))
    return decision.outcome, decision.preferred


@pytest.mark.parametrize(
    ("given_votes", "expected"),
    [
        ([FIRST], ("prefers", FIRST)),
        ([FIRST, SECOND], ("no_majority", None)),
        ([FIRST, FIRST, SECOND], ("prefers", FIRST)),
        ([FIRST, SECOND, "tie"], ("no_majority", None)),
        ([FIRST, FIRST, SECOND, "tie"], ("no_majority", None)),
        (["tie", "tie", SECOND], ("tie", None)),
        (["both_bad", "both_bad"], ("both_bad", None)),
        (["tie", "both_bad"], ("no_majority", None)),
        ([], ("no_votes", None)),
    ],
)
def test_a_majority_is_more_than_half_and_nothing_else(given_votes, expected):
    told = judged(*(judgment(f"p-{n}", n, vote) for n, vote in enumerate(given_votes)))

    assert outcome_of(told) == expected


def test_an_adjudication_decides_and_a_reviewers_judgment_decides_before_the_votes():
    votes = [judgment("p-1", 1, FIRST), judgment("p-2", 2, FIRST)]
    review = judgment("p-3", 3, SECOND, purpose="review")
    ruling = judgment("p-4", 4, "tie", purpose="adjudication")

    ((reviewed, _),) = decisions(judged(*votes, review), policy=Policy())
    ((ruled, _),) = decisions(judged(*votes, review, ruling), policy=Policy())

    assert (reviewed.preferred, reviewed.decided_by, reviewed.n) == (SECOND, "review", 1)
    assert (ruled.outcome, ruled.decided_by) == ("tie", "adjudication")


def test_raw_gives_each_vote_its_own_row_with_its_author():
    told = judged(judgment("p-1", 1, FIRST), judgment("p-2", 2, SECOND), judgment("p-3", 3, "tie"))

    rows = list(choices(told, policy=Policy(method="raw")))

    assert [(row.chosen, row.annotator) for row in rows if isinstance(row, Choice)] == [
        (FIRST, "p-1"),
        (SECOND, "p-2"),
    ]
    assert rows[2] == LeftOut("overall", "tie", "p-3")


@pytest.mark.parametrize("outcome", ["tie", "both_bad"])
def test_no_tie_and_no_both_bad_becomes_a_preference(outcome):
    told = judged(judgment("p-1", 1, outcome))

    assert list(choices(told, policy=Policy())) == [LeftOut("overall", outcome)]


def test_from_scores_the_sign_of_the_gap_votes_and_a_small_gap_is_a_tie():
    close = judgment("p-1", 1, FIRST, ratings=(rating(FIRST, "d", 1), rating(SECOND, "d", 2)))
    told = judged(close)

    assert outcome_of(told, source="scores", dimensions=("d",)) == ("prefers", SECOND)
    assert outcome_of(told, source="scores", dimensions=("d",), min_gap=2) == ("tie", None)
    assert outcome_of(told, source="scores") == ("prefers", SECOND)


def test_equal_scores_are_a_tie_even_where_no_gap_is_asked_for():
    equal = judgment("p-1", 1, FIRST, ratings=(rating(FIRST, "d", 2), rating(SECOND, "d", 2)))

    assert outcome_of(judged(equal), source="scores", dimensions=("d",), min_gap=0) == ("tie", None)


@pytest.mark.parametrize(
    "left_out",
    [
        {"score": None, "not_applicable": True},
        {"score": -1, "in_order": False},
        {"origin": "by_rule"},
    ],
)
def test_what_is_no_ordinal_score_takes_no_part(left_out):
    from_one = rating(FIRST, "d", 3)
    other = rating(SECOND, "d", **({"score": 0} | left_out))
    told = judged(judgment("p-1", 1, FIRST, ratings=(from_one, other)))

    assert votes_on(told, "d", policy=Policy(source="scores")) == []


def test_overall_from_scores_is_the_plain_mean_of_the_dimensions_scored_on_both_sides():
    scores = (
        rating(FIRST, "d", 3), rating(SECOND, "d", 1),
        rating(FIRST, "e", 0), rating(SECOND, "e", 1),
        rating(FIRST, "f", 3),
    )  # fmt: skip
    told = judged(judgment("p-1", 1, SECOND, ratings=scores))

    (vote,) = votes_on(told, "overall", policy=Policy(source="scores", min_gap=0.5))

    assert (vote.outcome, vote.preferred, vote.gap) == ("prefers", FIRST, 0.5)


def test_a_local_dimension_of_a_conversation_is_the_mean_over_the_responses_of_the_side():
    scores = (
        rating(FIRST, "d", 3), rating(FIRST, "d", 2, turn=2, response="r9"),
        rating(SECOND, "d", 1),
        rating("both", "d", 0),
    )  # fmt: skip
    told = judged(judgment("p-1", 1, SECOND, ratings=scores))

    (vote,) = votes_on(told, "d", policy=Policy(source="scores"))

    assert vote.gap == 1.5


def test_all_dimensions_are_those_that_have_a_vote():
    both = (
        PairPreference("overall", "prefers", FIRST, 1),
        PairPreference("text_quality", "tie"),
    )
    told = judged(judgment("p-1", 1, FIRST, preferences=both))

    found = [decision.dimension for decision, _ in decisions(told, policy=Policy(dimensions=()))]

    assert found == ["overall", "text_quality"]


def test_margins_are_of_those_who_preferred_it():
    strong = (PairPreference("overall", "prefers", FIRST, 3),)
    weak = (PairPreference("overall", "prefers", FIRST, 2),)
    other = (PairPreference("overall", "prefers", SECOND, 3),)
    gap = (rating(FIRST, "d", 0), rating(SECOND, "d", 1))
    told = judged(
        judgment("p-1", 1, FIRST, preferences=strong, ratings=gap),
        judgment("p-2", 2, FIRST, preferences=weak),
        judgment("p-3", 3, SECOND, preferences=other),
    )

    margins = {
        kind: next(iter(choices(told, policy=Policy(margin=kind)))).margin
        for kind in ("none", "strength", "gap")
    }

    assert margins == {"none": None, "strength": 2.5, "gap": 0.0}


def test_a_pair_without_the_margin_asked_for_is_left_out_by_that_name():
    plain = (PairPreference("overall", "prefers", FIRST),)
    told = judged(judgment("p-1", 1, FIRST, preferences=plain))

    assert list(choices(told, policy=Policy(margin="strength"))) == [
        LeftOut("overall", "no_margin")
    ]


@given(st.lists(st.sampled_from([FIRST, SECOND, "tie", "both_bad"]), max_size=7))
def test_swapping_the_sides_swaps_the_outcome_and_the_order_of_votes_says_nothing(ballots):
    swap = {FIRST: SECOND, SECOND: FIRST}
    told = judged(*(judgment(f"p-{n}", n, vote) for n, vote in enumerate(ballots)))
    swapped = judged(
        *(judgment(f"p-{n}", n, swap.get(v, v)) for n, v in enumerate(reversed(ballots)))
    )

    outcome, preferred = outcome_of(told)
    assert outcome_of(swapped) == (outcome, swap.get(preferred))
    decision = decide("overall", votes_on(told, "overall", policy=Policy()))
    assert sum(decision.counts.values()) == len(ballots)


def test_a_preference_at_the_fork_is_about_the_two_answers_there_alone():
    long = pair(
        "long",
        (message("user", "p", 1, "?"),),
        (message("assistant", "r1", 1, "one"), message("user", "q", 2, "more"), message("assistant", "r3", 2, "x")),
        (message("assistant", "r2", 1, "two"),),
        (judgment("p-1", 1, FIRST, preferences=(PairPreference("fork", "prefers", SECOND, 1),)),),
    )  # fmt: skip

    (choice,) = choices(long, policy=Policy(dimensions=("fork",)))

    assert choice.chosen == SECOND
    assert [[told.node for told in choice.pair.sides[side]] for side in (FIRST, SECOND)] == [
        ["r1"],
        ["r2"],
    ]
