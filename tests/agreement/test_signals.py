"""Tests of signs: exact where they are exact, and quiet about ordinary differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from annotation.agreement import signals
from annotation.agreement.texts import contained, likeness, normalised, shingles


@given(n=st.integers(1, 200), k=st.integers(0, 200), p=st.floats(0.001, 0.999))
def test_binomial_tails_are_those_of_scipy(n, k, p):
    k = min(k, n)

    assert signals.at_least(k, n, p) == pytest.approx(stats.binom.sf(k - 1, n, p), rel=1e-6)
    assert signals.at_most(k, n, p) == pytest.approx(stats.binom.cdf(k, n, p), rel=1e-6)


def test_binomial_tails_at_the_ends():
    assert signals.at_least(0, 5, 0.5) == 1
    assert signals.at_least(6, 5, 0.5) == 0
    assert signals.at_least(3, 5, 0.0) == 0
    assert signals.at_least(5, 5, 1.0) == 1


@given(t=st.floats(-8, 8), freedom=st.integers(1, 199))
def test_students_tail_is_that_of_scipy(t, freedom):
    assert signals.t_above(t, freedom) == pytest.approx(stats.t.sf(t, freedom), abs=1e-9)


def test_an_error_that_is_unknown_proves_nothing():
    assert signals.t_above(float("-inf"), 5) == 1
    assert signals.t_above(3.0, 0) == 1


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=40))
def test_discoveries_are_those_of_benjamini_and_hochberg(p_values):
    adjusted = stats.false_discovery_control(p_values, method="bh")

    found = signals.discoveries(dict(enumerate(p_values)), rate=0.05)

    sure = {place for place, p in enumerate(adjusted) if p < 0.05 - 1e-12}
    possible = {place for place, p in enumerate(adjusted) if p <= 0.05 + 1e-12}
    assert sure <= found <= possible


def ratings(levels, *, units=200, each=3, seed=1, noise=0.5):
    """Scores on an open scale of people with these levels, `each` on a unit, item = unit."""
    draw = np.random.default_rng(seed)
    rows = [
        (person, unit, worth + levels[person] + draw.normal(0, noise))
        for unit, worth in enumerate(draw.normal(2, 1, units))
        for person in draw.permutation(len(levels))[:each]
    ]
    person, unit, score = (np.array(column) for column in zip(*rows, strict=True))
    return signals.Scores(person, unit, unit, score)


def test_levels_are_found_whoever_shares_units_with_whom():
    true = [-1.5, 0, 0, 0, 0, 0.7, 0]

    found = signals.levels(ratings(true), people=7)

    for person, level in enumerate(true):
        assert found[person].effect == pytest.approx(level, abs=0.25)
    stand = signals.discoveries({who: one.p_value for who, one in found.items()})
    assert stand == {0}


def test_a_level_is_drawn_to_the_middle_as_far_as_it_is_uncertain():
    found = signals.levels(ratings([-1.0, 0, 0, 0.2]), people=4)

    assert abs(found[0].shrunk) < abs(found[0].effect)
    assert found[0].shrunk < -0.5


def test_two_people_alone_split_their_difference():
    rows = signals.Scores(
        np.array([0, 1] * 12),
        np.repeat(np.arange(12), 2),
        np.repeat(np.arange(12), 2),
        np.array([1.0, 2.0] * 12),
    )

    found = signals.levels(rows, people=2)

    assert found[0].effect == pytest.approx(-0.5, abs=1e-3)
    assert found[1].effect == pytest.approx(0.5, abs=1e-3)


def test_nobody_has_a_level_where_nobody_shares_a_unit():
    alone = signals.Scores(np.array([0, 1]), np.array([0, 1]), np.array([0, 1]), np.ones(2))

    assert signals.levels(alone, people=2) == {}


def columns(random=(), *, people=8, items=40, seed=1):
    """Own scores beside those of others, of people who mostly see the same; some at random."""
    draw = np.random.default_rng(seed)
    rows = [
        (who, item, 0, draw.normal() if who in random else worth + draw.normal(0, 0.6), worth)
        for who in range(people)
        for item, worth in enumerate(draw.normal(0, 1, items))
    ]
    return [np.array(column) for column in zip(*rows, strict=True)]


def test_who_answers_at_random_is_weak_and_nobody_else():
    found = signals.associations(*columns({2}, items=120), people=8)

    assert signals.discoveries(signals.weak(found)) == {2}
    assert found[0].correlation > 0.6


def test_where_the_whole_team_is_at_chance_nobody_is_weak():
    found = signals.associations(*columns(set(range(8))), people=8)

    assert signals.weak(found) == {}


def test_who_never_varies_and_who_did_too_little_is_not_judged():
    person, item, dimension, own, other = columns()
    own = np.where(person == 3, 2.0, own)
    few = (person != 4) | (item < 5)

    found = signals.associations(
        person[few], item[few], dimension[few], own[few], other[few], people=8
    )

    assert set(found) == {0, 1, 2, 5, 6, 7}


@pytest.mark.parametrize(
    ("first", "decided", "stands"),
    [(30, 60, False), (38, 60, False), (54, 60, True), (6, 60, True), (10, 10, True)],
)
def test_a_side_is_a_sign_only_well_beyond_the_margin(first, decided, stands):
    assert (signals.side_p_value(first, decided) < 0.02) is stands


def test_runs_are_compared_with_what_the_data_themselves_would_give():
    draw = np.random.default_rng(1)
    skewed = [list(row) for row in draw.choice(4, (300, 8), p=[0.02, 0.03, 0.1, 0.85])]

    honest = signals.runs(skewed[:60], skewed[60:], seed=1)
    straight = signals.runs([[3] * 8] * 60, skewed, seed=1)

    assert honest.p_value > 0.01
    assert straight.p_value < 1e-6
    assert straight.longest == 480
    assert honest.usual > 8


def test_the_same_seed_draws_the_same_runs():
    lines = [[1, 1, 1, 2], [2, 2, 2, 2], [3, 3, 3, 3]] * 10

    assert signals.runs(lines, lines, seed=7) == signals.runs(lines, lines, seed=7)


def test_flat_judgments_are_measured_against_the_others():
    assert signals.flat_p_value(40, 60, others=0.6) > 0.5
    assert signals.flat_p_value(58, 60, others=0.2) < 1e-9
    assert signals.flat_p_value(60, 60, others=0.9) == 1


def test_few_copies_few_shared_items_and_few_known_answers_say_nothing():
    assert signals.copied_p_value(2, 2) == 1
    assert signals.twins_p_value(4, 4, others=0.0) == 1
    assert signals.gold_p_value(0, 9, 3, others=1.0) == 1
    assert signals.gold_p_value(0, 40, 10, others=0.9) < 0.001


def test_texts_are_compared_without_case_signs_and_spaces():
    one = shingles("The second picture shows another roof than the first.")
    other = shingles("the SECOND picture — shows another roof, than the first!")

    assert likeness(one, other) == 1
    assert normalised("Ａ b，c。") == "abc"


def test_what_is_too_short_has_nothing_to_compare():
    assert shingles("It is fine.") == frozenset()
    assert likeness(frozenset(), frozenset()) == 0
    assert contained(frozenset(), shingles("x" * 30)) == 0


def test_a_reason_taken_from_the_dialogue_stands_in_it():
    dialogue = shingles("Put the eggs in first, then the rice, and stir until nothing sticks. " * 2)

    assert contained(shingles("then the rice, and stir until nothing sticks"), dialogue) == 1
    assert contained(shingles("the answer forgets to say when the pan is hot"), dialogue) < 0.2
