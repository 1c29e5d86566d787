"""Class probabilities of every item by models that were not trained on it, and imported ones."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import polars as pl

from mining.adapters.hard_sets import member_weights
from mining.learners.errors import LearnerError
from mining.learners.folds import ANY_FOLD, RareClassWarning, group_folds, unlearnable_classes
from mining.predictions import aligned_predictions
from mining.selectors.choices import FILE_PREFIX, learner_title

from .context import PieceRun, StageRun
from .fold_pieces import Folds, do_fold, have_features, judge_out_of_fold, kept_features
from .groups import deal_test

LABEL_MORE = "Label more items, or import them with labels (folders named by class)."
WHY_ABOVE = "What is said above is the reason; the stages about people go on."


def run(stage: StageRun) -> dict[str, Any]:
    """Write groups.parquet; predictions.npz: a cube (seeds, items, classes) a learner; and predictions.json."""
    items = stage.folder.read_table("items.parquet")
    dealt = deal_test(stage, items)  # an outside trainer deals its folds by these groups, too
    label = stage.folder.read_table("people.parquet", ["label"])["label"].fill_null(-1).to_numpy().astype(np.int64)
    # No label of the held-out test is learnt from: else what is mined would rest on it, and so would the verdict.
    learnt = np.where((dealt["split"] == "test").to_numpy(), -1, label)
    names = [entry["name"] for entry in stage.folder.read_json("snapshot.json")["classes"]]
    cubes: dict[str, np.ndarray] = {}
    facts: list[dict[str, Any]] = []
    trained = [entry for entry in stage.params["learners"] if not entry["name"].startswith(FILE_PREFIX)]
    for entry in stage.params["learners"]:
        if entry["name"].startswith(FILE_PREFIX):
            _take_imported(stage, entry["name"], items, len(names), cubes, facts)
    if trained and _can_learn(stage, learnt, names):
        _train_all(stage, trained, items, label, learnt, dealt["group"].to_numpy(), names, cubes, facts)
    elif not cubes:
        stage.lack("No model could be trained, so there are no measures of models.", WHY_ABOVE)
    stage.write_arrays("predictions.npz", cubes)
    stage.write_json("predictions.json", {"learners": facts})
    return stage.result(learners=facts, n_test=int((dealt["split"] == "test").sum()))


def _can_learn(stage: StageRun, label: np.ndarray, names: list[str]) -> bool:
    counts = np.bincount(label[label >= 0], minlength=len(names))
    seen = np.flatnonzero(counts)
    if len(names) < 2:
        stage.lack("The project has one class only: there is nothing to tell apart.", "Add a second class to it.")
        return False
    if len(seen) == 0:
        stage.lack("No item has a label.", LABEL_MORE)
        return False
    if len(seen) == 1:
        only = f"All are {names[seen[0]]!r}. Label items of a second class: there is nothing to tell apart yet."
        stage.lack("All labels are of one class.", only)
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
    learnt: np.ndarray,
    groups: np.ndarray,
    names: list[str],
    cubes: dict[str, np.ndarray],
    facts: list[dict[str, Any]],
) -> None:
    features = kept_features(stage)
    known = have_features(features)
    if not known.any():
        stage.lack("No item has features.", "Look at the features stage: it says why.")
        return
    usable = np.where(known, learnt, -1)
    if not _can_learn(stage, usable, names):
        return
    _say_what_is_constant(stage, features, known)
    n_folds = _possible_folds(stage, usable, groups, names)
    _say_what_only_the_test_has(stage, np.where(known, label, -1), usable, names)
    lonely = unlearnable_classes(usable, groups)
    outside = " outside the held-out test" if (learnt != label).any() else ""
    if lonely:
        stage.lack(
            f"{_classes(names, lonely)} one separate image only{outside}: whoever judges it has not learnt the class, "
            "so it was left out of training, and its hardness says nothing.",
            "Label more items of it, or take the class out.",
        )
    seeds = [stage.params["seed"] + number for number in range(stage.params["n_seeds"])]
    fold = np.full((len(seeds), len(label)), ANY_FOLD, dtype=np.int64)
    try:
        for place, seed in enumerate(seeds):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RareClassWarning)  # said above, with the names of the classes
                fold[place, known] = group_folds(usable[known], groups[known], n_folds, seed)
    except LearnerError as reason:
        stage.lack(f"The items cannot be dealt to folds: {reason}.", LABEL_MORE)
        return
    weight = member_weights(stage.params["include_hard_sets"], items["item"].to_numpy())
    train = np.where(np.isin(usable, lonely), -1, usable)
    judged, refused = judge_out_of_fold(stage, entries, Folds(train, known, fold, weight, seeds, len(names)), usable)
    for name, why in refused.items():
        what = f"{learner_title(name)} could not be trained: {why}."
        stage.lack(what, "Choose other settings for it, or label more items.")
    for name, cube in judged.items():
        cubes[name] = cube
        facts.append({"name": name, "kind": "trained", "out_of_fold": True, "seeds": seeds, "n_folds": n_folds,
                      "warnings": [], **_quality(cube, label)})  # fmt: skip


def do_piece(piece: PieceRun, **work: Any) -> dict[str, Any]:
    """Train the model of one fold."""
    return do_fold(piece, **work)


def _say_what_is_constant(stage: StageRun, features: np.ndarray, known: np.ndarray) -> None:
    """Note columns that are the same for every item: a learner gets nothing from them, and no harm."""
    least, most = features[known].min(axis=0), features[known].max(axis=0)
    same = np.flatnonzero(least == most)
    if len(same) == features.shape[1]:
        stage.lack("All features are the same for every item: no learner can tell items apart.",
                   "Choose other features, or look at whether the images differ.")  # fmt: skip
    elif len(same):
        some = ", ".join(str(column + 1) for column in same[:10]) + (", …" if len(same) > 10 else "")
        stage.run.note(
            f"{len(same)} of {features.shape[1]} features are the same for every item (number {some}): they "
            "tell nothing and do no harm."
        )


def _say_what_only_the_test_has(stage: StageRun, label: np.ndarray, learnt: np.ndarray, names: list[str]) -> None:
    only = np.setdiff1d(label[label >= 0], learnt[learnt >= 0]).tolist()
    if only:
        stage.lack(
            f"{_classes(names, only)} labelled images in the held-out test only: no model that judges them has learnt "
            f"{'it' if len(only) == 1 else 'them'}.",
            "Label more items of it, or take the class out.",
        )


def _classes(names: list[str], codes: list[int]) -> str:
    quoted = [repr(names[code]) for code in codes[:10]] + (["…"] if len(codes) > 10 else [])
    return f"The class {quoted[0]} has" if len(codes) == 1 else f"The classes {', '.join(quoted)} have each"


def _possible_folds(stage: StageRun, label: np.ndarray, groups: np.ndarray, names: list[str]) -> int:
    """Return the number of folds asked for, or fewer where the smallest usable class has fewer separate images."""
    wanted = int(stage.params["n_folds"])
    codes = np.unique(label[label >= 0])
    counts = {int(code): len(np.unique(groups[label == code])) for code in codes}
    least = min((count for count in counts.values() if count >= 2), default=2)
    if least < wanted:
        rarest = [code for code, count in counts.items() if count == least]
        stage.run.note(
            f"{_classes(names, rarest)} {least} separate labelled images only; {wanted} folds became {least}."
        )
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
    title = learner_title(name)
    covered = int(np.isfinite(cube[0, :, 0]).sum())
    if not about["out_of_fold"]:
        stage.lack(
            f"The predictions {title} are in-sample: their measures may be far too easy, and wrong labels look right.",
            "Import out-of-fold predictions and say so with --out-of-fold.",
        )
    if covered < len(items):
        stage.lack(f"{title} has predictions for {covered} of {len(items)} items.", "Import the others too.")
    asked: dict[str, Any] = next((entry for entry in stage.params["learners"] if entry["name"] == name), {})
    if asked.get("sha256") not in (None, about["sha256"]):
        stage.lack(f"{title} was imported anew after the round began; the newer predictions were used.",
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
