"""Judging one item: the page, its draft, and what can be done with it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    QueryDict,
)
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_POST

from annotation.actions.assignments import claim_next, flag, open_assignment, skip
from annotation.actions.drafts import DraftConflict, save_draft
from annotation.actions.judgments import Circumstances, submit_judgment, withdraw_judgment
from annotation.choices import AssignmentState, BatchState, Cause, ReviewOutcome, SkipReason
from annotation.errors import AnnotationError, Invalid
from annotation.forms.judgments import Body, Fields, body_of, body_of_judgment, fields_of
from annotation.models.assignments import Assignment, Draft
from annotation.models.guidelines import GuidelineVersion
from annotation.models.projects import Member
from annotation.models.reviews import Review
from annotation.rendering.text import without_unstorable
from annotation.reports.judging import judging_page
from annotation.reports.judging_parts import JudgingPage
from annotation.reports.marks import is_marked
from annotation.reports.questions import questions_of
from annotation.views.access import UserRequest, as_member, refusal, wants_json
from annotation.views.words import KINDS, SKIP_REASONS, words_for_script

LONGEST_NOTE = 2000
JUDGED = (AssignmentState.SUBMITTED, AssignmentState.SURPLUS, AssignmentState.RETURNED)


@gzip_page
@require_http_methods(["GET", "HEAD", "POST"])
@as_member
def assignment(request: UserRequest, member: Member, public_id: str) -> HttpResponseBase:
    """Show an item to judge; take its submission."""
    mine = _own(member, public_id)
    if request.method != "POST":
        if mine.opened_at is None and "open" not in request.GET and is_marked(mine.item):
            context = {"assignment": mine, "page": judging_page_of(mine, {})}
            return render(request, "annotation/marked.html", context)
        open_assignment(mine, now=timezone.now())
        return _page(request, mine)
    match request.POST.get("do"):
        case "save" | "leave":
            return _keep(request, member, mine)
        case _:
            return _submit(request, member, mine)


@require_http_methods(["GET", "POST"])
@as_member
def draft(request: UserRequest, member: Member, public_id: str) -> HttpResponseBase:
    """Keep what is entered (204 with the version), or say what is kept."""
    mine = _own(member, public_id)
    if request.method == "GET":
        return JsonResponse(
            {
                **_kept(Draft.objects.filter(assignment=mine).first()),
                "csrf_token": get_token(request),
            }
        )
    try:
        saved = save_draft(
            mine,
            by=member,
            body=body_of(request.POST),
            version=_number(request.POST.get("draft_version")),
            now=timezone.now(),
        )
    except DraftConflict as conflict:
        return refusal(conflict, **_kept(conflict.draft))
    except AnnotationError as reason:
        return refusal(reason)
    return HttpResponse(
        status=204,
        headers={
            "Draft-Version": f"{saved.version}",
            "Draft-Saved-At": saved.saved_at.isoformat(),
            "Seat-Held": "yes" if saved.seat_held else "no",
        },
    )


@require_POST
@as_member
def skip_item(request: UserRequest, member: Member, public_id: str) -> HttpResponseBase:
    """Give the item back for good and open the next one."""
    mine = _own(member, public_id)
    reason = request.POST.get("reason", "")
    if reason not in set(SkipReason):
        messages.warning(request, _("Choose a reason to skip the item."))
        return redirect("annotation:assignment", public_id)
    try:
        skip(
            mine,
            by=member,
            reason=SkipReason(reason),
            note=_note(request),
            now=timezone.now(),
        )
    except AnnotationError as refused:
        messages.warning(request, str(refused))
        return redirect("annotation:desk")
    messages.success(request, _("Skipped. It goes to somebody else."))
    return redirect(_next_url(request, member, mine))


@require_POST
@as_member
def flag_item(request: UserRequest, member: Member, public_id: str) -> HttpResponseBase:
    """Mark the item for the lead; the person keeps it and goes on."""
    mine = _own(member, public_id)
    try:
        flag(mine, by=member, note=_note(request), now=timezone.now())
    except AnnotationError as refused:
        return refusal(refused)
    if wants_json(request):
        return JsonResponse({"flagged": bool(mine.flag_note)})
    messages.success(
        request, _("Flagged for the lead.") if mine.flag_note else _("The flag is gone.")
    )
    return redirect("annotation:assignment", public_id)


@require_POST
@as_member
def undo(request: UserRequest, member: Member, public_id: str) -> HttpResponseBase:
    """Take a submission back and open its item again."""
    mine = _own(member, public_id)
    try:
        withdraw_judgment(mine, by=member, key=f"undo.{_revision(mine)}", now=timezone.now())
    except AnnotationError as refused:
        messages.warning(request, str(refused))
        return redirect("annotation:my-work")
    messages.success(request, _("Taken back. It is open again as you left it."))
    return redirect("annotation:assignment", public_id)


def _own(member: Member, public_id: str) -> Assignment:
    """Return the member's own assignment; anybody else's does not exist for them."""
    mine = (
        Assignment.objects.filter(member=member, public_id=public_id)
        .select_related(
            "member",
            "item__batch__rubric",
            "item__batch__guideline",
            "item__dialogue",
            "item__response_1",
            "item__response_2",
        )
        .first()
    )
    if mine is None:
        raise Http404
    return mine


def _submit(request: UserRequest, member: Member, mine: Assignment) -> HttpResponseBase:
    try:
        judgment = submit_judgment(
            mine,
            by=member,
            body=body_of(request.POST),
            key=request.POST.get("submission_key", ""),
            now=timezone.now(),
            circumstances=Circumstances(
                language=(get_language() or "")[:16], guideline_version=_guideline(request, mine)
            ),
        )
    except AnnotationError as refused:
        return _refused(request, mine, refused)
    if judgment.cause != Cause.FIRST:
        messages.success(request, _("The correction is kept. The first version stays on record."))
        url = reverse("annotation:my-work")
    else:
        url = _next_url(request, member, mine)
    return JsonResponse({"next": url}) if wants_json(request) else redirect(url)


def _refused(request: UserRequest, mine: Assignment, refused: AnnotationError) -> HttpResponseBase:
    places = _places(refused, judging_page_of(mine, fields_of(body_of(request.POST))))
    if wants_json(request):
        return refusal(refused, places=[one["href"].removeprefix("#") for one in places])
    if not isinstance(refused, Invalid):
        messages.warning(request, str(refused))
        return redirect("annotation:assignment", mine.public_id)
    entered = fields_of(body_of(request.POST))
    return _page(request, mine, entered=entered, refused=refused)


def _keep(request: UserRequest, member: Member, mine: Assignment) -> HttpResponseBase:
    """Save without a script."""
    try:
        save_draft(
            mine,
            by=member,
            body=body_of(request.POST),
            version=_number(request.POST.get("draft_version")),
            now=timezone.now(),
        )
    except AnnotationError as refused:
        messages.warning(request, str(refused))
        return _page(request, mine, entered=fields_of(body_of(request.POST)))
    if request.POST.get("do") == "leave":
        messages.success(request, _("Set aside. What you entered is kept."))
        return redirect("annotation:desk")
    return redirect("annotation:assignment", mine.public_id)


def _page(
    request: UserRequest,
    mine: Assignment,
    *,
    entered: Fields | None = None,
    refused: AnnotationError | None = None,
) -> HttpResponse:
    kept = Draft.objects.filter(assignment=mine).first()
    fields = entered if entered is not None else fields_of(_entered(mine, kept))
    page = judging_page_of(mine, fields)
    batch = mine.item.batch
    now = timezone.now()
    read_only = mine.state == AssignmentState.SKIPPED or (
        batch.state == BatchState.CLOSED and mine.item.reopened_at is None
    )
    settings = batch.parsed_settings()
    context = {
        "page": page,
        "assignment": mine,
        "batch": batch,
        "kind_name": KINDS[batch.kind],
        "number": _item_number(mine),
        "draft": kept,
        "evidence": fields.get("evidence", "{}"),
        "submission_key": f"{mine.public_id}.{_revision(mine)}",
        "read_only": read_only,
        "correcting": mine.state in JUDGED,
        "can_skip": mine.state in {AssignmentState.HELD, AssignmentState.LAPSED} and not read_only,
        "skip_reasons": SKIP_REASONS,
        "returned": _return_note(mine),
        "notice": _notice(mine, read_only=read_only),
        "undo": _just_sent(mine, minutes=settings.undo_minutes, now=now),
        "undo_minutes": settings.undo_minutes,
        "translate_ok": settings.browser_translation,
        "problems": _places(refused, page) if refused else [],
        "refusal": str(refused) if refused else "",
        "words": words_for_script(),
        "prefix_folded": bool(kept and kept.version),
    }
    return render(request, "annotation/judge.html", context, status=422 if refused else 200)


def judging_page_of(mine: Assignment, fields: Fields) -> JudgingPage:
    """Return the page of the member's assignment with these values filled in."""
    questions = questions_of(mine.item, member=mine.member)
    return judging_page(questions, assignment=mine, entered=fields)


