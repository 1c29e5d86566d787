"""Where one more judgment says most about which items are the hardest.

Posterior of an item's hardness: N(estimate, SE^2). The hard set is the top share of the estimates; an item is wrongly
in or out of it with probability Phi(-|z|), z = (estimate - cut) / SE. One more judgment of precision w moves the
estimate by N(0, d^2), d^2 = SE^2 - 1 / (1 / SE^2 + w). Its worth is the expected fall of the loss by wrong items, each
weighed by how far from the cut it lies: d (phi(u) - u Phi(-u)), u = |estimate - cut| / d. This is the knowledge
gradient of choosing each item against a known standard.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]


FURTHEST = 1000.0
"""Distances beyond this are all without worth; their squares need not overflow."""


class BadEstimates(ValueError):
    """Estimates from which nothing can be ranked; the message names what and why."""


@dataclass(frozen=True, slots=True)
class JudgmentRanking:
    """Items in the order in which a judgment is worth most."""

    order: NDArray[np.int64]
    """Item numbers, the one to judge first at the head; items not in `can_be_judged` are left out."""
    value: Array
    """(n_items,) expected fall of the loss by one more judgment, in units of the estimates."""
    in_set: Array
    """(n_items,) probability that the item is above the cut."""
    cut: float
    """The hardness between the items in the hard set and the others."""
    precision: float
    """Expected share of the items in the estimated hard set that truly are above the cut."""


def rank_for_judgment(
    estimate: ArrayLike,
    se: ArrayLike,
    *,
    share: float,
    judgment_precision: float,
    item_sd: float,
    can_be_judged: ArrayLike | None = None,
) -> JudgmentRanking:
    """Rank items by how much one more judgment of each reduces the uncertainty about the hard set.

    Args:
        estimate: hardness, shape (n_items,), higher is harder; NaN where never judged: those have the mean, 0.
        se: standard errors of the shrunken estimates, shape (n_items,); NaN where never judged.
        share: part of the items that makes the hard set, above 0 and below 1.
        judgment_precision: 1 / variance of one judgment.
        item_sd: SD of true hardness between items.
        can_be_judged: (n_items,) whether another judgment can be had; all by default.

    Raises:
        BadEstimates: shapes, share, precision or SD cannot be used.

    Examples:
        >>> rank_for_judgment([2, 1.1, 0.9, -1], [.5] * 4, share=.5, judgment_precision=4, item_sd=1).order[:2].tolist()
        [1, 2]
    """
    mean, error = _posterior(estimate, se, item_sd)
    if not 0 < share < 1:
        raise BadEstimates(f"`share` is {share!r}; a share lies between 0 and 1.")
    if not (np.isfinite(judgment_precision) and judgment_precision > 0):
        raise BadEstimates(f"`judgment_precision` is {judgment_precision!r}; it must be above 0.")
    n_items = mean.shape[0]
    n_hard = min(max(1, round(share * n_items)), n_items - 1)
    chosen, cut = _hard_set(mean, n_hard)
    in_set: Array = ndtr((mean - cut) / error)
    after = 1 / (1 / error**2 + judgment_precision)
    moves = np.sqrt(np.maximum(error**2 - after, 1e-300))
    distance = np.minimum(np.abs(mean - cut) / moves, FURTHEST)
    value = moves * (np.exp(-(distance**2) / 2) / np.sqrt(2 * np.pi) - distance * ndtr(-distance))
    order = np.argsort(-value, kind="stable")
    if can_be_judged is not None:
        order = order[np.asarray(can_be_judged, dtype=bool)[order]]
    return JudgmentRanking(order, value, in_set, cut, float(in_set[chosen].mean()))


def _posterior(estimate: ArrayLike, se: ArrayLike, item_sd: float) -> tuple[Array, Array]:
    mean, error = np.asarray(estimate, dtype=np.float64), np.asarray(se, dtype=np.float64)
    if mean.ndim != 1 or mean.shape != error.shape or mean.shape[0] < 2:
        raise BadEstimates(
            f"`estimate` and `se` have the shapes {mean.shape} and {error.shape}; "
            "they must be (n_items,) of two items or more."
        )
    if not (np.isfinite(item_sd) and item_sd > 0):
        raise BadEstimates(f"`item_sd` is {item_sd!r}: it must be known and above 0.")
    unknown = np.isnan(mean) | np.isnan(error)
    if (error[~unknown] < 0).any():
        raise BadEstimates("`se` holds negative numbers.")
    return np.where(unknown, 0.0, mean), np.maximum(np.where(unknown, item_sd, error), 1e-9 * item_sd)


def _hard_set(mean: Array, n_hard: int) -> tuple[NDArray[np.int64], float]:
    """Return the numbers of the items in the hard set, and the value halfway between its last and the next one."""
    order = np.argsort(-mean, kind="stable")
    return order[:n_hard], float((mean[order[n_hard - 1]] + mean[order[n_hard]]) / 2)
