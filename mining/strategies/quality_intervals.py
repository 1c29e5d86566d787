"""Intervals of a model's quality on the held-out test, over test items and seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mining.comparison.intervals import LEVEL
from mining.strategies.quality import N_BINS
from mining.strategies.resamples import mean_over, paired_resamples, sums_by_class

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Interval = tuple[float, float]

N_RESAMPLES = 500
MOST_WORK = 200_000_000
"""Numbers looked at in all; a test of many thousands gets fewer resamples, and needs no more."""
FEWEST_RESAMPLES = 100


@dataclass(frozen=True)
class QualityIntervals:
    """95 % bootstrap intervals; classes that the test lacks have NaN."""

    accuracy: Interval
    recall_by_class: FloatArray
    """(K, 2)"""
    mean_recall: Interval
    calibration_error: Interval


@dataclass(frozen=True)
class _Answers:
    """What a resample needs of the answers, (seeds, items) each."""

    right: FloatArray
    slot: IntArray
    gap: FloatArray
    """1 where right, minus the confidence."""


def quality_intervals(
    beliefs: Sequence[FloatArray], truth: IntArray, *, n_resamples: int = N_RESAMPLES, seed: int = 0
) -> QualityIntervals:
    """Resample items and seeds independently; `beliefs` holds (n, K) probabilities of each seed's model.

    The intervals of the classes are those of each class by itself: the worst of many looks worse than it is.
    """
    n_classes = beliefs[0].shape[1]
    answers = _answers(beliefs, truth)
    n_seeds, n_items = answers.right.shape
    rounds = int(np.clip(MOST_WORK // (n_seeds * n_items), FEWEST_RESAMPLES, n_resamples))
    accuracy, calibration = np.empty(rounds), np.empty(rounds)
    recall = np.empty((rounds, n_classes))
    for rows, seeds, items in paired_resamples(n_seeds, n_items, rounds, seed):
        right = np.take_along_axis(mean_over(seeds, answers.right), items, axis=1)
        accuracy[rows] = right.mean(axis=1)
        count = sums_by_class(truth[items], None, n_classes)
        hits = sums_by_class(truth[items], right, n_classes)
        recall[rows] = np.where(count > 0, hits / np.maximum(count, 1), np.nan)
        calibration[rows] = _calibration(answers, seeds, items)
    return QualityIntervals(
        _interval(accuracy),
        np.array([_interval(draws) for draws in recall.T]),
        _interval(np.nanmean(recall, axis=1)),
        _interval(calibration),
    )


def _answers(beliefs: Sequence[FloatArray], truth: IntArray) -> _Answers:
    stacked = np.stack(beliefs)
    right = (stacked.argmax(axis=2) == truth).astype(np.float64)
    confidence = stacked.max(axis=2)
    slot = np.clip(np.ceil(confidence * N_BINS).astype(np.int64) - 1, 0, N_BINS - 1)
    return _Answers(right, slot, right - confidence)


def _calibration(answers: _Answers, seeds: IntArray, items: IntArray) -> FloatArray:
    """Return the calibration error of (r, seeds) and (r, items) resamples, (r,)."""
    cells = seeds[:, :, None], items[:, None, :]
    gap = np.abs(sums_by_class(answers.slot[cells], answers.gap[cells], N_BINS)).sum(axis=2)
    return np.asarray(gap.mean(axis=1) / items.shape[1])


def _interval(draws: FloatArray) -> Interval:
    known = draws[np.isfinite(draws)]
    if len(known) == 0:
        return (float("nan"), float("nan"))
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
