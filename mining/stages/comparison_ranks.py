"""Ranks that the comparison uses again and again, and the interval over annotators."""

from __future__ import annotations

import numpy as np
import polars as pl

from mining.comparison.intervals import Estimate, percentile_interval
from mining.comparison.rank_correlation import Ranked, dense_codes, resampled_correlations
from mining.comparison.sampled_people import Z, spread_for_all


def column_of(table: pl.DataFrame, name: str) -> np.ndarray:
    return table[name].cast(pl.Float64).fill_null(np.nan).to_numpy()


def codes_of(values: np.ndarray) -> np.ndarray:
    """Number the distinct known values in their order, once for all resamples; 0 where unknown."""
    known = np.isfinite(values)
    codes = np.zeros(len(values), dtype=np.int64)
    codes[known] = dense_codes(values[known])
    return codes


def resampled(first: np.ndarray, second: np.ndarray, items: np.ndarray) -> float:
    return float(resampled_correlations(first[items], second[items])) if len(items) >= 3 else float("nan")


class RankedPairs:
    """Ranks of two scores over the items that both know, kept: most measures know the same items."""

    def __init__(self, table: pl.DataFrame) -> None:
        self.table = table
        self.kept: dict[tuple[str, bytes], Ranked] = {}

    def of(self, x: str, y: str) -> tuple[Ranked, Ranked]:
        """Return both scores; only those of people are kept, for every measure is compared with them."""
        columns = {name: column_of(self.table, name) for name in (x, y)}
        both = ~(np.isnan(columns[x]) | np.isnan(columns[y]))
        key = (x, np.packbits(both).tobytes())
        if key not in self.kept:
            self.kept[key] = Ranked(columns[x][both])
        return self.kept[key], Ranked(columns[y][both])


def wider_interval(rho: Estimate, draws: np.ndarray, n_half: int | None) -> Estimate:
    """Return the estimate with the interval over annotators and items.

    Resampled annotators are fewer different ones, so scores made from them are noisier and their correlations lower:
    the draws are moved to lie around the estimate, and only their spread is used. From halves of a sample of the items
    the spread for all of them is worked out first.
    """
    if rho.value is None or rho.low is None or rho.high is None:
        return rho
    if n_half is not None:
        spread = spread_for_all(draws, n_half, rho.n)
        if spread is None:
            return rho
        low, high = rho.value - Z * spread, rho.value + Z * spread
    else:
        bounds = percentile_interval(draws)
        if bounds[0] is None:
            return rho
        shift = rho.value - float(np.nanmedian(draws))
        low, high = bounds[0] + shift, bounds[1] + shift
    return Estimate(rho.value, max(-1.0, min(rho.low, low)), min(1.0, max(rho.high, high)), rho.n, rho.reason)
