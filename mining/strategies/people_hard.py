"""What people find hard: slow, or split."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mining.learners.parameters import Parameter
from mining.strategies.strategy import BoolArray, IntArray, Selection, Strategy, Table, percent_rank, ranked

SHARE = Parameter("share", 0.1, "Share of the judged items to take, from the hardest.", low=0.0, high=1.0)
FEWEST = Parameter("min_judgments", 1, "Fewest judgments before an item's score counts.", low=1, high=1000)


def _enough(table: Table, values: Mapping[str, Any]) -> BoolArray | bool:
    return np.asarray(table["n_judgments"] >= values["min_judgments"]) if "n_judgments" in table else True


def _pick_time(table: Table, eligible: BoolArray, values: Mapping[str, Any]) -> Selection:
    hardness = np.asarray(table["time_hardness"], dtype=np.float64)
    among = eligible & _enough(table, values)
    rank = percent_rank(hardness, among)
    error = table.get("time_hardness_se")

    def reason(index: IntArray) -> list[str]:
        sentences = []
        for row in index:
            spread = "" if error is None or np.isnan(error[row]) else f" ± {error[row]:.2f}"
            sentences.append(
                f"slower than {min(100 * rank[row], 99):.0f} % of the items (time hardness {hardness[row]:.2f}{spread})"
            )
        return sentences

    return ranked(hardness, among & (rank >= 1.0 - values["share"]), values["limit"], reason)


def _pick_disagreement(table: Table, eligible: BoolArray, values: Mapping[str, Any]) -> Selection:
    disagreement = np.asarray(table["disagreement"], dtype=np.float64)
    among = eligible & _enough(table, values)
    rank = percent_rank(disagreement, among)

    def reason(index: IntArray) -> list[str]:
        return [
            f"people disagree: {disagreement[row]:.2f}, more than on {100 * rank[row]:.0f} % of the items"
            for row in index
        ]

    # An item on which all agree is not hard, even where that makes it one of the hardest tenth.
    hard = among & (rank >= 1.0 - values["share"]) & (disagreement > 0.0)
    return ranked(disagreement, hard, values["limit"], reason)


TIME_HARD = Strategy(
    name="time_hard",
    title="Time-hard",
    description="Items that people needed longest for, after their own pace and practice are taken out.",
    reference="van der Linden 2006; Ionescu et al. 2016",
    parameters=(SHARE, FEWEST),
    needs=("time_hardness",),
    pick=_pick_time,
)
DISAGREEMENT_HARD = Strategy(
    name="disagreement_hard",
    title="Disagreement-hard",
    description="Items that people name differently.",
    reference="Label entropy and consensus error; Aroyo & Welty 2015",
    parameters=(
        SHARE,
        Parameter("min_judgments", 2, "Fewest judgments before an item's score counts.", low=2, high=1000),
    ),
    needs=("disagreement",),
    pick=_pick_disagreement,
)
