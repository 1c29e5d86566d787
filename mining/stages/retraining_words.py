"""An experiment as retraining.json holds it."""

from __future__ import annotations

import re
from typing import Any

from mining.strategies.retraining import Arm, Experiment


def describe(experiment: Experiment, classes: list[str]) -> dict[str, Any]:
    """Return the experiment as JSON can hold it, with classes by name in its warnings."""
    return {
        "verdict": experiment.verdict, "judged_by": experiment.judged_by,
        "hard_minus_baseline": vars_of(experiment.hard_minus_baseline),
        "hard_minus_control": vars_of(experiment.hard_minus_control),
        "n_train": experiment.n_train, "n_test": experiment.n_test, "n_hard": experiment.n_hard,
        "n_seeds": experiment.n_seeds, "warnings": [_named(warning, classes) for warning in experiment.warnings],
        "arms": [_arm(name, arm) for name, arm in experiment.arms.items()],
    }  # fmt: skip


def heldout_facts(n_test: int, n_confirmed: int) -> dict[str, Any]:
    """Return who stands behind the labels that the verdicts are judged by, in numbers and in words."""
    if n_confirmed == n_test:
        words = "Two people or more agree with every held-out label."
    else:
        words = (
            f"Two people or more agree with {n_confirmed:,} of the {n_test:,} held-out labels. The others are taken on "
            "trust, and wrong ones among them hide what training gains."
        )
    return {"n_test": n_test, "n_confirmed": n_confirmed, "words": words}


def _arm(name: str, arm: Arm) -> dict[str, Any]:
    """Return one arm; an interval is [low, high], of classes that the test lacks [None, None] as JSON writes NaN."""
    within = arm.intervals
    return {
        "name": name, "accuracy": arm.accuracy, "accuracy_interval": within.accuracy,
        "worst_class": arm.worst_class, "worst_recall": arm.worst_recall,
        "worst_recall_interval": within.recall_by_class[arm.worst_class],
        "mean_recall": arm.mean_recall, "mean_recall_interval": within.mean_recall,
        "calibration_error": arm.calibration_error, "calibration_interval": within.calibration_error,
        "recall_by_class": arm.recall_by_class, "recall_intervals": within.recall_by_class,
        "accuracy_by_seed": [one.accuracy for one in arm.by_seed],
    }  # fmt: skip


def vars_of(difference: Any) -> dict[str, Any]:
    return {"value": difference.value, "low": difference.low, "high": difference.high, "verdict": difference.verdict}


def _named(warning: str, classes: list[str]) -> str:
    """Return the warning with names where it says codes: "class 1, 3" becomes "class dog, owl"."""

    def names(codes: re.Match[str]) -> str:
        return f"class {', '.join(classes[int(code)] for code in codes.group(1).split(', '))}"

    return re.sub(r"\bclass (\d+(?:, \d+)*)", names, warning)
