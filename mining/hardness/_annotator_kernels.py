"""The first half of a sweep: what the trials of every annotator, less the items, say of the annotator.

Residuals and weights are made for a few hundred trials at a time, in loops so plain that the compiler works on four or
eight at once, in the precision of the times (single in large data). Sums go on in double precision from chunk to chunk.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import math

import numpy as np

from mining.hardness._kernels import BINS_PER_SD, HISTOGRAM_BINS, kernel

CHUNK = 512
SIGN_BIT = 31
EFFECT, RESIDUAL, WEIGHT, OTHER = range(4)
"""Rows of the room in which a chunk is worked on."""
NOTHING, NOISE, LOADS = range(3)
"""What is learnt of annotators besides intercepts and slopes."""


@kernel
def update_annotators(
    first, last, cells, item, y, x, b, held, made_with, known, load, learn, mean, prior, least, a, c, doubt, s2, nu,
    noise, bend, pull, hist,
):  # fmt: skip
    """Update intercepts and slopes of annotators ``first`` to ``last`` given the items; then learn of their noise.

    cells (n_blocks + 1, n_annotators): where each annotator's trials of every block of items begin. Blocks follow each
    other, so that what is known of a block's items stays in the processor's cache.
    learn: `NOISE`, ... prior (1 + n_courses, 2) holds mean and variance of the intercepts and of each course's slopes;
    least: 1 / variance between items. load: (n_annotators,) how strongly an item's effect shows in their times. doubt:
    variance of each annotator's intercept, seen from one of their trials (from all the others). known (n_items,): what
    is known of each item (1 / variance); held: the precisions that ``b`` was made with, all three as precise as ``y``;
    made_with (n_annotators, 2): noise variances and loads of that time.

    Filled: bend: what the trials tell of each slope. noise (n_annotators, 4): squares of residuals from what the other
    trials say, what those leave open (both for `NOISE` only), trials, weights. hist: counts of |residual| / s, for
    `NOISE`. pull (n_annotators, 5), for `LOADS`: regression of responses on what the other judgments say of the item
    (products, precision), squares of observed responses and of their scores, censored trials.
    """
    q = x.shape[0]
    codes, room = np.empty(CHUNK, np.uint32), np.empty((4, CHUNK), y.dtype)
    gram, right = np.zeros((last - first, q + 1, q + 1)), np.zeros((last - first, 2 * q + 2))
    for block in range(cells.shape[0] - 1):
        for j in range(first, last):
            for lo in range(cells[block, j], cells[block + 1, j], CHUNK):
                hi = min(cells[block + 1, j], lo + CHUNK)
                residuals(j, lo, hi, item, y, x, b, load, mean, a, c, s2, nu, codes, room)
                add_annotator(j, lo, hi, x, a, c, room, gram[j - first], right[j - first])
    for j in range(first, last):
        if cells[0, j] < cells[-1, j]:
            solve_annotator(j, q, prior, a, c, s2, gram[j - first], right[j - first], bend)
    if learn == NOTHING:
        return
    for block in range(cells.shape[0] - 1):
        for j in range(first, last):
            for lo in range(cells[block, j], cells[block + 1, j], CHUNK):
                hi = min(cells[block + 1, j], lo + CHUNK)
                n_lost = residuals(j, lo, hi, item, y, x, b, load, mean, a, c, s2, nu, codes, room)
                add_weights(j, hi - lo, room, noise)
                if learn == LOADS:
                    add_pull(j, lo, hi, item, y, held, made_with, load, least, s2, codes, room, n_lost, pull)
                    continue
                add_noise(j, lo, hi, item, known, made_with, load, least, doubt, s2, nu, codes, room, noise, hist)
                if n_lost > 0:
                    add_lost(j, lo, hi, item, y, x, load, mean, a, c, s2, room, noise)


@kernel
def residuals(j, lo, hi, item, y, x, b, load, mean, a, c, s2, nu, codes, room):
    """Fill what a chunk of annotator j's trials, ``lo`` to ``hi``, leaves after items and annotator, and its weights.

    Returns how many of the trials are censored: those have the working residual and weight of a Newton step.
    """
    number = y.dtype.type
    n, n_lost = hi - lo, 0
    base, stretch, precision = number(mean + a[j]), number(load[j]), number(1.0 / s2[j])
    degrees, degrees_and_one = number(nu), number(nu + 1.0)
    for k in range(n):
        i = item[lo + k]
        codes[k] = i ^ (i >> SIGN_BIT)
        n_lost += i < 0
    for k in range(n):
        room[EFFECT, k] = b[codes[k]]
    for k in range(n):
        room[RESIDUAL, k] = y[lo + k] - base - stretch * room[EFFECT, k]
    for d in range(x.shape[0]):
        slope = number(c[j, d])
        for k in range(n):
            room[RESIDUAL, k] -= slope * x[d, lo + k]
    for k in range(n):
        r = room[RESIDUAL, k]
        room[WEIGHT, k] = degrees_and_one / (degrees + r * r * precision)
    if n_lost > 0:
        s = math.sqrt(s2[j])
        for k in range(n):
            if item[lo + k] < 0:
                room[RESIDUAL, k], room[WEIGHT, k] = censored_residual(float(room[RESIDUAL, k]), s)
    return n_lost


@kernel
def censored_residual(bound, s):
    """Working residual and weight of a trial known to exceed its mean by ``bound`` (one Newton step)."""
    z = bound / s
    if z < -8.0:
        return 0.0, 0.0
    if z > 6.0:
        hazard = z + 1.0 / z - 2.0 / (z * z * z)
    else:
        hazard = 0.7978845608028654 * math.exp(-0.5 * z * z) / math.erfc(z * 0.7071067811865476)
    weight = min(max(hazard * (hazard - z), 1e-9), 1.0)
    return s * hazard / weight, weight


@kernel
def add_annotator(j, lo, hi, x, a, c, room, gram, right):
    """Add a chunk to the weighted regression of annotator j's trials, less the items, on 1 and the courses ``x``."""
    number = x.dtype.type
    n, own, zero = hi - lo, number(a[j]), number(0.0)
    for k in range(n):
        room[RESIDUAL, k] += own
    for d in range(x.shape[0]):
        slope = number(c[j, d])
        for k in range(n):
            room[RESIDUAL, k] += slope * x[d, lo + k]
    weight, total = zero, zero
    for k in range(n):
        weight += room[WEIGHT, k]
        total += room[WEIGHT, k] * room[RESIDUAL, k]
    gram[0, 0] += weight
    right[0] += total
    for d in range(x.shape[0]):
        weight, total = zero, zero
        for k in range(n):
            wx = room[WEIGHT, k] * x[d, lo + k]
            weight += wx
            total += wx * room[RESIDUAL, k]
        gram[0, d + 1] += weight
        right[d + 1] += total
        for e in range(d + 1):
            total = zero
            for k in range(n):
                total += room[WEIGHT, k] * x[d, lo + k] * x[e, lo + k]
            gram[e + 1, d + 1] += total


