"""Everybody's standing, pairs, disagreements and effects of a batch, from real rows."""

import numpy as np
import pytest

from annotation.choices import BatchKind, Branch
from annotation.models import GuidelineVersion
from annotation.models.guidelines import Guideline
from annotation.reports import agreement_counts
from annotation.reports.agreement import batch_agreement
from annotation.reports.annotators import batch_annotators
from annotation.reports.disagreements import batch_disagreements
from annotation.reports.effects import batch_effects
from tests.factories import NOW, make_batch, make_items, make_member
from tests.judged import judge
from tests.measured import measured_batch

pytestmark = pytest.mark.django_db

TEXT = "text_quality"


@pytest.fixture
def people():
    return [make_member(name=name) for name in ("fern", "moss", "reed")]


def scored(people, rows, *, key=TEXT):
    """A batch whose items' first sides have the scores of each row, a person each."""
    batch = make_batch()
    items = make_items(batch, items=len(rows), seats=len(people))
    for item, row in zip(items, rows, strict=True):
        for person, score in zip(people, row, strict=True):
            judge(item, person, scores={(item.response_1, key): score})
    return batch


def test_everybody_stands_beside_their_co_raters(people):
    batch = scored(people, [(0, 1, 1), (1, 2, 2), (2, 3, 3), (0, 1, 2)])

    fern, moss, reed = batch_annotators(batch).annotators

    (figures,) = fern.dimensions
    assert (fern.pseudonym, fern.judgments, fern.items) == ("fern", 4, 4)
    assert (figures.key, figures.ratings) == (TEXT, 4)
    assert figures.severity == pytest.approx((-1 - 1 - 1 - 1.5) / 4)
    assert figures.error == pytest.approx(np.std([-1, -1, -1, -1.5], ddof=1) / 2, rel=1e-6)
    assert (figures.exact, figures.consensus, figures.with_consensus) == (0, 0, 3)
    assert figures.marked
    assert figures.alpha_change > 0
    assert moss.dimensions[0].exact == pytest.approx(3 / 8)
    assert reed.dimensions[0].severity == pytest.approx((0.5 + 0.5 + 0.5 + 1.5) / 4)


def test_whoever_is_paired_with_a_severe_person_is_not_called_lenient(people):
    people = [*people, make_member(name="sage")]
    fern, moss, reed, sage = people
    batch = make_batch()
    rng = np.random.default_rng(3)
    pairs = [(fern, moss)] * 12 + [(fern, reed), (moss, reed), (moss, sage), (reed, sage)] * 5
    for item, pair in zip(make_items(batch, items=len(pairs), seats=2), pairs, strict=True):
        worth = 2 + rng.integers(0, 2)
        for person in pair:
            score = int(worth - 2 if person == fern else worth - (rng.random() < 0.2))
            judge(item, person, scores={(item.response_1, TEXT): score})

    found = {one.pseudonym: one.dimensions[0] for one in batch_annotators(batch).annotators}

    assert found["moss"].severity > 0.5
    assert abs(found["moss"].level) < 0.3
    assert found["fern"].level == pytest.approx(-2, abs=0.4)
    assert [name for name, one in found.items() if one.marked] == ["fern"]


def test_pairs_are_told_once_in_the_order_of_names(people):
    batch = scored(people[::-1], [(0, 1, 1), (1, 2, 2), (2, 3, 3)])

    pairs = batch_annotators(batch).pairs

    assert [(one.one, one.other) for one in pairs] == [
        ("fern", "moss"),
        ("fern", "reed"),
        ("moss", "reed"),
    ]
    assert [(one.units, one.exact, one.difference) for one in pairs] == [
        (3, 1.0, 0.0),
        (3, 0.0, 1.0),
        (3, 0.0, 1.0),
    ]


def test_a_person_who_prefers_what_stands_first_is_marked_and_nobody_else(people):
    batch = make_batch()
    rng = np.random.default_rng(2)
    for item in make_items(batch, items=24, seats=3):
        for place, person in enumerate(people):
            seat = item.seats.filter(state="open").order_by("number").first()
            first = item.response_1 if seat.shown_first == 1 else item.response_2
            sides = [item.response_1, item.response_2]
            judge(item, person, overall=first if place == 0 else sides[rng.integers(2)])

    found = {one.pseudonym: one.first_shown[0] for one in batch_annotators(batch).annotators}

    assert found["fern"].position.first == found["fern"].position.decided == 24
    assert [name for name, one in found.items() if one.marked] == ["fern"]


