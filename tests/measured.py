"""A batch whose annotators agree more on some things than on others, for tests of figures."""

import numpy as np

from annotation.choices import BatchKind
from annotation.models import Dimension
from tests.factories import make_batch, make_items
from tests.judged import judge


def measured_batch(people, *, items=25, kind=BatchKind.TURN_PAIR, noise=1, seed=0, **more):
    """Every person scores both sides of every item on all dimensions of the kind, and prefers."""
    rng = np.random.default_rng(seed)
    batch = make_batch(kind=kind, **more)
    level = "local" if kind == BatchKind.TURN_PAIR else "global"
    keys = list(
        Dimension.objects.filter(rubric=batch.rubric, level=level)
        .order_by("position")
        .values_list("key", flat=True)
    )
    for item in make_items(batch, items=items, seats=len(people)):
        sides = [side for side in (item.response_1, item.response_2) if side]
        units = [(side, key) for side in sides for key in keys]
        quality = rng.integers(0, 4, size=len(units))
        for person in people:
            seen = np.clip(quality + rng.integers(-noise, noise + 1, size=len(units)), 0, 3)
            outcomes = [*sides, "tie", "both_bad"]
            judge(
                item,
                person,
                scores=dict(zip(units, seen.tolist(), strict=True)),
                overall=outcomes[rng.integers(len(outcomes))] if len(sides) > 1 else None,
            )
    return batch
