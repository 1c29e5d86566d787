"""Hardness from few judgments of real people, against the other half of the annotators.

Run: python benchmarks/human_hardness_sparse.py [FOLDER ...] [--splits 20]
A FOLDER holds trials.csv with the columns item, annotator, label, response_ms (default: both folders of
../shared/data/speeded_recognition). k judgments an item are drawn from a random half of the annotators; the target is
the mean within-annotator rank of the times of the other half. Prints Spearman's correlation, and the gain over rank
with its standard error over splits.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from mining.hardness.human_measures import HUMAN_MEASURES

DATA = Path(__file__).parents[2] / "shared" / "data" / "speeded_recognition"
NAMES = [
    "time",
    "time_and_labels",
    "mean_rank_time",
    "raw_mean_time",
    "geometric_mean_time",
    "ionescu_time",
    "disagreement",
]


def read(folder):
    """Return item, annotator, response_ms and label codes of a trials.csv."""
    with (folder / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    item, annotator = (np.unique([row[key] for row in rows], return_inverse=True)[1] for key in ("item", "annotator"))
    classes = sorted({row["label"] for row in rows} - {""})
    label = np.array([classes.index(row["label"]) if row["label"] else -1 for row in rows])
    return item, annotator, np.array([float(row["response_ms"] or "nan") for row in rows]), label


def draw(item, k, rng):
    """Return trials with at most k of every item, at random."""
    order = np.lexsort((rng.random(item.size), item))
    first = np.concatenate([[True], np.diff(item[order]) != 0])
    start = np.maximum.accumulate(np.where(first, np.arange(item.size), 0))
    return order[np.arange(item.size) - start < k]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, default=[DATA / "silhouettes", DATA / "stylized"])
    parser.add_argument("--splits", type=int, default=20)
    arguments = parser.parse_args()
    for folder in arguments.folders:
        if not (folder / "trials.csv").exists():
            print(f"{folder}: no trials.csv, skipped")
            continue
        item, annotator, times, label = read(folder)
        n_items, people = item.max() + 1, np.unique(annotator)
        for k in (2, 3, 5):
            rng, rho = np.random.default_rng(k), {name: [] for name in NAMES}
            for _ in range(arguments.splits):
                half = np.isin(annotator, rng.permutation(people)[: people.size // 2])
                rest = ~half
                target = HUMAN_MEASURES["mean_rank_time"].compute(
                    item[rest], annotator[rest], times[rest], n_items=n_items
                )
                some = np.flatnonzero(half)
                some = some[draw(item[some], k, rng)]
                for name in NAMES:
                    score = HUMAN_MEASURES[name].compute(
                        item[some], annotator[some], times[some], label[some], n_items=n_items
                    )
                    known = np.isfinite(score) & np.isfinite(target)
                    rho[name].append(spearmanr(score[known], target[known])[0])
            print(f"\n{folder.name}, {k} judgments")
            for name in NAMES:
                gain = np.subtract(rho[name], rho["mean_rank_time"])
                error = gain.std(ddof=1) / np.sqrt(gain.size)
                print(
                    f"  {name:22s}{np.mean(rho[name]):7.3f}   over rank {gain.mean():+.3f} (SE {error:.3f})", flush=True
                )


if __name__ == "__main__":
    main()
