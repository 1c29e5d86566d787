"""What the trials of each annotator look like. Descriptions, not verdicts: nothing here bans anybody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mining.hardness._trials import BadTrials, read_codes, read_labels, read_positions, read_times

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
FAST_GUESS_MS = 200.0
MAD_TO_SD = 1.4826


@dataclass(frozen=True, slots=True)
class AnnotatorTable:
    """One row an annotator; every array is (n_annotators,), NaN where there is nothing to tell."""

    n_trials: Counts
    null_share: Array
    """Share of trials without a time."""
    median_ms: Array
    noise: Array
    """Robust SD of ln times: 1.4826 times the median absolute deviation."""
    fast_guess_share: Array
    """Share of times too short to have seen the image."""
    practice: Array
    """Change of ln time per unit of ln(position); negative is getting faster."""
    drift: Array
    """Change of ln time over 100 trials within a session, beyond practice between sessions."""
    gold_accuracy: Array
    n_gold: Counts
    retest_correlation: Array
    """Correlation of ln times of the first and second time the same item was shown; needs 3 such items."""
    retest_agreement: Array
    """Share of repeated items that got the same label twice."""
    n_retests: Counts


def describe_annotators(
    annotator: ArrayLike,
    response_ms: ArrayLike,
    *,
    item: ArrayLike | None = None,
    position: ArrayLike | None = None,
    session: ArrayLike | None = None,
    label: ArrayLike | None = None,
    gold: ArrayLike | None = None,
    n_annotators: int | None = None,
    fast_guess_ms: float = FAST_GUESS_MS,
) -> AnnotatorTable:
    """Describe every annotator from (n_trials,) arrays.

    Args:
        annotator: annotator codes.
        response_ms: milliseconds, NaN for none.
        item: item codes; with them, repeats of an item show how stable an annotator is.
        position: 1-based order in which the annotator saw the items; without it the order of trials.
        session: session codes; drift is measured within them.
        label: label codes, -1 for none.
        gold: (n_trials,) true label of gold items, -1 elsewhere.

    Raises:
        BadTrials: as `timing.fit_response_times`.
    """
    who = read_codes(annotator, "annotator", n_codes=n_annotators)
    n = who.shape[0]
    times = read_times(response_ms, n).astype(np.float64, copy=False)
    size = n_annotators if n_annotators is not None else (int(who.max()) + 1 if n else 0)
    labels = None if label is None else read_labels(label, n)
    place = _order_within(who) if position is None else read_positions(position, n).astype(np.float64)
    timed = ~np.isnan(times)
    n_trials, n_timed = np.bincount(who, minlength=size), np.bincount(who[timed], minlength=size)
    log_times = np.log(times)
    median, mad = _median_and_mad(who[timed], log_times[timed], size)
    fast = np.bincount(who[timed], times[timed] < fast_guess_ms, size)
    accuracy, n_gold = _gold(who, labels, gold, size)
    correlation, same, n_retests = _retest(who, item, labels, log_times, place, size)
    return AnnotatorTable(
        n_trials=n_trials.astype(np.int64),
        null_share=_share(n_trials - n_timed, n_trials),
        median_ms=np.exp(median),
        noise=MAD_TO_SD * mad,
        fast_guess_share=_share(fast, n_timed),
        practice=_slope(who, np.log(place), log_times, timed, size),
        drift=_drift(who, session, place, log_times, timed, size),
        gold_accuracy=accuracy,
        n_gold=n_gold,
        retest_correlation=correlation,
        retest_agreement=same,
        n_retests=n_retests,
    )


def practice_curve(position: ArrayLike, response_ms: ArrayLike, n_points: int = 20) -> tuple[Array, Array]:
    """Return (positions, geometric mean ms) of one annotator's course of practice, in bins that double.

    Args:
        position, response_ms: (n_trials,); NaN times are left aside.
        n_points: bins at most.
    """
    times = np.asarray(response_ms, dtype=np.float64)
    place = read_positions(position, times.shape[0]).astype(np.float64)
    known = ~np.isnan(times)
    if not known.any():
        return np.zeros(0), np.zeros(0)
    place, log_times = place[known], np.log(times[known])
    edges = np.unique(np.round(np.geomspace(1, place.max() + 1, n_points + 1)))
    at = np.searchsorted(edges, place, side="right")
    n = np.bincount(at)
    filled = n > 0
    where = np.bincount(at, np.log(place))[filled] / n[filled]
    return np.exp(where), np.exp(np.bincount(at, log_times)[filled] / n[filled])


def null_reasons(annotator: ArrayLike, reason: ArrayLike, n_annotators: int, n_reasons: int) -> Counts:
    """Return (n_annotators, n_reasons) counts of trials without a time; reason codes, -1 where there is a time."""
    who = read_codes(annotator, "annotator", n_codes=n_annotators)
    why = read_labels(reason, who.shape[0])
    if why.size and int(why.max()) >= n_reasons:
        raise BadTrials("code_out_of_range", f"`reason` holds {int(why.max())}, but there are {n_reasons}.")
    none = why >= 0
    cell = who[none].astype(np.int64) * n_reasons + why[none]
    return np.bincount(cell, minlength=n_annotators * n_reasons).reshape(n_annotators, n_reasons).astype(np.int64)


def _share(part: NDArray[np.generic], whole: NDArray[np.integer]) -> Array:
    out = np.full(whole.shape, np.nan)
    return np.asarray(np.divide(part, whole, out=out, where=whole > 0))


def _order_within(who: NDArray[np.integer]) -> Array:
    order = np.argsort(who, kind="stable")
    new = np.flatnonzero(np.concatenate([[True], np.diff(who[order]) != 0])) if who.size else np.zeros(0, np.int64)
    sizes = np.diff(np.append(new, who.size))
    place = np.empty(who.size)
    place[order] = np.arange(who.size) - np.repeat(new, sizes) + 1
    return place


def _median(who: NDArray[np.integer], values: Array, size: int) -> Array:
    order = np.lexsort((values, who))
    sorted_values = values[order]
    n = np.bincount(who, minlength=size)
    first = np.cumsum(n) - n
    out = np.full(size, np.nan)
    on = n > 0
    low, high = (first + (n - 1) // 2)[on], (first + n // 2)[on]
    out[on] = 0.5 * (sorted_values[low] + sorted_values[high])
    return out


def _median_and_mad(who: NDArray[np.integer], values: Array, size: int) -> tuple[Array, Array]:
    median = _median(who, values, size)
    return median, _median(who, np.abs(values - median[who]), size)


def _slope(who: NDArray[np.integer], x: Array, y: Array, use: NDArray[np.bool_], size: int) -> Array:
    """Least-squares slope of y on x within each code; NaN with fewer than 3 points or no spread."""
    who, x, y = who[use], x[use], y[use]
    n = np.maximum(np.bincount(who, minlength=size), 1)
    x = x - (np.bincount(who, x, size) / n)[who]
    xx, xy = np.bincount(who, x * x, size), np.bincount(who, x * y, size)
    enough = (np.bincount(who, minlength=size) >= 3) & (xx > 1e-12)
    return np.asarray(np.divide(xy, xx, out=np.full(size, np.nan), where=enough))


def _drift(
    who: NDArray[np.integer],
    session: ArrayLike | None,
    place: Array,
    log_times: Array,
    timed: NDArray[np.bool_],
    size: int,
) -> Array:
    """Slope on position within sessions, pooled over an annotator's sessions, for 100 trials."""
    if session is None:
        group = who.astype(np.int64)
    else:
        codes = read_codes(session, "session", who.shape[0])
        group = who.astype(np.int64) * (int(codes.max(initial=0)) + 1) + codes
    _, group = np.unique(group[timed], return_inverse=True)
    person, x, y = who[timed], place[timed] / 100.0, log_times[timed]
    n = np.maximum(np.bincount(group), 1)
    x = x - (np.bincount(group, x) / n)[group] if x.size else x
    xx, xy = np.bincount(person, x * x, size), np.bincount(person, x * y, size)
    enough = (np.bincount(person, minlength=size) >= 3) & (xx > 1e-12)
    return np.asarray(np.divide(xy, xx, out=np.full(size, np.nan), where=enough))


