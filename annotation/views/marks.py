"""What is hard to read: a person's choices, whom to talk to, reports, and a lead's word on them."""

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from annotation.actions.assignments import claim_next
from annotation.actions.categories import refuse_kind, set_opt_outs
from annotation.actions.content_reports import report_content, settle_reports
from annotation.choices import ReportOutcome
from annotation.errors import AnnotationError
from annotation.models.assignments import Assignment
from annotation.models.content import Dialogue
from annotation.models.projects import Member
from annotation.rendering.text import without_unstorable
from annotation.reports.categories import exposures, support_of
from annotation.reports.judging_parts import JudgingPage
from annotation.reports.marks import warning_of
from annotation.views.access import UserRequest, as_lead, as_member

LONGEST_NOTE = 2000
SETTLED = {
    ReportOutcome.PUT_BACK: gettext_lazy("Put back: it is offered again."),
    ReportOutcome.MARKED: gettext_lazy("Marked, and offered again behind a warning."),
    ReportOutcome.WITHDRAWN: gettext_lazy("Withdrawn: in no queue, no figure and no export."),
}


@require_http_methods(["GET", "HEAD", "POST"])
@as_member
def content(request: UserRequest, member: Member) -> HttpResponseBase:
    """Show what content there is, how much of it the person has met, and take their choices."""
    if request.method == "POST":
        try:
            set_opt_outs(member, request.POST.getlist("without"), by=member, now=timezone.now())
        except AnnotationError as refused:
            messages.warning(request, str(refused))
        else:
            messages.success(request, _("Your choices are kept. Nobody else is told."))
        return redirect("annotation:content")
    kinds = exposures(member, at=timezone.now())
    context = {"kinds": kinds, "support": support_of(member.project)}
    return render(request, "annotation/content.html", context)


@require_POST
@as_member
def never(request: UserRequest, member: Member, public_id: str) -> HttpResponseBase:
    """Opt out of one category of an item and give the item back as one would rather not."""
    mine = _own(member, public_id)
    key = request.POST.get("key", "")
    try:
        refuse_kind(mine, key, by=member, now=timezone.now())
    except AnnotationError as refused:
        messages.warning(request, str(refused))
        return redirect("annotation:assignment", public_id)
    messages.success(
        request, _("Such items are not given to you any more. You can change it on the desk.")
    )
    return _go_on(request, member, mine)


@require_POST
@as_member
def report(request: UserRequest, member: Member, public_id: str) -> HttpResponseBase:
    """Take the item's dialogue out of every queue until a lead has looked."""
    mine = _own(member, public_id)
    leave = request.POST.get("do") == "leave"
    try:
        report_content(
            mine,
            by=member,
            key=request.POST.get("key", ""),
            note=without_unstorable(request.POST.get("note", ""))[:LONGEST_NOTE],
            leave=leave,
            now=timezone.now(),
        )
    except AnnotationError as refused:
        messages.warning(request, str(refused))
        return redirect("annotation:assignment", public_id)
    messages.success(request, _("Reported. Nobody is given this until the lead has looked."))
    return _go_on(request, member, mine) if leave else redirect("annotation:assignment", public_id)


@require_POST
@as_lead
def settle(request: UserRequest, lead: Member, slug: str) -> HttpResponse:
    """Put a dialogue that was reported back, mark it, or withdraw it."""
    batch = get_object_or_404(lead.project.batches, slug=slug)
    named = without_unstorable(request.POST.get("dialogue", ""))
    dialogue = Dialogue.objects.filter(project=lead.project_id, public_id=named).first()
    if dialogue is None:
        raise Http404
    outcome = request.POST.get("outcome", "")
    if outcome not in set(ReportOutcome):
        messages.error(request, _("Choose to put it back, to mark it or to withdraw it."))
        return redirect("annotation:batch", batch.slug)
    try:
        settle_reports(
            dialogue,
            ReportOutcome(outcome),
            by=lead,
            key=request.POST.get("key", ""),
            note=request.POST.get("note", ""),
            now=timezone.now(),
        )
    except AnnotationError as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, SETTLED[ReportOutcome(outcome)])
    return redirect("annotation:batch", batch.slug)


def warning_page(request: UserRequest, mine: Assignment, page: JudgingPage) -> HttpResponse:
    """Say what the item is marked with, before it is opened."""
    context = {
        "assignment": mine,
        "page": page,
        "picture": next((one for one in page.pictures if one.marks), None),
        "warning": warning_of(mine.item, mine.member, at=timezone.now()),
        "support": support_of(mine.item.batch.project),
    }
    return render(request, "annotation/marked.html", context)


def _own(member: Member, public_id: str) -> Assignment:
    """Return the member's own assignment; anybody else's does not exist for them."""
    return get_object_or_404(
        Assignment.objects.select_related("item__batch", "item__dialogue", "member"),
        member=member,
        public_id=public_id,
    )


def _go_on(request: UserRequest, member: Member, mine: Assignment) -> HttpResponseBase:
    """Open the next item of the batch, or the desk, saying why there is none."""
    try:
        following = claim_next(mine.item.batch, by=member, now=timezone.now(), after=mine.item)
    except AnnotationError as nothing:
        messages.info(request, str(nothing))
        return redirect("annotation:desk")
    return redirect("annotation:assignment", following.public_id)
