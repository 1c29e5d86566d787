"""The hardness of every item by every measure: one immutable table."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from mining.hardness.neighbours import MOST_REFERENCES, instance_hardness, kdn
from mining.hardness.registry import compute_measures

from .context import StageRun
from .features import features_of

PEOPLE_COLUMNS = (
    "item", "ordinal", "path", "given", "consensus", "consensus_confidence", "label", "label_from",
    "label_confidence", "split", "n_judgments", "n_censored", "n_labels", "time_hardness", "time_alone", "time_se",
    "time_reliability", "raw_mean_ms", "geometric_mean_ms", "disagreement", "label_entropy",
)  # fmt: skip


def run(stage: StageRun) -> dict[str, Any]:
    """Write measures.parquet."""
    people = stage.folder.read_table("people.parquet")
    label = people["label"].fill_null(-1).to_numpy().astype(np.int64)
    cubes = stage.folder.read_arrays("predictions.npz")
    columns: dict[str, Any] = {}
    means: dict[str, np.ndarray] = {}
    steps = len(cubes) + 2
    for done, name in enumerate(cubes):
        stage.run.progress(done, steps, stage=f"Measures of {name}")
        means[name] = cubes[name].mean(axis=0, dtype=np.float64)
        columns |= _of_learner(name, means[name], label)
    stage.run.progress(steps - 2, steps, stage="Neighbours and committees")
    if len(means) > 1:
        columns["instance_hardness"] = instance_hardness(list(means.values()), label)
    if cubes:
        _add_neighbours(stage, label, columns)
    # An all-NaN column is kept as unknown, so that every table of a project has the same shape.
    human = stage.folder.read_json("people.json").get("human", {}).get("column", "time_hardness")
    names = [*PEOPLE_COLUMNS, *({human} - set(PEOPLE_COLUMNS))]
    table = people.select(names).with_columns(
        **{name: pl.Series(values) for name, values in columns.items()}
    ).with_columns(pl.col(pl.Float64).fill_nan(None))  # fmt: skip
    stage.run.progress(steps - 1, steps, stage="Writing")
    stage.write_table("measures.parquet", table)
    return stage.result(n_items=len(table), columns=table.columns)


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


def _add_neighbours(stage: StageRun, label: np.ndarray, columns: dict[str, Any]) -> None:
    if (label >= 0).sum() > MOST_REFERENCES:
        stage.run.note(f"Neighbours were left out: a search over more than {MOST_REFERENCES} items takes too long.")
        return
    features, known = features_of(stage, stage.folder.read_table("items.parquet"))
    if known.any():
        scores = np.full(len(label), np.nan)
        scores[known] = kdn(features[known], label[known], seed=stage.params["seed"])
        if np.isfinite(scores).any():
            columns["kdn"] = scores
