"""Agreement of a batch: what enters, what is left out and counted, and the figures."""

from collections import Counter
from datetime import timedelta

import numpy as np
import pytest

from annotation.actions.evidence import next_number
from annotation.actions.voids import Target, lift, void
from annotation.agreement.patterns import count_patterns
from annotation.agreement.preferences import OUTCOMES, preference_report
from annotation.agreement.reliability import short_report
from annotation.choices import (
    BatchKind,
    BatchPurpose,
    BatchSettings,
    Cause,
    LocalScope,
    Origin,
    Outcome,
    PreferenceScope,
    SeatPurpose,
)
from annotation.models import (
    Dimension,
    Judgment,
    Preference,
    Rating,
    Response,
)
from annotation.reports.agreement import batch_agreement
from annotation.reports.pairs import Snapshot
from annotation.reports.ratings import rating_pages
from tests.factories import (
    NOW,
    make_batch,
    make_gold,
    make_item,
    make_items,
    make_lead,
    make_member,
    make_tree,
)
from tests.judged import judge

pytestmark = pytest.mark.django_db

TEXT = "text_quality"


def dimension(report, key=TEXT):
    return next(one for one in report.dimensions if one.key == key)


def overall(report):
    return next(one for one in report.preferences if one.scope == "overall")


def both(item, first, second=None, key=TEXT):
    """Scores of both sides on one dimension."""
    return {
        (item.response_1, key): first,
        (item.response_2, key): first if second is None else second,
    }


@pytest.fixture
def people():
    return [make_member(name=f"person-{number}") for number in range(3)]


def random_batch(people, *, items=25, seed=0, kind=BatchKind.TURN_PAIR):
    """Every person judges every item: scores 0 to 3 on two dimensions and a preference."""
    rng = np.random.default_rng(seed)
    batch = make_batch(kind=kind)
    for item in make_items(batch, items=items, seats=len(people)):
        quality = rng.integers(0, 4, size=4)
        for person in people:
            seen = np.clip(quality + rng.integers(-1, 2, size=4), 0, 3).tolist()
            outcome = rng.choice(4)
            judge(
                item,
                person,
                scores={
                    (item.response_1, TEXT): seen[0],
                    (item.response_2, TEXT): seen[1],
                    (item.response_1, "context_coherence"): seen[2],
                    (item.response_2, "context_coherence"): seen[3],
                },
                overall=[item.response_1, item.response_2, "tie", "both_bad"][outcome],
            )
    return batch


def test_the_figures_are_those_of_the_rows(people):
    batch = random_batch(people)

    report = batch_agreement(batch)

    for key in (TEXT, "context_coherence"):
        rows = Rating.objects.filter(dimension__key=key).values_list(
            "response", "judgment__member", "score", "response__dialogue"
        )
        units, who, scores, dialogues = zip(*rows, strict=True)
        expected = short_report(
            count_patterns(units, who, scores, domain=(0, 1, 2, 3), clusters=dialogues)
        )
        found = dimension(report, key).reliability
        assert (found.units, found.pairable_units, found.ratings) == (50, 50, 150)
        assert (found.annotators, found.clusters) == (3, 25)
        assert found.marginals == expected.marginals
        for ours, theirs in zip(found.estimates, expected.estimates, strict=True):
            assert ours.value == pytest.approx(theirs.value, abs=1e-12)
            assert ours.state == theirs.state
    assert (report.judgments, report.items, report.dialogues, report.annotators) == (75, 25, 25, 3)
    assert report.left_out == {}


def test_preferences_are_those_of_the_rows(people):
    batch = random_batch(people)
    codes = []
    for one in Preference.objects.select_related("judgment__item"):
        name = one.outcome
        if one.preferred_id:
            on_first = one.preferred_id == one.judgment.item.response_1_id
            name = "response_1" if on_first else "response_2"
        codes.append((one.judgment.item_id, one.judgment.member_id, name))
    expected = preference_report(count_patterns(*zip(*codes, strict=True), domain=OUTCOMES))

    found = overall(batch_agreement(batch)).agreement

    assert found.outcomes == expected.outcomes
    for ours, theirs in zip(found.estimates, expected.estimates, strict=True):
        assert ours.measure == theirs.measure
        assert ours.value == pytest.approx(theirs.value, abs=1e-12)


