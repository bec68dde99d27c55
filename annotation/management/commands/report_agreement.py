"""`manage.py report_agreement --batch SLUG`: how well the annotators of a batch agree."""

import json
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.core.management.base import BaseCommand

from annotation.agreement.consensus import ConsensusSummary
from annotation.management.figures import (
    coefficient,
    counts,
    figure_cells,
    interval,
    share,
    state,
    table,
)
from annotation.management.snapshots import add_snapshot_arguments, snapshot_of
from annotation.reports.agreement import BatchAgreement
from annotation.reports.annotators import BatchAnnotators, FirstShown
from annotation.reports.consensus import BatchConsensus
from annotation.reports.disagreements import BatchDisagreements
from annotation.reports.effects import BatchEffects
from annotation.reports.figures import (
    AGREEMENT,
    ANNOTATORS,
    CONSENSUS,
    DISAGREEMENTS,
    EFFECTS,
    RANKING,
    REPORTS,
)
from annotation.reports.ranking import BatchRanking, ModelRanking


class Command(BaseCommand):
    help = (
        "Print agreement per dimension and comparison of a batch, from the independent set: per "
        "overlap seat the latest judgment made before its author saw anything of others'. "
        "Intervals are 95 %: the wider of resampling dialogues and of leaving annotators out."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_snapshot_arguments(parser)
        parser.add_argument(
            "--of",
            choices=[AGREEMENT, ANNOTATORS, CONSENSUS, DISAGREEMENTS, EFFECTS, RANKING],
            default=AGREEMENT,
            help="agreement; how each annotator stands to the others; where they differ most "
            "(disagreements); whether length or pictures decided (effects); one answer from several "
            "(consensus); models by what people prefer (ranking)",
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        batch, number = snapshot_of(options)
        report = REPORTS[options["of"]](batch, number=number)
        if options["json"]:
            self.stdout.write(json.dumps(report.as_dict(), ensure_ascii=False, allow_nan=False))
        else:
            self.stdout.write("\n".join(PRINTED[type(report)](report)))


def _annotators(report: BatchAnnotators) -> Iterable[str]:
    yield f"{report.batch} at number {report.number}, independent set, by pseudonym"
    yield ""
    yield from table(
        ["annotator", "dimension", "severity", "shrunk", "q", "distance", "exact", "with most",
         "alpha without", "ratings"],
        [
            [
                one.pseudonym,
                figures.key,
                coefficient(figures.severity),
                coefficient(figures.shrunk),
                coefficient(figures.q) + (" *" if figures.marked else ""),
                coefficient(figures.absolute),
                share(figures.exact),
                f"{share(figures.consensus)} of {figures.with_consensus}",
                f"{coefficient(figures.alpha_without)} ({coefficient(figures.alpha_change)})",
                str(figures.ratings),
            ]
            for one in report.annotators
            for figures in one.dimensions
        ],
    )  # fmt: skip
    yield ""
    yield from table(
        ["annotator", "items", "minutes", "first shown", "q", "against scores"],
        [
            [
                one.pseudonym,
                str(one.items),
                coefficient(one.minutes),
                *_first(one.first_shown),
                f"{one.kept} kept, {one.changed} changed of {one.preferences}",
            ]
            for one in report.annotators
        ],
    )
    yield ""
    yield from table(
        ["dimension", "one", "other", "exact", "difference", "units"],
        [
            [
                pair.dimension, pair.one, pair.other, share(pair.exact),
                coefficient(pair.difference), str(pair.units),
            ]
            for pair in report.pairs
        ],
    )  # fmt: skip


def _first(shown: Sequence[FirstShown]) -> list[str]:
    overall = next((one for one in shown if one.scope == "overall"), None)
    if overall is None:
        return ["–", "–"]
    place = overall.position
    first = f"{share(place.share)} of {place.decided}"
    first += interval(place.low, place.high, percent=True)
    return [first, coefficient(overall.q) + (" *" if overall.marked else "")]


def _disagreements(report: BatchDisagreements) -> Iterable[str]:
    yield (
        f"{report.batch} at number {report.number}, independent set: {report.apart} of "
        f"{report.units} units two points or more apart, {len(report.listed)} listed"
    )
    yield ""
    yield from table(
        ["item", "turn", "side", "dimension", "lowest", "highest", "prompt"],
        [
            [
                one.item,
                str(one.turn) if one.level == "local" else "whole",
                str(one.side or ""),
                one.dimension,
                f"{one.low} {', '.join(one.lower)}",
                f"{one.high} {', '.join(one.higher)}",
                one.prompt[:60],
            ]
            for one in report.listed
        ],
    )


def _effects(report: BatchEffects) -> Iterable[str]:
    yield f"{report.batch} at number {report.number}, independent set, decided overall preferences"
    yield ""
    yield from table(
        ["side with more", "preferred (95 %)", "p", "equal", "log odds (95 %)"],
        [
            [
                one.property,
                f"{share(one.wins.share)} of {one.wins.decided}"
                + interval(one.wins.low, one.wins.high, percent=True),
                coefficient(one.wins.p),
                str(one.equal),
                coefficient(one.slope.slope)
                + interval(one.slope.low, one.slope.high, percent=False)
                if one.slope
                else "–",
            ]
            for one in report.effects
        ],
    )


def _consensus(report: BatchConsensus) -> Iterable[str]:
    yield f"{report.batch} at number {report.number}, independent set, two ratings or more"
    yield ""
    yield from table(
        ["of", "units", "unanimous", "majority", "no majority", "Dawid and Skene", "differs"],
        [
            [
                one.dimension or one.scope,
                str(one.units),
                *(str(count) for count in one.summary.ways.values()),
                _fitted(one.summary),
                "–" if one.summary.converged is None else str(one.summary.differs),
            ]
            for one in (*report.ratings, *report.preferences)
        ],
    )
    if report.listed:
        yield ""
        yield (
            f"{report.told_apart} items without a majority overall, or where the model says "
            f"otherwise; {len(report.listed)} listed"
        )
        yield from table(
            ["item", "votes", "majority", "Dawid and Skene", "probability"],
            [
                [
                    one.item, counts(one.votes), one.majority or "none", one.second or "–",
                    coefficient(one.probability),
                ]
                for one in report.listed
            ],
        )  # fmt: skip


def _fitted(one: ConsensusSummary) -> str:
    if one.converged is None:
        return one.why_not
    return f"{'converged' if one.converged else 'DID NOT CONVERGE'} after {one.steps} steps"


def _ranking(report: BatchRanking) -> Iterable[str]:
    yield f"{report.batch} at number {report.number}, independent set, models by preferences"
    for one in report.rankings:
        yield ""
        yield from _models(one)


def _models(one: ModelRanking) -> Iterable[str]:
    yield (
        f"{one.dimension or one.scope}: {one.compared} preferences between models by "
        f"{one.annotators} annotators in {one.dialogues} dialogues; left out: same model "
        f"{one.same_model}, unnamed {one.unnamed}; {one.state.value}"
        + (f": {one.reason}" if one.reason else "")
    )
    if not one.models:
        return
    yield from table(
        ["model", "against the mean (95 %)", "log odds (95 %)", "won", "tied", "lost", "part"],
        [
            [
                row.model,
                share(row.share) + interval(row.share_low, row.share_high, percent=True),
                coefficient(row.strength) + interval(row.low, row.high, percent=False),
                *(str(count) for count in (row.won, row.tied, row.lost, row.part)),
            ]
            for row in one.models
        ],
    )


def in_words(report: BatchAgreement) -> Iterable[str]:
    """Yield the lines of the printed report."""
    yield (
        f"{report.batch} at number {report.number}, independent set: {report.judgments} judgments "
        f"of {report.items} items in {report.dialogues} dialogues by {report.annotators} annotators"
    )
    yield f"left out of {report.submitted}: {counts(report.left_out)}"
    if report.dimensions:
        yield ""
        yield from table(
            ["dimension", "alpha (95 %)", "AC2", "exact", "within 1", "pairs", "state"],
            [
                [
                    one.key,
                    *figure_cells(
                        [
                            one.reliability.figure("krippendorff_alpha", "ordinal"),
                            one.reliability.figure("gwet_ac", "linear"),
                            one.reliability.figure("percent_agreement", "identity"),
                            one.reliability.figure("percent_agreement", "within_1"),
                        ]
                    ),
                    str(one.reliability.pairable_units),
                    state(one.reliability.figure("krippendorff_alpha", "ordinal")),
                ]
                for one in report.dimensions
            ],
        )
        yield ""
        for one in report.dimensions:
            found = one.reliability
            scores = ", ".join(
                f"{score}: {count}"
                for score, count in zip(found.domain, found.marginals, strict=True)
            )
            yield f"{one.key}: scores {scores}; left out: {counts(one.left_out)}"
    if report.preferences:
        yield ""
        yield from table(
            ["preference", "alpha (95 %)", "exact", "ties", "reversals", "first shown", "state"],
            [
                [
                    one.dimension or one.scope,
                    *figure_cells(
                        [
                            one.agreement.figure("krippendorff_alpha", "nominal"),
                            one.agreement.figure("percent_agreement"),
                            one.agreement.figure("tie_share"),
                            one.agreement.figure("reversal_rate"),
                        ]
                    ),
                    share(one.first_shown.share)
                    + f" of {one.first_shown.decided}"
                    + interval(one.first_shown.low, one.first_shown.high, percent=True),
                    state(one.agreement.figure("krippendorff_alpha", "nominal")),
                ]
                for one in report.preferences
            ],
        )


PRINTED: dict[type, Callable[[Any], Iterable[str]]] = {
    BatchAgreement: in_words,
    BatchAnnotators: _annotators,
    BatchConsensus: _consensus,
    BatchDisagreements: _disagreements,
    BatchEffects: _effects,
    BatchRanking: _ranking,
}
