"""A strategy as a user would add it: see docs/mining.md."""

import numpy as np

from mining.strategies.strategy import Strategy, ranked


def _pick(table, eligible, values):
    seconds = np.asarray(table["time_hardness"], dtype=float)
    return ranked(-seconds, eligible, values["limit"], lambda index: [f"quick: {seconds[row]:.2f}" for row in index])


SHORTEST = Strategy(
    name="shortest",
    title="Shortest",
    description="Items that people answer fastest.",
    reference="",
    parameters=(),
    needs=("time_hardness",),
    pick=_pick,
)
