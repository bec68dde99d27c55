import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.agreement.alpha import Level, krippendorff_alpha
from annotation.agreement.coefficients import Weighting, coefficient, conger
from annotation.agreement.patterns import (
    DuplicateRating,
    OutsideDomain,
    count_patterns,
    from_histogram,
    merged,
    pack,
)

SCALE = (0, 1, 2, 3)


@st.composite
def rating_tables(draw, scores=SCALE):
    """Columns of distinct (unit, annotator) with a score each."""
    pairs = draw(
        st.lists(st.tuples(st.integers(0, 12), st.integers(0, 5)), min_size=1, unique=True)
    )
    given_scores = draw(st.lists(st.sampled_from(scores), min_size=len(pairs), max_size=len(pairs)))
    return [(unit, annotator, s) for (unit, annotator), s in zip(pairs, given_scores, strict=True)]


def counted(rows, domain=SCALE):
    units, annotators, scores = zip(*rows, strict=True)
    return count_patterns(units, annotators, scores, domain=domain)


def all_coefficients(patterns):
    values = [krippendorff_alpha(patterns, level=level) for level in Level]
    for measure in ("percent_agreement", "gwet_ac", "brennan_prediger", "fleiss_kappa_gen"):
        values += [coefficient(patterns, measure, weighting=one) for one in Weighting]
    values += [conger(patterns, weighting=one) for one in Weighting]
    return values


def same(values, others):
    return all(
        (one is None and other is None)
        or (one is not None and other is not None and one == pytest.approx(other, abs=1e-9))
        for one, other in zip(values, others, strict=True)
    )


def test_units_with_the_same_counts_are_one_pattern():
    patterns = count_patterns(
        ["u", "u", "v", "v", "w"], ["a", "b", "a", "b", "a"], [0, 3, 3, 0, 2], domain=SCALE
    )

    found = {
        tuple(counts): units
        for counts, units in zip(patterns.counts.tolist(), patterns.units.tolist(), strict=True)
    }
    assert found == {(1, 0, 0, 1): 2, (0, 0, 1, 0): 1}
    assert (patterns.rated_units, patterns.pairable_units, patterns.ratings) == (3, 2, 5)
    assert patterns.marginals == (2, 0, 1, 2)
    assert patterns.pairable_marginals == (2, 0, 0, 2)
    assert patterns.annotators == 2


def test_packing_falls_back_where_five_bits_are_too_few():
    unit = np.repeat([0, 1], [40, 3])
    category = np.concatenate([np.zeros(33, int), np.ones(7, int), [0, 1, 3]])

    counts, pattern = pack(unit, category, units=2, q=4)

    assert counts[pattern].tolist() == [[33, 7, 0, 0], [1, 1, 0, 1]]


def test_packing_is_exact_at_31_and_32_equal_scores():
    for size in (31, 32, 64):
        counts, pattern = pack(np.zeros(size, int), np.zeros(size, int), units=1, q=2)
        assert counts[pattern].tolist() == [[size, 0]]


def test_packing_counts_eleven_scores_and_a_full_last_score():
    counts, pattern = pack(np.zeros(11, int), np.arange(11), units=1, q=11)
    assert counts[pattern].tolist() == [[1] * 11]

    crowd = np.concatenate([np.full(5000, 9), [0]])
    counts, pattern = pack(np.zeros(5001, int), crowd, units=1, q=10)
    assert counts[pattern].tolist() == [[1, 0, 0, 0, 0, 0, 0, 0, 0, 5000]]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9)), min_size=1, max_size=400),
    st.integers(10, 12),
)
def test_packing_is_the_plain_count(votes, q):
    unit, category = (np.array(column) for column in zip(*votes, strict=True))

    counts, pattern = pack(unit, category, units=7, q=q)

    plain = np.zeros((7, q), int)
    np.add.at(plain, (unit, category), 1)
    assert np.array_equal(counts[pattern], plain)


def test_an_annotator_who_rated_a_unit_twice_is_refused():
    with pytest.raises(DuplicateRating, match="annotator 'ann' rated unit 'u'") as refusal:
        count_patterns(["u", "v", "u"], ["ann", "ann", "ann"], [0, 1, 0], domain=SCALE)

    assert (refusal.value.first, refusal.value.second) == (0, 2)


@pytest.mark.parametrize("score", [-1, 4, 1.5])
def test_a_score_outside_the_domain_is_refused(score):
    with pytest.raises(OutsideDomain, match="is not in the domain 0, 1, 2, 3") as refusal:
        count_patterns([0, 1], [0, 0], [2, score], domain=SCALE)

    assert refusal.value.row == 1


def test_a_domain_that_names_a_score_twice_is_refused():
    with pytest.raises(ValueError, match="names a score twice"):
        count_patterns([0], [0], [1], domain=(1, 1))


def test_a_unit_in_two_dialogues_is_refused():
    with pytest.raises(ValueError, match="two clusters"):
        count_patterns([0, 0], [0, 1], [1, 1], domain=SCALE, clusters=["x", "y"])


