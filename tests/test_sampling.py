"""Seeded choices: the same everywhere, balanced, and indifferent to the order of the input."""

import os
import subprocess
import sys
from collections import Counter
from itertools import combinations, pairwise
from pathlib import Path as FilePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.choices import ItemOrder, PairChoice
from annotation.sampling import (
    Candidate,
    Fork,
    Pair,
    Path,
    coin,
    conversation_pairs,
    count_of,
    draw,
    gold_due,
    in_seeded_order,
    in_share,
    place_in_order,
    repeat_due,
    sample,
    shown_first,
    shuffled_place,
    stratified_share,
    swapped,
    turn_pairs,
)

seeds = st.text(max_size=12)
keys = st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=40)


def branch(*responses: str, faces: tuple[str, ...] | None = None) -> Path:
    """A path whose turns are new wherever its responses are: paths fork at responses."""
    nodes: list[str] = ["root"]
    for depth, _response in enumerate(responses):
        nodes.append("/".join(responses[: depth + 1]))
        if depth + 1 < len(responses):
            nodes.append(f"{nodes[-1]} asked on")
    return Path(nodes=tuple(nodes), faces=faces or responses)


def fan(count: int, *, length: int = 2) -> list[Path]:
    """A tree that forks at its first turn into `count` paths of one length."""
    return [branch(f"{index:02}", *["more"] * (length - 1)) for index in range(count)]


def times_used(pairs: tuple[Pair, ...]) -> Counter[str]:
    return Counter(side for pair in pairs for side in (pair.response_1, pair.response_2))


# --- Draws


def test_draw_gives_the_numbers_written_down_when_this_was_made():
    assert draw("seed", "item") == 4878449706317138621
    assert draw("种子", "项") == 14484959823392611480


def test_draw_does_not_depend_on_the_hash_seed_of_the_process():
    script = "from annotation.sampling import draw; print(draw('seed', 'item'))"
    printed = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=FilePath(__file__).parents[1],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }

    assert printed == {f"{draw('seed', 'item')}\n"}


def test_draw_tells_where_one_part_of_a_key_ends():
    assert draw("s", "ab", "c") != draw("s", "a", "bc")
    assert draw("s", "ab") != draw("sa", "b")


@given(seed=seeds, things=keys, data=st.data())
def test_seeded_order_does_not_depend_on_the_order_of_the_input(seed, things, data):
    shuffled = data.draw(st.permutations(things))

    assert in_seeded_order(seed, shuffled, key=str) == in_seeded_order(seed, things, key=str)
    assert sorted(in_seeded_order(seed, things, key=str)) == sorted(things)


@given(seed=seeds, things=keys, count=st.integers(0, 50))
def test_a_sample_begins_every_larger_sample(seed, things, count):
    smaller = sample(seed, things, count, key=str)

    assert len(smaller) == min(count, len(things))
    assert sample(seed, things, count + 5, key=str)[: len(smaller)] == smaller


def test_a_negative_sample_is_refused():
    with pytest.raises(ValueError, match="cannot draw -1"):
        sample("seed", ["a"], -1, key=str)


def test_another_seed_gives_another_order():
    things = [str(number) for number in range(20)]

    assert in_seeded_order("one", things, key=str) != in_seeded_order("two", things, key=str)


# --- A person's order


def order_of(member: str, order: ItemOrder) -> list[tuple[str, str]]:
    items = [(f"dialogue {d}", f"item {d}.{i}") for d in range(6) for i in range(4)]
    return sorted(
        items,
        key=lambda pair: place_in_order(
            "seed", member=member, dialogue=pair[0], item=pair[1], order=order
        ),
    )


def test_by_dialogue_keeps_the_items_of_a_dialogue_together():
    dialogues = [dialogue for dialogue, _ in order_of("heron", ItemOrder.BY_DIALOGUE)]

    assert len([a for a, b in pairwise(dialogues) if a != b]) == 5


def test_shuffled_mixes_dialogues():
    dialogues = [dialogue for dialogue, _ in order_of("heron", ItemOrder.SHUFFLED)]

    assert len([a for a, b in pairwise(dialogues) if a != b]) > 10


@pytest.mark.parametrize("order", list(ItemOrder))
def test_two_people_have_different_orders_of_the_same_items(order):
    assert order_of("heron", order) != order_of("larch", order)
    assert sorted(order_of("heron", order)) == sorted(order_of("larch", order))


# --- The side shown first