def test_dimensions_are_never_pooled(people):
    batch = random_batch(people)

    report = batch_agreement(batch)

    assert [one.key for one in report.dimensions] == [
        "local_image_text_consistency",
        "visual_perceptual_quality",
        "context_coherence",
        TEXT,
    ]
    unrated = dimension(report, "visual_perceptual_quality").reliability
    assert unrated.estimates[0].value is None
    assert unrated.estimates[0].reason == "no unit has two ratings"


def test_ratings_outside_ordinal_statistics_are_counted_by_reason(people):
    batch = make_batch(kind=BatchKind.CONVERSATION_PAIR)
    first, second = make_items(batch, items=2)
    style = "style_coherence"
    earlier = judge(
        first, people[0], scores=both(first, -1, 3, key=style) | both(first, 2, key="helpfulness")
    )
    rating = earlier.ratings.get(response=first.response_1, dimension__key="helpfulness")
    judge(
        first,
        people[1],
        scores=both(first, {"score": 3, "origin": Origin.BY_RULE}, 2, key=style)
        | both(first, None, 1, key="helpfulness"),
    )
    judge(
        second,
        people[0],
        scores={
            (first.response_1, "helpfulness"): {
                "score": 2,
                "origin": Origin.CARRIED,
                "carried_from": rating,
            },
            (second.response_1, "helpfulness"): {"score": 1, "origin": Origin.PROPOSED},
        },
    )

    report = batch_agreement(batch)

    assert dimension(report, style).left_out == {"outside_order": 1, "by_rule": 1}
    assert dimension(report, style).reliability.domain == (0, 1, 2, 3)
    assert dimension(report, style).reliability.marginals == (0, 0, 1, 1)
    assert dimension(report, "helpfulness").left_out == {"not_applicable": 1, "carried": 1}
    assert dimension(report, "helpfulness").reliability.ratings == 4


def test_a_unit_rated_again_in_a_later_item_counts_once_and_by_the_last(people):
    batch = make_batch()
    tree = make_tree(paths=3, turns=1, fork=1)
    one, two, three = tree.responses.order_by("content_key")
    early, late = make_item(batch, one, two), make_item(batch, one, three)
    judge(early, people[0], scores={(one, TEXT): 0})
    judge(late, people[0], scores={(one, TEXT): 3})
    judge(early, people[1], scores={(one, TEXT): 3})

    found = dimension(batch_agreement(batch))

    assert found.reliability.marginals == (0, 0, 0, 2)
    assert (found.reliability.units, found.reliability.ratings) == (1, 2)
    assert found.left_out == {"rated_again": 1}


def test_what_is_not_independent_is_left_out_and_the_counts_balance(people):
    batch = make_batch()
    lead = make_lead()
    items = make_items(batch, items=7)
    kept, gold, repeated, seen, late, withdrawn, voided = items
    make_gold(gold)
    repeat = make_item(batch, repeated.response_2, repeated.response_1, repeat_of=repeated)
    for item in (kept, repeated):
        judge(item, people[0], scores=both(item, 1))
        judge(item, people[1], scores=both(item, 2))
    judge(gold, people[0], scores=both(gold, 0))
    judge(repeat, people[0], scores=both(repeated, 0))
    judge(seen, people[0], scores=both(seen, 0), saw_others=True)
    judge(late, people[0], scores=both(late, 0), seated=False)
    judge(kept, people[2], scores=both(kept, 0), purpose=SeatPurpose.EXTRA)
    judge(kept, lead, scores=both(kept, 0), purpose=SeatPurpose.ADJUDICATION, cause="adjudication")
    judge(withdrawn, people[0], scores=both(withdrawn, 0))
    judge(withdrawn, people[0], cause=Cause.WITHDRAWAL)
    judge(voided, people[0], scores=both(voided, 0))
    void(Target(item=voided), by=lead, reason="wrong pictures", now=NOW)

    report = batch_agreement(batch)

    assert report.left_out == {
        "adjudication": 1,
        "extra": 1,
        "gold": 1,
        "repeat": 1,
        "saw_others": 1,
        "surplus": 1,
        "void_item": 1,
        "withdrawn": 1,
    }
    assert report.judgments == 4
    assert report.submitted == 12
    assert report.submitted == Judgment.objects.values("assignment").distinct().count()
    assert dimension(report).reliability.marginals == (0, 4, 4, 0)


