"""Asking the lead from within an item, and the page where it is answered."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.actions.lead_questions import (
    About,
    AnsweredAlready,
    answer_question,
    ask_lead,
    make_note,
    see_answer,
)
from annotation.errors import AnnotationError
from annotation.models.assignments import Assignment
from annotation.models.batches import Batch
from annotation.models.lead_questions import LeadQuestion
from annotation.models.projects import Member
from annotation.permissions import can_lead
from annotation.rendering.text import without_unstorable
from annotation.reports.lead_questions import (
    asked_questions,
    batches_asked_in,
    questions_on,
    with_places,
)
from annotation.views.access import UserRequest, as_member, as_reviewer, refusal, wants_json

ON_A_PAGE = 20


@require_http_methods(["GET", "HEAD", "POST"])
@as_member
def ask(request: UserRequest, member: Member, public_id: str) -> HttpResponseBase:
    """Take a question about the person's own item; or list what they asked about it."""
    mine = (
        Assignment.objects.filter(member=member, public_id=public_id)
        .select_related("item__batch", "item__response_1", "item__response_2")
        .first()
    )
    if mine is None:
        raise Http404
    if request.method != "POST":
        return HttpResponse(_list(request, mine))
    depth, _dot, response = request.POST.get("place", "").partition(".")
    about = About(
        depth=int(depth) if depth.isdecimal() and len(depth) < 5 else None,
        response=without_unstorable(response),
        dimension=without_unstorable(request.POST.get("dimension", "")),
    )
    try:
        ask_lead(
            mine,
            text=request.POST.get("text", ""),
            about=about,
            key=request.POST.get("key", ""),
            by=member,
            now=timezone.now(),
        )
    except AnnotationError as refused:
        if wants_json(request):
            return refusal(refused)
        messages.warning(request, str(refused))
    else:
        if wants_json(request):
            return JsonResponse({"list": _list(request, mine)})
        messages.success(request, _("Asked. The answer comes to your desk."))
    return redirect("annotation:assignment", public_id)


@gzip_page
@require_safe
@as_reviewer
def questions(request: UserRequest, member: Member) -> HttpResponseBase:
    """Show what was asked in the project, what waits first, with the places it is about."""
    counts = _counts(member, request.GET.get("batch", ""))
    batch = counts["batch"]
    pages = Paginator(asked_questions(member, batch=batch), ON_A_PAGE).get_page(
        request.GET.get("page")
    )
    shown = with_places(pages.object_list, now=timezone.now())
    context = {
        **counts,
        "pages": pages,
        "address": urlencode({"batch": batch.slug}) if batch else "",
        "questions": shown,
        "can_note": can_lead(member),
    }
    return render(request, "annotation/questions.html", context)


@require_POST
@as_reviewer
def question_answer(request: UserRequest, member: Member, public_id: str) -> HttpResponseBase:
    """Answer a question in place; with `note`, also as a note of the guideline."""
    question = _question(member, public_id)
    try:
        answer_question(
            question,
            answer=request.POST.get("answer", ""),
            as_note="note" in request.POST,
            dimension=without_unstorable(request.POST.get("dimension", "")),
            language=(get_language() or "")[:16],
            by=member,
            now=timezone.now(),
        )
    except AnsweredAlready as late:
        return _answered(request, member, question, refused=late)
    except AnnotationError as refused:
        return _answered(request, member, question, refused=refused)
    return _answered(request, member, question)


@require_POST
@as_reviewer
def question_note(request: UserRequest, member: Member, public_id: str) -> HttpResponseBase:
    """Make an answered question a note of the guideline."""
    question = _question(member, public_id)
    try:
        make_note(
            question,
            dimension=without_unstorable(request.POST.get("dimension", "")),
            language=(get_language() or "")[:16],
            by=member,
            now=timezone.now(),
        )
    except AnnotationError as refused:
        return _answered(request, member, question, refused=refused)
    return _answered(request, member, question)


@require_POST
@as_member
def question_seen(request: UserRequest, member: Member, public_id: str) -> HttpResponseBase:
    """Take an answer from the desk of who asked, and go back to the item it is about."""
    question = get_object_or_404(
        LeadQuestion.objects.asked_by(member).select_related("assignment"), public_id=public_id
    )
    see_answer(question, by=member, now=timezone.now())
    if request.POST.get("do") == "stay":
        return redirect("annotation:desk")
    place = f"#turn-{question.depth}" if question.depth else ""
    address = reverse("annotation:assignment", args=[question.assignment.public_id])
    return redirect(f"{address}{place}")


def _question(member: Member, public_id: str) -> LeadQuestion:
    return get_object_or_404(asked_questions(member), public_id=public_id)


def _answered(
    request: UserRequest,
    member: Member,
    question: LeadQuestion,
    *,
    refused: AnnotationError | None = None,
) -> HttpResponseBase:
    """Return the question as it stands now: to htmx its part, else the page."""
    if not request.htmx:
        if refused is not None:
            messages.warning(request, str(refused))
        batch = question.assignment.item.batch
        address = f"{reverse('annotation:questions')}?{urlencode({'batch': batch.slug})}"
        return redirect(f"{address}#question-{question.public_id}")
    fresh = _question(member, question.public_id)
    (shown,) = with_places([fresh], now=timezone.now())
    context: dict[str, Any] = {
        "one": shown,
        "refused": str(refused) if refused else "",
        "written": request.POST.get("answer", "") if refused else "",
        "focused": True,
        **_counts(member, request.POST.get("shown", "")),
        "can_note": can_lead(member),
    }
    return render(request, "annotation/_question.html", context, status=422 if refused else 200)


def _counts(member: Member, slug: str) -> dict[str, Any]:
    """Return the batch that is looked at, if one is, and how much waits in it and in the others.

    :raises Http404: where there is no such batch.
    """
    asked_in = batches_asked_in(member)
    batch = next((one for one, _count in asked_in if one.slug == slug), None)
    if slug and batch is None:
        batches = Batch.objects.filter(project=member.project)
        batch = get_object_or_404(batches, slug=without_unstorable(slug))
    return {
        "asked_in": asked_in,
        "batch": batch,
        "waiting": sum(count for one, count in asked_in if batch is None or one == batch),
    }


def _list(request: UserRequest, mine: Assignment) -> str:
    asked = questions_on(mine, now=timezone.now())
    return render_to_string("annotation/_own_questions.html", {"asked": asked}, request)
