"""The lead's agreement page of a batch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from annotation.choices import Level
from annotation.models.projects import Member
from annotation.reports.figures import shown_agreement
from annotation.reports.words import in_language
from annotation.views import charts
from annotation.views.access import UserRequest, as_lead
from annotation.views.words import KINDS

Figure = Mapping[str, Any]

STATES: dict[str, Promise] = {
    "ok": _("ok"),
    "provisional": _("provisional"),
    "insufficient": _("too few"),
    "low_variation": _("low variation"),
    "undefined": _("undefined"),
}
LEVELS: tuple[tuple[str, Promise], ...] = (
    (Level.LOCAL, _("One turn")),
    (Level.GLOBAL, _("The whole conversation")),
)
SCOPES: dict[str, Promise] = {"overall": _("Overall"), "fork": _("At the fork")}
LEFT_OUT: dict[str, Promise] = {
    "not_applicable": _("not applicable"),
    "outside_order": _("outside the scale's order"),
    "by_rule": _("filled in by a rule"),
    "carried": _("carried from an earlier item"),
    "rated_again": _("rated anew in a later item"),
    "withdrawn": _("withdrawn"),
    "surplus": _("surplus, not admitted"),
    "extra": _("extra seats"),
    "review": _("reviews"),
    "adjudication": _("adjudications"),
    "reference": _("reference seats"),
    "repeat": _("repeats"),
    "gold": _("known answers"),
    "saw_others": _("made after seeing others' judgments"),
    "import": _("imported"),
    "fix": _("reviewers' fixes"),
    "void_judgment": _("void"),
    "void_member": _("void: the person's work"),
    "void_item": _("void: the item"),
    "void_dialogue": _("void: the dialogue"),
    "void_image": _("void: a picture"),
    "training_batch": _("training"),
    "qualification_batch": _("qualification"),
    "trial_batch": _("trial"),
    "reference_batch": _("reference"),
}


@dataclass(frozen=True, slots=True)
class DimensionRow:
    """One line of the table. Coefficients are None where there is too little to tell."""

    name: str
    alpha: Figure
    whisker: charts.Whisker | None
    ac2: Figure
    exact: Figure
    within_1: Figure
    bar: tuple[charts.Segment, ...]
    marginals: list[tuple[Any, int]]
    state: str
    state_word: Promise
    pairable_units: int
    left_out: list[tuple[Promise | str, int]]


@require_GET
@as_lead
@vary_on_headers("HX-Request")
def agreement(request: UserRequest, lead: Member, slug: str) -> HttpResponse:
    """Show how well the annotators agree; to htmx, which asks every minute, only the figures."""
    batches = lead.project.batches.select_related("rubric", "guideline")
    batch = get_object_or_404(batches, slug=slug)
    shown = shown_agreement(batch)
    context: dict[str, Any] = {"batch": batch, "kind": KINDS[batch.kind], "shown": shown}
    if shown.body is not None:
        context |= page_of(shown.body)
    htmx = request.htmx
    part = htmx and not htmx.boosted and not htmx.history_restore_request
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
    return {
        "body": body,
        "axis": axis,
        "bar_width": charts.BAR,
        "with_interval": len([one for one in alphas if _end(one, "low") is not None]),
        "by_annotators": len([one for one in alphas if one["varied"] == "annotators"]),
        "levels": [(word, rows) for word, rows in levels if rows],
        "turn_charts": turns,
        "score_key": [
            (score, charts.shade(place, len(scores))) for place, score in enumerate(scores)
        ],
        "preferences": [_preference_row(one, pref_axis, share_axis) for one in body["preferences"]],
        "preference_axis": pref_axis,
        "share_axis": share_axis,
        "left_out": _left_out(body["left_out"]),
    }


def _dimension_row(one: Figure, axis: charts.Axis) -> DimensionRow:
    alpha = _known(_figure(one, "krippendorff_alpha", "ordinal"))
    return DimensionRow(
        name=in_language(one["name"]) or one["key"],
        alpha=alpha,
        whisker=charts.whisker(axis, alpha),
        ac2=_known(_figure(one, "gwet_ac", "linear")),
        exact=_figure(one, "percent_agreement", "identity"),
        within_1=_figure(one, "percent_agreement", "within_1"),
        bar=charts.bar(one["marginals"]),
        marginals=list(zip(one["domain"], one["marginals"], strict=True)),
        state=alpha["state"],
        state_word=STATES[alpha["state"]],
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
        "whisker": charts.whisker(axis, alpha),
        "ordered": _known(_figure(one, "krippendorff_alpha", "ordinal")),
        **figures,
        "state": alpha["state"],
        "state_word": STATES[alpha["state"]],
        "pairable_units": one["pairable_units"],
        "first": first,
        "first_whisker": charts.whisker(share_axis, {**first, "value": first["share"]}),
        "leaves_half": first["low"] is not None and not first["low"] <= 0.5 <= first["high"],
        "left_out": _left_out(one["left_out"]),
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


def _left_out(counts: Mapping[str, int]) -> list[tuple[Promise | str, int]]:
    return [
        (LEFT_OUT.get(reason, reason.replace("_", " ")), count) for reason, count in counts.items()
    ]
