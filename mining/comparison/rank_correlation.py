"""Spearman's rho and Kendall's tau-b with percentile bootstrap intervals over items."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mining.comparison.intervals import Estimate, FloatArray, IntArray, percentile_interval, unknown

N_RESAMPLES = 1000
FEWEST_ITEMS = 3
MOST_ITEMS_A_RESAMPLE = 20_000
"""Beyond this many items a resample draws only so many, and its spread is scaled down: the m out of n bootstrap."""


def spearman(x: npt.ArrayLike, y: npt.ArrayLike, *, n_resamples: int = N_RESAMPLES, seed: int = 0) -> Estimate:
    """Spearman's rho of the items that both (n,) scores know, with a 95 % bootstrap interval; ties share their mean
    rank.

    The value is None, with the reason, for fewer than three items or where one of the scores is constant.
    """
    first, second = known_pairs(x, y)
    problem = _problem(first, second)
    if problem:
        return unknown(len(first), problem)
    codes_first, codes_second = dense_codes(first), dense_codes(second)
    value = _correlation(_mid_ranks(codes_first), _mid_ranks(codes_second))
    low, high = _interval(codes_first, codes_second, value, resampled_correlation, n_resamples, seed)
    return Estimate(value, low, high, len(first))


def kendall(x: npt.ArrayLike, y: npt.ArrayLike, *, n_resamples: int = 200, seed: int = 0) -> Estimate:
    """Kendall's tau-b of the items that both (n,) scores know, with a 95 % bootstrap interval."""
    from scipy.stats import kendalltau

    first, second = known_pairs(x, y)
    problem = _problem(first, second)
    if problem:
        return unknown(len(first), problem)
    codes_first, codes_second = dense_codes(first), dense_codes(second)

    def tau(x_codes: IntArray, y_codes: IntArray) -> float:
        return float(kendalltau(x_codes, y_codes, variant="b").statistic)

    value = tau(codes_first, codes_second)
    low, high = _interval(codes_first, codes_second, value, tau, n_resamples, seed)
    return Estimate(value, low, high, len(first))


def spearman_value(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Spearman's rho without an interval; NaN where it cannot be known."""
    first, second = known_pairs(x, y)
    if _problem(first, second):
        return float("nan")
    return _correlation(_mid_ranks(dense_codes(first)), _mid_ranks(dense_codes(second)))


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
    known = known[~np.isnan(known)]
    if len(known) == 0:
        return 0.0
    counts = np.unique(known, return_counts=True)[1]
    return float(counts[counts > 1].sum() / len(known))


def dense_codes(values: npt.ArrayLike) -> IntArray:
    """Number the distinct known values from 0: after that a resample is ranked by counting, without sorting."""
    return np.asarray(np.unique(np.asarray(values), return_inverse=True)[1], dtype=np.int64)


def resampled_correlation(first: IntArray, second: IntArray) -> float:
    """Spearman's rho of two resampled sets of dense codes; NaN where one is constant."""
    return _correlation(_mid_ranks(first), _mid_ranks(second))


def _interval(
    first: IntArray,
    second: IntArray,
    value: float,
    statistic: Callable[[IntArray, IntArray], float],
    n_resamples: int,
    seed: int,
) -> tuple[float, float] | tuple[None, None]:
    n_items = len(first)
    size = min(n_items, MOST_ITEMS_A_RESAMPLE)
    generator = np.random.default_rng(seed)
    draws = np.empty(n_resamples)
    for number in range(n_resamples):
        chosen = generator.integers(0, n_items, size)
        draws[number] = statistic(first[chosen], second[chosen])
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
    if int(codes.max()) > 4 * len(codes):
        # A few items drawn from very many: counting all the codes that are not there would cost more than sorting.
        codes = dense_codes(codes)
    counts = np.bincount(codes)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2.0)[codes])


def _correlation(first: FloatArray, second: FloatArray) -> float:
    a, b = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0.0 else float("nan")
