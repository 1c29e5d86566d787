"""What takes longer than the Hardness page may wait: how reliable every measure is on this project's own trials."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from mining.comparison.reliability import split_half_reliability
from mining.hardness.human_measures import HUMAN_MEASURES
from mining.hardness.timing import BadTrials
from mining.people import labels_that_count, score_of

from .stored_trials import StoredTrials

MOST_TRIALS = 10_000
"""Reliability is measured on whole items up to so many trials: that tells it to a hundredth or two."""
N_SPLITS = 20


def measure_facts(stored: StoredTrials, on_measure: Callable[[int, str], None]) -> dict[str, Any]:
    """Return every measure with its split-half reliability over annotators, on this project's own trials."""
    trials = labels_that_count(stored.trials.filter("timed"))
    some = _sample_of_items(trials)
    item = some["item"].rank("dense").cast(pl.Int64).to_numpy() - 1
    columns = (
        item, some["annotator"].to_numpy().astype(np.int64), some["response_ms"].fill_null(np.nan).to_numpy(),
        some["label"].fill_null(-1).to_numpy().astype(np.int64),
    )  # fmt: skip
    n_items = int(item.max()) + 1 if len(item) else 0
    rows, n_splits = [], 0
    for number, measure in enumerate(HUMAN_MEASURES.values()):
        on_measure(number, measure.title)
        try:
            split = split_half_reliability(*columns, score=score_of(measure.name), n_items=n_items, n_splits=N_SPLITS)
            # The correction for half the annotators has no meaning below zero, and runs away there.
            ends = [None if end is None else max(end, -1.0) for end in (split.reliability, split.low, split.high)]
            known, n_splits = (*ends, split.reason), max(n_splits, split.n_splits)
        except BadTrials as reason:
            known = (None, None, None, str(reason))
        rows.append({"name": measure.name, **dict(zip(("value", "low", "high", "reason"), known, strict=True))})
    return {
        "rows": rows, "n_items": n_items, "n_trials": len(some), "sampled": len(some) < len(trials),
        "n_annotators": some["annotator"].n_unique(), "n_splits": n_splits,
    }  # fmt: skip


def _sample_of_items(trials: pl.DataFrame) -> pl.DataFrame:
    if len(trials) <= MOST_TRIALS:
        return trials
    items = trials["item"].unique().sort()
    share = MOST_TRIALS / len(trials)
    kept = items.sample(max(int(len(items) * share), 1), seed=0)
    return trials.filter(pl.col("item").is_in(kept.implode()))
