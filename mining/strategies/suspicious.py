"""Suspicious items: no class reaches the threshold. With an honest test of resolving them by neighbours."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mining.learners.parameters import Parameter
from mining.strategies.strategy import BoolArray, FloatArray, IntArray, Selection, Strategy, Table, ranked

N_NEIGHBOURS = 10
N_RESAMPLES = 2000
MOST_REFERENCES = 50_000


def _pick(table: Table, eligible: BoolArray, values: Mapping[str, Any]) -> Selection:
    probabilities = table["probabilities"]
    threshold, n_classes = float(values["threshold"]), probabilities.shape[1]
    top = np.asarray(probabilities.max(axis=1), dtype=np.float64)
    notes: tuple[str, ...] = ()
    if threshold <= 1.0 / n_classes:
        notes = (
            f"with {n_classes} classes the largest probability is never under {1.0 / n_classes:.3g}: "
            f"nothing can be suspicious at a threshold of {threshold:.3g}, set a higher one",
        )
    nearest = probabilities.argmax(axis=1)

    def reason(index: IntArray) -> list[str]:
        return [f"no class reaches {threshold:.2f}; the nearest is {nearest[row]} at {top[row]:.2f}" for row in index]

    return ranked(1.0 - top, eligible & (top < threshold), values["limit"], reason, notes)


SUSPICIOUS = Strategy(
    name="suspicious",
    title="Suspicious",
    description="Items whose most likely class stays below the threshold: the model has no opinion. Ask people.",
    reference="Rejection below a largest probability, Chow 1970",
    parameters=(
        Parameter("threshold", 0.5, "An item is suspicious below this largest probability.", low=0.0, high=1.0),
    ),
    needs=("probabilities",),
    pick=_pick,
)


@dataclass(frozen=True)
class Resolution:
    """What the k nearest in probability space would make of suspicious items, beside what argmax makes of them."""

    index: IntArray
    by_argmax: IntArray
    by_neighbours: IntArray
    n_labelled: int
    """How many of them have a label to check against; the figures below are of those, NaN when there is none."""
    accuracy_argmax: float
    accuracy_neighbours: float
    difference: float
    """Accuracy of the neighbours minus accuracy of argmax."""
    interval: tuple[float, float]
    """95 % bootstrap interval of the difference, pairs kept together."""

    @property
    def verdict(self) -> str:
        """One of "neighbours better", "argmax better", "no difference shown"."""
        if self.interval[0] > 0.0:
            return "neighbours better"
        return "argmax better" if self.interval[1] < 0.0 else "no difference shown"


def resolve_by_neighbours(
    probabilities: FloatArray,
    given: IntArray,
    suspicious: npt.ArrayLike,
    *,
    n_neighbours: int = N_NEIGHBOURS,
    seed: int = 0,
) -> Resolution:
    """Let the labelled items nearest in probability space vote on each suspicious one.

    `probabilities` (n, K) out of fold, `given` (n,), `suspicious` row numbers. Neither the item itself nor other
    suspicious items vote. Ties go to the class with the higher probability. Measured on eight strong networks
    it was worse than argmax for all of them, hence the interval.
    """
    from sklearn.neighbors import NearestNeighbors

    rows = np.asarray(suspicious, dtype=np.int64)
    voter = given >= 0
    voter[rows] = False
    voters = np.flatnonzero(voter)
    if len(voters) > MOST_REFERENCES:
        voters = np.sort(np.random.default_rng(seed).choice(voters, MOST_REFERENCES, replace=False))
    by_argmax = probabilities[rows].argmax(axis=1).astype(np.int64)
    by_neighbours = by_argmax.copy()
    if len(rows) and len(voters):
        search = NearestNeighbors(n_neighbors=min(n_neighbours, len(voters)), algorithm="brute")
        near = voters[search.fit(probabilities[voters]).kneighbors(probabilities[rows], return_distance=False)]
        votes = np.stack([np.bincount(labels, minlength=probabilities.shape[1]) for labels in given[near]])
        by_neighbours = (votes + 0.5 * probabilities[rows]).argmax(axis=1).astype(np.int64)
    known = given[rows] >= 0
    right_argmax = (by_argmax == given[rows])[known].astype(np.float64)
    right_neighbours = (by_neighbours == given[rows])[known].astype(np.float64)
    gain = right_neighbours - right_argmax
    if len(gain) == 0:
        nan = float("nan")
        return Resolution(rows, by_argmax, by_neighbours, 0, nan, nan, nan, (nan, nan))
    return Resolution(
        index=rows,
        by_argmax=by_argmax,
        by_neighbours=by_neighbours,
        n_labelled=len(gain),
        accuracy_argmax=float(right_argmax.mean()),
        accuracy_neighbours=float(right_neighbours.mean()),
        difference=float(gain.mean()),
        interval=_mean_interval(gain, seed),
    )


def _mean_interval(gain: FloatArray, seed: int) -> tuple[float, float]:
    """Bootstrap interval of the mean of -1, 0 and 1: resampling items is drawing how often each of the three occurs."""
    counts = np.array([(gain < 0).sum(), (gain == 0).sum(), (gain > 0).sum()], dtype=np.float64)
    drawn = np.random.default_rng(seed).multinomial(len(gain), counts / counts.sum(), size=N_RESAMPLES)
    means = (drawn[:, 2] - drawn[:, 0]) / len(gain)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
