"""Spearman's rho and Kendall's tau-b with percentile bootstrap intervals over items."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from mining.comparison.intervals import (
    Estimate,
    FloatArray,
    IntArray,
    bootstrap_items,
    percentile_interval,
    unknown,
)

N_RESAMPLES = 1000
FEWEST_ITEMS = 3
MOST_ITEMS_A_RESAMPLE = 20_000
"""Beyond this many items a resample draws only so many, and its spread is scaled down: the m out of n bootstrap."""
MOST_ITEMS_A_KENDALL_RESAMPLE = 5_000
"""As above; tau costs a sort of all pairs where rho costs a count."""
MOST_ITEMS_BY_PAIRS = 200
"""Up to so many items all pairs of many resamples at a time are quicker than a sort for each resample."""
PAIRS_AT_A_TIME = 500_000


@dataclass(frozen=True)
class Ranked:
    """One score of the items that are compared, (n,) and all known. What is worked out of it is worked out once."""

    values: FloatArray

    @cached_property
    def codes(self) -> IntArray:
        """(n,) the distinct values numbered from 0, in their order."""
        return dense_codes(self.values)

    @cached_property
    def ranks(self) -> FloatArray:
        """(n,) ranks from 1; ties share their mean rank."""
        return _mid_ranks(self.codes)

    @cached_property
    def hardest_first(self) -> IntArray:
        """(n,) row numbers from the highest value to the lowest; ties keep their order."""
        return np.argsort(-self.values, kind="stable").astype(np.int64)

    @cached_property
    def places(self) -> IntArray:
        """(n,) how many items come before each, hardest first."""
        places = np.empty(len(self.values), dtype=np.int64)
        places[self.hardest_first] = np.arange(len(self.values))
        return places

    @cached_property
    def tied(self) -> float:
        """Share of the values that some other item has too."""
        counts = np.bincount(self.codes) if len(self.values) else np.zeros(0, dtype=np.int64)
        return float(counts[counts > 1].sum() / len(self.values)) if len(self.values) else 0.0


def ranked_pair(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Ranked, Ranked]:
    """Return both (n,) scores of the items that both know (NaN = unknown)."""
    first, second = known_pairs(x, y)
    return Ranked(first), Ranked(second)


def spearman(x: npt.ArrayLike, y: npt.ArrayLike, *, n_resamples: int = N_RESAMPLES, seed: int = 0) -> Estimate:
    """Spearman's rho of the items that both (n,) scores know, with a 95 % bootstrap interval; ties share their mean
    rank.

    The value is None, with the reason, for fewer than three items or where one of the scores is constant.
    """
    return spearman_of(*ranked_pair(x, y), n_resamples=n_resamples, seed=seed)


def spearman_of(first: Ranked, second: Ranked, *, n_resamples: int = N_RESAMPLES, seed: int = 0) -> Estimate:
    """As `spearman`, of scores that are ranked already."""
    problem = _problem(first.values, second.values)
    if problem:
        return unknown(len(first.values), problem)
    value = float(correlations(first.ranks, second.ranks))
    low, high = _interval(
        first.codes, second.codes, value, resampled_correlations, n_resamples, seed, MOST_ITEMS_A_RESAMPLE
    )
    return Estimate(value, low, high, len(first.values))


def kendall(x: npt.ArrayLike, y: npt.ArrayLike, *, n_resamples: int = 200, seed: int = 0) -> Estimate:
    """Kendall's tau-b of the items that both (n,) scores know, with a 95 % bootstrap interval."""
    return kendall_of(*ranked_pair(x, y), n_resamples=n_resamples, seed=seed)


def kendall_of(first: Ranked, second: Ranked, *, n_resamples: int = 200, seed: int = 0) -> Estimate:
    """As `kendall`, of scores that are ranked already."""
    problem = _problem(first.values, second.values)
    if problem:
        return unknown(len(first.values), problem)
    value = float(taus(first.codes[None], second.codes[None])[0])
    low, high = _interval(first.codes, second.codes, value, taus, n_resamples, seed, MOST_ITEMS_A_KENDALL_RESAMPLE)
    return Estimate(value, low, high, len(first.values))