def _entered(mine: Assignment, kept: Draft | None) -> Body:
    """Return what stands on the page: the draft, or the last judgment where that is newer.

    A submission that was taken back is such a judgment too: the item opens as it was sent.
    """
    last = mine.judgments.exclude(cause=Cause.WITHDRAWAL).order_by("-revision").first()
    if last is not None and (kept is None or kept.saved_at <= last.submitted_at):
        return body_of_judgment(last)
    return kept.body if kept else {}


def _places(refused: AnnotationError, page: JudgingPage) -> list[dict[str, str]]:
    """Return where on the page each refused field stands, in words."""
    if not isinstance(refused, Invalid):
        return []
    rows = [row for turn in page.turns for row in turn.rows] + list(page.whole)
    names = {
        f"ratings.{r.field}": f"{r.place}, {r.dimension.short_name}"
        for row in rows
        for r in row.ratings
    }
    for preference in (*(row.preference for row in rows), page.fork_preference, page.overall):
        if preference is not None:
            names[f"preferences.{preference.key}"] = _("Preference: %(name)s") % {
                "name": preference.title
            }
    places = []
    for field, message in refused.fields.items():
        whole = field.removesuffix(".reason")
        kind, _dot, target = whole.partition(".")
        prefix = {"ratings": "q-", "preferences": "q-preference."}.get(kind, "f-")
        places.append(
            {
                "href": f"#{prefix}{target}",
                "place": names.get(whole, target or field),
                "message": message,
            }
        )
    return places


