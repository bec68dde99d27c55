"""What keeps a person from being given items of a batch: a pause, or a qualification to pass."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from annotation.choices import BatchPurpose
from annotation.models.assignments import Assignment
from annotation.models.batches import Batch, Item, Participation
from annotation.models.projects import Member
from annotation.reports.gold import Scored, scored_tests


@dataclass(frozen=True, slots=True)
class TestResult:
    """How one person stands in a qualification batch.

    :ivar items: items with known answers. :ivar done: of these, submitted by the person.
    :ivar answered: known answers they gave one to. :ivar hits: of these, within tolerance.
    :ivar needed: hits that pass.
    """

    batch: str
    title: str
    items: int
    done: int
    answered: int
    hits: int
    needed: int

    @property
    def finished(self) -> bool:
        """Whether every item was done; before that nothing is told."""
        return self.items > 0 and self.done >= self.items

    @property
    def passed(self) -> bool:
        return self.finished and self.hits >= self.needed

    def in_words(self) -> str:
        """Return the result as the person reads it, or "" before it is finished."""
        if not self.finished:
            return ""
        told = {"hits": self.hits, "answered": self.answered, "needed": self.needed}
        if self.passed:
            return (
                _(
                    "You have passed: %(hits)s of %(answered)s answers were as expected, and "
                    "%(needed)s were needed."
                )
                % told
            )
        return (
            _(
                "Not passed: %(hits)s of %(answered)s answers were as expected, and %(needed)s were "
                "needed. Ask the lead what comes next."
            )
            % told
        )


def test_result(batch: Batch, member: Member) -> TestResult:
    """Return how the person stands in a qualification batch. Eight queries."""
    return test_results([batch], member)[batch.pk]


def test_results(batches: Sequence[Batch], member: Member) -> dict[int, TestResult]:
    """Return `test_result` by batch. Eight queries, however many batches; none for none."""
    if not batches:
        return {}
    known = Item.objects.filter(batch__in=batches, gold_answers__isnull=False)
    done = Assignment.objects.submitted().filter(member=member, item__in=known)
    items = _by_batch(known.values_list("batch").annotate(Count("pk", distinct=True)))
    submitted = _by_batch(done.values_list("item__batch").annotate(Count("item", distinct=True)))
    scored = scored_tests(batches, member=member.pk)
    return {
        one.pk: _result(
            one,
            items=items.get(one.pk, 0),
            done=submitted.get(one.pk, 0),
            known=[answer for answers in scored[one.pk] for answer in answers],
        )
        for one in batches
    }


def _by_batch(rows: "QuerySet[Any, tuple[Any, ...]]") -> dict[int, int]:
    """Return the counts of the rows, which are grouped by batch."""
    return dict(rows.order_by())


def _result(batch: Batch, *, items: int, done: int, known: Sequence[Scored]) -> TestResult:
    mark = batch.parsed_settings().pass_mark
    return TestResult(
        batch=batch.slug,
        title=batch.title,
        items=items,
        done=done,
        answered=len(known),
        hits=sum(one.hit for one in known),
        needed=-int(-round(mark * len(known), 6) // 1),
    )


def why_not(member: Member, batch: Batch) -> str:
    """Return why the person is given nothing of the batch, as they read it; "" where they are.

    One query; ten where the batch asks a qualification.
    """
    return whys_not(member, [batch])[batch.pk]


def whys_not(member: Member, batches: Iterable[Batch]) -> dict[int, str]:
    """Return `why_not` by batch. One query, and nine where qualifications are asked."""
    asked = list(batches)
    places = {
        one.batch_id: one
        for one in Participation.objects.filter(batch__in=asked, member=member).order_by("pk")
    }
    whys = {one.pk: _why_absent(member, places.get(one.pk)) for one in asked}
    slugs = {
        one.pk: one.parsed_settings().requires
        for one in asked
        if not whys[one.pk] and places[one.pk].waived_at is None
    }
    unqualified = _whys_not_qualified(member, {slug for slug in slugs.values() if slug})
    return whys | {pk: unqualified[slug] for pk, slug in slugs.items() if slug}


def _why_absent(member: Member, mine: Participation | None) -> str:
    if mine is None or member.ended_at is not None:
        return _("You are not in this batch. Ask the lead.")
    return "" if mine.paused_at is None else paused_sentence(mine)


def _whys_not_qualified(member: Member, slugs: Collection[str]) -> dict[str, str]:
    """Return, by the slug of a qualification of the member's project, what keeps them from it."""
    if not slugs:
        return {}
    required = Batch.objects.filter(
        project=member.project_id, slug__in=slugs, purpose=BatchPurpose.QUALIFICATION
    )
    gone = _("This batch asks a qualification that is gone. Ask the lead.")
    results = test_results(list(required), member)
    return dict.fromkeys(slugs, gone) | {
        one.batch: "" if one.passed else _not_passed(one) for one in results.values()
    }


def _not_passed(result: TestResult) -> str:
    return result.in_words() or _("First finish the qualification “%(title)s”.") % {
        "title": result.title
    }


def paused_sentence(mine: Participation) -> str:
    """Return what a paused person reads on their desk."""
    return _("Paused by the lead: %(reason)s What you hold is kept and can be finished.") % {
        "reason": _as_sentence(mine.pause_reason)
    }


def _as_sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "。")) else f"{text}."
