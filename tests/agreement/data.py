"""Made-up ratings for the tests of agreement."""

from typing import NamedTuple

import numpy as np


class Columns(NamedTuple):
    """Ratings as columns; `dialogue` is the cluster of each row's unit."""

    unit: list[int]
    annotator: list[int]
    score: list[int]
    dialogue: list[int]


def simulated(
    *,
    units: int,
    annotators: int,
    overlap: int = 3,
    bias: float = 0.0,
    units_per_dialogue: int = 1,
    seed: int = 0,
) -> Columns:
    """Scores 0 to 3 of units with a true quality, by annotators with biases of sd `bias`."""
    rng = np.random.default_rng(seed)
    quality = rng.normal(size=units)
    severity = rng.normal(scale=bias, size=annotators)
    who = np.argsort(rng.random((units, annotators)), axis=1)[:, :overlap]
    seen = quality[:, None] + severity[who] + rng.normal(scale=0.7, size=who.shape)
    scores = np.digitize(seen, [-0.7, 0.1, 1.2])
    unit = np.repeat(np.arange(units), overlap)
    return Columns(
        unit.tolist(),
        who.ravel().tolist(),
        scores.ravel().tolist(),
        (unit // units_per_dialogue).tolist(),
    )
