"""Ambiguity: how torn the model is. Blind to the label, so it cannot see a wrong one."""

import numpy as np

from mining.hardness.rows import FloatArray, RowSummary


def least_confidence(rows: RowSummary) -> FloatArray:
    """1 - max p, in [0, 1 - 1/K]."""
    return 1.0 - rows.top


def margin(rows: RowSummary) -> FloatArray:
    """1 - (p(1) - p(2)), the two largest probabilities, in [0, 1]."""
    return 1.0 - (rows.top - rows.second)


def entropy(rows: RowSummary) -> FloatArray:
    """Shannon entropy over ln K, in [0, 1]. In nats (times ln K) it is FiftyOne's hardness."""
    return np.asarray(np.minimum(rows.entropy / np.log(rows.n_classes), 1.0))


def band(rows: RowSummary) -> FloatArray:
    """1 - |2p - 1| for two classes, in [0, 1]; NaN for more than two, where "the" probability does not
    exist.
    """
    if rows.n_classes != 2:
        return np.full(rows.top.shape, np.nan)
    return 1.0 - np.abs(2.0 * rows.top - 1.0)
