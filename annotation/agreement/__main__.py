"""`python -m annotation.agreement RATINGS.csv`: every figure of a plain file of ratings."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from annotation.agreement.alpha import Level
from annotation.agreement.estimates import Estimate
from annotation.agreement.intervals import REPLICATES
from annotation.agreement.reading import RatingsFile, Unreadable, read_ratings
from annotation.agreement.reliability import Reliability, full_report
from annotation.agreement.summary import Summary, summary

_DESCRIPTION = """\
How well annotators agree, from a file with the columns unit, annotator and score: one row for
each rating. Other columns are ignored. The ratings file that this project exports is read as
it is. An empty score is no rating and is counted apart; it is never a score of its own.
"""

_EPILOG = """\
what to read first
  krippendorff_alpha   can these ratings tell units apart? 0 is chance, 1 is perfect. The level
                       says how far apart scores are: nominal (same or not), ordinal (ranks),
                       interval (numbers), ratio (numbers from a true zero).
  gwet_ac              how often do two annotators say the same, chance removed? AC1 with
                       identity weights, AC2 with others. It stays high when nearly all scores
                       are the same, even for guessing: never judge by it alone.
  percent_agreement    no chance removed. identity: exactly the same; within_1: one step apart
                       at most. Each unit counts once, however many ratings it has.
  brennan_prediger, fleiss_kappa_gen, conger_kappa: other ideas of chance, missing ratings
                       allowed. fleiss_kappa: as of 1971, equally many ratings on every unit.
  cohen_kappa, scott_pi  exactly two annotators.
  icc                  numbers, and everybody rated everything (Shrout and Fleiss 1979).
  spearman_brown       reliability of the mean of a unit's ratings rather than of one rating.

then
  each annotator       severity: mean of their score less the co-raters' mean score (below 0
                       severe); shrunk: drawn to the pool by as much as it is uncertain; q: p of
                       no difference, adjusted over all people (Benjamini and Hochberg); distance
                       to a co-rater in points; with most: agreement with more than half of the
                       others, themselves left out; alpha of everybody else, and its change.
  consensus            more than half, or told that there is none; Dawid and Skene's model as a
                       second opinion, with whether it converged. Never score a model against
                       labels it helped to make.
  preferences          with --domain response_1,tie,response_2,both_bad: alpha nominal and ordered,
                       agreement of the decided and their share, reversals, ties.

intervals
  95 %, on Fisher's z scale: the wider of resampling units (or, with --cluster, dialogues: their
  units stand or fall together) and of leaving out one annotator at a time; the column `varied`
  says which it was. The same --seed gives the same digits.

states
  ok             may be leaned on, as far as the interval goes
  provisional    wide interval, fewer than 100 units with two ratings, or fewer than 10 annotators
  insufficient   fewer than 20 such units, or one annotator: too little to say anything
  low_variation  nearly all scores are the same, so chance-corrected figures say little
  undefined      there is no such number here; the reason says why, and the value is empty (null)

examples
  python -m annotation.agreement ratings.csv --level ordinal --domain 0,1,2,3
  python -m annotation.agreement ratings.parquet --where dimension=text_quality \\
      --where set=independent --cluster dialogue --domain 0,1,2,3 --json
  python -m annotation.agreement votes.csv --level nominal --domain A,tie,B

exit codes: 0 figures printed, 2 the file or the options cannot be taken (the message says where)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; return the exit code."""
    parser = _parser()
    options = parser.parse_args(_joined(sys.argv[1:] if arguments is None else arguments))
    try:
        file = read_ratings(
            options.ratings,
            domain=options.domain.split(",") if options.domain is not None else None,
            where=dict(options.where),
            cluster=options.cluster,
        )
        level = Level(options.level) if options.level else None
        report = full_report(
            file.ratings, level=level, replicates=options.replicates, seed=options.seed
        )
        more = summary(file.ratings, file.people, replicates=options.replicates, seed=options.seed)
    except (Unreadable, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for note in file.notes:
        print(f"note: {note}", file=sys.stderr)
    if options.json:
        told = as_json(report) | more.as_dict()
        print(json.dumps(told, ensure_ascii=False, allow_nan=False, indent=2))
    else:
        print("\n".join([as_text(report, file), *beside(more)]))
    return 0


def _joined(arguments: Sequence[str]) -> list[str]:
    """Join `--domain -1,0,1`, which argparse would take for an unknown option."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] == "--domain" and argument[:1] == "-":
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m annotation.agreement",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("ratings", type=Path, help="CSV (UTF-8, with a header) or .parquet")
    parser.add_argument(
        "--level",
        choices=[level.value for level in Level],
        help="level of measurement; without it, every level and weighting the scores allow",
    )
    parser.add_argument(
        "--domain",
        metavar="0,1,2,3",
        help="all scores there are, in their order, also those never given (texts: nominal level)",
    )
    parser.add_argument(
        "--where",
        metavar="COLUMN=VALUE",
        type=_filter,
        action="append",
        default=[],
        help="only rows with this value; may be given several times",
    )
    parser.add_argument(
        "--cluster", metavar="COLUMN", help="column naming what is resampled as a whole (dialogue)"
    )
    parser.add_argument(
        "--replicates",
        metavar="N",
        type=_at_least_two,
        default=REPLICATES,
        help=f"resamples ({REPLICATES})",
    )
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of the resamples (0)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _filter(text: str) -> tuple[str, str]:
    column, equals, value = text.partition("=")
    if not equals or not column:
        raise argparse.ArgumentTypeError(f"{text!r} is not COLUMN=VALUE")
    return column, value


