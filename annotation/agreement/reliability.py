"""The report of one set of ratings: counts, marginals and every figure with its interval.

Sets are never pooled: nine dimensions are nine reports.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from annotation.agreement import coefficients, icc, kappa
from annotation.agreement.alpha import Level, alphas, numbers, spearman_brown
from annotation.agreement.coefficients import Weighting, agreement_weights
from annotation.agreement.estimates import Basis, Estimate, State, basis, estimate
from annotation.agreement.intervals import (
    REPLICATES,
    bootstrap_sums,
    cluster_sums,
    leave_out_sums,
)
from annotation.agreement.patterns import (
    FloatArray,
    IntArray,
    Patterns,
    Ratings,
    Score,
    Sums,
    features,
    from_ratings,
    split,
    with_one_more,
)

_MOST_CELLS = 20_000_000


@dataclass(frozen=True, slots=True)
class Reliability:
    """What agreement was in one set of ratings.

    :ivar units: units with a rating.
    :ivar pairable_units: units with two or more.
    :ivar annotators: who rated any (0: unknown).
    :ivar clusters: dialogues (or units) that hold a pairable unit: what is resampled.
    :ivar marginals: ratings by score, in the domain's order.
    """

    domain: tuple[Score, ...]
    units: int
    pairable_units: int
    ratings: int
    annotators: int
    clusters: int
    marginals: tuple[int, ...]
    estimates: tuple[Estimate, ...]

    def figure(self, measure: str, weights: str) -> Estimate:
        """Return the named figure. :raises KeyError: if the report does not have it."""
        for one in self.estimates:
            if (one.measure, one.weights) == (measure, weights):
                return one
        raise KeyError(f"{measure} {weights}")


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """The sums of one set of patterns: whole, resampled and without each annotator.

    Made once; every coefficient is then a function of them. `imagined` is the same (resampled,
    without each annotator) of the patterns and one unit more, where they are thin, else None.
    """

    patterns: Patterns
    facts: Basis
    whole: Sums
    drawn: Sums
    left_out: Sums
    imagined: tuple[Sums, Sums] | None = None

    def estimate(
        self,
        measure: str,
        weights: str,
        of: Callable[[Sums], FloatArray],
        *,
        share: bool = False,
    ) -> Estimate:
        """Return one figure; `of` computes it from sums with any leading axes."""
        drawn, left_out = self.drawn, self.left_out
        if self.imagined is not None and not share:
            drawn, left_out = self.imagined
        return estimate(
            measure,
            weights,
            float(of(self.whole)),
            facts=self.facts,
            replicates=of(drawn),
            left_out=of(left_out),
            undefined=self.why_undefined(),
            share=share,
        )

    def why_undefined(self) -> str:
        """Say why a coefficient has no value here."""
        if not self.facts.units:
            return "no unit has two ratings"
        if len(self.patterns.domain) < 2:
            return "the domain has a single score"
        return "no variation: all scores are the same"


def resample(
    patterns: Patterns, *, replicates: int = REPLICATES, seed: int = 0, units: int | None = None
) -> Resampled:
    """Draw the clusters `replicates` times and leave each annotator out once.

    :param units: how many there are, where the patterns count each pair of people as a unit.
    """
    facts = basis(patterns)
    if units is not None:
        facts = replace(facts, units=units)
    sums, times = cluster_sums(patterns)
    whole = split(times.astype(np.float64) @ sums, len(patterns.domain))
    drawn, left_out = _varied(patterns, sums, times, replicates=replicates, seed=seed)
    imagined = None
    if facts.thin and facts.units and len(patterns.domain) > 1:
        more = with_one_more(patterns)
        imagined = _varied(more, *cluster_sums(more), replicates=replicates, seed=seed)
    return Resampled(patterns, facts, whole, drawn, left_out, imagined)


def _varied(
    patterns: Patterns, sums: FloatArray, times: IntArray, *, replicates: int, seed: int
) -> tuple[Sums, Sums]:
    """Return the sums over resampled clusters, and those without each annotator of a pair."""
    q = len(patterns.domain)
    drawn = bootstrap_sums(sums, times, replicates=replicates, seed=seed)
    left_out = np.empty((0, sums.shape[1]))
    if patterns.cells is not None and len(patterns.counts):
        pairable = patterns.counts.sum(axis=1) >= 2
        present = np.unique(patterns.cells.annotator[pairable[patterns.cells.pattern]])
        left_out = leave_out_sums(patterns)[present]
    return split(drawn, q), split(left_out, q)


def alpha_estimate(drawn: Resampled, level: Level) -> Estimate:
    """Return Krippendorff's alpha."""
    of = partial(alphas, level=level, domain=drawn.patterns.domain)
    return drawn.estimate("krippendorff_alpha", level, of)


