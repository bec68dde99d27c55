"""Reports: an annotator takes a dialogue out of every queue, a lead looks and settles it."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from annotation.actions.assignments import let_lapse, skip
from annotation.actions.marks import Said, add_marks
from annotation.actions.storable import refuse_unstorable
from annotation.actions.voids import AlreadyVoid, Target, void
from annotation.choices import MarkOrigin, ReportOutcome, SkipReason
from annotation.errors import AnnotationError, Invalid, NotAllowed, NotFound
from annotation.formats.categories import wrong_key
from annotation.models.assignments import Assignment
from annotation.models.content import Dialogue
from annotation.models.marks import ContentReport
from annotation.models.projects import Member
from annotation.permissions import can_lead


class NothingToSettle(AnnotationError):
    """The dialogue is in its queues; nobody's report waits."""


def report_content(
    assignment: Assignment, *, by: Member, key: str, note: str, leave: bool, now: datetime
) -> ContentReport:
    """Take the item's dialogue out of every queue of every batch until a lead has looked.

    Who has it open may finish or leave; what is held and not opened yet goes back at once. The
    same person's second report of a dialogue, while the first waits, adds to its note.

    :param key: the category it belongs to; "" for none of them.
    :param leave: whether the reporter leaves the item too, as "I would rather not".
    :raises NotAllowed: if it is another person's assignment.
    :raises Invalid: without a category and a word, or with what cannot be stored.
    """
    if assignment.member_id != by.pk:
        raise NotAllowed(_("This is another person's item."))
    refuse_unstorable(key, place="key")
    refuse_unstorable(note, place="note")
    if not key and not note.strip():
        said = _("Choose what it shows, or write a word about it.")
        raise Invalid(said, fields={"note": said})
    if key and wrong_key(key):
        raise Invalid(_("There is no such category."), fields={"key": key[:40]})
    with transaction.atomic():
        # Locked first, as a claim locks it: a claim is before this or meets a dialogue held back.
        dialogue = Dialogue.objects.select_for_update(no_key=True).get(
            pk=assignment.item.dialogue_id
        )
        if dialogue.held_back_at is None:
            Dialogue.objects.filter(pk=dialogue.pk).update(held_back_at=now)
        report = _written(dialogue, by=by, key=key, note=note.strip(), now=now)
        let_lapse(
            Assignment.objects.held()
            .annotating()
            .filter(item__dialogue=dialogue)
            .exclude(pk=assignment.pk),
            unopened=True,
        )
        if leave:
            skip(assignment, by=by, reason=SkipReason.RATHER_NOT, now=now)
    return report


def settle_reports(
    dialogue: Dialogue,
    outcome: ReportOutcome,
    *,
    by: Member,
    key: str = "",
    note: str = "",
    now: datetime,
) -> None:
    """Settle every waiting report of a dialogue: put it back, mark it and put it back, withdraw it.

    Withdrawn means void in every batch that judged it, and in no queue. It can be put back later;
    what was void is lifted under Voids.

    :param key: with `marked`: the category; "" for the one that was reported.
    :raises NotAllowed: if the member is no lead of the project.
    :raises Invalid: with `marked` where nobody named a category; with `withdrawn` without a note.
    :raises NothingToSettle: if the dialogue is in its queues.
    """
    if not can_lead(by) or by.project_id != dialogue.project_id:
        raise NotAllowed(_("Only a lead of the project settles reports."))
    refuse_unstorable(note, place="note")
    with transaction.atomic():
        locked = Dialogue.objects.select_for_update(no_key=True).get(pk=dialogue.pk)
        if locked.held_back_at is None:
            raise NothingToSettle(_("This dialogue is in its queues already."))
        waiting = ContentReport.objects.filter(dialogue=dialogue, settled_at=None)
        if outcome == ReportOutcome.MARKED:
            _mark(dialogue, key or _reported_key(waiting), by=by, now=now)
        if outcome == ReportOutcome.WITHDRAWN:
            _withdraw(dialogue, by=by, reason=note.strip(), now=now)
        else:
            Dialogue.objects.filter(pk=dialogue.pk).update(held_back_at=None)
        waiting.update(
            outcome=outcome, settled_by=by, settled_at=now, settled_note=note.strip()[:300]
        )


def _written(
    dialogue: Dialogue, *, by: Member, key: str, note: str, now: datetime
) -> ContentReport:
    mine = ContentReport.objects.filter(dialogue=dialogue, made_by=by, settled_at=None)
    report = mine.first()
    if report is None:
        return ContentReport.objects.create(
            dialogue=dialogue, key=key, note=note, made_by=by, made_at=now
        )
    report.key = key or report.key
    report.note = "\n".join(part for part in (report.note, note) if part)
    report.save(update_fields=["key", "note"])
    return report


def _reported_key(waiting: "QuerySet[ContentReport]") -> str:
    named = waiting.exclude(key="").order_by("made_at", "pk")
    return named.values_list("key", flat=True).first() or ""


def _mark(dialogue: Dialogue, key: str, *, by: Member, now: datetime) -> None:
    if wrong := wrong_key(key):
        said = _("Choose what the dialogue is to be marked with.")
        raise Invalid(said, fields={"key": wrong})
    add_marks(dialogue.project, [Said(dialogue.pk, key, MarkOrigin.REPORT)], by=by, now=now)


def _withdraw(dialogue: Dialogue, *, by: Member, reason: str, now: datetime) -> None:
    if not reason:
        said = _("Say why it is withdrawn: the reason is kept.")
        raise Invalid(said, fields={"note": said})
    try:
        void(Target(dialogue=dialogue), by=by, reason=reason, now=now)
    except (NotFound, AlreadyVoid):
        return  # nothing was judged, or it is out already: the queues are what is left
