"""The exports page: start one, watch it, fetch it, also from the middle."""

from functools import partial
from typing import Any

from django.db import transaction
from django.http import (
    FileResponse,
    Http404,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from annotation.actions.exports import ExportUnderWay, read_options, request_export
from annotation.choices import JobState
from annotation.errors import AnnotationError, Invalid
from annotation.formats.ranges import Unsatisfiable, asked_range, pieces
from annotation.forms.exports import ExportForm
from annotation.labels import left_out
from annotation.models.exports import Export
from annotation.models.projects import Member
from annotation.reports.exports import batches_named, exports_of
from annotation.tasks import send_export
from annotation.views.access import UserRequest, as_lead

LISTED = 50
STATES = {
    JobState.WAITING: gettext_lazy("waiting"),
    JobState.RUNNING: gettext_lazy("running"),
    JobState.DONE: gettext_lazy("done"),
    JobState.FAILED: gettext_lazy("refused"),
    JobState.CANCELLED: gettext_lazy("cancelled"),
}
FIELD_GROUPS = (
    (gettext_lazy("Pairs"), ("dimension", "source", "min_gap", "aggregate", "ties", "margin")),
    (gettext_lazy("Files"), ("split", "seed", "text", "images")),
    (gettext_lazy("Marked content"), ("without_marks",)),
    (gettext_lazy("Where a format falls short"), ("last_response_only", "response_images", "set")),
)


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@as_lead
def exports(request: UserRequest, member: Member) -> HttpResponse:
    """List the exports and start one. To htmx, which asks while one is made, only the list."""
    status = 422
    if request.method == "POST":
        form = ExportForm(request.POST, project=member.project)
        try:
            if form.is_valid() and _start(form, member):
                return redirect("annotation:exports")
        except ExportUnderWay as refused:
            status = refused.status
            form.add_error(None, str(refused))
    else:
        form = ExportForm(project=member.project, initial=_initial(request, member))
    made = list(exports_of(member.project)[:LISTED])
    context = {
        "refused": bool(made) and made[0].state == JobState.FAILED,
        "form": form,
        "groups": [(title, [form[name] for name in names]) for title, names in FIELD_GROUPS],
        "rows": [_row(export) for export in made],
        "moving": any(one.state in {JobState.WAITING, JobState.RUNNING} for one in made),
    }
    wants_list = request.htmx and request.method == "GET" and not request.htmx.boosted
    page = "annotation/exports.html#export-list" if wants_list else "annotation/exports.html"
    return render(request, page, context, status=status if form.errors else 200)


@require_safe
@as_lead
def export_file(request: UserRequest, member: Member, public_id: str) -> HttpResponseBase:
    """Send the archive, or the range of it that a cut download asks for."""
    export = exports_of(member.project).filter(public_id=public_id).first()
    if export is None or export.state != JobState.DONE or not export.file:
        raise Http404(_("There is no such export, or it is not done."))
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": f'"{export.sha256}"',
        "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    }
    same = request.headers.get("If-Range") in {None, headers["ETag"]}
    try:
        wanted = asked_range(request.headers.get("Range"), export.file.size) if same else None
    except Unsatisfiable as reason:
        return HttpResponse(status=416, headers={"Content-Range": str(reason)})
    file = export.file.open("rb")
    if wanted is None:
        return FileResponse(
            file,
            as_attachment=True,
            filename=f"{export.public_id}.tar",
            content_type="application/x-tar",
            headers=headers,
        )
    headers |= {"Content-Range": wanted.header, "Content-Length": str(wanted.length)}
    return StreamingHttpResponse(
        pieces(file, wanted), status=206, content_type="application/x-tar", headers=headers
    )


def _start(form: ExportForm, member: Member) -> bool:
    """Ask for the export; where it is refused, put the reasons to their fields."""
    slugs = [batch.slug for batch in form.cleaned_data["batches"]]
    try:
        options = read_options(form.options())
        batches = batches_named(member.project, slugs)
        with transaction.atomic():
            export = request_export(batches, options=options, by=member, now=timezone.now())
            transaction.on_commit(partial(send_export, export.pk))
    except Invalid as refused:
        for name, reason in refused.fields.items():
            form.add_error(name if name in form.fields else None, reason)
        if not refused.fields:
            form.add_error(None, str(refused))
        return False
    except ExportUnderWay:
        raise
    except AnnotationError as refused:
        form.add_error(None, str(refused))
        return False
    return True


def _initial(request: UserRequest, member: Member) -> dict[str, Any] | None:
    """Return what the form starts from: an export to be tried again, the batches asked for, or none."""
    if again := request.GET.get("again"):
        export = exports_of(member.project).filter(public_id=again).first()
        if export is None:
            return None
        marks = export.options.get("without_marks", "").split(",")
        return {**export.options, "batches": list(export.snapshot), "without_marks": marks}
    asked = request.GET.getlist("batch")
    return {"batches": asked} if asked else None


def _row(export: Export) -> dict[str, object]:
    told = export.manifest or {}
    files = told.get("files", [])
    names = ", ".join(
        _("%(batch)s up to %(number)s") % {"batch": slug, "number": number}
        for slug, number in sorted(export.snapshot.items())
    )
    return {
        "export": export,
        "state": STATES[JobState(export.state)],
        "snapshot": names,
        "format": export.options.get("format", ""),
        "files": [
            entry for entry in files if entry["rows"] is not None and entry["path"] != "index.jsonl"
        ],
        "bytes": sum(entry["bytes"] for entry in files),
        "judgments": told.get("judgments"),
        "left_out": [
            (left_out(reason), number)
            for sums in (told.get("judgments"), told.get("decisions"))
            if sums
            for reason, number in sums["excluded"].items()
        ],
        "lost": [(left_out(name), n) for name, n in told.get("lost", {}).items()],
    }
