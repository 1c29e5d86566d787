"""Compiled passes over trials. Trials lie sorted by annotator; a pass reads them once or twice.

Every kernel releases the interpreter lock and works on a range of annotators or trials, so that `_layout` and
`_crossed` can run several in threads. Sums that two ranges share (those of items) go to an array of its own for
each range and are added in a fixed order: the result does not depend on the number of threads.

A censored trial is stored as ``~item`` (negative) with its bound in the place of its time.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

kernel: Any = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")

HISTOGRAM_BINS = 160
BINS_PER_SD = 16.0
NO_BOUND_MS = 1e-15
NO_BOUND = math.log(NO_BOUND_MS / 1000.0) + 10.0
"""A trial known to have lasted longer than nothing tells nothing: ln seconds below this are such bounds, also where
the annotator's mean was taken off."""


@kernel
def count_trials(annotator, start, stop, counts):
    """Add to ``counts`` the trials of every annotator in the range."""
    for t in range(start, stop):
        counts[annotator[t]] += 1


@kernel
def place_trials(item, annotator, times, bounds, limit, start, stop, cursor, item_out, log_out, order):
    """Copy trials to their annotator's place as ln(seconds); ``order`` (may be empty) keeps where they came from."""
    keep_order = order.shape[0] > 0
    for t in range(start, stop):
        j = annotator[t]
        place = cursor[j]
        cursor[j] = place + 1
        ms = times[t]
        if math.isnan(ms):
            ms = bounds[t] if bounds.shape[0] else limit[j]
            item_out[place] = ~item[t]
        else:
            item_out[place] = item[t]
        log_out[place] = math.log(ms / 1000.0)
        if keep_order:
            order[place] = t


@kernel
def sort_by_blocks(first, last, offsets, bits, item, log_times, courses, cells):
    """Put each annotator's trials in the order of blocks of 2^bits items, in place; ``cells``: where each begins."""
    n_blocks = cells.shape[0] - 1
    cursor = np.empty(n_blocks, np.int64)
    for j in range(first, last):
        lo, hi = offsets[j], offsets[j + 1]
        cursor[:] = 0
        for t in range(lo, hi):
            i = item[t]
            cursor[(i if i >= 0 else ~i) >> bits] += 1
        at = lo
        for k in range(n_blocks):
            cells[k, j] = at
            at += cursor[k]
            cursor[k] = cells[k, j] - lo
        cells[n_blocks, j] = at
        old_item, old_times, old_courses = item[lo:hi].copy(), log_times[lo:hi].copy(), courses[:, lo:hi].copy()
        for t in range(hi - lo):
            i = old_item[t]
            k = (i if i >= 0 else ~i) >> bits
            place = lo + cursor[k]
            cursor[k] += 1
            item[place] = i
            log_times[place] = old_times[t]
            for d in range(courses.shape[0]):
                courses[d, place] = old_courses[d, t]


@kernel
def count_items(first, last, offsets, item, counts):
    """Count (n_items, 2) trials and censored trials of every item."""
    for t in range(offsets[first], offsets[last]):
        i = item[t]
        counts[i if i >= 0 else ~i, 0] += 1
        if i < 0:
            counts[~i, 1] += 1


@kernel
def turn_annotators(first, last, cells, item, cursor, out):
    """Put the annotators' codes, ~code for a censored trial, in the order of items; ``cursor``: the next place."""
    for k in range(cells.shape[0] - 1):
        for j in range(first, last):
            for t in range(cells[k, j], cells[k + 1, j]):
                i = item[t]
                code = i if i >= 0 else ~i
                out[cursor[code]] = j if i >= 0 else ~j
                cursor[code] += 1


@kernel
def turn_values(first, last, cells, item, cursor, values, out):
    """Put (n_trials,) ``values`` in the order of items."""
    for k in range(cells.shape[0] - 1):
        for j in range(first, last):
            for t in range(cells[k, j], cells[k + 1, j]):
                i = item[t]
                code = i if i >= 0 else ~i
                out[cursor[code]] = values[t]
                cursor[code] += 1


@kernel
def longest_times(annotator, times, start, stop, longest):
    for t in range(start, stop):
        if times[t] > longest[annotator[t]]:
            longest[annotator[t]] = times[t]


@kernel
def normal_quantile(p):
    """Inverse of the normal distribution (Acklam's rational approximation, relative error 1.2e-9)."""
    if p > 0.5:
        return -normal_quantile_low(1.0 - p)
    return normal_quantile_low(p)


