"""A simulated team: ten honest people with ordinary noise, and five who work badly in five ways.

Rows are put straight into the tables, many at once; what they say is drawn from a seed.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from annotation.choices import (
    AssignmentState,
    BatchSettings,
    Cause,
    Outcome,
    PreferenceScope,
    RemarkKind,
    SeatState,
)
from annotation.models import (
    Assignment,
    Batch,
    Dialogue,
    Item,
    Judgment,
    Member,
    Preference,
    Rating,
    Remark,
    Response,
    Seat,
    Turn,
)
from tests.factories import (
    NOW,
    key,
    make_batch,
    make_import,
    make_member,
    make_project,
    make_rubric,
)

HONEST = 10
BAD = ("severe", "random", "side", "fast", "copier")
OVERLAP = 3
WORDS = 420
IMAGES = 2
MINUTES = 4.0
DIMENSIONS = 4

_NOUNS = [
    "roof",
    "bridge",
    "label",
    "arrow",
    "stair",
    "ratio",
    "month",
    "dose",
    "recipe",
    "shadow",
    "caption",
    "signature",
]
_VERBS = [
    "omits",
    "repeats",
    "contradicts",
    "explains",
    "swaps",
    "mislabels",
    "restates",
    "invents",
    "skips",
    "merges",
]
_ENDS = "in the first step|near the end|without saying why|as the picture shows|for the second time"


@dataclass(frozen=True)
class Team:
    """The batch, its bad members by how they are bad, and the honest ones."""

    batch: Batch
    bad: dict[str, Member]
    honest: list[Member]


@dataclass
class _Said:
    """One judgment before it is stored."""

    scores: np.ndarray
    outcome: str
    side: int
    text: str
    seconds: float


def make_team(seed: int = 1, *, items: int = 300) -> Team:
    """Store the batch: `items` turn pairs with three votes each, of fifteen people."""
    draw = np.random.default_rng(seed)
    rubric = make_rubric(slug=f"team-{seed}", global_=[])
    bad = {how: make_member(name=f"{how}-{seed}") for how in BAD}
    honest = [make_member(name=f"honest{number}-{seed}") for number in range(HONEST)]
    people = [*bad.values(), *honest]
    batch = make_batch(
        rubric=rubric,
        members=people,
        settings=BatchSettings(overlap=OVERLAP),
        slug=f"team-{seed}",
    )
    rows = _items(batch, items)
    seats = _seats(rows)
    sitting = _sitting(draw, items, people=len(people))
    said = _say(draw, rows, sitting, list(bad), people=len(people))
    _store(batch, rows, seats, sitting, said, people)
    batch.refresh_from_db()
    return Team(batch, bad, honest)


def _items(batch: Batch, count: int) -> list[Item]:
    made, project = make_import(), make_project()
    dialogues = Dialogue.objects.bulk_create(
        Dialogue(project=project, imported_in=made, content_key=key(batch.slug, n), created_at=NOW)
        for n in range(count)
    )
    turns = Turn.objects.bulk_create(
        Turn(
            dialogue=one,
            depth=1,
            prompt="How does this work?",
            content_key=key(one.content_key, "t"),
        )
        for one in dialogues
    )
    responses = Response.objects.bulk_create(
        Response(
            dialogue_id=turn.dialogue_id,
            turn=turn,
            depth=1,
            text=f"Answer {side} explains it at some length, with an example of its own.",
            content_key=key(turn.content_key, side),
            ends_record=True,
        )
        for turn in turns
        for side in (1, 2)
    )
    for one in responses:
        one.lineage = f"/{one.pk}/"
    Response.objects.bulk_update(responses, ["lineage"], batch_size=300)
    counts = {"turns": 1, "words": WORDS, "images": IMAGES, "decisions": 13, "minutes": MINUTES}
    return Item.objects.bulk_create(
        Item(
            batch=batch,
            dialogue=dialogues[n],
            response_1=responses[2 * n],
            response_2=responses[2 * n + 1],
            position=n,
            coin=1 + n % 2,
            fork_depth=1,
            counts=counts,
        )
        for n in range(count)
    )


def _seats(items: list[Item]) -> list[list[Seat]]:
    seats = Seat.objects.bulk_create(
        Seat(
            item=item,
            number=number,
            state=SeatState.TAKEN,
            shown_first=item.coin if number % 2 else 3 - item.coin,
        )
        for item in items
        for number in range(1, OVERLAP + 1)
    )
    return [seats[at : at + OVERLAP] for at in range(0, len(seats), OVERLAP)]


def _sitting(draw: np.random.Generator, items: int, *, people: int) -> list[list[int]]:
    """Return for each item who judges it, in the order of their submissions; evenly spread."""
    left = np.full(people, items * OVERLAP // people)
    sitting = []
    for _item in range(items):
        ranked = np.argsort(-(left + draw.random(people) * 4))[:OVERLAP]
        left[ranked] -= 1
        sitting.append([int(who) for who in draw.permutation(ranked)])
    return sitting


def _text(draw: np.random.Generator, item: int) -> str:
    ends = _ENDS.split("|")
    parts = [
        f"the {draw.choice(_NOUNS)} {draw.choice(_VERBS)} the {draw.choice(_NOUNS)} {draw.choice(ends)}"
        for _part in range(2)
    ]
    return f"In {item}, {parts[0]}; {parts[1]}."


def _say(
    draw: np.random.Generator,
    items: list[Item],
    sitting: list[list[int]],
    bad: list[str],
    *,
    people: int,
) -> dict[tuple[int, int], _Said]:
    """Return what each (item, person) says. Worths are latent; the skew is that of real scores."""
    level = draw.normal(0, 0.15, (people, 1)) + draw.normal(0, 0.08, (people, DIMENSIONS))
    level[bad.index("severe")] -= 1.3
    pace = np.exp(draw.normal(0, 0.2, people))
    said: dict[tuple[int, int], _Said] = {}
    copier = bad.index("copier")
    for at, who_sit in enumerate(sitting):
        worth = 2.2 + draw.normal(0, 0.5) + draw.normal(0, 0.5, (2, 1))
        worth = worth + draw.normal(0, 0.4, (2, DIMENSIONS))
        for place, who in enumerate(who_sit):
            felt = worth + level[who] + draw.normal(0, 0.5, (2, DIMENSIONS))
            scores = np.clip(np.rint(felt), 0, 3).astype(int)
            gap = (felt[0] - felt[1]).mean() + draw.normal(0, 0.3)
            outcome = Outcome.TIE if abs(gap) < 0.15 else Outcome.PREFERS
            side = 1 if gap > 0 else 2
            seconds = 60 * MINUTES * pace[who] * np.exp(draw.normal(0, 0.35))
            text = _text(draw, at)
            how = bad[who] if who < len(bad) else ""
            first = items[at].coin if (place + 1) % 2 else 3 - items[at].coin
            if how == "random":
                scores = draw.choice(4, (2, DIMENSIONS), p=[0.05, 0.15, 0.3, 0.5])
                outcome, side = Outcome.PREFERS, int(draw.integers(1, 3))
            elif how == "side" and draw.random() < 0.9:
                outcome, side = Outcome.PREFERS, first
            elif how == "fast":
                seconds *= 0.08
            one = _Said(scores, outcome, side, text, seconds)
            if who == copier and place:
                source = said[at, who_sit[0]]
                one = _Said(
                    source.scores, source.outcome, source.side, f"{source.text} So.", seconds
                )
            said[at, who] = one
    return said


def _store(
    batch: Batch,
    items: list[Item],
    seats: list[list[Seat]],
    sitting: list[list[int]],
    said: dict[tuple[int, int], _Said],
    people: list[Member],
) -> None:
    places = [(at, place, who) for at, sit in enumerate(sitting) for place, who in enumerate(sit)]
    times = [NOW + timedelta(minutes=number) for number in range(len(places))]
    assignments = Assignment.objects.bulk_create(
        Assignment(
            item=items[at],
            member=people[who],
            seat=seats[at][place],
            state=AssignmentState.SUBMITTED,
            shown_first=seats[at][place].shown_first,
            claimed_at=time,
            submitted_at=time,
        )
        for (at, place, who), time in zip(places, times, strict=True)
    )
    judgments = Judgment.objects.bulk_create(
        Judgment(
            batch=batch,
            number=number,
            item=items[at],
            member=people[who],
            assignment=assignment,
            seat=seats[at][place],
            cause=Cause.FIRST,
            submission_key="k",
            shown_first=assignment.shown_first,
            submitted_at=time,
            active_ms={"1": int(1000 * said[at, who].seconds)},
        )
        for number, ((at, place, who), assignment, time) in enumerate(
            zip(places, assignments, times, strict=True), start=1
        )
    )
    dimensions = list(batch.rubric.dimensions.order_by("position"))
    ratings, preferences, remarks = [], [], []
    for (at, _place, who), judgment in zip(places, judgments, strict=True):
        one, sides = said[at, who], (items[at].response_1_id, items[at].response_2_id)
        ratings += [
            Rating(
                judgment=judgment,
                response_id=sides[side],
                dimension=dimension,
                score=int(one.scores[side][place]),
            )
            for side in (0, 1)
            for place, dimension in enumerate(dimensions)
        ]
        prefers = one.outcome == Outcome.PREFERS
        preferences.append(
            Preference(
                judgment=judgment,
                scope=PreferenceScope.OVERALL,
                outcome=one.outcome,
                preferred_id=sides[one.side - 1] if prefers else None,
                strength=1 if prefers else None,
            )
        )
        remarks.append(Remark(judgment=judgment, kind=RemarkKind.RATIONALE, text=one.text))
    Rating.objects.bulk_create(ratings, batch_size=500)
    Preference.objects.bulk_create(preferences, batch_size=500)
    Remark.objects.bulk_create(remarks, batch_size=500)
    Batch.objects.filter(pk=batch.pk).update(last_number=len(judgments))