@pytest.mark.parametrize("length", [1, 2, 3, 5, 16, 17, 100, 1025])
def test_a_shuffled_order_has_every_place_once(length):
    for person in ("ann", "ben"):
        order = [shuffled_place("7", person, at=at, length=length) for at in range(length)]
        assert sorted(order) == list(range(length))


def test_shuffled_orders_are_mixed_and_differ_between_people():
    orders = [
        [shuffled_place("7", person, at=at, length=500) for at in range(500)]
        for person in ("ann", "ben")
    ]
    steps = {later - earlier for earlier, later in pairwise(orders[0])}

    assert sum(one == other for one, other in zip(*orders, strict=True)) < 10
    assert len(steps) > 250


@pytest.mark.parametrize("at", [-1, 3])
def test_a_place_outside_the_order_is_refused(at):
    with pytest.raises(ValueError, match="no place"):
        shuffled_place("7", at=at, length=3)


@given(seed=seeds, item=st.text(), seat=st.integers(1, 50))
def test_every_second_seat_sees_the_other_order(seed, item, seat):
    first = coin(seed, item)

    assert {shown_first(first, seat), shown_first(first, seat + 1)} == {1, 2}
    assert shown_first(first, 1) == first
    assert swapped(shown_first(first, seat)) == shown_first(first, seat + 1)


@pytest.mark.parametrize("seed", ["", "one", "two", "三"])
def test_the_coin_is_fair(seed):
    heads = sum(coin(seed, f"item {number}") == 1 for number in range(4000))

    assert abs(heads - 2000) < 130  # four standard deviations


@pytest.mark.parametrize(("item_coin", "seat"), [(0, 1), (3, 1), (1, 0)])
def test_no_side_is_shown_for_a_coin_or_seat_that_is_none(item_coin, seat):
    with pytest.raises(ValueError, match=r"coin shows|seats count"):
        shown_first(item_coin, seat)


# --- Shares


@given(seed=seeds, key=st.text(), small=st.floats(0, 1), large=st.floats(0, 1))
def test_a_larger_share_holds_every_smaller_one(seed, key, small, large):
    small, large = sorted((small, large))

    assert in_share(seed, large, key) or not in_share(seed, small, key)
    assert in_share(seed, 1, key)
    assert not in_share(seed, 0, key)


def test_a_fifth_of_many_units_is_about_a_fifth():
    drawn = sum(in_share("seed", 0.2, f"unit {number}", "L1") for number in range(5000))

    assert abs(drawn - 1000) < 115  # four standard deviations


@given(
    seed=seeds,
    strata=st.dictionaries(st.text(max_size=6), st.sampled_from("abcd"), max_size=60),
    share=st.floats(0, 1),
)
def test_each_stratum_gives_its_share_to_within_one(seed, strata, share):
    drawn = stratified_share(seed, strata, share)

    assert drawn <= set(strata)
    assert abs(len(drawn) - share * len(strata)) <= 0.5 + 1e-9
    for name, size in Counter(strata.values()).items():
        assert abs(sum(strata[key] == name for key in drawn) - share * size) < 1 + 1e-9


@given(strata=st.dictionaries(st.text(max_size=6), st.sampled_from("ab")), data=st.data())
def test_a_stratified_share_does_not_depend_on_the_order_of_the_input(strata, data):
    shuffled = dict(data.draw(st.permutations(list(strata.items()))))

    assert stratified_share("seed", shuffled, 0.3) == stratified_share("seed", strata, 0.3)


def test_a_share_is_taken_as_it_is_written():
    """0.07 * 100 is a little more than 7 and 0.29 * 100 a little less than 29 in binary."""
    hundred = {str(number): "all" for number in range(100)}

    assert len(stratified_share("seed", hundred, 0.07)) == 7
    assert len(stratified_share("seed", hundred, 0.29)) == 29


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_what_is_no_share_is_refused(share):
    with pytest.raises(ValueError, match="between 0 and 1"):
        in_share("seed", share, "key")
    with pytest.raises(ValueError, match="between 0 and 1"):
        stratified_share("seed", {"a": "all"}, share)


# --- Conversation pairs


def test_all_takes_every_pair_of_paths():
    selection = conversation_pairs(fan(4), seed="seed", choice=PairChoice.ALL)

    assert [(pair.response_1, pair.response_2) for pair in selection.pairs] == [
        (f"{one}/more", f"{other}/more") for one, other in combinations(["00", "01", "02", "03"], 2)
    ]
    assert {(pair.fork_turn, pair.fork) for pair in selection.pairs} == {(1, Fork.RESPONSE)}


