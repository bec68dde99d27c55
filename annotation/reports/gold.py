"""Known answers: which stand, which items may serve as gold, and how people did on them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from annotation.agreement.intervals import wilson
from annotation.choices import BatchPurpose, Cause, Outcome, PreferenceScope
from annotation.models.batches import Batch, Item
from annotation.models.judgments import Judgment, Preference, Rating
from annotation.models.projects import Project
from annotation.models.quality import GoldAnswer
from annotation.models.rubric import Rubric, ScalePoint

TESTS = (BatchPurpose.TRAINING, BatchPurpose.QUALIFICATION)


@dataclass(frozen=True, slots=True)
class Scored:
    """One known answer beside what a person said.

    :ivar answer: the known answer, its dimension and response loaded.
    :ivar given: their rating or preference; None where they gave none (the picture was missing).
    :ivar hit: whether it is within the tolerance.
    """

    answer: GoldAnswer
    given: Rating | Preference | None
    hit: bool


@dataclass(frozen=True, slots=True)
class GoldRow:
    """How one person did on the known answers of a batch.

    :ivar items: gold items they judged. :ivar answered: known answers they gave one to.
    :ivar hits: of these, within tolerance. :ivar low, high: Wilson's 95 % interval, taking
        answers as independent, which those of one item are not quite.
    :ivar missed: (item public id, number of its known answers missed), most first.
    """

    member: int
    pseudonym: str
    items: int
    answered: int
    hits: int
    low: float | None
    high: float | None
    missed: tuple[tuple[str, int], ...]

    @property
    def share(self) -> float | None:
        """Hits of the answered, or None where nothing was answered."""
        return self.hits / self.answered if self.answered else None


def standing_answers(items: Iterable[Item]) -> defaultdict[int, list[GoldAnswer]]:
    """Return item key -> its known answers: of several to one question the newest. One query."""
    newest: dict[tuple[int, int | None, int | None], GoldAnswer] = {}
    rows = GoldAnswer.objects.filter(item__in=[item.pk for item in items])
    for answer in rows.select_related("dimension", "response").order_by("number"):
        rated = answer.response_id if answer.score is not None else None
        newest[answer.item_id, answer.dimension_id, rated] = answer
    found: defaultdict[int, list[GoldAnswer]] = defaultdict(list)
    for answer in newest.values():
        found[answer.item_id].append(answer)
    return found


def gold_pool(
    rubric: Rubric, kind: str, *, own: Collection[tuple[int, int | None]], sources: Sequence[str]
) -> list[Item]:
    """Return the items that may be mixed into a batch as gold, one for each pair. One query.

    Items of the project's batches of its kind, with a known answer that its rubric can ask, whose
    sides are not among its own.

    :param own: the sides of the batch's items.
    :param sources: slugs of the batches to take from; empty: all.
    """
    asked = GoldAnswer.objects.filter(item=OuterRef("pk")).filter(
        Q(dimension=None) | Q(dimension__key__in=rubric.dimensions.values("key"))
    )
    items = (
        Item.objects.filter(Exists(asked), batch__project=rubric.project_id, batch__kind=kind)
        .select_related("dialogue", "response_1__turn", "response_2__turn")
        .order_by("batch__created_at", "batch", "position")
    )
    if sources:
        items = items.filter(batch__slug__in=sources)
    pool = {(item.response_1_id, item.response_2_id): item for item in items}
    return [item for sides, item in pool.items() if sides not in own]


def with_known_answers(project: Project) -> "QuerySet[Batch]":
    """Return the project's batches that hold known answers, newest first."""
    known = GoldAnswer.objects.filter(batch=OuterRef("pk"))
    return project.batches.filter(Exists(known)).order_by("-created_at", "-pk")


def score(
    judgment: Judgment, answers: Iterable[GoldAnswer], *, outside: frozenset[tuple[int, int]]
) -> list[Scored]:
    """Return the known answers beside those of one judgment; what it was not asked is left out.

    :param judgment: with `ratings` and `preferences` prefetched.
    :param outside: (dimension, score) of points outside the order, where only the same is right.
    """
    ratings = {(one.response_id, one.dimension_id): one for one in judgment.ratings.all()}
    preferences = {
        (one.scope, one.dimension_id): one
        for one in judgment.preferences.all()
        if one.scope != PreferenceScope.FORK
    }
    scored = []
    for answer in answers:
        if answer.score is not None:
            rating = ratings.get((answer.response_id or 0, answer.dimension_id or 0))
            if rating is not None:
                scored.append(Scored(answer, rating, _near(rating, answer, outside)))
            continue
        scope = PreferenceScope.DIMENSION if answer.dimension_id else PreferenceScope.OVERALL
        preference = preferences.get((scope, answer.dimension_id))
        if preference is not None:
            same = preference.outcome == answer.outcome and (
                answer.outcome != Outcome.PREFERS or preference.preferred_id == answer.response_id
            )
            scored.append(Scored(answer, preference, same))
    return scored


