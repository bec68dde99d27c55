import numpy as np
import pytest

from annotation.agreement.consensus import Way, dawid_skene, majority, summarised, too_thin
from annotation.agreement.patterns import code_ratings, from_ratings
from annotation.agreement.ranking import (
    NotConnected,
    bradley_terry,
    davidson,
    is_connected,
    parts,
    ranking,
)


@pytest.mark.parametrize(
    ("counts", "category", "how"),
    [
        ((0, 3, 0), 1, Way.UNANIMOUS),
        ((2, 1, 0), 0, Way.MAJORITY),
        ((1, 1, 0), None, Way.NO_MAJORITY),
        ((2, 1, 1), None, Way.NO_MAJORITY),
        ((0, 0, 0), None, Way.NOT_RATED),
    ],
)
def test_only_more_than_half_is_a_majority(counts, category, how):
    consensus = majority(counts)

    assert (consensus.category, consensus.how) == (category, how)


def test_dawid_skene_finds_who_is_reliable_and_what_is_true():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 300)
    unit = np.repeat(np.arange(300), 5)
    annotator = np.tile(np.arange(5), 300)
    right = np.array([0.95, 0.9, 0.9, 0.55, 0.5])[annotator]
    label = np.where(rng.random(1500) < right, truth[unit], 1 - truth[unit])

    model = dawid_skene(unit, annotator, label, classes=2)

    assert model.converged
    assert (model.posterior.argmax(axis=1) == truth).mean() > 0.95
    kept = model.errors[:, [0, 1], [0, 1]].mean(axis=1)
    assert kept[:3].min() > 0.85
    assert kept[3:].max() < 0.65
    assert np.allclose(model.posterior.sum(axis=1), 1)


def test_units_with_the_same_answers_are_fitted_as_one_and_counted_each():
    """The same as EM written out rating by rating, on units of unequal ratings."""
    rng = np.random.default_rng(4)
    unit = np.repeat(np.arange(200), rng.integers(0, 5, 200))
    who = np.concatenate([rng.permutation(5)[: (unit == one).sum()] for one in range(200)])
    label = rng.choice(3, len(unit), p=[0.7, 0.2, 0.1])

    model = dawid_skene(unit, who, label, classes=3)

    posterior, log_likelihood = plain_em(unit, who, label, classes=3, steps=20_000)
    assert model.converged
    assert model.posterior == pytest.approx(posterior, abs=1e-6)
    assert model.log_likelihood == pytest.approx(log_likelihood)


def plain_em(unit, who, label, *, classes, steps):
    """Dawid and Skene's own steps, rating by rating; returns the posterior and log likelihood."""
    posterior = np.zeros((unit.max() + 1, classes))
    np.add.at(posterior, (unit, label), 1)
    rated = posterior.sum(axis=1, keepdims=True)
    posterior = np.where(rated > 0, posterior / np.maximum(rated, 1), 1 / classes)
    for _ in range(steps):
        prior, errors = posterior.mean(axis=0), np.zeros((who.max() + 1, classes, classes))
        np.add.at(errors.transpose(0, 2, 1), (who, label), posterior[unit])
        errors /= errors.sum(axis=2, keepdims=True)
        chances = np.tile(prior, (len(posterior), 1))
        np.multiply.at(chances, unit, errors[who, :, label])
        renewed = chances / chances.sum(axis=1, keepdims=True)
        change, posterior = np.abs(renewed - posterior).max(), renewed
        if change < 1e-12:
            break
    return posterior, np.log(chances.sum(axis=1)).sum()


@pytest.mark.parametrize("seed", range(6))
def test_leaping_ahead_ends_where_plain_em_ends_in_a_fraction_of_its_steps(seed):
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(400), 3)
    who = np.concatenate([rng.permutation(12)[:3] for _ in range(400)])
    seen = rng.normal(size=400)[unit] + rng.normal(scale=0.5, size=1200)
    label = np.digitize(seen, (-0.4, 0.6))

    model = dawid_skene(unit, who, label, classes=3)

    assert model.converged
    posterior, log_likelihood = plain_em(unit, who, label, classes=3, steps=20_000)
    assert model.log_likelihood == pytest.approx(log_likelihood, abs=1e-6)
    assert model.posterior == pytest.approx(posterior, abs=1e-4)
    assert not dawid_skene(unit, who, label, classes=3, most_steps=10).converged


