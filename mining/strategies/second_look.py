"""What came of asking people again: the label changed, the item is hard indeed, or people stay split for good."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mining.strategies.strategy import BoolArray, FloatArray, IntArray

WAITING, LABEL_CHANGED, HARD, AMBIGUOUS, SETTLED = range(5)
OUTCOMES = ("waiting", "label_changed", "hard", "ambiguous", "settled")
OUTCOME_TITLES = {
    "label_changed": "Label changed",
    "hard": "Hardness confirmed",
    "ambiguous": "Ambiguous for good",
    "settled": "Settled: no longer hard",
    "waiting": "Still waiting for judgments",
}
OUTCOME_MEANINGS = {
    "label_changed": "With the new judgments people stand behind another label than before.",
    "hard": "The label stands; people are still slow, or the model still gets it wrong.",
    "ambiguous": "Everybody who was asked again has answered, and people are still split.",
    "settled": "The label stands, people agree, and neither they nor the model find it hard now.",
    "waiting": "Not all the judgments asked for have come yet.",
}
AGREEMENT = 0.75
"""Below this share behind one label people are split; the same as the noise gate's."""
FEWEST_JUDGMENTS = 2
"""One judgment alone can neither agree nor be split."""


@dataclass(frozen=True)
class ItemsNow:
    """What is known of the items that were asked about, (n,) each."""

    label_before: IntArray
    """The label used when the hard set was picked; -1 where there was none."""
    label: IntArray
    """The label people stand behind now; -1 where nobody answered."""
    n_new: IntArray
    """Judgments given since they were asked."""
    n_judgments: IntArray
    """Judgments in all."""
    disagreement: FloatArray
    """Share of the judgments behind another label than people's; NaN where unknown."""
    slow: BoolArray
    surprised: BoolArray
    """The model predicts another label than the one used."""


def second_look_outcomes(items: ItemsNow, extra_judgments: int) -> npt.NDArray[np.int8]:
    """Return the outcome of each item as a place in `OUTCOMES`, (n,).

    An item waits until it has got all `extra_judgments`. Split people come before a changed label: three against two is
    no label to rely on.
    """
    split = (items.n_judgments >= FEWEST_JUDGMENTS) & (np.nan_to_num(items.disagreement, nan=0.0) > 1.0 - AGREEMENT)
    changed = (items.label >= 0) & (items.label_before >= 0) & (items.label != items.label_before)
    outcome = np.full(len(items.label), SETTLED, dtype=np.int8)
    outcome[items.slow | items.surprised] = HARD
    outcome[changed] = LABEL_CHANGED
    outcome[split] = AMBIGUOUS
    outcome[items.n_new < extra_judgments] = WAITING
    return outcome
