"""Intervals over people where there are too many trials to fit all of them again and again: a sample of items.

Fitting response times again is what a resample of annotators costs. Beyond a number of trials the fits take a random
sample of the *items*, with all their trials: every annotator stays, and how much depends on who was asked can be told.
"""

from dataclasses import dataclass

import numpy as np

from mining.comparison.intervals import FloatArray, IntArray

FEWEST_TRIALS_AN_ANNOTATOR = 200
"""The sample is so large that the typical annotator keeps this many trials (or all they have)."""
Z = 1.959963984540054


def sampled_items(item: IntArray, annotator: IntArray, n_items: int, *, most_trials: int, seed: int) -> IntArray | None:
    """Return the sorted items of a random sample with about `most_trials` trials; None where all are to be taken.

    `item` and `annotator` (n_trials,) codes.
    """
    n_trials = len(item)
    if n_trials <= most_trials:
        return None
    per_annotator = np.bincount(annotator)
    typical = float(np.median(per_annotator[per_annotator > 0]))
    share = max(most_trials / n_trials, min(1.0, FEWEST_TRIALS_AN_ANNOTATOR / typical))
    judged = np.flatnonzero(np.bincount(item, minlength=n_items))
    size = round(share * len(judged))
    if size >= len(judged):
        return None
    return np.sort(np.random.default_rng(seed).choice(judged, size, replace=False)).astype(np.int64)


@dataclass(frozen=True)
class Halves:
    """Two disjoint random halves of `n` sampled items."""

    in_first: np.ndarray
    """(n,) bool."""

    @classmethod
    def of(cls, n: int, seed: int) -> "Halves":
        in_first = np.zeros(n, dtype=bool)
        in_first[np.random.default_rng(seed).permutation(n)[: n // 2]] = True
        return cls(in_first)


def spread_for_all(draws: FloatArray, n_half: int, n_items: int) -> float | None:
    """SD of a statistic of all `n_items`, from draws (m, 2) of it in two disjoint halves of `n_half` items each.

    Each draw resamples annotators for both halves, and items inside each. Who was asked moves both halves together: the
    covariance of the two columns. What is the items' own is independent between halves, and becomes smaller with more
    items. So the variance for all items is covariance + (variance - covariance) n_half / n_items. None for fewer than
    ten draws.
    """
    known = draws[np.isfinite(draws).all(axis=1)]
    if len(known) < 10:
        return None
    table = np.cov(known, rowvar=False)
    variance = float(table[0, 0] + table[1, 1]) / 2
    shared = float(np.clip(table[0, 1], 0.0, variance))
    return float(np.sqrt(shared + (variance - shared) * min(1.0, n_half / n_items)))
