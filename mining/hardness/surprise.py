"""Surprise: how far the model's belief is from the given label. Sees wrong labels as well as hard items."""

import numpy as np

from mining.hardness.rows import SMALLEST_PROBABILITY, FloatArray, RowSummary

FOCUS = 2.0
"""Gamma of the focal loss (Lin et al. 2017)."""


def loss(rows: RowSummary) -> FloatArray:
    """Cross-entropy -ln p_y in nats, in [0, 36.04]."""
    clipped = np.clip(rows.given_probability, SMALLEST_PROBABILITY, 1.0)
    return np.asarray(-np.log(clipped) + 0.0)


def focal_loss(rows: RowSummary) -> FloatArray:
    """-(1 - p_y)^2 ln p_y in nats, in [0, 36.04]: the loss with what is nearly right turned down."""
    return np.asarray((1.0 - np.minimum(rows.given_probability, 1.0)) ** FOCUS * loss(rows))


def normalized_margin(rows: RowSummary) -> FloatArray:
    """1 - (p_y - max_{k != y} p_k + 1) / 2, in [0, 1]; above 1/2 the model prefers another class. cleanlab's,
    turned over.
    """
    return 1.0 - (rows.given_probability - rows.best_other + 1.0) / 2.0


def mistakenness(rows: RowSummary) -> FloatArray:
    """(m e^-H + 1) / 2 with H in nats, m = +1 where prediction and label differ, else -1; in [0, 1].
    FiftyOne's.
    """
    sign = np.where(rows.predicted == rows.given, -1.0, 1.0)
    sign[np.isnan(rows.given_probability)] = np.nan
    return np.asarray((sign * np.exp(-rows.entropy) + 1.0) / 2.0)
