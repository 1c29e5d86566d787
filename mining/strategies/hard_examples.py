"""Hard negatives and hard positives: what a model says at p = .5, one class against the rest."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mining.learners.parameters import Parameter
from mining.strategies.strategy import (
    BoolArray,
    FloatArray,
    IntArray,
    Selection,
    Strategy,
    StrategyError,
    Table,
    ranked,
)

THRESHOLD = Parameter("threshold", 0.5, "Probability at which a class is called present.", low=0.0, high=1.0)
POSITIVE_CLASS = Parameter(
    "positive_class",
    None,
    "Code of the class that counts as positive; empty means every class in turn, against the rest.",
    low=0,
    kind="int",
)


def _positive_class(table: Table, values: Mapping[str, Any]) -> int | None:
    code = values["positive_class"]
    n_classes = table["probabilities"].shape[1]
    if code is not None and code >= n_classes:
        raise StrategyError(f"positive_class is {code}; there are {n_classes} classes, numbered from 0")
    return None if code is None else int(code)


def _pick_negatives(table: Table, eligible: BoolArray, values: Mapping[str, Any]) -> Selection:
    probabilities, given = table["probabilities"], table["given"]
    positive = _positive_class(table, values)
    if positive is None:
        score, claimed = best_other_class(probabilities, given)
        qualifies = eligible & (given >= 0) & (score >= values["threshold"])
    else:
        score = np.asarray(probabilities[:, positive], dtype=np.float64)
        claimed = np.full(len(score), positive, dtype=np.int64)
        qualifies = eligible & (given >= 0) & (given != positive) & (score >= values["threshold"])

    def reason(index: IntArray) -> list[str]:
        return [
            f"not of class {claimed[row]}, yet given p = {score[row]:.2f} for it (labelled {given[row]})"
            for row in index
        ]

    return ranked(score, qualifies, values["limit"], reason)


def _pick_positives(table: Table, eligible: BoolArray, values: Mapping[str, Any]) -> Selection:
    probabilities, given = table["probabilities"], table["given"]
    positive = _positive_class(table, values)
    belief = np.asarray(probabilities[np.arange(len(given)), np.maximum(given, 0)], dtype=np.float64)
    qualifies = eligible & (given >= 0) & (belief <= values["threshold"])
    if positive is not None:
        qualifies &= given == positive

    def reason(index: IntArray) -> list[str]:
        return [f"of class {given[row]}, yet given only p = {belief[row]:.2f} for it" for row in index]

    return ranked(1.0 - belief, qualifies, values["limit"], reason)


def best_other_class(probabilities: FloatArray, given: IntArray) -> tuple[FloatArray, IntArray]:
    """Return the largest probability among the classes not given, and that class; (n,) each. In blocks, no (n, K)
    copy.
    """
    n_items, n_classes = probabilities.shape
    best, code = np.empty(n_items), np.empty(n_items, dtype=np.int64)
    step = max(1, (1 << 17) // n_classes)
    for start in range(0, n_items, step):
        block = np.array(probabilities[start : start + step], dtype=np.float64)
        line = np.arange(len(block))
        labels = given[start : start + step]
        labelled = labels >= 0
        block[line[labelled], labels[labelled]] = -1.0
        code[start : start + step] = block.argmax(axis=1)
        best[start : start + step] = block.max(axis=1)
    return best, code


HARD_NEGATIVES = Strategy(
    name="hard_negatives",
    title="Hard negatives",
    description="Items that are not of a class and that the model takes for it: the false positives.",
    reference="Dalal & Triggs 2005; Sung & Poggio 1998",
    parameters=(THRESHOLD, POSITIVE_CLASS),
    needs=("probabilities", "given"),
    pick=_pick_negatives,
)
HARD_POSITIVES = Strategy(
    name="hard_positives",
    title="Hard positives",
    description="Items of a class that the model does not take for it: the misses.",
    reference="The counterpart of hard negatives, Dalal & Triggs 2005",
    parameters=(THRESHOLD, POSITIVE_CLASS),
    needs=("probabilities", "given"),
    pick=_pick_positives,
)
