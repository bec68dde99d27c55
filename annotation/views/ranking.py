"""The lead's page of models by what people prefer. Annotators are never told a model's name."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from annotation.models.projects import Member
from annotation.rendering import charts
from annotation.reports.figures import RANKING, shown_figures
from annotation.reports.words import in_language
from annotation.views.access import UserRequest, as_lead, wants_part
from annotation.views.words import SCOPES, STATES

NO_STRENGTH = {"insufficient", "undefined"}


@require_GET
@as_lead
@vary_on_headers("HX-Request")
def ranking(request: UserRequest, lead: Member, slug: str) -> HttpResponse:
    """Show the models of a batch, the strongest first; to htmx only what moves."""
    batch = get_object_or_404(lead.project.batches, slug=slug)
    shown = shown_figures(batch, RANKING)
    context: dict[str, Any] = {"batch": batch, "shown": shown, "part": wants_part(request)}
    if shown.body is not None:
        context["rankings"] = [_section(one) for one in shown.body["rankings"]]
    return render(request, "annotation/ranking.html", context)


def _section(one: Mapping[str, Any]) -> dict[str, Any]:
    known = one["state"] not in NO_STRENGTH
    ends = [row[end] for row in one["models"] for end in ("share_low", "share_high")]
    axis = charts.share_axis(ends if known else [])
    firm = one["state"] == "ok"
    rows = [
        {
            **row,
            "whisker": charts.whisker(
                axis,
                {
                    "value": row["share"] if known else None,
                    "low": row["share_low"],
                    "high": row["share_high"],
                },
                firm=firm,
            ),
        }
        for row in one["models"]
    ]
    return {
        **one,
        "title": SCOPES.get(one["scope"]) or in_language(one["name"]) or one["dimension"],
        "known": known,
        "axis": charts.axis_labels(axis, [row["whisker"] for row in rows]),
        "shape": charts.state_shape(one["state"]),
        "state_word": STATES[one["state"]],
        "rows": rows,
    }
