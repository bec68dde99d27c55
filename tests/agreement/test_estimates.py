import pytest

from annotation.agreement.alpha import Level
from annotation.agreement.coefficients import Weighting
from annotation.agreement.estimates import State
from annotation.agreement.patterns import code_ratings, count_patterns, from_histogram
from annotation.agreement.reliability import (
    alpha_estimate,
    coefficient_estimate,
    full_report,
    resample,
    short_report,
    spearman_brown_estimate,
)
from tests.agreement.data import simulated

SCALE = (0, 1, 2, 3)


def alpha_of(rows):
    return alpha_estimate(
        resample(count_patterns(*zip(*rows, strict=True), domain=SCALE)), "ordinal"
    )


def test_enough_ratings_by_enough_people_are_ok():
    columns = simulated(units=1500, annotators=200)
    report = short_report(count_patterns(*columns[:3], domain=SCALE))

    assert {one.state for one in report.estimates} == {State.OK}
    for one in report.estimates:
        assert one.low < one.value < one.high
        assert one.reason == ""


def test_few_units_are_insufficient_and_say_how_many():
    one = alpha_of([(unit, who, (unit + who) % 4) for unit in range(19) for who in range(3)])

    assert one.state == State.INSUFFICIENT
    assert one.reason == "19 units with two ratings or more; 20 are the least"
    assert one.value is not None


def test_scores_nearly_all_alike_are_low_variation_but_percent_agreement_is_not():
    rows = [
        (unit, who, 1 if unit < 12 and who == unit % 3 else 3)
        for unit in range(100)
        for who in range(3)
    ]
    drawn = resample(count_patterns(*zip(*rows, strict=True), domain=SCALE))

    alpha = alpha_estimate(drawn, Level.ORDINAL)
    exact = coefficient_estimate(drawn, "percent_agreement", Weighting.IDENTITY)

    assert alpha.state == State.LOW_VARIATION
    assert alpha.reason.startswith("96 % of the scores are the same")
    assert exact.state == State.PROVISIONAL
    assert exact.value == pytest.approx(0.92)


def test_a_single_score_leaves_alpha_undefined_and_says_why():
    drawn = resample(
        count_patterns(
            [unit for unit in range(30) for _ in range(2)], [0, 1] * 30, [3] * 60, domain=SCALE
        )
    )

    alpha = alpha_estimate(drawn, Level.ORDINAL)
    exact = coefficient_estimate(drawn, "percent_agreement", Weighting.IDENTITY)

    assert (alpha.value, alpha.low, alpha.high) == (None, None, None)
    assert (alpha.state, alpha.reason) == (
        State.UNDEFINED,
        "no variation: all scores are the same",
    )
    assert exact.value == 1.0


def test_no_unit_with_two_ratings_is_undefined():
    one = alpha_of([(0, 0, 1), (1, 1, 2)])

    assert (one.value, one.state, one.reason) == (
        None,
        State.UNDEFINED,
        "no unit has two ratings",
    )


def test_unknown_annotators_make_a_figure_provisional_and_are_named():
    patterns = from_histogram([[3, 0], [0, 3], [2, 1]], domain=(0, 1), units=[900, 900, 200])

    one = alpha_estimate(resample(patterns), Level.NOMINAL)

    assert one.state == State.PROVISIONAL
    assert "unknown annotators" in one.reason
    assert one.source == "units"


def test_the_mean_of_three_ratings_is_more_reliable_than_one():
    alpha = alpha_estimate(
        resample(count_patterns(*simulated(units=300, annotators=30)[:3], domain=SCALE)),
        Level.ORDINAL,
    )

    mean = spearman_brown_estimate(alpha, ratings=3)

    assert mean.value == pytest.approx(3 * alpha.value / (1 + 2 * alpha.value))
    assert alpha.low < mean.low < mean.value < mean.high < 1
    assert "mean of 3 ratings" in mean.reason


def test_the_full_report_names_every_measure_and_each_once():
    report = full_report(code_ratings(*simulated(units=30, annotators=3)[:3], domain=SCALE))

    names = [(one.measure, one.weights) for one in report.estimates]
    assert len(set(names)) == len(names)
    assert {measure for measure, _ in names} == {
        "percent_agreement",
        "krippendorff_alpha",
        "gwet_ac",
        "brennan_prediger",
        "fleiss_kappa_gen",
        "fleiss_kappa",
        "conger_kappa",
        "cohen_kappa",
        "scott_pi",
        "icc",
        "spearman_brown",
    }
    assert report.figure("cohen_kappa", "identity").reason == "for two annotators; there are 3"
    assert report.figure("fleiss_kappa", "identity").value == pytest.approx(
        report.figure("fleiss_kappa_gen", "identity").value
    )
    assert report.figure("icc", "ICC2").low < report.figure("icc", "ICC2").value


def test_measures_for_other_designs_are_undefined_with_the_reason():
    columns = simulated(units=30, annotators=4, overlap=3)
    uneven = list(zip(*columns[:3], strict=True))[:-1]

    report = full_report(code_ratings(*zip(*uneven, strict=True), domain=SCALE))

    assert "everybody rates every unit" in report.figure("icc", "ICC1").reason
    fleiss = report.figure("fleiss_kappa", "identity")
    assert (fleiss.value, fleiss.state) == (None, State.UNDEFINED)
    assert "see fleiss_kappa_gen" in fleiss.reason
    assert report.figure("fleiss_kappa_gen", "identity").value is not None


def test_texts_are_reported_at_nominal_level_only():
    ratings = code_ratings([0, 0, 1, 1], [0, 1, 0, 1], ["A", "B", "B", "B"], domain=["A", "B"])

    report = full_report(ratings)

    assert {one.weights for one in report.estimates} == {"nominal", "identity"}
    with pytest.raises(ValueError, match="nominal level only"):
        full_report(ratings, level=Level.ORDINAL)


def test_scores_below_zero_have_no_ratio_level():
    ratings = code_ratings([0, 0, 1, 1], [0, 1, 0, 1], [-1, 0, 1, 1], domain=[-1, 0, 1])

    report = full_report(ratings)

    assert "ratio" not in {one.weights for one in report.estimates}
    with pytest.raises(ValueError, match="below zero"):
        full_report(ratings, level=Level.RATIO)
