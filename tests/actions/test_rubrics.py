"""Rubrics are data: published once per content, refused by the place of what is wrong."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotation.actions.rubrics import Published, VersionTaken, publish_rubric
from annotation.choices import REASON_PRESETS, ImageRule, Level
from annotation.errors import Invalid, NotAllowed
from annotation.models import Dimension, Rubric, ScalePoint
from tests.factories import GLOBAL_KEYS, LOCAL_KEYS, NOW, make_lead, make_member, make_project

INTERMT = Path(__file__).resolve().parents[2] / "fixtures" / "intermt_rubric.json"

pytestmark = pytest.mark.django_db


def small(**changes: Any) -> dict[str, Any]:
    """A rubric of one dimension with two points."""
    return {
        "format": "intermt-annotate-rubric/1",
        "slug": "small",
        "version": 1,
        "title": {"en": "Small"},
        "dimensions": [
            {
                "key": "good",
                "level": "global",
                "name": {"en": "Good"},
                "question": {"en": "Is it good?"},
                "points": [
                    {"score": 0, "word": {"en": "No"}, "meaning": {"en": "It is not."}},
                    {"score": 1, "word": {"en": "Yes"}, "meaning": {"en": "It is."}},
                ],
            }
        ],
        **changes,
    }


def publish(body: Any) -> Published:
    data = json.dumps(body).encode()
    return publish_rubric(make_project(), data, by=None, now=NOW)


def test_the_shipped_rubric_has_the_nine_dimensions_in_the_papers_order():
    rubric = publish_rubric(make_project(), INTERMT.read_bytes(), by=None, now=NOW).rubric

    dimensions = list(rubric.dimensions.order_by("position"))
    assert [one.key for one in dimensions] == LOCAL_KEYS + GLOBAL_KEYS
    assert [one.code for one in dimensions] == [
        "L1",
        "L2",
        "L3",
        "L4",
        "G1",
        "G2",
        "G3",
        "G4",
        "G5",
    ]
    assert [one.level for one in dimensions] == [Level.LOCAL] * 4 + [Level.GLOBAL] * 5
    assert {one.key: one.image_rule for one in dimensions if one.image_rule != "none"} == {
        "local_image_text_consistency": ImageRule.ANSWER,
        "visual_perceptual_quality": ImageRule.ANSWER,
        "global_image_text_consistency": ImageRule.CONVERSATION,
        "style_coherence": ImageRule.CONVERSATION,
    }


def test_the_shipped_rubric_has_scores_0_to_3_and_one_point_outside_the_order():
    rubric = publish_rubric(make_project(), INTERMT.read_bytes(), by=None, now=NOW).rubric

    points = ScalePoint.objects.filter(dimension__rubric=rubric)
    outside = points.get(in_order=False)
    assert (outside.dimension.key, outside.score) == ("style_coherence", -1)
    for dimension in rubric.dimensions.all():
        in_order = dimension.points.filter(in_order=True).order_by("score")
        assert [point.score for point in in_order] == [0, 1, 2, 3]


def test_the_shipped_rubric_asks_reasons_as_the_preset_says_and_offers_3_for_one_image():
    rubric = publish_rubric(make_project(), INTERMT.read_bytes(), by=None, now=NOW).rubric

    reasons = {one.key: one.reason for one in rubric.dimensions.exclude(reason="never")}
    assert reasons == REASON_PRESETS["intermt"]
    automatic = {one.key: one.automatic for one in rubric.dimensions.exclude(automatic=None)}
    assert automatic == {"style_coherence": {"when": "images_on_one_turn", "score": 3}}


def test_the_shipped_rubric_is_whole_in_both_languages_with_four_to_six_tags_each():
    missing = []

    def walk(value: Any, path: str) -> None:
        if isinstance(value, dict):
            if "en" in value and not value.get("zh-hans"):
                missing.append(path)
            for name, child in value.items():
                walk(child, f"{path}.{name}")
        elif isinstance(value, list):
            for index, child in enumerate(value):
                walk(child, f"{path}[{index}]")

    body = json.loads(INTERMT.read_text(encoding="utf-8"))
    walk(body, "")

    assert missing == []
    assert {one["key"]: len(one["tags"]) for one in body["dimensions"]}.keys() == {
        *LOCAL_KEYS,
        *GLOBAL_KEYS,
    }
    assert all(4 <= len(one["tags"]) <= 6 for one in body["dimensions"])


def test_publishing_the_same_content_again_changes_nothing():
    first = publish(small())

    again = publish(small())

    assert (first.is_new, again.is_new) == (True, False)
    assert again.rubric == first.rubric
    assert Dimension.objects.filter(rubric__slug="small").count() == 1


def test_changed_content_is_a_new_version_and_the_old_one_stays():
    old = publish(small()).rubric

    new = publish(small(version=2, title={"en": "Small, mended"})).rubric

    assert list(Rubric.objects.filter(slug="small").order_by("version")) == [old, new]
    old.refresh_from_db()
    assert old.title == {"en": "Small"}


def test_changed_content_under_a_published_version_is_refused_and_told_its_number():
    publish(small())

    with pytest.raises(VersionTaken, match=r'Give the new one "version": 2'):
        publish(small(title={"en": "Other"}))


def test_a_rubric_may_have_any_number_of_dimensions_and_eleven_points():
    points = [
        {"score": score, "word": {"en": str(score)}, "meaning": {"en": f"It is {score}."}}
        for score in range(11)
    ]
    dimension = {**small()["dimensions"][0], "points": points, "level": "local"}
    dimensions = [{**dimension, "key": f"dimension-{number}"} for number in range(20)]

    rubric = publish(small(dimensions=dimensions)).rubric

    assert rubric.dimensions.count() == 20
    assert rubric.dimensions.get(position=20).points.count() == 11


DIMENSION = small()["dimensions"][0]
POINTS = DIMENSION["points"]


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"format": "other"}, "format", "is not intermt-annotate-rubric/1"),
        ({"slug": "Not a slug"}, "slug", "small letters"),
        ({"version": 0}, "version", "is not between"),
        ({"dimensions": []}, "dimensions", "is empty"),
        ({"dimensions": [DIMENSION, DIMENSION]}, "dimensions", "the key good stands twice"),
        ({"dimensions": [{**DIMENSION, "level": "turn"}]}, "dimensions[0].level", "one of local"),
        ({"dimensions": [{**DIMENSION, "points": POINTS[:1]}]}, "dimensions[0].points", "1 points"),
        (
            {"dimensions": [{**DIMENSION, "points": [*POINTS, POINTS[0]]}]},
            "dimensions[0].points",
            "the score 0 stands twice",
        ),
        (
            {"dimensions": [{**DIMENSION, "points": [{**POINTS[0], "score": 11}, POINTS[1]]}]},
            "dimensions[0].points[0].score",
            "between -1 and 10",
        ),
        ({"dimensions": [{**DIMENSION, "reason": "often"}]}, "dimensions[0].reason", "'often'"),
        ({"dimensions": [{**DIMENSION, "name": {"fr": "Bon"}}]}, "dimensions[0].name", "English"),
        (
            {
                "dimensions": [
                    {**DIMENSION, "automatic": {"when": "images_on_one_turn", "score": 7}}
                ]
            },
            "dimensions[0].automatic.score",
            "no point of the scale",
        ),
    ],
)
def test_a_faulty_rubric_is_refused_by_the_place_of_the_fault(changes, field, reason):
    with pytest.raises(Invalid) as refused:
        publish(small(**changes))

    assert list(refused.value.fields) == [field]
    assert reason in refused.value.fields[field]
    assert not Rubric.objects.exists()


def test_only_a_lead_publishes():
    data = json.dumps(small()).encode()

    with pytest.raises(NotAllowed):
        publish_rubric(make_project(), data, by=make_member(), now=NOW)

    assert publish_rubric(make_project(), data, by=make_lead(), now=NOW).is_new


def test_load_rubric_publishes_the_nine_dimensions_once():
    first, second = StringIO(), StringIO()

    call_command("load_rubric", stdout=first)
    call_command("load_rubric", stdout=second)

    assert first.getvalue() == "Published intermt 1 with 9 dimensions.\n"
    assert second.getvalue() == "intermt 1 is published already, with 9 dimensions.\n"


def test_load_rubric_names_the_file_that_it_cannot_take(tmp_path):
    file = tmp_path / "rubric.json"
    file.write_text("{}")

    with pytest.raises(CommandError, match=r"rubric\.json: This is no rubric: format: is missing"):
        call_command("load_rubric", str(file))
