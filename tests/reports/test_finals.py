"""What stands: adjudicated over fixed over live, whatever came before it."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from annotation.actions.evidence import next_number
from annotation.choices import Cause, ReviewOutcome, SeatPurpose
from annotation.models import Judgment, Review
from tests.factories import NOW, make_batch, make_items, make_lead, make_member
from tests.judged import judge

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "judge",
                "correct",
                "withdraw",
                "accept",
                "fix",
                "return",
                "blind",
                "adjudicate",
                "void",
            ]
        ),
        st.integers(0, 1),
    ),
    max_size=9,
)


class Model:
    """The rule in plain words: lists of what each annotator, reviewer and adjudicator has said."""

    def __init__(self):
        self.live = {}  # annotator -> their live judgment
        self.fixed = {}  # annotator -> the reviewer whose fix stands for them
        self.fixes = {}  # reviewer -> their live judgment
        self.decision = None
        self.void = set()

    def final(self):
        if self.decision is not None and self.decision not in self.void:
            return {self.decision}
        standing = set()
        for annotator, judgment in self.live.items():
            fix = self.fixes.get(self.fixed.get(annotator))
            if fix is not None and fix not in self.void:
                standing.add(fix)
            elif judgment not in self.void:
                standing.add(judgment)
        return standing


class FinalTest(TestCase):
    @settings(max_examples=40, deadline=None)
    @given(STEPS)
    def test_the_query_says_what_the_rule_says_at_every_number(self, steps):
        batch = make_batch()
        (item,) = make_items(batch)
        people = [make_member(), make_member()]
        reviewers = [make_lead(), make_lead()]
        decider = make_lead()
        model, seen = Model(), []
        for step, who in steps:
            self.do(step, who, item, people, reviewers, decider, model)
            number = type(batch).objects.get(pk=batch.pk).last_number
            seen.append((number, model.final() | set(), set(model.void)))

        for number, final, void in seen:
            found = Judgment.objects.final(
                number=number, usable=lambda rows, void=void: rows.exclude(pk__in=void)
            )
            assert set(found.values_list("pk", flat=True)) == final, steps
            independent = Judgment.objects.independent(number=number)
            assert {one.member for one in independent} <= set(people)

    def do(self, step, who, item, people, reviewers, decider, model):
        person, reviewer = people[who], reviewers[who]
        live = model.live.get(person)
        match step:
            case "judge" | "correct":
                cause = Cause.FIRST if live is None else Cause.CORRECTION
                model.live[person] = judge(item, person, overall="tie", cause=cause).pk
            case "withdraw" if live is not None:
                judge(item, person, cause=Cause.WITHDRAWAL)
                del model.live[person]
            case "accept" | "return" if live is not None:
                self.review(item, live, reviewer, step)
                model.fixed.pop(person, None)
            case "fix" if live is not None:
                fix = judge(item, reviewer, purpose=SeatPurpose.REVIEW, cause=Cause.FIX)
                self.review(item, live, reviewer, step, fix=fix)
                model.fixes[reviewer] = fix.pk
                model.fixed[person] = reviewer
            case "blind" if reviewer not in model.fixes:
                judge(item, reviewer, purpose=SeatPurpose.REVIEW)
            case "adjudicate":
                model.decision = judge(
                    item, decider, purpose=SeatPurpose.ADJUDICATION, cause=Cause.ADJUDICATION
                ).pk
            case "void":
                every = [*model.live.values(), *model.fixes.values(), model.decision]
                every = [one for one in every if one is not None]
                if every:
                    model.void.add(every[-1 if who else 0])

    def review(self, item, judgment, reviewer, outcome, fix=None):
        Review.objects.create(
            batch=item.batch,
            number=next_number(item.batch_id),
            judgment_id=judgment,
            reviewer=reviewer,
            outcome=ReviewOutcome(outcome),
            note="look again",
            fix=fix,
            created_at=NOW,
        )