def test_units_two_points_apart_are_listed_the_widest_first_with_who_said_what(people):
    batch = scored(people, [(0, 1, 1), (1, 3, 2), (3, 0, 3), (2, 2, 2)])

    report = batch_disagreements(batch)

    assert (report.units, report.apart) == (4, 2)
    widest, second = report.listed
    assert (widest.low, widest.high) == (0, 3)
    assert (widest.lower, widest.higher) == (("moss",), ("fern", "reed"))
    assert (second.lower, second.higher) == (("fern",), ("moss",))
    assert widest.item == batch.items.get(position=2).public_id
    assert (widest.side, widest.turn, widest.dimension) == (1, 2, TEXT)


def test_the_longer_side_is_counted_where_lengths_differ(people):
    batch = make_batch()
    items = make_items(batch, items=24, seats=1)
    for place, item in enumerate(items):
        if place < 20:
            item.response_1.text = "longer " * 9
            item.response_1.save(update_fields=["text"])
        judge(item, people[0], overall=item.response_1 if place % 5 else item.response_2)

    length, images = batch_effects(batch).effects

    assert (length.property, length.wins.first, length.wins.decided) == ("length", 16, 20)
    assert length.equal == 4
    assert length.slope.low < length.slope.slope < length.slope.high
    assert length.slope.slope > 0
    assert (images.wins.decided, images.equal, images.slope) == (0, 24, None)


def test_a_batch_without_sides_has_no_effects(people):
    batch = measured_batch(people, items=1, kind=BatchKind.CONVERSATION)

    assert batch_effects(batch).effects == ()


def test_agreement_before_and_after_a_guideline_names_items_and_people_in_common(people):
    guideline = Guideline.objects.create(project=people[0].project, slug="rules")
    versions = [
        GuidelineVersion.objects.create(
            guideline=guideline, number=number, language="en", published_at=NOW
        )
        for number in (1, 2)
    ]
    batch = make_batch(guideline=guideline)
    shared, *rest = make_items(batch, items=7, seats=3)
    for place, item in enumerate(rest):
        late = place >= 3
        for number, person in enumerate(people[late : late + 2]):
            scores = {(item.response_1, TEXT): (place + (number and not late)) % 4}
            judge(item, person, scores=scores, guideline_version=versions[late])
    judge(shared, people[0], scores={(shared.response_1, TEXT): 1}, guideline_version=versions[0])
    judge(shared, people[1], scores={(shared.response_1, TEXT): 1}, guideline_version=versions[1])

    (step,) = batch_agreement(batch).guidelines

    assert (step.before, step.after) == (1, 2)
    assert step.common_people == ("moss",)
    assert (step.common_items, step.item_names) == (1, (shared.public_id,))
    assert (step.judged_before.judgments, step.judged_after.people) == (7, 2)
    (text,) = step.dimensions
    assert (text.before.pairable_units, text.after.pairable_units) == (3, 3)
    assert (text.before.exact.value, text.after.exact.value) == (0.0, 1.0)
    assert text.people_before.pairable_units == 0


def test_one_version_has_no_before_and_after(people):
    assert batch_agreement(measured_batch(people, items=2)).guidelines == ()


def test_image_branches_stand_apart(people):
    batch = make_batch()
    key = "visual_perceptual_quality"
    for place, item in enumerate(make_items(batch, items=6, seats=3)):
        branch = Branch.ANSWER_IMAGES if place < 4 else Branch.USER_IMAGES
        for person in people:
            judge(
                item,
                person,
                scores={(item.response_1, key): {"score": place % 4, "branch": branch}},
            )

    found = next(one for one in batch_agreement(batch).dimensions if one.key == key).branches

    assert [(one.branch, one.pairable_units) for one in found] == [
        ("answer_images", 4),
        ("user_images", 2),
    ]
    assert found[0].alpha.value == 1.0


def test_many_dialogues_are_resampled_in_groups_and_no_value_changes(people, monkeypatch):
    batch = measured_batch(people, items=12)
    before = batch_agreement(batch), batch_annotators(batch)
    monkeypatch.setattr(agreement_counts, "MOST_DIALOGUES", 5)

    agreement, annotators = batch_agreement(batch), batch_annotators(batch)

    for one, other in zip(agreement.dimensions, before[0].dimensions, strict=True):
        assert one.reliability.clusters == other.reliability.clusters == 12
        for figure, same in zip(
            one.reliability.estimates, other.reliability.estimates, strict=True
        ):
            assert figure.value == pytest.approx(same.value)
    assert [one.dimensions[0].severity for one in annotators.annotators] == pytest.approx(
        [one.dimensions[0].severity for one in before[1].annotators]
    )
