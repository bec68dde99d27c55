"""The lead's list of batches, and one batch: how far it is, and what waits for the lead."""

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from annotation.actions import batches as actions
from annotation.choices import BatchKind, BatchPurpose, BatchSettings, BatchState, ReasonRule
from annotation.errors import AnnotationError
from annotation.models.batches import Batch
from annotation.models.projects import Member
from annotation.rendering.text import without_unstorable
from annotation.reports.progress import batch_progress, batch_rows, waiting_items
from annotation.views.access import UserRequest, as_lead

KINDS = {
    BatchKind.TURN_PAIR: gettext_lazy("Turn pairs"),
    BatchKind.CONVERSATION_PAIR: gettext_lazy("Conversation pairs"),
    BatchKind.CONVERSATION: gettext_lazy("Conversations"),
}
PURPOSES = {
    BatchPurpose.PILOT: gettext_lazy("pilot"),
    BatchPurpose.TRAINING: gettext_lazy("training"),
    BatchPurpose.QUALIFICATION: gettext_lazy("qualification"),
    BatchPurpose.MAIN: gettext_lazy("main"),
    BatchPurpose.TRIAL: gettext_lazy("trial"),
    BatchPurpose.REFERENCE: gettext_lazy("reference"),
}
STATES = {
    BatchState.DRAFT: gettext_lazy("draft"),
    BatchState.OPEN: gettext_lazy("open"),
    BatchState.PAUSED: gettext_lazy("paused"),
    BatchState.CLOSED: gettext_lazy("closed"),
}
STEPS: dict[str, Callable[..., Batch]] = {
    "open": actions.open_batch,
    "pause": actions.pause_batch,
    "close": actions.close_batch,
    "reopen": actions.reopen_batch,
}


@require_GET
@as_lead
def batches(request: UserRequest, lead: Member) -> HttpResponse:
    """List the project's batches, newest first."""
    rows = [
        {
            "batch": row,
            "kind": KINDS[BatchKind(row.kind)],
            "purpose": PURPOSES[BatchPurpose(row.purpose)],
            "state": STATES[BatchState(row.state)],
        }
        for row in batch_rows(lead.project)
    ]
    return render(request, "annotation/batches.html", {"rows": rows})


@require_GET
@as_lead
@vary_on_headers("HX-Request")
def batch(request: UserRequest, lead: Member, slug: str) -> HttpResponse:
    """Show one batch; to htmx, which asks every half minute, only the part that moves."""
    found = _batch(lead, slug)
    settings = found.parsed_settings()
    context = {
        "batch": found,
        "progress": batch_progress(found, now=timezone.now()),
        "waiting": waiting_items(found),
        "kind": KINDS[BatchKind(found.kind)],
        "purpose": PURPOSES[BatchPurpose(found.purpose)],
        "state": STATES[BatchState(found.state)],
        "history": [
            {**entry, "at": datetime.fromisoformat(entry["at"])} for entry in found.history[::-1]
        ],
        "settings": settings,
        "asked": _asked(found, settings),
        "left_out": [
            (reason.replace("_", " "), count) for reason, count in found.left_out.items() if count
        ],
    }
    template = "annotation/batch.html"
    return render(request, f"{template}#progress" if _wants_part(request) else template, context)


@require_POST
@as_lead
def batch_state(request: UserRequest, lead: Member, slug: str) -> HttpResponse:
    """Open, pause, close or reopen the batch."""
    found = _batch(lead, slug)
    step = STEPS.get(request.POST.get("step", ""))
    if step is None:
        messages.error(request, _("Choose to open, pause, close or reopen."))
        return redirect("annotation:batch", slug)
    try:
        changed = step(found, by=lead, now=timezone.now())
    except AnnotationError as refused:
        messages.error(request, str(refused))
    else:
        state = STATES[BatchState(changed.state)]
        messages.success(request, _("The batch is %(state)s.") % {"state": state})
    return redirect("annotation:batch", slug)


@require_POST
@as_lead
def batch_offer_again(request: UserRequest, lead: Member, slug: str) -> HttpResponse:
    """Offer parked items again to those who did not skip them: the ones named."""
    found = _batch(lead, slug)
    names = [without_unstorable(name) for name in request.POST.getlist("item")]
    items = found.items.filter(public_id__in=names).select_related("batch")
    try:
        count = actions.offer_again(items, by=lead, now=timezone.now())
    except AnnotationError as refused:
        messages.error(request, str(refused))
    else:
        messages.success(
            request,
            ngettext(
                "%(count)s item is offered again.", "%(count)s items are offered again.", count
            )
            % {"count": count},
        )
    return redirect("annotation:batch", slug)


def _asked(batch: Batch, settings: BatchSettings) -> list[tuple[str, str]]:
    """Return (what, how) of everything the batch's settings make an annotator do."""
    pair = batch.kind == BatchKind.CONVERSATION_PAIR
    asked = [(_("turns rated"), _words(settings.local_scope))] if pair else []
    if pair:
        asked.append((_("whole conversations rated"), _yes_or_no(settings.global_ratings)))
    if batch.kind != BatchKind.CONVERSATION:
        asked += [
            (_("preference per dimension"), _words(settings.dimension_preference)),
            (_("preference scale"), _words(settings.overall_scale)),
        ]
    if pair:
        asked.append((_("preference at the fork"), _yes_or_no(settings.fork_preference)))
    asked += [
        (_("reason: %(dimension)s") % {"dimension": _words(key)}, _rule(rule))
        for key, rule in sorted(settings.reasons.items())
    ]
    if settings.rationale_minimum:
        asked.append((_("rationale, least signs"), str(settings.rationale_minimum)))
    order, lease = _words(batch.order), str(batch.lease_minutes)
    return [*asked, (_("order"), order), (_("lease, minutes"), lease)]


def _rule(rule: ReasonRule) -> str:
    """Return the rule as it is written, with spaces: "at or below 1, share 0.2"."""
    return str(rule).replace("-", " ").replace(":", " ").replace("+", ", ")


def _words(value: str) -> str:
    return value.replace("_", " ")


def _yes_or_no(value: object) -> str:
    return _("yes") if value else _("no")


def _batch(lead: Member, slug: str) -> Batch:
    return get_object_or_404(lead.project.batches.select_related("rubric", "guideline"), slug=slug)


def _wants_part(request: UserRequest) -> bool:
    """Whether htmx asks for a part to swap, not for a page it will show whole."""
    htmx = request.htmx
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request
