"""Judging one item: the page, its draft, and what can be done with it."""

from collections.abc import Mapping
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
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_POST

from annotation.actions.assignments import (
    claim_next,
    flag,
    open_assignment,
    prepare_next,
    skip,
)
from annotation.actions.drafts import DraftConflict, save_draft
from annotation.actions.holds import set_aside
from annotation.actions.judgments import (
    AlreadySubmitted,
    Circumstances,
    body_digest,
    submit_judgment,
    withdraw_judgment,
)
from annotation.choices import (
    DECIDING,
    AssignmentState,
    BatchPurpose,
    Cause,
    SeatPurpose,
    SkipReason,
)
from annotation.errors import AnnotationError, Invalid
from annotation.forms.judgments import Body, Fields, body_of, body_of_judgment, fields_of
from annotation.models.assignments import Assignment, Draft
from annotation.models.expressions import RowCount
from annotation.models.guidelines import GuidelineVersion
from annotation.models.judgments import Judgment
from annotation.models.projects import Member
from annotation.rendering.text import without_unstorable
from annotation.reports.categories import reportable, support_of
from annotation.reports.guidelines import current_guideline
from annotation.reports.holds import holds_of
from annotation.reports.judging import judging_page
from annotation.reports.judging_parts import JudgingPage
from annotation.reports.marks import is_marked
from annotation.reports.paths import slots_shown
from annotation.reports.questions import questions_for
from annotation.reports.times import most_counted_ms
from annotation.views.access import UserRequest, as_member, refusal, wants_json
from annotation.views.fixing import after_blind, fixing, sent_fix
from annotation.views.guidelines import NEXT, before_first_opening, change_first
from annotation.views.marks import warning_page
from annotation.views.notices import neighbours, notices, read_only
from annotation.views.words import KINDS, SKIP_REASONS, words_for_script

LONGEST_NOTE = 2000
JUDGED = (AssignmentState.SUBMITTED, AssignmentState.SURPLUS, AssignmentState.RETURNED)


@gzip_page
@require_http_methods(["GET", "HEAD", "POST"])
@as_member
def assignment(request: UserRequest, member: Member, public_id: str) -> HttpResponseBase:
    """Show an item to judge; take its submission."""
    mine = _own(member, public_id, to_read=request.method != "POST")
    if request.method != "POST":
        if mine.opened_at is None and mine.item.dialogue.held_back_at is not None:
            messages.info(request, _("This item was taken out of the queues before you began it."))
            return redirect("annotation:desk")
        if mine.opened_at is None and (change := before_first_opening(mine)) is not None:
            return redirect(change)
        if _asks_first(mine) and "open" not in request.GET:
            return warning_page(request, mine, judging_page_of(mine, {}))
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
    mine = _own(member, public_id, to_read=False)
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


@gzip_page
@require_POST
@as_member
def prepare(request: UserRequest, member: Member, public_id: str) -> HttpResponseBase:
    """Hold the item that will follow and send its page, which counts as neither opened nor seen.

    204 where there is none, or none that may be shown without a question first.
    """
    following = prepare_next(_own(member, public_id, to_read=False), now=timezone.now())
    following = following and _own(member, following.public_id)
    if following is None or _asks_first(following):
        return HttpResponse(status=204)
    response = _page(request, following, prepared=True)
    response.headers["Item"] = following.public_id
    response.headers["Item-Stamp"] = _stamp(following)
    return response


@require_POST
@as_member
def opened(request: UserRequest, member: Member, public_id: str) -> HttpResponseBase:
    """Note that a prepared item is in view now."""
    open_assignment(_own(member, public_id, to_read=False), now=timezone.now())
    return HttpResponse(status=204)


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
    url, _following = _next(request, member, mine)
    return redirect(url)


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


