"""Published and plain recipes for the hardness of items from people's times and answers.

All take trials as `timing.fit_response_times` does and return (n_items,), higher is harder, NaN where they cannot say.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mining.hardness import agreement
from mining.hardness.glad import fit_glad

Array = NDArray[np.float64]
Codes = NDArray[np.integer]
IONESCU_LONGEST_MS = 20_000.0
IONESCU_FEWEST, IONESCU_FEW, IONESCU_SLOW_MS = 3, 10, 10_000.0


def mean_by_item(item: Codes, values: Array, n_items: int) -> Array:
    """Return (n_items,) means of (n_trials,) values, NaN values left aside."""
    known = ~np.isnan(values)
    n = np.bincount(item[known], minlength=n_items)
    total = np.bincount(item[known], values[known], n_items)
    return np.asarray(np.divide(total, n, out=np.full(n_items, np.nan), where=n > 0))


def raw_mean(item: Codes, annotator: Codes, response_ms: Array, label: Codes | None, n_items: int) -> Array:
    """Mean response time in ms."""
    return mean_by_item(item, response_ms, n_items)


def geometric_mean(item: Codes, annotator: Codes, response_ms: Array, label: Codes | None, n_items: int) -> Array:
    """Geometric mean response time in ms."""
    return np.asarray(np.exp(mean_by_item(item, np.log(response_ms), n_items)))


def ionescu(item: Codes, annotator: Codes, response_ms: Array, label: Codes | None, n_items: int) -> Array:
    """Ionescu et al., CVPR 2016, How hard can it be? Estimating the difficulty of visual search, in ms.

    Times over 20 s go; so do annotators with under 3 trials, or under 10 and a mean over 10 s. Times are standardised
    for each annotator, mapped back to the mean and SD of all, and averaged geometrically.
    """
    keep = response_ms <= IONESCU_LONGEST_MS
    size = int(annotator.max()) + 1 if annotator.size else 0
    n = np.bincount(annotator[keep], minlength=size)
    mean = np.divide(np.bincount(annotator[keep], response_ms[keep], size), n, out=np.zeros(size), where=n > 0)
    out = (n < IONESCU_FEWEST) | ((n < IONESCU_FEW) & (mean > IONESCU_SLOW_MS))
    keep &= ~out[annotator]
    if not keep.any():
        return np.full(n_items, np.nan)
    i, j, times = item[keep], annotator[keep], response_ms[keep]
    sd = np.sqrt(np.bincount(j, (times - mean[j]) ** 2, size) / np.maximum(n, 1))
    z = np.divide(times - mean[j], sd[j], out=np.zeros(times.size), where=sd[j] > 0)
    back = np.maximum(times.mean() + times.std() * z, 1.0)
    return np.asarray(np.exp(mean_by_item(i, np.log(back), n_items)))


def mean_rank(item: Codes, annotator: Codes, response_ms: Array, label: Codes | None, n_items: int) -> Array:
    """Mean place of the time among those of its annotator, 0 to 1; trials without an answer are the slowest."""
    return mean_by_item(item, within_annotator_rank(annotator, response_ms), n_items)


def within_annotator_rank(annotator: Codes, response_ms: Array) -> Array:
    """Return (n_trials,) ranks over (n + 1) among the annotator's own times; ties share the mean rank."""
    times = np.where(np.isnan(response_ms), np.inf, response_ms)
    order = np.lexsort((times, annotator))
    who, value = annotator[order], times[order]
    n = order.size
    if n == 0:
        return np.zeros(0)
    new_annotator = np.concatenate([[True], who[1:] != who[:-1]])
    new_value = new_annotator | np.concatenate([[True], value[1:] != value[:-1]])
    starts = np.flatnonzero(new_value)
    ends = np.append(starts[1:], n)
    tie = np.cumsum(new_value) - 1
    first = np.flatnonzero(new_annotator)
    person = np.cumsum(new_annotator) - 1
    size = np.diff(np.append(first, n))
    rank = (0.5 * (starts + ends + 1))[tie] - first[person]
    out = np.empty(n)
    out[order] = rank / (size[person] + 1)
    return out


def label_disagreement(item: Codes, annotator: Codes, response_ms: Array, label: Codes | None, n_items: int) -> Array:
    """Share of labels that differ from the consensus of Dawid and Skene."""
    if label is None:
        return np.full(n_items, np.nan)
    return agreement.consensus(item, annotator, label, n_items, _n_classes(label)).disagreement


def label_entropy(item: Codes, annotator: Codes, response_ms: Array, label: Codes | None, n_items: int) -> Array:
    """Entropy of the labels over ln K."""
    if label is None:
        return np.full(n_items, np.nan)
    return agreement.label_entropy(agreement.count_labels(item, label, n_items, _n_classes(label)))


def glad_difficulty(item: Codes, annotator: Codes, response_ms: Array, label: Codes | None, n_items: int) -> Array:
    """-ln beta of GLAD."""
    if label is None:
        return np.full(n_items, np.nan)
    return fit_glad(item, annotator, label, n_items, _n_classes(label)).hardness


def error_rate(item: Codes, label: Codes, reference: Codes, n_items: int) -> Array:
    """Share of answers that are not the item's true class; ``reference`` (n_items,), -1 where it is not known."""
    use = (label >= 0) & (reference[item] >= 0)
    wrong = np.where(use, (label != reference[item]).astype(np.float64), np.nan)
    return mean_by_item(item, wrong, n_items)


def _n_classes(label: Codes) -> int:
    return int(label.max(initial=0)) + 1
