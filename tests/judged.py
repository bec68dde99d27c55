"""Rows of evidence put straight into the tables: the least that makes a judgment."""

import hashlib
import io
from itertools import count

import numpy
import PIL.Image
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from annotation.actions.evidence import next_number
from annotation.choices import (
    AssignmentState,
    Cause,
    Outcome,
    PreferenceScope,
    SeatPurpose,
    SeatState,
)
from annotation.models import (
    Assignment,
    Dimension,
    Image,
    Judgment,
    Preference,
    Rating,
    Remark,
    Seat,
)
from annotation.reports.paths import images_of, load_sides
from tests.factories import NOW, key, make_project

_keys = count(1)


def judge(
    item,
    member,
    *,
    overall=None,
    scores=None,
    at=NOW,
    purpose=SeatPurpose.OVERLAP,
    cause=Cause.FIRST,
    rationale="",
    strength=1,
    seated=True,
    **more,
):
    """Submit by `member` a judgment of `item`, or the next revision of the one they made.

    `overall` is a response or an outcome; `scores` maps (response, dimension key) to a score, to
    None for not applicable, or to a dict of the rating's fields.
    """
    with transaction.atomic():
        assignment = Assignment.objects.filter(item=item, member=member).first()
        if assignment is None:
            seat = _seat(item, purpose) if seated else None
            assignment = Assignment.objects.create(
                item=item,
                member=member,
                seat=seat,
                state=AssignmentState.SUBMITTED if seated else AssignmentState.SURPLUS,
                purpose=purpose,
                shown_first=seat.shown_first if seat else 1,
                claimed_at=at,
                submitted_at=at,
            )
        more.setdefault("images_shown", images_of(load_sides(item)))
        more.setdefault("shown_first", assignment.shown_first)
        judgment = Judgment.objects.create(
            batch=item.batch,
            item=item,
            member=member,
            assignment=assignment,
            seat=assignment.seat,
            revision=assignment.judgments.count() + 1,
            cause=cause,
            submission_key=f"key-{next(_keys)}",
            submitted_at=at,
            number=next_number(item.batch_id),
            **more,
        )
        if overall is not None:
            _prefer(judgment, overall, strength)
        for (response, dimension), told in (scores or {}).items():
            _rate(judgment, response, dimension, told)
        if rationale:
            Remark.objects.create(
                judgment=judgment, kind="rationale", text=rationale, language="en"
            )
    return judgment


def _seat(item, purpose):
    seat = item.seats.filter(state=SeatState.OPEN, purpose=purpose).order_by("number").first()
    if seat is None:
        number = item.seats.count() + 1
        seat = Seat.objects.create(item=item, number=number, purpose=purpose)
    seat.state = SeatState.TAKEN
    seat.save(update_fields=["state"])
    return seat


def _prefer(judgment, overall, strength):
    is_side = not isinstance(overall, str)
    Preference.objects.create(
        judgment=judgment,
        scope=PreferenceScope.OVERALL,
        outcome=Outcome.PREFERS if is_side else overall,
        preferred=overall if is_side else None,
        strength=strength if is_side else None,
    )


def _rate(judgment, response, dimension, told):
    fields = told if isinstance(told, dict) else {"score": told, "not_applicable": told is None}
    Rating.objects.create(
        judgment=judgment,
        response=response,
        dimension=Dimension.objects.get(rubric=judgment.batch.rubric, key=dimension),
        **fields,
    )


def make_picture(number=1, *, size=(8, 6)):
    """Return a stored picture with real bytes, other for each number."""
    pixels = numpy.full((size[1], size[0], 3), number % 256, dtype="uint8")
    out = io.BytesIO()
    PIL.Image.fromarray(pixels).save(out, "PNG")
    content = out.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    project = make_project()
    found = Image.objects.filter(project=project, sha256=digest).first()
    if found:
        return found
    name = default_storage.save(f"originals/{digest}.png", ContentFile(content))
    return Image.objects.create(
        project=project,
        sha256=digest,
        pixel_sha256=key("pixels", number),
        mime="image/png",
        byte_size=len(content),
        width=size[0],
        height=size[1],
        original=name,
        display=name,
        thumbnail=name,
    )
