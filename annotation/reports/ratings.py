"""Ratings of a snapshot, one tidy row each, in pages by evidence number."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet

from annotation.choices import BatchPurpose, Origin, SeatPurpose, SlotState
from annotation.formats.pairs import PairMark, marks_in_words, pair_key
from annotation.formats.write_ratings import RatingRow
from annotation.models.batches import Batch
from annotation.models.content import Response
from annotation.models.judgments import Judgment, JudgmentQuerySet, Rating
from annotation.models.rubric import Dimension, ScalePoint
from annotation.reports.marks import MarksRefused, marks_of, none_refused
from annotation.reports.pairs import Snapshot, final_ones, model_of, why_out, written_at
from annotation.reports.voids import Voids, standing_voids

PAGE = 300
"""Judgments a page."""

NOT_APPLICABLE = "not_applicable"
_MEASURED = (BatchPurpose.PILOT, BatchPurpose.MAIN)

_Unit = tuple[int, int, str]
"""What a person rates once: the member, the response, the dimension's key."""
_Place = tuple[datetime, str, int]
"""When a rating was submitted, its batch's slug, and its judgment's number there."""


@dataclass(frozen=True, slots=True)
class RatingPage:
    """The rows of some judgments in order of their numbers.

    `judgment_count` counts the judgments read, `excluded` those by reason that give no row;
    `after` is the number to ask for next, None on the last page.
    """

    rows: tuple[RatingRow, ...]
    judgment_count: int
    excluded: Counter[str]
    after: int | None


def rating_pages(
    snapshot: Snapshot,
    *,
    set_name: str = "final",
    beside: Sequence[Snapshot] = (),
    after: int = 0,
    size: int = PAGE,
    refused: MarksRefused = none_refused,
) -> Iterator[RatingPage]:
    """Yield the pages from the judgment after number `after` on.

    At most 9 queries each, and one more for each snapshot in `beside`: those that stand in the
    same file, in any order, so that a person counts once for a unit in all of it.

    In the final set a row whose rating enters no ordinal statistic has an empty score and says
    why; the independent set holds the judgments that agreement is computed from.
    """
    reader = _Reader(snapshot, set_name, beside, refused)
    place: int | None = after
    while place is not None:
        page = reader.page(after=place, size=size)
        yield page
        place = page.after


def rating_page(snapshot: Snapshot, **asked: Any) -> RatingPage:
    """Return one page, for the API; asked for as `rating_pages` is."""
    return next(rating_pages(snapshot, **asked))


