"""The ratings of a batch that figures are made of, and what is left out, from the database.

The ratings of a judgment travel as one text of numbers, so that a million of them are some
ten thousand rows and a few arrays of whole numbers; `annotation.reports.agreement` makes figures
of them. One grouped read of the ratings serves all dimensions, turns, branches and people.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import (
    Aggregate,
    BigIntegerField,
    Case,
    CharField,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    SmallIntegerField,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce

from annotation.agreement.patterns import (
    BoolArray,
    IntArray,
    Patterns,
    Ratings,
    distinct,
    from_ratings,
)
from annotation.choices import BatchPurpose, Branch, Cause, Origin, SeatPurpose
from annotation.models.batches import Batch
from annotation.models.content import Response
from annotation.models.judgments import Judgment, Rating
from annotation.models.rubric import HIGHEST_SCORE, LOWEST_SCORE, ScalePoint
from annotation.reports.voids import Voids

OWN = (Origin.GIVEN, Origin.PROPOSED)
"""Origins of what a person said: the others are counted and enter no figure."""

MOST_DIALOGUES = 2000
BUCKETS = 500
"""More dialogues than `MOST_DIALOGUES` are put into so many groups by a hash of their key; these
are then resampled."""

DEEPEST = 2**15
"""A turn's depth, a small whole number of the database, is below."""

BRANCHES = tuple(Branch)
OUT = ("", "not_applicable", "by_rule", "carried")
"""Why a rating is outside every figure, before scores are looked at."""


def judgments_left_out(
    batch: Batch,
    number: int,
    voids: Voids,
    independent: "QuerySet[Judgment]",
    chosen: "QuerySet[Judgment]",
) -> dict[str, int]:
    """Count the dealings without an independent judgment, each by the first reason that holds."""
    counted: Counter[str] = Counter()
    if chosen is not independent:
        void = independent.exclude(pk__in=chosen.values("pk"))
        for judgment in void.only("pk", "item", "member", "submitted_at"):
            counted[voids.reason(judgment)] += 1
    newer = Judgment.objects.filter(
        assignment=OuterRef("assignment"), revision__gt=OuterRef("revision"), number__lte=number
    )
    others = (
        Judgment.objects.filter(batch=batch)
        .up_to(number)
        .exclude(Exists(newer))
        .exclude(assignment__in=independent.values("assignment"))
        .annotate(
            why=Case(
                When(cause=Cause.WITHDRAWAL, then=Value("withdrawn")),
                When(
                    ~Q(batch__purpose__in=[BatchPurpose.PILOT, BatchPurpose.MAIN]),
                    then=Value(f"{batch.purpose}_batch"),
                ),
                When(seat=None, then=Value("surplus")),
                When(~Q(seat__purpose=SeatPurpose.OVERLAP), then=F("seat__purpose")),
                When(item__repeat_of__isnull=False, then=Value("repeat")),
                When(item__is_gold=True, then=Value("gold")),
                When(saw_others=True, then=Value("saw_others")),
                default=F("cause"),
                output_field=CharField(),
            ),
        )
    )
    for why, count in others.values_list("why").annotate(Count("pk")).order_by("why"):
        counted[why] += count
    return dict(sorted(counted.items()))


@dataclass(frozen=True, slots=True)
class Scales:
    """What scores there are: by dimension in order, and those outside the order."""

    domains: dict[int, list[int]]
    outside: tuple[tuple[int, int], ...]

    @property
    def dimensions(self) -> list[int]:
        return sorted({*self.domains, *(dimension for dimension, _score in self.outside)})


def scales_of(rubric_id: int) -> Scales:
    """Return the scores of a rubric's dimensions. One query."""
    points = ScalePoint.objects.filter(dimension__rubric=rubric_id).order_by("score")
    domains: dict[int, list[int]] = {}
    outside = []
    for dimension, score, in_order in points.values_list("dimension", "score", "in_order"):
        if in_order:
            domains.setdefault(dimension, []).append(score)
        else:
            outside.append((dimension, score))
    return Scales(domains, tuple(outside))