def _next_url(request: HttpRequest, member: Member, mine: Assignment) -> str:
    """Return the address of the next item of the batch, or of the desk, saying why."""
    try:
        following = claim_next(mine.item.batch, by=member, now=timezone.now(), after=mine.item)
    except AnnotationError as nothing:
        messages.info(request, str(nothing))
        return reverse("annotation:desk")
    return reverse("annotation:assignment", args=[following.public_id])


def _notice(mine: Assignment, *, read_only: bool) -> str:
    if mine.state == AssignmentState.SKIPPED:
        return _("You skipped this item. What you had entered can be read here.")
    if read_only:
        return _("The batch is closed: this can be read and not changed.")
    match mine.state:
        case AssignmentState.LAPSED:
            return _(
                "Your time for this item ran out. What you entered is kept; the seat is taken back when you go on, if it is still free."
            )
        case AssignmentState.SURPLUS:
            return _(
                "This came after the seat had gone to somebody else. It is kept and waits for the lead."
            )
        case AssignmentState.SUBMITTED:
            return _(
                "You have submitted this item. What you change now is sent as a correction; the first version stays on record."
            )
        case _ if mine.item.batch.state == BatchState.PAUSED:
            return _("The batch is paused. What you enter is saved and can be submitted.")
        case _:
            return ""


def _return_note(mine: Assignment) -> str:
    if mine.state != AssignmentState.RETURNED:
        return ""
    review = (
        Review.objects.filter(judgment__assignment=mine, outcome=ReviewOutcome.RETURN)
        .order_by("-number")
        .first()
    )
    return review.note if review else ""


def _just_sent(mine: Assignment, *, minutes: int, now: datetime) -> Assignment | None:
    """Return the item this person sent last in the batch, while it can be taken back."""
    return (
        Assignment.objects.submitted()
        .filter(
            member=mine.member_id,
            item__batch=mine.item.batch_id,
            submitted_at__gt=now - timedelta(minutes=minutes),
        )
        .exclude(pk=mine.pk)
        .order_by("-submitted_at", "-pk")
        .first()
    )


def _item_number(mine: Assignment) -> int:
    """Which item of the batch this is for the person, counted from 1."""
    return (
        Assignment.objects.filter(
            member=mine.member_id, item__batch=mine.item.batch_id, claimed_at__lt=mine.claimed_at
        ).count()
        + 1
    )


def _revision(mine: Assignment) -> int:
    return mine.judgments.count() + 1


def _guideline(request: HttpRequest, mine: Assignment) -> GuidelineVersion | None:
    """Return the version the page showed, if it is one of this batch's guideline."""
    shown = _number(request.POST.get("guideline_version"))
    if not shown or mine.item.batch.guideline_id is None:
        return None
    return GuidelineVersion.objects.filter(pk=shown, guideline=mine.item.batch.guideline_id).first()


def _kept(kept: Draft | None) -> dict[str, Any]:
    """Return a draft as the page compares it: its values by field name, form-encoded."""
    fields = _encoded(fields_of(kept.body) if kept else {})
    return {
        "version": kept.version if kept else 0,
        "saved_at": kept.saved_at.isoformat() if kept else None,
        "fields": fields,
    }


def _encoded(fields: Mapping[str, str | list[str]]) -> str:
    encoded = QueryDict(mutable=True)
    for name, value in fields.items():
        if name != "evidence":
            encoded.setlist(
                name, [one for one in ([value] if isinstance(value, str) else value) if one]
            )
    return encoded.urlencode()


def _note(request: HttpRequest) -> str:
    """Return the note to the lead, without what cannot be stored and cut to what is read."""
    return without_unstorable(request.POST.get("note", ""))[:LONGEST_NOTE]


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0