def test_dawid_skene_says_when_it_has_not_converged():
    votes = np.random.default_rng(0).integers(0, 3, 60)

    model = dawid_skene(
        np.repeat(np.arange(20), 3), np.tile([0, 1, 2], 20), votes, classes=3, most_steps=2
    )

    assert (model.converged, model.steps) == (False, 2)


def test_a_category_nobody_chose_is_never_the_models_answer():
    rng = np.random.default_rng(1)
    unit = np.repeat(np.arange(120), 3)
    who = np.concatenate([rng.permutation(15)[:3] for _ in range(120)])
    label = np.where(
        rng.random(360) < 0.7, np.repeat(rng.integers(0, 3, 120), 3), rng.integers(0, 3, 360)
    )

    model = dawid_skene(unit, who, label, classes=4)

    assert model.prior[3] == 0
    assert (model.posterior[:, 3] == 0).all()


def test_the_model_is_not_asked_where_people_gave_too_few_ratings_for_it():
    few = code_ratings(list("aabb"), ["x", "y", "x", "y"], [0, 1, 1, 1], domain=(0, 1, 2))
    patterns = from_ratings(few)

    why = too_thin(few)
    summary, apart = summarised(patterns, few, why_not=why)

    assert why == "not fitted: 2 ratings a person at the middle; 10 are asked for"
    assert (summary.converged, summary.why_not) == (None, why)
    assert summary.ways == {"unanimous": 1, "majority": 0, "no_majority": 1}
    assert [(one.unit, one.majority, one.best) for one in apart] == [(0, None, None)]
    many = code_ratings(
        [n for n in range(10) for _ in "xy"], ["x", "y"] * 10, [0, 1] * 10, domain=(0, 1, 2)
    )
    assert too_thin(many) == ""


def test_dawid_skene_refuses_what_it_cannot_fit():
    with pytest.raises(ValueError, match="no ratings"):
        dawid_skene([], [], [], classes=2)
    with pytest.raises(ValueError, match="outside the classes"):
        dawid_skene([0], [0], [2], classes=2)


def test_two_responses_have_the_log_odds_of_their_wins():
    strengths = bradley_terry([[0, 30], [10, 0]])

    assert strengths.logits == pytest.approx([0, -np.log(3)])
    assert strengths.errors[1] == pytest.approx(np.sqrt(1 / 30 + 1 / 10))


def test_somebody_never_beaten_has_no_strength():
    with pytest.raises(NotConnected):
        bradley_terry([[0, 5, 3], [0, 0, 2], [0, 1, 0]])


def test_groups_that_never_met_have_no_strengths():
    apart = np.zeros((4, 4), int)
    apart[0, 1] = apart[1, 0] = apart[2, 3] = apart[3, 2] = 4

    assert not is_connected(apart > 0)
    with pytest.raises(NotConnected):
        davidson(apart, np.zeros((4, 4)))


def test_ties_connect_and_nothing_but_ties_says_nothing():
    wins = [[0, 5, 0], [2, 0, 4], [0, 0, 0]]
    ties = [[0, 1, 0], [1, 0, 3], [0, 3, 0]]

    strengths = davidson(wins, ties)

    assert strengths.logits[2] < strengths.logits[1] < 0 < strengths.tie
    with pytest.raises(NotConnected):
        davidson([[0, 0], [0, 0]], [[0, 4], [4, 0]])