@given(count=st.integers(3, 30), seed=seeds)
def test_a_ring_has_every_path_twice(count, seed):
    selection = conversation_pairs(fan(count), seed=seed, choice=PairChoice.RING)

    assert set(times_used(selection.pairs).values()) == {2}
    assert len(times_used(selection.pairs)) == count
    assert len(selection.pairs) == count
    assert selection.not_chosen == count * (count - 1) // 2 - count


def test_a_ring_is_one_circle_and_not_several():
    pairs = conversation_pairs(fan(12), seed="seed", choice=PairChoice.RING).pairs

    reached = {pairs[0].response_1}
    while (
        grown := {
            side
            for pair in pairs
            if {pair.response_1, pair.response_2} & reached
            for side in (pair.response_1, pair.response_2)
        }
        - reached
    ):
        reached |= grown
    assert len(reached) == 12


@pytest.mark.parametrize(("paths", "pairs"), [(0, 0), (1, 0), (2, 1), (3, 3), (4, 4), (7, 7)])
def test_the_default_is_all_up_to_three_paths_and_a_ring_above(paths, pairs):
    selection = conversation_pairs(fan(paths), seed="seed")

    assert len(selection.pairs) == pairs


@given(count=st.integers(2, 12), wanted=st.integers(0, 40), seed=seeds)
def test_a_sample_of_pairs_uses_paths_evenly(count, wanted, seed):
    selection = conversation_pairs(fan(count), seed=seed, choice=PairChoice.SAMPLE, per_tree=wanted)

    possible = count * (count - 1) // 2
    assert len(selection.pairs) == min(wanted, possible)
    assert len(set(selection.pairs)) == len(selection.pairs)
    assert selection.not_chosen == possible - len(selection.pairs)
    used = times_used(selection.pairs)
    counts = [used[path.key] for path in fan(count)]
    assert max(counts) - min(counts) <= 2


def test_a_negative_sample_of_pairs_is_refused():
    with pytest.raises(ValueError, match="cannot draw -1"):
        conversation_pairs(fan(3), seed="seed", choice=PairChoice.SAMPLE, per_tree=-1)


def test_pairs_of_unequal_length_are_left_out_and_counted_unless_asked_for():
    paths = [*fan(2, length=2), branch("long", "more", "more")]

    strict = conversation_pairs(paths, seed="seed", choice=PairChoice.ALL)
    asked = conversation_pairs(paths, seed="seed", choice=PairChoice.ALL, equal_length_only=False)

    assert (len(strict.pairs), strict.unequal_length) == (1, 2)
    assert (len(asked.pairs), asked.unequal_length) == (3, 0)
    assert sorted(pair.length_difference for pair in asked.pairs) == [0, 1, 1]


def test_a_path_and_its_own_beginning_make_no_pair():
    paths = [branch("a"), branch("a", "b"), branch("c")]

    selection = conversation_pairs(
        paths, seed="seed", choice=PairChoice.ALL, equal_length_only=False
    )

    assert selection.prefixes == 1
    assert [(pair.response_1, pair.response_2) for pair in selection.pairs] == [
        ("a", "c"),
        ("a/b", "c"),
    ]


def test_a_ring_goes_round_prefixes_where_it_can():
    """Of five paths two are one path and its beginning: they need not be neighbours."""
    paths = [*fan(4, length=2), branch("00")]

    selection = conversation_pairs(
        paths, seed="seed", choice=PairChoice.RING, equal_length_only=False
    )

    assert set(times_used(selection.pairs).values()) == {2}
    assert selection.prefixes == 1


def test_sides_equal_in_text_and_pixels_are_left_out_and_counted():
    twin, other_twin = branch("a", faces=("same",)), branch("b", faces=("same",))
    paths = [twin, other_twin, branch("c"), branch("d")]

    every = conversation_pairs(paths, seed="seed", choice=PairChoice.ALL)
    ring = conversation_pairs(paths, seed="seed", choice=PairChoice.RING)

    assert (len(every.pairs), every.equal) == (5, 1)
    assert ring.equal == 1
    assert times_used(ring.pairs) == {"a": 2, "c": 2, "d": 2}


def test_paths_that_part_at_a_prompt_say_so():
    shared = ("root", "r1")
    one = Path(nodes=(*shared, "asked this", "r2"), faces=("1", "2"))
    other = Path(nodes=(*shared, "asked that", "r3"), faces=("1", "3"))

    selection = conversation_pairs([one, other], seed="seed")

    assert selection.pairs == (Pair("r2", "r3", fork_turn=2, fork=Fork.PROMPT),)


