"""Intervals of shares and correlations that come from counts."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Z = 1.959963984540054


def wilson_interval(hits: ArrayLike, n: ArrayLike) -> tuple[Array, Array]:
    """Return the ends of the 95 % interval of the share `hits / n` (Wilson 1927), NaN where n is 0.

    Args:
        hits, n: counts of any one shape.
    """
    k, size = np.asarray(hits, dtype=np.float64), np.asarray(n, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = k / size
        middle = (share + Z * Z / (2 * size)) / (1 + Z * Z / size)
        half = Z / (1 + Z * Z / size) * np.sqrt(share * (1 - share) / size + Z * Z / (4 * size * size))
    # At the ends rounding would put the interval a hair beside the share itself.
    low, high = np.where(k == 0, 0.0, middle - half), np.where(k == size, 1.0, middle + half)
    return np.where(size > 0, low, np.nan), np.where(size > 0, high, np.nan)


def share_interval(hits: int, n: int) -> tuple[float, float]:
    """Return `wilson_interval` of one share, as two numbers."""
    low, high = wilson_interval(hits, n)
    return float(low), float(high)


def correlation_interval(r: float, n: int) -> tuple[float, float]:
    """Return the ends of the 95 % interval of a correlation of n pairs (Fisher's z); NaN with fewer than 4 pairs."""
    if n < 4 or not -1 <= r <= 1:
        return math.nan, math.nan
    z, half = math.atanh(max(min(r, 1 - 1e-12), -1 + 1e-12)), Z / math.sqrt(n - 3)
    return math.tanh(z - half), math.tanh(z + half)
