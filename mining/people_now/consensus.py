"""The consensus label of every item as of now, with how sure it is, kept for the pages of items."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import polars as pl

from mining.artifacts import ArtifactMissing, Folder, plain
from mining.hardness.agreement import Consensus, HeldConsensus
from mining.people import consensus_of, labels_that_count

from .stored_trials import StoredTrials

MOST_HELD = 5_000_000
"""Entries of all confusion matrices (40 MB) up to which they are kept for `add_to_consensus`."""
ROWS_AT_ONCE = 8_192
"""A page of items decodes one or two groups of rows of the file, whatever its length."""


def weigh(labelled: pl.DataFrame, n_items: int, n_classes: int) -> Consensus | None:
    """Weigh the labels that count; None while there is no label."""
    return None if labelled.is_empty() or not n_classes else consensus_of(labelled, n_items, n_classes)


def keep_consensus(
    folder: Folder,
    items: pl.DataFrame,
    view: Consensus | None,
    stamp: dict[str, Any],
    newer: StoredTrials | None = None,
) -> None:
    """Write consensus.parquet and consensus.json; the items of `newer.new` are judged with those."""
    if view is None:
        _keep(folder, _table(*np.zeros((4, 0), np.int64)), {**stamp, "n_labels": 0, "method": ""})
        return
    known = np.flatnonzero(view.n_labels > 0)
    table = _table(items["item"].to_numpy()[known], view.label[known], view.confidence[known], view.n_labels[known])
    by_vote = view.method == "vote"
    if view.annotator_confusion.size <= MOST_HELD:
        held = {"confusion": view.annotator_confusion, "share": view.class_share, "by_vote": by_vote}
        folder.write_arrays("consensus.npz", {name: np.asarray(values) for name, values in held.items()})
    if newer is not None:
        table = _judge_again(HeldConsensus(view.annotator_confusion, view.class_share, by_vote), table, newer)
    facts = {"n_labels": _n_labels(table), "method": view.method, "converged": view.converged}
    _keep(folder, table, {**stamp, **facts})


def add_to_consensus(folder: Folder, newer: StoredTrials, stamp: dict[str, Any]) -> None:
    """Judge again the items of `newer.new`, by what the last whole consensus knows of annotators.

    In a large project weighing all labels anew takes half a minute; a few new ones change little but their own items.
    """
    try:
        facts, before = folder.read_json("consensus.json"), folder.read_table("consensus.parquet")
        known = folder.read_arrays("consensus.npz")
    except ArtifactMissing:
        return
    if newer.new.is_empty() or facts.get("version") != stamp["version"]:
        return
    held = HeldConsensus(known["confusion"], known["share"], bool(known["by_vote"]))
    table = _judge_again(held, before, newer)
    if table is not before:
        _keep(folder, table, {**facts, **stamp, "n_labels": _n_labels(table)})


def _judge_again(held: HeldConsensus, table: pl.DataFrame, newer: StoredTrials) -> pl.DataFrame:
    touched = newer.new["item"].unique().sort()
    labelled = labels_that_count(newer.trials.filter(pl.col("item").is_in(touched.implode())))
    if not labelled.is_empty() and int(labelled["label"].to_numpy().max()) >= held.class_share.size:
        return table  # a class that is new since: the next whole consensus knows it
    label, confidence, n_labels = held.judge(
        touched.search_sorted(labelled["item"]).to_numpy().astype(np.int64),
        labelled["annotator"].to_numpy().astype(np.int64), labelled["label"].to_numpy().astype(np.int64), len(touched),
    )  # fmt: skip
    ids, on = newer.items["item"].to_numpy()[touched.to_numpy()], n_labels > 0
    more = _table(ids[on], label[on], confidence[on], n_labels[on])
    rest = table.filter(~pl.col("item").is_in(pl.Series(ids).implode()))
    return pl.concat([rest, more]).sort("item")


def _n_labels(table: pl.DataFrame) -> int:
    return int(table["n_labels"].to_numpy().sum())


def _table(item: np.ndarray, label: np.ndarray, confidence: np.ndarray, n_labels: np.ndarray) -> pl.DataFrame:
    return pl.DataFrame({
        "item": item, "label": label.astype(np.int16), "confidence": confidence.astype(np.float32),
        "n_labels": n_labels.astype(np.int32),
    })  # fmt: skip


def _keep(folder: Folder, table: pl.DataFrame, facts: dict[str, Any]) -> None:
    buffer = io.BytesIO()
    table.write_parquet(buffer, compression="lz4", row_group_size=ROWS_AT_ONCE, statistics=True)
    folder.write_bytes("consensus.parquet", buffer.getvalue())
    folder.write_json("consensus.json", plain({**facts, "n_items": len(table)}))
