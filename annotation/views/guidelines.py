"""What annotators are told: the guideline, what changed of it, and its examples."""

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_safe

from annotation.actions.assignments import claim_next
from annotation.actions.guidelines import confirm_reading, note_reading
from annotation.errors import AnnotationError
from annotation.models.assignments import Assignment
from annotation.models.batches import Batch, Item
from annotation.models.guidelines import GuidelineVersion
from annotation.models.projects import Member
from annotation.permissions import can_review
from annotation.rendering.markdown import to_html
from annotation.reports.guidelines import (
    current_guideline,
    example_of,
    guideline_now,
    known_version,
    unread_changes,
)
from annotation.reports.judging import turns_read
from annotation.reports.marks import is_marked
from annotation.reports.paths import load_sides
from annotation.reports.words import in_language
from annotation.views.access import UserRequest, as_member
from annotation.views.images import send_picture

NEXT = "next"
"""Where to go after a change is confirmed: the batch's next item; else an assignment's name."""


@require_safe
@as_member
def guideline(request: UserRequest, member: Member, slug: str) -> HttpResponseBase:
    """Show the batch's guideline and the rubric's dimensions with their scale points."""
    batch = _batch(member, slug)
    now = guideline_now(batch, now=timezone.now())
    own = now.version.by_dimension if now else {}
    dimensions = [
        {
            "key": one.key,
            "name": in_language(one.name) or one.key,
            "level": one.level,
            "question": in_language(one.question),
            "guidance": [text for part in one.guidance if (text := in_language(part))],
            "own": to_html(own[one.key]) if own.get(one.key) else "",
            "notes": now.notes_on(one.key) if now else (),
            "changed": now.change.of(one.key) if now and now.change else None,
            "points": [
                {
                    "score": point.score,
                    "word": in_language(point.word),
                    "meaning": in_language(point.meaning),
                }
                for point in sorted(one.points.all(), key=lambda point: point.score)
            ],
        }
        for one in batch.rubric.dimensions.prefetch_related("points").order_by("position", "pk")
    ]
    context = {
        "batch": batch,
        "guide": now,
        "version": now.version if now else None,
        "text": to_html(now.version.text) if now and now.version.text.strip() else "",
        "notes": now.notes_on("") if now else (),
        "changed": now.change.of("") if now and now.change else None,
        "dimensions": dimensions,
    }
    return render(request, "annotation/guideline.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@as_member
def guideline_change(request: UserRequest, member: Member, slug: str) -> HttpResponseBase:
    """Show what changed since the person read the guideline; take their word that they have.

    `then` says what they were about to do: the batch's next item, or one of theirs.
    """
    batch = _batch(member, slug)
    then = (request.POST if request.method == "POST" else request.GET).get("then", "")
    if request.method == "POST":
        shown = request.POST.get("version", "")
        number = int(shown) if shown.isdecimal() and len(shown) < 10 else 0
        versions = GuidelineVersion.objects.filter(guideline=batch.guideline_id)
        version = get_object_or_404(versions.select_related("guideline"), pk=number)
        confirm_reading(version, by=member, now=timezone.now())
    # What came while it was read is shown as well, before anything else.
    changes = unread_changes([batch], member, now=timezone.now())
    if changes:
        context = {"batch": batch, "change": changes[0], "then": then}
        return render(request, "annotation/guideline_change.html", context)
    return _onwards(request, member, batch, then)


@gzip_page
@require_safe
@as_member
def example(request: UserRequest, member: Member, public_id: str) -> HttpResponseBase:
    """Show an item that a note points at, without anybody's judgments."""
    item, shown_first = _example(member, public_id)
    if can_review(member) and request.GET.get("first") in {"1", "2"}:
        shown_first = int(request.GET["first"])  # the letters of who asked
    asks = "open" not in request.GET and is_marked(item)
    sides = load_sides(item)
    context = {
        "item": item,
        "asks": asks,
        "turns": () if asks else turns_read(item, sides, shown_first=shown_first),
        "single": len(sides) == 1,
        "translate_ok": item.batch.parsed_settings().browser_translation,
    }
    return render(request, "annotation/example.html", context)


@require_safe
@as_member
def example_image(
    request: UserRequest, member: Member, public_id: str, sha256: str, size: str
) -> HttpResponseBase:
    """Send a picture of an example."""
    item, _shown_first = _example(member, public_id)
    return send_picture(request, item, sha256=sha256, size=size)


def change_first(member: Member, batch: Batch, *, then: str) -> str | None:
    """Return the address of the change to be read before `then`, or None. One query at most."""
    known = known_version(batch, member)
    if known is None or not known.unread:
        return None
    address = reverse("annotation:guideline-change", args=[batch.slug])
    return f"{address}?{urlencode({'then': then})}"


def before_first_opening(mine: Assignment) -> str | None:
    """Return the change to be read before an unopened item; note what is read with the first one."""
    batch = mine.item.batch
    known = known_version(batch, mine.member)
    if known is not None and known.read is None and (version := current_guideline(batch)):
        note_reading(version, by=mine.member, now=timezone.now())
    if known is None or not known.unread:
        return None
    address = reverse("annotation:guideline-change", args=[batch.slug])
    return f"{address}?{urlencode({'then': mine.public_id})}"


def _onwards(request: UserRequest, member: Member, batch: Batch, then: str) -> HttpResponse:
    if then == NEXT:
        try:
            then = claim_next(batch, by=member, now=timezone.now()).public_id
        except AnnotationError as nothing:
            messages.info(request, str(nothing))
            return redirect("annotation:desk")
    if then and Assignment.objects.filter(member=member, public_id=then).exists():
        return redirect("annotation:assignment", then)
    return redirect("annotation:desk")


def _batch(member: Member, slug: str) -> Batch:
    batches = Batch.objects.filter(project=member.project_id)
    if not can_review(member):
        batches = batches.filter(participations__member=member)
    return get_object_or_404(batches.select_related("rubric", "guideline"), slug=slug)


def _example(member: Member, public_id: str) -> tuple[Item, int]:
    """Return the item and the side its note calls A; 404 where this person is shown no such one."""
    shown_first = example_of(public_id, member)
    if shown_first is None and not can_review(member):
        raise Http404
    items = Item.objects.filter(batch__project=member.project_id).select_related(
        "batch", "dialogue", "response_1", "response_2"
    )
    return get_object_or_404(items, public_id=public_id), shown_first or 1