@dataclass(frozen=True, slots=True, eq=False)
class JudgmentRows:
    """Judgments column by column, all of them keys and numbers; `version` 0: of no guideline."""

    key: IntArray
    member: IntArray
    item: IntArray
    dialogue: IntArray
    number: IntArray
    version: IntArray
    shown_first: IntArray


def judgment_rows(chosen: "QuerySet[Judgment]") -> JudgmentRows:
    """Return the judgments by key. One query."""
    rows = chosen.order_by("pk").values_list(
        "pk",
        "member",
        "item",
        "item__dialogue",
        "number",
        Coalesce("guideline_version__number", 0),
        "shown_first",
    )
    return JudgmentRows(*np.array(list(rows), np.int64).reshape(-1, 7).T)


class Gathered(Aggregate):
    """The whole numbers of a group as one text, with commas between them, in no order."""

    function = "GROUP_CONCAT"
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return self.as_sql(
            compiler,
            connection,
            function="STRING_AGG",
            template="%(function)s(CAST(%(expressions)s AS TEXT), ',')",
            **more,
        )


def ungathered(texts: Sequence[str]) -> tuple[IntArray, IntArray]:
    """Return (which text, number) of each number in texts of `Gathered`."""
    sizes = [text.count(",") + 1 if text else 0 for text in texts]
    numbers = np.fromstring(",".join(filter(None, texts)), np.int64, sep=",")
    return np.repeat(np.arange(len(texts)), sizes), numbers


@dataclass(frozen=True, slots=True)
class Part:
    """A small whole number from 0 below `size`, as SQL has it, that shares one with others."""

    size: int
    of: Any


def packed(key: Any, parts: Sequence[Part]) -> Any:
    """Return SQL for a key and the parts in one number."""
    code: Any = Cast(key, BigIntegerField())
    for part in parts:
        code = code * part.size + part.of
    return code


def unpacked(code: IntArray, parts: Sequence[Part]) -> list[IntArray]:
    """Return the key and the parts of numbers that `packed` made."""
    found: list[IntArray] = []
    for part in reversed(parts):
        code, small = np.divmod(code, part.size)
        found.insert(0, small.astype(np.min_scalar_type(-part.size)))
    return [code, *found]


@dataclass(frozen=True, slots=True, eq=False)
class RatingCounts:
    """The ratings of one dimension that count, and the units they are of; parallel arrays.

    :ivar unit: place of each rating's unit among the units.
    :ivar who: the member's key; `number` is the judgment's, `mark` the score.
    :ivar response: what each unit is; `turn` its depth, `branch` its place in `BRANCHES`, `tree`
        its dialogue, and `group` what is resampled with it.
    """

    domain: Sequence[int]
    unit: IntArray
    who: IntArray
    number: IntArray
    mark: IntArray
    response: IntArray
    turn: IntArray
    branch: IntArray
    tree: IntArray
    group: IntArray

    def ratings(self, *, turn: int | None = None, branch: int | None = None) -> Ratings:
        """Return the ratings of one turn or branch, or all."""
        chosen = np.ones(len(self.response), np.bool_)
        for column, value in ((self.turn, turn), (self.branch, branch)):
            if value is not None:
                chosen &= column == value
        place = np.cumsum(chosen) - 1
        mine = chosen[self.unit]
        people, annotator = distinct(self.who[mine])
        return Ratings(
            domain=tuple(self.domain),
            unit=place[self.unit[mine]],
            annotator=annotator,
            category=np.searchsorted(self.domain, self.mark[mine]),
            units=int(chosen.sum()),
            annotators=len(people),
            cluster=distinct(self.group[chosen])[1],
        )

    def patterns(self, *, turn: int | None = None, branch: int | None = None) -> Patterns:
        """Return the patterns of one turn or branch, or of all."""
        return from_ratings(self.ratings(turn=turn, branch=branch))

    @property
    def held(self) -> IntArray:
        """How many people rated each unit."""
        return np.bincount(self.unit, minlength=len(self.response))

    @property
    def dialogues(self) -> int:
        """Dialogues with a unit that two people rated."""
        return len(np.unique(self.tree[self.held > 1]))

    @property
    def members(self) -> list[int]:
        """Keys of those who rated, in the order of their codes in `ratings`."""
        return [int(member) for member in np.unique(self.who)]

    @property
    def turns(self) -> list[int]:
        return [int(turn) for turn in np.unique(self.turn)]

    @property
    def branches(self) -> list[int]:
        return [int(branch) for branch in np.unique(self.branch)]


