"""What models say beside the measures: suspicious items, label errors, classes. model.json, see docs/rounds.md."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from mining.comparison.class_views import class_means, confused_pairs, differing_shares, wrong_shares
from mining.hardness.confident_learning import probable_label_errors
from mining.strategies.suspicious import resolve_by_neighbours

from .context import StageRun

THRESHOLD, THRESHOLD_OF_TWO = 0.5, 0.75
"""Of two classes one always reaches .5: there an item is suspicious below .75."""
MOST_RESOLVED = 20_000
"""Neighbours are looked for of so many suspicious items at most, drawn at random."""
MOST_COUNTS = 50_000_000
"""Numbers in the table of people's answers by item and class; beyond that a random sample of the items."""
ITEMS_SHOWN, EXAMPLES = 24, 4


def write_model_facts(stage: StageRun, table: pl.DataFrame, means: dict[str, np.ndarray], in_sample: set[str]) -> None:
    """Write model.json from measures.parquet and the mean probabilities (n, K) of every learner."""
    label = _codes(table, "label")
    items = table["item"].to_numpy()
    learners = []
    for name, mean in means.items():
        learners.append(
            {
                "name": name,
                "in_sample": name in in_sample,
                "suspicious": _suspicious(mean, label, items, stage.params["seed"]),
                "label_errors": _label_errors(mean, label, items, table, name),
            }
        )
    n_classes = (
        next(iter(means.values())).shape[1] if means else len(stage.folder.read_json("snapshot.json")["classes"])
    )
    facts = {"version": 1, "learners": learners, "classes": _classes(stage, table, label, list(means), n_classes)}
    stage.write_json("model.json", facts)


def _codes(table: pl.DataFrame, name: str) -> np.ndarray:
    return table[name].fill_null(-1).to_numpy().astype(np.int64)


def _suspicious(mean: np.ndarray, label: np.ndarray, items: np.ndarray, seed: int) -> dict[str, Any]:
    threshold = THRESHOLD if mean.shape[1] > 2 else THRESHOLD_OF_TWO
    known = np.flatnonzero(np.isfinite(mean[:, 0]))
    top = mean[known].max(axis=1)
    rows = known[top < threshold]
    rows = rows[np.argsort(mean[rows].max(axis=1), kind="stable")]
    asked = rows
    if len(rows) > MOST_RESOLVED:
        asked = np.sort(np.random.default_rng(seed).choice(rows, MOST_RESOLVED, replace=False))
    voters = np.where(np.isfinite(mean[:, 0]), label, -1)
    found = resolve_by_neighbours(np.nan_to_num(mean), voters, asked, seed=seed)
    said = dict(zip(found.index.tolist(), found.by_neighbours.tolist(), strict=True))
    shown = [row for row in rows.tolist() if row in said][:ITEMS_SHOWN]
    return {
        "threshold": threshold, "n": len(rows), "n_known": len(known), "n_resolved": len(asked),
        "n_labelled": found.n_labelled, "accuracy_argmax": found.accuracy_argmax,
        "accuracy_neighbours": found.accuracy_neighbours,
        "difference": {"value": found.difference, "low": found.interval[0], "high": found.interval[1]},
        "verdict": found.verdict if found.n_labelled else "",
        "items": [
            {"item": int(items[row]), "top": float(mean[row].max()), "argmax": int(mean[row].argmax()),
             "neighbours": said[row], "label": int(label[row])}
            for row in shown
        ],
    }  # fmt: skip