@kernel
def solve(matrix, right, size):
    """Solve a small symmetric positive definite system in place; ``matrix`` becomes its inverse (Gauss-Jordan)."""
    for d in range(size):
        pivot = 1.0 / matrix[d, d]
        for e in range(size):
            matrix[d, e] *= pivot
        matrix[d, d] = pivot
        for row in range(size):
            if row == d:
                continue
            factor = matrix[row, d]
            matrix[row, d] = 0.0
            for e in range(size):
                matrix[row, e] -= factor * matrix[d, e]
    for d in range(size):
        right[size + d] = 0.0
        for e in range(size):
            right[size + d] += matrix[d, e] * right[e]
    for d in range(size):
        right[d] = right[size + d]


@kernel
def solve_annotator(j, q, prior, a, c, s2, gram, right, bend):
    """Set intercept and slopes of annotator j by the regression that `add_annotator` has added up."""
    precision = 1.0 / s2[j]
    if q == 0:
        a[j] = right[0] * precision / (gram[0, 0] * precision + 1.0 / prior[0, 1])
        return
    for d in range(q + 1):
        right[d] = right[d] * precision + prior[d, 0] / prior[d, 1]
        for e in range(d + 1):
            gram[e, d] = gram[e, d] * precision
            gram[d, e] = gram[e, d]
        gram[d, d] += 1.0 / prior[d, 1]
    solve(gram, right, q + 1)
    a[j] = right[0]
    for d in range(q):
        c[j, d] = right[d + 1]
        bend[j, d] = max(1.0 / gram[d + 1, d + 1] - 1.0 / prior[d + 1, 1], 0.0)


