"""One canonical pair into the rows of one target, and an account of what became of it."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from annotation.formats.aggregate import Choice, LeftOut, choices, decisions
from annotation.formats.checks import Unfit
from annotation.formats.manifest import IndexEntry
from annotation.formats.options import ExportOptions
from annotation.formats.pairs import Pair, drawn_order, pair_as_dict, pair_digest
from annotation.formats.write_swift import swift_row
from annotation.formats.write_trl import trl_row

_TIED = frozenset({"tie", "both_bad"})


@dataclass(frozen=True, slots=True)
class Projected:
    """What one pair gave: rows, and every decision that gave none, by reason.

    `refusals` maps the advice of each reason that refuses the whole export to the number of rows;
    `images` names the paths of the pictures that the rows need.
    """

    rows: tuple[dict[str, Any], ...]
    written: int
    left_out: Counter[str]
    refusals: Counter[str]
    lost: Counter[str]
    images: frozenset[str]
    index: IndexEntry


@dataclass(slots=True)
class _Account:
    rows: list[dict[str, Any]] = field(default_factory=list)
    written: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    images: set[str] = field(default_factory=set)
    decided: dict[str, str] = field(default_factory=dict)


def projected(pair: Pair, *, options: ExportOptions, split: str | None = None) -> Projected:
    """Return the rows of a pair for `options.format`, which is a pair format."""
    pair = replace(pair, order=drawn_order(pair.pair, seed=options.seed), split=split)
    account = _Account()
    if options.format == "canonical":
        _canonical(pair, options, account)
    else:
        _binary(pair, options, account)
    return Projected(
        rows=tuple(account.rows),
        written=account.written,
        left_out=account.left_out,
        refusals=account.refusals,
        lost=account.lost,
        images=frozenset(account.images),
        index=IndexEntry(
            pair=pair.pair,
            batch=pair.batch,
            dialogue=pair.dialogue,
            digest=pair_digest(pair),
            judgments=tuple(judgment.number for judgment in pair.judgments),
            decisions=account.decided,
        ),
    )


def _canonical(pair: Pair, options: ExportOptions, account: _Account) -> None:
    kept = []
    for decision, annotator in decisions(pair, policy=options.policy):
        account.decided[_name(decision.dimension, annotator)] = (
            decision.preferred or decision.outcome
        )
        if options.ties == "drop" and decision.outcome in _TIED:
            account.left_out[decision.outcome] += 1
        else:
            kept.append(decision)
    if not kept:
        return
    account.written += len(kept)
    account.rows.append(pair_as_dict(replace(pair, aggregates=tuple(kept))))
    account.images.update(image.path for image in pair.images)


def _binary(pair: Pair, options: ExportOptions, account: _Account) -> None:
    for choice in choices(pair, policy=options.policy):
        name = _name(choice.dimension, choice.annotator)
        if isinstance(choice, LeftOut):
            account.decided[name] = choice.reason
            account.left_out[choice.reason] += 1
            continue
        account.decided[name] = choice.chosen
        try:
            row = _row(choice, options, account)
        except Unfit as unfit:
            account.left_out[unfit.reason] += 1
            if unfit.refuses:
                account.refusals[unfit.advice] += 1
            continue
        account.rows.append(row)
        account.written += 1
        account.images.update(row["images"], row.get("rejected_images", ()))


def _row(choice: Choice, options: ExportOptions, account: _Account) -> dict[str, Any]:
    if options.format == "swift":
        return swift_row(choice, last_response_only=options.last_response_only)
    row, dropped = trl_row(
        choice,
        last_response_only=options.last_response_only,
        response_images=options.response_images,  # type: ignore[arg-type]
    )
    account.lost["response_images"] += dropped
    return row


def _name(dimension: str, annotator: str | None) -> str:
    return dimension if annotator is None else f"{dimension} by {annotator}"
