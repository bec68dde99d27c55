"""One annotator's figures (the lead's page and their own), pairs, disagreements, and the matrix."""

from collections.abc import Iterator
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_safe
from django.views.decorators.vary import vary_on_headers

from annotation.formats.write_ratings import header_line, rating_line
from annotation.labels import label
from annotation.models.assignments import Assignment
from annotation.models.batches import Batch, Item
from annotation.models.projects import Member
from annotation.permissions import may_see_own_figures
from annotation.reports.adjudications import adjudicated_among
from annotation.reports.comparing import judgments_beside
from annotation.reports.feedback import known_of
from annotation.reports.figures import (
    ANNOTATORS,
    DISAGREEMENTS,
    QUALITY,
    ShownFigures,
    shown_figures,
)
from annotation.reports.pairs import Snapshot
from annotation.reports.quality import signals_in
from annotation.reports.ratings import rating_pages
from annotation.views.access import UserRequest, as_lead, as_member, wants_part
from annotation.views.people import disagreement_rows, names_of, person_page
from annotation.views.reviews import compared_page
from annotation.views.words import KINDS

PAGE = 50
FEWEST_PEOPLE = 3
"""With fewer, one's own figures would tell what the one other said."""

MOST_IN_MATRIX = 30


@require_GET
@as_lead
@vary_on_headers("HX-Request")
def annotator(request: UserRequest, lead: Member, slug: str, public_id: str) -> HttpResponse:
    """Show one person's figures in the batch."""
    batch = _batch(lead, slug)
    shown = shown_figures(batch, ANNOTATORS)
    person = _person(shown, public_id)
    if person is None and not lead.project.members.filter(public_id=public_id).exists():
        raise Http404
    return _person_page(request, batch, shown, person, own=False)


@require_GET
@as_member
@vary_on_headers("HX-Request")
def own_figures(request: UserRequest, member: Member, slug: str) -> HttpResponse:
    """Show the asking person their own figures, once they may be seen, and nobody else's."""
    batch = get_object_or_404(member.project.batches, slug=slug)
    if not batch.participations.filter(member=member).exists():
        raise Http404
    context = {"batch": batch, "own": True, "when": label(batch.parsed_settings().own_figures)}
    if not may_see_own_figures(member, batch):
        return _render(request, "annotation/annotator.html", {**context, "early": True})
    shown = shown_figures(batch, ANNOTATORS)
    if shown.body and len(shown.body["annotators"]) < FEWEST_PEOPLE:
        return _render(request, "annotation/annotator.html", {**context, "few": True})
    return _person_page(request, batch, shown, _person(shown, member.public_id), own=True)


def _person_page(
    request: UserRequest,
    batch: Batch,
    shown: ShownFigures,
    person: dict[str, Any] | None,
    *,
    own: bool,
) -> HttpResponse:
    context: dict[str, Any] = {"batch": batch, "shown": shown, "person": person, "own": own}
    if person is not None and shown.body is not None:
        context |= person_page(person, names_of(shown.body))
        # A sign is for the lead to look at; it may name the person whose work is alike.
        quality = None if own else shown_figures(batch, QUALITY).body
        context["signals"] = signals_in(quality).get(person["member"], ()) if quality else ()
    return _render(request, "annotation/annotator.html", context)


def _person(shown: ShownFigures, public_id: str) -> dict[str, Any] | None:
    people = shown.body["annotators"] if shown.body else []
    return next((one for one in people if one["member"] == public_id), None)


@require_GET
@as_lead
@vary_on_headers("HX-Request")
def annotator_pairs(request: UserRequest, lead: Member, slug: str) -> HttpResponse:
    """Show for every two people how often they say the same on one dimension."""
    batch = _batch(lead, slug)
    shown = shown_figures(batch, ANNOTATORS)
    context: dict[str, Any] = {"batch": batch, "shown": shown}
    if shown.body is not None:
        names = names_of(shown.body)
        asked = request.GET.get("dimension", "")
        chosen = asked if asked in names else next(iter(names), "")
        context |= {"names": names.items(), "chosen": chosen, **_matrix(shown.body, chosen)}
    return _render(request, "annotation/annotator_pairs.html", context)


def _matrix(body: dict[str, Any], dimension: str) -> dict[str, Any]:
    """Return the people (those with most judgments) and the cells between them."""
    busiest = sorted(body["annotators"], key=lambda one: -one["judgments"])[:MOST_IN_MATRIX]
    people = sorted(one["pseudonym"] for one in busiest)
    cells = {
        (one["one"], one["other"]): {**one, "mirrored": -one["difference"]}
        for one in body["pairs"]
        if one["dimension"] == dimension
    }
    return {
        "people": people,
        "left_out": len(body["annotators"]) - len(people),
        "rows": [
            (one, [cells.get((min(one, other), max(one, other))) for other in people])
            for one in people
        ],
    }


@require_GET
@as_lead
@vary_on_headers("HX-Request")
def disagreements(request: UserRequest, lead: Member, slug: str) -> HttpResponse:
    """List where people differ, the widest first."""
    batch = _batch(lead, slug)
    shown = shown_figures(batch, DISAGREEMENTS)
    body = shown.body or {"listed": [], "apart": 0, "units": 0}
    pages = Paginator(body["listed"], PAGE).get_page(request.GET.get("page"))
    listed = list(pages.object_list)
    context = {
        "batch": batch,
        "shown": shown,
        "body": body,
        "pages": pages,
        "rows": disagreement_rows(listed, adjudicated_among([one["item"] for one in listed])),
    }
    return _render(request, "annotation/disagreements.html", context)


@gzip_page
@require_safe
@as_lead
def batch_item(request: UserRequest, lead: Member, slug: str, public_id: str) -> HttpResponse:
    """Show an item to be read: the conversation with its judgments side by side."""
    batch = _batch(lead, slug)
    items = Item.objects.filter(batch=batch).select_related(
        "batch__rubric", "batch__guideline", "dialogue", "response_1", "response_2"
    )
    item = get_object_or_404(items, public_id=public_id)
    assignment = Assignment.objects.filter(item=item).order_by("pk").first()
    if assignment is None:
        raise Http404
    assignment.item = item
    page, compared = compared_page(assignment, judgments_beside(item))
    context = {
        "assignment": assignment,
        "item": item,
        "batch": batch,
        "kind_name": KINDS[batch.kind],
        "page": page,
        "compared": compared,
        "known": known_of(assignment),
        "read_only": True,
        "translate_ok": batch.parsed_settings().browser_translation,
    }
    return render(request, "annotation/batch_item.html", context)


@require_GET
@as_lead
def ratings_matrix(request: UserRequest, lead: Member, slug: str) -> HttpResponseBase:
    """Send the ratings behind every coefficient as CSV, page by page: the independent set."""
    batch = _batch(lead, slug)
    snapshot = Snapshot.now(batch)
    name = f"{batch.slug}-{snapshot.number}-ratings.csv"
    return StreamingHttpResponse(
        _lines(snapshot),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _lines(snapshot: Snapshot) -> Iterator[bytes]:
    yield header_line()
    for page in rating_pages(snapshot, set_name="independent"):
        yield b"".join(rating_line(row) for row in page.rows)


def _render(request: UserRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """Render a page; to htmx, which asks every minute, only what moves."""
    return render(request, template, {**context, "part": wants_part(request)})


def _batch(lead: Member, slug: str) -> Batch:
    return get_object_or_404(lead.project.batches.select_related("rubric", "guideline"), slug=slug)
