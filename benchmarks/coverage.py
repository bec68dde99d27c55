"""How often a nominal 95 % interval holds the truth: `python benchmarks/coverage.py [--quick]`.

The figures that pages show (ordinal alpha, AC2 with linear weights, exact and within-1 agreement)
of scores 0 to 3 by three annotators an item, drawn again and again from teams and items whose true
figures are known (from one very large draw of the same kind). Three kinds of doubt: few items,
scores that are nearly all the same, and few annotators with severities of their own. In the last
rows units come in dialogues of five that share half of their quality.

`alpha` is the true one. The four shares are of intervals that hold the truth, of the samples that
have an interval; `none` the share of samples that have none of alpha and say why; `half` the middle
half-width of alpha's; `people` how often leaving out annotators was the wider; `states` the state
of alpha that most samples get. A share is known to about half a point in 2,000 samples, to three
points with --quick.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from annotation.agreement.estimates import Estimate
from annotation.agreement.patterns import Ratings, from_ratings
from annotation.agreement.reliability import short_report

SCALE = (0, 1, 2, 3)
EACH = 3
LEAST = 0.92
BROAD, SKEWED = (-0.2, 0.85, 1.9), (1.55, 2.05, 2.5)
"""Thresholds that give the marginals 44/31/19/7 and 89/6/3/2."""


@dataclass(frozen=True)
class Design:
    """`bias` is the spread of the annotators' severities, `inside` units a dialogue holds."""

    name: str
    items: int
    annotators: int
    cuts: tuple[float, float, float] = BROAD
    bias: float = 0.0
    inside: int = 1


DESIGNS = [
    *(Design("44/31/19/7", items, 200) for items in (20, 100, 1000)),
    *(Design("89/6/3/2", items, 200, SKEWED) for items in (20, 50, 100, 300)),
    Design("mild bias (sd .35)", 300, 5, bias=0.35),
    *(Design("mild bias (sd .35)", 1000, a, bias=0.35) for a in (5, 10, 20, 50, 200)),
    *(Design("strong bias (sd .8)", 1000, a, bias=0.8) for a in (5, 10, 20, 50, 200)),
    Design("dialogues of five", 100, 200, inside=5),
    Design("dialogues of five, mild bias", 300, 10, bias=0.35, inside=5),
]


def drawn(design: Design, rng: np.random.Generator, *, items: int = 0, people: int = 0) -> Ratings:
    """One sample of the design; or a larger one of the same kind."""
    items, people = items or design.items, people or design.annotators
    dialogue = np.arange(items) // design.inside
    shared = rng.normal(size=int(dialogue[-1]) + 1)[dialogue]
    quality = rng.normal(size=items)
    if design.inside > 1:
        quality = (quality + shared) / np.sqrt(2)
    # Distinct people for each item: a random first one, then two random steps onwards.
    first = rng.integers(0, people, size=items)
    steps = np.sort(
        np.stack([rng.integers(1, people, items), rng.integers(1, people - 1, items)]), 0
    )
    steps[1] += steps[0] >= steps[1]
    who = (np.stack([first, first + steps[0], first + steps[1]], 1)) % people
    severity = rng.normal(scale=design.bias, size=people) if design.bias else np.zeros(people)
    seen = quality[:, None] + severity[who] + rng.normal(scale=0.75, size=(items, EACH))
    return Ratings(
        domain=SCALE,
        unit=np.repeat(np.arange(items), EACH),
        annotator=who.ravel(),
        category=np.digitize(seen, design.cuts).ravel().astype(np.int64),
        units=items,
        annotators=people,
        cluster=dialogue if design.inside > 1 else None,
    )


def truth(design: Design) -> list[float]:
    """Return the figures of the population the samples come from."""
    rng = np.random.default_rng(99)
    large = drawn(design, rng, items=2_000_000, people=20_000)
    # Its figures are the same whoever gave the ratings, and nothing is varied here.
    seats = np.tile(np.arange(EACH), large.units)
    plain = replace(large, cluster=None, annotator=seats, annotators=EACH)
    report = short_report(from_ratings(plain), replicates=2)
    return [one.value for one in report.estimates if one.value is not None]


def estimates(design: Design, *, samples: int, replicates: int) -> Iterator[tuple[Estimate, ...]]:
    rng = np.random.default_rng(7)
    for seed in range(samples):
        patterns = from_ratings(drawn(design, rng))
        yield short_report(patterns, replicates=replicates, seed=seed).estimates


def measure(design: Design, *, samples: int, replicates: int) -> tuple[str, bool]:
    """Return the line of the table, and whether all intervals hold the truth often enough."""
    known = truth(design)
    found = list(zip(*estimates(design, samples=samples, replicates=replicates), strict=True))
    covered = []
    for value, several in zip(known, found, strict=True):
        held = [one for one in several if one.low is not None and one.high is not None]
        covered.append(sum(one.low <= value <= one.high for one in held) / max(len(held), 1))
    alphas = found[0]
    held = [one for one in alphas if one.low is not None and one.high is not None]
    half = float(np.median([(one.high - one.low) / 2 for one in held])) if held else float("nan")
    people = sum(one.source == "annotators" for one in held) / max(len(held), 1)
    state, count = Counter(one.state.value for one in alphas).most_common(1)[0]
    line = (
        f"{design.name:30} {design.items:6} {design.annotators:6} {known[0]:6.3f} "
        + " ".join(f"{share:8.3f}" for share in covered)
        + f" {1 - len(held) / len(alphas):6.3f} {half:6.3f} {people:7.2f}  "
        f"{state} ({count / len(alphas):.0%})"
    )
    return line, min(covered) >= LEAST


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="200 samples a design, not 2,000")
    parser.add_argument("--samples", type=int, help="samples a design")
    parser.add_argument("--replicates", type=int, default=200, help="bootstrap replicates (200)")
    parser.add_argument("--seconds", type=float, default=900, help="begin no design after this")
    options = parser.parse_args()
    samples = options.samples or (200 if options.quick else 2000)
    print(f"{samples} samples a design; the mark is {LEAST}")
    print(
        f"{'design':30} {'items':>6} {'people':>6} {'alpha':>6} {'of alpha':>8} {'AC2':>8} "
        f"{'exact':>8} {'within 1':>8} {'none':>6} {'half':>6} {'people':>7}  states"
    )
    start, short, left = time.monotonic(), 0, 0
    for design in DESIGNS:
        if time.monotonic() - start > options.seconds:
            left += 1
            continue
        line, reached = measure(design, samples=samples, replicates=options.replicates)
        short += not reached
        print(line + ("" if reached else "  UNDER THE MARK"), flush=True)
    print(
        f"{len(DESIGNS) - short - left} of {len(DESIGNS)} designs reach {LEAST}"
        + (f", {left} not begun in time" if left else "")
        + f"; {time.monotonic() - start:.0f} s"
    )
    return 1 if short or left else 0


if __name__ == "__main__":
    sys.exit(main())
