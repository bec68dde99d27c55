"""Taking work out of figures and exports, with a reason, and putting it back: inserted evidence."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from annotation.actions.evidence import next_number
from annotation.actions.storable import refuse_unstorable
from annotation.choices import VoidTarget
from annotation.errors import AnnotationError, Invalid, NotAllowed, NotFound
from annotation.labels import label
from annotation.models.batches import Batch, Item
from annotation.models.content import Dialogue, Image
from annotation.models.judgments import Judgment
from annotation.models.projects import Member, Project
from annotation.models.reviews import Void
from annotation.permissions import can_lead
from annotation.reports.voids import items_showing


class AlreadyVoid(AnnotationError):
    """It is out already."""


class NotVoid(AnnotationError):
    """It is not out, so it cannot be put back."""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to take out; exactly one of the fields is set, `since` only with a member."""

    judgment: Judgment | None = None
    member: Member | None = None
    since: datetime | None = None
    item: Item | None = None
    dialogue: Dialogue | None = None
    image: Image | None = None

    def __post_init__(self) -> None:
        """Refuse none or several."""
        given = [name for name in VoidTarget if getattr(self, name) is not None]
        if len(given) != 1 or (self.since is not None and self.member is None):
            raise Invalid(
                _("Name one thing to take out: a judgment, member, item, dialogue or image.")
            )

    @property
    def kind(self) -> VoidTarget:
        """Return which field is set."""
        return next(name for name in VoidTarget if getattr(self, name) is not None)


def find_target(
    project: Project, kind: VoidTarget, name: str, *, since: datetime | None = None
) -> Target:
    """Return what `name` names in the project.

    A member by pseudonym, a picture by the SHA-256 of its file, anything else by public id.

    :raises NotFound: if there is none.
    """
    rows: dict[VoidTarget, QuerySet[Any]] = {
        VoidTarget.MEMBER: project.members.filter(pseudonym=name),
        VoidTarget.JUDGMENT: Judgment.objects.filter(batch__project=project, public_id=name),
        VoidTarget.ITEM: Item.objects.filter(batch__project=project, public_id=name),
        VoidTarget.DIALOGUE: project.dialogues.filter(public_id=name),
        VoidTarget.IMAGE: project.images.filter(sha256=name.removeprefix("sha256:")),
    }
    found = rows[kind].first()
    if found is None:
        raise NotFound(
            _("There is no %(kind)s %(name)s.") % {"kind": label(VoidTarget(kind)), "name": name}
        )
    return Target(since=since, **{kind.value: found})


def void(target: Target, *, by: Member, reason: str, now: datetime) -> list[Void]:
    """Take `target` out of the figures and exports of every batch it touches; return the rows.

    One row in each batch, since each batch has its own numbers. Nothing is deleted: snapshots
    from before still hold it, and `lift` puts it back.

    :raises NotAllowed: if the member is no lead of the project.
    :raises Invalid: without a reason.
    :raises NotFound: if nothing in any batch is touched.
    :raises AlreadyVoid: if the same is out already in every batch it touches.
    """
    reason = _allowed_reason(by, reason)
    rows: list[Void] = []
    with transaction.atomic():
        batches = _touched(target, by)
        if not batches:
            raise NotFound(_("Nothing that was judged is touched by this."))
        for batch in batches:
            if _is_out(target, batch):
                continue
            rows.append(
                Void.objects.create(
                    batch=batch,
                    target=target.kind,
                    judgment=target.judgment,
                    member=target.member,
                    since=target.since,
                    item=target.item,
                    dialogue=target.dialogue,
                    image=target.image,
                    reason=reason,
                    created_by=by,
                    created_at=now,
                    number=next_number(batch.pk),
                )
            )
        if not rows:
            raise AlreadyVoid(_("This is out of figures and exports already."))
    return rows


def lift(taken: Void, *, by: Member, reason: str, now: datetime) -> Void:
    """Put back what `taken` took out, in its batch; return the row that says so.

    :raises NotAllowed: if the member is no lead of the project.
    :raises Invalid: without a reason.
    :raises NotVoid: if it was put back already, or is itself a putting back.
    """
    reason = _allowed_reason(by, reason)
    if taken.batch.project_id != by.project_id:
        raise NotAllowed(_("This is in another project."))
    with transaction.atomic():
        Batch.objects.select_for_update().get(pk=taken.batch_id)
        if taken.lifts_id is not None or taken.lifted_by.exists():
            raise NotVoid(_("This is not out of figures and exports, so it cannot be put back."))
        return Void.objects.create(
            batch=taken.batch,
            target=taken.target,
            judgment=taken.judgment,
            member=taken.member,
            since=taken.since,
            item=taken.item,
            dialogue=taken.dialogue,
            image=taken.image,
            lifts=taken,
            reason=reason,
            created_by=by,
            created_at=now,
            number=next_number(taken.batch_id),
        )


def _allowed_reason(by: Member, reason: str) -> str:
    if not can_lead(by):
        raise NotAllowed(_("Only a lead takes work out of figures and exports."))
    refuse_unstorable(reason, place="reason")
    if not reason.strip():
        raise Invalid(_("Say why: the reason is kept."), fields={"reason": _("Say why.")})
    return reason.strip()


def _touched(target: Target, by: Member) -> list[Batch]:
    """Return the batches of the lead's project that hold what is named, in a fixed order."""
    batches = Batch.objects.filter(project=by.project_id).order_by("pk")
    if target.judgment is not None:
        return list(batches.filter(pk=target.judgment.batch_id))
    if target.member is not None:
        return list(batches.filter(judgments__member=target.member).distinct())
    if target.item is not None:
        return list(batches.filter(pk=target.item.batch_id))
    if target.dialogue is not None:
        return list(batches.filter(items__dialogue=target.dialogue).distinct())
    image = target.image
    return [batch for batch in batches if image is not None and items_showing(batch, image)]


def _is_out(target: Target, batch: Batch) -> bool:
    Batch.objects.select_for_update().get(pk=batch.pk)
    same: Iterable[Void] = Void.objects.filter(
        batch=batch,
        lifts=None,
        lifted_by=None,
        target=target.kind,
        judgment=target.judgment,
        member=target.member,
        since=target.since,
        item=target.item,
        dialogue=target.dialogue,
        image=target.image,
    )
    return any(True for _ in same)
