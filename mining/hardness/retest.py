"""How steady people are: the same item shown again to the same person, who is not told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mining.hardness._trials import BadTrials, read_codes, read_labels, read_times
from mining.hardness.share_interval import correlation_interval, wilson_interval

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
FEWEST_PAIRS = 4
"""Pairs of times from which on a correlation has an interval."""


@dataclass(frozen=True, slots=True)
class Retest:
    """One row an annotator; every array is (n_annotators,), NaN where there is nothing to tell."""

    n_repeats: Counts
    """Repeats of items of which the first judgment is known."""
    n_labelled: Counts
    """Those with an answer both times."""
    n_same: Counts
    """Those with the same answer both times."""
    same_low: Array
    same_high: Array
    """95 % interval of the share n_same / n_labelled."""
    n_timed: Counts
    """Those with a response time both times."""
    correlation: Array
    """Pearson's correlation of the two ln times, from 4 pairs on."""
    correlation_low: Array
    correlation_high: Array
    log_change: Array
    """Mean of ln(second time) - ln(first): below 0 the second look is faster, as memory makes it."""


def retest(
    annotator: ArrayLike, item: ArrayLike, label: ArrayLike, response_ms: ArrayLike, is_repeat: ArrayLike,
    n_annotators: int,
) -> Retest:  # fmt: skip
    """Compare every hidden repeat with the same annotator's judgment of the same item.

    Args:
        annotator, item: codes, shape (n_trials,).
        label: codes, -1 for no answer.
        response_ms: NaN for none.
        is_repeat: (n_trials,) whether the trial is a hidden repeat; of the others the first one of an annotator and
            item is the judgment it is compared with, of several repeats each one is.

    Raises:
        BadTrials: codes out of range, arrays of different length, times that are not above 0.
    """
    who = read_codes(annotator, "annotator", n_codes=n_annotators).astype(np.int64)
    n = who.shape[0]
    what = read_codes(item, "item", n).astype(np.int64)
    labels, times = read_labels(label, n), np.log(read_times(response_ms, n).astype(np.float64))
    again = np.asarray(is_repeat, dtype=bool)
    if again.shape != (n,):
        raise BadTrials("length_mismatch", f"`is_repeat` has shape {again.shape} where `annotator` has ({n},).")
    first, second = _pairs(who, what, again)
    person = who[second]
    both = (labels[first] >= 0) & (labels[second] >= 0)
    same = both & (labels[first] == labels[second])
    n_labelled, n_same = (np.bincount(person[on], minlength=n_annotators) for on in (both, same))
    low, high = wilson_interval(n_same, n_labelled)
    timed = ~(np.isnan(times[first]) | np.isnan(times[second]))
    r, r_low, r_high, change = _of_times(person[timed], times[first][timed], times[second][timed], n_annotators)
    return Retest(
        n_repeats=np.bincount(person, minlength=n_annotators).astype(np.int64),
        n_labelled=n_labelled.astype(np.int64), n_same=n_same.astype(np.int64), same_low=low, same_high=high,
        n_timed=np.bincount(person[timed], minlength=n_annotators).astype(np.int64),
        correlation=r, correlation_low=r_low, correlation_high=r_high, log_change=change,
    )  # fmt: skip


def _pairs(who: Counts, what: Counts, again: NDArray[np.bool_]) -> tuple[Counts, Counts]:
    """Return rows (first judgment, repeat)."""
    repeats, firsts = np.flatnonzero(again), np.flatnonzero(~again)
    if not repeats.size:
        return repeats, repeats
    span = int(what.max(initial=0)) + 1
    key = who * span + what
    known, at = np.unique(key[firsts], return_index=True)
    if not known.size:
        return repeats[:0], repeats[:0]
    place = np.minimum(np.searchsorted(known, key[repeats]), known.size - 1)
    found = known[place] == key[repeats]
    return firsts[at[place[found]]], repeats[found]


def _of_times(person: Counts, x: Array, y: Array, size: int) -> tuple[Array, Array, Array, Array]:
    count = np.bincount(person, minlength=size)
    nothing = np.full(size, np.nan)
    change = np.divide(np.bincount(person, y - x, size), count, out=nothing.copy(), where=count > 0)
    x, y = (part - (np.bincount(person, part, size) / np.maximum(count, 1))[person] for part in (x, y))
    scale = np.sqrt(np.bincount(person, x * x, size) * np.bincount(person, y * y, size))
    r = np.divide(
        np.bincount(person, x * y, size), scale, out=nothing.copy(), where=(count >= FEWEST_PAIRS) & (scale > 1e-12)
    )
    ends = [correlation_interval(float(value), int(n)) for value, n in zip(r, count, strict=True)]
    low, high = np.array(ends, dtype=np.float64).reshape(-1, 2).T
    return r, low, high, change