def _at_least_two(text: str) -> int:
    if not text.isdecimal() or int(text) < 2:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of resamples, 2 or more")
    return int(text)


def as_json(report: Reliability) -> dict[str, Any]:
    """Return the report as plain values; an undefined value is null."""
    return {
        "units": report.units,
        "pairable_units": report.pairable_units,
        "ratings": report.ratings,
        "annotators": report.annotators,
        "figures": [
            {
                "measure": one.measure,
                "weights": one.weights,
                "value": one.value,
                "low": one.low,
                "high": one.high,
                "state": one.state.value,
                "reason": one.reason,
            }
            for one in report.estimates
        ],
    }


def as_text(report: Reliability, file: RatingsFile) -> str:
    """Return the report as a table."""
    counts = [
        f"{report.units} units, {report.pairable_units} with two ratings or more",
        f"{report.ratings} ratings by {report.annotators} annotators",
    ]
    if file.empty:
        counts.append(f"{file.empty} rows without a score left out")
    if file.left_out:
        counts.append(f"{file.left_out} rows left out by --where")
    scores = ", ".join(
        f"{score}: {count}" for score, count in zip(report.domain, report.marginals, strict=True)
    )
    header = ("measure", "weights", "value", "95 % interval", "state", "varied", "reason")
    rows = [header, *(_cells(one) for one in report.estimates)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header) - 1)]
    lines = [
        "  ".join(
            [*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]
        ).rstrip()
        for row in rows
    ]
    return "\n".join(["; ".join(counts), f"scores given: {scores}", "", *lines])


def beside(more: Summary) -> Iterator[str]:
    """Yield the lines about people, consensus and preferences."""
    if more.people:
        yield "\neach annotator beside the others of the same units"
        header = ("annotator", "severity", "shrunk", "q", "distance", "exact", "with most",
                  "alpha without", "change", "ratings")  # fmt: skip
        yield from _table(
            header,
            [
                (one.annotator, *(_figure(value) for value in (
                    one.severity, one.shrunk, one.q, one.absolute, one.exact, one.consensus,
                    one.alpha_without, one.alpha_change)), str(one.ratings))
                for one in more.people
            ],
        )  # fmt: skip
    told = more.consensus
    ways = ", ".join(f"{count} {way.replace('_', ' ')}" for way, count in told.ways.items())
    yield f"\nconsensus of units with two ratings or more: {ways}"
    if told.converged is None:
        yield f"Dawid and Skene: {told.why_not}"
    else:
        how = "converged" if told.converged else "DID NOT CONVERGE"
        prior = ", ".join(f"{score}: {share:.3f}" for score, share in told.prior.items())
        yield (
            f"Dawid and Skene: {how} after {told.steps} steps; shares {prior}; differs from the "
            f"majority on {told.differs} units"
        )
    if more.preferences is not None:
        yield "\npreferences"
        yield from _table(
            ("measure", "weights", "value", "95 % interval", "state", "varied", "reason"),
            [_cells(one) for one in more.preferences.estimates],
        )


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    for row in [header, *rows]:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _cells(one: Estimate) -> tuple[str, ...]:
    value = "–" if one.value is None else f"{one.value:.4f}"
    interval = ""
    if one.low is not None and one.high is not None:
        interval = f"{one.low:.3f} to {one.high:.3f}"
    return (one.measure, one.weights, value, interval, one.state.value, one.source, one.reason)


if __name__ == "__main__":
    sys.exit(main())
