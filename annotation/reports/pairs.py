"""Preference pairs of a snapshot, in pages: the same records for ever and on every database.

A snapshot is a batch and a number. Everything read here is evidence up to that number, content
that never changes (texts, trees, seats), or the hashes of the pictures that judgments say they
were shown; so a picture found after the snapshot does not appear in it.
"""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from django.db.models import Exists, OuterRef, Prefetch

from annotation.choices import (
    BatchKind,
    Cause,
    Level,
    Outcome,
    PreferenceScope,
    SeatPurpose,
    SlotState,
)
from annotation.formats.aggregate import FORK, OVERALL
from annotation.formats.pairs import (
    SIDES,
    Message,
    Pair,
    PairImage,
    PairJudgment,
    PairPreference,
    PairRating,
    PairRemark,
    Side,
    SlotPlace,
    interleaved,
    pair_key,
)
from annotation.formats.splits import Tree
from annotation.models.batches import Batch, Item
from annotation.models.content import Image, Response, Slot
from annotation.models.judgments import Judgment, Rating, Remark
from annotation.models.rubric import Dimension, ScalePoint
from annotation.rendering.text import clean_prompt, clean_response
from annotation.reports.marks import MarksRefused, marks_of, none_refused
from annotation.reports.paths import Step, load_steps
from annotation.reports.voids import Voids, standing_voids

PAGE = 100
"""Items a page: a read transaction is short, and memory flat."""

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A batch at a number, and its project's content marks at theirs (None: those of now)."""

    batch: Batch
    number: int
    marks: int | None = None

    @classmethod
    def now(cls, batch: Batch) -> "Snapshot":
        """Return the newest snapshot of the batch. Numbers follow commits, so it is complete."""
        newest = Batch.objects.values_list("last_number", flat=True).get(pk=batch.pk)
        return cls(batch, newest)


@dataclass(frozen=True, slots=True)
class PairPage:
    """Some items of a snapshot in order, with what became of each judgment on them.

    `excluded` counts by reason the judgments of these items that stand in no pair; `after` is the
    position to ask for next, None on the last page.
    """

    pairs: tuple[Pair, ...]
    judgment_count: int
    excluded: Counter[str]
    after: int | None


def pair_pages(
    snapshot: Snapshot,
    *,
    text: str = "shown",
    after: int = -1,
    size: int = PAGE,
    refused: MarksRefused = none_refused,
) -> Iterator[PairPage]:
    """Yield the pages of a snapshot from the item after position `after` on. At most 13 queries each.

    :param refused: gives the mark for which a dialogue is left out, "" where it is not.
    """
    voids = standing_voids(snapshot.batch, number=snapshot.number)
    place: int | None = after
    while place is not None:
        page = _page(snapshot, voids, text=text, after=place, size=size, refused=refused)
        yield page
        place = page.after


def pair_page(snapshot: Snapshot, **asked: Any) -> PairPage:
    """Return one page, for the API; asked for as `pair_pages` is."""
    return next(pair_pages(snapshot, **asked))


def trees_of(snapshot: Snapshot) -> dict[str, set[str]]:
    """Return for each root of the snapshot's pairs the hashes of the decoded pictures in them.

    By pixels, so that the same picture in two files joins its trees too.
    """
    trees: dict[str, set[str]] = {}
    after: int | None = -1
    while after is not None:
        items, after = _items(snapshot, after=after, size=PAGE, answers=False)
        shown = _shown(item.judgments_read for item in items)  # type: ignore[attr-defined]
        steps = load_steps(_last_responses(items))
        for item in items:
            found = trees.setdefault(item.dialogue.content_key, set())
            for response in _last_responses([item]):
                for slot in (slot for step in steps[response.pk] for slot in step.slots):
                    if slot.image is not None and _state(slot, shown[item.pk]) == SlotState.STORED:
                        found.add(slot.image.pixel_sha256)
    return trees


def as_trees(roots: Iterable[Mapping[str, set[str]]]) -> list[Tree]:
    """Join the trees of several snapshots: one tree per root, with all its pictures."""
    merged: dict[str, set[str]] = {}
    for told in roots:
        for root, images in told.items():
            merged.setdefault(root, set()).update(images)
    return [Tree(root, frozenset(merged[root])) for root in sorted(merged)]


