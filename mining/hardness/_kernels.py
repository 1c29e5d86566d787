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
TAIL = 0.02425
"""Where the approximation of normal quantiles changes its form."""
FEW_TO_SORT = 40
ALL_BITS, SIGN, SIGN_PLACE, LOW_BYTE = np.uint64(2**64 - 1), np.uint64(2**63), np.uint64(63), np.uint64(255)


@kernel
def normal_quantile(p):
    """Inverse of the normal distribution (Acklam's rational approximation, relative error 1.2e-9)."""
    if p > 0.5:
        return -normal_quantile_low(1.0 - p)
    return normal_quantile_low(p)


@kernel
def normal_quantile_low(p):
    if p < TAIL:
        q = math.sqrt(-2.0 * math.log(p))
        top = -7.784894002430293e-03 * q - 3.223964580411365e-01
        top = (top * q - 2.400758277161838) * q - 2.549732539343734
        top = (top * q + 4.374664141464968) * q + 2.938163982698783
        low = (7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996
        low = (low * q + 3.754408661907416) * q + 1.0
        return top / low
    return normal_quantile_middle(p)


@kernel
def normal_quantile_middle(p):
    q = p - 0.5
    r = q * q
    top = -3.969683028665376e01 * r + 2.209460984245205e02
    top = (top * r - 2.759285104469687e02) * r + 1.383577518672690e02
    top = (top * r - 3.066479806614716e01) * r + 2.506628277459239
    low = (-5.447609879822406e01 * r + 1.615858368580409e02) * r - 1.556989798598866e02
    low = ((low * r + 6.680131188771972e01) * r - 1.328068155288572e01) * r + 1.0
    return top * q / low


@kernel
def normal_scores(n):
    """Return Blom's normal quantiles of the ranks 1 to n: the lower half, and the same with the other sign."""
    z = np.empty(n)
    half = (n + 1) // 2
    tail = min(max(int(TAIL * (n + 0.25) + 0.375), 0), half)
    for place in range(tail):
        z[place] = normal_quantile_low((place + 0.625) / (n + 0.25))
    for place in range(tail, half):
        z[place] = normal_quantile_middle((place + 0.625) / (n + 0.25))
    for place in range(n // 2):
        z[n - 1 - place] = -z[place]
    return z


@kernel
def sort_with_places(values, places, n):
    """Sort the first n of ``values`` (float64), and ``places`` with them: by digits of eight bits, the last one first.

    Equal values keep their order. Digits that all values share are passed over.
    """
    if n <= FEW_TO_SORT:
        for k in range(1, n):
            value, place = values[k], places[k]
            at = k
            while at > 0 and values[at - 1] > value:
                values[at], places[at] = values[at - 1], places[at - 1]
                at -= 1
            values[at], places[at] = value, place
        return
    keys = values.view(np.uint64)
    counts = np.zeros((8, 256), np.int64)
    for k in range(n):
        # so that the order of the bits is that of the numbers: all of them turned where negative, else the sign
        bits = keys[k]
        bits ^= ALL_BITS if bits >> SIGN_PLACE else SIGN
        keys[k] = bits
        for digit in range(8):
            counts[digit, (bits >> np.uint64(8 * digit)) & LOW_BYTE] += 1
    one, one_places, other, other_places = keys, places, np.empty(n, np.uint64), np.empty(n, places.dtype)
    for digit in range(8):
        shift, cursor = np.uint64(8 * digit), counts[digit]
        if cursor[(one[0] >> shift) & LOW_BYTE] == n:
            continue
        at = 0
        for byte in range(256):
            at, cursor[byte] = at + cursor[byte], at
        for k in range(n):
            byte = (one[k] >> shift) & LOW_BYTE
            to = cursor[byte]
            cursor[byte] = to + 1
            other[to], other_places[to] = one[k], one_places[k]
        one, one_places, other, other_places = other, other_places, one, one_places
    for k in range(n):
        bits, place = one[k], one_places[k]
        keys[k] = bits ^ (SIGN if bits >> SIGN_PLACE else ALL_BITS)
        places[k] = place


@kernel
def score_by_rank(first, last, offsets, item, log_times, score):
    """Turn each annotator's times into normal quantiles (Blom); a bound lies between the times around it."""
    for j in range(first, last):
        lo, hi = offsets[j], offsets[j + 1]
        seen, places = np.empty(hi - lo), np.empty(hi - lo, np.int32)
        n, m = 0, 0
        for t in range(lo, hi):
            if item[t] >= 0:
                seen[m], places[m] = log_times[t], t - lo
                m += 1
            elif log_times[t] > NO_BOUND:
                n += 1
        n += m
        sort_with_places(seen, places, m)
        scores, at = normal_scores(n), 0
        while at < m:
            upto = at + 1
            while upto < m and seen[upto] == seen[at]:
                upto += 1
            value = scores[at] if n == m and upto == at + 1 else blom(0.5 * (at + upto + 1), n)
            for k in range(at, upto):
                score[lo + places[k]] = value
            at = upto
        if hi - lo == m:
            continue
        for t in range(lo, hi):
            if item[t] >= 0:
                continue
            value, upto, right = log_times[t], 0, m
            if value <= NO_BOUND:
                score[t] = value
                continue
            while upto < right:
                middle = (upto + right) // 2
                if seen[middle] <= value:
                    upto = middle + 1
                else:
                    right = middle
            score[t] = blom(upto + 0.5, n)


@kernel
def blom(rank, n):
    return normal_quantile((rank - 0.375) / (n + 0.25))


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
        z = normal_scores(n)
        bend_scores(0, n, z, c2, c3, low, high, z)
        out[j] = np.sum(z * z)


@kernel
def survey(first, last, offsets, item, log_times, out):
    """Describe every annotator's times: out (n_annotators, 5) holds how many were observed, mean and variance of ln
    seconds, the longest, how many equal the one before.
    """
    for j in range(first, last):
        count, mean, square, longest, same, before = 0, 0.0, 0.0, -math.inf, 0, math.nan
        for t in range(offsets[j], offsets[j + 1]):
            if item[t] < 0:
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
        out[j, 3], out[j, 4] = longest, same


@kernel
def connect(offsets, item, parent, n_judged):
    """Join items that share an annotator: ``parent`` (n_items,) is a union-find forest. Return in how many groups the
    ``n_judged`` items with trials are; one is the least, and ends the search.
    """
    n_groups = n_judged
    for j in range(offsets.shape[0] - 1):
        root = -1
        for t in range(offsets[j], offsets[j + 1]):
            i = item[t]
            i = i if i >= 0 else ~i
            while parent[i] != i:
                parent[i] = parent[parent[i]]
                i = parent[i]
            if root < 0:
                root = i
            elif i != root:
                n_groups -= 1
                parent[max(i, root)] = min(i, root)
                root = min(i, root)
        if n_groups == 1:
            break
    return n_groups


@kernel
def products_of_others(sums, b, pairs):
    """Fill the first rows of ``pairs`` (n_items, 3) with what products of different judgments of an item say: its
    information, what the products are expected to tell, what they are. Return of how many items there are any.
    """
    n = 0
    for i in range(sums.shape[0]):
        information = sums[i, 2]
        told = information * information - sums[i, 4]
        if told > 1e-12 * information * information:
            score = sums[i, 0] + b[i] * (information - sums[i, 1])
            pairs[n, 0], pairs[n, 1], pairs[n, 2] = information, told, score * score - sums[i, 3]
            n += 1
    return n


@kernel
def weigh_products(pairs, t):
    """Return what weighted products are expected to tell, the variance between items that they say, and its standard
    error; ``t``: the variance by which they are weighted.
    """
    total, raw, spread = 0.0, 0.0, 0.0
    for i in range(pairs.shape[0]):
        w = 1.0 / (1.0 + t * pairs[i, 0]) ** 2
        total += w * pairs[i, 1]
        raw += w * pairs[i, 2]
    raw /= total
    for i in range(pairs.shape[0]):
        w = 1.0 / (1.0 + t * pairs[i, 0]) ** 2
        spread += (w * (pairs[i, 2] - raw * pairs[i, 1])) ** 2
    return total, raw, math.sqrt(spread) / total


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
