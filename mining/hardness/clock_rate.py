"""Does a browser's clock run at the speed of the server's? From when answers were given and when they arrived."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

LAG = 10
"""Answers are compared with the tenth before: jitter of the network matters less, and a halt spoils ten pairs only."""
FEWEST_PAIRS = 20
SHORTEST_MS = 2_000.0
Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class ClockRate:
    """Client time for each unit of server time: 1 is right, 1.05 runs 5 % fast. NaN with fewer than 20 pairs."""

    rate: float
    low: float
    high: float
    """95 % interval, from the scatter of the pairs."""
    n_pairs: int


def clock_rate(client_ms: ArrayLike, server_ms: ArrayLike) -> ClockRate:
    """Compare two clocks over one sitting.

    Args:
        client_ms: (n,) when each answer was given, on the browser's monotonic clock, in order.
        server_ms: (n,) when it arrived, on the server's. Answers that waited (offline) and halts of either side are
            outliers: the median passes over them while they are fewer than half.
    """
    client, server = np.asarray(client_ms, dtype=np.float64), np.asarray(server_ms, dtype=np.float64)
    if client.shape != server.shape or client.ndim != 1:
        raise ValueError(f"`client_ms` has shape {client.shape} where `server_ms` has {server.shape}.")
    passed, told = (part[LAG:] - part[:-LAG] for part in (server, client))
    use = (passed > SHORTEST_MS) & (told > 0)
    n = int(use.sum())
    if n < FEWEST_PAIRS:
        return ClockRate(np.nan, np.nan, np.nan, n)
    ratio = told[use] / passed[use]
    rate = float(np.median(ratio))
    spread = 1.4826 * float(np.median(np.abs(ratio - rate)))
    # Pairs overlap: as many independent ones as fit end to end; a median is 1.25 times as uncertain as a mean.
    half = Z * 1.2533 * spread / max(n / LAG, 1) ** 0.5
    return ClockRate(rate, rate - half, rate + half, n)
