"""How far people agree, at the level of measurement that the project's classes have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mining.hardness import units
from mining.hardness.agreement import disagreement
from mining.hardness.agreement_coefficients import fleiss_kappa, krippendorff_alpha

BOOTSTRAP_ITEMS, RESAMPLES = 5_000, 300
WHY = {
    "nominal": "nominal: the project's classes have no order, so that any two answers differ as much as any other two",
    "ordinal": "ordinal: the project says that its classes have an order, so that neighbours differ less than the ends",
    "interval": "interval: the project says that its classes are numbers of which differences count",
    "ratio": "ratio: the project says that its classes are numbers from a true zero of which ratios count",
}


def agreement_of(counts: np.ndarray, classes: Sequence[str], level: str) -> dict[str, Any]:
    """Coefficients over all items; in large projects the interval is scaled from that of a sample of items.

    Args:
        counts: (n_items, n_classes) labels given to every item.
        classes: names of the classes; at the levels interval and ratio they are the numbers.
        level: of the project. Where a class is no number, the order of the classes is used, and the reason says so.
    """
    twice = counts[counts.sum(axis=1) >= 2]
    level, values, why = _level(classes, level)
    said = {"level": level, "why_level": why, "n_items": len(twice)}
    if not len(twice):
        return {**said, "alpha": None, "kappa": None, "disagreement": None, "reason": "needs items with two answers"}
    # Where all answers are the same, agreement beyond chance is unknown.
    several = int((twice.sum(axis=0) > 0).sum()) > 1
    small = len(twice) <= BOOTSTRAP_ITEMS
    options: dict[str, Any] = {"level": level, "values": values}
    alpha = krippendorff_alpha(*_spread_out(twice), n_resamples=RESAMPLES if small and several else 0, **options)
    low, high = alpha.low, alpha.high
    if several and not small:
        drawn = twice[np.random.default_rng(0).choice(len(twice), BOOTSTRAP_ITEMS, replace=False)]
        some = krippendorff_alpha(*_spread_out(drawn), n_resamples=RESAMPLES, **options)
        shrink = (BOOTSTRAP_ITEMS / len(twice)) ** 0.5
        low, high = (alpha.value + shrink * (end - some.value) for end in (some.low, some.high))
    share = disagreement(twice)
    mean, half = float(share.mean()), units.Z * float(share.std()) / len(twice) ** 0.5
    return {
        **said, "reason": "" if several else "all answers are the same class, so that chance agrees as well",
        "alpha": {"value": alpha.value, "low": low, "high": high}, "kappa": fleiss_kappa(twice),
        "disagreement": {"value": mean, "low": max(mean - half, 0.0), "high": min(mean + half, 1.0)},
    }  # fmt: skip


def _level(classes: Sequence[str], level: str) -> tuple[str, np.ndarray | None, str]:
    """Return the level to use, the numbers of the classes where it needs them, and why it is this one."""
    if level not in ("interval", "ratio"):
        return level, None, WHY[level]
    try:
        values = np.array([float(name) for name in classes])
        fits = bool(np.isfinite(values).all()) and (level == "interval" or bool((values >= 0).all()))
    except ValueError:
        fits = False
    if fits:
        return level, values, WHY[level]
    return (
        "ordinal",
        None,
        f"ordinal: not every class is called like a number, as {level} needs, so their order counts",
    )


def _spread_out(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (item, label) codes of one row a label."""
    item, label = np.nonzero(counts)
    times = counts[item, label].astype(np.int64)
    return np.repeat(item, times), np.repeat(label, times)