def test_the_maximum_is_found_where_steps_no_longer_tell():
    """Such a table once had no end: rounding made each step look like a step back."""
    wins, ties = [[0, 25, 20], [15, 0, 38], [21, 37, 0]], [[0, 28, 23], [28, 0, 6], [23, 6, 0]]

    strengths = davidson(wins, ties)

    # At the maximum everybody has as many wins, ties half, as the model expects of them.
    p, nu = np.exp(strengths.logits), strengths.tie
    draws = nu * np.sqrt(np.outer(p, p))
    sums = p[:, None] + p[None, :] + draws
    met = np.array(wins) + np.array(wins).T + np.array(ties)
    expected = (met * (p[:, None] + draws / 2) / sums).sum(axis=1)
    assert expected == pytest.approx((np.array(wins) + np.array(ties) / 2).sum(axis=1))


def _comparisons(rng, strengths, nu, *, dialogues):
    """Three people of twelve compare two things in each dialogue, which favours one of them."""
    size = len(strengths)
    one = rng.integers(0, size, dialogues)
    other = (one + rng.integers(1, size, dialogues)) % size
    first, second, dialogue = (np.repeat(part, 3) for part in (one, other, np.arange(dialogues)))
    favour = np.repeat(rng.normal(0, 0.5, dialogues), 3)
    odds = [
        np.exp(strengths[first] + favour),
        nu * np.exp((strengths[first] + strengths[second] + favour) / 2),
        np.exp(strengths[second]),
    ]
    chances = np.stack(odds, axis=1) / np.sum(odds, axis=0)[:, None]
    outcome = (rng.random(len(first))[:, None] > chances.cumsum(axis=1)).sum(axis=1)
    return first, second, outcome, dialogue, rng.integers(0, 12, len(first))


def test_planted_strengths_are_inside_their_intervals_as_often_as_promised():
    rng = np.random.default_rng(5)
    strengths = np.array([1.0, 0.4, 0.0, -1.4])
    hits, repeats = np.zeros(4), 150

    for _ in range(repeats):
        first, second, outcome, dialogue, who = _comparisons(rng, strengths, 0.6, dialogues=100)
        found = ranking(first, second, outcome, size=4, clusterings=[dialogue, who])
        hits += (found.low <= strengths) & (strengths <= found.high)

    assert (hits / repeats > 0.91).all()
    assert found.strengths.sum() == pytest.approx(0)


def test_a_ranking_does_not_depend_on_which_side_is_named_first():
    rng = np.random.default_rng(6)
    first, second, outcome, dialogue, who = _comparisons(
        rng, np.array([0.5, 0.0, -0.5]), 0.4, dialogues=60
    )
    turned = rng.integers(0, 2, len(first)).astype(bool)
    swapped = (
        np.where(turned, second, first),
        np.where(turned, first, second),
        np.where(turned, 2 - outcome, outcome),
    )

    one = ranking(first, second, outcome, size=3, clusterings=[dialogue, who])
    other = ranking(*swapped, size=3, clusterings=[dialogue, who])

    assert other.strengths == pytest.approx(one.strengths)
    assert other.low == pytest.approx(one.low)


def test_a_single_cluster_gives_no_interval():
    first, second, outcome = np.array([0, 0, 0]), np.array([1, 1, 1]), np.array([0, 0, 2])

    found = ranking(first, second, outcome, size=2, clusterings=[np.zeros(3, int)])

    assert np.isnan(found.low).all()
    assert found.strengths[0] == pytest.approx(np.log(2) / 2)


def test_parts_are_those_who_hang_together_by_comparisons():
    met = np.zeros((5, 5), bool)
    for one, other in ((0, 3), (3, 4), (1, 2)):
        met[one, other] = met[other, one] = True

    assert parts(met) == [[0, 3, 4], [1, 2]]
    assert parts(np.zeros((0, 0), bool)) == []


def test_without_ties_davidson_is_bradley_terry():
    wins = [[0, 5, 3], [2, 0, 4], [1, 1, 0]]

    with_ties, plain = davidson(wins, np.zeros((3, 3))), bradley_terry(wins)

    assert with_ties.tie == 0.0
    assert with_ties.logits == pytest.approx(plain.logits)


def test_ties_must_be_the_same_from_both_sides():
    with pytest.raises(ValueError, match="differ"):
        davidson([[0, 1], [1, 0]], [[0, 2], [1, 0]])
