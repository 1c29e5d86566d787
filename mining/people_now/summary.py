"""From trials and estimates to what the Hardness page shows. Arrays in, plain numbers out."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from mining.hardness import units
from mining.hardness.agreement import count_labels, disagreement
from mining.hardness.agreement_coefficients import fleiss_kappa, krippendorff_alpha
from mining.people import NO_LABELS, NO_TIMES

from .estimates import Estimates
from .stored_trials import StoredTrials

TARGET = 0.8
"""Reliability that "judgments still needed" aims at."""
N_HARDEST, N_PAIRS, N_IMAGES = 25, 25, 25
BOOTSTRAP_ITEMS, RESAMPLES = 5_000, 300


def summarise(stored: StoredTrials, found: Estimates, *, n_classes: int, by_object: bool) -> dict[str, Any]:
    """Return the facts of the Hardness page; items, classes and images by their ids and codes."""
    trials, items = stored.trials, stored.items
    timed = trials.filter("timed")
    counts = _label_counts(trials, len(items), n_classes)
    most = np.where(counts.sum(axis=1) > 0, counts.argmax(axis=1), items["given"].fill_null(-1).to_numpy())
    facts: dict[str, Any] = {
        "n_items": len(items), "n_trials": len(trials), "n_timed": timed["response_ms"].count(),
        "n_censored": int(timed["censored"].sum()), "n_annotators": trials["annotator"].n_unique(),
        "n_labels": int(counts.sum()), "missing": _missing(found, timed, counts), "whole": found.whole,
        "has_synthetic": bool((trials["source"] == "synthetic").any()),
        "typical": _typical(timed), "agreement": _agreement(counts), "pairs": [], "classes": [], "hardest": [],
        "images": [], "warnings": [],
    }  # fmt: skip
    fit, alone = found.fit, found.alone
    if fit is not None and alone is not None:
        needed = fit.judgments_needed(TARGET)
        judged = fit.n_judgments > 0
        facts |= {
            "scale": fit.scale, "reliability": fit.reliability, "reliability_alone": alone.reliability,
            "item_sd": fit.item_sd, "n_judged": int(judged.sum()), "target": TARGET,
            "needed": int(needed[needed > 0].sum()) if (needed >= 0).all() else None,
            "n_short": int((needed > 0).sum()) if (needed >= 0).all() else None,
            "warnings": [{"name": one.name, "message": one.message} for one in fit.warnings],
            "hardest": _hardest(fit, needed, items, counts, most),
            "class_scale": alone.scale, "classes": _classes(alone, most, n_classes),
            "images": _images(fit, items) if by_object else [],
        }  # fmt: skip
    facts["pairs"] = _pairs(counts, alone)
    return facts


def _missing(found: Estimates, timed: pl.DataFrame, counts: np.ndarray) -> list[dict[str, str]]:
    missing = []
    if found.refused:
        missing.append({"what": f"Response times cannot be used: {found.refused}", "remedy": ""})
    elif found.fit is None:
        missing.append(NO_TIMES)
    if not counts.any():
        missing.append(NO_LABELS)
    return missing


def latest_looks(trials: pl.DataFrame) -> pl.DataFrame:
    """Return one labelled trial an annotator and item: of somebody who was asked again, the latest look counts."""
    labelled = trials.filter(pl.col("label").is_not_null())
    if labelled["look"].max() in (None, 1):
        return labelled
    return labelled.sort("look", "trial").unique(["item", "annotator"], keep="last", maintain_order=True)


def _label_counts(trials: pl.DataFrame, n_items: int, n_classes: int) -> np.ndarray:
    labelled = latest_looks(trials)
    return count_labels(
        labelled["item"].to_numpy().astype(np.int64), labelled["label"].to_numpy().astype(np.int64), n_items,
        max(n_classes, 1),
    )  # fmt: skip


def _typical(timed: pl.DataFrame) -> dict[str, Any]:
    found = units.typical_time(
        timed["item"].to_numpy().astype(np.int64), timed["annotator"].to_numpy().astype(np.int64),
        timed["response_ms"].fill_null(np.nan).to_numpy(),
    )  # fmt: skip
    return {"value": found.value, "low": found.low, "high": found.high, "n": found.n_trials}


def _agreement(counts: np.ndarray) -> dict[str, Any]:
    """Coefficients over all items; in large projects the interval is scaled from that of a sample of items."""
    twice = counts[counts.sum(axis=1) >= 2]
    if not len(twice):
        return {"alpha": None, "kappa": None, "disagreement": None, "n_items": 0}
    several = (
        int((twice.sum(axis=0) > 0).sum()) > 1
    )  # where all answers are the same, agreement beyond chance is unknown
    small = len(twice) <= BOOTSTRAP_ITEMS
    alpha = krippendorff_alpha(*_spread_out(twice), n_resamples=RESAMPLES if small and several else 0)
    low, high = alpha.low, alpha.high
    if several and not small:
        drawn = twice[np.random.default_rng(0).choice(len(twice), BOOTSTRAP_ITEMS, replace=False)]
        some = krippendorff_alpha(*_spread_out(drawn), n_resamples=RESAMPLES)
        shrink = (BOOTSTRAP_ITEMS / len(twice)) ** 0.5
        low, high = (alpha.value + shrink * (end - some.value) for end in (some.low, some.high))
    share = disagreement(twice)
    mean, half = float(share.mean()), units.Z * float(share.std()) / len(twice) ** 0.5
    return {
        "alpha": {"value": alpha.value, "low": low, "high": high}, "kappa": fleiss_kappa(twice),
        "disagreement": {"value": mean, "low": max(mean - half, 0.0), "high": min(mean + half, 1.0)},
        "n_items": len(twice),
    }  # fmt: skip


def _spread_out(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (item, label) codes of one row a label."""
    item, label = np.nonzero(counts)
    times = counts[item, label].astype(np.int64)
    return np.repeat(item, times), np.repeat(label, times)


