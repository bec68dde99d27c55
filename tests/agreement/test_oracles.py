"""Our figures beside those of libraries that others wrote, on data with missing ratings."""

import krippendorff
import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from annotation.agreement.alpha import Level, krippendorff_alpha
from annotation.agreement.coefficients import Weighting, agreement_weights
from annotation.agreement.intervals import t_quantile, wilson
from annotation.agreement.kappa import cohen_kappa
from annotation.agreement.patterns import count_patterns
from tests.agreement.data import simulated


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("seed", range(5))
def test_alpha_is_that_of_the_krippendorff_package(level, seed):
    columns = simulated(units=60, annotators=7, overlap=3, seed=seed)
    matrix = np.full((7, 60), np.nan)
    matrix[columns.annotator, columns.unit] = columns.score

    ours = krippendorff_alpha(
        count_patterns(columns.unit, columns.annotator, columns.score, domain=(0, 1, 2, 3)),
        level=level,
    )

    theirs = krippendorff.alpha(
        reliability_data=matrix, level_of_measurement=level.value, value_domain=[0, 1, 2, 3]
    )
    assert ours == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("weighting", ["identity", "linear", "quadratic"])
def test_kappa_is_that_of_scikit_learn(weighting):
    rng = np.random.default_rng(3)
    one, other = rng.integers(0, 4, size=(2, 50))
    table = np.zeros((4, 4), int)
    np.add.at(table, (one, other), 1)

    ours = cohen_kappa(table, weights=agreement_weights(Weighting(weighting), (0, 1, 2, 3)))

    name = None if weighting == "identity" else weighting
    theirs = cohen_kappa_score(one, other, labels=[0, 1, 2, 3], weights=name)
    assert ours == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 9, 10, 29, 100, 199, 200, 201, 1000, 10**6])
def test_quantiles_of_t_are_those_of_scipy(freedom):
    assert t_quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-8)


@pytest.mark.parametrize(("wins", "trials"), [(0, 12), (5, 9), (81, 151), (40, 40)])
def test_wilson_is_that_of_scipy(wins, trials):
    ours = wilson(wins, trials)

    theirs = stats.binomtest(wins, trials).proportion_ci(method="wilson")
    assert ours is not None
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_wilson_of_nothing_is_nothing():
    assert wilson(0, 0) is None
