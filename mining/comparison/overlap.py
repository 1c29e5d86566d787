"""Do two scores point to the same hardest items?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mining.comparison.rank_correlation import Ranked, ranked_pair


@dataclass(frozen=True)
class Overlap:
    """How many of the k hardest by one score are among the k hardest by the other."""

    k: int
    n_items: int
    share: float
    chance: float
    """What two unrelated scores would share: k / n."""


def overlap_at(x: npt.ArrayLike, y: npt.ArrayLike, k: int) -> Overlap:
    """Overlap of the `k` highest among the items that both (n,) scores know; ties are broken by position, the lower
    first.
    """
    return overlap_of(*ranked_pair(x, y), k)


def overlap_of(first: Ranked, second: Ranked, k: int) -> Overlap:
    """As `overlap_at`, of scores that are ranked already."""
    n_items = len(first.values)
    size = min(int(k), n_items)
    if size < 1:
        return Overlap(size, n_items, float("nan"), float("nan"))
    shared = int((second.places[first.hardest_first[:size]] < size).sum())
    return Overlap(size, n_items, shared / size, size / n_items)


def rank_biased_overlap(x: npt.ArrayLike, y: npt.ArrayLike, *, p: float = 0.9, depth: int | None = None) -> float:
    """Extrapolated rank-biased overlap, hardest first: (1 - p) sum p^(d - 1) A_d + A_k p^k (Webber, Moffat & Zobel
    2010).

    A_d is the share that the first d of both rankings have in common; `depth` (default: all) is k. One for equal
    rankings, zero for rankings that share nothing to that depth. `p` is how far a reader goes on: .9 gives the first
    ten 86 % of the weight.
    """
    return rank_biased_overlap_of(*ranked_pair(x, y), p=p, depth=depth)


def rank_biased_overlap_of(first: Ranked, second: Ranked, *, p: float = 0.9, depth: int | None = None) -> float:
    """As `rank_biased_overlap`, of scores that are ranked already."""
    if not 0.0 < p < 1.0:
        raise ValueError(f"p must lie between 0 and 1, not {p}")
    n_items = len(first.values)
    k = n_items if depth is None else min(depth, n_items)
    if k == 0:
        return float("nan")
    # An item is shared from the depth on at which the later of the two rankings reaches it.
    reached = np.bincount(np.maximum(first.places, second.places), minlength=n_items)[:k]
    agreement = np.cumsum(reached) / np.arange(1, k + 1)
    weight = p ** np.arange(k, dtype=np.float64)
    return float((1.0 - p) * (weight @ agreement) + agreement[-1] * p**k)
