"""Named starting points, and answers as a page would send them."""

from typing import Any

from annotation.actions.answers import read_answers
from annotation.actions.evidence import next_number
from annotation.choices import (
    AssignmentState,
    BatchKind,
    BatchSettings,
    Outcome,
    ReviewOutcome,
    Role,
)
from annotation.errors import Invalid
from annotation.models import Assignment, Batch, Member, Response, Review
from annotation.reports.questions import Questions, questions_of
from tests.factories import NOW, make_batch, make_items, make_member


def open_batch_with(
    *,
    kind: BatchKind = BatchKind.TURN_PAIR,
    items: int = 1,
    seats: int = 2,
    people: int = 2,
    settings: BatchSettings | None = None,
    **more: Any,
) -> tuple[Batch, list[Member]]:
    """An open batch of `items` items with `seats` seats each, and its annotators."""
    members = [make_member() for _ in range(people)]
    batch = make_batch(kind=kind, members=members, settings=settings, **more)
    make_items(batch, items=items, seats=seats)
    return batch, members


def full_body(
    assignment: Assignment,
    *,
    score: int = 2,
    preferred: Response | None = None,
    reason: str = "It says what the picture shows.",
) -> dict[str, Any]:
    """Everything the item asks, answered: `score` everywhere, `preferred` (or side 1) better."""
    questions = questions_of(assignment.item, member=assignment.member)
    return body_for(questions, score=score, preferred=preferred, reason=reason)


def body_for(
    questions: Questions, *, score: int = 2, preferred: Response | None = None, reason: str = ""
) -> dict[str, Any]:
    ratings: dict[str, dict[str, Any]] = {}
    for unit in questions.units:
        for question in unit.questions:
            if question.locked:
                continue
            ratings.setdefault(unit.response.public_id, {})[question.dimension.key] = {
                "score": score,
                "reason": reason,
            }
    preferences = {}
    for asked in questions.preferences:
        side = next((one for one in asked.sides if one == preferred), asked.sides[0])
        preferences[asked.key] = {
            "outcome": Outcome.PREFERS,
            "preferred": side.public_id,
            "strength": 1,
        }
    return {"ratings": ratings, "preferences": preferences}


def problems_of(questions: Questions, body: dict[str, Any]) -> dict[str, str]:
    """Return what `read_answers` finds wrong with the body; empty where nothing is."""
    try:
        read_answers(questions, body)
    except Invalid as refused:
        return refused.fields
    return {}


def give_back(assignment, *, note, places=()):
    """Return what was judged to its author, with a word and the answers it is about."""
    judgment = assignment.judgments.get()
    Review.objects.create(
        batch=judgment.batch,
        number=next_number(judgment.batch_id),
        judgment=judgment,
        reviewer=make_member(Role.REVIEWER),
        outcome=ReviewOutcome.RETURN,
        note=note,
        places=list(places),
        created_at=NOW,
    )
    Assignment.objects.filter(pk=assignment.pk).update(state=AssignmentState.RETURNED)
