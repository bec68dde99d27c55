"""The lead's page of one answer from several: majorities, and a model's second opinion."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from annotation.models.projects import Member
from annotation.rendering import charts
from annotation.reports.figures import CONSENSUS, shown_figures
from annotation.reports.words import in_language
from annotation.views.access import UserRequest, as_lead, wants_part
from annotation.views.words import SCOPES

OUTCOME_WORDS: dict[str, Promise] = {
    "response_1": _("side 1 better"),
    "tie": _("tie"),
    "response_2": _("side 2 better"),
    "both_bad": _("both bad"),
}
WAYS = ("unanimous", "majority", "no_majority")


@require_GET
@as_lead
@vary_on_headers("HX-Request")
def consensus(request: UserRequest, lead: Member, slug: str) -> HttpResponse:
    """Show how answers come together; to htmx only what moves."""
    batch = get_object_or_404(lead.project.batches, slug=slug)
    shown = shown_figures(batch, CONSENSUS)
    context: dict[str, Any] = {"batch": batch, "shown": shown, "part": wants_part(request)}
    if shown.body is not None:
        body = shown.body
        context |= {
            "body": body,
            "rows": [_row(one) for one in (*body["ratings"], *body["preferences"])],
            "listed": [_item(one) for one in body["listed"]],
        }
    return render(request, "annotation/consensus.html", context)


def _row(one: Mapping[str, Any]) -> dict[str, Any]:
    counts = [one["ways"][way] for way in WAYS]
    named = in_language(one["name"]) or one["dimension"]
    return {
        **one,
        "title": SCOPES.get(one["scope"]) or named,
        "preferred": one["scope"] == "dimension",
        "counts": counts,
        "bar": charts.bar(counts[::-1]),
    }


def _item(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **one,
        "votes": [(OUTCOME_WORDS[name], count) for name, count in one["votes"].items()],
        "majority": one["majority"] and OUTCOME_WORDS[one["majority"]],
        "second": one["second"] and OUTCOME_WORDS[one["second"]],
    }
