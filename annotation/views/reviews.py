"""The reviewers' pages: what waits, and one judgment beside the conversation it is about."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from annotation.actions.adjudications import may_decide
from annotation.actions.reviews import (
    Looked,
    accept,
    begin_blind,
    begin_fix,
    return_to_author,
    see_others,
)
from annotation.agreement.estimates import State
from annotation.agreement.preferences import PreferenceAgreement
from annotation.agreement.reliability import Reliability
from annotation.choices import ANNOTATING, Cause, ReviewOutcome
from annotation.errors import AnnotationError
from annotation.forms.reviews import address_of, filter_of
from annotation.models.assignments import Assignment
from annotation.models.batches import Batch
from annotation.models.judgments import Judgment
from annotation.models.projects import Member
from annotation.models.reviews import Review
from annotation.permissions import can_lead
from annotation.rendering import charts
from annotation.rendering.text import without_unstorable
from annotation.reports.adjudications import adjudication_rows, begun_by, decided_by
from annotation.reports.calibrations import calibration_readers
from annotation.reports.comparing import Compared, compare, differing_first
from annotation.reports.judging import judging_page
from annotation.reports.judging_parts import JudgingPage
from annotation.reports.questions import questions_of
from annotation.reports.reviews import (
    ReviewFilter,
    judged_alone,
    must_judge_first,
    open_adjudications,
    review_counts,
    reviewed_batches,
    stored_signs,
    waiting_reviews,
    waiting_rows,
)
from annotation.reports.verifiers import batch_verification
from annotation.reports.words import in_language
from annotation.views.access import UserRequest, as_reviewer, wants_part
from annotation.views.fixing import newest_judgment
from annotation.views.words import KINDS, SCOPES, STATES

ON_A_PAGE = 50
OUTCOMES = {
    ReviewOutcome.ACCEPT: gettext_lazy("accepted"),
    ReviewOutcome.FIX: gettext_lazy("fixed"),
    ReviewOutcome.RETURN: gettext_lazy("returned"),
}


@require_safe
@as_reviewer
@vary_on_headers("HX-Request")
def reviews(request: UserRequest, member: Member) -> HttpResponseBase:
    """Show what waits for a reviewer: a batch's judgments, and what is to be decided."""
    batches = reviewed_batches(member.project)
    batch = _batch_named(batches, request.GET.get("batch", ""))
    wanted = filter_of(request.GET)
    context: dict[str, Any] = {
        "batches": batches,
        "batch": batch,
        "wanted": wanted,
        "begun": begun_by(member),
        "decided": decided_by(member),
        "adjudications": adjudication_rows(open_adjudications(member.project), member),
    }
    if batch is not None:
        waiting = waiting_reviews(batch, wanted, member=member)
        pages = Paginator(waiting, ON_A_PAGE).get_page(request.GET.get("page"))
        context |= {
            "counts": review_counts(batch, member=member),
            "pages": pages,
            "rows": waiting_rows(pages.object_list, batch),  # type: ignore[arg-type]
            "address": address_of(wanted, batch.slug),
            "signs": stored_signs(batch) if wanted.signs else None,
            "share": f"{100 * batch.parsed_settings().review_share:g}",
            "drawn": batch.parsed_settings().review_share > 0,
        }
    template = "annotation/reviews.html"
    return render(request, f"{template}#moving" if wants_part(request) else template, context)


@require_safe
@as_reviewer
def reviews_next(request: UserRequest, member: Member) -> HttpResponseBase:
    """Open the first judgment that waits as the address asks; say so where nothing does."""
    batch = _batch_named(reviewed_batches(member.project), request.GET.get("batch", ""))
    return redirect(_next_url(request, member, batch, filter_of(request.GET)))


@gzip_page
@require_http_methods(["GET", "HEAD", "POST"])
@as_reviewer
def review(request: UserRequest, member: Member, public_id: str) -> HttpResponseBase:
    """Show one judgment beside its conversation; take what the reviewer decides."""
    author = _author(member, public_id)
    judgment = newest_judgment(author)
    if judgment is None or judgment.cause == Cause.WITHDRAWAL:
        raise Http404
    if not may_decide(author.item, member):
        raise PermissionDenied(_("You have judged this item yourself. Somebody else reviews it."))
    if request.method == "POST":
        return _decided(request, member, author, judgment)
    if must_judge_first(member, author.item):
        return _page(request, "annotation/review_blind.html", author)
    see_others(author.item, by=member, now=timezone.now())
    return _review_page(request, member, author, judgment)


def batch_reviews(batch: Batch) -> dict[str, Any]:
    """Return what a batch's page shows of its reviews. Some ten queries, more where any were blind."""
    settings = batch.parsed_settings()
    verified: dict[str, Any] = {}
    if settings.review_share and settings.review_blind_share:
        report = batch_verification(batch)
        verified = {
            "items": report.items,
            "verifiers": report.verifiers,
            "annotators": report.annotators,
            "number": report.number,
            "rows": [
                _verified_row(
                    in_language(one.name) or one.key, one.units, one.reliability, "ordinal"
                )
                for one in report.dimensions
            ],
        }
        if report.overall is not None:
            overall = report.overall
            verified["rows"].append(
                _verified_row(SCOPES["overall"], overall.units, overall.agreement, "nominal")
            )
    return {
        "reviews": review_counts(batch),
        "readers": calibration_readers(batch),
        "verified": verified,
    }