@st.composite
def trees(draw_from):
    """Paths of one to three turns over two responses a turn, some of them cut short."""
    spelled = draw_from(
        st.lists(
            st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(tuple),
            unique=True,
            max_size=8,
        )
    )
    return [branch(*responses) for responses in spelled]


@given(
    paths=trees(),
    choice=st.sampled_from([None, *PairChoice]),
    equal_length_only=st.booleans(),
    seed=seeds,
    data=st.data(),
)
def test_every_pair_of_a_tree_is_accounted_for_whatever_order_it_came_in(
    paths, choice, equal_length_only, seed, data
):
    selection = conversation_pairs(
        paths, seed=seed, choice=choice, equal_length_only=equal_length_only
    )
    again = conversation_pairs(
        data.draw(st.permutations(paths)),
        seed=seed,
        choice=choice,
        equal_length_only=equal_length_only,
    )

    assert selection == again
    assert (
        len(selection.pairs)
        + selection.equal
        + selection.unequal_length
        + selection.prefixes
        + selection.not_chosen
    ) == len(paths) * (len(paths) - 1) // 2
    by_key = {path.key: path for path in paths}
    for pair in selection.pairs:
        one, other = by_key[pair.response_1], by_key[pair.response_2]
        assert pair.response_1 < pair.response_2
        assert one.faces[: other.length] != other.faces[: one.length]
        assert not (equal_length_only and one.length != other.length)


def test_paths_with_one_key_or_without_turns_are_refused():
    with pytest.raises(ValueError, match="two paths with one key"):
        conversation_pairs([branch("a"), branch("a")], seed="seed")
    with pytest.raises(ValueError, match="a turn and a response"):
        Path(nodes=("root",), faces=())


# --- Turn pairs


def test_turn_pairs_are_all_siblings_but_the_identical():
    siblings = [Candidate("c", "same"), Candidate("a", "same"), Candidate("b", "other")]

    selection = turn_pairs(siblings, turn=3)

    assert selection.equal == 1
    assert selection.pairs == (
        Pair("a", "b", fork_turn=3, fork=Fork.RESPONSE),
        Pair("b", "c", fork_turn=3, fork=Fork.RESPONSE),
    )


def test_a_turn_with_one_response_has_no_pair():
    assert turn_pairs([Candidate("a", "face")], turn=1).pairs == ()


def test_siblings_with_one_key_are_refused():
    with pytest.raises(ValueError, match="two responses with one key"):
        turn_pairs([Candidate("a", "x"), Candidate("a", "y")], turn=1)


# --- Repeats and gold


@given(gold=st.integers(1, 8), workload=st.integers(8, 200), seed=seeds, member=st.text(max_size=5))
def test_gold_is_spread_over_a_persons_own_work(gold, workload, seed, member):
    golden = [f"gold {number}" for number in range(gold)]

    due = gold_due(seed, golden, member=member, workload=workload, key=str)

    assert sorted(key for key, _at in due) == golden
    assert [at * gold // workload for _key, at in due] == pytest.approx(range(gold), abs=1)
    assert all(0 <= at < workload for _key, at in due)
    assert due == gold_due(seed, reversed(golden), member=member, workload=workload, key=str)


def test_two_people_meet_gold_in_other_places_and_another_order():
    golden = [f"gold {number}" for number in range(6)]
    plans = [gold_due("7", golden, member=f"m{n}", workload=60, key=str) for n in range(20)]

    assert len({tuple(key for key, _at in plan) for plan in plans}) > 15
    assert len({at for plan in plans for _key, at in plan}) > 40
    first = Counter(plan[0][1] for plan in plans)
    assert max(first.values()) < 8


@given(seed=seeds, item=st.text(max_size=5), member=st.text(max_size=5), gap=st.integers(1, 50))
def test_a_repeat_comes_at_least_the_gap_later_and_at_no_fixed_distance(seed, item, member, gap):
    assert gap <= repeat_due(seed, item, member=member, gap=gap) < 2 * gap


def test_distances_of_repeats_vary_over_the_whole_range():
    distances = Counter(repeat_due("7", f"{n}", member="m", gap=10) for n in range(1000))

    assert set(distances) == set(range(10, 20))
    assert min(distances.values()) > 60


def test_a_repeat_right_after_its_original_is_refused():
    with pytest.raises(ValueError, match="at least one item later"):
        repeat_due("7", "item", member="m", gap=0)


@pytest.mark.parametrize(
    ("amount", "count"), [(0, 0), (0.1, 3), (0.101, 4), (1, 1), (7, 7), (400, 30)]
)
def test_below_one_an_amount_is_a_share_and_from_one_on_a_number(amount, count):
    assert count_of(amount, 30) == count
