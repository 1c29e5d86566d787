"""Do the scores agree because some classes are hard, or also about items of the same class?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mining.comparison.intervals import Estimate, bootstrap_items, percentile_interval, unknown
from mining.comparison.rank_correlation import (
    MOST_ITEMS_A_RESAMPLE,
    dense_codes,
    mean_ranks,
    resampled_correlations,
    spearman,
    spearman_value,
)

FEWEST_IN_CLASS = 3
FEWEST_DRAWN_OF_CLASS = 100
"""Where a resample draws fewer items than there are, it draws at least so many of each class (or all it has)."""


@dataclass(frozen=True)
class WithinBetween:
    within: Estimate
    """Rank correlation inside classes, averaged with the number of items as weight."""
    between: Estimate
    """Rank correlation of the class means of both scores' ranks; `n` counts classes."""
    by_class: dict[int, float]


def within_and_between(
    x: npt.ArrayLike, y: npt.ArrayLike, group: npt.ArrayLike, *, n_resamples: int = 200, seed: int = 0
) -> WithinBetween:
    """Split the agreement of two (n,) scores by `group` (n,) codes (-1 = none)."""
    first, second = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    codes = np.asarray(group)
    known = ~(np.isnan(first) | np.isnan(second)) & (codes >= 0)
    first, second, codes = first[known], second[known], codes[known]
    order = np.argsort(codes, kind="stable")
    present, starts = np.unique(codes[order], return_index=True)
    members = dict(zip(present.tolist(), np.split(order, starts[1:]), strict=True)) if len(order) else {}
    by_class = {
        code: spearman_value(first[rows], second[rows])
        for code, rows in members.items()
        if len(rows) >= FEWEST_IN_CLASS
    }
    by_class = {code: value for code, value in by_class.items() if np.isfinite(value)}
    return WithinBetween(
        _within(first, second, members, by_class, n_resamples, seed),
        _between(first, second, members, n_resamples, seed),
        by_class,
    )


def _within(
    first: npt.NDArray[np.float64],
    second: npt.NDArray[np.float64],
    members: dict[int, npt.NDArray[np.int64]],
    by_class: dict[int, float],
    n_resamples: int,
    seed: int,
) -> Estimate:
    if not by_class:
        return unknown(len(first), f"no class has {FEWEST_IN_CLASS} items with both scores that differ")
    size = np.array([len(members[code]) for code in by_class], dtype=np.float64)
    value = float(np.average(list(by_class.values()), weights=size))
    total = int(size.sum())
    share = min(1.0, MOST_ITEMS_A_RESAMPLE / total)
    drawn = np.minimum(size, np.maximum(np.ceil(size * share), FEWEST_DRAWN_OF_CLASS)).astype(np.int64)
    # The m out of n bootstrap, class by class: each class's spread is scaled down to that of all its items.
    scale = np.sqrt(drawn / size)
    middle = np.array(list(by_class.values()))
    values = np.stack(
        [
            _resampled(dense_codes(first[rows]), dense_codes(second[rows]), n_resamples, [seed, code], int(n_drawn))
            for (code, rows), n_drawn in zip(((code, members[code]) for code in by_class), drawn, strict=True)
        ],
        axis=1,
    )
    usable = np.isfinite(values)
    spread = np.where(usable, values if share == 1.0 else middle + (values - middle) * scale, 0.0)
    weight = np.where(usable, size, 0.0)
    known = usable.any(axis=1)
    draws = (spread * weight).sum(axis=1)[known] / weight.sum(axis=1)[known]
    low, high = percentile_interval(draws)
    return Estimate(value, low, high, total)


def _resampled(
    x_codes: npt.NDArray[np.int64], y_codes: npt.NDArray[np.int64], n_resamples: int, seed: list[int], n_drawn: int
) -> npt.NDArray[np.float64]:
    return bootstrap_items(
        lambda chosen: resampled_correlations(x_codes[chosen], y_codes[chosen]),
        len(x_codes),
        n_resamples,
        seed,
        n_drawn,
    )


def _between(
    first: npt.NDArray[np.float64],
    second: npt.NDArray[np.float64],
    members: dict[int, npt.NDArray[np.int64]],
    n_resamples: int,
    seed: int,
) -> Estimate:
    if len(members) < 3:
        return unknown(len(members), f"only {len(members)} classes; three are needed to compare classes")
    rank_first, rank_second = mean_ranks(first), mean_ranks(second)
    means = np.array([[rank_first[rows].mean(), rank_second[rows].mean()] for rows in members.values()])
    return spearman(means[:, 0], means[:, 1], n_resamples=n_resamples, seed=seed)