@kernel
def add_weights(j, n, room, noise):
    """Count a chunk's trials that tell something, and add up their weights."""
    number = room.dtype.type
    zero, one = number(0.0), number(1.0)
    weight, observed = zero, zero
    for k in range(n):
        weight += room[WEIGHT, k]
        observed += one if room[WEIGHT, k] > zero else zero
    noise[j, 2] += observed
    noise[j, 3] += weight


@kernel
def add_noise(j, lo, hi, item, known, made_with, load, least, doubt, s2, nu, codes, room, noise, hist):
    """Add what a chunk's observed trials say of annotator j's noise, and of the tails of everybody's."""
    number = room.dtype.type
    n, zero, one = hi - lo, number(0.0), number(1.0)
    before, load_before = made_with[j, 0], made_with[j, 1]
    expected = number((nu + 1.0) / (nu + 3.0) * load_before * load_before / (before + doubt[j]))
    longer, floor = number(1.0 / before), number(least)
    stretch, vague_self = number(load[j] * load[j]), number(doubt[j])
    square, vague = zero, zero
    for k in range(n):
        room[OTHER, k] = known[codes[k]]
    for k in range(n):
        seen = one if item[lo + k] >= 0 else zero
        # what the other trials leave open; the residual from them alone is longer by its share
        open_ = vague_self + stretch / max(room[OTHER, k] - seen * expected, floor)
        r = room[RESIDUAL, k] * (one + open_ * longer)
        room[OTHER, k] = open_
        square += seen * room[WEIGHT, k] * r * r
        vague += seen * open_
    noise[j, 0] += square
    noise[j, 1] += vague
    bins, top = number(BINS_PER_SD / math.sqrt(s2[j])), number(HISTOGRAM_BINS - 1)
    for k in range(n):
        if item[lo + k] >= 0:
            hist[int(min(abs(room[RESIDUAL, k]) * bins, top))] += 1


@kernel
def add_lost(j, lo, hi, item, y, x, load, mean, a, c, s2, room, noise):
    """Add what a chunk's censored trials say of annotator j's noise, after `add_noise`."""
    for k in range(hi - lo):
        w = room[WEIGHT, k]
        if item[lo + k] >= 0 or w <= 0.0:
            continue
        bound = y[lo + k] - mean - a[j] - load[j] * room[EFFECT, k]
        for d in range(x.shape[0]):
            bound -= c[j, d] * x[d, lo + k]
        # r w / s is the hazard: E[(y - mean)^2 | y > bound] = s^2 + s bound hazard
        noise[j, 0] += s2[j] + bound * room[RESIDUAL, k] * w + room[OTHER, k]
        noise[j, 1] += room[OTHER, k]


@kernel
def add_pull(j, lo, hi, item, y, held, made_with, load, least, s2, codes, room, n_lost, pull):
    """Add a chunk to the regression of annotator j's responses on what the other judgments say of the items."""
    number = y.dtype.type
    n, zero, one = hi - lo, number(0.0), number(1.0)
    own, own_told = number(made_with[j, 1] / made_with[j, 0]), number(made_with[j, 1] ** 2 / made_with[j, 0])
    floor, noise, stretch, square = number(least), number(s2[j]), number(load[j]), number(load[j] * load[j])
    product, told, total, seen = zero, zero, zero, zero
    for k in range(n):
        room[OTHER, k] = held[codes[k]]
    for k in range(n):
        w, r, b, precision = room[WEIGHT, k], room[RESIDUAL, k], room[EFFECT, k], room[OTHER, k]
        lost = item[lo + k] < 0
        rest = max(precision - w * own_told, floor)
        others = (b * precision - w * own * (r + stretch * b)) / rest
        # a censored trial has the expected response in the place of the one that nobody waited for
        response = (r * w if lost else r) + stretch * b
        v = ((one if w > zero else zero) if lost else w) / (noise + square / rest)
        product += v * others * response
        told += v * others * others
        total += zero if lost else response * response
        seen += zero if lost else y[lo + k] * y[lo + k]
    pull[j, 0] += product
    pull[j, 1] += told
    pull[j, 2] += total
    pull[j, 3] += seen
    if n_lost > 0:
        for k in range(n):
            pull[j, 4] += item[lo + k] < 0 and room[WEIGHT, k] > zero