def _hardest(
    fit: Any, needed: np.ndarray, items: pl.DataFrame, counts: np.ndarray, most: np.ndarray
) -> list[dict[str, Any]]:
    effect = np.where(np.isnan(fit.item_effect), -np.inf, fit.item_effect)
    n = min(N_HARDEST, int(np.isfinite(effect).sum()))
    if n == 0:
        return []
    top = np.argpartition(-effect, n - 1)[:n]
    top = top[np.lexsort((top, -effect[top]))]
    ids = items["item"].to_numpy()
    rows = []
    for row in top.tolist():
        value, se = float(fit.item_effect[row]), float(fit.item_se[row])
        given = np.flatnonzero(counts[row])
        answers = sorted(((int(code), int(counts[row, code])) for code in given), key=lambda pair: (-pair[1], pair[0]))
        rows.append({
            "item": int(ids[row]), "value": value, "se": se, "low": value - units.Z * se, "high": value + units.Z * se,
            "n_judgments": int(fit.n_judgments[row]), "n_censored": int(fit.n_censored[row]),
            "needed": int(needed[row]), "label": int(most[row]), "answers": answers,
        })  # fmt: skip
    return rows


def _classes(alone: Any, most: np.ndarray, n_classes: int) -> list[dict[str, Any]]:
    if not alone.item_sd > 0 or not n_classes:
        return []
    found = units.of_kinds(alone.item_effect, alone.item_se, alone.item_sd, most, n_classes)
    rows = _rows(found, "code")
    return sorted(rows, key=lambda row: -row["value"])


def _images(fit: Any, items: pl.DataFrame) -> list[dict[str, Any]]:
    """Images by the mean hardness of their objects, with the hardest of them."""
    group = items["image"].rank("dense").cast(pl.Int64).to_numpy() - 1
    n = int(group.max()) + 1 if len(group) else 0
    found = units.of_members(fit.item_effect, fit.item_se, group, n)
    worst = units.hardest_member(fit.item_effect, group, n)
    ids = items["item"].to_numpy()
    return [{**row, "hardest": int(ids[worst[row["image"]]])} for row in _rows(found, "image", N_IMAGES)]


def _rows(found: units.Units, name: str, most: int | None = None) -> list[dict[str, Any]]:
    known = np.flatnonzero(found.n_items > 0)
    known = known[np.argsort(-found.mean[known], kind="stable")][:most]
    return [
        {
            name: int(at), "value": float(found.mean[at]), "low": float(found.low[at]),
            "high": float(found.high[at]), "n_items": int(found.n_items[at]),
        }
        for at in known
    ]  # fmt: skip


def _pairs(counts: np.ndarray, alone: Any) -> list[dict[str, Any]]:
    found = units.confusion_pairs(counts)
    shown = min(N_PAIRS, found.share.size)
    rows = []
    for at in range(shown):
        a, b = int(found.first[at]), int(found.second[at])
        row: dict[str, Any] = {
            "first": a, "second": b, "share": float(found.share[at]), "low": float(found.low[at]),
            "high": float(found.high[at]), "n_items": int(found.n_items[at]), "time": None,
        }  # fmt: skip
        if alone is not None and alone.item_sd > 0:
            inside = np.where((counts[:, a] > 0) & (counts[:, b] > 0), 0, -1)
            of_pair = units.of_kinds(alone.item_effect, alone.item_se, alone.item_sd, inside, 1)
            if of_pair.n_items[0]:
                row["time"] = {"value": float(of_pair.mean[0]), "low": float(of_pair.low[0]),
                               "high": float(of_pair.high[0])}  # fmt: skip
        rows.append(row)
    return rows
