"""Dynamics: how an item was learnt over the epochs of one training.

Every function takes the epochs in order, as an (epochs, n, K) array or as anything that yields one (n, K)
array an epoch, and keeps only (n,) arrays: a training of a million items is never held at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mining.hardness.rows import SMALLEST_PROBABILITY, FloatArray, MeasureError, checked_given, summarise_rows


@dataclass(frozen=True)
class Dynamics:
    """Scores of each item, shape (n,), higher is harder; NaN for items without a label or a prediction."""

    n_epochs: int
    variability: FloatArray
    """SD over epochs of p_y (Swayamdipta et al. 2020), in [0, 1/2]."""
    inverse_confidence: FloatArray
    """1 - mean over epochs of p_y, in [0, 1]."""
    forgetting: FloatArray
    """Count of turns from right to wrong (Toneva et al. 2019); never right = `n_epochs`, above every possible
    count.
    """
    negated_aum: FloatArray
    """Area under the margin of the log-probabilities, turned over; see the function of that name."""

    def as_columns(self) -> dict[str, FloatArray]:
        return {
            "variability": self.variability,
            "inverse_confidence": self.inverse_confidence,
            "forgetting": self.forgetting,
            "negated_aum": self.negated_aum,
        }


def training_dynamics(epochs: Iterable[npt.ArrayLike], given: npt.ArrayLike) -> Dynamics:
    """Follow p_y over two or more epochs of (n, K) probabilities; `given` (n,), -1 = no label."""
    n_epochs = 0
    mean = squares = forgotten = shortfall = np.zeros(0)
    was_right = ever_right = np.zeros(0, dtype=bool)
    labelled = np.zeros(0, dtype=bool)
    for probabilities in epochs:
        rows = summarise_rows(probabilities, given)
        if n_epochs == 0:
            size = len(rows.given)
            mean, squares, forgotten, shortfall = (np.zeros(size) for _ in range(4))
            was_right, ever_right = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
            labelled = (rows.given >= 0) & ~np.isnan(rows.given_probability)
        n_epochs += 1
        # Welford's update: the naive sum of squares loses the small variance of items that are learnt early.
        step = rows.given_probability - mean
        mean += step / n_epochs
        squares += step * (rows.given_probability - mean)
        shortfall += np.log(np.maximum(rows.best_other, SMALLEST_PROBABILITY))
        shortfall -= np.log(np.maximum(rows.given_probability, SMALLEST_PROBABILITY))
        right = rows.predicted == rows.given
        forgotten += was_right & ~right
        was_right = right
        ever_right |= right
    if n_epochs < 2:
        raise MeasureError(f"dynamics needs the probabilities of two epochs or more, not {n_epochs}")
    forgotten = np.where(ever_right, forgotten, float(n_epochs))
    return Dynamics(
        n_epochs=n_epochs,
        variability=np.sqrt(np.maximum(squares, 0.0) / n_epochs),
        inverse_confidence=1.0 - mean,
        forgetting=np.where(labelled, forgotten, np.nan),
        negated_aum=shortfall / n_epochs,
    )


def negated_aum(epoch_logits: Iterable[npt.ArrayLike], given: npt.ArrayLike) -> FloatArray:
    """Area under the margin, turned over: -mean over epochs of z_y - max_{k != y} z_k (Pleiss et al. 2020),
    (n,).

    `epoch_logits` yields (n, K) logits, before the softmax; from probabilities their logarithm serves, for it
    differs from the logits by one constant a row.
    """
    total: FloatArray | None = None
    n_epochs = 0
    for logits in epoch_logits:
        values = np.array(logits, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] < 2:
            raise MeasureError(f"logits must have shape (items, classes) with two classes or more, not {values.shape}")
        codes = checked_given(given, *values.shape)
        line, column = np.arange(len(values)), np.maximum(codes, 0)
        own = values[line, column]
        values[line, column] = -np.inf
        difference = own - values.max(axis=1)
        difference[codes < 0] = np.nan
        total = difference if total is None else total + difference
        n_epochs += 1
    if total is None:
        raise MeasureError("AUM needs the logits of at least one epoch")
    return -total / n_epochs
