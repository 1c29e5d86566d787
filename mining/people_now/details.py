"""What takes longer than the Hardness page may wait: annotators one by one, and how reliable every measure is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from mining.comparison.reliability import Score, split_half_reliability
from mining.hardness.annotators import FAST_GUESS_MS, describe_annotators, practice_curve
from mining.hardness.human_measures import HUMAN_MEASURES, HumanMeasure
from mining.hardness.timing import BadTrials

from .stored_trials import StoredTrials
from .summary import latest_looks

MOST_TRIALS = 10_000
"""Reliability is measured on whole items up to so many trials: that tells it to a hundredth or two."""
N_SPLITS = 20
CURVE_POINTS = 12


def annotator_facts(stored: StoredTrials) -> dict[str, Any]:
    """Return one row an annotator, by id; None where there is nothing to tell."""
    trials = stored.trials.filter(~pl.col("assisted")).sort("annotator", "position", "look")
    who = trials["annotator"].to_numpy().astype(np.int64)
    times = trials["response_ms"].fill_null(np.nan).to_numpy()
    place = trials["position"].to_numpy()
    size = len(stored.annotators)
    given = stored.items["given"].fill_null(-1).to_numpy()[trials["item"].to_numpy()]
    table = describe_annotators(
        who, times, item=trials["item"].to_numpy().astype(np.int64), position=place,
        session=trials["session"].rank("dense").cast(pl.Int64).to_numpy() - 1,
        label=trials["label"].fill_null(-1).to_numpy(), gold=given if (given >= 0).any() else None, n_annotators=size,
    )  # fmt: skip
    reasons = _reasons(trials)
    starts = np.searchsorted(who, np.arange(size + 1))
    rows = []
    for code, (pk, kind) in enumerate(stored.annotators.select("id", "kind").iter_rows()):
        if not table.n_trials[code]:
            continue
        own = slice(starts[code], starts[code + 1])
        at, ms = practice_curve(place[own], times[own], CURVE_POINTS)
        rows.append({
            "id": pk, "kind": kind, **{name: getattr(table, name)[code] for name in table.__slots__},
            "reasons": reasons.get(code, []), "curve": [[float(x), float(y)] for x, y in zip(at, ms, strict=True)],
        })  # fmt: skip
    rows.sort(key=lambda row: -row["n_trials"])
    return {"rows": rows, "fast_guess_ms": FAST_GUESS_MS, "n_trials": len(stored.trials)}


def _reasons(trials: pl.DataFrame) -> dict[int, list[tuple[str, int]]]:
    without = trials.filter(pl.col("response_ms").is_null()).group_by("annotator", "null_reason").len()
    found: dict[int, list[tuple[str, int]]] = {}
    for code, reason, count in without.sort("len", "null_reason", descending=[True, False]).iter_rows():
        found.setdefault(code, []).append((reason or "", count))
    return found


def measure_facts(stored: StoredTrials, on_measure: Callable[[int, str], None]) -> dict[str, Any]:
    """Return every measure with its split-half reliability over annotators, on this project's own trials."""
    trials = latest_looks(stored.trials.filter("timed"))
    some = _sample_of_items(trials)
    item = some["item"].rank("dense").cast(pl.Int64).to_numpy() - 1
    columns = (
        item, some["annotator"].to_numpy().astype(np.int64), some["response_ms"].fill_null(np.nan).to_numpy(),
        some["label"].fill_null(-1).to_numpy().astype(np.int64),
    )  # fmt: skip
    n_items = int(item.max()) + 1 if len(item) else 0
    rows = []
    for number, measure in enumerate(HUMAN_MEASURES.values()):
        on_measure(number, measure.title)
        try:
            split = split_half_reliability(*columns, score=_score(measure), n_items=n_items, n_splits=N_SPLITS)
            # The correction for half the annotators has no meaning below zero, and runs away there.
            ends = [None if end is None else max(end, -1.0) for end in (split.reliability, split.low, split.high)]
            known = (*ends, split.reason)
        except BadTrials as reason:
            known = (None, None, None, str(reason))
        rows.append({"name": measure.name, **dict(zip(("value", "low", "high", "reason"), known, strict=True))})
    return {
        "rows": rows, "n_items": n_items, "n_trials": len(some), "sampled": len(some) < len(trials),
        "n_annotators": some["annotator"].n_unique(), "n_splits": N_SPLITS,
    }  # fmt: skip


def _score(measure: HumanMeasure) -> Score:
    def score(
        item: np.ndarray, annotator: np.ndarray, response_ms: np.ndarray, label: np.ndarray, n_items: int
    ) -> np.ndarray:
        if "labels" in measure.needs and not (label >= 0).any():
            return np.full(n_items, np.nan)
        return measure.compute(item, annotator, response_ms, label, n_items=n_items)

    return score


def _sample_of_items(trials: pl.DataFrame) -> pl.DataFrame:
    if len(trials) <= MOST_TRIALS:
        return trials
    items = trials["item"].unique().sort()
    share = MOST_TRIALS / len(trials)
    kept = items.sample(max(int(len(items) * share), 1), seed=0)
    return trials.filter(pl.col("item").is_in(kept.implode()))
