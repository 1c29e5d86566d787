"""Where one more judgment says most about which items are the hardest.

Posterior of an item's hardness: N(estimate, SE^2). Its estimate is shrunken, so that the hardest of many estimates lie
closer together than the hardest items do: the cut is the hardness above which so many items are expected as the hard
set holds, sum of p = n, with p = Phi(a), a = (estimate - cut) / SE.

Aimed at is the share of the items in the set that belong there: what the largest n of the p add up to. With m, the p of
the last of them, that is m n + sum of max(p - m, 0), so a judgment is worth what it adds on average to max(p - m, 0).
Judgments of precision w in all move the estimate by N(0, d^2), d^2 = SE^2 - 1 / (1 / SE^2 + w). With r = d / SE and q =
sqrt(1 - r^2), p comes to lie above m where the move, in standard deviations, is above -b, b = (a - q Phi^-1(m)) / r, and
the mean of max(p - m, 0) is Phi2(a, b; r) - m Phi(b): Phi2, the bivariate normal distribution, from Owen's T (Ann. Math.
Stat. 27, 1956). How near this comes to the best that any order could do: `best_order`.

One judgment of an uncertain item far from the cut can be worth next to nothing where three are worth a lot, so the
worth of a further judgment is the best mean over the next ones, and never above that of the one before (as the
knowledge gradient KG(*) of Frazier & Powell, Decision Analysis 7, 2010). And many judgments are asked for before the
next look: `plan` fills a batch one by one, so that nothing is bought twice, and counts those on their way as bought.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, owens_t

Array = NDArray[np.float64]


FURTHEST = 30.0
"""Distances in standard errors beyond this are all without worth."""
LOOKED_AHEAD = 8
"""Judgments of one item that are planned for at a time."""
SMALLEST = 1e-12
"""Numbers nearer to 0 are this."""
LEAST = 1e-9
"""Probabilities nearer to 0 and 1 are this."""
NOT_TO_BE_HAD = -1.0
"""The worth of a judgment that nobody can be asked for."""


class BadEstimates(ValueError):
    """Estimates from which nothing can be ranked; the message names what and why."""


@dataclass(frozen=True, slots=True)
class JudgmentRanking:
    """Items in the order in which a judgment is worth most."""

    order: NDArray[np.int64]
    """Item numbers, the one to judge first at the head; items of which no judgment can be had are left out."""
    plan: NDArray[np.int64]
    """Item numbers, one for each judgment of the batch, the one worth most first: an item comes as often as it pays."""
    value: Array
    """(n_items,) worth of a further judgment: by how many right items the set is expected to gain."""
    in_set: Array
    """(n_items,) probability that the item is above the cut."""
    cut: float
    """The hardness above which as many items are expected as the hard set holds."""
    precision: float
    """Expected share of the items in the estimated hard set that truly are above the cut."""


def rank_for_judgment(
    estimate: ArrayLike,
    se: ArrayLike,
    *,
    share: float,
    judgment_precision: float,
    item_sd: float,
    can_be_had: ArrayLike | None = None,
    on_their_way: ArrayLike | None = None,
    batch: int = 1,
) -> JudgmentRanking:
    """Rank items by how much one more judgment of each reduces the uncertainty about the hard set.

    Args:
        estimate: hardness, shape (n_items,), higher is harder; NaN where never judged: those have the mean, 0.
        se: standard errors of the shrunken estimates, shape (n_items,); NaN where never judged.
        share: part of the items that makes the hard set, above 0 and below 1.
        judgment_precision: 1 / variance of one judgment.
        item_sd: SD of true hardness between items.
        can_be_had: (n_items,) how many more judgments of each can be asked for; any number by default.
        on_their_way: (n_items,) judgments that were asked for and have not come in yet; none by default.
        batch: how many judgments will be asked for by this ranking.

    Raises:
        BadEstimates: shapes, share, precision, SD or batch cannot be used.

    Examples:
        >>> rank_for_judgment([2, 1.1, 0.9, -1], [.5] * 4, share=.5, judgment_precision=4, item_sd=1).order[:2].tolist()
        [1, 2]
    """
    mean, error = _posterior(estimate, se, item_sd)
    if not 0 < share < 1:
        raise BadEstimates(f"`share` is {share!r}; a share lies between 0 and 1.")
    if not (np.isfinite(judgment_precision) and judgment_precision > 0):
        raise BadEstimates(f"`judgment_precision` is {judgment_precision!r}; it must be above 0.")
    if batch < 1:
        raise BadEstimates(f"`batch` is {batch!r}; at least one judgment is asked for.")
    n_items = mean.shape[0]
    n_hard = min(max(1, round(share * n_items)), n_items - 1)
    cut = _cut(mean, error, n_hard)
    away: Array = np.clip((mean - cut) / error, -FURTHEST, FURTHEST)
    in_set: Array = ndtr(away)
    asked = _counts(on_their_way, n_items, "on_their_way")
    worth = _worth_of_further(away, error, judgment_precision, asked, _last_of_set(in_set, n_hard))
    if can_be_had is not None:
        worth[np.arange(LOOKED_AHEAD)[:, None] >= _counts(can_be_had, n_items, "can_be_had")[None, :]] = NOT_TO_BE_HAD
    order, plan = _in_order(worth, batch)
    found = np.argsort(-mean, kind="stable")[:n_hard]
    return JudgmentRanking(order, plan, np.maximum(worth[0], 0.0), in_set, cut, float(in_set[found].mean()))


def _counts(given: ArrayLike | None, n_items: int, name: str) -> NDArray[np.int64]:
    counts = np.zeros(n_items, dtype=np.int64) if given is None else np.asarray(given, dtype=np.int64)
    if counts.shape != (n_items,) or (counts < 0).any():
        raise BadEstimates(f"`{name}` holds one count, 0 or more, for each item.")
    return counts


def _worth_of_further(
    away: Array, error: Array, precision: float, asked: NDArray[np.int64], last: float
) -> Array:
    """Return (LOOKED_AHEAD, n_items): the worth of the next judgment of each item, of the one after it, ..."""
    bought = asked.astype(np.float64)
    gains = np.stack([_gain(away, error, (bought + k) * precision, last) for k in range(LOOKED_AHEAD + 1)])
    # The slopes of the least concave curve above the gains, from its first point on.
    worth = np.empty((LOOKED_AHEAD, away.shape[0]))
    for k in range(LOOKED_AHEAD):
        slopes = [
            np.max([(gains[to] - gains[at]) / (to - at) for to in range(k + 1, LOOKED_AHEAD + 1)], axis=0)
            for at in range(k + 1)
        ]
        worth[k] = np.min(slopes, axis=0)
    return np.asarray(np.maximum(worth, 0.0))


def _gain(away: Array, error: Array, precision: Array, last: float) -> Array:
    """Return what judgments of this precision in all are expected to add to max(p - last, 0)."""
    moved = error**2 * precision / (1 + error**2 * precision)
    r, q = np.sqrt(np.maximum(moved, SMALLEST)), np.sqrt(1 - moved)
    at = ndtri(last)
    a = np.where(np.abs(away) < SMALLEST, SMALLEST, away)
    b = (away - q * at) / r
    b = np.where(np.abs(b) < SMALLEST, SMALLEST, b)
    both = (ndtr(a) + ndtr(b)) / 2 - owens_t(a, (a * q - at) / (r * a)) - owens_t(b, at / b) - np.where(a * b < 0, 0.5, 0)
    gain = both - last * ndtr(b) - np.maximum(ndtr(away) - last, 0)
    return np.asarray(np.where(moved > 0, np.maximum(gain, 0.0), 0.0))


def _in_order(worth: Array, batch: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the items by their next judgment, and the batch that is worth most."""
    order = np.argsort(-worth[0], kind="stable")
    order = order[worth[0][order] >= 0]
    # No more than `batch` items come into the batch, each with its next judgments in their order.
    head = order[:batch]
    worth_of_slot = worth[:, head].ravel()
    slots = np.argsort(-worth_of_slot, kind="stable")[:batch]
    return order, head[slots[worth_of_slot[slots] >= 0] % max(1, head.size)]


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


def _cut(mean: Array, error: Array, n_hard: int) -> float:
    """Return the hardness above which `n_hard` items are expected."""

    def too_many(cut: float) -> float:
        return float(ndtr((mean - cut) / error).sum()) - n_hard

    furthest = FURTHEST * float(error.max())
    low, high = float(mean.min()) - furthest, float(mean.max()) + furthest
    return float(brentq(too_many, low, high, xtol=1e-12 * max(1.0, high - low), rtol=1e-12, maxiter=200))


def _last_of_set(in_set: Array, n_hard: int) -> float:
    """Return the probability at which the set ends when it holds the `n_hard` most probable items."""
    rest = in_set.shape[0] - n_hard
    parted = np.partition(in_set, (rest - 1, rest))
    return float(np.clip((parted[rest - 1] + parted[rest]) / 2, LEAST, 1 - LEAST))