class _Reader:
    def __init__(
        self,
        snapshot: Snapshot,
        set_name: str,
        beside: Sequence[Snapshot],
        refused: MarksRefused,
    ) -> None:
        self.refused = refused
        self.snapshot = snapshot
        self.set_name = set_name
        self.voids: Voids = standing_voids(snapshot.batch, number=snapshot.number)
        others = (one for one in beside if one.batch.pk != snapshot.batch.pk)
        self.counted = [(snapshot, self.voids)] + [
            (one, standing_voids(one.batch, number=one.number))
            for one in others
            if one.batch.purpose in _MEASURED
        ]
        self.rubric = f"{snapshot.batch.rubric.slug} {snapshot.batch.rubric.version}"
        points = ScalePoint.objects.filter(
            dimension__rubric=snapshot.batch.rubric_id, in_order=False
        )
        self.outside = set(points.values_list("dimension", "score"))
        self.dimensions = Dimension.objects.filter(rubric=snapshot.batch.rubric_id).in_bulk()

    def page(self, *, after: int, size: int) -> RatingPage:
        judgments = self._judgments(after=after, size=size + 1)
        more = len(judgments) > size
        judgments = judgments[:size]
        newest = self._newest(judgments)
        independent = self._independent(judgments)
        final = final_ones(judgments, number=self.snapshot.number, voids=self.voids)
        standing = self._standing(judgments)
        responses = self._responses(judgments)
        dialogues = {judgment.item.dialogue_id for judgment in judgments}
        marks = marks_of(dialogues, number=self.snapshot.marks)
        rows: list[RatingRow] = []
        excluded: Counter[str] = Counter()
        for judgment in judgments:
            if self.set_name == "independent":
                reason = "" if judgment.pk in independent else "not_independent"
            else:
                reason = why_out(judgment, newest=newest, voids=self.voids, final=final)
            marked = marks.get(judgment.item.dialogue_id, ())
            ratings = list(judgment.ratings.all())
            reason = reason or self._left_out(marked, ratings)
            if reason:
                excluded[reason] += 1
                continue
            apart = self._apart(judgment)
            told = [
                replace(
                    self._row(judgment, one, responses[one.response_id], apart, standing),
                    marks=marks_in_words(marked),
                )
                for one in ratings
            ]
            rows += sorted(told, key=lambda row: (row.dimension, row.turn, row.response))
        last = judgments[-1].number if more else None
        return RatingPage(tuple(rows), len(judgments), excluded, last)

    def _left_out(self, marks: Sequence[PairMark], ratings: Sequence[Rating]) -> str:
        if mark := self.refused(marks):
            return f"marked_{mark}"
        return "" if ratings else "no_ratings"

    def _judgments(self, *, after: int, size: int) -> list[Judgment]:
        return list(
            self._up_to()
            .filter(number__gt=after)
            .select_related(
                "member",
                "seat",
                "guideline_version",
                "item__dialogue",
                "item__response_1",
                "item__response_2",
            )
            .defer("item__response_1__text", "item__response_2__text")
            .prefetch_related("ratings")
            .order_by("number")[:size]
        )

    def _responses(self, judgments: list[Judgment]) -> dict[int, Any]:
        """Return the rated responses by key, with `images`: the pictures their file names.

        A picture that is found later fills its slot, so the number stays.
        """
        rated = {one.response_id for judgment in judgments for one in judgment.ratings.all()}
        named = Count("slots", filter=~Q(slots__state=SlotState.NEVER_MADE))
        found = Response.objects.annotate(images=named).only("content_key", "depth", "source")
        return found.in_bulk(rated)

    def _up_to(self) -> JudgmentQuerySet:
        return Judgment.objects.filter(batch=self.snapshot.batch).up_to(self.snapshot.number)

    def _newest(self, judgments: list[Judgment]) -> dict[int, int]:
        newest: dict[int, int] = {}
        assignments = [judgment.assignment_id for judgment in judgments]
        rows = self._up_to().filter(assignment__in=assignments)
        for assignment, revision in rows.values_list("assignment", "revision"):
            newest[assignment] = max(revision, newest.get(assignment, 0))
        return newest

    def _independent(self, judgments: list[Judgment]) -> set[int]:
        chosen = Judgment.objects.filter(pk__in=[judgment.pk for judgment in judgments])
        chosen = chosen.independent(number=self.snapshot.number)
        return set(self.voids.outside(chosen).values_list("pk", flat=True))

    def _standing(self, judgments: list[Judgment]) -> Mapping[_Unit, _Place]:
        """Return where the last rating that each person gave each unit of their own stands.

        A person who rates a unit anew in a later item counts once: by the last. In a batch that
        is the highest number; of several batches, that submitted last. Repeats are asked afresh
        and say nothing about which rating stands; nor does what never counts.
        """
        responses = {one.response_id for judgment in judgments for one in judgment.ratings.all()}
        standing: dict[_Unit, _Place] = {}
        for snapshot, voids in self.counted:
            rows = Rating.objects.filter(
                response__in=responses,
                judgment__in=self._countable(snapshot, voids).values("pk"),
                origin__in=[Origin.GIVEN, Origin.PROPOSED],
            ).values_list(
                "judgment__member",
                "response",
                "dimension__key",
                "judgment__number",
                "judgment__submitted_at",
            )
            newest: dict[_Unit, tuple[int, datetime]] = {}
            for member, response, dimension, number, submitted_at in rows:
                unit = (member, response, dimension)
                newest[unit] = max((number, submitted_at), newest.get(unit, (0, submitted_at)))
            for unit, (number, submitted_at) in newest.items():
                place = (submitted_at, snapshot.batch.slug, number)
                standing[unit] = max(place, standing.get(unit, place))
        return standing

    def _countable(self, snapshot: Snapshot, voids: Voids) -> "QuerySet[Judgment]":
        """Return the judgments of the set that may enter an ordinal statistic."""
        overlap = Judgment.objects.filter(
            batch=snapshot.batch,
            seat__purpose=SeatPurpose.OVERLAP,
            item__repeat_of=None,
            item__is_gold=False,
        )
        if self.set_name == "independent":
            return voids.outside(overlap.independent(number=snapshot.number))
        return voids.outside(overlap.current(number=snapshot.number).filter(saw_others=False))

    def _apart(self, judgment: Judgment) -> str:
        """Return why the whole judgment enters no ordinal statistic, "" where it does."""
        batch: Batch = self.snapshot.batch
        purpose = judgment.seat.purpose if judgment.seat else ""
        reasons = (
            (f"{batch.purpose}_batch", batch.purpose not in _MEASURED),
            (purpose, purpose != SeatPurpose.OVERLAP),
            ("gold", judgment.item.is_gold),
            ("repeat", judgment.item.repeat_of_id is not None),
            ("saw_others", judgment.saw_others),
        )
        return next((reason for reason, holds in reasons if holds), "")

    def _row(
        self,
        judgment: Judgment,
        rating: Rating,
        response: Any,
        apart: str,
        standing: Mapping[_Unit, _Place],
    ) -> RatingRow:
        batch, item = self.snapshot.batch, judgment.item
        dimension = self.dimensions[rating.dimension_id]
        stands = standing.get((judgment.member_id, rating.response_id, dimension.key))
        is_last = stands is None or stands[1:] == (batch.slug, judgment.number)
        reasons = (
            (apart, bool(apart)),
            (NOT_APPLICABLE, rating.score is None),
            (rating.origin, rating.origin in {Origin.BY_RULE, Origin.CARRIED}),
            ("outside_order", (rating.dimension_id, rating.score) in self.outside),
            ("rated_again", not is_last),
        )
        left_out = next((reason for reason, holds in reasons if holds), "")
        return RatingRow(
            project=batch.project.slug,
            batch=batch.slug,
            item=pair_key(
                batch=batch.slug,
                kind=batch.kind,
                rubric=self.rubric,
                dialogue=item.dialogue.content_key,
                response_1=item.response_1.content_key,
                response_2=item.response_2.content_key if item.response_2 else "",
            ),
            dialogue=item.dialogue.content_key,
            unit=f"{dimension.key}|{item.dialogue.content_key}|{response.content_key}",
            annotator=judgment.member.pseudonym,
            score=None if left_out else rating.score,
            dimension=dimension.key,
            level=dimension.level,
            turn=response.depth,
            response=response.content_key,
            answer=NOT_APPLICABLE if rating.score is None else str(rating.score),
            left_out=left_out,
            origin=rating.origin,
            reason=rating.reason,
            tags=" ".join(rating.tags),
            branch=rating.branch,
            purpose=judgment.seat.purpose if judgment.seat else "",
            set=self.set_name,
            judgment=judgment.number,
            revision=judgment.revision,
            cause=judgment.cause,
            guideline=judgment.guideline_version.number if judgment.guideline_version else None,
            language=judgment.language,
            model=model_of(response) or "",
            images=response.images,
            active_ms=sum(judgment.active_ms.values()) if judgment.active_ms else None,
            submitted_at=written_at(judgment.submitted_at),
        )
