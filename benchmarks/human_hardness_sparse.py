"""Hardness from few judgments of real people, against the other half of the annotators.

Run: python benchmarks/human_hardness_sparse.py [FOLDER ...] [--splits 300]
A FOLDER holds trials.csv with the columns item, annotator, label, response_ms and, if known, position (default: both
folders of ../shared/data/speeded_recognition). k judgments an item are drawn from a half of the annotators; the target
is the mean within-annotator rank of the times of the other half. Every half has its turn once where there are no more
of them than splits (252 for ten annotators), else halves are drawn. Prints Spearman's correlation, and the gain over
rank on the same splits with its 95 % interval over splits: above, below, or level where it holds zero. That interval is
about these annotators and items; other ones would differ by more.
"""

from __future__ import annotations

import argparse
import csv
from itertools import combinations
from math import comb
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr, t

from mining.hardness.human_measures import HUMAN_MEASURES
from mining.hardness.timing import fit_response_times

DATA = Path(__file__).parents[2] / "shared" / "data" / "speeded_recognition"
WITH_POSITION = "time, with position"
NAMES = [
    "time",
    WITH_POSITION,
    "time_and_labels",
    "mean_rank_time",
    "raw_mean_time",
    "geometric_mean_time",
    "ionescu_time",
    "disagreement",
]


def read(folder):
    """Return item, annotator, response_ms, label codes and position (None where it is unknown) of a trials.csv."""
    with (folder / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    item, annotator = (np.unique([row[key] for row in rows], return_inverse=True)[1] for key in ("item", "annotator"))
    classes = sorted({row["label"] for row in rows} - {""})
    label = np.array([classes.index(row["label"]) if row["label"] else -1 for row in rows])
    times = np.array([float(row["response_ms"] or "nan") for row in rows])
    position = np.array([float(row["position"]) for row in rows]) if "position" in rows[0] else None
    return item, annotator, times, label, position


def draw(item, k, rng):
    """Return trials with at most k of every item, at random."""
    order = np.lexsort((rng.random(item.size), item))
    first = np.concatenate([[True], np.diff(item[order]) != 0])
    start = np.maximum.accumulate(np.where(first, np.arange(item.size), 0))
    return order[np.arange(item.size) - start < k]


def halves_of(people, n_splits, rng):
    """Return the annotators of one half for each split: every half once, or so many random ones."""
    size = people.size // 2
    if comb(people.size, size) <= n_splits:
        return [np.array(half) for half in combinations(people, size)]
    return [rng.permutation(people)[:size] for _ in range(n_splits)]


def correlations(trials, k, chosen, rng, names):
    """Return {measure: Spearman with the mean rank of the other half} where these annotators' trials are drawn."""
    item, annotator, times, label, position = trials
    n_items = item.max() + 1
    half = np.isin(annotator, chosen)
    rest = ~half
    rank = HUMAN_MEASURES["mean_rank_time"]
    target = rank.compute(item[rest], annotator[rest], times[rest], n_items=n_items)
    some = np.flatnonzero(half)
    some = some[draw(item[some], k, rng)]
    found = {}
    for name in names:
        if name == WITH_POSITION:
            fit = fit_response_times(item[some], annotator[some], times[some], position=position[some], n_items=n_items)
            score = fit.item_effect
        else:
            score = HUMAN_MEASURES[name].compute(item[some], annotator[some], times[some], label[some], n_items=n_items)
        known = np.isfinite(score) & np.isfinite(target)
        found[name] = spearmanr(score[known], target[known])[0]
    return found


def verdict(gain):
    """Return the mean gain with its 95 % interval over splits, and what that says."""
    half = t.ppf(0.975, gain.size - 1) * gain.std(ddof=1) / np.sqrt(gain.size)
    low, high = gain.mean() - half, gain.mean() + half
    word = "above" if low > 0 else "below" if high < 0 else "level"
    return f"{gain.mean():+.4f} [{low:+.4f}, {high:+.4f}] {word}, ahead in {np.mean(gain > 0):.0%} of splits"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, default=[DATA / "silhouettes", DATA / "stylized"])
    parser.add_argument("--splits", type=int, default=300)
    parser.add_argument("--judgments", type=int, nargs="+", default=[2, 3, 5])
    parser.add_argument("--measures", nargs="+", choices=NAMES, default=NAMES, metavar="NAME")
    arguments = parser.parse_args()
    for folder in arguments.folders:
        if not (folder / "trials.csv").exists():
            print(f"{folder}: no trials.csv, skipped")
            continue
        trials = read(folder)
        asked = ["mean_rank_time", *(name for name in arguments.measures if name != "mean_rank_time")]
        names = [name for name in asked if name != WITH_POSITION or trials[-1] is not None]
        for k in arguments.judgments:
            rng = np.random.default_rng(k)
            halves = halves_of(np.unique(trials[1]), arguments.splits, rng)
            splits = [correlations(trials, k, half, rng, names) for half in halves]
            print(f"\n{folder.name}, {k} judgments, {len(splits)} splits")
            for name in names:
                rho, rank = (np.array([split[of] for split in splits]) for of in (name, "mean_rank_time"))
                said = "" if name == "mean_rank_time" else f"   over rank {verdict(rho - rank)}"
                print(f"  {name:22s}{rho.mean():7.3f}{said}", flush=True)


if __name__ == "__main__":
    main()