def outside_order(*batches: Batch) -> frozenset[tuple[int, int]]:
    """Return (dimension, score) of the rubrics' points outside the order. One query."""
    rubrics = {batch.rubric_id for batch in batches}
    points = ScalePoint.objects.filter(dimension__rubric__in=rubrics, in_order=False)
    return frozenset(points.values_list("dimension", "score"))


def scored_judgments(batch: Batch, *, number: int) -> list[tuple[Judgment, list[Scored]]]:
    """Return the judgments that are scored, each with its known answers. Five queries.

    In a training or qualification batch a person's first word on each item counts, since they
    are told something afterwards; elsewhere their live judgment.
    """
    tested = batch.purpose in TESTS
    items = batch.items.filter(gold_answers__isnull=False).distinct()
    if not tested:
        items = items.filter(is_gold=True)
    answers = standing_answers(items)
    judgments = Judgment.objects.filter(item__in=list(answers))
    if tested:
        judgments = judgments.up_to(number).filter(cause=Cause.FIRST).order_by("-number")
    else:
        judgments = judgments.current(number=number).order_by("-number")
    rows = judgments.select_related("member", "item").prefetch_related("ratings", "preferences")
    first = {(one.item_id, one.member_id): one for one in rows}
    outside = outside_order(batch)
    return [
        (one, score(one, answers[one.item_id], outside=outside))
        for one in sorted(first.values(), key=lambda one: one.number)
    ]


def scored_tests(batches: Sequence[Batch], *, member: int) -> dict[int, list[list[Scored]]]:
    """Return, by training or qualification batch, how a person's first word on each item scores.

    Six queries, however many batches.
    """
    items = Item.objects.filter(batch__in=batches, gold_answers__isnull=False).distinct()
    answers = standing_answers(items)
    judgments = Judgment.objects.filter(item__in=list(answers), member=member, cause=Cause.FIRST)
    rows = judgments.select_related("item").prefetch_related("ratings", "preferences")
    first = {one.item_id: one for one in rows.order_by("-number")}
    outside = outside_order(*batches)
    found: dict[int, list[list[Scored]]] = {batch.pk: [] for batch in batches}
    for item, one in first.items():
        found[one.item.batch_id].append(score(one, answers[item], outside=outside))
    return found


def gold_report(batch: Batch, *, number: int) -> tuple[GoldRow, ...]:
    """Return how each person did on the batch's known answers, by pseudonym. Six queries."""
    by_member: defaultdict[int, list[tuple[Judgment, list[Scored]]]] = defaultdict(list)
    for judgment, scored in scored_judgments(batch, number=number):
        by_member[judgment.member_id].append((judgment, scored))
    rows = [_row(member, told) for member, told in by_member.items()]
    return tuple(sorted(rows, key=lambda row: row.pseudonym))


def _row(member: int, told: Sequence[tuple[Judgment, Sequence[Scored]]]) -> GoldRow:
    answered = sum(len(scored) for _judgment, scored in told)
    missed: Mapping[str, int] = {
        judgment.item.public_id: sum(not one.hit for one in scored) for judgment, scored in told
    }
    hits = answered - sum(missed.values())
    interval = wilson(hits, answered)
    return GoldRow(
        member=member,
        pseudonym=told[0][0].member.pseudonym,
        items=len(told),
        answered=answered,
        hits=hits,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        missed=tuple(
            sorted(
                ((item, count) for item, count in missed.items() if count),
                key=lambda row: (-row[1], row[0]),
            )
        ),
    )


def _near(rating: Rating, answer: GoldAnswer, outside: frozenset[tuple[int, int]]) -> bool:
    known = answer.score
    if rating.score is None or known is None:
        return False
    points = {(rating.dimension_id, rating.score), (rating.dimension_id, known)}
    if points & outside:
        return rating.score == known
    return abs(rating.score - known) <= answer.tolerance
