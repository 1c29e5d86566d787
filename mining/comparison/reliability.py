"""Reliability: how well two halves of the annotators agree on which items are hard."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import numpy.typing as npt

from mining.comparison.intervals import FloatArray, IntArray, percentile_interval
from mining.comparison.rank_correlation import spearman_value

Score = Callable[[IntArray, IntArray, FloatArray, IntArray, int], FloatArray]
"""(item, annotator, response_ms, label, n_items) -> (n_items,), NaN where unknown."""

N_SPLITS = 100


@dataclass(frozen=True)
class SplitHalf:
    """Split-half reliability over annotators."""

    reliability: float | None
    """Spearman-Brown corrected mean over splits: of the score made from all annotators."""
    half: float | None
    """Mean rank correlation between halves, uncorrected."""
    low: float | None
    high: float | None
    """Middle 95 % of the corrected splits: how much it depends on the split, not a confidence interval."""
    n_annotators: int
    n_splits: int
    reason: str = ""


def split_half_reliability(
    item: npt.ArrayLike,
    annotator: npt.ArrayLike,
    response_ms: npt.ArrayLike,
    label: npt.ArrayLike,
    *,
    score: Score,
    n_items: int,
    n_splits: int = N_SPLITS,
    seed: int = 0,
) -> SplitHalf:
    """Score the items from halves of the annotators and correlate the halves: from every way to part them, or from
    `n_splits` random ways where there are more.

    All trial columns have shape (n_trials,): `item`, `annotator` and `label` codes, `response_ms` with NaN = censored.
    `score` is fitted to each half on its own, so nothing leaks between them.
    """
    items, people = np.asarray(item, dtype=np.int64), np.asarray(annotator, dtype=np.int64)
    times, labels = np.asarray(response_ms, dtype=np.float64), np.asarray(label, dtype=np.int64)
    codes = np.unique(people)
    if len(codes) < 2:
        return SplitHalf(None, None, None, None, len(codes), 0, "two annotators or more are needed")
    halves = []
    for chosen in first_halves(codes, n_splits, seed):
        first = np.isin(people, chosen)
        scores = [score(items[half], people[half], times[half], labels[half], n_items) for half in (first, ~first)]
        halves.append(spearman_value(scores[0], scores[1]))
    correlations = np.array(halves)
    known = correlations[np.isfinite(correlations)]
    if len(known) == 0:
        return SplitHalf(
            None, None, None, None, len(codes), 0, "the halves share too few items, or their scores are constant"
        )
    corrected = spearman_brown(known)
    low, high = percentile_interval(corrected)
    half = float(known.mean())
    return SplitHalf(float(spearman_brown(half)), half, low, high, len(codes), len(known))


def first_halves(codes: IntArray, n_splits: int, seed: int = 0) -> Iterator[IntArray]:
    """Yield one half of the annotators for every way to part them, or for `n_splits` random ways if those are fewer.

    Up to eight annotators can be parted in no more than 35 ways: each once says as much as any number of draws.
    """
    half = len(codes) // 2
    even = len(codes) % 2 == 0
    if comb(len(codes), half) // (1 + even) > n_splits:
        generator = np.random.default_rng(seed)
        for _ in range(n_splits):
            yield generator.permutation(codes)[:half]
    elif even:  # the half that the first annotator is in names the split
        for others in combinations(codes[1:], half - 1):
            yield np.array([codes[0], *others])
    else:
        for chosen in combinations(codes, half):
            yield np.array(chosen)


def spearman_brown(half: npt.ArrayLike, factor: float = 2.0) -> FloatArray:
    """Reliability of a score made from `factor` times as many annotators: f r / (1 + (f - 1) r)."""
    r = np.asarray(half, dtype=np.float64)
    return np.asarray(factor * r / (1.0 + (factor - 1.0) * r))
