import numpy as np
import pytest

from annotation.agreement.consensus import Way, dawid_skene, majority
from annotation.agreement.ranking import NotConnected, bradley_terry, davidson, is_connected


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


def test_dawid_skene_says_when_it_has_not_converged():
    votes = np.random.default_rng(0).integers(0, 3, 60)

    model = dawid_skene(
        np.repeat(np.arange(20), 3), np.tile([0, 1, 2], 20), votes, classes=3, most_steps=2
    )

    assert (model.converged, model.steps) == (False, 2)


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


def test_without_ties_davidson_is_bradley_terry():
    wins = [[0, 5, 3], [2, 0, 4], [1, 1, 0]]

    with_ties, plain = davidson(wins, np.zeros((3, 3))), bradley_terry(wins)

    assert with_ties.tie == 0.0
    assert with_ties.logits == pytest.approx(plain.logits)


def test_ties_must_be_the_same_from_both_sides():
    with pytest.raises(ValueError, match="differ"):
        davidson([[0, 1], [1, 0]], [[0, 2], [1, 0]])
