"""The compiled regression of items on their answers, for few classes: fits of small data are made by the hundred."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import math

import numpy as np

from mining.hardness._annotator_kernels import solve
from mining.hardness._kernels import kernel

N_FIXED = 2
"""Columns of the design before those of the classes: 1 and the disagreement."""
RIDGE = 1e-9
"""A trace of ridge keeps a lone class or equal disagreement solvable."""
MOST_TURNS = 30


@kernel
def mean_above_zero(mean, sd):
    """Mean of a normal distribution cut off below zero."""
    if sd <= 0.0:
        return max(mean, 0.0)
    z = mean / sd
    if z < -30.0:
        return -sd / z
    log_share = math.log(0.5 * math.erfc(-z / math.sqrt(2.0)))
    return mean + sd * math.exp(-0.5 * z * z - log_share) / math.sqrt(2.0 * math.pi)


@kernel
def regress(design, alone, told, rest, spread, inverse, coefficients):
    """Weighted ridge regression of ``alone`` (n,) on the design (n, width). ``coefficients`` has twice the room."""
    n, width = design.shape
    inverse[:] = 0.0
    coefficients[:] = 0.0
    total = 0.0
    for i in range(n):
        weight = 1.0 / (rest + 1.0 / told[i])
        total += weight
        for d in range(width):
            wx = weight * design[i, d]
            if wx == 0.0:
                continue
            coefficients[d] += wx * alone[i]
            for e in range(d + 1):
                inverse[d, e] += wx * design[i, e]
    for d in range(width):
        for e in range(d):
            inverse[e, d] = inverse[d, e]
        inverse[d, d] += RIDGE * total if d < N_FIXED else 1.0 / spread
    solve(inverse, coefficients, width)


@kernel
def left_over(mean, score, told, squares, pairs, rest):
    """Return the variance that the prior means do not foretell, and its standard error.

    From products of different judgments, as in `_variances.variance_between`, around the prior mean.
    """
    total, raw = 0.0, 0.0
    product = np.empty(mean.shape[0])
    for i in range(mean.shape[0]):
        own = (told[i] * told[i] - pairs[i]) / told[i]
        m = mean[i]
        product[i] = score[i] ** 2 - squares[i] - 2.0 * m * score[i] * (told[i] - own) + m * m * pairs[i]
        w = 1.0 / (1.0 + rest * told[i]) ** 2
        total += w * pairs[i]
        raw += w * product[i]
    total = max(total, 1e-300)
    raw /= total
    doubt = 0.0
    for i in range(mean.shape[0]):
        w = 1.0 / (1.0 + rest * told[i]) ** 2
        doubt += (w * (product[i] - raw * pairs[i])) ** 2
    return raw, math.sqrt(doubt) / total


@kernel
def fit_prior(design, score, told, squares, pairs, t, floor, rest, spread, inverse, coefficients):
    """Turn regression and variances into each other until they stand; see `LabelPrior.fit`. Return both variances.

    The variance of the classes is their squares over how many of them the data know (MacKay 1992): it comes to rest
    where the EM step does, in fewer turns.
    """
    n, width = design.shape
    alone = score / told
    mean = np.empty(n)
    for _ in range(MOST_TURNS):
        regress(design, alone, told, rest, spread, inverse, coefficients)
        for i in range(n):
            mean[i] = 0.0
            for d in range(width):
                mean[i] += design[i, d] * coefficients[d]
        squared, known = 0.0, 0.0
        for d in range(N_FIXED, width):
            squared += coefficients[d] ** 2
            known += 1.0 - inverse[d, d] / spread
        new_spread = max(squared / max(known, 1e-9), 1e-4 * t)
        raw, doubt = left_over(mean, score, told, squares, pairs, rest)
        new_rest = max(min(mean_above_zero(raw, doubt), 2.0 * t), floor)
        still = abs(new_rest - rest) < 1e-4 * rest and abs(new_spread - spread) < 1e-3 * spread
        rest, spread = new_rest, new_spread
        if still:
            break
    return rest, spread


@kernel
def count_labels(item, column, table):
    """Count in ``table`` (n_items, n_columns) how often each column was named on each item."""
    for t in range(item.shape[0]):
        table[item[t], column[t]] += 1


@kernel
def most_frequent(starts, columns, counts, most, first):
    """Fill how often the most frequent column of each row of a sparse table was named, and the first such column."""
    for i in range(most.shape[0]):
        for at in range(starts[i], starts[i + 1]):
            if counts[at] > most[i]:
                most[i], first[i] = counts[at], columns[at]


@kernel
def add_times(start, stop, annotator, times, label, log_times, told):
    """Take logarithms, NaN without a time or a label; add them up and count them by annotator, (n_annotators, 2)."""
    for t in range(start, stop):
        log_times[t] = math.nan
        if label[t] >= 0 and not math.isnan(times[t]):
            y = math.log(times[t])
            log_times[t] = y
            told[annotator[t], 0] += y
            told[annotator[t], 1] += 1.0


@kernel
def add_wrong_answers(start, stop, item, annotator, log_times, label, plurality, typical, table):
    """Add up over every item's trials with a time and a label (n_items, 4): trials, answers that are not the most
    frequent one, ln ms less what is ``typical`` of the annotator, and that of those answers.
    """
    for t in range(start, stop):
        y = log_times[t]
        if math.isnan(y):
            continue
        i = item[t]
        y -= typical[annotator[t]]
        table[i, 0] += 1.0
        table[i, 2] += y
        if label[t] != plurality[i]:
            table[i, 1] += 1.0
            table[i, 3] += y
