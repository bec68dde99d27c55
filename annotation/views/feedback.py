"""What a person in training reads after an item, before the next."""

from django.http import Http404, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotation.choices import AssignmentState
from annotation.models.assignments import Assignment
from annotation.models.projects import Member
from annotation.reports.feedback import feedback_on
from annotation.views.access import UserRequest, as_member

TOLD = (AssignmentState.SUBMITTED, AssignmentState.RETURNED, AssignmentState.SURPLUS)


@require_safe
@as_member
def feedback(request: UserRequest, member: Member, public_id: str) -> HttpResponseBase:
    """Show the person's answers beside the known ones; of what is not submitted, nothing."""
    mine = (
        Assignment.objects.filter(member=member, public_id=public_id, state__in=TOLD)
        .select_related("item__batch__rubric", "item__response_1", "item__response_2")
        .first()
    )
    told = feedback_on(mine) if mine else None
    if mine is None or told is None:
        raise Http404
    context = {"assignment": mine, "batch": mine.item.batch, "told": told}
    context["hits"] = sum(one.hit for one in told)
    return render(request, "annotation/feedback.html", context)