def test_a_histogram_gives_the_figures_of_its_units():
    patterns = from_histogram([[2, 0], [1, 1], [0, 0]], domain=(0, 1), units=[3, 1, 9])
    units, annotators = [0, 0, 1, 1, 2, 2, 3, 3], [0, 1] * 4
    longhand = count_patterns(units, annotators, [0, 0, 0, 0, 0, 0, 0, 1], domain=(0, 1))

    assert patterns.rated_units == 4
    for level in (Level.NOMINAL, Level.INTERVAL):
        assert krippendorff_alpha(patterns, level=level) == krippendorff_alpha(
            longhand, level=level
        )


def test_merging_scores_is_counting_them_as_one():
    rows = [(0, 0, 0), (0, 1, 3), (1, 0, 1), (1, 1, 2), (2, 0, 3), (2, 1, 3)]
    low_high = [(unit, who, int(score > 1)) for unit, who, score in rows]

    joined = merged(counted(rows), into=(0, 0, 1, 1), domain=(0, 1))

    assert all_coefficients(joined) == all_coefficients(counted(low_high, domain=(0, 1)))


@settings(max_examples=60, deadline=None)
@given(rating_tables(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_names_of_people_and_units_do_not_matter(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    people, units = list(range(6)), list(range(13))
    random.shuffle(people)
    random.shuffle(units)
    renamed = [(f"unit {units[u]}", f"person {people[a]}", score) for u, a, score in shuffled]

    assert same(all_coefficients(counted(rows)), all_coefficients(counted(renamed)))


@settings(max_examples=60, deadline=None)
@given(rating_tables(), st.permutations(SCALE))
def test_relabelling_scores_leaves_nominal_figures_alone(rows, names):
    relabelled = [(unit, annotator, names[score]) for unit, annotator, score in rows]
    before, after = counted(rows), counted(relabelled)

    assert same(
        [krippendorff_alpha(before, level=Level.NOMINAL)],
        [krippendorff_alpha(after, level=Level.NOMINAL)],
    )
    for measure in ("percent_agreement", "gwet_ac", "brennan_prediger", "fleiss_kappa_gen"):
        assert same(
            [coefficient(before, measure, weighting=Weighting.IDENTITY)],
            [coefficient(after, measure, weighting=Weighting.IDENTITY)],
        )


@settings(max_examples=60, deadline=None)
@given(rating_tables(), st.integers(1, 5), st.integers(-3, 3))
def test_interval_alpha_ignores_the_unit_and_origin_of_the_scale(rows, factor, shift):
    scale = tuple(factor * score + shift for score in SCALE)
    moved = [(unit, annotator, scale[score]) for unit, annotator, score in rows]

    assert same(
        [krippendorff_alpha(counted(rows), level=Level.INTERVAL)],
        [krippendorff_alpha(counted(moved, domain=scale), level=Level.INTERVAL)],
    )


@settings(max_examples=60, deadline=None)
@given(rating_tables(scores=(0, 2, 3)))
def test_alpha_does_not_know_of_scores_never_given(rows):
    whole, narrow = counted(rows), counted(rows, domain=(0, 2, 3))

    for level in Level:
        assert same(
            [krippendorff_alpha(whole, level=level)], [krippendorff_alpha(narrow, level=level)]
        )


@settings(max_examples=60, deadline=None)
@given(rating_tables())
def test_alpha_ignores_units_with_one_rating(rows):
    more = [*rows, (100, 0, 3), (101, 1, 0)]

    for level in Level:
        assert same(
            [krippendorff_alpha(counted(rows), level=level)],
            [krippendorff_alpha(counted(more), level=level)],
        )


@settings(max_examples=80, deadline=None)
@given(rating_tables())
def test_figures_are_numbers_of_their_range_or_none(rows):
    for value in all_coefficients(counted(rows)):
        assert value is None or (np.isfinite(value) and value <= 1 + 1e-12)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(SCALE), min_size=2, max_size=12), st.integers(2, 4))
def test_full_agreement_is_one_where_scores_vary_and_undefined_where_not(scores, people):
    rows = [(unit, who, score) for unit, score in enumerate(scores) for who in range(people)]

    patterns = counted(rows)

    expected = 1.0 if len(set(scores)) > 1 else None
    for level in Level:
        assert krippendorff_alpha(patterns, level=level) == expected
    assert coefficient(patterns, "percent_agreement", weighting=Weighting.IDENTITY) == 1.0
    assert coefficient(patterns, "fleiss_kappa_gen", weighting=Weighting.IDENTITY) == (
        pytest.approx(expected) if expected else None
    )


def test_no_unit_with_two_ratings_leaves_everything_undefined():
    patterns = counted([(0, 0, 1), (1, 1, 2)])

    assert all_coefficients(patterns) == [None] * len(all_coefficients(patterns))


def test_texts_and_negative_numbers_have_no_distances_they_cannot_have():
    texts = count_patterns([0, 0], [0, 1], ["A", "B"], domain=("A", "B"))
    below = count_patterns([0, 0], [0, 1], [-1, 1], domain=(-1, 0, 1))

    with pytest.raises(ValueError, match="nominal level only"):
        krippendorff_alpha(texts, level=Level.INTERVAL)
    with pytest.raises(ValueError, match="nominal level only"):
        coefficient(texts, "gwet_ac", weighting=Weighting.LINEAR)
    with pytest.raises(ValueError, match="below zero"):
        krippendorff_alpha(below, level=Level.RATIO)