def next_number_of(batch):
    from django.db import transaction  # noqa: PLC0415

    with transaction.atomic():
        return next_number(batch.pk)


def test_a_correction_counts_until_its_author_saw_others(people):
    batch = make_batch()
    (item,) = make_items(batch)
    judge(item, people[0], scores=both(item, 0))
    judge(item, people[0], scores=both(item, 1), cause=Cause.CORRECTION)
    judge(item, people[0], scores=both(item, 3), cause=Cause.RETURNED, saw_others=True)
    judge(item, people[1], scores=both(item, 3))

    report = batch_agreement(batch)

    assert dimension(report).reliability.marginals == (0, 2, 0, 2)
    assert (report.judgments, report.left_out) == (2, {})


@pytest.mark.parametrize(
    ("purpose", "left_out"),
    [
        (BatchPurpose.PILOT, {}),
        (BatchPurpose.TRAINING, {"training_batch": 2}),
        (BatchPurpose.REFERENCE, {"reference_batch": 2}),
    ],
)
def test_only_batches_that_are_measured_have_figures(people, purpose, left_out):
    batch = make_batch(purpose=purpose)
    (item,) = make_items(batch)
    for person in people[:2]:
        judge(item, person, scores=both(item, 1))

    report = batch_agreement(batch)

    assert report.left_out == left_out
    assert report.judgments == 2 - sum(left_out.values())


def test_an_older_number_gives_the_older_figures(people):
    batch = make_batch()
    (item,) = make_items(batch)
    judge(item, people[0], scores=both(item, 1))
    judge(item, people[1], scores=both(item, 1))
    then = batch_agreement(batch)
    void(Target(member=people[1], since=NOW - timedelta(days=1)), by=make_lead(), reason="copied",
         now=NOW)  # fmt: skip
    judge(item, people[2], scores=both(item, 3), purpose=SeatPurpose.EXTRA)

    assert batch_agreement(batch, number=2) == then
    after = batch_agreement(batch)
    assert after.number == 4
    assert after.left_out == {"extra": 1, "void_member": 1}


def test_lifting_a_void_gives_the_figures_back(people):
    batch = random_batch(people, items=4)
    before = batch_agreement(batch).as_dict()
    (row,) = void(Target(member=people[0]), by=make_lead(), reason="copied", now=NOW)
    without = batch_agreement(batch).as_dict()
    lift(row, by=make_lead(), reason="no", now=NOW)

    after = batch_agreement(batch).as_dict()

    assert without["annotators"] == 2
    assert {**after, "number": 0} == {**before, "number": 0}


def test_more_than_31_equal_scores_of_a_unit_are_counted_right():
    crowd = [make_member(name=f"one-of-{number}", user=False) for number in range(36)]
    batch = make_batch()
    item, other = make_items(batch, items=2, seats=36)
    for number, person in enumerate(crowd):
        judge(item, person, scores=both(item, 2 if number < 34 else 3), overall=item.response_1)
        if number < 2:
            judge(other, person, scores=both(other, number), overall=other.response_2)

    report = batch_agreement(batch)

    found = dimension(report).reliability
    assert found.marginals == (2, 2, 68, 4)
    assert (found.units, found.annotators) == (4, 36)
    assert overall(report).agreement.outcomes == (36, 0, 2, 0)


def test_the_share_of_first_shown_wins_counts_decided_preferences_only(people):
    batch = make_batch()
    items = make_items(batch, items=4)
    for item in items:
        for person in people[:2]:
            shown = Response.objects.get(
                pk=item.response_1_id
                if item.seats.filter(state="open").order_by("number").first().shown_first == 1
                else item.response_2_id
            )
            judge(item, person, overall=shown if item != items[3] else "tie")

    found = overall(batch_agreement(batch)).first_shown

    assert (found.first, found.decided, found.share) == (6, 6, 1.0)
    assert found.low == pytest.approx(6 / (6 + 1.959964**2), abs=1e-6)


