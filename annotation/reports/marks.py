"""Content marks: whether an item is marked as hard to look at."""

from django.db.models import Q

from annotation.models.batches import Item
from annotation.models.content import Slot


def is_marked(item: Item) -> bool:
    """Say whether the item's dialogue, or a picture it shows, carries a mark. One query at most."""
    if item.dialogue.marks:
        return True
    shown = set(item.response_1.lineage_ids())
    if item.response_2 is not None:
        shown |= set(item.response_2.lineage_ids())
    return (
        Slot.objects.filter(Q(response__in=shown) | Q(turn__responses__in=shown))
        .exclude(marks=[])
        .exists()
    )
