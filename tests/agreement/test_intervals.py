import numpy as np
import pytest

from annotation.agreement.alpha import Level, alphas, krippendorff_alpha
from annotation.agreement.coefficients import Weighting, conger
from annotation.agreement.estimates import State
from annotation.agreement.intervals import (
    Spread,
    bootstrap_sums,
    cluster_sums,
    leave_out_sums,
    widest,
)
from annotation.agreement.patterns import code_ratings, count_patterns, features, split
from annotation.agreement.reliability import (
    alpha_estimate,
    coefficient_estimate,
    full_report,
    resample,
    short_report,
)
from tests.agreement.data import Columns, simulated

SCALE = (0, 1, 2, 3)


def counted(columns: Columns, *, clustered: bool = True):
    return count_patterns(
        columns.unit,
        columns.annotator,
        columns.score,
        domain=SCALE,
        clusters=columns.dialogue if clustered else None,
    )


def test_leaving_an_annotator_out_is_counting_without_them():
    columns = simulated(units=40, annotators=6, overlap=3, bias=0.5)

    sums = split(leave_out_sums(counted(columns)), 4)

    jackknifed = alphas(sums, level=Level.ORDINAL, domain=SCALE)
    for gone in range(6):
        rows = [row for row in zip(*columns[:3], strict=True) if row[1] != gone]
        without = count_patterns(*zip(*rows, strict=True), domain=SCALE)
        expected = krippendorff_alpha(without, level=Level.ORDINAL)
        assert jackknifed[gone] == pytest.approx(expected, abs=1e-12)


def test_resampling_patterns_spreads_as_resampling_units_does():
    columns = simulated(units=80, annotators=9, overlap=3, seed=4)
    patterns = counted(columns, clustered=False)
    rows = np.array(columns.score).reshape(80, 3)
    rng = np.random.default_rng(1)
    by_hand = []
    for _ in range(800):
        drawn = rows[rng.integers(0, 80, 80)]
        unit, person = np.repeat(np.arange(80), 3), np.tile(np.arange(3), 80)
        again = count_patterns(unit, person, drawn.ravel(), domain=SCALE)
        by_hand.append(krippendorff_alpha(again, level=Level.ORDINAL))

    sums = bootstrap_sums(*cluster_sums(patterns), replicates=2000, seed=2)
    ours = alphas(split(sums, 4), level=Level.ORDINAL, domain=SCALE)

    assert ours.std() == pytest.approx(np.std(by_hand), rel=0.1)
    assert ours.mean() == pytest.approx(np.mean(by_hand), abs=0.01)


def test_drawing_kinds_of_clusters_and_single_clusters_is_the_same():
    columns = simulated(units=200, annotators=9, overlap=3, seed=5)
    patterns = counted(columns, clustered=False)
    each = np.repeat(features(patterns.counts), patterns.units, axis=0)

    by_kind = bootstrap_sums(*cluster_sums(patterns), replicates=3000, seed=1)
    one_by_one = bootstrap_sums(each, np.ones(200, np.int64), replicates=3000, seed=1)

    spreads = [
        alphas(split(sums, 4), level=Level.ORDINAL, domain=SCALE).std()
        for sums in (by_kind, one_by_one)
    ]
    assert spreads[0] == pytest.approx(spreads[1], rel=0.06)
    assert by_kind.mean(axis=0) == pytest.approx(one_by_one.mean(axis=0), rel=0.02, abs=0.5)


def test_dialogues_are_resampled_whole():
    columns = simulated(units=60, annotators=20, overlap=3, seed=6)
    copied = Columns(
        [unit for step in range(5) for unit in (np.array(columns.unit) + 60 * step).tolist()],
        columns.annotator * 5,
        columns.score * 5,
        columns.unit * 5,
    )

    def spread(patterns):
        return alphas(resample(patterns).drawn, level=Level.ORDINAL, domain=SCALE).std()

    whole, apart = spread(counted(copied)), spread(counted(copied, clustered=False))
    single = spread(counted(columns, clustered=False))

    assert whole == pytest.approx(single, rel=0.1)
    assert whole == pytest.approx(apart * np.sqrt(5), rel=0.15)


def test_few_biased_annotators_widen_the_interval_and_are_named():
    few = short_report(counted(simulated(units=600, annotators=5, bias=0.8)))
    many = short_report(counted(simulated(units=600, annotators=150, bias=0.0)))

    of_few = few.figure("krippendorff_alpha", "ordinal")
    of_many = many.figure("krippendorff_alpha", "ordinal")
    assert of_few.source == "annotators"
    assert of_few.state == State.PROVISIONAL
    assert "5 annotators" in of_few.reason
    assert of_few.high - of_few.low > 2 * (of_many.high - of_many.low)


