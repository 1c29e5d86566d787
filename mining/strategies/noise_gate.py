"""The noise gate: is a hard item hard, or is its label wrong?

Mining what surprises a model mines its wrong labels first (with 10 % of them, 45 % of "p <= .5" is mislabelled). Before
a hard set is trained on, each item gets a verdict from four questions:

| model surprised | model torn | people | verdict |
|---|---|---|---|
| yes | no | fast, agree on another label | mislabelled |
| yes | yes | slow or split | ambiguous |
| yes | no | fast, agree with the given label | blind spot |
| no | no | slow | human-only |

A surprised model without clear people (nobody asked, or what they say fits no row) is `unclear`: people are asked,
nothing is trained on it with extra weight.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mining.strategies.strategy import BoolArray, FloatArray, Table, percent_rank

NONE, MISLABELLED, AMBIGUOUS, BLIND_SPOT, HUMAN_ONLY, UNCLEAR = range(6)
VERDICTS = ("none", "mislabelled", "ambiguous", "blind_spot", "human_only", "unclear")
VERDICT_TITLES = {
    "none": "Nothing unusual",
    "mislabelled": "Probably mislabelled: ask people",
    "ambiguous": "Hard and ambiguous",
    "blind_spot": "Blind spot of the model: mine it",
    "human_only": "Hard for people only",
    "unclear": "Surprising, but people have not settled it: ask people",
}
TRAINABLE = (NONE, AMBIGUOUS, BLIND_SPOT, HUMAN_ONLY)


@dataclass(frozen=True)
class NoiseGateSettings:
    """Where yes and no part."""

    torn_margin: float = 0.3
    """The model is torn where its two best classes are less than this apart."""
    slow_share: float = 1.0 / 3.0
    """People are slow on this share of the items with the highest time hardness."""
    agreement: float = 0.75
    """People agree where this share of the judgments (or this confidence) stands behind one label."""
    min_judgments: int = 2
    """Fewer judgments than this settle nothing."""


@dataclass(frozen=True)
class GateAnswers:
    """The four questions, answered for each item; (n,) bool each."""

    surprised: BoolArray
    torn: BoolArray
    slow: BoolArray
    settled: BoolArray
    """Enough people were asked and agree."""
    same_label: BoolArray
    """What people say is the given label."""
    asked: BoolArray


def gate_verdicts(table: Table, settings: NoiseGateSettings | None = None) -> npt.NDArray[np.int8]:
    """Return the verdict of each item as a place in `VERDICTS`, (n,).

    Reads `probabilities` and `given`, and of people what there is: `time_hardness`, `n_judgments`, `people_label`,
    `people_confidence`, `disagreement`. Without people every surprise is `unclear`.
    """
    chosen = settings or NoiseGateSettings()
    answers = gate_answers(table, chosen)
    verdict = np.full(len(answers.surprised), NONE, dtype=np.int8)
    unclear = answers.surprised
    verdict[unclear] = UNCLEAR
    verdict[answers.surprised & answers.torn & answers.asked & (answers.slow | ~answers.settled)] = AMBIGUOUS
    verdict[answers.surprised & answers.torn & answers.settled & answers.same_label & ~answers.slow] = BLIND_SPOT
    settled = answers.surprised & ~answers.torn & answers.settled
    verdict[settled & ~answers.same_label & ~answers.slow] = MISLABELLED
    verdict[settled & answers.same_label & ~answers.slow] = BLIND_SPOT
    verdict[~answers.surprised & ~answers.torn & answers.slow & answers.asked] = HUMAN_ONLY
    return verdict


def against_given(table: Table) -> Table:
    """Return the table with the labels of the import as `given`, where there are any, for the label that was used.

    Where people's consensus is what learners are trained on, no label used is ever at odds with people: what is wrong
    with the import shows only against the import. Reads `given_label` (n,) codes, -1 = none; without it nothing
    changes.
    """
    if "given_label" not in table:
        return table
    imported = np.asarray(table["given_label"])
    return {**table, "given": np.where(imported >= 0, imported, table["given"])}


def gate_answers(table: Table, settings: NoiseGateSettings) -> GateAnswers:
    """Answer the gate's four questions for each item of the table."""
    probabilities, given = table["probabilities"], table["given"]
    n_items = len(given)
    predicted, apart = _prediction(probabilities)
    everyone = np.ones(n_items, dtype=bool)
    judgments = np.asarray(table["n_judgments"]) if "n_judgments" in table else np.zeros(n_items)
    asked = judgments >= settings.min_judgments
    slow = np.zeros(n_items, dtype=bool)
    if "time_hardness" in table:
        rank = percent_rank(np.asarray(table["time_hardness"], dtype=np.float64), everyone)
        slow = np.nan_to_num(rank, nan=0.0) > 1.0 - settings.slow_share
    people_label = np.asarray(table["people_label"]) if "people_label" in table else np.full(n_items, -1)
    settled = asked & (people_label >= 0) & (_agreement(table, n_items) >= settings.agreement)
    return GateAnswers(
        surprised=np.asarray((given >= 0) & (predicted >= 0) & (predicted != given)),
        torn=np.asarray(apart < settings.torn_margin),
        slow=slow,
        settled=np.asarray(settled),
        same_label=np.asarray(people_label == given),
        asked=np.asarray(asked),
    )


def _agreement(table: Table, n_items: int) -> FloatArray:
    """Share of the people behind their label, from whichever column there is; unknown counts as none."""
    for name, turned in (("people_confidence", False), ("disagreement", True)):
        if name in table:
            values = np.asarray(table[name], dtype=np.float64)
            return np.nan_to_num(1.0 - values if turned else values, nan=0.0)
    return np.zeros(n_items)


def _prediction(probabilities: FloatArray) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Predicted class and how far its probability is above the next, (n,) each; in blocks."""
    n_items, n_classes = probabilities.shape
    predicted, apart = np.empty(n_items, dtype=np.int64), np.empty(n_items)
    step = max(1, (1 << 17) // n_classes)
    for start in range(0, n_items, step):
        block = np.array(probabilities[start : start + step], dtype=np.float64)
        line, best = np.arange(len(block)), block.argmax(axis=1)
        top = block[line, best]
        block[line, best] = -1.0
        predicted[start : start + step] = np.where(np.isnan(top), -1, best)
        apart[start : start + step] = top - block.max(axis=1)
    return predicted, apart
