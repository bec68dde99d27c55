"""Where a person starts: the desk, their own work, the guideline, and how their screen looks."""

from datetime import datetime

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from annotation.actions.assignments import claim_next, peek_next
from annotation.actions.screens import BREAK_CHOICES, set_break, set_columns, set_screen
from annotation.errors import AnnotationError
from annotation.models.batches import Batch, Item
from annotation.models.projects import Member
from annotation.permissions import own_figures_are_due
from annotation.rendering.charts import columns_of
from annotation.reports.categories import exposures, support_of
from annotation.reports.desk import (
    Ahead,
    Desk,
    Queue,
    ahead,
    held_items,
    offered_picture,
    own_work,
    works,
)
from annotation.reports.desk import desk as desk_of
from annotation.reports.guidelines import unread_changes
from annotation.reports.lead_questions import own_questions
from annotation.reports.times import COUNTED_UP_TO
from annotation.views.access import UserRequest, as_member
from annotation.views.guidelines import NEXT, change_first
from annotation.views.images import send_picture
from annotation.views.notices import last_sent

WORK_ON_A_PAGE = 50


@require_safe
@as_member
def desk(request: UserRequest, member: Member) -> HttpResponseBase:
    """Show what waits for this person."""
    now = timezone.now()
    found = desk_of(member, at=now)
    return render(
        request,
        "annotation/desk.html",
        {
            "desk": found,
            "queues": _queues(found, member, now=now),
            "bars": columns_of(found.today_hours, count=lambda hour: hour.turns),
            "counted_up_to": COUNTED_UP_TO,
            "break_choices": BREAK_CHOICES,
            "changes": unread_changes(found.batches, member, now=now),
            "questions": own_questions(member, now=now),
            "today": now,
            "content_kinds": exposures(member, at=now),
            "support": support_of(member.project),
            **last_sent(found.batches, member, now=now),
        },
    )


def _queues(found: Desk, member: Member, *, now: datetime) -> list[tuple[Queue, Ahead | None]]:
    """Return the queues, each with what is held in it, the first of the others with what comes next.

    Where nothing can be begun or gone on with stands last.
    Only one: who begins there meets the next desk after it, and looking ahead costs ten queries.
    """
    held = held_items([one.held for one in found.queues if one.held is not None])
    shown: dict[str, Item] = {
        one.slug: held[one.held.public_id] for one in found.queues if one.held is not None
    }
    for queue, batch in zip(found.queues, found.batches, strict=True):
        if queue.held is None and queue.open:
            if (item := peek_next(batch, by=member, now=now)) is not None:
                shown[queue.slug] = item
            break
    told = ahead(list(shown.values()), member)
    return [
        (queue, told[shown[queue.slug].pk] if queue.slug in shown else None)
        for queue in sorted(found.queues, key=lambda one: not (one.held or one.open))
    ]


@require_safe
@as_member
def offered(request: UserRequest, member: Member, public_id: str, sha256: str) -> HttpResponseBase:
    """Send the thumbnail that the desk shows of an item which the person could begin."""
    item = offered_picture(public_id, member, sha256=sha256, at=timezone.now())
    if item is None:
        raise Http404
    return send_picture(request, item, sha256=sha256, size="thumbnail")


@require_POST
@as_member
def next_item(request: UserRequest, member: Member, slug: str) -> HttpResponseBase:
    """Take the next seat of a batch and open its item."""
    batch = Batch.objects.filter(project=member.project_id, slug=slug).first()
    if batch is None:
        raise Http404
    if (change := change_first(member, batch, then=NEXT)) is not None:
        return redirect(change)
    try:
        assignment = claim_next(batch, by=member, now=timezone.now())
    except AnnotationError as reason:
        messages.warning(request, str(reason))
        return redirect("annotation:desk")
    return redirect("annotation:assignment", assignment.public_id)


@require_safe
@as_member
def my_work(request: UserRequest, member: Member) -> HttpResponseBase:
    """Show everything the person has submitted or skipped, to be read or corrected."""
    pages = Paginator(own_work(member), WORK_ON_A_PAGE)
    shown = pages.get_page(request.GET.get("page"))
    return render(
        request,
        "annotation/my_work.html",
        {
            "works": works(
                own_work(member)[
                    shown.start_index() - 1 if shown.start_index() else 0 : shown.end_index()
                ]
            ),
            "pages": shown,
            "figures_of": [
                batch
                for batch in Batch.objects.measured().filter(members=member).order_by("title")
                if own_figures_are_due(batch)
            ],
        },
    )


@require_POST
@as_member
def screen(request: UserRequest, member: Member) -> HttpResponse:
    """Keep how the person likes their screen and go back to where they were."""
    try:
        set_screen(
            request.user,
            theme=request.POST.get("theme", ""),
            text_size=request.POST.get("text_size", ""),
            single_keys="single_keys" in request.POST,
            contrast=request.POST.get("contrast", ""),
            language=request.POST.get("language", ""),
        )
    except AnnotationError as reason:
        messages.error(request, _("Not kept: %(reason)s") % {"reason": reason})
    back = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    return redirect(back if allowed else "annotation:desk")


@require_POST
@as_member
def pace(request: UserRequest, member: Member) -> HttpResponse:
    """Keep after how much work in a row the person wants to be reminded to rest."""
    minutes = request.POST.get("break_minutes", "")
    try:
        set_break(request.user, minutes=int(minutes) if minutes.isdecimal() else -1)
    except AnnotationError as reason:
        messages.error(request, _("Not kept: %(reason)s") % {"reason": reason})
    return redirect("annotation:desk")


@require_POST
@as_member
def columns(request: UserRequest, member: Member) -> HttpResponse:
    """Keep how the judging page lays out two sides, as its keys were pressed."""
    set_columns(
        request.user,
        one_column=request.POST.get("one_column") == "1",
        scroll_apart=request.POST.get("scroll_apart") == "1",
    )
    return HttpResponse(status=204)
