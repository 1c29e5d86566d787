"""Do two scores point to the same hardest items?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mining.comparison.rank_correlation import known_pairs


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
    first, second = known_pairs(x, y)
    size = min(int(k), len(first))
    if size < 1:
        return Overlap(size, len(first), float("nan"), float("nan"))
    shared = len(np.intersect1d(hardest_first(first)[:size], hardest_first(second)[:size], assume_unique=True))
    return Overlap(size, len(first), shared / size, size / len(first))


def rank_biased_overlap(x: npt.ArrayLike, y: npt.ArrayLike, *, p: float = 0.9, depth: int | None = None) -> float:
    """Extrapolated rank-biased overlap, hardest first: (1 - p) sum p^(d - 1) A_d + A_k p^k (Webber, Moffat & Zobel
    2010).

    A_d is the share that the first d of both rankings have in common; `depth` (default: all) is k. One for equal
    rankings, zero for rankings that share nothing to that depth. `p` is how far a reader goes on: .9 gives the first
    ten 86 % of the weight.
    """
    if not 0.0 < p < 1.0:
        raise ValueError(f"p must lie between 0 and 1, not {p}")
    first, second = known_pairs(x, y)
    n_items = len(first)
    k = n_items if depth is None else min(depth, n_items)
    if k == 0:
        return float("nan")
    place_first, place_second = np.empty(n_items, dtype=np.int64), np.empty(n_items, dtype=np.int64)
    place_first[hardest_first(first)] = np.arange(n_items)
    place_second[hardest_first(second)] = np.arange(n_items)
    # An item is shared from the depth on at which the later of the two rankings reaches it.
    reached = np.bincount(np.maximum(place_first, place_second), minlength=n_items)[:k]
    agreement = np.cumsum(reached) / np.arange(1, k + 1)
    weight = p ** np.arange(k, dtype=np.float64)
    return float((1.0 - p) * (weight @ agreement) + agreement[-1] * p**k)


def hardest_first(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Row numbers from the highest value to the lowest; ties keep their order."""
    return np.argsort(-values, kind="stable").astype(np.int64)