def taus(x_codes: IntArray, y_codes: IntArray) -> FloatArray:
    """Return Kendall's tau-b of every row of two (m, n) tables of codes; (m,), NaN where all values are equal."""
    m, n = x_codes.shape
    if n > MOST_ITEMS_BY_PAIRS:
        from scipy.stats import kendalltau

        return np.array([kendalltau(*pair, variant="b").statistic for pair in zip(x_codes, y_codes, strict=True)])
    found = np.empty(m)
    rows = max(PAIRS_AT_A_TIME // (n * n), 1)
    for start in range(0, m, rows):
        x, y = (codes[start : start + rows].astype(np.int32) for codes in (x_codes, y_codes))
        above_x, above_y = (np.sign(codes[:, :, None] - codes[:, None, :]).reshape(len(codes), -1) for codes in (x, y))
        agreeing = np.einsum("ij,ij->i", above_x, above_y, dtype=np.int64)
        apart = np.count_nonzero(above_x, axis=1) * np.count_nonzero(above_y, axis=1)
        with np.errstate(invalid="ignore"):
            found[start : start + rows] = agreeing / np.sqrt(apart.astype(np.float64))
    return found


def spearman_value(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Spearman's rho without an interval; NaN where it cannot be known."""
    return spearman_value_of(*ranked_pair(x, y))


def spearman_value_of(first: Ranked, second: Ranked) -> float:
    """As `spearman_value`, of scores that are ranked already."""
    if _problem(first.values, second.values):
        return float("nan")
    return float(correlations(first.ranks, second.ranks))


def known_pairs(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return both scores of the items that both know (NaN = unknown)."""
    first, second = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(f"x has shape {first.shape} and y {second.shape}; both must be (n,)")
    both = ~(np.isnan(first) | np.isnan(second))
    return first[both], second[both]


def mean_ranks(values: npt.ArrayLike) -> FloatArray:
    """Rank (n,) known values from 1; ties share their mean rank."""
    return _mid_ranks(dense_codes(np.asarray(values, dtype=np.float64)))


def tied_share(values: npt.ArrayLike) -> float:
    """Share of the known values that some other item has too."""
    known = np.asarray(values, dtype=np.float64)
    return Ranked(known[~np.isnan(known)]).tied


def dense_codes(values: npt.ArrayLike) -> IntArray:
    """Number the distinct known values from 0: after that a resample is ranked by counting, without sorting."""
    return np.asarray(np.unique(np.asarray(values), return_inverse=True)[1], dtype=np.int64)


def resampled_correlations(first: IntArray, second: IntArray) -> FloatArray:
    """Spearman's rho of (..., n) and (..., n) resampled dense codes: (...); NaN where one of the two is constant."""
    return correlations(_mid_ranks(first), _mid_ranks(second))


def correlations(first: FloatArray, second: FloatArray) -> FloatArray:
    """Pearson's correlation over the last axis of two (..., n) tables: (...); NaN where one is constant."""
    a, b = first - first.mean(axis=-1, keepdims=True), second - second.mean(axis=-1, keepdims=True)
    scale = np.sqrt(np.einsum("...i,...i->...", a, a) * np.einsum("...i,...i->...", b, b))
    return np.asarray(
        np.where(scale > 0.0, np.einsum("...i,...i->...", a, b) / np.where(scale > 0.0, scale, 1.0), np.nan)
    )


def _interval(
    first: IntArray,
    second: IntArray,
    value: float,
    statistic: Callable[[IntArray, IntArray], FloatArray],
    n_resamples: int,
    seed: int,
    most_items: int,
) -> tuple[float, float] | tuple[None, None]:
    n_items = len(first)
    size = min(n_items, most_items)
    draws = bootstrap_items(lambda chosen: statistic(first[chosen], second[chosen]), n_items, n_resamples, seed, size)
    return percentile_interval(value + (draws - value) * np.sqrt(size / n_items))


def _problem(first: FloatArray, second: FloatArray) -> str:
    if len(first) < FEWEST_ITEMS:
        return f"only {len(first)} items have both scores; {FEWEST_ITEMS} are needed"
    if first.min() == first.max():
        return "the first score is the same for all items"
    if second.min() == second.max():
        return "the second score is the same for all items"
    return ""


def _mid_ranks(codes: IntArray) -> FloatArray:
    width, last = int(codes.max()) + 1, codes.shape[-1]
    if width > 4 * last:
        # A few items drawn from very many: counting all the codes that are not there would cost more than sorting.
        rows = [_mid_ranks(dense_codes(row)) for row in codes.reshape(-1, last)]
        return np.stack(rows).reshape(codes.shape)
    cells = (codes.reshape(-1, last) + np.arange(codes.size // last)[:, None] * width).ravel()
    counts = np.bincount(cells, minlength=codes.size // last * width).reshape(-1, width)
    return np.asarray((np.cumsum(counts, axis=1) - (counts - 1) / 2.0).ravel()[cells].reshape(codes.shape))
