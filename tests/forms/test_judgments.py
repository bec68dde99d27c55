"""The form's flat fields and the body of answers say the same."""

import pytest
from django.http import QueryDict

from annotation.actions.answers import read_answers
from annotation.actions.assignments import claim_next
from annotation.actions.judgments import submit_judgment
from annotation.choices import BatchKind, BatchSettings, Origin, OverallScale
from annotation.forms.judgments import body_of, body_of_judgment, fields_of
from annotation.reports.questions import questions_of
from tests.factories import NOW, make_slot
from tests.worlds import full_body, open_batch_with


def posted(**fields: str | list[str]) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, value in fields.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    return data


def test_fields_become_the_body_that_the_action_reads():
    data = posted(
        **{
            "score.r1.text_quality": "2",
            "reason.r1.text_quality": "It rambles, and it is the same thing twice.",
            "tag.r1.text_quality": ["redundant", "jumps"],
            "score.r1.style_coherence": "-1",
            "score.r2.visual_quality": "na",
            "score.r2.text_quality": "",
            "preference.overall": "r2:2",
            "preference.dimension:text_quality": "tie",
            "contradiction.dimension:text_quality": "kept",
            "rationale": "B 只说不画",
            "critique.r1": "Shorten it.\r\nAll of it.",
            "image.17": " ",
            "evidence": '{"active_ms": {"1": 1200}, "else": 1}',
            "csrfmiddlewaretoken": "x",
        }
    )

    assert body_of(data) == {
        "ratings": {
            "r1": {
                "text_quality": {
                    "score": 2,
                    "reason": "It rambles, and it is the same thing twice.",
                    "reason_language": "en",
                    "tags": ["redundant", "jumps"],
                },
                "style_coherence": {"score": -1},
            },
            "r2": {"visual_quality": {"na": True}},
        },
        "preferences": {
            "overall": {"outcome": "prefers", "preferred": "r2", "strength": 2},
            "dimension:text_quality": {"outcome": "tie", "contradiction": "kept"},
        },
        "remarks": {
            "rationale": {"text": "B 只说不画", "language": "zh"},
            "critique:r1": {"text": "Shorten it.\nAll of it.", "language": "en"},
        },
        "evidence": {"active_ms": {"1": 1200}},
    }


def test_a_value_by_rule_and_a_value_left_as_it_was_say_so():
    data = posted(
        **{
            "score.r1.style_coherence": "rule:3",
            "score.r1.text_quality": "2",
            "yours.r1.text_quality": "2",
            "score.r2.text_quality": "1",
            "yours.r2.text_quality": "2",
        }
    )

    assert body_of(data)["ratings"] == {
        "r1": {
            "style_coherence": {"score": 3, "origin": "by_rule"},
            "text_quality": {"score": 2, "origin": "carried"},
        },
        "r2": {"text_quality": {"score": 1}},
    }


def test_what_is_no_number_is_passed_on_to_be_refused_by_name():
    assert body_of(posted(**{"score.r1.text_quality": "lots"}))["ratings"] == {
        "r1": {"text_quality": {"score": "lots"}}
    }


@pytest.mark.parametrize("evidence", ["", "nonsense", "[1]", '"x"', "{" * 30_000])
def test_evidence_that_cannot_be_read_is_no_evidence(evidence):
    assert body_of(posted(evidence=evidence))["evidence"] == {}


@pytest.mark.django_db
@pytest.mark.parametrize("kind", list(BatchKind))
def test_a_stored_judgment_fills_the_form_with_what_it_says(kind):
    settings = BatchSettings(overall_scale=OverallScale.GRADED)
    batch, (annotator, _) = open_batch_with(kind=kind, settings=settings)
    held = claim_next(batch, by=annotator, now=NOW)
    slot = make_slot(response=held.item.response_1)
    body = full_body(held) | {
        "remarks": {
            f"image:{slot.pk}": {"text": "The hands.", "language": "en"},
            f"critique:{held.item.response_1.public_id}": {"text": "Shorter.", "language": ""},
        }
    }
    judgment = submit_judgment(held, by=annotator, body=body, key="one", now=NOW)

    fields = fields_of(body_of_judgment(judgment))
    again = body_of(posted(**fields))

    questions = questions_of(held.item, member=annotator)
    read, first = read_answers(questions, again), read_answers(questions, body)
    assert (read.ratings, read.preferences) == (
        tuple(one.__class__(**{**_fields(one), "reason_language": "en"}) for one in first.ratings),
        first.preferences,
    )
    assert sorted(read.remarks, key=str) == sorted(
        (
            one.__class__(**{**_fields(one), "language": language})
            for one, language in zip(first.remarks, ("en", ""), strict=True)
        ),
        key=str,
    )
    assert {one.origin for one in read.ratings} == {Origin.GIVEN}


def _fields(one: object) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__slots__}  # type: ignore[attr-defined]
