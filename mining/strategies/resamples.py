"""Resamples of seeds and of test items, many at a time: a loop over resamples of a hundred items is all overhead."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

CELLS = 500_000
"""Seeds times items times resamples in memory at once: few enough to stay in the processor's cache."""


def paired_resamples(
    n_seeds: int, n_items: int, n_resamples: int, seed: int
) -> Iterator[tuple[slice, IntArray, IntArray]]:
    """Yield which resamples they are, the seeds drawn for each, (r, n_seeds), and the items, (r, n_items).

    Seeds and items are drawn with replacement, independently of each other.
    """
    generator = np.random.default_rng(seed)
    at_once = max(1, CELLS // (n_seeds * n_items))
    for start in range(0, n_resamples, at_once):
        stop = min(start + at_once, n_resamples)
        yield (
            slice(start, stop),
            generator.integers(0, n_seeds, (stop - start, n_seeds)),
            generator.integers(0, n_items, (stop - start, n_items)),
        )


def mean_over(seeds: IntArray, table: FloatArray) -> FloatArray:
    """Average the rows of a (seeds, items) table that (r, n) draws name: (r, items)."""
    share = (seeds[:, :, None] == np.arange(len(table))).mean(axis=1)
    return np.asarray(share @ table)


def sums_by_class(classes: IntArray, values: FloatArray | None, n_classes: int | None = None) -> FloatArray:
    """Sum (..., n) values, or count where there are none, by their (..., n) classes: (..., n_classes)."""
    width = int(classes.max()) + 1 if n_classes is None else n_classes
    leading = classes.shape[:-1]
    row = np.arange(int(np.prod(leading))).reshape(*leading, 1) * width
    weights = None if values is None else values.ravel()
    return np.bincount((row + classes).ravel(), weights, width * row.size).reshape(*leading, width).astype(np.float64)
