"""Asking the lead from within an item, and answering."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation.actions.guidelines import add_note
from annotation.actions.storable import refuse_unstorable
from annotation.errors import AnnotationError, Invalid, NotAllowed
from annotation.models.assignments import Assignment
from annotation.models.content import Response
from annotation.models.lead_questions import LeadQuestion
from annotation.models.projects import Member, new_public_id
from annotation.models.rubric import Dimension
from annotation.permissions import can_lead, can_review

LONGEST = 4000
MOST_OPEN = 5
"""Questions of one item that may wait at a time."""


class AnsweredAlready(AnnotationError):
    """Somebody else was quicker."""


class TooManyOpen(AnnotationError):
    """The person has asked enough about this item for now."""


@dataclass(frozen=True, slots=True)
class About:
    """What a question is about: nothing given, the whole item.

    :ivar depth: a turn, counted from 1.
    :ivar response: the public id of one answer of that turn; without a turn, of the answer that a
        whole side ends with.
    :ivar dimension: a dimension's key.
    """

    depth: int | None = None
    response: str = ""
    dimension: str = ""


def ask_lead(
    assignment: Assignment, *, text: str, about: About, key: str = "", by: Member, now: datetime
) -> LeadQuestion:
    """Keep a question about the item; nothing of the item or its draft is touched.

    The same key asks once, however often it is sent.

    :raises NotAllowed: if it is another person's item.
    :raises Invalid: without a text, or where what it is about is not on the item.
    :raises TooManyOpen: where as many as `MOST_OPEN` wait for an answer.
    """
    if assignment.member_id != by.pk:
        raise NotAllowed(_("This is another person's item."))
    text = text.strip()
    refuse_unstorable([text, key], place="text")
    if not text or len(text) > LONGEST:
        said = _("Write the question, in at most %(most)d characters.") % {"most": LONGEST}
        raise Invalid(said, fields={"text": said})
    found = _about(assignment, about)
    key = key[:64] or new_public_id()
    sent = assignment.questions.filter(key=key).first()
    if sent is not None:
        return sent
    if assignment.questions.open().count() >= MOST_OPEN:
        raise TooManyOpen(
            ngettext(
                "%(count)d question about this item waits for its answer. Ask again after that.",
                "%(count)d questions about this item wait for answers. Ask again after that.",
                MOST_OPEN,
            )
            % {"count": MOST_OPEN}
        )
    try:
        with transaction.atomic():
            return LeadQuestion.objects.create(
                assignment=assignment, key=key, text=text, asked_at=now, **found
            )
    except IntegrityError:  # its twin arrived in between
        return assignment.questions.get(key=key)


def answer_question(
    question: LeadQuestion,
    *,
    answer: str,
    as_note: bool = False,
    dimension: str = "",
    language: str = "",
    by: Member,
    now: datetime,
) -> LeadQuestion:
    """Answer a question; it returns to the desk of who asked.

    :param as_note: also publish it as a note of the batch's guideline, under `dimension`.
    :param language: what the answer is written in, where known.
    :raises NotAllowed: unless `by` reviews in the project; for a note, unless they lead it.
    :raises Invalid: without an answer.
    :raises AnsweredAlready: if somebody has answered it.
    """
    _must_review(question, by)
    answer = answer.strip()
    refuse_unstorable(answer, place="answer")
    if not answer or len(answer) > LONGEST:
        said = _("Write the answer, in at most %(most)d characters.") % {"most": LONGEST}
        raise Invalid(said, fields={"answer": said})
    with transaction.atomic():
        changed = LeadQuestion.objects.open().filter(pk=question.pk)
        if not changed.update(answer=answer, answered_by=by, answered_at=now):
            raise AnsweredAlready(_("It was answered meanwhile. This is what was said."))
        question.refresh_from_db()
        if as_note:
            make_note(question, dimension=dimension, language=language, by=by, now=now)
    return question


def make_note(
    question: LeadQuestion, *, dimension: str, language: str = "", by: Member, now: datetime
) -> LeadQuestion:
    """Publish an answered question as a note of its batch's guideline, with the item as example.

    The note quotes the question and names nobody.

    :raises NotAllowed: unless `by` leads the project.
    :raises Invalid: if it has no answer, is a note already, or the batch has no guideline.
    """
    _must_review(question, by)
    if not can_lead(by):
        raise NotAllowed(_("Only a lead of the project publishes guidelines."))
    item = question.assignment.item
    guideline = item.batch.guideline
    if guideline is None:
        raise Invalid(_("The batch has no guideline: give it one first."), fields={"note": ""})
    with transaction.atomic():
        locked = LeadQuestion.objects.select_for_update(of=("self",)).get(pk=question.pk)
        if locked.answered_at is None or locked.note_in is not None:
            raise Invalid(_("It is a note already, or has no answer yet."), fields={"note": ""})
        note = add_note(
            guideline,
            dimension=dimension,
            text=f"{_quoted(locked.text)}\n\n{locked.answer}",
            example_item=item,
            shown_first=question.assignment.shown_first,
            language=language,
            sentence=_("A question was answered; the answer holds for everybody."),
            by=by,
            now=now,
        )
        question.note_in = note.number
        question.save(update_fields=["note_in"])
    return question


def see_answer(question: LeadQuestion, *, by: Member, now: datetime) -> None:
    """Note that who asked has seen the answer: it leaves their desk.

    :raises NotAllowed: if it is another person's question.
    """
    if question.assignment.member_id != by.pk:
        raise NotAllowed(_("This is another person's question."))
    LeadQuestion.objects.filter(pk=question.pk, seen_at=None).exclude(answered_at=None).update(
        seen_at=now
    )


def _must_review(question: LeadQuestion, by: Member) -> None:
    if not can_review(by) or question.assignment.item.batch.project_id != by.project_id:
        raise NotAllowed(_("Questions are answered by reviewers and leads."))


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())


def _about(assignment: Assignment, about: About) -> dict[str, object]:
    """Return what of the item it is about, as the row keeps it."""
    item = assignment.item
    ends = [item.response_1] + ([item.response_2] if item.response_2 else [])
    response = None
    if about.response:
        shown = {pk for end in ends for pk in end.lineage_ids()}
        response = Response.objects.filter(public_id=about.response, pk__in=shown).first()
    dimension = None
    if about.dimension:
        dimension = Dimension.objects.filter(
            rubric=item.batch.rubric_id, key=about.dimension
        ).first()
    unknown = (
        (about.response and response is None)
        or (about.dimension and dimension is None)
        or (about.depth is not None and not 1 <= about.depth <= max(end.depth for end in ends))
        or (response is not None and about.depth not in {None, response.depth})
    )
    if unknown:
        said = _("What the question is about is not on this item. Choose it again.")
        raise Invalid(said, fields={"place": said})
    return {"depth": about.depth, "response": response, "dimension": dimension}
