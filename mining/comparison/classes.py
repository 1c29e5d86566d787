"""Classes as units: which are hard, and which are taken for which."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class ClassHardness:
    code: int
    n_items: int
    mean: float
    standard_error: float


@dataclass(frozen=True)
class Confusion:
    given: int
    predicted: int
    count: int
    share: float
    """Of the items with this label."""


def class_hardness(score: npt.ArrayLike, given: npt.ArrayLike) -> list[ClassHardness]:
    """Mean of a (n,) score in every class with known scores, the hardest first; a single item has no standard error
    (NaN).
    """
    values, codes = np.asarray(score, dtype=np.float64), np.asarray(given, dtype=np.int64)
    known = (codes >= 0) & ~np.isnan(values)
    values, codes = values[known], codes[known]
    if len(codes) == 0:
        return []
    count = np.bincount(codes)
    present = np.flatnonzero(count)
    mean = np.bincount(codes, weights=values)[present] / count[present]
    deviation = np.zeros(len(count))
    deviation[present] = mean
    squares = np.bincount(codes, weights=(values - deviation[codes]) ** 2)[present]
    several = count[present] > 1
    error = np.full(len(present), np.nan)
    error[several] = np.sqrt(squares[several] / (count[present][several] - 1) / count[present][several])
    order = np.argsort(-mean, kind="stable")
    return [
        ClassHardness(int(present[place]), int(count[present[place]]), float(mean[place]), float(error[place]))
        for place in order
    ]


def confusion_pairs(
    given: npt.ArrayLike, predicted: npt.ArrayLike, n_classes: int, *, most: int = 20
) -> list[Confusion]:
    """The commonest mistakes, as (given, predicted) pairs by the share of the given class that they take; ties by
    count.
    """
    truth, guess = np.asarray(given, dtype=np.int64), np.asarray(predicted, dtype=np.int64)
    known = (truth >= 0) & (guess >= 0)
    size = np.bincount(truth[known], minlength=n_classes)
    wrong = known & (truth != guess)
    pair, count = np.unique(truth[wrong] * n_classes + guess[wrong], return_counts=True)
    share = count / np.maximum(size[pair // n_classes], 1)
    order = np.lexsort((pair, -count, -share))[:most]
    return [
        Confusion(int(pair[place] // n_classes), int(pair[place] % n_classes), int(count[place]), float(share[place]))
        for place in order
    ]
