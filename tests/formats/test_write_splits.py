"""Splits by joined trees, and what holds when data is added."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.formats.splits import BadSplit, Shares, Tree, counts, joined, parse_shares, placed

SHARES = Shares(60, 20, 20)
TREES = st.lists(
    st.builds(
        Tree,
        st.integers(0, 40).map(lambda n: f"root-{n}"),
        st.frozensets(st.integers(0, 15).map(lambda n: f"image-{n}"), max_size=3),
    ),
    max_size=25,
    unique_by=lambda tree: tree.root,
)


def tree(root, *images):
    return Tree(root, frozenset(images))


def test_trees_that_share_a_picture_are_joined_through_any_chain():
    found = joined([tree("d", "y"), tree("a", "x"), tree("b", "x", "y"), tree("c")])

    assert found == {"a": "a", "b": "a", "c": "c", "d": "a"}


@given(TREES, st.integers(0, 99), st.randoms())
def test_no_picture_stands_in_two_splits_and_order_says_nothing(trees, seed, random):
    places = placed(trees, shares=SHARES, seed=seed)

    shuffled = list(trees)
    random.shuffle(shuffled)
    assert placed(shuffled, shares=SHARES, seed=seed) == places
    for image in {image for one in trees for image in one.images}:
        assert len({places[one.root] for one in trees if image in one.images}) == 1


@given(TREES, TREES, st.integers(0, 99))
def test_added_data_moves_nothing_but_joined_groups_and_those_only_towards_train(old, new, seed):
    known = {one.root for one in old}
    everything = old + [one for one in new if one.root not in known]
    towards_train = {"train": 0, "validation": 1, "test": 2}

    before = placed(old, shares=SHARES, seed=seed)
    after = placed(everything, shares=SHARES, seed=seed)

    alone = {image for one in everything if one.root not in known for image in one.images}
    untouched = {
        one.root
        for one in old
        if not any(
            joined(old)[other.root] == joined(old)[one.root] and other.images & alone
            for other in old
        )
    }
    for root in known:
        assert towards_train[after[root]] <= towards_train[before[root]]
    assert {root: after[root] for root in untouched} == {root: before[root] for root in untouched}


def test_shares_are_met_and_another_seed_deals_anew():
    trees = [tree(f"root-{number}") for number in range(4000)]

    found = counts(placed(trees, shares=Shares(90, 5, 5), seed=1))

    assert sum(found.values()) == 4000
    assert 3500 < found["train"] < 3700
    assert 150 < found["validation"] < 250
    assert placed(trees, shares=SHARES, seed=1) != placed(trees, shares=SHARES, seed=2)


def test_a_share_of_nothing_gets_nothing():
    trees = [tree(f"root-{number}") for number in range(300)]

    assert counts(placed(trees, shares=Shares(50, 0, 50), seed=1))["validation"] == 0
    assert counts(placed(trees, shares=Shares(0, 0, 100), seed=1))["test"] == 300


@pytest.mark.parametrize(
    ("text", "expected"), [("90/5/5", Shares(90, 5, 5)), ("90/10", Shares(90, 0, 10))]
)
def test_shares_are_read_as_they_are_written(text, expected):
    assert parse_shares(text) == expected
    assert parse_shares(str(expected)) == expected


@pytest.mark.parametrize("text", ["", "90", "a/b/c", "1/2/3/4", "-1/1/100", "0.9/0.1"])
def test_shares_that_cannot_be_cut_are_refused(text):
    with pytest.raises(BadSplit):
        parse_shares(text)


@pytest.mark.parametrize(
    ("text", "total"), [("90/5", 95), ("8/1/1", 10), ("0/0/0", 0), ("100/5/5", 110)]
)
def test_shares_that_are_not_the_whole_are_refused_with_their_sum(text, total):
    with pytest.raises(BadSplit, match=f" sum to {total}: they must sum to 100"):
        parse_shares(text)
