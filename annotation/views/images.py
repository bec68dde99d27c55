"""Pictures, served through the assignment that shows them: one look-up decides the right to see."""

from django.core.files.storage import default_storage
from django.db.models import Q
from django.http import FileResponse, Http404, HttpResponseBase, HttpResponseNotModified
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe

from annotation.models.assignments import Assignment
from annotation.models.batches import Item
from annotation.models.content import Image
from annotation.models.projects import Member
from annotation.permissions import can_review
from annotation.reports.paths import slots_shown
from annotation.views.access import UserRequest, as_member

SIZES = ("display", "thumbnail")
HEADERS = {
    "Cache-Control": "private, max-age=300",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


@require_safe
@as_member
def image(
    request: UserRequest, member: Member, public_id: str, sha256: str, size: str
) -> HttpResponseBase:
    """Send the display copy or thumbnail of a picture that the item shows. Four queries."""
    assignments = Assignment.objects.filter(item__batch__project=member.project_id)
    if not can_review(member):
        calibrated = Q(
            item__batch__calibration_opened_at__isnull=False,
            item__batch__participations__member=member,
        )
        assignments = assignments.filter(Q(member=member) | calibrated)
    assignment = (
        assignments.filter(public_id=public_id)
        .select_related("item__batch", "item__response_1", "item__response_2")
        .first()
    )
    if assignment is None:
        raise Http404
    return send_picture(request, assignment.item, sha256=sha256, size=size)


def send_picture(request: UserRequest, item: Item, *, sha256: str, size: str) -> HttpResponseBase:
    """Send a picture that the item shows, to somebody who may see the item. Two queries.

    :raises Http404: where the item shows no such picture, or its file is gone.
    """
    if size not in SIZES:
        raise Http404
    shown = slots_shown(item).filter(image__isnull=False).values("image")
    picture = Image.objects.filter(
        project=item.batch.project_id, sha256=sha256, pk__in=shown
    ).first()
    if picture is None:
        raise Http404
    etag = quote_etag(f"{sha256}-{size}")
    if request.headers.get("If-None-Match") == etag:
        return HttpResponseNotModified(headers={**HEADERS, "ETag": etag})
    name = (picture.display if size == "display" else picture.thumbnail).name
    if not name or not default_storage.exists(name):
        raise Http404
    return FileResponse(
        default_storage.open(name),
        content_type="image/png",
        headers={**HEADERS, "ETag": etag, "Content-Disposition": "inline"},
    )
