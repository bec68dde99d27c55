"""Rubrics are data: published once, versioned, refused with every problem named."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from annotation.actions.rubrics import RubricRefused, publish_rubric
from annotation.models import Rubric
from tests.factories import GLOBAL_KEYS, LOCAL_KEYS, NOW, make_project

pytestmark = pytest.mark.django_db

SHIPPED = Path(__file__).parents[2] / "fixtures" / "intermt_rubric.json"
LANGUAGES = {"en", "zh-hans"}


def a_rubric(**changes) -> dict:
    text = {"en": "Tone"}
    dimension = {
        "key": "tone",
        "level": "local",
        "name": text,
        "short_name": text,
        "question": text,
        "points": [{"score": score, "word": text, "meaning": text} for score in range(2)],
    }
    return {
        "format": "intermt-annotate-rubric/1",
        "slug": "house",
        "version": 1,
        "title": text,
        "dimensions": [dimension],
        **changes,
    }


def test_the_shipped_rubric_has_the_nine_dimensions_in_both_languages():
    rubric, is_new = publish_rubric(make_project(), SHIPPED.read_bytes(), now=NOW)

    dimensions = list(rubric.dimensions.order_by("position"))
    assert is_new
    assert [one.key for one in dimensions] == LOCAL_KEYS + GLOBAL_KEYS
    for one in dimensions:
        scores = set(one.points.values_list("score", flat=True))
        assert scores == ({-1, 0, 1, 2, 3} if one.key == "style_coherence" else {0, 1, 2, 3})
        texts = [one.name, one.short_name, one.question, *one.guidance]
        texts += [tag["name"] for tag in one.tags]
        texts += [text for point in one.points.all() for text in (point.word, point.meaning)]
        assert all(set(text) == LANGUAGES and all(text.values()) for text in texts)
    outside = rubric.dimensions.filter(points__in_order=False)
    assert list(outside.values_list("key", "points__score")) == [("style_coherence", -1)]


def test_publishing_the_same_twice_changes_nothing():
    first, _ = publish_rubric(make_project(), SHIPPED.read_bytes(), now=NOW)
    later = NOW + timedelta(days=1)

    again, is_new = publish_rubric(make_project(), SHIPPED.read_bytes(), now=later)

    assert (again, is_new) == (first, False)
    assert Rubric.objects.count() == 1


def test_changed_content_needs_a_higher_version_and_keeps_the_old_one():
    publish_rubric(make_project(), json.dumps(a_rubric()), now=NOW)
    changed = a_rubric(title={"en": "House rules, revised"})

    with pytest.raises(RubricRefused, match='"version": 2'):
        publish_rubric(make_project(), json.dumps(changed), now=NOW)
    second, _ = publish_rubric(make_project(), json.dumps({**changed, "version": 2}), now=NOW)

    assert second.version == 2
    assert Rubric.objects.filter(slug="house").count() == 2


@pytest.mark.parametrize("points", [2, 11])
def test_two_to_eleven_points_are_taken(points):
    body = a_rubric()
    text = {"en": "Tone"}
    body["dimensions"][0]["points"] = [
        {"score": score, "word": text, "meaning": text} for score in range(points)
    ]

    rubric, _ = publish_rubric(make_project(), json.dumps(body), now=NOW)

    assert rubric.dimensions.get().points.count() == points


def broken(**changes) -> dict:
    body = a_rubric()
    body["dimensions"][0].update(changes)
    return body


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("{", "no JSON"),
        ([], '"format"'),
        (a_rubric(slug="Not good"), '"slug"'),
        (a_rubric(version=0), '"version"'),
        (a_rubric(title={"fr": "Ton"}), "title"),
        (a_rubric(dimensions=[]), '"dimensions"'),
        (
            a_rubric(dimensions=a_rubric()["dimensions"] * 2),
            "dimensions[1].key 'tone' stands twice",
        ),
        (broken(level="middle"), "dimensions[0].level"),
        (broken(image_rule="maybe"), "dimensions[0].image_rule"),
        (broken(reason="sometimes"), "dimensions[0].reason"),
        (broken(points=[]), "dimensions[0].points"),
        (broken(points=[{"score": 99}, {"score": 1}]), "dimensions[0].points[0].score"),
        (broken(automatic={"when": "raining", "score": 1}), "dimensions[0].automatic"),
        (broken(tags=[{"name": {"en": "x"}}]), "dimensions[0].tags[0]"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_stored(body, place):
    content = body if isinstance(body, str) else json.dumps(body)

    with pytest.raises(RubricRefused) as refused:
        publish_rubric(make_project(), content, now=NOW)

    assert place in str(refused.value)
    assert not Rubric.objects.exists()


def test_load_rubric_says_which_version_it_is(capsys):
    call_command("load_rubric")
    call_command("load_rubric")

    assert capsys.readouterr().out.splitlines() == [
        "Published rubric intermt 1 with 9 dimensions.",
        "There already: rubric intermt 1 with 9 dimensions.",
    ]


def test_load_rubric_names_the_file_it_cannot_read(tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("load_rubric", str(tmp_path / "none.json"))
    with pytest.raises(CommandError, match="no project"):
        call_command("load_rubric", project="nowhere")