def coefficient_estimate(drawn: Resampled, measure: str, weighting: Weighting) -> Estimate:
    """Return one of `coefficients.BY_NAME`."""
    weights = agreement_weights(weighting, drawn.patterns.domain)
    compute = coefficients.BY_NAME[measure]
    return drawn.estimate(
        measure, weighting, lambda sums: compute(sums, weights), share=measure.startswith("percent")
    )


def spearman_brown_estimate(alpha: Estimate, *, ratings: float) -> Estimate:
    """Return the reliability of the mean of `ratings` ratings, from alpha and its interval."""
    # Below this a mean of so many ratings has no reliability; an interval may reach there.
    least = -1 / (2 * ratings - 1)
    values = [
        None if one is None else spearman_brown(max(one, least), ratings=ratings)
        for one in (alpha.value, alpha.low, alpha.high)
    ]
    note = f"of the mean of {ratings:g} ratings; assumes exchangeable annotators and even steps"
    return replace(
        alpha,
        measure="spearman_brown",
        value=values[0],
        low=values[1],
        high=values[2],
        reason=f"{alpha.reason}; {note}" if alpha.reason else note,
    )


def short_report(
    patterns: Patterns, *, replicates: int = REPLICATES, seed: int = 0, units: int | None = None
) -> Reliability:
    """Return what pages show of one dimension: ordinal alpha, AC2, exact and within one point.

    :param patterns: over a domain of numbers in their order.
    :param units: as `resample` has it.
    """
    drawn = resample(patterns, replicates=replicates, seed=seed, units=units)
    return _reliability(
        drawn,
        (
            alpha_estimate(drawn, Level.ORDINAL),
            coefficient_estimate(drawn, "gwet_ac", Weighting.LINEAR),
            coefficient_estimate(drawn, "percent_agreement", Weighting.IDENTITY),
            coefficient_estimate(drawn, "percent_agreement", Weighting.WITHIN_1),
        ),
    )


