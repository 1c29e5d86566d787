"""How good a model is on the held-out test: accuracy, each class, the worst class, calibration."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

N_BINS = 15


@dataclass(frozen=True)
class Quality:
    accuracy: float
    recall_by_class: FloatArray
    """(K,), NaN for classes that the test lacks."""
    worst_class: int
    worst_recall: float
    calibration_error: float


def measure_quality(probabilities: FloatArray, given: IntArray) -> Quality:
    """Judge (n, K) probabilities by the (n,) labels of the test; all labelled."""
    right = probabilities.argmax(axis=1) == given
    recall = recall_by_class(right, given, probabilities.shape[1])
    worst = int(np.nanargmin(recall))
    return Quality(
        accuracy=float(right.mean()),
        recall_by_class=recall,
        worst_class=worst,
        worst_recall=float(recall[worst]),
        calibration_error=expected_calibration_error(probabilities, given),
    )


def recall_by_class(right: npt.NDArray[np.bool_], given: IntArray, n_classes: int) -> FloatArray:
    """Share of each class that is predicted right, (K,), NaN where there is none."""
    count = np.bincount(given, minlength=n_classes).astype(np.float64)
    hits = np.bincount(given, weights=right, minlength=n_classes)
    return np.where(count > 0, hits / np.maximum(count, 1.0), np.nan)


def expected_calibration_error(probabilities: FloatArray, given: IntArray, n_bins: int = N_BINS) -> float:
    """Mean gap between confidence and accuracy over equal bins of the largest probability (Guo et al. 2017), in [0,
    1].
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == given
    slot = np.clip(np.ceil(confidence * n_bins).astype(np.int64) - 1, 0, n_bins - 1)
    gap = np.bincount(slot, weights=right - confidence, minlength=n_bins)
    return float(np.abs(gap).sum() / len(given))
