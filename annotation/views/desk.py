"""Where a person starts: the desk, their own work, the guideline, and how their screen looks."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from annotation.actions.assignments import claim_next
from annotation.actions.screens import set_screen
from annotation.errors import AnnotationError
from annotation.models.batches import Batch
from annotation.models.projects import Member
from annotation.permissions import can_review
from annotation.rendering.markdown import to_html
from annotation.reports.desk import desk as desk_of
from annotation.reports.desk import own_work, works
from annotation.reports.guidelines import current_guideline
from annotation.reports.words import in_language
from annotation.views.access import UserRequest, as_member

WORK_ON_A_PAGE = 50


@require_safe
@as_member
def desk(request: UserRequest, member: Member) -> HttpResponseBase:
    """Show what waits for this person."""
    today = timezone.localtime(timezone.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    return render(
        request,
        "annotation/desk.html",
        {"desk": desk_of(member, day_began=today), "today": today},
    )


@require_POST
@as_member
def next_item(request: UserRequest, member: Member, slug: str) -> HttpResponseBase:
    """Take the next seat of a batch and open its item."""
    batch = Batch.objects.filter(project=member.project_id, slug=slug).first()
    if batch is None:
        raise Http404
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
        },
    )


@require_safe
@as_member
def guideline(request: UserRequest, member: Member, slug: str) -> HttpResponseBase:
    """Show the batch's guideline and the rubric's dimensions with their scale points."""
    batches = Batch.objects.filter(project=member.project_id, slug=slug)
    if not can_review(member):
        batches = batches.filter(participations__member=member)
    batch = batches.select_related("rubric").first()
    if batch is None:
        raise Http404
    version = current_guideline(batch)
    own = version.by_dimension if version else {}
    dimensions = [
        {
            "name": in_language(one.name) or one.key,
            "level": one.level,
            "question": in_language(one.question),
            "guidance": [text for part in one.guidance if (text := in_language(part))],
            "own": to_html(in_language(own.get(one.key))) if own.get(one.key) else "",
            "points": [
                {
                    "score": point.score,
                    "word": in_language(point.word),
                    "meaning": in_language(point.meaning),
                }
                for point in sorted(one.points.all(), key=lambda point: point.score)
            ],
        }
        for one in batch.rubric.dimensions.prefetch_related("points").order_by("position", "pk")
    ]
    return render(
        request,
        "annotation/guideline.html",
        {
            "batch": batch,
            "version": version,
            "text": to_html(version.text) if version else "",
            "dimensions": dimensions,
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
        )
    except AnnotationError as reason:
        messages.error(request, _("Not kept: %(reason)s") % {"reason": reason})
    back = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    return redirect(back if allowed else "annotation:desk")
