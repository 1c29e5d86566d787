"""Agreement that is left when what both scores may merely share is taken out."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mining.comparison.intervals import Estimate, bootstrap_items, percentile_interval, unknown
from mining.comparison.rank_correlation import correlations, mean_ranks


def partial_spearman(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    numbers: Sequence[npt.ArrayLike] = (),
    categories: Sequence[npt.ArrayLike] = (),
    n_resamples: int = 500,
    seed: int = 0,
) -> Estimate:
    """Spearman's rho of two (n,) scores after regressing both scores' ranks on nuisances.

    `numbers` (size, brightness, position) enter as ranks, `categories` (class codes) as indicators. With one number it
    is the textbook partial rank correlation. Items with anything unknown (NaN, a negative code) are left out.
    """
    columns = [np.asarray(values, dtype=np.float64) for values in (x, y, *numbers)]
    codes = [np.asarray(values) for values in categories]
    known = ~np.isnan(np.stack(columns)).any(axis=0)
    for code in codes:
        known &= code >= 0
    columns = [column[known] for column in columns]
    design = [np.ones(int(known.sum()))] + [mean_ranks(column) for column in columns[2:]]
    for code in codes:
        levels = np.unique(code[known])
        design += [(code[known] == level).astype(np.float64) for level in levels[1:]]
    n_items, n_nuisances = len(design[0]), len(design) - 1
    if n_items < n_nuisances + 4:
        return unknown(n_items, f"{n_items} items are too few to take out {n_nuisances} nuisances")
    matrix = np.stack(design, axis=1)
    ranks = np.stack([mean_ranks(columns[0]), mean_ranks(columns[1])], axis=1)
    left, share = _residuals(matrix, ranks)
    if share.min() < 1e-9:
        return unknown(n_items, "one score is constant, or the nuisances explain all of it")
    first, second = left.T
    value = float(correlations(first, second))
    draws = bootstrap_items(lambda chosen: correlations(first[chosen], second[chosen]), n_items, n_resamples, seed)
    low, high = percentile_interval(draws)
    return Estimate(value, low, high, n_items)


def _residuals(
    matrix: npt.NDArray[np.float64], ranks: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """What the design leaves of the ranks (n, 2), and the share of their variance that this is (2,)."""
    solution = np.linalg.lstsq(matrix, ranks, rcond=None)[0]
    left = ranks - matrix @ solution
    centred = ranks - ranks.mean(axis=0)
    total = np.maximum((centred**2).sum(axis=0), 1e-300)
    return left, (left**2).sum(axis=0) / total
