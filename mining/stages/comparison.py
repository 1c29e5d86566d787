"""Do people and models find the same items hard? comparison.json, see docs/rounds.md."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from mining.comparison.attenuation import disattenuate
from mining.comparison.intervals import Estimate, bootstrap_items_and_annotators, percentile_interval
from mining.comparison.overlap import overlap_at, rank_biased_overlap
from mining.comparison.quadrants import QUADRANT_TITLES, quadrants
from mining.comparison.rank_correlation import kendall, spearman, spearman_value, tied_share
from mining.comparison.reliability import Score, SplitHalf, split_half_reliability
from mining.comparison.within_between import within_and_between
from mining.hardness.registry import DESCRIPTIONS
from mining.human_words import DEFAULT_MEASURE, in_text
from mining.people import human_facts, score_of, trial_arrays, trials_for

from .context import StageRun

PEOPLE_MEASURES = {
    "time_hardness": "Time hardness with answers",
    "time_alone": "Time alone, without the answers",
    "disagreement": "Disagreement of people",
    "label_entropy": "Entropy of people's labels",
    "raw_mean_ms": "Raw mean of response times",
    "geometric_mean_ms": "Geometric mean of response times",
}
FEWEST_ITEMS = 10
ITEMS_SHOWN = 12
RESAMPLED_VALUES = 5_000_000
"""Work of a bootstrap: as many resamples as fit into this many values, so that a million items end in minutes."""
RESAMPLED_TRIALS = 2_000_000
ASK_PEOPLE = "Let people label at least ten items in the workbench, or import trials with response times."
QUADRANT_TEXTS = {
    "both_hard": "Slow for people and a high loss for the model: ambiguous or truly difficult.",
    "people_only": "Slow for people, easy for the model.",
    "model_only": "Quick for people, a high loss for the model: its blind spots, or wrong labels.",
    "both_easy": "Quick for people and easy for the model.",
}


def run(stage: StageRun) -> dict[str, Any]:
    """Write comparison.json."""
    table = stage.folder.read_table("measures.parquet")
    people = stage.folder.read_json("people.json")
    human = people.get("human") or human_facts(DEFAULT_MEASURE, people["time"].get("scale", ""))
    trials = trials_for(human["measure"], stage.folder.read_table("trials.parquet"))
    time = _column(table, human["column"])
    measures = [*(name for name in PEOPLE_MEASURES if name != human["column"]), *model_measures(table)]
    main = main_measure(table, stage.params)
    judged = int(np.isfinite(time).sum())
    comparison: dict[str, Any] = {"version": 1, "human": None, "main": main, "pairs": [], "quadrants": None}
    if judged < FEWEST_ITEMS:
        stage.lack(f"{judged} items have a {in_text(human['title'])}; a comparison needs {FEWEST_ITEMS}.", ASK_PEOPLE)
    else:
        stage.run.progress(0, len(measures) + 2, stage="Splitting annotators into halves")
        score = _time_scores if human["measure"] == DEFAULT_MEASURE else score_of(human["measure"])
        halves = _reliability(stage, trials, len(table), score)
        comparison["human"] = _human(time, trials, halves, human)
        draws = _draws_over_people(stage, trials, table, model_measures(table), score)
        for done, name in enumerate(measures):
            stage.run.progress(done + 2, len(measures) + 2, stage=f"Comparing with {name}")
            comparison["pairs"].append(
                _pair(stage, table, (human["column"], name), halves, draws.get(name), in_full=name == main)
            )
        if main is not None:
            comparison["quadrants"] = _quadrants(table, human["column"], main)
    if not model_measures(table):
        stage.lack("There are no measures of models to compare with.", "See what the predictions stage says.")
    comparison["missing"] = stage.missing
    stage.write_json("comparison.json", comparison)
    shown = next((pair for pair in comparison["pairs"] if pair["measure"] == main), None)
    return stage.result(main=main, spearman=shown and shown["spearman"], n_pairs=len(comparison["pairs"]))


def model_measures(table: pl.DataFrame) -> list[str]:
    """Return the columns that are measures of models, in their order."""
    return [name for name in table.columns if name.rpartition(".")[2] in DESCRIPTIONS and name not in PEOPLE_MEASURES]


def main_measure(table: pl.DataFrame, params: dict[str, Any]) -> str | None:
    """Return the measure that pages show first: the loss of the first learner that has one."""
    for entry in params["learners"]:
        if f"{entry['name']}.loss" in table.columns:
            return f"{entry['name']}.loss"
    return None


def title_of(measure: str) -> str:
    if measure in PEOPLE_MEASURES:
        return PEOPLE_MEASURES[measure]
    return DESCRIPTIONS[measure.rpartition(".")[2]].title


def _column(table: pl.DataFrame, name: str) -> np.ndarray:
    return table[name].cast(pl.Float64).fill_null(np.nan).to_numpy()


def _time_scores(item: Any, annotator: Any, times: Any, label: Any, n_items: int) -> np.ndarray:
    return score_of(DEFAULT_MEASURE)(item, annotator, times, label, n_items)


def _fits(stage: StageRun, trials: pl.DataFrame, wanted: int) -> int:
    """Return how many fits of all trials are worth their time: fewer where there are many, never under twenty."""
    return max(20, min(wanted, RESAMPLED_TRIALS // max(1, len(trials))))


def _reliability(stage: StageRun, trials: pl.DataFrame, n_items: int, score: Score) -> SplitHalf:
    item, annotator, times, label = trial_arrays(trials)
    splits = _fits(stage, trials, stage.params["n_resamples"] // 20)
    return split_half_reliability(
        item, annotator, times, label, score=score, n_items=n_items, n_splits=splits, seed=stage.params["seed"]
    )


def _human(time: np.ndarray, trials: pl.DataFrame, halves: SplitHalf, human: dict[str, str]) -> dict[str, Any]:
    known = halves.reliability or 0.0
    return {
        "measure": human["column"], "name": human["measure"], "title": human["title"], "unit": human["unit"],
        "n_items": int(np.isfinite(time).sum()), "n_trials": len(trials),
        "n_annotators": trials["annotator"].n_unique(),
        "reliability": {"value": halves.reliability, "low": halves.low, "high": halves.high, "reason": halves.reason},
        "ceiling": float(np.sqrt(known)) if known > 0 else None, "ties": tied_share(time),
    }  # fmt: skip


def _draws_over_people(
    stage: StageRun, trials: pl.DataFrame, table: pl.DataFrame, measures: list[str], score_people: Score
) -> dict[str, np.ndarray]:
    """Return Spearman of the measures with people's hardness over resampled annotators and items.

    Empty with fewer than three annotators: then an interval over items is all there can be. Not for measures of the
    same people: their noise is the same noise, and resampling only one side would tear it apart.
    """
    if trials["annotator"].n_unique() < 3:
        return {}
    item, annotator, times, label = trial_arrays(trials)
    n_items = len(table)
    columns = {name: _column(table, name) for name in measures}
    draws: dict[str, list[float]] = {name: [] for name in measures}
    resamples = _fits(stage, trials, stage.params["n_resamples"] // 10)
    progress = stage.on_progress("Resampling items and annotators")

    def score(rows: np.ndarray) -> np.ndarray:
        progress(len(next(iter(draws.values()), ())), resamples)
        return score_people(item[rows], annotator[rows], times[rows], label[rows], n_items)

    def statistic(scores: np.ndarray, items: np.ndarray) -> float:
        for name, column in columns.items():
            draws[name].append(spearman_value(scores[items], column[items]))
        return 0.0

    bootstrap_items_and_annotators(
        item, annotator, n_items, score, statistic, n_resamples=resamples, seed=stage.params["seed"]
    )
    return {name: np.array(values) for name, values in draws.items()}


def _pair(
    stage: StageRun, table: pl.DataFrame, of: tuple[str, str], halves: SplitHalf, draws: np.ndarray | None, *,
    in_full: bool,
) -> dict[str, Any]:  # fmt: skip
    """Compare two columns: people's hardness and another measure."""
    name = of[1]
    x, y = (_column(table, column) for column in of)
    n_items = int((np.isfinite(x) & np.isfinite(y)).sum())
    seed = stage.params["seed"]
    resamples = int(np.clip(RESAMPLED_VALUES // max(1, n_items), 50, stage.params["n_resamples"]))
    # The slower statistics get fewer resamples, and full intervals only for the pair that pages show first.
    fewer = max(20, min(400 if in_full else 100, resamples // (2 if in_full else 5)))
    rho = spearman(x, y, n_resamples=resamples, seed=seed)
    if rho.value is not None and draws is not None:
        rho = _wider(rho, draws)
    label = table["label"].fill_null(-1).to_numpy()
    apart = within_and_between(x, y, label, n_resamples=fewer, seed=seed)
    corrected = disattenuate(rho.value, halves.reliability, interval=(rho.low, rho.high))
    k = max(1, round(n_items / 10))
    shared = overlap_at(x, y, k)
    learner, _, measure = name.rpartition(".")
    people = name in PEOPLE_MEASURES
    return {
        "measure": name, "title": title_of(name), "learner": None if people else learner or None,
        "family": "people" if people else DESCRIPTIONS[measure].family, "n_items": n_items,
        "spearman": rho.as_dict(), "time_alone": spearman_value(_column(table, "time_alone"), y),
        "kendall": kendall(x, y, n_resamples=fewer, seed=seed).as_dict(),
        "disattenuated": {"value": corrected.value, "low": corrected.low, "high": corrected.high,
                          "reason": corrected.reason},
        "within_classes": apart.within.as_dict(), "between_classes": apart.between.as_dict(),
        "overlap": {"k": shared.k, "share": shared.share, "chance": shared.chance},
        "rank_biased_overlap": rank_biased_overlap(x, y), "ties": tied_share(y),
    }  # fmt: skip


def _wider(rho: Estimate, draws: np.ndarray) -> Estimate:
    """Return the estimate with the interval over annotators and items.

    Resampled annotators are fewer different ones, so scores made from them are noisier and their correlations lower:
    the draws are moved to lie around the estimate, and only their spread is used.
    """
    low, high = percentile_interval(draws)
    if low is None or high is None or rho.value is None or rho.low is None or rho.high is None:
        return rho
    shift = rho.value - float(np.nanmedian(draws))
    return Estimate(
        rho.value, max(-1.0, min(rho.low, low + shift)), min(1.0, max(rho.high, high + shift)), rho.n, rho.reason
    )


def _quadrants(table: pl.DataFrame, human: str, main: str) -> dict[str, Any]:
    parted = quadrants(_column(table, human), _column(table, main))
    items = table["item"].to_numpy()
    total = max(1, sum(parted.counts().values()))
    cells = [
        {
            "name": name, "title": QUADRANT_TITLES[name], "text": QUADRANT_TEXTS[name], "count": len(rows),
            "share": len(rows) / total, "items": items[rows[:ITEMS_SHOWN]].tolist(),
        }
        for name, rows in parted.members.items()
    ]  # fmt: skip
    return {"x": human, "y": main, "x_cut": parted.people_cut, "y_cut": parted.model_cut, "cells": cells}
