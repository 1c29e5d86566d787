"""Where one more judgment says most about which items are the hardest.

Posterior of an item's hardness: N(estimate, SE^2). The hard set is the top share of the estimates; an item is above its
cut with probability p = Phi(a), a = (estimate - cut) / SE. What is not known of the set is the sum of p (1 - p), the
variance of who is in it. Judgments of precision w in all will move the estimate by N(0, d^2), d^2 = SE^2 - 1 / (1 /
SE^2 + w). On average they leave P(X > cut > Y) of p (1 - p), for two draws X, Y from the posterior that share what the
judgments say: 2 T(a, sqrt((1 - r) / (1 + r))), r = d^2 / SE^2, with Owen's T (Ann. Math. Stat. 27, 1956). Their worth
is the difference.

One judgment of an uncertain item far from the cut can be worth next to nothing where three are worth a lot, so the
worth of a further judgment is the best mean over the next ones, and never above that of the one before (as the
knowledge gradient KG(*) of Frazier & Powell, Decision Analysis 7, 2010). And many judgments are asked for before the
next look: `plan` fills a batch one by one, so that nothing is bought twice, and counts those on their way as bought.

Judgments are aimed at the cut between the estimates, where the set would change. How much of the set is right is
another question: estimates are shrunken, so the hardest of them lie closer together than the hardest items do, and more
than n items lie above that cut. `in_set` and `precision` go by the hardness above which n items are expected, where p
adds up to n. (Aiming there, or by what a judgment adds to the expected precision, was tried: no better with batches.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, owens_t

Array = NDArray[np.float64]


FURTHEST = 30.0
"""Distances in standard errors beyond this are all without worth."""
LOOKED_AHEAD = 8
"""Judgments of one item that are planned for at a time."""
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
    """(n_items,) worth of a further judgment: by how much the sum of p (1 - p) is expected to fall."""
    in_set: Array
    """(n_items,) probability that the item is among the hardest."""
    cut: float
    """The hardness between the estimates in the hard set and the others: the judgments are aimed at it."""
    precision: float
    """Expected share of the items in the estimated hard set that truly are among the hardest."""


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
    chosen, cut = _hard_set(mean, n_hard)
    away: Array = np.clip((mean - cut) / error, -FURTHEST, FURTHEST)
    worth = _worth_of_further(away, error, judgment_precision, _counts(on_their_way, n_items, "on_their_way"))
    if can_be_had is not None:
        worth[np.arange(LOOKED_AHEAD)[:, None] >= _counts(can_be_had, n_items, "can_be_had")[None, :]] = NOT_TO_BE_HAD
    order, plan = _in_order(worth, batch)
    in_set: Array = ndtr((mean - _expected_cut(mean, error, n_hard)) / error)
    return JudgmentRanking(order, plan, np.maximum(worth[0], 0.0), in_set, cut, float(in_set[chosen].mean()))


def _counts(given: ArrayLike | None, n_items: int, name: str) -> NDArray[np.int64]:
    counts = np.zeros(n_items, dtype=np.int64) if given is None else np.asarray(given, dtype=np.int64)
    if counts.shape != (n_items,) or (counts < 0).any():
        raise BadEstimates(f"`{name}` holds one count, 0 or more, for each item.")
    return counts


def _worth_of_further(away: Array, error: Array, precision: float, asked: NDArray[np.int64]) -> Array:
    """Return (LOOKED_AHEAD, n_items): the worth of the next judgment of each item, of the one after it, ..."""
    known: Array = ndtr(away) * ndtr(-away)
    bought = asked.astype(np.float64)
    falls = np.stack([known - _left(away, error, (bought + k) * precision) for k in range(LOOKED_AHEAD + 1)])
    # The slopes of the least concave curve above the falls, from its first point on.
    worth = np.empty((LOOKED_AHEAD, away.shape[0]))
    for k in range(LOOKED_AHEAD):
        slopes = [
            np.max([(falls[to] - falls[at]) / (to - at) for to in range(k + 1, LOOKED_AHEAD + 1)], axis=0)
            for at in range(k + 1)
        ]
        worth[k] = np.min(slopes, axis=0)
    return np.asarray(np.maximum(worth, 0.0))


def _left(away: Array, error: Array, precision: Array) -> Array:
    """Return what is expected to be left of p (1 - p) after judgments of this precision in all."""
    share = error**2 * precision / (1 + error**2 * precision)
    return np.asarray(2 * owens_t(away, np.sqrt((1 - share) / (1 + share))))


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


def _hard_set(mean: Array, n_hard: int) -> tuple[NDArray[np.int64], float]:
    """Return the numbers of the items in the hard set, and the value halfway between its last and the next one."""
    order = np.argsort(-mean, kind="stable")
    return order[:n_hard], float((mean[order[n_hard - 1]] + mean[order[n_hard]]) / 2)


def _expected_cut(mean: Array, error: Array, n_hard: int) -> float:
    """Return the hardness above which `n_hard` items are expected."""

    def too_many(cut: float) -> float:
        return float(ndtr((mean - cut) / error).sum()) - n_hard

    furthest = FURTHEST * float(error.max())
    low, high = float(mean.min()) - furthest, float(mean.max()) + furthest
    return float(brentq(too_many, low, high, xtol=1e-9 * (high - low)))
