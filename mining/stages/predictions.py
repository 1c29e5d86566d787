"""Class probabilities of every item by models that were not trained on it, and imported ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from mining.adapters.hard_sets import member_weights
from mining.learners.catalogue import get_learner
from mining.learners.errors import LearnerError
from mining.learners.features import Float32Array
from mining.learners.folds import ANY_FOLD, group_folds, unlearnable_classes
from mining.learners.out_of_fold import FoldScores, OutOfFold, join_folds
from mining.predictions import aligned_predictions
from mining.selectors.choices import FILE_PREFIX

from .context import StageRun
from .features import features_of

LABEL_MORE = "Label more items, or import them with labels (folders named by class)."


def run(stage: StageRun) -> dict[str, Any]:
    """Write predictions.npz: a cube (seeds, items, classes) a learner; and predictions.json."""
    items = stage.folder.read_table("items.parquet")
    label = stage.folder.read_table("people.parquet", ["label"])["label"].fill_null(-1).to_numpy().astype(np.int64)
    n_classes = len(stage.folder.read_json("snapshot.json")["classes"])
    cubes: dict[str, np.ndarray] = {}
    facts: list[dict[str, Any]] = []
    trained = [entry for entry in stage.params["learners"] if not entry["name"].startswith(FILE_PREFIX)]
    for entry in stage.params["learners"]:
        if entry["name"].startswith(FILE_PREFIX):
            _take_imported(stage, entry["name"], items, n_classes, cubes, facts)
    if trained and _can_learn(stage, label):
        _train_all(stage, trained, items, label, n_classes, cubes, facts)
    elif not cubes:
        stage.lack("No model could be trained, so there are no measures of models.", LABEL_MORE)
    stage.write_arrays("predictions.npz", cubes)
    stage.write_json("predictions.json", {"learners": facts})
    return stage.result(learners=facts)


def _can_learn(stage: StageRun, label: np.ndarray) -> bool:
    counts = np.bincount(label[label >= 0])
    if counts.sum() == 0:
        stage.lack("No item has a label.", LABEL_MORE)
        return False
    if (counts > 0).sum() < 2:
        stage.lack("All labels are of one class.", "Label items of a second class: there is nothing to tell apart yet.")
        return False
    if (counts >= 2).sum() < 2:
        stage.lack("No two classes have two labelled items each.", LABEL_MORE)
        return False
    return True


def _train_all(
    stage: StageRun,
    entries: list[dict[str, Any]],
    items: pl.DataFrame,
    label: np.ndarray,
    n_classes: int,
    cubes: dict[str, np.ndarray],
    facts: list[dict[str, Any]],
) -> None:
    features, known = features_of(stage, items)
    if not known.any():
        stage.lack("No image could be described.", "Look at the features stage: it names the images.")
        return
    usable = np.where(known, label, -1)
    if not _can_learn(stage, usable):
        return
    weight = member_weights(stage.params["include_hard_sets"], items["item"].to_numpy())
    groups = items["image"].to_numpy()
    n_folds = _possible_folds(stage, usable, groups)
    seeds = [stage.params["seed"] + number for number in range(stage.params["n_seeds"])]
    total = len(entries) * len(seeds) * n_folds
    done = 0
    for entry in entries:
        planes, notes = [], []
        for seed in seeds:
            fold = np.full(len(label), ANY_FOLD, dtype=np.int64)
            fold[known] = group_folds(usable[known], groups[known], n_folds, seed)

            def tick(entry: dict[str, Any] = entry) -> None:
                nonlocal done
                done += 1
                stage.run.progress(done, total, stage=f"Training {entry['name']}")

            try:
                found = judge_out_of_fold(
                    entry, features, usable, weight, known, fold, groups, n_classes=n_classes, seed=seed, tick=tick
                )
            except LearnerError as reason:
                stage.lack(f"{entry['name']} could not be trained: {reason}.", LABEL_MORE)
                break
            plane = np.full((len(label), n_classes), np.nan, dtype=np.float32)
            plane[known] = found.probabilities
            planes.append(plane)
            notes += [note for note in found.warnings if note not in notes]
        if len(planes) == len(seeds):
            cubes[entry["name"]] = np.stack(planes)
            facts.append({"name": entry["name"], "kind": "trained", "out_of_fold": True, "seeds": seeds,
                          "n_folds": n_folds, "warnings": notes, **_quality(cubes[entry["name"]], label)})  # fmt: skip


def judge_out_of_fold(
    entry: dict[str, Any],
    features: Float32Array,
    label: np.ndarray,
    weight: np.ndarray | None,
    known: np.ndarray,
    fold: np.ndarray,
    groups: np.ndarray,
    *,
    n_classes: int,
    seed: int,
    tick: Any,
) -> OutOfFold:
    """Train one model a fold, items of included hard sets with their weight, and judge the rest by it.

    As `mining.learners.out_of_fold`, over the known items only; `weight` (n,) or None.
    """
    learner = get_learner(entry["name"], **entry["params"])
    matrix, codes, dealt = features[known], label[known], fold[known]
    weights = None if weight is None else weight[known]
    lonely = unlearnable_classes(codes, groups[known])
    learnable = (codes >= 0) & ~np.isin(codes, lonely)
    parts = []
    for number in (int(number) for number in np.unique(dealt[dealt != ANY_FOLD])):
        trained_on = learnable & (dealt != number) & (dealt != ANY_FOLD)
        judged = np.concatenate([np.flatnonzero(dealt == number), np.flatnonzero(dealt == ANY_FOLD)])
        fitted = learner.fit_scores(
            matrix[trained_on],
            codes[trained_on],
            n_classes=n_classes,
            sample_weight=None if weights is None else weights[trained_on],
            seed=seed,
        )
        parts.append(FoldScores(number, judged, fitted.scores(matrix[judged])))
        tick()
    notes = [f"classes {lonely} have one item only and were left out of training"] if lonely else []
    return join_folds(learner, parts, codes, n_classes=n_classes, fold=dealt, notes=notes)


def _possible_folds(stage: StageRun, label: np.ndarray, groups: np.ndarray) -> int:
    """Return the number of folds asked for, or fewer where the smallest usable class has fewer images."""
    wanted = int(stage.params["n_folds"])
    counts = [len(np.unique(groups[label == code])) for code in np.unique(label[label >= 0])]
    least = min((count for count in counts if count >= 2), default=2)
    if least < wanted:
        stage.run.note(f"A class has {least} labelled images only; {wanted} folds became {max(2, least)}.")
    return max(2, min(wanted, least))


def _take_imported(
    stage: StageRun,
    name: str,
    items: pl.DataFrame,
    n_classes: int,
    cubes: dict[str, np.ndarray],
    facts: list[dict[str, Any]],
) -> None:
    cube, about = aligned_predictions(stage.round.project, name, items["item"].to_numpy(), n_classes)
    covered = int(np.isfinite(cube[0, :, 0]).sum())
    if not about["out_of_fold"]:
        stage.lack(
            f"The predictions {name} are in-sample: their measures may be far too easy, and wrong labels look right.",
            "Import out-of-fold predictions and say so with --out-of-fold.",
        )
    if covered < len(items):
        stage.lack(f"{name} has predictions for {covered} of {len(items)} items.", "Import the others too.")
    asked: dict[str, Any] = next((entry for entry in stage.params["learners"] if entry["name"] == name), {})
    if asked.get("sha256") not in (None, about["sha256"]):
        stage.lack(f"{name} was imported anew after the round began; the newer predictions were used.",
                   "Nothing needs to be done; a new round says what it started from.")  # fmt: skip
    cubes[name] = cube
    label = stage.folder.read_table("people.parquet", ["label"])["label"].fill_null(-1).to_numpy()
    facts.append({"name": name, "kind": "imported", "out_of_fold": about["out_of_fold"], "warnings": [],
                  **_quality(cubes[name], label)})  # fmt: skip


def _quality(cube: np.ndarray, label: np.ndarray) -> dict[str, Any]:
    """Accuracy and mean loss of the mean over seeds, where an item has a label and a prediction."""
    mean = cube.mean(axis=0, dtype=np.float64)
    known = (label >= 0) & np.isfinite(mean[:, 0])
    if not known.any():
        return {"accuracy": None, "mean_loss": None, "n_scored": 0}
    belief = mean[known, label[known]]
    return {
        "accuracy": float((mean[known].argmax(axis=1) == label[known]).mean()),
        "mean_loss": float(-np.log(np.clip(belief, 1e-15, 1.0)).mean()),
        "n_scored": int(known.sum()),
    }
