"""Entering known answers: one by one, from a table, or from a judgment that was decided."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from annotation.actions.evidence import next_number
from annotation.actions.storable import refuse_unstorable
from annotation.choices import Outcome, PreferenceScope
from annotation.errors import Invalid, NotAllowed
from annotation.models.batches import Item
from annotation.models.content import Response
from annotation.models.judgments import Judgment
from annotation.models.projects import Member
from annotation.models.quality import GoldAnswer
from annotation.models.rubric import Dimension
from annotation.permissions import can_lead

MOST_TOLERANCE = 9
OVERALL = "overall"


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """A known answer as a lead enters it.

    :ivar dimension: its key; "" or "overall" for the overall preference.
    :ivar response: what is rated or preferred: "1" or "2" for a side's last response, or a
        response's public id or content key; "" for a preference without a winner.
    :ivar score: of a rating; None for a preference.
    :ivar outcome: of a preference: prefers, tie or both_bad.
    :ivar feedback: what a person in training reads beside it.
    """

    item: Item
    dimension: str = ""
    response: str = ""
    score: int | None = None
    tolerance: int = 0
    outcome: str = ""
    feedback: str = ""


def set_gold_answers(
    answers: Iterable[KnownAnswer], *, by: Member, now: datetime, kept: bool = True
) -> list[GoldAnswer]:
    """Store known answers as numbered evidence, all or none; a newer one replaces the older.

    In a draft they make the item gold when it opens; in a batch that is open or closed they make
    it one that later batches may mix in, and change nothing of its own figures.

    :param kept: whether they are stored, or only checked.
    :raises Invalid: naming each answer, by its place counted from 1, and what is wrong with it.
    :raises NotAllowed: unless `by` leads the project of every item.
    """
    told = list(answers)
    if not can_lead(by) or any(one.item.batch.project_id != by.project_id for one in told):
        raise NotAllowed(_("Only a lead of the project enters known answers."))
    problems: dict[str, str] = {}
    rows: list[GoldAnswer] = []
    for place, one in enumerate(told, start=1):
        try:
            rows.append(_row(one, by=by, now=now))
        except Invalid as wrong:
            problems[f"{place}"] = str(wrong)
    if problems:
        words = " ".join(f"{place}: {said}" for place, said in problems.items())
        raise Invalid(_("Nothing was kept. %(problems)s") % {"problems": words}, fields=problems)
    if not kept:
        return rows
    with transaction.atomic():
        # One order of batches, so that two leads at once never wait for each other in a circle.
        for row in sorted(rows, key=lambda row: row.batch_id):
            row.number = next_number(row.batch_id)
            row.save(force_insert=True)
    return rows


def gold_from_judgment(
    judgment: Judgment,
    *,
    dimensions: Collection[str],
    by: Member,
    now: datetime,
    tolerance: int = 0,
) -> list[GoldAnswer]:
    """Make what a judgment says on these dimensions known answers to its item.

    :param dimensions: keys; `overall` is the overall preference. The reason written for a score
        becomes the feedback that a person in training reads.
    :raises Invalid: where the judgment says nothing on one of them.
    :raises NotAllowed: unless `by` leads the project.
    """
    item = judgment.item
    wanted = set(dimensions)
    answers = [
        KnownAnswer(
            item=item,
            dimension=one.dimension.key,
            response=one.response.public_id,
            score=one.score,
            tolerance=tolerance,
            feedback=one.reason,
        )
        for one in judgment.ratings.select_related("dimension", "response").order_by("pk")
        if one.dimension.key in wanted and one.score is not None
    ]
    for preference in judgment.preferences.select_related("dimension", "preferred").order_by("pk"):
        key = preference.dimension.key if preference.dimension else OVERALL
        if preference.scope != PreferenceScope.FORK and key in wanted:
            answers.append(
                KnownAnswer(
                    item=item,
                    dimension=key,
                    response=preference.preferred.public_id if preference.preferred else "",
                    outcome=preference.outcome,
                )
            )
    silent = sorted(wanted - {one.dimension for one in answers})
    if silent or not answers:
        raise Invalid(
            _("The judgment says nothing on: %(dimensions)s.")
            % {"dimensions": ", ".join(silent) or "?"}
        )
    return set_gold_answers(answers, by=by, now=now)


def _row(told: KnownAnswer, *, by: Member, now: datetime) -> GoldAnswer:
    refuse_unstorable(told.feedback, place="feedback")
    if not 0 <= told.tolerance <= MOST_TOLERANCE:
        raise Invalid(_("the tolerance must be between 0 and %(most)s") % {"most": MOST_TOLERANCE})
    rated = told.score is not None
    if rated == bool(told.outcome):
        raise Invalid(_("say a score, or an outcome (prefers, tie, both_bad), and not both"))
    dimension = _dimension(told)
    if rated:
        _check_score(told, dimension)
        response: Response | None = _response(told)
    else:
        response = _preferred(told)
    return GoldAnswer(
        batch=told.item.batch,
        item=told.item,
        dimension=dimension,
        response=response,
        score=told.score,
        tolerance=told.tolerance if rated else 0,
        outcome=told.outcome,
        feedback=told.feedback.strip(),
        created_by=by,
        created_at=now,
    )


def _dimension(told: KnownAnswer) -> Dimension | None:
    if told.dimension in {"", OVERALL}:
        return None
    rubric = told.item.batch.rubric
    found = rubric.dimensions.filter(key=told.dimension).first()
    if found is None:
        raise Invalid(
            _("the rubric has no dimension %(dimension)s") % {"dimension": told.dimension}
        )
    return found


def _check_score(told: KnownAnswer, dimension: Dimension | None) -> None:
    if dimension is None:
        raise Invalid(_("a score needs its dimension"))
    points: Sequence[int] = sorted(dimension.points.values_list("score", flat=True))
    if told.score not in points:
        raise Invalid(
            _("%(score)s is no score of %(dimension)s, which has %(points)s")
            % {
                "score": told.score,
                "dimension": dimension.key,
                "points": ", ".join(map(str, points)),
            }
        )


def _preferred(told: KnownAnswer) -> Response | None:
    if told.outcome not in set(Outcome):
        raise Invalid(
            _("%(outcome)s is no outcome: use prefers, tie or both_bad") % {"outcome": told.outcome}
        )
    if told.item.response_2_id is None:
        raise Invalid(_("the item has one side, so nothing can be preferred"))
    if told.outcome != Outcome.PREFERS:
        if told.response:
            raise Invalid(_("only prefers names a response"))
        return None
    response = _response(told)
    if response.pk not in {told.item.response_1_id, told.item.response_2_id}:
        raise Invalid(_("that response is no side of the item"))
    return response


def _response(told: KnownAnswer) -> Response:
    item = told.item
    sides = {"1": item.response_1, "2": item.response_2}
    if sides.get(told.response):
        return sides[told.response]  # type: ignore[return-value]
    lineage = {
        int(pk)
        for side in (item.response_1, item.response_2)
        if side is not None
        for pk in side.lineage.strip("/").split("/")
    }
    for response in Response.objects.filter(pk__in=lineage):
        if told.response in {response.public_id, response.content_key}:
            return response
    raise Invalid(
        _(
            "%(response)s is no response of the item: use 1 or 2 for the last one of a side, or its id"
        )
        % {"response": told.response or "?"}
    )
