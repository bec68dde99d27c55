import numpy as np
import pytest

from annotation.agreement.alpha import Level, krippendorff_alpha
from annotation.agreement.estimates import State
from annotation.agreement.patterns import count_patterns
from annotation.agreement.preferences import OUTCOMES, position, preference_report

ONE, TIE, TWO, BAD = OUTCOMES


def report_of(votes):
    """One row of outcomes per item, one column per annotator."""
    units = [item for item, row in enumerate(votes) for _ in row]
    people = [who for row in votes for who in range(len(row))]
    outcomes = [outcome for row in votes for outcome in row]
    return preference_report(count_patterns(units, people, outcomes, domain=OUTCOMES))


def test_shares_of_preferences_are_counted_by_pairs_of_people():
    report = report_of([[ONE, ONE], [ONE, TWO], [TWO, TIE], [TIE, TIE], [BAD, TIE], [TWO, TWO]])

    assert report.outcomes == (3, 4, 4, 1)
    assert report.figure("percent_agreement").value == pytest.approx(3 / 6)
    assert report.figure("decisive_share").value == pytest.approx(3 / 6)
    assert report.figure("decisive_agreement").value == pytest.approx(2 / 3)
    assert report.figure("reversal_rate").value == pytest.approx(1 / 6)
    assert report.figure("tie_share").value == pytest.approx(4 / 12)
    assert report.figure("both_bad_share").value == pytest.approx(1 / 12)


def test_reversals_are_what_decisive_pairs_do_not_agree_on():
    rng = np.random.default_rng(1)
    report = report_of(rng.choice(OUTCOMES, size=(200, 3)).tolist())

    share, agreement, reversals = (
        report.figure(name).value
        for name in ("decisive_share", "decisive_agreement", "reversal_rate")
    )
    assert reversals == pytest.approx(share * (1 - agreement))


def test_a_tie_is_nearer_to_a_preference_than_its_reversal_is():
    near = report_of([[ONE, TIE], [TWO, TIE], [ONE, ONE], [TWO, TWO], [TIE, TIE]] * 10)
    far = report_of([[ONE, TWO], [TWO, ONE], [ONE, ONE], [TWO, TWO], [TIE, TIE]] * 10)

    def gain(report):
        ordered = report.figure("krippendorff_alpha", Level.ORDINAL).value
        return ordered - report.figure("krippendorff_alpha", Level.NOMINAL).value

    assert gain(near) > 0 > gain(far)


def test_both_bad_is_an_outcome_of_its_own_and_stands_with_ties_in_the_order():
    votes = [[ONE, TIE], [BAD, TIE], [TWO, BAD], [ONE, ONE]]
    merged = [[TIE if one == BAD else one for one in row] for row in votes]

    report, without = report_of(votes), report_of(merged)

    ordered = ("krippendorff_alpha", Level.ORDINAL)
    nominal = ("krippendorff_alpha", Level.NOMINAL)
    assert report.figure(*ordered).value == pytest.approx(without.figure(*ordered).value)
    assert report.figure(*nominal).value != pytest.approx(without.figure(*nominal).value)


def test_coding_by_screen_position_destroys_agreement():
    """Why outcomes are by response: each annotator has an own order of the sides."""
    rng = np.random.default_rng(2)
    better = rng.integers(0, 2, 300)
    votes = np.where(rng.random((300, 3)) < 0.85, better[:, None], 1 - better[:, None])
    by_response = np.array([ONE, TWO])[votes]
    by_position = np.array([ONE, TWO])[votes ^ rng.integers(0, 2, votes.shape)]

    assert report_of(by_response.tolist()).figure("krippendorff_alpha").value > 0.4
    assert abs(report_of(by_position.tolist()).figure("krippendorff_alpha").value) < 0.1


def test_nobody_deciding_leaves_decisive_agreement_undefined():
    report = report_of([[TIE, ONE], [TIE, BAD], [TWO, TIE]])

    assert report.figure("decisive_agreement").value is None
    assert report.figure("decisive_agreement").state == State.UNDEFINED
    assert (
        report.figure("decisive_agreement").reason == "no two people both decided on the same item"
    )


def test_decisive_agreement_leans_on_the_items_that_were_decided_alone():
    few = report_of([[ONE, ONE, TIE]] * 3 + [[TIE, TIE, TIE]] * 147)
    many = report_of([[ONE, ONE, TIE]] * 150)

    one = few.figure("decisive_agreement")
    assert (one.value, one.state) == (1, State.INSUFFICIENT)
    assert one.reason == "3 units on which two people decided; 20 are the least"
    assert one.low == pytest.approx(0.4385, abs=1e-4)
    assert few.figure("reversal_rate").state == State.PROVISIONAL
    assert many.figure("decisive_agreement").low > 0.97


def test_other_outcomes_than_ours_are_refused():
    patterns = count_patterns([0, 0], [0, 1], ["A", "B"], domain=("A", "B"))

    assert krippendorff_alpha(patterns, level=Level.NOMINAL) == 0.0
    with pytest.raises(ValueError, match="response_1, tie, response_2, both_bad"):
        preference_report(patterns)


def test_the_share_shown_first_has_wilsons_interval():
    share = position(first=81, decided=151)

    assert share.share == pytest.approx(81 / 151)
    assert (share.low, share.high) == pytest.approx((0.4570, 0.6141), abs=1e-4)


def test_no_decision_has_no_share():
    nothing = position(first=0, decided=0)

    assert (nothing.share, nothing.low, nothing.high) == (None, None, None)
