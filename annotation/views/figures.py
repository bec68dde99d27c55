"""The lead's agreement page of a batch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import exp
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from annotation.choices import Branch, Level
from annotation.labels import label, left_out
from annotation.models.projects import Member
from annotation.rendering import charts
from annotation.rendering.html import SafeHtml
from annotation.reports.adjudications import adjudicated_among
from annotation.reports.figures import (
    ANNOTATORS,
    DISAGREEMENTS,
    EFFECTS,
    QUALITY,
    shown_agreement,
    shown_figures,
)
from annotation.reports.words import in_language
from annotation.views.access import UserRequest, as_lead, wants_part
from annotation.views.people import disagreement_rows, people_table
from annotation.views.words import KINDS, SCOPES, STATES

Figure = Mapping[str, Any]

LEVELS: tuple[tuple[str, Promise], ...] = (
    (Level.LOCAL, _("One turn")),
    (Level.GLOBAL, _("The whole conversation")),
)
VARIED: dict[str, Promise] = {
    "units": _("over dialogues"),
    "annotators": _("over annotators"),
    "wilson": _("by Wilson"),
    "": _("none"),
}
"""What the interval lets vary: the wider of the first two, or a share of which nothing differs."""

FIRST_DISAGREEMENTS = 8
AGREEMENT_PART = "agreement"
EFFECT_NAMES: dict[str, Promise] = {"length": _("more text"), "images": _("more pictures")}
EFFECT_STEPS: dict[str, Promise] = {
    "length": _("for twice the length"),
    "images": _("for one picture more"),
}


@dataclass(frozen=True, slots=True)
class DimensionRow:
    """One line of the table. Coefficients are None where there is too little to tell."""

    name: str
    alpha: Figure
    whisker: SafeHtml
    ac2: Figure
    exact: Figure
    within_1: Figure
    bar: SafeHtml
    marginals: list[tuple[Any, int]]
    shape: SafeHtml
    state_word: Promise
    varied: Promise
    pairable_units: int
    left_out: list[tuple[str, int]]


@require_GET
@as_lead
@vary_on_headers("HX-Request", "HX-Target")
def agreement(request: UserRequest, lead: Member, slug: str) -> HttpResponse:
    """Show how well the annotators agree; to htmx, which asks every minute, only the figures.

    The batch's page asks for the first of them, which it leads with, into its `AGREEMENT_PART`.
    """
    batches = lead.project.batches.select_related("rubric", "guideline")
    batch = get_object_or_404(batches, slug=slug)
    shown = shown_agreement(batch)
    context: dict[str, Any] = {"batch": batch, "kind": KINDS[batch.kind], "shown": shown}
    if shown.body is not None:
        context |= page_of(shown.body)
        # Each kind is computed by itself; on a page they may be of different moments for a minute.
        effects, people, apart, quality = (
            shown_figures(batch, kind).body
            for kind in (EFFECTS, ANNOTATORS, DISAGREEMENTS, QUALITY)
        )
        context |= effects_of(effects) if effects else {}
        context |= {"people": people_table(people, quality)} if people else {}
        if apart:
            first = apart["listed"][:FIRST_DISAGREEMENTS]
            rows = disagreement_rows(first, adjudicated_among([one["item"] for one in first]))
            context["disagreements"] = {**apart, "rows": rows}
    part = wants_part(request)
    if part and request.htmx.target == AGREEMENT_PART:
        return render(request, "annotation/_batch_agreement.html", context)
    template = "annotation/agreement.html"
    return render(request, f"{template}#figures" if part else template, context)


def page_of(body: Figure) -> dict[str, Any]:
    """Return what the template shows of a report's `as_dict`."""
    dimensions = body["dimensions"]
    alphas = [_figure(one, "krippendorff_alpha", "ordinal") for one in dimensions]
    axis = charts.coefficient_axis([_end(one, "low") for one in alphas])
    levels = [
        (word, [_dimension_row(one, axis) for one in dimensions if one["level"] == level])
        for level, word in LEVELS
    ]
    branches = [_branch_row(one, branch, axis) for one in dimensions for branch in one["branches"]]
    turns = [
        {
            "name": in_language(one["name"]) or one["key"],
            "turns": [_known(turn) for turn in one["turns"]],
            "curve": charts.curve([_known(turn) for turn in one["turns"]]),
        }
        for one in dimensions
        if one["turns"]
    ]
    scores: list[int] = max((one["domain"] for one in dimensions), key=len, default=[])
    firsts = [one["first_shown"] for one in body["preferences"]]
    share_axis = charts.share_axis([one[end] for one in firsts for end in ("low", "high")])
    pref_alphas = [_figure(one, "krippendorff_alpha", "nominal") for one in body["preferences"]]
    pref_axis = charts.coefficient_axis([_end(one, "low") for one in pref_alphas])
    preferences = [_preference_row(one, pref_axis, share_axis) for one in body["preferences"]]
    return {
        "body": body,
        "axis": charts.axis_labels(axis, [row.whisker for _word, rows in levels for row in rows]),
        "with_interval": len([one for one in alphas if _end(one, "low") is not None]),
        "by_annotators": len(
            [
                one
                for one in alphas
                if _end(one, "low") is not None and one["varied"] == "annotators"
            ]
        ),
        "levels": [(word, rows) for word, rows in levels if rows],
        "branches": branches,
        "branch_axis": charts.axis_labels(axis, [row["whisker"] for row in branches]),
        "guidelines": [_step(one) for one in body["guidelines"]],
        "turn_charts": turns,
        "score_key": [
            (score, charts.shade(place, len(scores))) for place, score in enumerate(scores)
        ],
        "preferences": preferences,
        "preference_axis": charts.axis_labels(pref_axis, [row["whisker"] for row in preferences]),
        "share_axis": charts.axis_labels(share_axis, [row["first_whisker"] for row in preferences]),
        "left_out": _left_out(body["left_out"]),
    }


