"""Strategies that rank: several measures at once, class by class, or from easy to hard."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mining.learners.parameters import Parameter
from mining.strategies.strategy import (
    BoolArray,
    FloatArray,
    IntArray,
    Selection,
    Strategy,
    StrategyError,
    Table,
    is_unknown,
    percent_rank,
    ranked,
)

MEASURE = Parameter("measure", "loss", "The column to rank by; higher must be harder.")


def _column(table: Table, name: str) -> FloatArray:
    if name not in table or table[name].ndim != 1 or table[name].dtype.kind not in "fiu":
        known = ", ".join(sorted(key for key, column in table.items() if column.ndim == 1 and column.dtype.kind == "f"))
        raise StrategyError(f"this round has no measure {name!r}; it has {known}")
    return np.asarray(table[name], dtype=np.float64)


def _pick_combined(table: Table, eligible: BoolArray, values: Mapping[str, Any]) -> Selection:
    names = [name.strip() for name in str(values["measures"]).split(",") if name.strip()]
    if not names:
        raise StrategyError("combined needs the name of at least one measure")
    ranks = [percent_rank(_column(table, name), eligible) for name in names]
    known = np.sum([~np.isnan(rank) for rank in ranks], axis=0)
    # The mean over what is known of an item: one that nobody has judged yet is ranked by the models alone.
    mean = np.where(known > 0, np.nansum(ranks, axis=0) / np.maximum(known, 1), np.nan)
    cut = percent_rank(mean, eligible)

    def reason(index: IntArray) -> list[str]:
        sentences = []
        for row in index:
            parts = [
                f"{name} {100 * rank[row]:.0f} %"
                for name, rank in zip(names, ranks, strict=True)
                if not np.isnan(rank[row])
            ]
            sentences.append("harder than, by " + ", by ".join(parts) + " of the items")
        return sentences

    unknown = [name for name in names if is_unknown(_column(table, name))]
    notes = tuple(f"{name} is not known of any item and did not count" for name in unknown)
    return ranked(mean, eligible & (cut >= 1.0 - values["share"]), values["limit"], reason, notes)


def _pick_class_balanced(table: Table, eligible: BoolArray, values: Mapping[str, Any]) -> Selection:
    name = str(values["measure"])
    score, given = _column(table, name), table["given"]
    candidates = np.flatnonzero(eligible & (given >= 0) & ~np.isnan(score))
    order = candidates[np.lexsort((-score[candidates], given[candidates]))]
    labels = given[order]
    first = np.r_[True, labels[1:] != labels[:-1]] if len(order) else np.zeros(0, dtype=bool)
    starts = np.flatnonzero(first)
    place = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    chosen = np.zeros(len(score), dtype=bool)
    chosen[order[place < values["per_class"]]] = True
    within = np.zeros(len(score), dtype=np.int64)
    within[order] = place + 1

    def reason(index: IntArray) -> list[str]:
        return [f"number {within[row]} of class {given[row]} by {name} ({score[row]:.3g})" for row in index]

    return ranked(score, chosen, values["limit"], reason)


def _pick_curriculum(table: Table, eligible: BoolArray, values: Mapping[str, Any]) -> Selection:
    name = str(values["measure"])
    score = _column(table, name)
    rank = percent_rank(score, eligible)

    def reason(index: IntArray) -> list[str]:
        return [f"easier than {100 * (1 - rank[row]):.0f} % of the items by {name} ({score[row]:.3g})" for row in index]

    return ranked(-score, eligible, values["limit"], reason)


COMBINED = Strategy(
    name="combined",
    title="Combined",
    description="Items with the highest mean rank over several measures, of people and of models.",
    reference="Borda count",
    parameters=(
        Parameter("measures", "time_hardness,loss", "The columns to combine, with commas between."),
        Parameter("share", 0.1, "Share of the items to take, from the hardest.", low=0.0, high=1.0),
    ),
    needs=("given",),
    pick=_pick_combined,
)
CLASS_BALANCED = Strategy(
    name="class_balanced",
    title="Class-balanced",
    description="The hardest items of every class, the same number of each, so that no class fills the set.",
    reference="Cui et al. 2019, for why; top-k within classes",
    parameters=(MEASURE, Parameter("per_class", 20, "How many items of each class.", low=1, high=1_000_000)),
    needs=("given",),
    pick=_pick_class_balanced,
    use="oversample",
)
CURRICULUM = Strategy(
    name="curriculum",
    title="Curriculum",
    description="All items from easy to hard: an order to train in, not a choice. Scores fall as items get harder.",
    reference="Bengio et al. 2009",
    parameters=(MEASURE,),
    needs=("given",),
    pick=_pick_curriculum,
    use="schedule",
)
