"""How reliable what an export holds is, in the fields that GRRAS asks for.

Kottner et al. 2011, Guidelines for Reporting Reliability and Agreement Studies: who rated, how the
sample was chosen, whether ratings were independent, the numbers there are, and their uncertainty.
"""

from collections.abc import Iterable
from typing import Any

from annotation.agreement.estimates import Estimate
from annotation.reports.agreement import SET, BatchAgreement, batch_agreement
from annotation.reports.pairs import Snapshot

SCHEMA = "intermt-annotate/reliability/1"
INDEPENDENCE = (
    "Nobody saw another's judgment of a dialogue before they judged it: revisions after a return, "
    "reviewers' fixes, adjudications, extra seats, repeats and known answers are left out."
)
DIGITS = 6


def reliability_of(snapshots: Iterable[Snapshot]) -> dict[str, Any]:
    """Return agreement of the independent judgments of each snapshot, whatever the export leaves out.

    The same on every machine: figures are rounded to six digits, and nothing is in a language.
    """
    return {"schema": SCHEMA, "set": SET, "batches": [_batch(one) for one in snapshots]}


def _batch(snapshot: Snapshot) -> dict[str, Any]:
    batch, settings = snapshot.batch, snapshot.batch.parsed_settings()
    found = batch_agreement(batch, number=snapshot.number)
    return {
        "batch": batch.slug,
        "number": snapshot.number,
        "raters": {
            "population": settings.population,
            "number": found.annotators,
            "qualification": settings.requires,
        },
        "sample": {
            "items": found.items,
            "dialogues": found.dialogues,
            "order": batch.order,
            "judgments_per_item": "everyone" if settings.everyone else settings.overlap,
            "judgments_per_item_of_a_share": settings.overlap_high,
            "share": settings.overlap_high_share,
        },
        "independence": {
            "rule": INDEPENDENCE,
            "submitted": found.submitted,
            "independent": found.judgments,
            "left_out": dict(found.left_out),
        },
        "agreement": _agreement(found),
    }


def _agreement(found: BatchAgreement) -> list[dict[str, Any]]:
    ratings = [
        {
            "of": one.key,
            "level": one.level,
            "domain": list(one.reliability.domain),
            "marginals": list(one.reliability.marginals),
            **_numbers(one.reliability),
        }
        for one in found.dimensions
    ]
    preferences = [
        {
            "of": ".".join(filter(None, ["preference", one.scope, one.dimension])),
            "outcomes": list(one.agreement.outcomes),
            **_numbers(one.agreement),
        }
        for one in found.preferences
    ]
    return ratings + preferences


def _numbers(found: Any) -> dict[str, Any]:
    return {
        "units": found.units,
        "pairable_units": found.pairable_units,
        "ratings": found.ratings,
        "annotators": found.annotators,
        "dialogues": found.clusters,
        "figures": [_figure(one) for one in found.estimates],
    }


def _figure(one: Estimate) -> dict[str, Any]:
    def rounded(value: float | None) -> float | None:
        return None if value is None else round(value, DIGITS)

    return {
        "measure": one.measure,
        "weights": str(one.weights),
        "value": rounded(one.value),
        "low": rounded(one.low),
        "high": rounded(one.high),
        "state": str(one.state),
        "varied": one.source,
    }