def _dimension_row(one: Figure, axis: charts.Axis) -> DimensionRow:
    alpha = _known(_figure(one, "krippendorff_alpha", "ordinal"))
    return DimensionRow(
        name=in_language(one["name"]) or one["key"],
        alpha=alpha,
        whisker=charts.whisker(axis, alpha, firm=alpha["state"] == "ok"),
        ac2=_known(_figure(one, "gwet_ac", "linear")),
        exact=_figure(one, "percent_agreement", "identity"),
        within_1=_figure(one, "percent_agreement", "within_1"),
        bar=charts.bar(one["marginals"]),
        marginals=list(zip(one["domain"], one["marginals"], strict=True)),
        shape=charts.state_shape(alpha["state"]),
        state_word=STATES[alpha["state"]],
        varied=VARIED[alpha["varied"] if alpha["low"] is not None else ""],
        pairable_units=one["pairable_units"],
        left_out=_left_out(one["left_out"]),
    )


def _preference_row(one: Figure, axis: charts.Axis, share_axis: charts.Axis) -> dict[str, Any]:
    alpha = _known(_figure(one, "krippendorff_alpha", "nominal"))
    first = one["first_shown"]
    named = in_language(one["name"]) or one["dimension"]
    figures = {measure: _figure(one, measure) for measure in PREFERENCE_MEASURES}
    return {
        "name": SCOPES.get(one["scope"], named),
        "alpha": alpha,
        "whisker": charts.whisker(axis, alpha, firm=alpha["state"] == "ok"),
        "ordered": _known(_figure(one, "krippendorff_alpha", "ordinal")),
        **figures,
        "shape": charts.state_shape(alpha["state"]),
        "state_word": STATES[alpha["state"]],
        "pairable_units": one["pairable_units"],
        "first": first,
        "first_whisker": charts.whisker(share_axis, {**first, "value": first["share"]}, firm=True),
        "contradictions": one["contradictions"],
        "leaves_half": first["low"] is not None and not first["low"] <= 0.5 <= first["high"],
        "left_out": _left_out(one["left_out"]),
    }


def _branch_row(one: Figure, branch: Figure, axis: charts.Axis) -> dict[str, Any]:
    alpha = _known(branch)
    return {
        "name": in_language(one["name"]) or one["key"],
        "about": label(Branch(branch["branch"])),
        "alpha": alpha,
        "whisker": charts.whisker(axis, alpha, firm=alpha["state"] == "ok"),
        "exact": branch["exact"],
        "pairable_units": branch["pairable_units"],
        "shape": charts.state_shape(alpha["state"]),
        "state_word": STATES[alpha["state"]],
    }


def _step(step: Figure) -> dict[str, Any]:
    """Return one guideline step with names in the reader's language."""
    return {
        **step,
        "dimensions": [
            {
                **one,
                "name": in_language(one["name"]) or one["key"],
                "sides": [_known(one["before"]), _known(one["after"])],
                "people_before": one["people_before"] and _known(one["people_before"]),
                "people_after": one["people_after"] and _known(one["people_after"]),
            }
            for one in step["dimensions"]
        ],
    }


def effects_of(body: Figure) -> dict[str, Any]:
    """Return what the template shows of the effects of length and pictures."""
    wins = [one["wins"] for one in body["effects"]]
    axis = charts.share_axis([one[end] for one in wins for end in ("low", "high")])
    rows = [
        {
            **one,
            "name": EFFECT_NAMES[one["property"]],
            "per": EFFECT_STEPS[one["property"]],
            "whisker": charts.whisker(
                axis, {**one["wins"], "value": one["wins"]["share"]}, firm=True
            ),
            "odds": one["slope"]
            and [f"{exp(one['slope'][end]):.2f}" for end in ("slope", "low", "high")],
        }
        for one in body["effects"]
    ]
    return {
        "effect_axis": charts.axis_labels(axis, [row["whisker"] for row in rows]),
        "effects": rows,
    }


PREFERENCE_MEASURES = (
    "percent_agreement",
    "decisive_agreement",
    "decisive_share",
    "reversal_rate",
    "tie_share",
    "both_bad_share",
)


def _figure(one: Figure, measure: str, weights: str = "") -> Figure:
    found: Iterable[Figure] = one["figures"]
    return next(
        figure
        for figure in found
        if figure["measure"] == measure and weights in {"", figure["weights"]}
    )


def _known(figure: Figure) -> Figure:
    """Return a coefficient as a page may show it: with too few units it says nothing."""
    if figure["state"] == "insufficient":
        return {**figure, "value": None, "low": None, "high": None}
    return figure


def _end(figure: Figure, end: str) -> float | None:
    found: float | None = _known(figure)[end]
    return found


def _left_out(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(left_out(reason), count) for reason, count in counts.items()]