def test_the_preference_at_the_fork_is_by_the_side_it_leads_to(people):
    batch = make_batch(kind=BatchKind.CONVERSATION_PAIR)
    (item,) = make_items(batch, turns=3)
    at_fork = [
        Response.objects.get(pk=side.lineage_ids()[item.fork_depth - 1])
        for side in (item.response_1, item.response_2)
    ]
    for person, preferred in zip(people[:2], at_fork, strict=True):
        judgment = judge(item, person, overall=item.response_1)
        Preference.objects.create(
            judgment=judgment,
            scope=PreferenceScope.FORK,
            outcome=Outcome.PREFERS,
            preferred=preferred,
            strength=1,
        )

    report = batch_agreement(batch)

    fork = next(one for one in report.preferences if one.scope == "fork")
    assert fork.agreement.outcomes == (1, 0, 1, 0)
    assert fork.agreement.figure("reversal_rate").value == 1.0
    assert overall(report).agreement.outcomes == (2, 0, 0, 0)


def test_preferences_by_dimension_stand_apart_and_carried_ones_are_counted(people):
    batch = make_batch()
    (item,) = make_items(batch)
    text = Dimension.objects.get(rubric=batch.rubric, key=TEXT)
    for person, origin in ((people[0], Origin.GIVEN), (people[1], Origin.BY_RULE)):
        judgment = judge(item, person, overall="tie")
        Preference.objects.create(
            judgment=judgment,
            scope=PreferenceScope.DIMENSION,
            dimension=text,
            outcome=Outcome.TIE,
            origin=origin,
        )

    of_text = next(one for one in batch_agreement(batch).preferences if one.dimension == TEXT)

    assert of_text.agreement.outcomes == (0, 1, 0, 0)
    assert of_text.left_out == {"by_rule": 1}


def test_turns_are_apart_and_dialogues_stay_whole(people):
    batch = make_batch(kind=BatchKind.CONVERSATION)
    items = make_items(batch, items=6, turns=3, seats=3)
    for number, item in enumerate(items):
        path = list(Response.objects.on_path(item.response_1))
        for place, person in enumerate(people):
            judge(
                item,
                person,
                scores={
                    (response, TEXT): (number + place * (response.depth == 3)) % 4
                    for response in path
                },
            )

    found = dimension(batch_agreement(batch))

    assert [turn.turn for turn in found.turns] == [1, 2, 3]
    assert [turn.pairable_units for turn in found.turns] == [6, 6, 6]
    assert found.turns[0].alpha.value == 1.0
    assert found.turns[2].alpha.value < 0.5
    assert found.reliability.clusters == 6
    assert found.reliability.units == 18


def test_only_what_the_batch_asks_is_listed(people):
    settings = BatchSettings(local_scope=LocalScope.NONE)
    batch = make_batch(kind=BatchKind.CONVERSATION_PAIR, settings=settings)

    report = batch_agreement(batch)

    assert {one.level for one in report.dimensions} == {"global"}
    assert [one.scope for one in report.preferences] == ["overall"]
    assert report.submitted == 0


def test_the_ratings_file_of_the_set_has_the_same_ratings(people):
    batch = random_batch(people, items=6)
    judge(make_items(batch)[0], make_member(), purpose=SeatPurpose.EXTRA)
    report = batch_agreement(batch)

    rows = [
        row
        for page in rating_pages(Snapshot.now(batch), set_name="independent")
        for row in page.rows
        if row.score is not None
    ]

    counted = Counter((row.dimension, row.score) for row in rows)
    for one in report.dimensions:
        for score, count in zip(one.reliability.domain, one.reliability.marginals, strict=True):
            assert counted[one.key, score] == count


@pytest.mark.parametrize("items", [1, 3])
def test_the_number_of_queries_does_not_grow(people, items, django_assert_max_num_queries):
    batch = random_batch(people, items=items)

    with django_assert_max_num_queries(12):
        batch_agreement(batch)
