"""Publishing rubrics: numbered versions that never change."""

from datetime import datetime

from django.db import transaction

from annotation.errors import Invalid
from annotation.formats.rubric import BadRubric, parse_rubric
from annotation.models.projects import Project
from annotation.models.rubric import Dimension, Rubric, ScalePoint


class RubricRefused(Invalid):
    """A rubric file that cannot be published."""


def publish_rubric(project: Project, content: str | bytes, *, now: datetime) -> tuple[Rubric, bool]:
    """Publish a rubric file and return the version, and whether it is new.

    The same content again is the version that is there. Changed content becomes the file's own
    version number, which must be higher than the newest: judgments keep the version they were
    made by.

    :raises RubricRefused: the file cannot be read, or its version number is taken by other
        content.
    """
    try:
        file = parse_rubric(content)
    except BadRubric as reason:
        raise RubricRefused(f"This rubric cannot be published: {reason}") from reason
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        newest = Rubric.objects.filter(project=project, slug=file.slug).order_by("-version").first()
        if newest is not None:
            same = Rubric.objects.filter(project=project, slug=file.slug, digest=file.digest)
            if (known := same.order_by("-version").first()) is not None:
                return known, False
            if file.version <= newest.version:
                raise RubricRefused(
                    f"{file.slug} {file.version} is published with other content. Give the "
                    f'changed rubric "version": {newest.version + 1}; judgments keep the '
                    "version they were made by."
                )
        rubric = Rubric.objects.create(
            project=project,
            slug=file.slug,
            version=file.version,
            title=dict(file.title),
            digest=file.digest,
            published_at=now,
        )
        for position, one in enumerate(file.dimensions, start=1):
            dimension = Dimension.objects.create(
                rubric=rubric,
                key=one["key"],
                code=one.get("code", ""),
                level=one["level"],
                position=position,
                image_rule=one.get("image_rule", "none"),
                name=one["name"],
                short_name=one["short_name"],
                question=one["question"],
                guidance=one.get("guidance") or [],
                tags=one.get("tags") or [],
                reason=one.get("reason", "never"),
                automatic=one.get("automatic"),
            )
            ScalePoint.objects.bulk_create(
                ScalePoint(
                    dimension=dimension,
                    score=point["score"],
                    in_order=point.get("in_order", True),
                    word=point["word"],
                    meaning=point["meaning"],
                )
                for point in one["points"]
            )
    return rubric, True