def test_the_wider_interval_is_taken_and_stays_in_range():
    units, people = Spread(0.02, 500), Spread(0.05, 4)

    interval = widest(0.95, over_clusters=units, over_annotators=people)

    assert interval is not None
    assert interval.source == "annotators"
    assert -1 < interval.low < 0.95 < interval.high < 1
    narrow = widest(0.95, over_clusters=units, over_annotators=Spread(None, 0))
    assert narrow is not None
    assert narrow.source == "units"
    assert interval.low < narrow.low < narrow.high < interval.high


@pytest.mark.parametrize("value", [1.0, -1.0])
def test_at_the_ends_of_the_range_there_is_no_interval(value):
    spread = Spread(0.0, 50)

    assert widest(value, over_clusters=spread, over_annotators=spread) is None


def test_the_same_seed_gives_the_same_digits_and_another_gives_others():
    patterns = counted(simulated(units=120, annotators=30))

    first, again = short_report(patterns, seed=7), short_report(patterns, seed=7)
    other = short_report(patterns, seed=8)

    assert first == again
    assert [one.value for one in first.estimates] == [one.value for one in other.estimates]
    assert not np.array_equal(
        resample(patterns, seed=7).drawn.given, resample(patterns, seed=8).drawn.given
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("annotators", "bias", "units", "least"), [(200, 0.0, 100, 0.92), (5, 0.35, 300, 0.92)]
)
def test_intervals_cover_what_they_say(annotators, bias, units, least):
    """Against the alpha of a very large crowd, which is what an interval is about."""
    crowd = counted(simulated(units=4000, annotators=400, bias=bias, seed=1), clustered=False)
    truth = krippendorff_alpha(crowd, level=Level.ORDINAL)
    assert truth is not None

    covered = 0
    for seed in range(150):
        patterns = counted(
            simulated(units=units, annotators=annotators, bias=bias, seed=100 + seed),
            clustered=False,
        )
        one = alpha_estimate(resample(patterns, replicates=200, seed=seed), Level.ORDINAL)
        assert one.low is not None
        assert one.high is not None
        covered += one.low <= truth <= one.high

    # Two standard errors of 150 trials at 0.95 are 0.036.
    assert covered / 150 >= least - 0.036


def test_annotators_without_a_shared_unit_do_not_narrow_the_jackknife():
    columns = simulated(units=200, annotators=4, overlap=2, bias=0.6)
    lonely = Columns(
        columns.unit + list(range(1000, 1050)),
        columns.annotator + list(range(10, 60)),
        columns.score + [2] * 50,
        columns.dialogue + list(range(1000, 1050)),
    )

    alone = alpha_estimate(resample(counted(columns)), Level.ORDINAL)
    beside = alpha_estimate(resample(counted(lonely)), Level.ORDINAL)

    assert (beside.value, beside.state) == (pytest.approx(alone.value), State.PROVISIONAL)
    assert beside.reason == alone.reason
    assert beside.high - beside.low == pytest.approx(alone.high - alone.low, rel=0.2)


def test_conger_jackknife_is_counting_without_each_annotator():
    columns = simulated(units=150, annotators=5, overlap=3, bias=1.0, seed=3)
    report = full_report(code_ratings(*columns[:3], domain=SCALE), replicates=50)

    one = report.figure("conger_kappa", "linear")

    values = []
    for gone in range(5):
        rows = [row for row in zip(*columns[:3], strict=True) if row[1] != gone]
        without = count_patterns(*zip(*rows, strict=True), domain=SCALE)
        values.append(conger(without, weighting=Weighting.LINEAR))
    error = np.sqrt(np.square(values - np.mean(values)).sum())
    whole = one.value
    assert whole == pytest.approx(conger(counted(columns), weighting=Weighting.LINEAR))
    expected = widest(whole, over_clusters=Spread(None, 0), over_annotators=Spread(float(error), 4))
    assert expected is not None
    assert one.source == "annotators"
    assert (one.low, one.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_percent_agreement_has_an_interval_even_where_nobody_differs():
    rows = [(unit, who, unit % 2) for unit in range(40) for who in (0, 1, 2)]
    patterns = count_patterns(*zip(*rows, strict=True), domain=SCALE)
    drawn = resample(patterns)

    exact = coefficient_estimate(drawn, "percent_agreement", Weighting.IDENTITY)
    alpha = alpha_estimate(drawn, Level.ORDINAL)

    assert (exact.value, exact.high, exact.source) == (1.0, 1.0, "wilson")
    assert exact.low == pytest.approx(40 / (40 + 1.959964**2), abs=1e-6)
    assert (alpha.value, alpha.low, alpha.high) == (1.0, None, None)
    assert "no interval can be computed" in alpha.reason
