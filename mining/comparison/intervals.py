"""Percentile bootstrap over items, and over annotators and items."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

LEVEL = 0.95
FEWEST_RESAMPLES = 20
CELLS = 20_000
"""Resamples times items in memory at once: few enough to stay in the processor's cache."""


@dataclass(frozen=True)
class Estimate:
    """A number with its interval, or the reason why there is none."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    """Items it rests on."""
    reason: str = ""
    """In plain words where `value` is None, or where it has no interval."""

    def as_dict(self) -> dict[str, float | int | str | None]:
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.n, "reason": self.reason}


def unknown(n: int, reason: str) -> Estimate:
    return Estimate(None, None, None, n, reason)


def percentile_interval(draws: npt.ArrayLike, level: float = LEVEL) -> tuple[float, float] | tuple[None, None]:
    """Return the middle `level` of the finite draws, or (None, None) where fewer than 20 are finite."""
    values = np.asarray(draws, dtype=np.float64)
    values = values[np.isfinite(values)]
    if len(values) < FEWEST_RESAMPLES:
        return None, None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def bootstrap_items(
    statistic: Callable[[IntArray], FloatArray],
    n_items: int,
    n_resamples: int,
    seed: int | list[int],
    n_drawn: int | None = None,
) -> FloatArray:
    """Draw a statistic over resampled items, (n_resamples,).

    `statistic` turns (r, n_drawn) items, drawn with replacement from 0 .. n_items - 1, into (r,) numbers: many
    resamples at once, since one of a hundred items by itself is nearly all overhead. `n_drawn` is `n_items` where not
    given.
    """
    generator = np.random.default_rng(seed)
    size = n_items if n_drawn is None else n_drawn
    at_once = max(1, CELLS // max(size, 1))
    draws = np.empty(n_resamples)
    for start in range(0, n_resamples, at_once):
        drawn = draws[start : start + at_once]
        drawn[:] = statistic(generator.integers(0, n_items, (len(drawn), size)))
    return draws


def bootstrap_items_and_annotators(
    item: IntArray,
    annotator: IntArray,
    n_items: int,
    score: Callable[[IntArray], FloatArray],
    statistic: Callable[[FloatArray, IntArray], float],
    *,
    n_resamples: int = 200,
    seed: int = 0,
) -> FloatArray:
    """Draw a statistic over resampled annotators and items: the interval that also counts who happened to be asked.

    `item` and `annotator` (n_trials,) codes. `score(trials)` scores all `n_items` from the trials of the drawn
    annotators (row numbers; an annotator drawn twice has their trials twice), (n_items,). `statistic(scores, items)`
    turns those scores and the drawn items into a number. Returns (n_resamples,), NaN where the statistic could not be
    had.
    """
    generator = np.random.default_rng(seed)
    order = np.argsort(annotator, kind="stable")
    codes, first = np.unique(annotator[order], return_index=True)
    trials_of = np.split(order, first[1:])
    draws = np.full(n_resamples, np.nan)
    for number in range(n_resamples):
        drawn = generator.integers(0, len(codes), len(codes))
        trials = np.concatenate([trials_of[who] for who in drawn])
        items = generator.integers(0, n_items, n_items)
        draws[number] = statistic(score(trials), items)
    return draws
