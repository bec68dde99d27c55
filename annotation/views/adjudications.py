"""Deciding an item between its judgments."""

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_POST

from annotation.actions.adjudications import adjudicate, begin_adjudication, open_adjudication
from annotation.actions.gold import gold_from_judgment
from annotation.actions.judgments import Circumstances
from annotation.choices import AssignmentState, SeatPurpose
from annotation.errors import AnnotationError, Invalid
from annotation.forms.judgments import Fields, body_of, body_of_judgment, fields_of
from annotation.models.assignments import Assignment
from annotation.models.batches import Item
from annotation.models.judgments import Judgment
from annotation.models.projects import Member
from annotation.permissions import can_lead
from annotation.rendering.text import without_unstorable
from annotation.reports.adjudications import adjudicated_among
from annotation.reports.comparing import Compared, judgments_beside
from annotation.reports.guidelines import current_guideline
from annotation.views.access import UserRequest, as_lead, as_reviewer
from annotation.views.reviews import compared_page
from annotation.views.words import KINDS


@gzip_page
@require_http_methods(["GET", "HEAD", "POST"])
@as_reviewer
def adjudication(request: UserRequest, member: Member, public_id: str) -> HttpResponseBase:
    """Show an item's judgments side by side; take the deciding one."""
    item = _item(member, public_id)
    mine = Assignment.objects.filter(
        item=item, member=member, purpose=SeatPurpose.ADJUDICATION
    ).first()
    if request.method == "POST" and request.POST.get("do") != "begin":
        if mine is None:
            raise Http404
        return _decided(request, member, item, mine)
    if mine is None or mine.state not in {AssignmentState.HELD, AssignmentState.SUBMITTED}:
        if request.method != "POST":
            return redirect("annotation:reviews")
        try:
            begin_adjudication(item, by=member, now=timezone.now())
        except AnnotationError as refused:
            messages.warning(request, str(refused))
            return redirect("annotation:reviews")
        return redirect("annotation:adjudication", public_id)
    return _page(request, item, mine)


@require_POST
@as_lead
def adjudication_open(request: UserRequest, lead: Member, public_id: str) -> HttpResponseBase:
    """Put an item on the list of those to be decided."""
    item = _item(lead, public_id)
    already = adjudicated_among([item.public_id]).get(item.public_id)
    if already is not None:
        told = _("The item is decided already.") if already else _("The item waits already.")
        messages.info(request, told)
        return redirect("annotation:reviews")
    try:
        open_adjudication(item, by=lead, now=timezone.now())
    except AnnotationError as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, _("The item waits to be decided, under Reviews."))
    return redirect("annotation:reviews")


@require_POST
@as_lead
def adjudication_gold(request: UserRequest, lead: Member, public_id: str) -> HttpResponseBase:
    """Make what was decided of an item known answers, on the dimensions chosen."""
    item = _item(lead, public_id)
    decided = (
        Judgment.objects.filter(item=item, seat__purpose=SeatPurpose.ADJUDICATION)
        .select_related("item__batch__rubric")
        .order_by("-number")
        .first()
    )
    if decided is None:
        raise Http404
    try:
        answers = gold_from_judgment(
            decided,
            dimensions=[without_unstorable(one) for one in request.POST.getlist("dimension")],
            tolerance=1 if request.POST.get("tolerance") == "1" else 0,
            by=lead,
            now=timezone.now(),
        )
    except AnnotationError as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(
            request,
            ngettext(
                "%(count)s answer of the item is known now.",
                "%(count)s answers of the item are known now.",
                len(answers),
            )
            % {"count": len(answers)},
        )
    return redirect("annotation:adjudication", public_id)


def _decided(
    request: UserRequest, member: Member, item: Item, mine: Assignment
) -> HttpResponseBase:
    try:
        adjudicate(
            mine,
            by=member,
            body=body_of(request.POST),
            reason=without_unstorable(request.POST.get("rationale", "")),
            key=request.POST.get("submission_key", "")[:64],
            now=timezone.now(),
            circumstances=Circumstances(
                language=(get_language() or "")[:16],
                guideline_version=current_guideline(item.batch),
            ),
        )
    except AnnotationError as refused:
        return _page(request, item, mine, refused=refused)
    messages.success(request, _("Decided. Exports carry this judgment of the item now."))
    return redirect("annotation:reviews")


def _page(
    request: UserRequest,
    item: Item,
    mine: Assignment,
    *,
    refused: AnnotationError | None = None,
) -> HttpResponse:
    mine.item = item
    page, compared = compared_page(mine, judgments_beside(item))
    last = mine.judgments.order_by("-revision").first()
    entered = fields_of(body_of_judgment(last)) if last else {}
    if request.method == "POST":
        entered = fields_of(body_of(request.POST))
    again = last is not None or request.method == "POST"
    context = {
        "chosen": _chosen(entered) if again else _agreed(compared),
        "assignment": mine,
        "item": item,
        "batch": item.batch,
        "kind_name": KINDS[item.batch.kind],
        "page": page,
        "compared": compared,
        "decided": last,
        "leads": can_lead(mine.member),
        "reason": entered.get("rationale", ""),
        "submission_key": f"{mine.public_id}.{mine.judgments.count() + 1}",
        "refused": str(refused) if refused else "",
        "missing": set(refused.fields) if isinstance(refused, Invalid) else set(),
        "read_only": True,
        "translate_ok": item.batch.parsed_settings().browser_translation,
    }
    return render(request, "annotation/adjudication.html", context, status=422 if refused else 200)


def _chosen(entered: Fields) -> dict[str, str]:
    """Return what was decided, by the names of the compared questions."""
    return {
        name.removeprefix("score."): value
        for name, value in entered.items()
        if isinstance(value, str) and name.startswith(("score.", "preference."))
    }


def _agreed(compared: Compared) -> dict[str, str]:
    return {field: one.agreed for field, one in compared.questions.items() if one.agreed}


def _item(member: Member, public_id: str) -> Item:
    item = (
        Item.objects.filter(batch__project=member.project_id, public_id=public_id)
        .select_related("batch__rubric", "batch__guideline", "dialogue", "response_1", "response_2")
        .first()
    )
    if item is None:
        raise Http404
    return item