def _verified_row(
    name: str | Promise, units: int, found: Reliability | PreferenceAgreement, level: str
) -> dict[str, Any]:
    """Return one line; with too few units alpha is not shown."""
    alpha = found.figure("krippendorff_alpha", level)
    if alpha.state == State.INSUFFICIENT:
        alpha = replace(alpha, value=None, low=None, high=None)
    within = found.figure("percent_agreement", "within_1") if level == "ordinal" else None
    return {
        "name": name,
        "units": units,
        "pairs": found.pairable_units,
        "alpha": alpha,
        "exact": found.figure("percent_agreement", "identity"),
        "within_1": within,
        "shape": charts.state_shape(alpha.state),
        "state_word": STATES[alpha.state],
    }


def _decided(
    request: UserRequest, member: Member, author: Assignment, judgment: Judgment
) -> HttpResponseBase:
    now = timezone.now()
    wanted, batch = _queue(request), author.item.batch
    seen = author.judgments.filter(public_id=request.POST.get("judgment", "")).first()
    number = request.POST.get("review", "")
    looked = Looked(seen or judgment, int(number) if number.isdecimal() and len(number) < 19 else 0)
    note = without_unstorable(request.POST.get("note", ""))
    try:
        match request.POST.get("do"):
            case "begin":
                mine = begin_blind(author.item, by=member, now=now)
                return redirect("annotation:assignment", mine.public_id)
            case "fix":
                mine = begin_fix(looked, by=member, now=now)
                return redirect("annotation:assignment", mine.public_id)
            case "accept":
                accept(looked, by=member, now=now, note=note)
                messages.success(
                    request, _("Accepted: %(who)s.") % {"who": author.member.pseudonym}
                )
            case "return":
                places = [without_unstorable(one) for one in request.POST.getlist("place")]
                return_to_author(looked, by=member, now=now, note=note, places=places)
                messages.success(
                    request, _("Returned to %(who)s.") % {"who": author.member.pseudonym}
                )
            case _:
                messages.error(request, _("Choose to accept, fix or return."))
                return redirect("annotation:review", author.public_id)
    except AnnotationError as refused:
        if request.POST.get("do") == "return":
            return _review_page(request, member, author, judgment, refused=refused)
        messages.warning(request, str(refused))
        return redirect("annotation:review", author.public_id)
    return redirect(_next_url(request, member, batch, wanted, before=author))


def _review_page(
    request: UserRequest,
    member: Member,
    author: Assignment,
    judgment: Judgment,
    *,
    refused: AnnotationError | None = None,
) -> HttpResponse:
    alone = judged_alone().filter(item=author.item_id, member=member).first()
    page, compared = compared_page(author, [judgment, *([alone] if alone else [])])
    earlier = list(
        Review.objects.filter(judgment__assignment=author)
        .select_related("reviewer", "judgment")
        .order_by("-number")
    )
    of_this = [one for one in earlier if one.judgment_id == judgment.pk]
    return _page(
        request,
        "annotation/review.html",
        author,
        page=page,
        compared=compared,
        judgment=judgment,
        blind=alone is not None,
        no_longer_blind=alone is None
        and author.item.batch.items.to_review_blind(author.item.batch.parsed_settings())
        .filter(pk=author.item_id)
        .exists(),
        review=of_this[0].number if of_this else 0,
        decided=of_this[0] if of_this else None,
        earlier=[
            {"review": one, "outcome": OUTCOMES[ReviewOutcome(one.outcome)]} for one in earlier
        ],
        refused=str(refused) if refused else "",
        note=request.POST.get("note", ""),
        marked=request.POST.getlist("place"),
        leads=can_lead(member),
        before=Assignment.objects.filter(
            public_id=without_unstorable(request.GET.get("before", "")),
            item__batch__project=member.project_id,
        ).first(),
        status=422 if refused else 200,
    )


def compared_page(
    assignment: Assignment, judgments: list[Judgment]
) -> tuple[JudgingPage, Compared]:
    """Return the conversation as the assignment shows it, with the judgments side by side.

    Of each turn the answers on which they differ come first.
    """
    questions = questions_of(assignment.item, member=None)
    page = judging_page(questions, assignment=assignment, entered={})
    compared = compare(page, judgments)
    return differing_first(page, compared), compared


def _page(
    request: UserRequest, template: str, author: Assignment, *, status: int = 200, **more: Any
) -> HttpResponse:
    batch = author.item.batch
    context = {
        "assignment": author,
        "batch": batch,
        "kind_name": KINDS[batch.kind],
        "queue": address_of(_queue(request), batch.slug),
        "read_only": True,
        "translate_ok": batch.parsed_settings().browser_translation,
        **more,
    }
    return render(request, template, context, status=status)


def _queue(request: UserRequest) -> ReviewFilter:
    """Return the filter of the queue that the page was opened from."""
    if request.method == "POST":
        return filter_of(QueryDict(request.POST.get("queue", "")))
    return filter_of(request.GET)


def _next_url(
    request: UserRequest,
    member: Member,
    batch: Batch | None,
    wanted: ReviewFilter,
    *,
    before: Assignment | None = None,
) -> str:
    if batch is None:
        return reverse("annotation:reviews")
    address = address_of(wanted, batch.slug)
    first = waiting_reviews(batch, wanted, member=member).select_related("assignment").first()
    if first is None:
        messages.info(request, _("Nothing more waits here."))
        return f"{reverse('annotation:reviews')}?{address}"
    url = reverse("annotation:review", args=[first.assignment.public_id])
    return f"{url}?{address}" + (f"&before={before.public_id}" if before else "")


def _author(member: Member, public_id: str) -> Assignment:
    author = (
        Assignment.objects.filter(
            item__batch__project=member.project_id, public_id=public_id, purpose__in=ANNOTATING
        )
        .exclude(member=member)
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
    if author is None:
        raise Http404
    return author


def _batch_named(batches: list[Batch], slug: str) -> Batch | None:
    return next((one for one in batches if one.slug == slug), batches[0] if batches else None)