@kernel
def normal_quantile_low(p):
    if p < 0.02425:
        q = math.sqrt(-2.0 * math.log(p))
        top = -7.784894002430293e-03 * q - 3.223964580411365e-01
        top = (top * q - 2.400758277161838) * q - 2.549732539343734
        top = (top * q + 4.374664141464968) * q + 2.938163982698783
        low = (7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996
        low = (low * q + 3.754408661907416) * q + 1.0
        return top / low
    q = p - 0.5
    r = q * q
    top = -3.969683028665376e01 * r + 2.209460984245205e02
    top = (top * r - 2.759285104469687e02) * r + 1.383577518672690e02
    top = (top * r - 3.066479806614716e01) * r + 2.506628277459239
    low = (-5.447609879822406e01 * r + 1.615858368580409e02) * r - 1.556989798598866e02
    low = ((low * r + 6.680131188771972e01) * r - 1.328068155288572e01) * r + 1.0
    return top * q / low


@kernel
def score_by_rank(first, last, offsets, item, log_times, score):
    """Turn each annotator's times into normal quantiles (Blom); a bound lies between the times around it."""
    for j in range(first, last):
        lo, hi = offsets[j], offsets[j + 1]
        values = np.empty(hi - lo, log_times.dtype)
        n, m = 0, 0
        for t in range(lo, hi):
            if log_times[t] > NO_BOUND:
                n += 1
            if item[t] >= 0:
                values[m] = log_times[t]
                m += 1
        seen = values[:m]
        seen.sort()
        for t in range(lo, hi):
            value = log_times[t]
            if value <= NO_BOUND:
                score[t] = value
                continue
            below, right = 0, m
            while below < right:
                middle = (below + right) // 2
                if seen[middle] < value:
                    below = middle + 1
                else:
                    right = middle
            upto, right = below, m
            while upto < right:
                # ties are rare: step before halving what is left
                middle = upto if seen[upto] > value else (upto + right) // 2
                if seen[middle] <= value:
                    upto = middle + 1
                else:
                    right = middle
            rank = 0.5 * (below + upto + 1) if item[t] >= 0 else upto + 0.5
            score[t] = normal_quantile((rank - 0.375) / (n + 0.25))


@kernel
def bend_scores(start, stop, z, c2, c3, low, high, out):
    """Hermite curve of normal quantiles, level beyond ``low`` and ``high``; bounds that tell nothing stay."""
    scale = 1.0 / math.sqrt(1.0 + c2 * c2 + c3 * c3)
    c2, c3 = c2 / math.sqrt(2.0), c3 / math.sqrt(6.0)
    for t in range(start, stop):
        if z[t] <= NO_BOUND:
            out[t] = z[t]
            continue
        at = min(max(z[t], low), high)
        out[t] = scale * (at + c2 * (at * at - 1.0) + c3 * (at * at - 3.0) * at)


@kernel
def square_scores(first, last, offsets, log_times, c2, c3, low, high, out):
    """Sum of squares of the scores that every annotator's trials have together, the censored ones among them."""
    for j in range(first, last):
        n = 0
        for t in range(offsets[j], offsets[j + 1]):
            if log_times[t] > NO_BOUND:
                n += 1
        z = np.empty(n)
        for place in range(n):
            z[place] = normal_quantile((place + 1 - 0.375) / (n + 0.25))
        bend_scores(0, n, z, c2, c3, low, high, z)
        out[j] = np.sum(z * z)


@kernel
def survey(first, last, offsets, item, log_times, seen_by, out):
    """Describe every annotator's times: out (n_annotators, 6) holds how many were observed, mean and variance of ln
    seconds, the longest, how many equal the one before, how many trials show an item again. seen_by (n_items,): -1.
    """
    for j in range(first, last):
        count, mean, square, longest, same, again, before = 0, 0.0, 0.0, -math.inf, 0, 0, math.nan
        for t in range(offsets[j], offsets[j + 1]):
            i = item[t]
            code = i if i >= 0 else ~i
            if seen_by[code] == j:
                again += 1
            seen_by[code] = j
            if i < 0:
                continue
            value = log_times[t]
            count += 1
            step = value - mean
            mean += step / count
            square += step * (value - mean)
            longest = max(longest, value)
            if value == before:
                same += 1
            before = value
        out[j, 0], out[j, 1], out[j, 2] = count, mean, square / max(count - 1, 1)
        out[j, 3], out[j, 4], out[j, 5] = longest, same, again


@kernel
def centre_times(first, last, offsets, log_times, centre):
    """Take every annotator's ``centre`` off their times, in place."""
    for j in range(first, last):
        for t in range(offsets[j], offsets[j + 1]):
            log_times[t] -= centre[j]


@kernel
def connect(first, last, offsets, item, parent):
    """Join items that share an annotator: ``parent`` (n_items,) is a union-find forest."""
    for j in range(first, last):
        root = -1
        for t in range(offsets[j], offsets[j + 1]):
            i = item[t]
            i = i if i >= 0 else ~i
            while parent[i] != i:
                parent[i] = parent[parent[i]]
                i = parent[i]
            if root < 0:
                root = i
            elif i < root:
                parent[root] = i
                root = i
            elif i > root:
                parent[i] = root


@kernel
def t_likelihoods(hist, total, degrees, out):
    """Log likelihood of a t distribution with each of the ``degrees``, its scale free, for squares in a histogram.

    Fifteen turns of expectation-maximisation find the scale (Lange, Little & Taylor 1989).
    """
    for k in range(degrees.shape[0]):
        nu, scale2 = degrees[k], 1.0
        for _ in range(15):
            square = 0.0
            for at in range(hist.shape[0]):
                r2 = ((at + 0.5) / BINS_PER_SD) ** 2
                square += hist[at] * (nu + 1.0) * r2 / (nu + r2 / scale2)
            scale2 = square / total
        height = total * (math.lgamma((nu + 1.0) / 2) - math.lgamma(nu / 2) - 0.5 * math.log(nu * scale2))
        for at in range(hist.shape[0]):
            r2 = ((at + 0.5) / BINS_PER_SD) ** 2
            height -= hist[at] * (nu + 1.0) / 2 * math.log1p(r2 / (nu * scale2))
        out[k] = height
