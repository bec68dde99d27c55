"""One coefficient as it is reported: value, interval, state, and the reason in words.

A number that cannot be computed is None, never NaN and never an invented 0 or 1.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from annotation.agreement.intervals import (
    Interval,
    spread_over_annotators,
    spread_over_clusters,
    widest,
    wilson,
)
from annotation.agreement.patterns import FloatArray, Patterns

FEWEST_UNITS = 20
FEW_UNITS = 100
FEW_ANNOTATORS = 10
WIDE = 0.2
"""An interval wider than this (0.1 to either side) is provisional."""
ONE_SIDED = 0.85
FEW_MINORITY_UNITS = 30
THIN = 10
"""With fewer clusters that have any score but the most frequent, spreads imagine one unit more."""


class State(StrEnum):
    """How far a figure can be leaned on."""

    OK = "ok"
    PROVISIONAL = "provisional"
    INSUFFICIENT = "insufficient"
    LOW_VARIATION = "low_variation"
    UNDEFINED = "undefined"


@dataclass(frozen=True, slots=True)
class Estimate:
    """One figure.

    :ivar measure: its name, as in the file of reference cases (`krippendorff_alpha`, ...).
    :ivar weights: level or weighting (`ordinal`, `linear`, ...).
    :ivar value: None where undefined.
    :ivar low: lower end of the 95 % interval, None where there is none.
    :ivar high: upper end.
    :ivar state: how far it can be leaned on.
    :ivar reason: why the state is not ok, or what to know; may be empty.
    :ivar source: what the interval varies: "units", "annotators", "wilson", or "".
    """

    measure: str
    weights: str
    value: float | None
    low: float | None
    high: float | None
    state: State
    reason: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Basis:
    """The facts about the ratings that decide a figure's state; sizes of the pairable part.

    :ivar units: units with two ratings or more.
    :ivar clusters: clusters that hold one.
    :ivar annotators: who rated one; 0: unknown.
    :ivar largest: share of the most frequent score, 0 to 1.
    :ivar minority_units: units in which somebody chose another.
    :ivar minority_clusters: clusters that hold one of these.
    :ivar decided: whether only units count in which two people preferred a side.
    """

    units: int
    clusters: int
    annotators: int
    largest: float
    minority_units: int
    minority_clusters: int
    decided: bool = False

    @property
    def thin(self) -> bool:
        """Whether so few clusters say anything that their own spread cannot be trusted."""
        return self.minority_clusters < THIN


def basis(patterns: Patterns) -> Basis:
    """Return the facts of one set of ratings."""
    marginals = patterns.pairable_marginals
    ratings = sum(marginals)
    return Basis(
        units=patterns.pairable_units,
        clusters=patterns.pairable_clusters,
        annotators=patterns.pairable_annotators,
        largest=max(marginals, default=0) / ratings if ratings else 0.0,
        minority_units=patterns.minority_units,
        minority_clusters=patterns.minority_clusters,
    )


def estimate(
    measure: str,
    weights: str,
    value: float,
    *,
    facts: Basis,
    replicates: FloatArray,
    left_out: FloatArray,
    undefined: str,
    share: bool = False,
) -> Estimate:
    """Return one figure with its interval and state.

    :param value: NaN where undefined; `undefined` then says why.
    :param replicates: bootstrap replicates; empty: no interval over units.
    :param left_out: values without each annotator; empty: nobody knows who they are.
    :param share: a share of 0 to 1 (percent agreement), which low variation does not spoil.
    """
    if np.isnan(value):
        return Estimate(measure, weights, None, None, None, State.UNDEFINED, undefined)
    over_clusters = spread_over_clusters(
        replicates, clusters=facts.clusters, telling=None if share else facts.minority_clusters
    )
    over_annotators = spread_over_annotators(left_out, annotators=facts.annotators)
    interval = widest(
        value, over_clusters=over_clusters, over_annotators=over_annotators, share=share
    )
    if interval is None and share:
        # Nothing differs (or everything): resampling sees no spread, Wilson still does.
        interval = wilson(round(value) * facts.clusters, facts.clusters)
    state, reason = grade(
        facts, interval, share=share, notes=(over_clusters.why_not, over_annotators.why_not)
    )
    return Estimate(
        measure,
        weights,
        value,
        interval.low if interval else None,
        interval.high if interval else None,
        state,
        reason,
        interval.source if interval else "",
    )


def grade(
    facts: Basis, interval: Interval | None, *, share: bool, notes: tuple[str, ...] = ()
) -> tuple[State, str]:
    """Return the state of a defined figure and the reason in words."""
    if facts.units < FEWEST_UNITS or facts.annotators == 1:
        few = f"{facts.units} units with two ratings or more; {FEWEST_UNITS} are the least"
        if facts.decided:
            few = f"{facts.units} units on which two people decided; {FEWEST_UNITS} are the least"
        return State.INSUFFICIENT, few if facts.units < FEWEST_UNITS else "a single annotator"
    if not share:
        if facts.largest > ONE_SIDED:
            return (
                State.LOW_VARIATION,
                f"{100 * facts.largest:.0f} % of the scores are the same: there is little to tell "
                "apart, so read exact agreement beside it",
            )
        if facts.units >= FEW_UNITS and facts.minority_units < FEW_MINORITY_UNITS:
            return (
                State.LOW_VARIATION,
                f"only {facts.minority_units} units have any score but the most frequent one",
            )
    reasons = list(_doubts(facts, interval))
    if interval is None or not facts.annotators:
        reasons += [note for note in notes if note]
    if reasons:
        return State.PROVISIONAL, "; ".join(dict.fromkeys(reasons))
    return State.OK, ""


def _doubts(facts: Basis, interval: Interval | None) -> list[str]:
    """Return what makes a figure provisional, in words."""
    doubts = []
    if interval is None:
        doubts.append("no interval can be computed")
    elif interval.high - interval.low > WIDE:
        doubts.append(f"the interval is wider than {WIDE:g}")
    if facts.units < FEW_UNITS and facts.decided:
        doubts.append(f"{facts.units} units on which two people decided, fewer than {FEW_UNITS}")
    elif facts.units < FEW_UNITS:
        doubts.append(f"{facts.units} units with two ratings or more, fewer than {FEW_UNITS}")
    if 0 < facts.annotators < FEW_ANNOTATORS:
        doubts.append(f"{facts.annotators} annotators: the figure is about these")
    return doubts
