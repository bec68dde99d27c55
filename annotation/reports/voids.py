"""What a lead has taken out of figures and exports, at a snapshot."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from annotation.choices import VoidTarget
from annotation.models.batches import Batch, Item
from annotation.models.content import Image, Response, Slot
from annotation.models.judgments import Judgment, JudgmentQuerySet
from annotation.models.reviews import Void


@dataclass(frozen=True, slots=True)
class Voids:
    """The voids that stand in a batch at a number, resolved to rows.

    `items` maps an item's primary key to the kind of void that takes it out; `since` a member's
    to the time from which their work is out (None: all of it).
    """

    judgments: frozenset[int] = frozenset()
    items: dict[int, VoidTarget] = field(default_factory=dict)
    since: dict[int, datetime | None] = field(default_factory=dict)

    def reason(self, judgment: Judgment) -> str:
        """Return which kind of void takes the judgment out, "" where none does."""
        if judgment.pk in self.judgments:
            return f"void_{VoidTarget.JUDGMENT}"
        if judgment.item_id in self.items:
            return f"void_{self.items[judgment.item_id]}"
        if judgment.member_id in self.since:
            since = self.since[judgment.member_id]
            if since is None or judgment.submitted_at >= since:
                return f"void_{VoidTarget.MEMBER}"
        return ""

    def outside(self, judgments: JudgmentQuerySet) -> JudgmentQuerySet:
        """Return the judgments that no void takes out."""
        if self.judgments:
            judgments = judgments.exclude(pk__in=self.judgments)
        if self.items:
            judgments = judgments.exclude(item__in=list(self.items))
        for member, since in self.since.items():
            taken = Q(member=member) if since is None else Q(member=member, submitted_at__gte=since)
            judgments = judgments.exclude(taken)
        return judgments


def standing_voids(batch: Batch, *, number: int) -> Voids:
    """Return what is out of the batch's figures and exports at `number`.

    A picture takes out every item that shows it: the whole item was judged with it in view. Three
    queries, and two more for each voided picture.
    """
    rows = list(Void.objects.standing(number=number).filter(batch=batch).select_related("image"))
    since: dict[int, datetime | None] = {}
    for row in rows:
        if row.target == VoidTarget.MEMBER and row.member_id is not None:
            earlier = since.get(row.member_id, row.since)
            both = earlier is not None and row.since is not None
            since[row.member_id] = min(earlier, row.since) if both else None  # type: ignore[type-var]
    dialogues = [row.dialogue_id for row in rows if row.target == VoidTarget.DIALOGUE]
    of_dialogues = batch.items.filter(dialogue__in=dialogues).values_list("pk", flat=True)
    items = dict.fromkeys(of_dialogues, VoidTarget.DIALOGUE)
    for row in rows:
        if row.target == VoidTarget.IMAGE and row.image is not None:
            items |= dict.fromkeys(items_showing(batch, row.image), VoidTarget.IMAGE)
    items |= {row.item_id: VoidTarget.ITEM for row in rows if row.item_id is not None}
    judgments = frozenset(row.judgment_id for row in rows if row.judgment_id is not None)
    return Voids(judgments=judgments, items=items, since=since)


def items_showing(batch: Batch, image: Image) -> list[int]:
    """Return the primary keys of the batch's items whose sides show the picture. Two queries."""
    slots = Slot.objects.filter(Q(image=image) | Q(variants__image=image))
    shown = set(
        Response.objects.filter(
            Q(pk__in=slots.values("response")) | Q(turn__in=slots.values("turn"))
        ).values_list("pk", "dialogue")
    )
    responses = {pk for pk, _ in shown}
    items = (
        Item.objects.filter(batch=batch, dialogue__in={dialogue for _, dialogue in shown})
        .select_related("response_1", "response_2")
        .only("response_1__lineage", "response_2__lineage")
    )
    return [item.pk for item in items if responses & _on_sides(item)]


def _on_sides(item: Item) -> set[int]:
    sides: Iterable[Response | None] = (item.response_1, item.response_2)
    return {pk for side in sides if side is not None for pk in side.lineage_ids()}
