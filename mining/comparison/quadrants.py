"""Four quadrants: hard or easy for people, hard or easy for the model, parted at the medians."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

QUADRANTS = ("both_hard", "people_only", "model_only", "both_easy")
QUADRANT_TITLES = {
    "both_hard": "Hard for people and for the model",
    "people_only": "Hard for people only",
    "model_only": "Hard for the model only",
    "both_easy": "Easy for both",
}


@dataclass(frozen=True)
class Quadrants:
    people_cut: float
    model_cut: float
    members: dict[str, IntArray]
    """Row numbers in each quadrant, the farthest from the cuts (in mean rank) first."""

    def counts(self) -> dict[str, int]:
        return {name: len(rows) for name, rows in self.members.items()}


def quadrants(people: npt.ArrayLike, model: npt.ArrayLike) -> Quadrants:
    """Part the items that both (n,) scores know at the median of each; a score at the median counts as easy."""
    first, second = np.asarray(people, dtype=np.float64), np.asarray(model, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"people has shape {first.shape} and model {second.shape}; both must be (n,)")
    known = np.flatnonzero(~(np.isnan(first) | np.isnan(second)))
    if len(known) == 0:
        nothing = np.zeros(0, dtype=np.int64)
        return Quadrants(float("nan"), float("nan"), dict.fromkeys(QUADRANTS, nothing))
    cuts = float(np.median(first[known])), float(np.median(second[known]))
    slow, lost = first[known] > cuts[0], second[known] > cuts[1]
    distance = np.abs(_centred_rank(first[known])) + np.abs(_centred_rank(second[known]))
    which = {
        "both_hard": slow & lost,
        "people_only": slow & ~lost,
        "model_only": ~slow & lost,
        "both_easy": ~slow & ~lost,
    }
    members = {}
    for name, inside in which.items():
        rows = np.flatnonzero(inside)
        members[name] = known[rows[np.argsort(-distance[rows], kind="stable")]].astype(np.int64)
    return Quadrants(cuts[0], cuts[1], members)


def _centred_rank(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    order = np.argsort(values, kind="stable")
    ranks = np.empty(len(values))
    ranks[order] = np.arange(len(values))
    return ranks / max(1, len(values) - 1) - 0.5