def _gold(
    who: NDArray[np.integer], labels: NDArray[np.integer] | None, gold: ArrayLike | None, size: int
) -> tuple[Array, Counts]:
    if labels is None or gold is None:
        return np.full(size, np.nan), np.zeros(size, np.int64)
    truth = read_labels(gold, who.shape[0])
    use = (truth >= 0) & (labels >= 0)
    n = np.bincount(who[use], minlength=size).astype(np.int64)
    return _share(np.bincount(who[use], labels[use] == truth[use], size), n), n


def _retest(
    who: NDArray[np.integer],
    item: ArrayLike | None,
    labels: NDArray[np.integer] | None,
    log_times: Array,
    place: Array,
    size: int,
) -> tuple[Array, Array, Counts]:
    """Compare the first with the second judgment of the same item by the same annotator."""
    nothing = np.full(size, np.nan)
    if item is None or who.size < 2:
        return nothing, nothing.copy(), np.zeros(size, np.int64)
    code = read_codes(item, "item", who.shape[0])
    order = np.lexsort((place, code, who))
    pair = (who[order][1:] == who[order][:-1]) & (code[order][1:] == code[order][:-1])
    # the second judgment of a run of three is the first of no other pair
    pair[1:] &= ~pair[:-1]
    one, two = order[:-1][pair], order[1:][pair]
    n = np.bincount(who[one], minlength=size).astype(np.int64)
    same = nothing.copy()
    if labels is not None:
        both = (labels[one] >= 0) & (labels[two] >= 0)
        agree = np.bincount(who[one][both], labels[one][both] == labels[two][both], size)
        same = _share(agree, np.bincount(who[one][both], minlength=size))
    timed = ~(np.isnan(log_times[one]) | np.isnan(log_times[two]))
    person, x, y = who[one][timed], log_times[one][timed], log_times[two][timed]
    count = np.bincount(person, minlength=size)
    x = x - (np.bincount(person, x, size) / np.maximum(count, 1))[person]
    y = y - (np.bincount(person, y, size) / np.maximum(count, 1))[person]
    scale = np.sqrt(np.bincount(person, x * x, size) * np.bincount(person, y * y, size))
    correlation = np.divide(
        np.bincount(person, x * y, size), scale, out=nothing.copy(), where=(count >= 3) & (scale > 1e-12)
    )
    return correlation, same, n
