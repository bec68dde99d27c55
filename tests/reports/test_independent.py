"""What may enter figures: whatever else happens to an item, only first-hand votes do."""

from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from annotation.actions.evidence import next_number
from annotation.choices import AssignmentState, Cause, SeatPurpose, SkipReason
from annotation.models import Assignment, Batch, Item, Judgment, Void
from annotation.reports.agreement import chosen_judgments
from tests.factories import NOW, make_batch, make_items, make_lead, make_member
from tests.judged import judge

NEVER = {
    "extra": {"purpose": SeatPurpose.EXTRA},
    "blind": {"purpose": SeatPurpose.REVIEW},
    "fix": {"purpose": SeatPurpose.REVIEW, "cause": Cause.FIX},
    "adjudication": {"purpose": SeatPurpose.ADJUDICATION, "cause": Cause.ADJUDICATION},
    "reference": {"purpose": SeatPurpose.REFERENCE},
    "surplus": {"seated": False},
}
"""What is no vote -> how it is submitted."""

ON_ITEMS = ("plain", "gold", "repeat")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("vote", "vote", "vote", "look", "withdraw", "rather not"),
                *("void judgment", "void member", "void item", "lift", *NEVER),
            ]
        ),
        st.sampled_from(["plain", "plain", *ON_ITEMS]),
        st.integers(0, 1),
    ),
    min_size=4,
    max_size=24,
)

RECOUNT = """
    WITH told AS (
      SELECT given.id, given.assignment_id, given.revision, given.saw_others, given.cause,
        given.member_id, given.item_id, given.seat_id
      FROM annotation_judgment given WHERE given.batch_id = %(batch)s AND given.number <= %(number)s
    ), alone AS (
      SELECT assignment_id, MAX(revision) AS newest FROM told WHERE NOT saw_others
      GROUP BY assignment_id
    ), gone AS (
      SELECT assignment_id, MAX(revision) AS last FROM told WHERE cause = 'withdrawal'
      GROUP BY assignment_id
    ), voided AS (
      SELECT one.target, one.judgment_id, one.member_id, one.item_id FROM annotation_void one
      LEFT JOIN annotation_void undone ON undone.lifts_id = one.id AND undone.number <= %(number)s
      WHERE one.batch_id = %(batch)s AND one.number <= %(number)s
        AND one.lifts_id IS NULL AND undone.id IS NULL
    )
    SELECT told.id FROM told
    JOIN alone ON alone.assignment_id = told.assignment_id AND alone.newest = told.revision
    JOIN annotation_seat seat ON seat.id = told.seat_id AND seat.purpose = 'overlap'
    JOIN annotation_item item ON item.id = told.item_id
    LEFT JOIN gone ON gone.assignment_id = told.assignment_id AND gone.last >= told.revision
    LEFT JOIN voided ON voided.judgment_id = told.id OR voided.member_id = told.member_id
      OR voided.item_id = told.item_id
    WHERE item.repeat_of_id IS NULL AND NOT item.is_gold AND gone.assignment_id IS NULL
      AND told.cause IN ('first', 'correction') AND voided.target IS NULL"""


class IndependentTest(TestCase):
    @settings(max_examples=30, deadline=None)
    @given(STEPS)
    def test_only_first_hand_votes_enter_figures_at_every_number(self, steps):
        self.batch = make_batch()
        plain, gold, repeat = make_items(self.batch, items=3)
        Item.objects.filter(pk=gold.pk).update(is_gold=True)
        Item.objects.filter(pk=repeat.pk).update(repeat_of=plain)
        self.items = dict(zip(ON_ITEMS, (plain, gold, repeat), strict=True))
        self.people = [make_member(), make_member()]
        self.others = {kind: make_lead() for kind in (*NEVER, "rather not")}
        self.votes: set[int] = set()

        for step, where, who in steps:
            self.do(step, self.items[where], self.people[who])

        newest = Batch.objects.values_list("last_number", flat=True).get(pk=self.batch.pk)
        for number in range(newest + 1):
            chosen = chosen_judgments(self.batch, number=number)
            found = set(chosen.values_list("pk", flat=True))
            assert found == self.recounted(number), (steps, number)
            assert found <= self.votes, (steps, number)

    def do(self, step, item, person):
        mine = Judgment.objects.filter(item=item, member=person).order_by("number")
        match step:
            case "vote":
                cause = Cause.CORRECTION if mine.exists() else Cause.FIRST
                made = judge(item, person, overall="tie", cause=cause)
                if item == self.items["plain"]:
                    self.votes.add(made.pk)
            case "look" if mine.exists():
                judge(item, person, overall="tie", cause=Cause.CORRECTION, saw_others=True)
            case "withdraw" if mine.exists():
                judge(item, person, cause=Cause.WITHDRAWAL)
            case "rather not":
                Assignment.objects.get_or_create(
                    item=item,
                    member=self.others[step],
                    state=AssignmentState.SKIPPED,
                    skip_reason=SkipReason.RATHER_NOT,
                    defaults={"claimed_at": NOW},
                )
            case "void judgment" | "void member" | "void item":
                target = step.removeprefix("void ")
                what = {"judgment": mine.last(), "member": person, "item": item}[target]
                if what is not None:
                    self.void(target=target, **{target: what})
            case "lift":
                self.lift()
            case kind if kind in NEVER:
                judge(item, self.others[kind], overall="tie", **NEVER[kind])

    def void(self, **what):
        Void.objects.create(
            batch=self.batch,
            number=next_number(self.batch.pk),
            reason="looks odd",
            created_by=self.others["blind"],
            created_at=NOW,
            **what,
        )

    def lift(self):
        standing = Void.objects.filter(batch=self.batch, lifts=None, lifted_by=None)
        one = standing.order_by("number").first()
        if one is not None:
            names = {name: getattr(one, name) for name in ("judgment", "member", "item")}
            self.void(target=one.target, lifts=one, **names)

    def recounted(self, number):
        with connection.cursor() as cursor:
            cursor.execute(RECOUNT, {"batch": self.batch.pk, "number": number})
            return {pk for (pk,) in cursor.fetchall()}