def written_at(time: datetime) -> str:
    """Return a time as exports write it: ISO 8601, UTC, to the microsecond."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def final_ones(judgments: Iterable[Judgment], *, number: int, voids: Voids) -> frozenset[int]:
    """Return the primary keys of those of the judgments that stand. One query."""
    chosen = Judgment.objects.filter(pk__in=[judgment.pk for judgment in judgments])
    final = chosen.final(number=number, usable=voids.outside)
    return frozenset(final.values_list("pk", flat=True))


def why_out(
    judgment: Judgment, *, newest: Mapping[int, int], voids: Voids, final: Container[int]
) -> str:
    """Return why a judgment does not stand, "" where it does.

    :param newest: each assignment's highest revision. :param final: what `final_ones` says.
    """
    if judgment.cause == Cause.WITHDRAWAL:
        return "withdrawal"
    if judgment.revision < newest[judgment.assignment_id]:
        return "superseded"
    if judgment.seat_id is None:
        return "surplus"
    if reason := voids.reason(judgment):
        return reason
    if judgment.pk in final:
        return ""
    purpose = judgment.seat.purpose if judgment.seat else ""
    return "review" if purpose == SeatPurpose.REVIEW else "overruled"


def newest_revisions(judgments: Iterable[Judgment]) -> dict[int, int]:
    """Return the highest revision of each assignment."""
    newest: dict[int, int] = {}
    for judgment in judgments:
        newest[judgment.assignment_id] = max(
            judgment.revision, newest.get(judgment.assignment_id, 0)
        )
    return newest


def _page(
    snapshot: Snapshot,
    voids: Voids,
    *,
    text: str,
    after: int,
    size: int,
    refused: MarksRefused,
) -> PairPage:
    items, next_after = _items(snapshot, after=after, size=size)
    marks = marks_of({item.dialogue_id for item in items}, number=snapshot.marks)
    excluded: Counter[str] = Counter()
    live: dict[int, list[Judgment]] = {}
    total = 0
    every = [one for item in items for one in item.judgments_read]  # type: ignore[attr-defined]
    final = final_ones(every, number=snapshot.number, voids=voids)
    for item in items:
        judgments: list[Judgment] = item.judgments_read  # type: ignore[attr-defined]
        newest = newest_revisions(judgments)
        total += len(judgments)
        for judgment in judgments:
            reason = why_out(judgment, newest=newest, voids=voids, final=final)
            reason = reason or _item_reason(item)
            if not reason and (mark := refused(marks.get(item.dialogue_id, ()))):
                reason = f"marked_{mark}"
            if reason:
                excluded[reason] += 1
            else:
                live.setdefault(item.pk, []).append(judgment)
    shown = _shown(item.judgments_read for item in items)  # type: ignore[attr-defined]
    kept = [item for item in items if item.pk in live]
    steps = load_steps(_last_responses(kept))
    rubric = _rubric(snapshot.batch)
    pairs = tuple(
        replace(
            _pair(snapshot.batch, item, live[item.pk], steps, shown[item.pk], rubric, text=text),
            marks=marks.get(item.dialogue_id, ()),
        )
        for item in kept
    )
    return PairPage(pairs, total, excluded, next_after)


def _items(
    snapshot: Snapshot, *, after: int, size: int, answers: bool = True
) -> tuple[list[Item], int | None]:
    """Return the next items that have judgments, with all of these; and where to go on."""
    parts = (
        Prefetch("ratings", Rating.objects.defer("reason_language")),
        Prefetch("preferences"),
        Prefetch("remarks", Remark.objects.select_related("slot")),
    )
    judgments = (
        Judgment.objects.up_to(snapshot.number)
        .select_related("member", "seat", "guideline_version")
        .order_by("number")
        .prefetch_related(*(parts if answers else ()))
    )
    judged = Judgment.objects.up_to(snapshot.number).filter(item=OuterRef("pk"))
    items = list(
        snapshot.batch.items.filter(Exists(judged), position__gt=after)
        .select_related("dialogue", "response_1", "response_2")
        .prefetch_related(Prefetch("judgments", judgments, to_attr="judgments_read"))
        .order_by("position")[: size + 1]
    )
    more = len(items) > size
    items = items[:size]
    return items, items[-1].position if more else None


def _item_reason(item: Item) -> str:
    if item.response_2_id is None:
        return "one_path"
    if item.repeat_of_id is not None:
        return "repeat"
    return "gold" if item.is_gold else ""


def _last_responses(items: Iterable[Item]) -> list[Response]:
    return [
        side for item in items for side in (item.response_1, item.response_2) if side is not None
    ]


def _shown(judgments: Iterable[Sequence[Judgment]]) -> dict[int, frozenset[str] | None]:
    """Return for each item the pictures its judgments were shown; None where an import says nothing."""
    shown: dict[int, frozenset[str] | None] = {}
    for rows in judgments:
        imported = any(row.cause == Cause.IMPORT for row in rows)
        hashes = frozenset(sha256 for row in rows for sha256 in row.images_shown)
        shown[rows[0].item_id] = None if imported else hashes
    return shown


def _state(slot: Slot, shown: frozenset[str] | None) -> str:
    """Return the slot's state as the judgments met it: a picture found later was missing then."""
    if slot.state != SlotState.STORED or slot.image is None or shown is None:
        return slot.state
    return SlotState.STORED if slot.image.sha256 in shown else SlotState.MISSING


