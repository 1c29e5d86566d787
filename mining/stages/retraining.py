"""Does training more on a hard set help? Baseline, hard set and random control on the same held-out test."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from mining.learners.catalogue import get_learner
from mining.learners.errors import LearnerError
from mining.models import HardSet
from mining.selectors.choices import FILE_PREFIX
from mining.strategies.noise_gate import TRAINABLE, VERDICTS
from mining.strategies.retraining import Experiment, retraining_experiment

from .context import StageRun
from .features import features_of

STOPPED = [name for code, name in enumerate(VERDICTS) if code not in TRAINABLE]
FEWEST_HARD = 5
NOTHING_TO_TRY = "Label more, or ask for another strategy with a wider threshold."


def run(stage: StageRun) -> dict[str, Any]:
    """Write retraining.json: an experiment for every hard set that has enough trainable members."""
    entry = next((entry for entry in stage.params["learners"] if not entry["name"].startswith(FILE_PREFIX)), None)
    experiments: list[dict[str, Any]] = []
    people = stage.folder.read_table("people.parquet", ["item", "label", "split"])
    label = people["label"].fill_null(-1).to_numpy().astype(np.int64)
    held = (people["split"] == "test").to_numpy()
    trained = {fact["name"] for fact in stage.folder.read_json("predictions.json")["learners"]}
    if entry is None:
        stage.lack("The round has imported predictions only: there is nothing here to train again.",
                   "Add a learner of the catalogue to the round.")  # fmt: skip
    elif entry["name"] not in trained:
        stage.lack("No model could be trained, so nothing can be trained again.", "See the predictions stage.")
    else:
        experiments = _try_hard_sets(stage, entry, people["item"].to_numpy(), label, held)
    stage.write_json("retraining.json", {"learner": entry and entry["name"], "experiments": experiments})
    brief = [{"strategy": one["strategy"], "verdict": one["verdict"]} for one in experiments]
    return stage.result(experiments=brief)


def _try_hard_sets(
    stage: StageRun, entry: dict[str, Any], item_ids: np.ndarray, label: np.ndarray, held: np.ndarray
) -> list[dict[str, Any]]:
    features, known = features_of(stage, stage.folder.read_table("items.parquet"))
    given = np.where(known, label, -1)
    classes = [entry["name"] for entry in stage.folder.read_json("snapshot.json")["classes"]]
    learner = get_learner(entry["name"], **entry["params"])
    seeds = [stage.params["seed"] + number for number in range(stage.params["retraining_seeds"])]
    sets = list(HardSet.objects.filter(round=stage.round, version=1).order_by("pk"))
    experiments = []
    for number, hard_set in enumerate(sets):
        title = hard_set.summary.get("title", hard_set.strategy)
        rows, n_stopped = _trainable_rows(hard_set, item_ids)
        if len(rows) < FEWEST_HARD:
            why = f" ({n_stopped} stopped by the noise gate)" if n_stopped else ""
            stage.run.note(f"{title}: {len(rows)} items to train on{why}; {FEWEST_HARD} are needed.")
            continue

        def progress(done: int, total: int, number: int = number, title: str = title) -> None:
            stage.run.progress(number * total + done, len(sets) * total, stage=f"Training with {title.lower()}")

        try:
            experiment = retraining_experiment(
                features, given, train=(given >= 0) & ~held, heldout=(given >= 0) & held, hard=rows, learner=learner,
                n_classes=len(classes), seeds=seeds, on_progress=progress,
            )  # fmt: skip
        except LearnerError as reason:
            stage.lack(f"{title} could not be tried: {reason}.", NOTHING_TO_TRY)
            continue
        experiments.append(
            {"strategy": hard_set.strategy, "title": title, "sha256": hard_set.sha256, "n_stopped": n_stopped}
            | describe(experiment, classes)
        )
    if not experiments:
        stage.lack("No hard set was large enough to be tried in training.", NOTHING_TO_TRY)
    return experiments


def _trainable_rows(hard_set: HardSet, item_ids: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the rows of the members that the noise gate lets through, and how many it stops."""
    members = list(hard_set.members.order_by("rank").values_list("item_id", "verdict"))
    passed = np.array([item for item, verdict in members if verdict not in STOPPED], dtype=np.int64)
    return np.flatnonzero(np.isin(item_ids, passed)), len(members) - len(passed)


def describe(experiment: Experiment, classes: list[str]) -> dict[str, Any]:
    """Return the experiment as JSON can hold it, with classes by name in its warnings."""
    return {
        "verdict": experiment.verdict,
        "hard_minus_baseline": vars_of(experiment.hard_minus_baseline),
        "hard_minus_control": vars_of(experiment.hard_minus_control),
        "n_train": experiment.n_train, "n_test": experiment.n_test, "n_hard": experiment.n_hard,
        "n_seeds": experiment.n_seeds, "warnings": [_named(warning, classes) for warning in experiment.warnings],
        "arms": [
            {
                "name": name, "accuracy": arm.accuracy, "worst_class": arm.worst_class,
                "worst_recall": arm.worst_recall, "calibration_error": arm.calibration_error,
                "recall_by_class": arm.recall_by_class, "accuracy_by_seed": [one.accuracy for one in arm.by_seed],
            }
            for name, arm in experiment.arms.items()
        ],
    }  # fmt: skip


def vars_of(difference: Any) -> dict[str, Any]:
    return {"value": difference.value, "low": difference.low, "high": difference.high, "verdict": difference.verdict}


def _named(warning: str, classes: list[str]) -> str:
    """Return the warning with names where it says codes: "class 1, 3" becomes "class dog, owl"."""

    def names(codes: re.Match[str]) -> str:
        return f"class {', '.join(classes[int(code)] for code in codes.group(1).split(', '))}"

    return re.sub(r"\bclass (\d+(?:, \d+)*)", names, warning)
