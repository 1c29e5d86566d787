"""The hardness of every item by the measure that the project chose, and what classes are summed up from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from mining.human_words import known_measure, words_of
from mining.people import score_of, trial_arrays, trials_for

from .estimates import Estimates


@dataclass(frozen=True)
class Kinds:
    """What the hardness of classes and pairs is estimated from: (n_items,) values, their errors, their true spread."""

    value: np.ndarray
    se: np.ndarray
    sd: float
    unit: str


@dataclass(frozen=True)
class Scores:
    """(n_items,) values and standard errors, NaN where unknown; `has_se` is False for recipes without any."""

    value: np.ndarray
    se: np.ndarray
    unit: str
    has_se: bool
    of_kinds: Kinds | None

    @cached_property
    def kinds(self) -> Kinds:
        """Of time hardness those of times alone: answers would put the class into its own score."""
        if self.of_kinds is not None:
            return self.of_kinds
        spread = float(np.nanstd(self.value)) if np.isfinite(self.value).sum() > 1 else 0.0
        # Without errors of single items, all that parts the items of a class is taken to be theirs.
        return Kinds(self.value, np.where(np.isnan(self.value), np.nan, 0.0), spread, self.unit)

    @property
    def unit_of_classes(self) -> str:
        return self.kinds.unit


def chosen_scores(measure: str, trials: pl.DataFrame, found: Estimates, n_items: int) -> Scores:
    """Return the hardness of every item by the chosen measure."""
    name = known_measure(measure)
    words = words_of(name)
    if not words.is_fitted:
        used = trials_for(name, trials)
        value = score_of(name)(*trial_arrays(used), n_items) if len(used) else np.full(n_items, np.nan)
        return Scores(value, np.full(n_items, np.nan), words.unit, False, None)
    fit = found.alone if name == "time" else found.fit
    if fit is None or found.alone is None:
        nothing = np.full(n_items, np.nan)
        return Scores(nothing, nothing, "log-seconds", True, Kinds(nothing, nothing, 0.0, "log-seconds"))
    alone = found.alone
    kinds = Kinds(alone.item_effect, alone.item_se, alone.item_sd, alone.scale)
    return Scores(fit.item_effect, fit.item_se, fit.scale, True, kinds)
