"""Asking for an item to be kept through a break."""

from django.contrib import messages
from django.http import Http404, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from annotation.actions.holds import hold
from annotation.errors import AnnotationError
from annotation.models.assignments import Assignment
from annotation.models.projects import Member
from annotation.reports.holds import holds_of
from annotation.templatetags.times import clock
from annotation.views.access import UserRequest, as_member, refusal, wants_json


@require_POST
@as_member
def hold_item(request: UserRequest, member: Member, public_id: str) -> HttpResponseBase:
    """Hold the item for the batch's time, and say until when and how many holds are left."""
    mine = Assignment.objects.filter(member=member, public_id=public_id).first()
    if mine is None:
        raise Http404
    now = timezone.now()
    try:
        held = hold(mine, by=member, now=now)
    except AnnotationError as refused:
        if wants_json(request):
            return refusal(refused)
        messages.warning(request, str(refused))
        return redirect("annotation:desk")
    holds = holds_of(member, mine.item.batch, at=now)
    sentence = _("Kept for you until %(at)s, %(used)d of %(most)d holds used today.") % {
        "at": clock(held.until), "used": holds.used, "most": holds.most,
    }  # fmt: skip
    if wants_json(request):
        return JsonResponse({"message": sentence, "left": holds.are_left})
    messages.success(request, sentence)
    return redirect("annotation:desk")
