"""The quality of a batch's work on the lead's page, and what a lead does about a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from annotation.actions.participations import (
    pause_member,
    resume_member,
    waive_qualification,
)
from annotation.choices import OnDifference
from annotation.errors import AnnotationError
from annotation.models.batches import Batch, Participation
from annotation.models.projects import Member
from annotation.rendering.text import without_unstorable
from annotation.reports.figures import QUALITY, ShownFigures, shown_figures
from annotation.reports.gold import TESTS
from annotation.reports.quality import signals_in
from annotation.reports.signals import Signal
from annotation.reports.votes import Waits, waits_of
from annotation.reports.words import in_language
from annotation.views.access import UserRequest, as_lead


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person on the page: what was found, and how they stand in the batch.

    :ivar standing: their participation; None of somebody who is not in the batch any more.
    :ivar gold, repeats: as `BatchQuality.as_dict` has them, with `percent` of known answers.
    """

    member: str
    pseudonym: str
    signals: tuple[Signal, ...]
    gold: Mapping[str, Any] | None
    repeats: Mapping[str, Any] | None
    standing: Participation | None


@dataclass(frozen=True, slots=True)
class QualityPage:
    """The section as the template shows it."""

    shown: ShownFigures
    people: tuple[PersonRow, ...]
    named: int
    waits: Waits
    tells_waits: bool
    is_test: bool
    requires: str


def quality_page(batch: Batch) -> QualityPage:
    """Return the quality section of a batch's page. Six queries where figures are computed."""
    shown = shown_figures(batch, QUALITY)
    found = {one["member"]: one for one in shown.body["people"]} if shown.body else {}
    signals = signals_in(shown.body) if shown.body else {}
    standing = {
        one.member.public_id: one
        for one in batch.participations.select_related("member").order_by("member__pseudonym")
    }
    names = {key: one.member.pseudonym for key, one in standing.items()}
    names |= {key: one["pseudonym"] for key, one in found.items()}
    rows = [
        PersonRow(
            member=key,
            pseudonym=name,
            signals=signals.get(key, ()),
            gold=found[key]["gold"] if key in found else None,
            repeats=_repeats(found[key]["repeats"]) if key in found else None,
            standing=standing.get(key),
        )
        for key, name in names.items()
    ]
    rows.sort(key=lambda row: (not row.signals, not _is_paused(row), row.pseudonym))
    waits = waits_of(batch)
    return QualityPage(
        shown=shown,
        people=tuple(rows),
        named=sum(bool(row.signals) for row in rows),
        waits=waits,
        tells_waits=waits.rule != OnDifference.LEAVE or bool(waits.waiting + waits.settled),
        is_test=batch.purpose in TESTS,
        requires=batch.parsed_settings().requires,
    )


@require_POST
@as_lead
def person(request: UserRequest, lead: Member, slug: str, member: str) -> HttpResponse:
    """Pause a person, here or everywhere, let them go on, or waive the qualification asked."""
    batch = get_object_or_404(lead.project.batches, slug=slug)
    who = get_object_or_404(lead.project.members, public_id=member)
    reason = without_unstorable(request.POST.get("reason", ""))
    everywhere = request.POST.get("where") == "all"
    where = None if everywhere else batch
    now = timezone.now()
    try:
        match request.POST.get("step"):
            case "pause":
                count = pause_member(who, batch=where, reason=reason, by=lead, now=now)
                said = ngettext(
                    "%(person)s is paused in %(count)s batch and reads why.",
                    "%(person)s is paused in %(count)s batches and reads why.",
                    count,
                )
            case "resume":
                count = resume_member(who, batch=where, by=lead, now=now)
                said = ngettext(
                    "%(person)s goes on in %(count)s batch.",
                    "%(person)s goes on in %(count)s batches.",
                    count,
                )
            case "waive":
                count = waive_qualification(who, batch=batch, reason=reason, by=lead, now=now)
                said = _("%(person)s may work here without the qualification.")
            case _unknown:
                messages.error(request, _("Choose to pause, to let go on, or to waive."))
                return redirect("annotation:batch", slug)
    except AnnotationError as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, said % {"person": who.pseudonym, "count": count})
    return redirect("annotation:batch", slug)


def _is_paused(row: PersonRow) -> bool:
    return row.standing is not None and row.standing.paused_at is not None


def _repeats(body: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if body is None:
        return None
    dimensions = [{**one, "name": in_language(one["name"])} for one in body["dimensions"]]
    return {**body, "dimensions": dimensions, "side_kept": body["decided"] - body["same_answer"]}