@dataclass(frozen=True, slots=True, eq=False)
class GivenRatings:
    """All ratings of the chosen judgments, column by column.

    :ivar responses: (n, 3) key, depth, dialogue.
    :ivar judgment: place of each rating's judgment; `response` of what it rates.
    :ivar which: place in `scales.dimensions`; `branch` in `BRANCHES`, `out` in `OUT`.
    :ivar own: whether the person said it themselves; `scored`: gave a score within the order;
        `counts`: and it is their last of the unit, so that it enters figures.
    :ivar grouped: whether dialogues are resampled in groups.
    """

    scales: Scales
    judgments: JudgmentRows
    responses: IntArray
    judgment: IntArray
    response: IntArray
    which: IntArray
    branch: IntArray
    out: IntArray
    mark: IntArray
    own: BoolArray
    scored: BoolArray
    counts: BoolArray
    grouped: bool

    def by_dimension(self) -> dict[int, RatingCounts]:
        """Return what counts, by dimension."""
        return {
            dimension: self._of(dimension, self.counts, grouped=self.grouped)
            for dimension in self.scales.domains
        }

    def by_version(self, *, members: Sequence[int] = ()) -> dict[int, dict[int, RatingCounts]]:
        """Return what counts by guideline version and dimension: a unit is one within a version.

        :param members: only these people's; empty: everybody's.
        """
        kept = self.counts
        if members:
            kept = kept & np.isin(self.judgments.member, members)[self.judgment]
        versions = self.judgments.version[self.judgment]
        return {
            int(version): {
                dimension: self._of(dimension, kept & (versions == version), grouped=False)
                for dimension in self.scales.domains
            }
            for version in np.unique(versions[kept])
        }

    def left_out(self) -> dict[int, Counter[str]]:
        """Count all ratings, and those outside ordinal statistics, by dimension."""
        found: dict[int, Counter[str]] = {}
        for place, dimension in enumerate(self.scales.dimensions):
            mine = self.which == place
            if not mine.any():
                continue
            told = Counter({"all": int(mine.sum())})
            for reason, count in enumerate(np.bincount(self.out[mine]).tolist()):
                told[OUT[reason]] += count
            del told[""]
            outside = [score for which, score in self.scales.outside if which == dimension]
            told["outside_order"] += int(np.isin(self.mark[mine & (self.out == 0)], outside).sum())
            found[dimension] = told
        return found

    def _of(self, dimension: int, kept: BoolArray, *, grouped: bool) -> RatingCounts:
        rows = np.flatnonzero(kept & (self.which == self.scales.dimensions.index(dimension)))
        present, unit = distinct(self.response[rows])
        branch = np.zeros(len(present), np.int64)
        np.maximum.at(branch, unit, self.branch[rows])
        keys, turn, tree = self.responses[present].T
        judgment = self.judgment[rows]
        return RatingCounts(
            domain=self.scales.domains[dimension],
            unit=unit,
            who=self.judgments.member[judgment],
            number=self.judgments.number[judgment],
            mark=self.mark[rows].astype(np.int64),
            response=keys,
            turn=turn,
            branch=branch,
            tree=tree,
            # Knuth's multiplicative hash: neighbours in the order of import go to different groups.
            group=tree * 2654435761 % 2**32 % BUCKETS if grouped else tree,
        )


