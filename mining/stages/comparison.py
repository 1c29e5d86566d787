"""Do people and models find the same items hard? comparison.json, see docs/rounds.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from mining.comparison.attenuation import disattenuate
from mining.comparison.intervals import bootstrap_items_and_annotators
from mining.comparison.overlap import overlap_of, rank_biased_overlap_of
from mining.comparison.quadrants import QUADRANT_TITLES, quadrants
from mining.comparison.rank_correlation import kendall_of, spearman_of, spearman_value_of, tied_share
from mining.comparison.reliability import Score, SplitHalf, split_half_reliability
from mining.comparison.sampled_people import Halves, sampled_items
from mining.comparison.within_between import within_and_between
from mining.hardness.registry import DESCRIPTIONS
from mining.human_words import DEFAULT_MEASURE, in_text
from mining.people import human_facts, score_of, trial_arrays, trials_for
from mining.selectors.choices import learner_title

from .comparison_ranks import RankedPairs, codes_of, column_of, resampled, wider_interval
from .context import StageRun
from .reasons import write_reasons

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
"""Work of fitting times again, in trials of all fits together."""
MOST_TRIALS_A_FIT = 100_000
"""Beyond so many trials the fits take a random sample of the items."""
FEWEST_DRAWS_OF_A_SAMPLE = 30
"""A covariance needs more draws than a percentile of all items does to be of use."""
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
    time = column_of(table, human["column"])
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
        draws, n_half = _draws_over_people(stage, trials, table, model_measures(table), score)
        pairs = RankedPairs(table)
        for done, name in enumerate(measures):
            stage.run.progress(done + 2, len(measures) + 2, stage=f"Comparing with {_in_words(name)}")
            of_people = (draws.get(name), n_half)
            comparison["pairs"].append(
                _pair(stage, pairs, (human["column"], name), halves, of_people, in_full=name == main)
            )
        if main is not None:
            comparison["quadrants"] = _quadrants(table, human["column"], main)
    if not model_measures(table):
        stage.lack("There are no measures of models to compare with.", "See what the predictions stage says.")
    comparison["missing"] = stage.missing
    stage.write_json("comparison.json", comparison)
    by = "Time of people" if human["column"] == "time_hardness" else f"{human['title']} of people"
    targets = {human["column"]: by} | {"disagreement": "Disagreement of people"}
    write_reasons(stage, table, targets if main is None else targets | {main: f"{title_of(main)} of the model"})
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


def _in_words(measure: str) -> str:
    learner, _, _ = measure.rpartition(".")
    return in_text(title_of(measure)) + (f" of {learner_title(learner)}" if learner else "")


def _time_scores(item: Any, annotator: Any, times: Any, label: Any, n_items: int) -> np.ndarray:
    return score_of(DEFAULT_MEASURE)(item, annotator, times, label, n_items)


@dataclass(frozen=True)
class _Sample:
    """The trials that are fitted again and again: all of them, or those of a random sample of items."""

    items: np.ndarray | None
    """(m,) rows of the table that the codes stand for; None for all."""
    n_items: int
    item: np.ndarray
    annotator: np.ndarray
    times: np.ndarray
    label: np.ndarray

    @classmethod
    def of(cls, trials: pl.DataFrame, n_items: int, *, most_trials: int, seed: int) -> _Sample:
        item, annotator, times, label = trial_arrays(trials)
        kept = sampled_items(item, annotator, n_items, most_trials=most_trials, seed=seed)
        if kept is None:
            return cls(None, n_items, item, annotator, times, label)
        place = np.full(n_items, -1, dtype=np.int64)
        place[kept] = np.arange(len(kept))
        use = place[item] >= 0
        return cls(kept, len(kept), place[item[use]], annotator[use], times[use], label[use])

    def fits(self, wanted: int) -> int:
        """Return how many fits are worth their time: fewer where there are many trials, never under twenty."""
        return max(20, min(wanted, RESAMPLED_TRIALS // max(1, len(self.item))))


def _reliability(stage: StageRun, trials: pl.DataFrame, n_items: int, score: Score) -> SplitHalf:
    seed = stage.params["seed"]
    sample = _Sample.of(trials, n_items, most_trials=MOST_TRIALS_A_FIT, seed=seed)
    return split_half_reliability(
        sample.item, sample.annotator, sample.times, sample.label, score=score, n_items=sample.n_items,
        n_splits=sample.fits(stage.params["n_resamples"] // 20), seed=seed,
    )  # fmt: skip


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
) -> tuple[dict[str, np.ndarray], int | None]:
    """Return Spearman of the measures with people's hardness over resampled annotators and items, (m,) each.

    Of a sample of items (m, 2), in two halves of it, and how many items a half has. Empty with fewer than three
    annotators: then an interval over items is all there can be. Not for measures of the same people: their noise is the
    same noise, and resampling only one side would tear it apart.
    """
    if trials["annotator"].n_unique() < 3:
        return {}, None
    seed = stage.params["seed"]
    sample = _Sample.of(trials, len(table), most_trials=MOST_TRIALS_A_FIT, seed=seed)
    rows = slice(None) if sample.items is None else sample.items
    columns = {name: column_of(table, name)[rows] for name in measures}
    known = {name: np.isfinite(column) for name, column in columns.items()}
    codes = {name: codes_of(column) for name, column in columns.items()}
    halves = None if sample.items is None else Halves.of(sample.n_items, seed)
    draws: dict[str, list[Any]] = {name: [] for name in measures}
    resamples = sample.fits(stage.params["n_resamples"] // 10)
    if halves is not None:
        resamples = max(resamples, FEWEST_DRAWS_OF_A_SAMPLE)
    progress = stage.on_progress("Resampling items and annotators")

    def score(rows: np.ndarray) -> np.ndarray:
        progress(len(next(iter(draws.values()), ())), resamples)
        return score_people(
            sample.item[rows], sample.annotator[rows], sample.times[rows], sample.label[rows], sample.n_items
        )

    def statistic(scores: np.ndarray, items: np.ndarray) -> float:
        parts = [items] if halves is None else [items[halves.in_first[items]], items[~halves.in_first[items]]]
        slow, judged = codes_of(scores), np.isfinite(scores)
        for name in measures:
            both = judged & known[name]
            values = [resampled(slow, codes[name], part[both[part]]) for part in parts]
            draws[name].append(values[0] if halves is None else values)
        return 0.0

    bootstrap_items_and_annotators(
        sample.item, sample.annotator, sample.n_items, score, statistic, n_resamples=resamples, seed=seed
    )
    n_half = None if halves is None else int(halves.in_first.sum())
    return {name: np.array(values, dtype=np.float64) for name, values in draws.items()}, n_half


def _pair(
    stage: StageRun,
    pairs: RankedPairs,
    of: tuple[str, str],
    halves: SplitHalf,
    draws: tuple[np.ndarray | None, int | None],
    *,
    in_full: bool,
) -> dict[str, Any]:
    """Compare two columns: people's hardness and another measure."""
    human, name = of
    x, y = pairs.of(human, name)
    n_items = len(x.values)
    seed = stage.params["seed"]
    resamples = int(np.clip(RESAMPLED_VALUES // max(1, n_items), 50, stage.params["n_resamples"]))
    # The slower statistics get fewer resamples, and full intervals only for the pair that pages show first.
    fewer = max(20, min(400 if in_full else 100, resamples // (2 if in_full else 5)))
    rho = spearman_of(x, y, n_resamples=resamples, seed=seed)
    if rho.value is not None and draws[0] is not None:
        rho = wider_interval(rho, draws[0], draws[1])
    label = pairs.table["label"].fill_null(-1).to_numpy()
    apart = within_and_between(
        column_of(pairs.table, human), column_of(pairs.table, name), label, n_resamples=fewer, seed=seed
    )
    corrected = disattenuate(rho.value, halves.reliability, interval=(rho.low, rho.high))
    shared = overlap_of(x, y, max(1, round(n_items / 10)))
    alone, same = pairs.of("time_alone", name)
    learner, _, measure = name.rpartition(".")
    people = name in PEOPLE_MEASURES
    return {
        "measure": name, "title": title_of(name), "learner": None if people else learner or None,
        "family": "people" if people else DESCRIPTIONS[measure].family, "n_items": n_items,
        "spearman": rho.as_dict(), "time_alone": spearman_value_of(alone, same),
        "kendall": kendall_of(x, y, n_resamples=fewer, seed=seed).as_dict(),
        "disattenuated": {"value": corrected.value, "low": corrected.low, "high": corrected.high,
                          "reason": corrected.reason},
        "within_classes": apart.within.as_dict(), "between_classes": apart.between.as_dict(),
        "overlap": {"k": shared.k, "share": shared.share, "chance": shared.chance},
        "rank_biased_overlap": rank_biased_overlap_of(x, y), "ties": tied_share(column_of(pairs.table, name)),
    }  # fmt: skip


def _quadrants(table: pl.DataFrame, human: str, main: str) -> dict[str, Any]:
    parted = quadrants(column_of(table, human), column_of(table, main))
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
