"""From trials and estimates to what the Hardness page shows. Arrays in, plain numbers out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from mining.hardness import units
from mining.hardness.agreement import count_labels
from mining.human_words import DEFAULT_MEASURE
from mining.people import NO_LABELS, NO_TIMES, human_facts, labels_that_count

from .agreement import agreement_of
from .cautions import cautions_of
from .estimates import Estimates
from .scores import Scores, chosen_scores
from .stored_trials import StoredTrials

TARGET = 0.8
"""Reliability that "judgments still needed" aims at."""
N_HARDEST, N_PAIRS, N_IMAGES = 25, 25, 25


@dataclass(frozen=True)
class Asked:
    """What a project wants to know: names of its classes by code, their level, the chosen measure, its unit."""

    classes: Sequence[str]
    level: str = "nominal"
    measure: str = DEFAULT_MEASURE
    by_object: bool = False


def summarise(stored: StoredTrials, found: Estimates, asked: Asked) -> dict[str, Any]:
    """Return the facts of the Hardness page; items, classes and images by their ids and codes."""
    trials, items, n_classes = stored.trials, stored.items, len(asked.classes)
    timed = trials.filter("timed")
    counts = _label_counts(trials, len(items), n_classes)
    most = np.where(counts.sum(axis=1) > 0, counts.argmax(axis=1), items["given"].fill_null(-1).to_numpy())
    facts: dict[str, Any] = {
        "n_items": len(items), "n_trials": len(trials), "n_timed": timed["response_ms"].count(),
        "n_censored": int(timed["censored"].sum()), "n_annotators": trials["annotator"].n_unique(),
        "n_labels": int(counts.sum()), "missing": _missing(found, timed, counts), "whole": found.whole,
        "has_synthetic": bool((trials["source"] == "synthetic").any()),
        "typical": _typical(timed), "agreement": agreement_of(counts, asked.classes, asked.level),
        "pairs": [], "classes": [], "hardest": [],
        "images": [], "warnings": [],
    }  # fmt: skip
    fit, alone = found.fit, found.alone
    needed = None if fit is None else fit.judgments_needed(TARGET)
    known = needed is not None and bool((needed >= 0).all())
    total = int(needed[needed > 0].sum()) if needed is not None and known else None
    if fit is not None and alone is not None and needed is not None:
        facts |= {
            "scale": fit.scale, "reliability": fit.reliability, "reliability_alone": alone.reliability,
            "item_sd": fit.item_sd, "n_judged": int((fit.n_judgments > 0).sum()), "target": TARGET, "needed": total,
            "n_short": int((needed > 0).sum()) if known else None,
        }  # fmt: skip
    facts["warnings"] = cautions_of(stored, found, needed=total, target=TARGET)
    scores = chosen_scores(asked.measure, trials, found, len(items))
    facts["human"] = human_facts(asked.measure, scores.unit)
    facts |= {
        "hardest": _hardest(scores, fit, needed, items, counts, most),
        "class_scale": scores.unit_of_classes, "classes": _classes(scores, most, n_classes),
        "images": _images(scores, items) if asked.by_object else [],
        "n_images": items["image"].n_unique() if asked.by_object else 0,
    }  # fmt: skip
    facts["pairs"] = _pairs(counts, scores)
    return facts


def _missing(found: Estimates, timed: pl.DataFrame, counts: np.ndarray) -> list[dict[str, str]]:
    missing = []
    if found.fit is None and not found.refused:
        missing.append(NO_TIMES)
    if not counts.any():
        missing.append(NO_LABELS)
    return missing


def _label_counts(trials: pl.DataFrame, n_items: int, n_classes: int) -> np.ndarray:
    labelled = labels_that_count(trials)
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


def _hardest(
    scores: Scores, fit: Any, needed: np.ndarray | None, items: pl.DataFrame, counts: np.ndarray, most: np.ndarray
) -> list[dict[str, Any]]:
    values = np.where(np.isnan(scores.value), -np.inf, scores.value)
    n = min(N_HARDEST, int(np.isfinite(values).sum()))
    if n == 0:
        return []
    top = np.argpartition(-values, n - 1)[:n]
    top = top[np.lexsort((top, -values[top]))]
    ids = items["item"].to_numpy()
    rows = []
    for row in top.tolist():
        value, se = float(values[row]), float(scores.se[row])
        given = np.flatnonzero(counts[row])
        answers = sorted(((int(code), int(counts[row, code])) for code in given), key=lambda pair: (-pair[1], pair[0]))
        rows.append({
            "item": int(ids[row]), "value": value, "se": se, "low": value - units.Z * se, "high": value + units.Z * se,
            "n_judgments": int(counts[row].sum()) if fit is None else int(fit.n_judgments[row]),
            "n_censored": 0 if fit is None else int(fit.n_censored[row]),
            "needed": -1 if needed is None else int(needed[row]), "label": int(most[row]), "answers": answers,
        })  # fmt: skip
    return rows


def _classes(scores: Scores, most: np.ndarray, n_classes: int) -> list[dict[str, Any]]:
    if not n_classes or not scores.kinds.sd > 0:
        return []
    found = units.of_kinds(scores.kinds.value, scores.kinds.se, scores.kinds.sd, most, n_classes)
    rows = _rows(found, "code")
    return sorted(rows, key=lambda row: -row["value"])


def _images(scores: Scores, items: pl.DataFrame) -> list[dict[str, Any]]:
    """Images by the mean hardness of their objects, with the hardest of them."""
    group = items["image"].rank("dense").cast(pl.Int64).to_numpy() - 1
    n = int(group.max()) + 1 if len(group) else 0
    # A recipe without standard errors has none for an image either: NaN, which pages show as unknown.
    found = units.of_members(scores.value, np.nan_to_num(scores.se), group, n)
    worst = units.hardest_member(scores.value, group, n)
    ids = items["item"].to_numpy()
    rows = [{**row, "hardest": int(ids[worst[row["image"]]])} for row in _rows(found, "image", N_IMAGES)]
    if not scores.has_se:
        rows = [{**row, "low": None, "high": None} for row in rows]
    return rows


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


def _pairs(counts: np.ndarray, scores: Scores) -> list[dict[str, Any]]:
    found = units.confusion_pairs(counts)
    shown = min(N_PAIRS, found.share.size)
    named = np.union1d(found.first[:shown], found.second[:shown]).tolist() if scores.kinds.sd > 0 else []
    answered = {code: counts[:, code] > 0 for code in named}
    rows = []
    for at in range(shown):
        a, b = int(found.first[at]), int(found.second[at])
        row: dict[str, Any] = {
            "first": a, "second": b, "share": float(found.share[at]), "low": float(found.low[at]),
            "high": float(found.high[at]), "n_items": int(found.n_items[at]), "time": None,
        }  # fmt: skip
        if scores.kinds.sd > 0:
            inside = np.where(answered[a] & answered[b], 0, -1)
            of_pair = units.of_kinds(scores.kinds.value, scores.kinds.se, scores.kinds.sd, inside, 1)
            if of_pair.n_items[0]:
                row["time"] = {"value": float(of_pair.mean[0]), "low": float(of_pair.low[0]),
                               "high": float(of_pair.high[0])}  # fmt: skip
        rows.append(row)
    return rows