def given_ratings(judgments: JudgmentRows, batch: Batch, scales: Scales) -> GivenRatings:
    """Return the ratings of the chosen judgments. Two queries."""
    responses = _responses(batch)
    parts = _parts(scales)
    texts = dict(
        Rating.objects.filter(judgment__batch=batch)
        .order_by()
        .values("judgment")
        .annotate(codes=Gathered(packed(F("response"), parts)))
        .values_list("judgment", "codes")
    )
    judgment, code = ungathered([texts.get(key, "") for key in judgments.key.tolist()])
    response, which, branch, own, out, mark = unpacked(code, parts)
    response = np.searchsorted(responses[:, 0], response)
    mark += LOWEST_SCORE
    scored = (own == 1) & (out == 0)
    for dimension, score in scales.outside:
        scored &= (which != scales.dimensions.index(dimension)) | (mark != score)
    return GivenRatings(
        scales=scales,
        judgments=judgments,
        responses=responses,
        judgment=judgment,
        response=response,
        which=which,
        branch=branch,
        out=out,
        mark=mark,
        own=own == 1,
        scored=scored,
        counts=scored & _last(judgments, judgment, response, which, own),
        grouped=len(np.unique(responses[:, 2])) > MOST_DIALOGUES,
    )


def _parts(scales: Scales) -> tuple[Part, ...]:
    """Return what is said of a rating: dimension, branch, own or not, why out, score."""
    return (
        Part(len(scales.dimensions), place_in(scales.dimensions, "dimension")),
        Part(len(BRANCHES), place_in(BRANCHES, "branch")),
        Part(2, own()),
        Part(
            len(OUT),
            Case(
                When(not_applicable=True, then=Value(1)),
                When(origin=Origin.BY_RULE, then=Value(2)),
                When(origin=Origin.CARRIED, then=Value(3)),
                default=Value(0),
                output_field=SmallIntegerField(),
            ),
        ),
        Part(HIGHEST_SCORE - LOWEST_SCORE + 1, Coalesce(F("score"), LOWEST_SCORE) - LOWEST_SCORE),
    )


def _responses(batch: Batch) -> IntArray:
    """Return (n, 3) key, depth and dialogue of the responses in what was judged. One query."""
    parts = (Part(DEEPEST, F("depth")),)
    rows = list(
        Response.objects.filter(dialogue__in=batch.judgments.values("item__dialogue"))
        .order_by()
        .values("dialogue")
        .annotate(codes=Gathered(packed(F("pk"), parts)))
        .values_list("dialogue", "codes")
    )
    place, code = ungathered([codes for _dialogue, codes in rows])
    key, depth = unpacked(code, parts)
    dialogue = np.array([one for one, _codes in rows], np.int64)[place]
    return np.stack([key, depth, dialogue], axis=1)[np.argsort(key)]


def _last(
    judgments: JudgmentRows, judgment: IntArray, response: IntArray, which: IntArray, own: IntArray
) -> BoolArray:
    """Return whether each rating is its person's last of the unit.

    A person rates a unit anew only in another item of its dialogue.
    """
    read = np.stack([judgments.member, judgments.dialogue])
    if len(np.unique(read, axis=1).T) == len(judgments.key):
        return np.ones(len(judgment), np.bool_)
    who = judgments.member[judgment]
    order = np.lexsort((judgments.number[judgment], own, which, response, who))
    keys = np.stack([who, response, which, own])[:, order]
    last = np.ones(len(order), np.bool_)
    last[order[:-1]] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
    return last


def place_in(values: Sequence[Any], field: str) -> Case:
    """Return SQL for the place of a field's value among `values`; of any other, the last."""
    return Case(
        *(When(**{field: one}, then=Value(place)) for place, one in enumerate(values)),
        default=Value(max(len(values) - 1, 0)),
        output_field=SmallIntegerField(),
    )


def own() -> Case:
    """Return 1 where a person said it themselves, else 0."""
    return Case(
        When(origin__in=OWN, then=Value(1)), default=Value(0), output_field=SmallIntegerField()
    )
