"""One factory per thing: the least that makes a valid row. No surprises: what a test needs to
differ, it says. The product's fixtures are not used here."""

import hashlib
from datetime import UTC, datetime
from itertools import count
from typing import Any

from django.db import transaction

from annotation.actions.marks import Said, add_marks
from annotation.choices import (
    BatchKind,
    BatchPurpose,
    BatchSettings,
    BatchState,
    ImageRule,
    JobState,
    Level,
    MarkOrigin,
    Role,
    SeatPurpose,
    SlotState,
)
from annotation.models import (
    Batch,
    Category,
    Dialogue,
    Dimension,
    Image,
    Import,
    Item,
    Mark,
    Member,
    Participation,
    Project,
    Response,
    Rubric,
    ScalePoint,
    Seat,
    Slot,
    Turn,
    User,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

_numbers = count(1)


def key(*parts: object) -> str:
    """Return a content key for made-up content."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()


def make_project() -> Project:
    """Return the default project, which the first migration made (or a flush took away)."""
    return Project.objects.get_or_create(slug="default", defaults={"name": "Default project"})[0]


def make_member(role: Role = Role.ANNOTATOR, *, name: str = "", user: bool = True) -> Member:
    name = name or f"{role}-{next(_numbers)}"
    account = User.objects.create_user(name, password=None) if user else None
    return Member.objects.create(project=make_project(), user=account, role=role, pseudonym=name)


def make_lead(name: str = "") -> Member:
    return make_member(Role.LEAD, name=name)


LOCAL_KEYS = [
    "local_image_text_consistency",
    "visual_perceptual_quality",
    "context_coherence",
    "text_quality",
]
GLOBAL_KEYS = [
    "context_awareness",
    "helpfulness",
    "crucial_step_recognition",
    "global_image_text_consistency",
    "style_coherence",
]


def make_rubric(
    *,
    local: list[str] | None = None,
    global_: list[str] | None = None,
    slug: str = "intermt",
    version: int = 1,
) -> Rubric:
    """A rubric with the nine dimensions' keys (or those given), 0 to 3, and -1 of style."""
    local = LOCAL_KEYS if local is None else local
    global_ = GLOBAL_KEYS if global_ is None else global_
    rubric = Rubric.objects.create(
        project=make_project(),
        slug=slug,
        version=version,
        digest=key(slug, version),
        title={"en": slug},
        published_at=NOW,
    )
    rules = {
        "local_image_text_consistency": ImageRule.ANSWER,
        "visual_perceptual_quality": ImageRule.ANSWER,
        "global_image_text_consistency": ImageRule.CONVERSATION,
        "style_coherence": ImageRule.CONVERSATION,
    }
    names = [(Level.LOCAL, name) for name in local] + [(Level.GLOBAL, name) for name in global_]
    for position, (level, name) in enumerate(names, start=1):
        dimension = Dimension.objects.create(
            rubric=rubric,
            key=name,
            level=level,
            position=position,
            image_rule=rules.get(name, ImageRule.NONE),
            name={"en": name},
            short_name={"en": name},
            question={"en": f"{name}?"},
            tags=[{"key": "fault", "name": {"en": "Fault"}}],
            automatic={"when": "images_on_one_turn", "score": 3}
            if name == "style_coherence"
            else None,
        )
        scores = range(-1, 4) if name == "style_coherence" else range(4)
        ScalePoint.objects.bulk_create(
            ScalePoint(
                dimension=dimension,
                score=score,
                in_order=score >= 0,
                word={"en": f"word {score}"},
                meaning={"en": f"meaning {score}"},
            )
            for score in scores
        )
    return rubric


def make_import() -> Import:
    return Import.objects.create(
        project=make_project(), name="made", state=JobState.DONE, created_at=NOW
    )


def make_dialogue(*, task: str = "", marks: list[str] | None = None) -> Dialogue:
    dialogue = Dialogue.objects.create(
        project=make_project(),
        imported_in=make_import(),
        content_key=key(next(_numbers)),
        task=task,
        created_at=NOW,
    )
    for name in marks or []:
        make_mark(dialogue, name)
    return dialogue


def make_category(
    name: str, *, daily_limit: int | None = None, words: list[str] | None = None
) -> Category:
    return Category.objects.create(
        project=make_project(),
        key=name,
        name={"en": name.replace("_", " ").capitalize()},
        daily_limit=daily_limit,
        words=words or [],
        changed_at=NOW,
    )


def make_mark(
    dialogue: Dialogue,
    name: str = "disaster",
    *,
    slot: Slot | None = None,
    origin: MarkOrigin = MarkOrigin.FILE,
) -> Mark:
    """A mark as the actions write it: numbered, and shown on the dialogue or the slot."""
    said = Said(dialogue.pk, name, origin, slot=slot.pk if slot else None)
    with transaction.atomic():
        add_marks(make_project(), [said], by=None, now=NOW)
    for shown in (dialogue, slot):
        if shown is not None:
            shown.refresh_from_db(fields=["marks"])
    return Mark.objects.standing().get(dialogue=dialogue, slot=slot, key=name, origin=origin)


def make_turn(
    dialogue: Dialogue, *, follows: Response | None = None, prompt: str = "What then?"
) -> Turn:
    depth = follows.depth + 1 if follows else 1
    return Turn.objects.create(
        dialogue=dialogue,
        follows=follows,
        depth=depth,
        prompt=prompt,
        content_key=key(follows and follows.content_key, prompt, next(_numbers)),
    )


def make_response(turn: Turn, *, text: str = "Then this.", **more: Any) -> Response:
    response = Response.objects.create(
        dialogue=turn.dialogue,
        turn=turn,
        depth=turn.depth,
        text=text,
        content_key=key(turn.content_key, text, next(_numbers)),
        **more,
    )
    before = turn.follows.lineage if turn.follows else "/"
    response.lineage = f"{before}{response.pk}/"
    response.save(update_fields=["lineage"])
    return response


def make_path(
    dialogue: Dialogue, *, turns: int = 2, after: Response | None = None, word: str = "path"
) -> Response:
    """Grow `turns` turns after `after` (or from the root); return the last response."""
    last = after
    for _ in range(turns):
        depth = (last.depth if last else 0) + 1
        last = make_response(
            make_turn(dialogue, follows=last, prompt=f"{word} prompt {depth}"),
            text=f"{word} answer {depth}",
        )
    assert last is not None
    last.ends_record = True
    last.save(update_fields=["ends_record"])
    return last


def make_tree(*, paths: int = 2, turns: int = 3, fork: int = 2, task: str = "") -> Dialogue:
    """A dialogue whose `paths` full paths of `turns` turns part at the response of turn `fork`."""
    dialogue = make_dialogue(task=task)
    shared = make_path(dialogue, turns=fork - 1, word="shared") if fork > 1 else None
    if shared:
        shared.ends_record = False
        shared.save(update_fields=["ends_record"])
    turn = make_turn(dialogue, follows=shared, prompt="fork prompt")
    for number in range(1, paths + 1):
        at_fork = make_response(turn, text=f"side {number} answer {fork}")
        last = at_fork
        if turns > fork:
            last = make_path(dialogue, turns=turns - fork, after=at_fork, word=f"side {number}")
        last.ends_record = True
        last.save(update_fields=["ends_record"])
    return dialogue


def make_image(*, sha256: str = "", width: int = 64, height: int = 48) -> Image:
    digest = sha256 or key("image", next(_numbers))
    return Image.objects.create(
        project=make_project(),
        sha256=digest,
        pixel_sha256=key("pixels", digest),
        mime="image/png",
        byte_size=100,
        width=width,
        height=height,
        original=f"originals/{digest}.png",
        display=f"display/{digest}.png",
        thumbnail=f"thumbnails/{digest}.png",
    )


def make_slot(
    *,
    turn: Turn | None = None,
    response: Response | None = None,
    state: SlotState = SlotState.STORED,
    position: int = 0,
    image: Image | None = None,
) -> Slot:
    if state == SlotState.STORED and image is None:
        image = make_image()
    return Slot.objects.create(
        turn=turn,
        response=response,
        state=state,
        position=position,
        image=image,
        kind="Image",
        name="" if state == SlotState.NEVER_MADE else f"images/{next(_numbers)}.png",
    )


def make_batch(
    *,
    kind: BatchKind = BatchKind.TURN_PAIR,
    state: BatchState = BatchState.OPEN,
    purpose: BatchPurpose = BatchPurpose.MAIN,
    rubric: Rubric | None = None,
    members: list[Member] | None = None,
    settings: BatchSettings | None = None,
    **more: Any,
) -> Batch:
    number = next(_numbers)
    batch = Batch.objects.create(
        project=make_project(),
        slug=more.pop("slug", f"batch-{number}"),
        title=f"Batch {number}",
        kind=kind,
        state=state,
        purpose=purpose,
        rubric=rubric or make_rubric(slug=f"rubric-{number}"),
        settings=(settings or BatchSettings()).as_json(),
        seed=number,
        created_at=NOW,
        opened_at=None if state == BatchState.DRAFT else NOW,
        **more,
    )
    for member in members or []:
        Participation.objects.create(batch=batch, member=member)
    return batch


def make_item(
    batch: Batch,
    response_1: Response,
    response_2: Response | None = None,
    *,
    seats: int = 2,
    **more: Any,
) -> Item:
    """An item with `seats` overlap seats; its sides come in the order given."""
    fork_depth = None
    if response_2 is not None:
        ones, twos = response_1.lineage_ids(), response_2.lineage_ids()
        shared = sum(1 for one, two in zip(ones, twos, strict=False) if one == two)
        fork_depth = shared + 1
    item = Item.objects.create(
        batch=batch,
        dialogue=response_1.dialogue,
        response_1=response_1,
        response_2=response_2,
        position=more.pop("position", batch.items.count()),
        coin=more.pop("coin", 1),
        fork_depth=fork_depth,
        **more,
    )
    Seat.objects.bulk_create(
        Seat(
            item=item,
            number=number,
            purpose=SeatPurpose.OVERLAP,
            shown_first=item.coin if number % 2 else 3 - item.coin,
        )
        for number in range(1, seats + 1)
    )
    return item


def make_items(batch: Batch, *, items: int = 1, seats: int = 2, turns: int = 2) -> list[Item]:
    """`items` items of the batch's kind, each of a dialogue of its own."""
    made = []
    for _ in range(items):
        tree = make_tree(paths=2, turns=turns, fork=1 if turns == 1 else 2)
        if batch.kind == BatchKind.TURN_PAIR:
            fork = tree.turns.get(prompt="fork prompt")
            sides = list(fork.responses.order_by("content_key"))
        else:
            sides = list(tree.responses.full().order_by("content_key"))
        if batch.kind == BatchKind.CONVERSATION:
            sides = sides[:1]
        made.append(make_item(batch, *sides, seats=seats))
    return made


def make_gold(item: Item) -> Item:
    """Make the item one of the mixed-in gold of its batch, as opening does."""
    item.is_gold = True
    item.save(update_fields=["is_gold"])
    return item