def full_report(
    ratings: Ratings,
    *,
    level: Level | None = None,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Reliability:
    """Return every measure that the level (or, without one, the domain) allows.

    :raises ValueError: for a level that the domain does not allow.
    """
    drawn = resample(from_ratings(ratings), replicates=replicates, seed=seed)
    levels, weightings = scales(ratings.domain, level)
    return _reliability(drawn, tuple(_figures(drawn, ratings, levels, weightings, seed=seed)))


def _reliability(drawn: Resampled, estimates: tuple[Estimate, ...]) -> Reliability:
    patterns = drawn.patterns
    return Reliability(
        domain=patterns.domain,
        units=patterns.rated_units,
        pairable_units=patterns.pairable_units,
        ratings=patterns.ratings,
        annotators=patterns.annotators,
        clusters=patterns.pairable_clusters,
        marginals=patterns.marginals,
        estimates=estimates,
    )


def scales(
    domain: Sequence[Score], level: Level | None
) -> tuple[tuple[Level, ...], tuple[Weighting, ...]]:
    """Return the levels and weightings to report.

    :raises ValueError: for a level that the domain does not allow.
    """
    if any(isinstance(score, str) for score in domain):
        if level not in {None, Level.NOMINAL}:
            raise ValueError("scores that are texts have no distances: nominal level only")
        return (Level.NOMINAL,), (Weighting.IDENTITY,)
    if level == Level.RATIO and min(numbers(domain), default=0) < 0:
        raise ValueError("a ratio scale has no scores below zero")
    if level == Level.NOMINAL:
        return (level,), (Weighting.IDENTITY,)
    levels = tuple(Level)
    if min(numbers(domain), default=0) < 0:
        levels = (Level.NOMINAL, Level.ORDINAL, Level.INTERVAL)
    weightings = (Weighting.IDENTITY, Weighting.LINEAR, Weighting.QUADRATIC, Weighting.ORDINAL)
    return (levels if level is None else (level,)), weightings


def _figures(
    drawn: Resampled,
    ratings: Ratings,
    levels: Iterable[Level],
    weightings: Sequence[Weighting],
    *,
    seed: int,
) -> Iterator[Estimate]:
    ordered = len(weightings) > 1
    within = (Weighting.WITHIN_1,) if ordered else ()
    for weighting in (Weighting.IDENTITY, *within, *weightings[1:]):
        yield coefficient_estimate(drawn, "percent_agreement", weighting)
    by_level = {level: alpha_estimate(drawn, level) for level in levels}
    yield from by_level.values()
    for measure in ("gwet_ac", "brennan_prediger", "fleiss_kappa_gen"):
        for weighting in weightings:
            yield coefficient_estimate(drawn, measure, weighting)
    yield from _conger(drawn, ratings, weightings, seed=seed)
    yield _classic_fleiss(drawn)
    yield from _two_annotators(drawn, ratings, weightings, seed=seed)
    if ordered:
        yield from _intraclass(drawn, ratings, seed=seed)
    yield from _aggregated(drawn, by_level)


def _aggregated(drawn: Resampled, by_level: dict[Level, Estimate]) -> Iterator[Estimate]:
    """Yield the reliability of the mean, for levels on which a mean says something."""
    if not drawn.facts.units:
        return
    mean = sum(drawn.patterns.pairable_marginals) / drawn.facts.units
    for level in (Level.ORDINAL, Level.INTERVAL):
        if level in by_level:
            yield spearman_brown_estimate(by_level[level], ratings=round(mean, 2))


def _classic_fleiss(drawn: Resampled) -> Estimate:
    """Fleiss' kappa as published: every unit has the same number of ratings."""
    sizes = set(drawn.patterns.counts.sum(axis=1).tolist())
    if len(sizes) > 1:
        return undefined(
            "fleiss_kappa",
            Weighting.IDENTITY,
            "units have different numbers of ratings; see fleiss_kappa_gen",
        )
    return replace(
        coefficient_estimate(drawn, "fleiss_kappa_gen", Weighting.IDENTITY), measure="fleiss_kappa"
    )


def undefined(measure: str, weights: str, reason: str) -> Estimate:
    """Return the figure that has no value, for the reason given."""
    return Estimate(measure, weights, None, None, None, State.UNDEFINED, reason)


def _per_cluster(ratings: Ratings, rows: FloatArray) -> FloatArray:
    """Sum rows of units (units, d) over clusters."""
    if ratings.cluster is None:
        return rows
    sums = np.zeros((int(ratings.cluster.max(initial=-1)) + 1, rows.shape[1]))
    np.add.at(sums, ratings.cluster, rows)
    return sums


def _draw(rows: FloatArray, drawn: Resampled, *, seed: int) -> FloatArray:
    """Resample rows of clusters as often as `drawn` did."""
    replicates = len(drawn.drawn.units)
    return bootstrap_sums(rows, np.ones(len(rows), np.int64), replicates=replicates, seed=seed)


def _conger(
    drawn: Resampled, ratings: Ratings, weightings: Sequence[Weighting], *, seed: int
) -> Iterator[Estimate]:
    """Conger's kappa knows who gave which score, so units are resampled as they are."""
    q, people = len(ratings.domain), ratings.annotators
    table = coefficients.annotator_counts(drawn.patterns)
    replicates = None
    if ratings.units * (people + q) * q <= _MOST_CELLS:
        given = np.zeros((ratings.units, people * q))
        given[ratings.unit, ratings.annotator * q + ratings.category] = 1
        chosen = np.zeros((ratings.units, q), np.int64)
        np.add.at(chosen, (ratings.unit, ratings.category), 1)
        from_units = np.concatenate([features(chosen), given], axis=1)
        replicates = _draw(_per_cluster(ratings, from_units), drawn, seed=seed)
    without = np.repeat(table[None], people, axis=0)
    without[np.arange(people), np.arange(people)] = 0
    present = np.flatnonzero(table.sum(axis=1))
    for weighting in weightings:
        weights = agreement_weights(weighting, ratings.domain)
        over: FloatArray = np.empty(0)
        if replicates is not None:
            width = replicates.shape[1] - people * q
            counts = replicates[:, width:].reshape(len(replicates), people, q)
            over = coefficients.conger_kappa(split(replicates[:, :width], q), counts, weights)
        out: FloatArray = np.empty(0)
        if len(drawn.left_out.units) == len(present):
            out = coefficients.conger_kappa(drawn.left_out, without[present], weights)
        yield estimate(
            "conger_kappa",
            weighting,
            float(coefficients.conger_kappa(drawn.whole, table, weights)),
            facts=drawn.facts,
            replicates=over,
            left_out=out,
            undefined="fewer than two annotators" if people < 2 else drawn.why_undefined(),
        )


def _two_annotators(
    drawn: Resampled, ratings: Ratings, weightings: Sequence[Weighting], *, seed: int
) -> Iterator[Estimate]:
    """Cohen's kappa and Scott's pi, where there are two annotators."""
    wanted = [("cohen_kappa", one, kappa.cohen_kappas) for one in weightings]
    wanted.append(("scott_pi", Weighting.IDENTITY, kappa.scott_pis))
    if ratings.annotators != 2:
        for measure, weighting, _ in wanted:
            why = f"for two annotators; there are {ratings.annotators}"
            yield undefined(measure, weighting, why)
        return
    q = len(ratings.domain)
    tables = kappa.pair_table(ratings).reshape(ratings.units, q * q).astype(np.float64)
    replicates = _draw(_per_cluster(ratings, tables), drawn, seed=seed)
    replicates = replicates.reshape(len(replicates), q, q)
    whole = tables.sum(axis=0).reshape(q, q)
    for measure, weighting, compute in wanted:
        weights = agreement_weights(weighting, ratings.domain)
        yield estimate(
            measure,
            weighting,
            float(compute(whole, weights)),
            facts=drawn.facts,
            replicates=compute(replicates, weights),
            left_out=np.empty(0),
            undefined=drawn.why_undefined(),
        )


def _intraclass(drawn: Resampled, ratings: Ratings, *, seed: int) -> Iterator[Estimate]:
    """The six intraclass correlations, where everybody rated everything."""
    matrix = icc.complete_matrix(ratings)
    if matrix is None:
        for form in icc.Form:
            yield undefined("icc", form, "for complete designs: everybody rates every unit")
        return
    units, people = matrix.shape
    rows = icc.unit_rows(matrix)
    replicates = _draw(_per_cluster(ratings, rows), drawn, seed=seed)
    without = np.empty((0, rows.shape[1]))
    if people >= 3:
        kept = [np.delete(matrix, one, axis=1) for one in range(people)]
        without = np.stack([icc.unit_rows(one).sum(axis=0) for one in kept])
    for form in icc.Form:
        yield estimate(
            "icc",
            form,
            float(icc.correlations(rows.sum(axis=0), form, annotators=people)),
            facts=drawn.facts,
            replicates=icc.correlations(replicates, form, annotators=people),
            left_out=icc.correlations(without, form, annotators=people - 1)
            if people >= 3
            else np.empty(0),
            undefined=drawn.why_undefined() if units > 1 else "a single unit",
        )
