"""What a strategy is, and what it returns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mining.learners.parameters import Parameter, Value, checked_parameters

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Table = Mapping[str, npt.NDArray[Any]]

LIMIT = Parameter("limit", None, "Most items to pick; empty means all that qualify.", low=1, high=1e9, kind="int")

USES = ("weights", "oversample", "schedule", "people")
"""Its items weigh more; are shown more often; are an order to train in; or go to people and are not trained on."""


class StrategyError(ValueError):
    """A strategy cannot run on this table; the message names what is missing."""


@dataclass(frozen=True)
class Selection:
    """A hard set before it is frozen: the hardest first."""

    index: IntArray
    """(m,) rows of the table, each once."""
    score: FloatArray
    """(m,) what they were ranked by, falling."""
    reason: list[str]
    """(m,) why each was picked, for people."""
    notes: tuple[str, ...] = ()
    """What whoever asked should know, above all when nothing was picked."""


Pick = Callable[[Table, BoolArray, Mapping[str, Any]], Selection]


@dataclass(frozen=True)
class Strategy:
    """A named rule. `needs` are the columns of the table without which it cannot run."""

    name: str
    title: str
    description: str
    reference: str
    parameters: tuple[Parameter, ...]
    needs: tuple[str, ...]
    pick: Pick
    use: str = "weights"
    """How its set is used in retraining, one of `USES`."""

    def __post_init__(self) -> None:
        if self.use not in USES:
            raise StrategyError(f"{self.name}: use is {self.use!r}; it must be one of {', '.join(USES)}")

    def all_parameters(self) -> tuple[Parameter, ...]:
        return (*self.parameters, LIMIT)

    def checked(self, values: Mapping[str, Any]) -> dict[str, Value]:
        """Return all parameters with their checked values or defaults; raises `ParameterError`."""
        return checked_parameters(self.name, self.all_parameters(), values)

    def missing_columns(self, table: Table) -> list[str]:
        """Return the needed columns that the table lacks or that hold nothing known."""
        return [name for name in self.needs if name not in table or is_unknown(table[name])]

    def select(self, table: Table, *, eligible: npt.ArrayLike, **values: Any) -> Selection:
        """Pick among the `eligible` (n,) rows of `table`, a mapping of (n,) columns and (n, K) `probabilities`."""
        missing = self.missing_columns(table)
        if missing:
            raise StrategyError(f"{self.title} needs {', '.join(missing)}, which this round does not have")
        marked = np.asarray(eligible, dtype=bool)
        n_items = len(table[self.needs[0]])
        if marked.shape != (n_items,):
            raise StrategyError(f"eligible has shape {marked.shape}; the table has {n_items} rows")
        return self.pick(table, marked, self.checked(values))


def is_unknown(column: npt.NDArray[Any]) -> bool:
    """True when a column of numbers holds nothing but NaN."""
    return column.size > 0 and column.dtype.kind == "f" and bool(np.isnan(column).all())


def ranked(
    score: FloatArray,
    qualifies: BoolArray,
    limit: int | None,
    reason: Callable[[IntArray], Sequence[str]],
    notes: tuple[str, ...] = (),
) -> Selection:
    """Pick the qualifying rows with the highest known score, at most `limit`; ties go to the lower row.

    `reason(index)` words the reasons of the picked rows only: a million items never make a million sentences.
    """
    candidates = np.flatnonzero(qualifies & ~np.isnan(score))
    if limit is not None and len(candidates) > limit:
        # Only what may be picked is sorted; everything level with the last place stays in until ties are settled.
        level = np.partition(score[candidates], len(candidates) - limit)[len(candidates) - limit]
        candidates = candidates[score[candidates] >= level]
    order = candidates[np.argsort(-score[candidates], kind="stable")]
    index = order if limit is None else order[:limit]
    index = index.astype(np.int64)
    return Selection(index, score[index], list(reason(index)), notes)


def percent_rank(values: FloatArray, among: BoolArray) -> FloatArray:
    """Mean rank of each known value among the marked rows, 0 (easiest) to 1 (hardest); NaN elsewhere."""
    ranks = np.full(values.shape, np.nan)
    used = np.flatnonzero(among & ~np.isnan(values))
    if len(used) == 0:
        return ranks
    unique, inverse, counts = np.unique(values[used], return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    middle = last - (counts + 1) / 2.0
    ranks[used] = middle[inverse] / max(1, len(used) - 1) if len(unique) > 1 else 0.5
    return ranks