def _own(member: Member, public_id: str, *, to_read: bool = True) -> Assignment:
    """Return the member's own assignment; anybody else's does not exist for them.

    `to_read` loads what its page shows as well.
    """
    mine = Assignment.objects.filter(member=member, public_id=public_id)
    mine = mine.select_related("item__batch")
    if to_read:
        mine = mine.select_related("item__batch__rubric", "item__batch__project", "item__dialogue")
        mine = mine.select_related("item__response_1", "item__response_2")
    if (found := mine.exclude(purpose=SeatPurpose.ADJUDICATION).first()) is None:
        raise Http404
    found.member = member
    return found


def _submit(request: UserRequest, member: Member, mine: Assignment) -> HttpResponseBase:
    sending: dict[str, Any] = {
        "by": member,
        "body": body_of(request.POST),
        "key": request.POST.get("submission_key", ""),
        "now": timezone.now(),
        "circumstances": Circumstances(
            language=(get_language() or "")[:16], guideline_version=_guideline(request, mine)
        ),
    }
    try:
        if mine.about_id is not None:
            url = sent_fix(request, mine, sending)
            return JsonResponse({"next": url}) if wants_json(request) else redirect(url)
        judgment = submit_judgment(mine, **sending)
    except AnnotationError as refused:
        return _refused(request, mine, refused)
    if mine.purpose == SeatPurpose.REVIEW:
        url, following = after_blind(request, mine), None
    elif judgment.cause != Cause.FIRST:
        messages.success(request, _("The correction is kept. The first version stays on record."))
        url, following = reverse("annotation:my-work"), None
    elif mine.item.batch.purpose == BatchPurpose.TRAINING:
        url, following = reverse("annotation:assignment-feedback", args=[mine.public_id]), None
    else:
        url, following = _next(request, member, mine)
    if not wants_json(request):
        return redirect(url)
    return JsonResponse({"next": url, **_still_prepared(request, following)})


def _asks_first(mine: Assignment) -> bool:
    """Say whether something is asked before the item may be shown for the first time."""
    return mine.opened_at is None and is_marked(mine.item)


def _stamp(mine: Assignment) -> str:
    """Return what the item's page was made from, besides what never changes. Five queries at most.

    A page prepared ahead is shown only while its stamp is the one the server gives.
    """
    guideline = current_guideline(mine.item.batch)
    # What was judged in the dialogue is carried over, and its prefix was read.
    judged = Judgment.objects.filter(member=mine.member_id, item__dialogue=mine.item.dialogue_id)
    kept = Assignment.objects.filter(pk=mine.pk).annotate(
        judged=RowCount(judged), revisions=RowCount(Judgment.objects.filter(assignment=mine.pk))
    )
    made_from = [
        mine.state,
        mine.item.batch.state,
        guideline.pk if guideline else None,
        list(kept.values_list("draft__version", "revisions", "judged")),
        get_language(),
        list(slots_shown(mine.item).order_by("pk").values_list("pk", "state", "marks")),
    ]
    return body_digest(made_from)[:32]


def _still_prepared(request: UserRequest, following: Assignment | None) -> dict[str, str]:
    """Return the stamp and the notices of the item the page has prepared, if it is still that one."""
    if following is None or request.headers.get("Prepared-Item") != following.public_id:
        return {}
    if _asks_first(following):
        return {}
    html = render_to_string("annotation/_judge_notices.html", notices(following), request)
    return {"stamp": _stamp(following), "notices": html}


def _refused(request: UserRequest, mine: Assignment, refused: AnnotationError) -> HttpResponseBase:
    places = _places(refused, judging_page_of(mine, fields_of(body_of(request.POST))))
    if wants_json(request):
        return refusal(
            refused,
            places=[one["href"].removeprefix("#") for one in places],
            open_again=isinstance(refused, AlreadySubmitted),
        )
    if not isinstance(refused, Invalid):
        messages.warning(request, str(refused))
        return redirect("annotation:assignment", mine.public_id)
    entered = fields_of(body_of(request.POST))
    return _page(request, mine, entered=entered, refused=refused)


