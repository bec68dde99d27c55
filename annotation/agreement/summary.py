"""What `python -m annotation.agreement` prints beside the coefficients: people, consensus, preferences."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from annotation.agreement.annotators import deviations, shrunk, standing
from annotation.agreement.consensus import (
    MOST_FITTED,
    ConsensusSummary,
    not_fitted,
    summarised,
)
from annotation.agreement.patterns import FloatArray, Patterns, Ratings, from_ratings
from annotation.agreement.preferences import OUTCOMES, PreferenceAgreement, preference_report
from annotation.agreement.testing import false_discovery, t_test


@dataclass(frozen=True, slots=True)
class PersonStanding:
    """One annotator beside the people who rated the same units; see `annotators.Standing`."""

    annotator: str
    ratings: int
    severity: float | None
    error: float | None
    shrunk: float | None
    q: float | None
    absolute: float | None
    exact: float | None
    consensus: float | None
    alpha_without: float | None
    alpha_change: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """People (numbers only), consensus, and preferences (outcomes only)."""

    people: tuple[PersonStanding, ...]
    consensus: ConsensusSummary
    preferences: PreferenceAgreement | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        told = self.preferences
        return {
            "annotators_beside": [asdict(one) for one in self.people],
            "consensus": asdict(self.consensus),
            "preferences": told
            and {
                "outcomes": dict(zip(OUTCOMES, told.outcomes, strict=True)),
                "figures": [asdict(one) for one in told.estimates],
            },
        }


def summary(ratings: Ratings, names: tuple[str, ...], *, replicates: int, seed: int) -> Summary:
    """Return all of it; `names` are the annotators' by code."""
    patterns = from_ratings(ratings)
    numbers = not any(isinstance(score, str) for score in ratings.domain)
    return Summary(
        people=_people(ratings, patterns, names) if numbers and len(ratings.unit) else (),
        consensus=summarised(patterns, ratings)[0]
        if 0 < len(ratings.unit) <= MOST_FITTED
        else not_fitted(patterns),
        preferences=preference_report(patterns, replicates=replicates, seed=seed)
        if ratings.domain == OUTCOMES
        else None,
    )


def _people(
    ratings: Ratings, patterns: Patterns, names: tuple[str, ...]
) -> tuple[PersonStanding, ...]:
    found = standing(patterns)
    spreads = deviations(ratings)
    errors = [one.error() for one in spreads]
    shared = np.flatnonzero(found.ratings)
    pulled = dict(
        zip(
            shared.tolist(),
            shrunk(found.severity[shared].tolist(), [errors[who] for who in shared]),
            strict=True,
        )
    )
    q_values = false_discovery(
        [
            t_test(float(found.severity[who]), errors[who], spreads[who].clusters - 1)
            for who in range(len(names))
        ]
    )

    def known(values: FloatArray, who: int) -> float | None:
        return None if np.isnan(values[who]) else float(values[who])

    return tuple(
        PersonStanding(
            annotator=name,
            ratings=int(found.ratings[who]),
            severity=known(found.severity, who),
            error=errors[who],
            shrunk=pulled.get(who),
            q=q_values[who],
            absolute=known(found.absolute, who),
            exact=known(found.exact, who),
            consensus=known(found.consensus, who),
            alpha_without=known(found.alpha_without, who),
            alpha_change=known(found.alpha_change, who),
        )
        for who, name in enumerate(names)
    )
