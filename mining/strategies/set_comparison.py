"""How hard sets compare: what they share, and what is new since an earlier one."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from mining.strategies.strategy import IntArray


@dataclass(frozen=True)
class Overlap:
    first: str
    second: str
    shared: int
    share: float
    """Of the smaller set."""


@dataclass(frozen=True)
class Change:
    """A set beside the one that the same strategy picked before."""

    n_before: int
    n_now: int
    n_new: int
    n_gone: int

    @property
    def new_share(self) -> float:
        """Share of the set that was not in the earlier one; 0 for an empty set."""
        return self.n_new / self.n_now if self.n_now else 0.0


def overlaps(sets: Mapping[str, IntArray]) -> list[Overlap]:
    """Compare every two sets of item ids, without repeats in each; pairs with an empty set are left out."""
    found = []
    for (first, one), (second, other) in combinations(sets.items(), 2):
        if len(one) and len(other):
            shared = len(np.intersect1d(one, other, assume_unique=True))
            found.append(Overlap(first, second, shared, shared / min(len(one), len(other))))
    return found


def change_since(before: IntArray, now: IntArray) -> Change:
    """Say what is new in `now` and what has gone since `before`; both item ids without repeats."""
    shared = len(np.intersect1d(before, now, assume_unique=True))
    return Change(len(before), len(now), len(now) - shared, len(before) - shared)