def _label_errors(
    mean: np.ndarray, label: np.ndarray, items: np.ndarray, table: pl.DataFrame, name: str
) -> dict[str, Any]:
    known = np.isfinite(mean[:, 0])
    try:
        marked = probable_label_errors(mean, np.where(known, label, -1))
    except (ValueError, AssertionError) as reason:
        return {"n": None, "n_known": int(known.sum()), "items": [], "reason": str(reason)}
    belief = np.full(len(label), np.nan)
    belief[marked] = mean[marked, label[marked]]
    rows = np.flatnonzero(marked)
    rows = rows[np.argsort(belief[rows], kind="stable")]
    origin = table["label_from"].to_list()
    return {
        "n": len(rows), "n_known": int((known & (label >= 0)).sum()), "reason": "",
        "items": [
            {"item": int(items[row]), "label": int(label[row]), "label_from": origin[row],
             "predicted": int(mean[row].argmax()), "p_label": float(belief[row])}
            for row in rows[:ITEMS_SHOWN].tolist()
        ],
    }  # fmt: skip


def _classes(
    stage: StageRun, table: pl.DataFrame, label: np.ndarray, learners: list[str], n_classes: int
) -> dict[str, Any]:
    """Classes and pairs of them for people and for the first learner, with examples."""
    trials = stage.folder.read_table("trials.parquet", ["item", "label"]).drop_nulls("label")
    row, answer = trials["item"].to_numpy().astype(np.int64), trials["label"].to_numpy().astype(np.int64)
    learner = learners[0] if learners else None
    predicted = _codes(table, f"{learner}.predicted") if learner else np.full(len(table), -1, dtype=np.int64)
    loss = _floats(table, f"{learner}.loss")
    slow = class_means(_floats(table, "time_alone"), label, n_classes)
    lost = class_means(loss, label, n_classes)
    wrong = wrong_shares(label, predicted, n_classes)
    differ = differing_shares(row, answer, label, n_classes)
    items = table["item"].to_numpy()
    rows = [
        {
            "code": code, "n_items": int((label == code).sum()),
            "time": slow[code].as_dict(), "differing": differ[code].as_dict(),
            "loss": lost[code].as_dict(), "wrong": wrong[code].as_dict(),
            "items": _hardest(items, loss, np.flatnonzero(label == code)),
        }
        for code in range(n_classes)
    ]  # fmt: skip
    counts, sampled = _counts(row, answer, len(table), n_classes, stage.params["seed"])
    pairs = [
        {
            "first": pair.first, "second": pair.second, "people": pair.people.as_dict(), "model": pair.model.as_dict(),
            "items": _hardest(items, loss, np.flatnonzero(
                ((label == pair.first) & (predicted == pair.second))
                | ((label == pair.second) & (predicted == pair.first))
            )),
        }
        for pair in confused_pairs(counts, label, predicted, n_classes)
    ]  # fmt: skip
    return {"learner": learner, "rows": rows, "pairs": pairs, "n_sampled": sampled}


def _floats(table: pl.DataFrame, name: str) -> np.ndarray:
    if name not in table.columns:
        return np.full(len(table), np.nan)
    return table[name].cast(pl.Float64).fill_null(np.nan).to_numpy()


def _hardest(items: np.ndarray, loss: np.ndarray, rows: np.ndarray) -> list[int]:
    order = np.argsort(-np.nan_to_num(loss[rows], nan=-np.inf), kind="stable")
    return [int(one) for one in items[rows[order[:EXAMPLES]]]]


def _counts(
    row: np.ndarray, answer: np.ndarray, n_items: int, n_classes: int, seed: int
) -> tuple[np.ndarray | None, int | None]:
    """Return how often every item got every class, (m, K), and of how many items where that is a sample."""
    judged = np.unique(row)
    if not len(judged):
        return None, None
    most = max(1000, MOST_COUNTS // n_classes)
    sampled = None
    if len(judged) > most:
        judged = np.sort(np.random.default_rng(seed).choice(judged, most, replace=False))
        sampled = most
    place = np.full(n_items, -1, dtype=np.int64)
    place[judged] = np.arange(len(judged))
    use = place[row] >= 0
    flat = np.bincount(place[row[use]] * n_classes + answer[use], minlength=len(judged) * n_classes)
    return flat.reshape(len(judged), n_classes), sampled