def _keep(request: UserRequest, member: Member, mine: Assignment) -> HttpResponseBase:
    """Save without a script, and set the item aside with or without one."""
    try:
        save_draft(
            mine,
            by=member,
            body=body_of(request.POST),
            version=_number(request.POST.get("draft_version")),
            now=timezone.now(),
        )
        if request.POST.get("do") == "leave" and mine.purpose not in DECIDING:
            set_aside(mine, by=member, now=timezone.now())
    except AnnotationError as refused:
        if wants_json(request):
            return refusal(refused)
        messages.warning(request, str(refused))
        return _page(request, mine, entered=fields_of(body_of(request.POST)))
    url = reverse("annotation:assignment", args=[mine.public_id])
    if request.POST.get("do") == "leave":
        messages.success(request, _("Set aside. What you entered is kept."))
        url = reverse("annotation:reviews" if mine.purpose in DECIDING else "annotation:desk")
    return JsonResponse({"next": url}) if wants_json(request) else redirect(url)


def _page(
    request: UserRequest,
    mine: Assignment,
    *,
    entered: Fields | None = None,
    refused: AnnotationError | None = None,
    prepared: bool = False,
) -> HttpResponse:
    kept = Draft.objects.filter(assignment=mine).first()
    fields = entered if entered is not None else fields_of(_entered(mine, kept))
    page = judging_page_of(mine, fields)
    batch = mine.item.batch
    is_read_only = read_only(mine)
    context = {
        "page": page,
        "counted_at_most": most_counted_ms(mine.item),
        "assignment": mine,
        "batch": batch,
        "kind_name": KINDS[batch.kind],
        "draft": kept,
        "evidence": fields.get("evidence", "{}"),
        "submission_key": f"{mine.public_id}.{_revision(mine)}",
        "read_only": is_read_only,
        "correcting": mine.state in JUDGED,
        "fixing": fixing(mine),
        "can_skip": mine.state in {AssignmentState.HELD, AssignmentState.LAPSED}
        and mine.purpose not in DECIDING
        and not is_read_only,
        "skip_reasons": SKIP_REASONS,
        "report_kinds": reportable(batch.project),
        "support": support_of(batch.project),
        "translate_ok": batch.parsed_settings().browser_translation,
        "prepared": prepared,
        "here": reverse("annotation:assignment", args=[mine.public_id]),
        **({} if prepared else notices(mine)),
        "holds": holds_of(mine.member, batch, at=timezone.now()),
        **neighbours(mine),
        "problems": _places(refused, page) if refused else [],
        "refusal": str(refused) if refused else "",
        "words": words_for_script(),
        "prefix_folded": bool(kept and kept.version),
    }
    return render(request, "annotation/judge.html", context, status=422 if refused else 200)


def judging_page_of(mine: Assignment, fields: Fields) -> JudgingPage:
    """Return the page of the member's assignment with these values filled in."""
    now = timezone.now()
    return judging_page(questions_for(mine), assignment=mine, entered=fields, now=now)


def _entered(mine: Assignment, kept: Draft | None) -> Body:
    """Return what stands on the page: the draft, or the last judgment where that is newer.

    A submission that was taken back is such a judgment too: the item opens as it was sent.
    """
    last = mine.judgments.exclude(cause=Cause.WITHDRAWAL).order_by("-revision").first()
    if last is not None and (kept is None or kept.saved_at <= last.submitted_at):
        return body_of_judgment(last)
    if kept is None and mine.about is not None:
        fixed = mine.about.judgments.exclude(cause=Cause.WITHDRAWAL).order_by("-revision").first()
        return body_of_judgment(fixed) if fixed else {}
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


def _next(request: HttpRequest, member: Member, mine: Assignment) -> tuple[str, Assignment | None]:
    """Return the address of the next item of the batch, and the item; or the desk's, saying why.

    A change of the guideline comes before it.
    """
    if (change := change_first(member, mine.item.batch, then=NEXT)) is not None:
        return change, None
    try:
        following = claim_next(mine.item.batch, by=member, now=timezone.now(), after=mine.item)
    except AnnotationError as nothing:
        messages.info(request, str(nothing))
        return reverse("annotation:desk"), None
    return reverse("annotation:assignment", args=[following.public_id]), following


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
