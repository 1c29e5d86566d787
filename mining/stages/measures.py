"""The hardness of every item by every measure: one immutable table."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from mining.hardness.dynamics import Dynamics, training_dynamics
from mining.hardness.gradient import grand_last_layer
from mining.hardness.neighbours import instance_hardness
from mining.hardness.registry import compute_measures
from mining.learners.errors import LearnerError
from mining.learners.mlp import follow_training
from mining.predictions import aligned_epochs
from mining.selectors.choices import FILE_PREFIX, learner_title

from .context import PieceRun, StageRun
from .fold_pieces import have_features, kept_features
from .groups import GROUPS, is_held_out
from .model_facts import write_model_facts
from .neighbour_pieces import disagreeing_neighbours, do_neighbours

PEOPLE_COLUMNS = (
    "item", "ordinal", "path", "given", "consensus", "consensus_confidence", "label", "label_from",
    "label_confidence", "n_judgments", "n_censored", "n_labels", "time_hardness", "time_alone", "time_se",
    "time_reliability", "raw_mean_ms", "geometric_mean_ms", "disagreement", "label_entropy",
)  # fmt: skip


def run(stage: StageRun) -> dict[str, Any]:
    """Write measures.parquet."""
    people = stage.folder.read_table("people.parquet")
    label = people["label"].fill_null(-1).to_numpy().astype(np.int64)
    cubes = stage.folder.read_arrays("predictions.npz")
    learners = stage.folder.read_json("predictions.json")["learners"]
    in_sample = {one["name"] for one in learners if not one["out_of_fold"]}
    columns: dict[str, Any] = {}
    means: dict[str, np.ndarray] = {}
    steps = len(cubes) + 2
    for done, name in enumerate(cubes):
        stage.run.progress(done, steps, stage=f"Measures of {learner_title(name)}")
        means[name] = cubes[name].mean(axis=0, dtype=np.float64)
        columns |= _of_learner(name, means[name], label)
        columns |= _of_training(stage, name, means[name], label)
    stage.run.progress(steps - 2, steps, stage="Neighbours and committees")
    fair = [means[name] for name in means if name not in in_sample] or list(means.values())
    if len(fair) > 1:  # a learner that knows the labels by heart says nothing of how hard they are
        columns["instance_hardness"] = instance_hardness(fair, label)
    if cubes:
        around = disagreeing_neighbours(stage)
        if np.isfinite(around).any():
            columns["kdn"] = around
    # An all-NaN column is kept as unknown, so that every table of a project has the same shape.
    human = stage.folder.read_json("people.json").get("human", {}).get("column", "time_hardness")
    names = [*PEOPLE_COLUMNS, *({human} - set(PEOPLE_COLUMNS))]
    split = stage.folder.read_table(GROUPS, ["split"])["split"]
    table = people.select(names).insert_column(PEOPLE_COLUMNS.index("n_judgments"), split).with_columns(
        **{name: pl.Series(values) for name, values in columns.items()}
    ).with_columns(pl.col(pl.Float64).fill_nan(None))  # fmt: skip
    stage.run.progress(steps - 1, steps, stage="Writing")
    stage.write_table("measures.parquet", table)
    write_model_facts(stage, table, means, in_sample)
    return stage.result(n_items=len(table), columns=table.columns)


def do_piece(piece: PieceRun, **work: Any) -> dict[str, Any]:
    """Look at the neighbours of some of the items."""
    return do_neighbours(piece, **work)


def _of_learner(name: str, mean: np.ndarray, label: np.ndarray) -> dict[str, Any]:
    known = np.isfinite(mean[:, 0])
    belief = np.where(known & (label >= 0), mean[np.arange(len(mean)), np.maximum(label, 0)], np.nan)
    predicted = np.where(known, np.where(known[:, None], mean, 0.0).argmax(axis=1), -1).astype(np.int16)
    coded = pl.Series(predicted).to_frame("p").select(pl.when(pl.col("p") >= 0).then(pl.col("p")))["p"]
    columns: dict[str, Any] = {f"{name}.predicted": coded, f"{name}.p_label": belief}
    for measure, values in compute_measures(mean, label).items():
        if np.isfinite(values).any():
            columns[f"{name}.{measure}"] = values
    return columns


def _of_training(stage: StageRun, name: str, mean: np.ndarray, label: np.ndarray) -> dict[str, Any]:
    """Return what the training itself says: dynamics where epochs are known, GraNd where the model is linear."""
    if name.startswith(FILE_PREFIX):
        items = stage.folder.read_table("items.parquet", ["item"])["item"].to_numpy()
        epochs = aligned_epochs(stage.round.project, name, items, mean.shape[1])
        followed = None if epochs is None else training_dynamics(epochs, label)
        return _known({} if followed is None else followed.as_columns(), name)
    if name not in ("mlp", "logistic"):
        return {}
    features = kept_features(stage)
    known = have_features(features) & np.isfinite(mean[:, 0])
    if name == "mlp":
        learnt = np.where(known & ~is_held_out(stage), label, -1)
        return _known(_followed(stage, features, learnt, mean.shape[1]), name)
    scores = np.full(len(label), np.nan)
    if known.any():
        scaled = features[known].astype(np.float64)
        spread = scaled.std(axis=0)
        scaled = (scaled - scaled.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        scores[known] = grand_last_layer(mean[known], label[known], scaled)
    return _known({"grand_last_layer": scores}, name)


def _followed(stage: StageRun, features: np.ndarray, label: np.ndarray, n_classes: int) -> dict[str, np.ndarray]:
    values: dict[str, Any] = next((entry["params"] for entry in stage.params["learners"] if entry["name"] == "mlp"), {})
    try:
        found: Dynamics = follow_training(
            features, label, n_classes=n_classes, seed=stage.params["seed"], **values,
            on_progress=stage.on_progress("Following the training of the network"),
        )  # fmt: skip
    except LearnerError as reason:
        stage.run.note(f"The training of the network could not be followed: {reason}.", level="warning")
        return {}
    return found.as_columns()


def _known(columns: dict[str, Any], name: str) -> dict[str, Any]:
    return {f"{name}.{measure}": values for measure, values in columns.items() if np.isfinite(values).any()}
