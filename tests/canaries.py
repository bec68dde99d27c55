"""A project full of things one annotator must never meet, each with a word that cannot be mistaken.

`plant()` makes it; `tests/walker.py` asks every address there is as that annotator.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from annotation.actions.tokens import MARK, PREFIX_LENGTH
from annotation.choices import (
    AssignmentState,
    BatchKind,
    Cause,
    JobState,
    RecordOutcome,
    Role,
    SeatPurpose,
    SkipReason,
    TokenScope,
    VoidTarget,
)
from annotation.models import (
    Assignment,
    Batch,
    ContentReport,
    Draft,
    Export,
    Figure,
    GoldAnswer,
    Item,
    LeadQuestion,
    Mark,
    Member,
    Rating,
    Record,
    Remark,
    Review,
    Run,
    Token,
    Void,
)
from tests.factories import (
    NOW,
    make_batch,
    make_items,
    make_lead,
    make_member,
    make_slot,
)
from tests.judged import judge, make_picture


@dataclass
class World:
    """What is there. `names` are what addresses are made of: (converter's name) -> values.

    :ivar walker: the annotator; :ivar held: theirs, open; :ivar sent: theirs, submitted.
    :ivar others: public ids that belong to somebody else, by what they name.
    :ivar words: canary -> what it stands for.
    """

    walker: Member
    other: Member
    lead: Member
    batch: Batch
    elsewhere: Batch
    held: Assignment
    sent: Assignment
    others: dict[str, str]
    names: dict[str, list[str]]
    key: str
    words: dict[str, str] = field(default_factory=dict)


class Planter:
    """Hands out canaries and remembers what each stands for."""

    def __init__(self) -> None:
        self.words: dict[str, str] = {}

    def __call__(self, what: str) -> str:
        word = f"zqx{len(self.words):02}{what.replace(' ', '').replace(chr(39), '')}zqx"
        self.words[word] = what
        return word


def plant() -> World:
    """Make a project in which much is nobody's business but a few people's."""
    say = Planter()
    walker = make_member(name="ada")
    other = make_member(name=say("another annotators pseudonym"))
    reviewer = make_member(Role.REVIEWER, name=say("a reviewers pseudonym"))
    lead = make_lead(name=say("the leads pseudonym"))
    batch = make_batch(kind=BatchKind.TURN_PAIR, members=[walker, other], slug="shared")
    elsewhere = make_batch(
        kind=BatchKind.CONVERSATION, members=[other], slug=say("another batchs slug").lower()
    )
    say.words[elsewhere.slug] = "another batch's slug"
    elsewhere.title = say("another batchs title")
    elsewhere.save(update_fields=["title"])
    items = make_items(batch, items=5, seats=2)
    foreign = make_items(elsewhere, items=1, seats=2)[0]
    picture, hidden = make_picture(1), make_picture(2)
    for item in items:
        make_slot(response=item.response_1, image=picture)
    make_slot(response=foreign.response_1, image=hidden)
    for item in (*items, foreign):
        _tell_origin(item, say)
    sent = _judged(items[0], walker, "my own reason", say=None)
    others = [_judged(item, other, say("another persons reason"), say) for item in items[:3]]
    abroad = _judged(foreign, other, say("a reason in another batch"), say)
    held = _held(items[1], walker)
    theirs = _held(items[3], other)
    Draft.objects.create(
        assignment=theirs, version=1, saved_at=NOW, body={"remarks": {"x": say("anothers draft")}}
    )
    Assignment.objects.filter(pk=theirs.pk).update(
        flagged_at=NOW, flag_note=say("anothers flag note")
    )
    _skipped(items[4], other, say("anothers skip note"))
    _quality(batch, items, others, reviewer, lead, say)
    export = _long_work(batch, elsewhere, lead, say)
    question = LeadQuestion.objects.create(
        assignment=theirs, key="k", text=say("anothers question"), asked_at=NOW
    )
    ContentReport.objects.create(
        dialogue=items[2].dialogue, note=say("anothers report"), made_by=other, made_at=NOW
    )
    key = MARK + "w" * 43
    Token.objects.create(
        member=walker,
        name="walker",
        prefix=key[:PREFIX_LENGTH],
        digest=hashlib.sha256(key.encode()).hexdigest(),
        scopes=[str(scope) for scope in TokenScope],
        created_at=timezone.now(),
    )
    foreign_ids = {
        "another's assignment": theirs.public_id,
        "another's judged assignment": others[0].assignment.public_id,
        "a judgment elsewhere": abroad.public_id,
        "an export": export.public_id,
        "another's question": question.public_id,
        "an item of the batch": items[3].public_id,
    }
    return World(
        walker=walker,
        other=other,
        lead=lead,
        batch=batch,
        elsewhere=elsewhere,
        held=held,
        sent=sent.assignment,
        others=foreign_ids,
        names={
            "slug": [batch.slug, elsewhere.slug],
            "sha256": [picture.sha256, hidden.sha256],
            "size": ["display", "thumbnail"],
            "member": [other.public_id],
        },
        key=key,
        words=say.words,
    )


def _tell_origin(item: Item, say: Planter) -> None:
    dialogue = item.dialogue
    dialogue.external_id = say("an outside id")
    dialogue.source = say("an import source")
    dialogue.save(update_fields=["external_id", "source"])
    dialogue.imported_in.name = say("an imports name")
    dialogue.imported_in.save(update_fields=["name"])
    for response in (item.response_1, item.response_2):
        if response is not None:
            response.source = {"model": say("a models name")}
            response.external_id = say("an answers outside id")
            response.save(update_fields=["source", "external_id"])
    item.response_1.slots.update(name=say("a picture files name"), problem=say("a slots problem"))
    Record.objects.create(
        imported_in=dialogue.imported_in,
        file=say("a records file"),
        position=0,
        external_id=say("a records id"),
        outcome=RecordOutcome.NEW,
        dialogue=dialogue,
        last_response=item.response_1,
    )
    Mark.objects.create(
        project=dialogue.project,
        number=Mark.objects.count() + 1,
        dialogue=dialogue,
        key="violence",
        origin="words",
        detail=say("the word a mark rests on"),
        made_at=NOW,
        ended_number=1000,
        ended_at=NOW,
        ended_why=say("why a mark ended"),
    )


def _judged(item: Item, member: Member, reason: str, say: Planter | None) -> Any:
    scores = {
        (side, "text_quality"): {"score": 1, "not_applicable": False, "reason": reason}
        for side in (item.response_1, item.response_2)
        if side is not None
    }
    made = judge(
        item,
        member,
        overall=item.response_2 or None,
        scores=scores,
        rationale=say("anothers rationale") if say else "my rationale",
    )
    for kind in ("critique", "refinement") if say else ():
        Remark.objects.create(
            judgment=made, kind=kind, response=item.response_1, text=say(f"anothers {kind}")
        )
    return made


def _held(item: Item, member: Member) -> Assignment:
    seat = item.seats.filter(state="open").first()
    seat.state = "taken"
    seat.save(update_fields=["state"])
    return Assignment.objects.create(
        item=item,
        member=member,
        seat=seat,
        state=AssignmentState.HELD,
        shown_first=seat.shown_first,
        claimed_at=NOW,
        opened_at=NOW,
        lease_until=timezone.now() + timedelta(hours=1),
    )


def _skipped(item: Item, member: Member, note: str) -> None:
    Assignment.objects.create(
        item=item,
        member=member,
        state=AssignmentState.SKIPPED,
        skip_reason=SkipReason.OTHER,
        skip_note=note,
        claimed_at=NOW,
    )


def _quality(
    batch: Batch, items: list[Item], others: list[Any], reviewer: Member, lead: Member, say: Planter
) -> None:
    dimension = batch.rubric.dimensions.get(key="text_quality")
    for number, item in enumerate(items[:3], start=500):
        GoldAnswer.objects.create(
            batch=batch,
            number=number,
            item=item,
            dimension=dimension,
            response=item.response_1,
            score=3,
            feedback=say("the feedback of a known answer"),
            created_by=lead,
            created_at=NOW,
        )
    for number, judgment in enumerate(others, start=600):
        Review.objects.create(
            batch=batch,
            number=number,
            judgment=judgment,
            reviewer=reviewer,
            outcome="return" if number == 600 else "accept",
            note=say("a review of another"),
            created_at=NOW,
        )
    decided = judge(
        items[0],
        reviewer,
        overall=items[0].response_1,
        purpose=SeatPurpose.ADJUDICATION,
        cause=Cause.ADJUDICATION,
        rationale=say("the reason of an adjudication"),
    )
    Rating.objects.create(
        judgment=decided,
        response=items[0].response_1,
        dimension=dimension,
        score=0,
        reason=say("an adjudicators reason"),
    )
    Void.objects.create(
        batch=batch,
        number=700,
        target=VoidTarget.JUDGMENT,
        judgment=others[1],
        reason=say("why work is void"),
        created_by=lead,
        created_at=NOW,
    )


def _long_work(batch: Batch, elsewhere: Batch, lead: Member, say: Planter) -> Export:
    done = {"state": JobState.DONE, "created_at": NOW, "created_by": lead}
    Run.objects.create(
        project=batch.project,
        batch=batch,
        model=say("a model judges name"),
        report={"verdict": say("a model judges verdict")},
        **done,
    )
    Figure.objects.create(
        batch=batch,
        kind="agreement",
        number=batch.last_number,
        body={"reason": say("an agreement figure")},
        **done,
    )
    export = Export.objects.create(
        project=batch.project,
        options={"format": "canonical"},
        snapshot={elsewhere.slug: 1},
        error=say("an exports error"),
        **done,
    )
    export.batches.add(batch)
    return export
