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
from annotation.choices import (
    BatchKind,
    BatchPurpose,
    BatchSettings,
    BatchState,
    ItemOrder,
    OnDifference,
    ReasonRule,
)
from annotation.errors import AnnotationError
from annotation.labels import label, left_out
from annotation.models.batches import Batch
from annotation.models.projects import Member
from annotation.rendering.text import without_unstorable
from annotation.reports.categories import category_names, known_keys
from annotation.reports.content_reports import declined_items, reported_dialogues
from annotation.reports.gold import TESTS
from annotation.reports.progress import batch_progress, batch_rows, waiting_items
from annotation.reports.sentences import in_words
from annotation.reports.words import in_language, listed
from annotation.views.access import UserRequest, as_lead, wants_part
from annotation.views.quality import quality_page
from annotation.views.reviews import batch_reviews

KINDS = {
    BatchKind.TURN_PAIR: gettext_lazy("Turn pairs"),
    BatchKind.CONVERSATION_PAIR: gettext_lazy("Conversation pairs"),
    BatchKind.CONVERSATION: gettext_lazy("Conversations"),
}
QUALITY_PART, REVIEWS_PART = "quality", "batch-reviews"
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
            "purpose": label(BatchPurpose(row.purpose)),
            "state": label(BatchState(row.state)),
        }
        for row in batch_rows(lead.project)
    ]
    return render(request, "annotation/batches.html", {"rows": rows})


@require_GET
@as_lead
@vary_on_headers("HX-Request", "HX-Target")
def batch(request: UserRequest, lead: Member, slug: str) -> HttpResponse:
    """Show one batch; to htmx, which asks again and again, only the part that moves."""
    found = _batch(lead, slug)
    settings = found.parsed_settings()
    part = request.htmx.target if wants_part(request) else None
    if part == QUALITY_PART:
        told = {"batch": found, "quality": quality_page(found)}
        return render(request, "annotation/_batch_quality.html", told)
    if part == REVIEWS_PART:
        told = {"batch": found, "settings": settings, **batch_reviews(found)}
        return render(request, "annotation/_batch_reviews.html", told)
    context = {
        "batch": found,
        "progress": batch_progress(found, now=timezone.now()),
        "waiting": waiting_items(found),
        "reported": (reported := reported_dialogues(found)),
        "content_names": reported and category_names(found.project, known_keys(found.project)),
        "declined": declined_items(found),
        "kind": KINDS[BatchKind(found.kind)],
        "purpose": label(BatchPurpose(found.purpose)),
        "state": label(BatchState(found.state)),
        "history": [
            {
                "at": datetime.fromisoformat(entry["at"]),
                "by": entry["by"],
                "what": in_words(entry["what"]),
                "detail": in_words(entry["detail"]),
            }
            for entry in found.history[::-1]
        ],
        "settings": settings,
        "asked": _asked(found, settings),
        "left_out": [
            (left_out(reason), count) for reason, count in found.left_out.items() if count
        ],
    }
    template = "annotation/batch.html"
    if wants_part(request):
        return render(request, f"{template}#progress", context)
    whole = {**context, **batch_reviews(found), "quality": quality_page(found)}
    return render(request, template, whole)


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
        state = label(BatchState(changed.state))
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
    """Return (what, how) of everything the batch's settings make an annotator do. One query."""
    named = batch.rubric.dimensions.filter(key__in=settings.reasons)
    names = {key: in_language(name) for key, name in named.values_list("key", "name")}
    pair = batch.kind == BatchKind.CONVERSATION_PAIR
    asked = [(_("turns rated"), label(settings.local_scope))] if pair else []
    if pair:
        asked.append((_("whole conversations rated"), _yes_or_no(settings.global_ratings)))
    if batch.kind != BatchKind.CONVERSATION:
        asked += [
            (_("preference per dimension"), label(settings.dimension_preference)),
            (_("preference scale"), label(settings.overall_scale)),
        ]
    if pair:
        asked.append((_("preference at the fork"), _yes_or_no(settings.fork_preference)))
    asked += [
        (
            _("reason: %(dimension)s") % {"dimension": names.get(key, key.replace("_", " "))},
            _rule(rule),
        )
        for key, rule in sorted(settings.reasons.items())
    ]
    if settings.rationale_minimum:
        asked.append((_("rationale, least signs"), str(settings.rationale_minimum)))
    if batch.guideline_id is not None:
        fixed = _("fixed while open") if settings.guideline_fixed else _("may change")
        asked.append((_("guideline"), fixed))
    asked.append((_("own figures shown"), label(settings.own_figures)))
    if settings.review_share:
        shares = {
            "share": f"{100 * settings.review_share:g}",
            "blind": f"{100 * settings.review_blind_share:g}",
        }
        asked.append((_("reviewed"), _("%(share)s %%, of these %(blind)s %% blind") % shares))
    asked += _checked(batch, settings)
    order, lease = label(ItemOrder(batch.order)), str(batch.lease_minutes)
    asked += [(_("order"), order), (_("lease, minutes"), lease)]
    asked.append((_("holds for a break, a day"), str(settings.holds_per_day)))
    if settings.holds_per_day:
        asked.append((_("hold, minutes"), str(settings.hold_minutes)))
    return asked


def _checked(batch: Batch, settings: BatchSettings) -> list[tuple[str, str]]:
    """Return what the settings do so that work can be checked."""
    told = []
    if batch.purpose in TESTS:
        told.append((_("pass mark"), f"{settings.pass_mark:.0%}"))
    else:
        told.append((_("when votes differ"), label(settings.on_difference)))
        if settings.on_difference != OnDifference.LEAVE and settings.difference_points:
            told.append((_("scores differ from, points"), str(settings.difference_points)))
    if settings.repeats:
        told += [
            (_("repeats, share or number"), f"{settings.repeats:g}"),
            (_("items between, at least"), str(settings.repeat_gap)),
        ]
    if settings.gold:
        told.append((_("gold, share or number"), f"{settings.gold:g}"))
        if settings.gold_from:
            told.append((_("gold from"), listed(settings.gold_from)))
    if settings.requires:
        told.append((_("requires the qualification"), settings.requires))
    return told


def _rule(rule: ReasonRule) -> str:
    """Return the rule in words: "at or below 1, share 0.2"."""
    parts = [
        _("always") if rule.always else "",
        _("at or below %(score)s") % {"score": rule.at_or_below}
        if rule.at_or_below is not None
        else "",
        _("where the sides differ") if rule.where_sides_differ else "",
        _("share %(share)s") % {"share": f"{rule.share:g}"} if rule.share else "",
    ]
    return listed(parts) or _("never")


def _yes_or_no(value: object) -> str:
    return _("yes") if value else _("no")


def _batch(lead: Member, slug: str) -> Batch:
    return get_object_or_404(lead.project.batches.select_related("rubric", "guideline"), slug=slug)