@dataclass(frozen=True, slots=True)
class _Rubric:
    """The rubric's dimensions by key, and the (dimension, score) pairs outside the order."""

    dimensions: Mapping[int, Dimension]
    outside: frozenset[tuple[int, int]]


def _rubric(batch: Batch) -> _Rubric:
    outside = ScalePoint.objects.filter(dimension__rubric=batch.rubric_id, in_order=False)
    return _Rubric(
        dimensions=Dimension.objects.filter(rubric=batch.rubric_id).in_bulk(),
        outside=frozenset(outside.values_list("dimension", "score")),
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a response stands in an item."""

    response: Response
    side: Literal["response_1", "response_2", "both"]


def _pair(
    batch: Batch,
    item: Item,
    judgments: Sequence[Judgment],
    steps: Mapping[int, Sequence[Step]],
    shown: frozenset[str] | None,
    rubric: _Rubric,
    *,
    text: str,
) -> Pair:
    last = dict(zip(SIDES, _last_responses([item]), strict=True))
    told = {side: _messages(steps[last[side].pk], shown, text) for side in SIDES}
    shared = 0
    for one, other in zip(told[SIDES[0]], told[SIDES[1]], strict=False):
        if one != other:
            break
        shared += 1
    images = {
        slot.image.sha256: slot.image
        for side in SIDES
        for step in steps[last[side].pk]
        for slot in step.slots
        if slot.image is not None and _state(slot, shown) == SlotState.STORED
    }
    name = f"{batch.rubric.slug} {batch.rubric.version}"
    places = _places_of({side: steps[last[side].pk] for side in SIDES})
    return Pair(
        pair=pair_key(
            batch=batch.slug,
            kind=batch.kind,
            rubric=name,
            dialogue=item.dialogue.content_key,
            response_1=last[SIDES[0]].content_key,
            response_2=last[SIDES[1]].content_key,
        ),
        project=batch.project.slug,
        batch=batch.slug,
        kind=batch.kind,
        dialogue=item.dialogue.content_key,
        rubric=name,
        prompt=told[SIDES[0]][:shared],
        sides={side: told[side][shared:] for side in SIDES},
        judgments=tuple(_judgment(row, places, rubric) for row in judgments),
        images=tuple(pair_image(images[sha256]) for sha256 in sorted(images)),
    )


def pair_image(image: Image) -> PairImage:
    """Return how an export names a picture: by the hash of its original."""
    extension = EXTENSIONS.get(image.mime, "bin")
    return PairImage(
        image=f"sha256:{image.sha256}",
        path=f"images/{image.sha256[:2]}/{image.sha256}.{extension}",
        mime=image.mime,
        width=image.width,
        height=image.height,
        bytes=image.byte_size,
    )


def _messages(
    steps: Sequence[Step], shown: frozenset[str] | None, text: str
) -> tuple[Message, ...]:
    messages = []
    for step in steps:
        prompt, answer = step.turn, step.response
        messages += [
            Message(
                "user",
                prompt.content_key,
                prompt.depth,
                interleaved(
                    prompt.prompt,
                    _places(step.prompt_slots, shown),
                    clean=_clean(clean_prompt, text),
                ),
            ),
            Message(
                "assistant",
                answer.content_key,
                answer.depth,
                interleaved(
                    answer.text,
                    _places(step.response_slots, shown),
                    clean=_clean(clean_response, text),
                ),
                model=model_of(answer),
            ),
        ]
    return tuple(messages)


def model_of(response: Response) -> str | None:
    """Return who made a response, where its file says so."""
    told = response.source.get("model")
    return str(told) if told else None


def _clean(function: Callable[[str], str], text: str) -> Callable[[str], str] | None:
    return function if text == "shown" else None


def _places(slots: Iterable[Slot], shown: frozenset[str] | None) -> Iterator[SlotPlace]:
    for slot in slots:
        state = _state(slot, shown)
        stored = slot.image is not None and state == SlotState.STORED
        yield SlotPlace(
            number=slot.position,
            state=state,
            image=f"sha256:{slot.image.sha256}" if stored and slot.image else None,
            offset=slot.offset,
            length=slot.length or 0,
            is_token=bool(slot.kind),
        )


def _places_of(sides: Mapping[Side, Sequence[Step]]) -> dict[int, _Place]:
    """Return where each response stands, by its primary key; "both" where the sides share it."""
    places: dict[int, _Place] = {}
    for side in SIDES:
        for step in sides[side]:
            shared = step.response.pk in places
            places[step.response.pk] = _Place(step.response, "both" if shared else side)
    # The response that names a side is its own, even where the other path goes on from it.
    for side in SIDES:
        last = sides[side][-1].response
        places[last.pk] = _Place(last, side)
    return places


def _judgment(row: Judgment, places: Mapping[int, _Place], rubric: _Rubric) -> PairJudgment:
    first, second = SIDES if row.shown_first == 1 else (SIDES[1], SIDES[0])
    return PairJudgment(
        annotator=row.member.pseudonym,
        number=row.number,
        revision=row.revision,
        cause=row.cause,
        purpose=row.seat.purpose if row.seat else "",
        shown_first=first,
        letters={"A": first, "B": second},
        guideline=row.guideline_version.number if row.guideline_version else None,
        language=row.language,
        submitted_at=written_at(row.submitted_at),
        active_ms=sum(row.active_ms.values()) if row.active_ms else None,
        preferences=_preferences(row, places, rubric),
        ratings=_ratings(row, places, rubric),
        remarks=_remarks(row, places),
    )


def _preferences(
    row: Judgment, places: Mapping[int, _Place], rubric: _Rubric
) -> tuple[PairPreference, ...]:
    names = {PreferenceScope.OVERALL: OVERALL, PreferenceScope.FORK: FORK}
    told = []
    for one in row.preferences.all():
        place = places.get(one.preferred_id or 0)
        preferred = next((side for side in SIDES if place and side == place.side), None)
        if one.dimension_id is not None:
            name = rubric.dimensions[one.dimension_id].key
        else:
            name = names[PreferenceScope(one.scope)]
        outcome = Outcome(one.outcome).value
        told.append(PairPreference(name, outcome, preferred, one.strength))  # type: ignore[arg-type]
    return tuple(sorted(told, key=lambda one: one.dimension))


def _ratings(
    row: Judgment, places: Mapping[int, _Place], rubric: _Rubric
) -> tuple[PairRating, ...]:
    told = []
    for one in row.ratings.all():
        place, dimension = places[one.response_id], rubric.dimensions[one.dimension_id]
        told.append(
            PairRating(
                response=place.response.content_key,
                side=place.side,
                turn=place.response.depth,
                level=Level(dimension.level).value,
                dimension=dimension.key,
                score=one.score,
                not_applicable=one.not_applicable,
                in_order=(one.dimension_id, one.score) not in rubric.outside,
                origin=one.origin,
                reason=one.reason,
                tags=tuple(one.tags),
            )
        )
    return tuple(sorted(told, key=lambda one: (one.dimension, one.turn, one.side, one.response)))


def _remarks(row: Judgment, places: Mapping[int, _Place]) -> tuple[PairRemark, ...]:
    told = [
        PairRemark(
            kind=one.kind,
            text=one.text,
            language=one.language,
            response=places[one.response_id].response.content_key if one.response_id else None,
            slot=one.slot.position if one.slot else None,
        )
        for one in row.remarks.all()
    ]
    return tuple(
        sorted(
            told,
            key=lambda one: (one.kind, one.response or "", -1 if one.slot is None else one.slot),
        )
    )


def is_pair_batch(batch: Batch) -> bool:
    """Say whether the batch's items have two sides."""
    return batch.kind != BatchKind.CONVERSATION
