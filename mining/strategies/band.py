"""Probability band: items on the boundary."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mining.learners.parameters import Parameter
from mining.strategies.strategy import BoolArray, IntArray, Selection, Strategy, Table, ranked


def _pick(table: Table, eligible: BoolArray, values: Mapping[str, Any]) -> Selection:
    probabilities = table["probabilities"]
    distance = np.full(len(probabilities), np.inf)
    nearest = np.zeros(len(probabilities), dtype=np.int64)
    # Class by class: (n,) at a time instead of a second (n, K) array.
    for code in range(probabilities.shape[1]):
        here = np.abs(np.asarray(probabilities[:, code], dtype=np.float64) - 0.5)
        closer = here < distance
        nearest[closer], distance[closer] = code, here[closer]

    def reason(index: IntArray) -> list[str]:
        return [
            f"on the boundary: p = {probabilities[row, nearest[row]]:.2f} for class {nearest[row]}" for row in index
        ]

    return ranked(1.0 - 2.0 * distance, eligible & (distance <= values["half_width"]), values["limit"], reason)


BAND = Strategy(
    name="band",
    title="Probability band",
    description="Items with a probability close to one half for some class: the model's boundary runs through them.",
    reference="Lewis & Gale 1994",
    parameters=(Parameter("half_width", 0.1, "How far from one half the probability may be.", low=0.0, high=0.5),),
    needs=("probabilities",),
    pick=_pick,
)
