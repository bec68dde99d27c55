"""Publishing what is rated. A version, once published, is never changed."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from annotation.errors import AnnotationError, Invalid, NotAllowed
from annotation.formats.records import Unfit
from annotation.formats.rubrics import DimensionGiven, RubricGiven, read_rubric
from annotation.models.projects import Member, Project
from annotation.models.rubric import Dimension, Rubric, ScalePoint
from annotation.permissions import can_lead


class VersionTaken(AnnotationError):
    """The version is published with other content."""


@dataclass(frozen=True, slots=True)
class Published:
    """The rubric's version, and whether it was made just now."""

    rubric: Rubric
    is_new: bool


def publish_rubric(project: Project, data: bytes, *, by: Member | None, now: datetime) -> Published:
    """Publish the rubric in a file's bytes; content that is published already is left alone.

    :param by: a lead; None for whoever sets the installation up, from the shell.
    :raises NotAllowed: if `by` is no lead of the project.
    :raises Invalid: the file holds no rubric; the message names the place.
    :raises VersionTaken: its version is published with other content.
    """
    if by is not None and (not can_lead(by) or by.project_id != project.pk):
        raise NotAllowed(_("Only a lead of the project publishes rubrics."))
    try:
        given = read_rubric(data)
    except Unfit as unfit:
        raise Invalid(
            _("This is no rubric: %(problem)s.") % {"problem": unfit},
            fields={unfit.field: unfit.reason},
        ) from unfit
    with transaction.atomic():
        # The row is locked so that two who publish at once take turns.
        Project.objects.select_for_update().get(pk=project.pk)
        known = project.rubrics.filter(slug=given.slug)
        same = known.filter(digest=given.digest).order_by("version").last()
        if same is not None:
            return Published(same, is_new=False)
        if known.filter(version=given.version).exists():
            newest = max(known.values_list("version", flat=True))
            raise VersionTaken(
                _(
                    "%(rubric)s %(version)s is published with other content, and ratings may "
                    'refer to it. Give the new one "version": %(next)s.'
                )
                % {"rubric": given.slug, "version": given.version, "next": newest + 1}
            )
        rubric = Rubric.objects.create(
            project=project,
            slug=given.slug,
            version=given.version,
            title=given.title,
            digest=given.digest,
            published_at=now,
        )
        _write_dimensions(rubric, given)
    return Published(rubric, is_new=True)


def _write_dimensions(rubric: Rubric, given: RubricGiven) -> None:
    for position, one in enumerate(given.dimensions, start=1):
        dimension = _dimension(rubric, position, one)
        ScalePoint.objects.bulk_create(
            ScalePoint(
                dimension=dimension,
                score=point.score,
                in_order=point.in_order,
                word=point.word,
                meaning=point.meaning,
            )
            for point in one.points
        )


def _dimension(rubric: Rubric, position: int, given: DimensionGiven) -> Dimension:
    return Dimension.objects.create(
        rubric=rubric,
        position=position,
        key=given.key,
        code=given.code,
        level=given.level,
        image_rule=given.image_rule,
        name=given.name,
        short_name=given.short_name,
        question=given.question,
        guidance=list(given.guidance),
        tags=list(given.tags),
        reason=given.reason,
        automatic=given.automatic,
    )
