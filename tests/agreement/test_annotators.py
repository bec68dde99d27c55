from collections import Counter
from dataclasses import astuple
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from annotation.agreement.alpha import Level, krippendorff_alpha
from annotation.agreement.annotators import beside, deviations, moments, shrunk, standing
from annotation.agreement.patterns import code_ratings, count_patterns
from annotation.agreement.testing import binomial_test, false_discovery, t_test
from tests.agreement.data import simulated

SCALE = (0, 1, 2, 3)


def by_hand(rows, who):
    """Severity, distance, exact and consensus of one person, unit by unit."""
    signed, apart, same, agreed = [], [], [], []
    for unit, person, score in rows:
        others = [s for u, p, s in rows if u == unit and p != person]
        if person != who or not others:
            continue
        signed.append(score - np.mean(others))
        apart.append(np.mean([abs(score - one) for one in others]))
        same.append(np.mean([score == one for one in others]))
        most = max(set(others), key=others.count)
        if 2 * others.count(most) > len(others):
            agreed.append(score == most)
    return [np.mean(one) if one else None for one in (signed, apart, same, agreed)]


def test_everybody_is_compared_with_their_co_raters_alone():
    columns = simulated(units=60, annotators=5, overlap=3, bias=0.8, seed=2)
    rows = list(zip(*columns[:3], strict=True))
    patterns = count_patterns(*columns[:3], domain=SCALE)

    found = standing(patterns)

    for who in range(5):
        expected = by_hand(rows, who)
        ours = [found.severity[who], found.absolute[who], found.exact[who], found.consensus[who]]
        assert ours == pytest.approx(expected)
        without = [row for row in rows if row[1] != who]
        alpha = krippendorff_alpha(
            count_patterns(*zip(*without, strict=True), domain=SCALE), level=Level.ORDINAL
        )
        assert found.alpha_without[who] == pytest.approx(alpha)


def test_one_severe_person_lowers_nobody_elses_consensus_and_alpha_rises_without_them():
    rng = np.random.default_rng(1)
    quality = rng.integers(1, 4, 300)
    rows = [(unit, who, int(q) - (who == 0)) for unit, q in enumerate(quality) for who in range(4)]

    found = standing(count_patterns(*zip(*rows, strict=True), domain=SCALE))

    assert found.severity.tolist() == pytest.approx([-1, 1 / 3, 1 / 3, 1 / 3])
    assert found.consensus.tolist() == [0, 1, 1, 1]
    assert found.alpha_change.argmax() == 0
    assert found.alpha_without[0] == 1


def test_who_shares_no_unit_has_no_figures():
    found = standing(count_patterns([0, 0, 1], [0, 1, 2], [1, 2, 3], domain=SCALE))

    assert found.ratings.tolist() == [1, 1, 0]
    assert np.isnan(found.severity[2])
    assert found.with_consensus.tolist() == [1, 1, 0]


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 6), st.integers(1, 40), st.integers(0, 99))
def test_with_two_raters_a_unit_severities_balance(people, units, seed):
    rng = np.random.default_rng(seed)
    rows = [
        (unit, int(who), int(rng.integers(0, 4)))
        for unit in range(units)
        for who in rng.permutation(people)[:2]
    ]

    found = standing(count_patterns(*zip(*rows, strict=True), domain=SCALE))

    known = found.ratings > 0
    assert (found.severity[known] * found.ratings[known]).sum() == pytest.approx(0, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 6), st.integers(1, 30), st.integers(0, 99))
def test_deviations_and_pairs_are_those_of_the_rows(people, units, seed):
    rng = np.random.default_rng(seed)
    given_by = {
        unit: {int(who): int(rng.integers(0, 4)) for who in rng.permutation(people)[: 1 + unit % 3]}
        for unit in range(units)
    }
    rows = [(unit, who, score) for unit, some in given_by.items() for who, score in some.items()]
    ratings = code_ratings(
        *zip(*rows, strict=True), domain=SCALE, clusters=[unit // 2 for unit, *_ in rows]
    )
    names = sorted({who for _unit, who, _score in rows})

    found, pairs = deviations(ratings), beside(ratings)

    assert len(found) == len(names)
    for name, one in zip(names, found, strict=True):
        sums, sizes = Counter(), Counter()
        for unit, some in given_by.items():
            others = [score for who, score in some.items() if who != name]
            if name in some and others:
                sums[unit // 2] += some[name] - sum(others) / len(others)
                sizes[unit // 2] += 1
        told = moments(np.array([sums[c] for c in sizes]), np.array([*sizes.values()], float))
        assert astuple(one) == pytest.approx(astuple(told))
    expected = [
        [one, other, len(both), sum(a == b for a, b in both), sum(a - b for a, b in both)]
        for one, other in combinations(range(len(names)), 2)
        if (
            both := [
                (some[names[one]], some[names[other]])
                for some in given_by.values()
                if names[one] in some and names[other] in some
            ]
        )
    ]
    assert pairs.tolist() == expected


def test_the_error_takes_dialogues_whole():
    rng = np.random.default_rng(4)
    deviations = rng.normal(size=50)
    alone = moments(deviations, np.ones(50))
    copied = moments(4 * deviations, np.full(50, 4.0))

    assert alone.error() == pytest.approx(deviations.std(ddof=1) / np.sqrt(50), rel=0.02)
    assert copied.mean() == pytest.approx(alone.mean())
    assert copied.error() == pytest.approx(alone.error())
    assert moments(deviations[:1], np.ones(1)).error() is None


def test_the_uncertain_are_drawn_to_the_pool_further():
    values, errors = [1.0, 1.0, 0.0, -0.1, 0.1], [0.05, 0.8, 0.05, 0.05, 0.05]

    drawn = shrunk(values, errors)

    assert drawn[0] > 0.9
    assert drawn[1] < 0.6
    assert shrunk([0.3, 0.3], [0.1, 0.1]) == pytest.approx([0.3, 0.3])
    assert shrunk([0.3], [0.1]) == [0.3]


@pytest.mark.parametrize(("wins", "trials"), [(0, 1), (3, 10), (30, 60), (500, 1100), (61, 200)])
def test_the_binomial_test_is_the_exact_one(wins, trials):
    assert binomial_test(wins, trials) == pytest.approx(stats.binomtest(wins, trials).pvalue)
    assert binomial_test(trials - wins, trials) == binomial_test(wins, trials)


def test_no_trials_have_no_p():
    assert binomial_test(0, 0) is None


@pytest.mark.parametrize(
    ("value", "error", "freedom"), [(0.4, 0.2, 7), (-1.0, 0.3, 40), (1, 2, 5000)]
)
def test_the_t_test_is_students(value, error, freedom):
    expected = 2 * stats.t.sf(abs(value / error), freedom)
    assert t_test(value, error, freedom) == pytest.approx(expected, rel=1e-3)
    assert t_test(value, None, freedom) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_false_discoveries_are_held_as_benjamini_and_hochberg_say(p_values):
    ours = false_discovery([None, *p_values])

    assert ours[0] is None
    assert ours[1:] == pytest.approx(stats.false_discovery_control(p_values).tolist())
