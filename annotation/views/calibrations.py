"""Calibration: a batch's members read each other's judgments, once a lead has opened it."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST, require_safe

from annotation.actions.calibrations import close_calibration, open_calibration, see_calibration
from annotation.actions.guidelines import add_note
from annotation.choices import ANNOTATING
from annotation.errors import AnnotationError, NotAllowed
from annotation.models.assignments import Assignment
from annotation.models.batches import Batch, Item
from annotation.models.projects import Member
from annotation.permissions import can_lead
from annotation.rendering.text import guess_script, without_unstorable
from annotation.reports.calibrations import (
    calibration_count,
    calibration_rows,
    side_by_side,
    spreads,
)
from annotation.reports.comparing import judgments_beside
from annotation.views.access import UserRequest, as_lead, as_member
from annotation.views.reviews import compared_page
from annotation.views.words import KINDS

ON_A_PAGE = 25


@require_safe
@as_member
def calibration(request: UserRequest, member: Member, slug: str) -> HttpResponseBase:
    """List a batch's items, those on which people differ most first."""
    batch = _seen(member, slug)
    judgments = side_by_side(batch)
    pages = Paginator(range(calibration_count(judgments)), ON_A_PAGE)
    page = pages.get_page(request.GET.get("page"))
    start = (page.number - 1) * ON_A_PAGE
    return render(
        request,
        "annotation/calibration.html",
        {
            "batch": batch,
            "pages": page,
            "rows": calibration_rows(judgments, start=start, size=ON_A_PAGE),
            "spreads": spreads(batch, judgments),
        },
    )


@gzip_page
@require_safe
@as_member
def calibration_item(
    request: UserRequest, member: Member, slug: str, public_id: str
) -> HttpResponseBase:
    """Show one item with everybody's answers side by side."""
    batch = _seen(member, slug)
    assignment = _assignment(batch, member, public_id)
    page, compared = compared_page(assignment, judgments_beside(assignment.item))
    return render(
        request,
        "annotation/calibration_item.html",
        {
            "assignment": assignment,
            "item": assignment.item,
            "batch": batch,
            "kind_name": KINDS[batch.kind],
            "page": page,
            "compared": compared,
            "leads": can_lead(member),
            "read_only": True,
            "translate_ok": batch.parsed_settings().browser_translation,
        },
    )


@require_POST
@as_lead
def calibration_state(request: UserRequest, lead: Member, slug: str) -> HttpResponseBase:
    """Open the calibration of a batch to its members, or take it back."""
    batch = _batch(lead, slug)
    opens = request.POST.get("do") == "calibrate"
    act = open_calibration if opens else close_calibration
    try:
        act(batch, by=lead, now=timezone.now())
    except AnnotationError as refused:
        messages.error(request, str(refused))
    else:
        messages.success(
            request,
            _("The batch's members can read its judgments now.")
            if opens
            else _("Taken back. Nobody had read it."),
        )
    return redirect("annotation:batch", slug)


@require_POST
@as_lead
def guideline_example(request: UserRequest, lead: Member, public_id: str) -> HttpResponseBase:
    """Make an item an example of its batch's guideline, with a word on it."""
    item = (
        Item.objects.filter(batch__project=lead.project_id, public_id=public_id)
        .select_related("batch__guideline")
        .first()
    )
    if item is None:
        raise Http404
    back = reverse("annotation:adjudication", args=[item.public_id])
    if item.batch.calibration_opened_at is not None:
        back = reverse("annotation:calibration-item", args=[item.batch.slug, item.public_id])
    if item.batch.guideline is None:
        messages.error(request, _("The batch has no guideline to add an example to."))
        return redirect(back)
    text = without_unstorable(request.POST.get("text", ""))
    try:
        add_note(
            item.batch.guideline,
            dimension=without_unstorable(request.POST.get("dimension", "")),
            text=text,
            example_item=item,
            shown_first=2 if request.POST.get("shown_first") == "2" else 1,
            language=guess_script(text).language,
            by=lead,
            now=timezone.now(),
        )
    except AnnotationError as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("The item is an example of the guideline now."))
    return redirect(back)


def _batch(member: Member, slug: str) -> Batch:
    batch = member.project.batches.select_related("rubric", "guideline").filter(slug=slug).first()
    if batch is None:
        raise Http404
    return batch


def _seen(member: Member, slug: str) -> Batch:
    """Return the batch where the member may read its calibration, noting that they do."""
    batch = _batch(member, slug)
    try:
        see_calibration(batch, by=member, now=timezone.now())
    except NotAllowed as refused:
        raise PermissionDenied(str(refused)) from refused
    return batch


def _assignment(batch: Batch, member: Member, public_id: str) -> Assignment:
    """Return through whose eyes the item is shown: the member's own, else the first's."""
    found = (
        Assignment.objects.filter(
            item__batch=batch,
            item__public_id=public_id,
            purpose__in=ANNOTATING,
            judgments__isnull=False,
        )
        .select_related(
            "member",
            "item__batch__rubric",
            "item__batch__guideline",
            "item__dialogue",
            "item__response_1",
            "item__response_2",
        )
        .order_by("pk")
        .distinct()
    )
    assignments = list(found)
    if not assignments:
        raise Http404
    return next((one for one in assignments if one.member_id == member.pk), assignments[0])
