"""One number for how far people agree: Krippendorff's alpha and Fleiss' kappa."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mining.hardness._trials import BadTrials, read_codes, read_labels

Array = NDArray[np.float64]
LEVELS = ("nominal", "ordinal", "interval", "ratio")


@dataclass(frozen=True, slots=True)
class Agreement:
    """A coefficient with its percentile bootstrap interval over items. 1 is full agreement, 0 that of chance."""

    value: float
    low: float
    high: float
    n_items: int
    """Items with two labels or more; the others say nothing."""
    n_labels: int


def krippendorff_alpha(
    item: ArrayLike,
    label: ArrayLike,
    *,
    level: str = "nominal",
    values: ArrayLike | None = None,
    n_resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Agreement:
    """Krippendorff's alpha for any number of annotators, missing labels and four levels of measurement.

    Args:
        item: item codes, shape (n_labels,).
        label: label codes, -1 for no answer, shape (n_labels,).
        level: ``nominal``, ``ordinal`` (by the order of ``values``), ``interval`` or ``ratio``.
        values: (n_classes,) the number each label stands for; the code itself without it.
        n_resamples: bootstrap resamples of items; 0 for no interval (NaN).
        confidence: of the interval.
        seed: of the resampling.

    Returns:
        The coefficient; NaN where no item has two labels or all labels are the same.

    Raises:
        BadTrials: arrays of different length, an unknown level, negative values on a ratio scale.

    Source: Krippendorff (2011), Computing Krippendorff's alpha-reliability.
    """
    if level not in LEVELS:
        raise BadTrials("unknown_level", f"`level` is {level!r}; it is one of {', '.join(LEVELS)}.")
    item = read_codes(item, "item")
    label = read_labels(label, item.shape[0])
    given = label >= 0
    _, unit = np.unique(item[given], return_inverse=True)
    number = label[given].astype(np.float64) if values is None else np.asarray(values, dtype=np.float64)[label[given]]
    if level == "ratio" and (number < 0).any():
        raise BadTrials("negative_value", "A ratio scale has no negative values.")
    scale, column = np.unique(number, return_inverse=True)
    n_units = int(unit.max()) + 1 if unit.size else 0
    counts = np.bincount(unit * max(scale.size, 1) + column, minlength=n_units * scale.size)
    counts = counts.reshape(n_units, scale.size).astype(np.float64)
    counts = counts[counts.sum(axis=1) >= 2]
    n = counts.shape[0]
    value = _alpha(counts, np.ones(n), scale, level)
    low = high = float("nan")
    if n_resamples and n > 1:
        rng = np.random.default_rng(seed)
        draws = [
            _alpha(counts, rng.multinomial(n, np.full(n, 1 / n)).astype(float), scale, level)
            for _ in range(n_resamples)
        ]
        tail = (1 - confidence) / 2
        low, high = (float(q) for q in np.nanquantile(draws, [tail, 1 - tail]))
    return Agreement(value, low, high, n, int(counts.sum()))


def _alpha(counts: Array, weight: Array, scale: Array, level: str) -> float:
    """Alpha of items taken ``weight`` times each."""
    totals = weight @ counts
    n = totals.sum()
    distance = _distance(scale, totals, level)
    expected = float(totals @ distance @ totals)
    if n < 2 or expected <= 0:
        return float("nan")
    size = counts.sum(axis=1)
    if level == "nominal":
        per_item = size**2 - np.einsum("ij,ij->i", counts, counts)
    else:
        per_item = np.einsum("ij,ij->i", counts @ distance, counts)
    observed = float(weight @ (per_item / (size - 1)))
    return float(1 - (n - 1) * observed / expected)


def _distance(scale: Array, totals: Array, level: str) -> Array:
    """Squared distances (n_values, n_values) between values."""
    one, other = scale[:, None], scale[None, :]
    if level == "nominal":
        return np.asarray(1.0 - np.eye(scale.size))
    if level == "interval":
        return np.asarray((one - other) ** 2)
    if level == "ratio":
        total = one + other
        return np.asarray(np.divide(one - other, total, out=np.zeros_like(total), where=total > 0) ** 2)
    middle = np.cumsum(totals) - totals / 2
    return np.asarray((middle[:, None] - middle[None, :]) ** 2)


def fleiss_kappa(counts: ArrayLike) -> float:
    """Fleiss' kappa from (n_items, n_classes) counts of labels; items with fewer than two labels are left aside.

    Items may have different numbers of labels: each then counts once in the observed agreement. NaN where no item has
    two labels or only one class was ever used. Source: Fleiss (1971).
    """
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2 or (table < 0).any():
        raise BadTrials("not_counts", "`counts` must be (n_items, n_classes) and hold no negative number.")
    table = table[table.sum(axis=1) >= 2]
    if table.shape[0] == 0:
        return float("nan")
    size = table.sum(axis=1)
    observed = float(np.mean((np.einsum("ij,ij->i", table, table) - size) / (size * (size - 1))))
    share = table.sum(axis=0) / table.sum()
    chance = float(share @ share)
    return float("nan") if chance >= 1 else (observed - chance) / (1 - chance)
