"""What opening adds to a batch's items so that work can be checked: repeats, and gold."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from django.db.models import Max

from annotation import sampling
from annotation.actions.evidence import next_number
from annotation.choices import BatchKind, BatchSettings
from annotation.errors import Invalid
from annotation.models.batches import Batch, Item
from annotation.models.projects import Member
from annotation.models.quality import GoldAnswer
from annotation.reports.batches import gap_too_wide, nothing_known, too_little_gold
from annotation.reports.gold import TESTS, gold_pool, standing_answers
from annotation.reports.items import draw_key, loads_of

ROWS_AT_ONCE = 1000


class NotChecked(Invalid):
    """The batch asks for repeats or gold that cannot be had."""


def place_checks(batch: Batch, *, by: Member, now: datetime) -> tuple[int, int]:
    """Make the repeats and gold of a draft that opens; return how many of each.

    Items of the draft that have known answers are gold themselves. Call inside the transaction,
    before seats are made.

    :raises NotChecked: where the pool is too small, a gap does not fit, or a test has no answer.
    """
    known = batch.items.filter(gold_answers__isnull=False).distinct()
    if batch.purpose in TESTS:
        if not known.exists():
            raise NotChecked(nothing_known(batch.slug))
        return 0, 0
    own = batch.items.filter(pk__in=list(known.values_list("pk", flat=True))).update(is_gold=True)
    settings = batch.parsed_settings()
    if not settings.repeats and not settings.gold:
        return 0, own
    items = list(
        batch.items.filter(is_gold=False).select_related(
            "response_1__turn", "response_2__turn", "dialogue"
        )
    )
    repeats = _repeats(batch, settings, items)
    gold = _gold(batch, settings, items)
    last = batch.items.aggregate(last=Max("position"))["last"] or 0
    new = sampling.in_seeded_order(
        f"{batch.seed} checks", [*repeats, *(item for item, _source in gold)], key=_name
    )
    for position, item in enumerate(new, start=last + 1):
        item.position = position
    Item.objects.bulk_create(new, batch_size=ROWS_AT_ONCE)
    _copy_answers(batch, gold, by=by, now=now)
    return len(repeats), own + len(gold)


def _name(item: Item) -> str:
    return f"{draw_key(item)} {item.is_gold}"


def _repeats(batch: Batch, settings: BatchSettings, items: Sequence[Item]) -> list[Item]:
    wanted = sampling.count_of(settings.repeats, len(items))
    if wanted and len(items) <= settings.repeat_gap:
        raise NotChecked(gap_too_wide(settings.repeat_gap, len(items)))
    chosen = sampling.sample(f"{batch.seed} repeats", items, wanted, key=draw_key)
    return [
        _another(batch, item, repeat_of=item, coin=sampling.swapped(item.coin), counts=item.counts)
        for item in chosen
    ]


def _gold(batch: Batch, settings: BatchSettings, items: Sequence[Item]) -> list[tuple[Item, Item]]:
    """Return (new gold item, item it is taken from)."""
    wanted = sampling.count_of(settings.gold, len(items))
    if not wanted:
        return []
    own = {*batch.items.values_list("response_1", "response_2")}
    pool = gold_pool(batch.rubric, batch.kind, own=own, sources=settings.gold_from)
    if len(pool) < wanted:
        raise NotChecked(too_little_gold(wanted, len(pool)))
    chosen = sampling.sample(f"{batch.seed} gold", pool, wanted, key=draw_key)
    loads = loads_of(chosen, kind=BatchKind(batch.kind), settings=settings, rubric=batch.rubric)
    return [
        (
            _another(
                batch,
                item,
                is_gold=True,
                coin=sampling.coin(f"{batch.seed}", draw_key(item)),
                counts=asdict(loads[item.pk]),
            ),
            item,
        )
        for item in chosen
    ]


def _another(batch: Batch, item: Item, **more: object) -> Item:
    """Return a new item of the batch with the same sides, not yet saved."""
    return Item(
        batch=batch,
        dialogue=item.dialogue,
        response_1=item.response_1,
        response_2=item.response_2,
        fork_depth=item.fork_depth,
        **more,
    )


def _copy_answers(
    batch: Batch, gold: Iterable[tuple[Item, Item]], *, by: Member, now: datetime
) -> None:
    """Give each gold item the answers that stand now, so that the batch tells its own story."""
    pairs = list(gold)
    answers = standing_answers([source for _item, source in pairs])
    dimensions: Mapping[str, int] = dict(batch.rubric.dimensions.values_list("key", "pk"))
    for item, source in pairs:
        for answer in answers[source.pk]:
            if answer.dimension is not None and answer.dimension.key not in dimensions:
                continue
            GoldAnswer.objects.create(
                batch=batch,
                item=item,
                number=next_number(batch.pk),
                dimension_id=dimensions[answer.dimension.key] if answer.dimension else None,
                response_id=answer.response_id,
                score=answer.score,
                tolerance=answer.tolerance,
                outcome=answer.outcome,
                feedback=answer.feedback,
                created_by=by,
                created_at=now,
            )
