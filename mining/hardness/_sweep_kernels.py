"""Compiled passes of the crossed effects over trials; see `_kernels` for how trials lie and how parts add up."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import math

import numpy as np

from mining.hardness._kernels import BINS_PER_SD, HISTOGRAM_BINS, kernel

MANY_TRIALS, FORESEE_STEPS = 16, 15


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
def add_annotator(j, lo, hi, item, y, x, q, b, load, mean, a, c, s2, nu, gram, right):
    """Add trials ``lo`` to ``hi`` to the weighted regression of annotator j's trials, less the items, on 1 and ``q``
    courses.
    """
    precision, s = 1.0 / s2[j], math.sqrt(s2[j])
    base, stretch, own = mean + a[j], load[j], a[j]
    sw, sr = 0.0, 0.0
    for t in range(lo, hi):
        i = item[t]
        code = i if i >= 0 else ~i
        tilt = 0.0
        for d in range(q):
            tilt += c[j, d] * x[d, t]
        r = y[t] - base - stretch * b[code] - tilt
        if i >= 0:
            w = (nu + 1.0) / (nu + r * r * precision)
        else:
            r, w = censored_residual(r, s)
        r += own + tilt
        sw += w
        sr += w * r
        for d in range(q):
            wx = w * x[d, t]
            gram[0, d + 1] += wx
            right[d + 1] += wx * r
            for e in range(d + 1):
                gram[e + 1, d + 1] += wx * x[e, t]
    gram[0, 0] += sw
    right[0] += sr


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
def update_annotators(first, last, cells, item, y, x, q, b, load, mean, prior, a, c, s2, nu, bend):
    """Update intercepts and slopes of annotators ``first`` to ``last`` given the items, block of items by block."""
    gram, right = np.zeros((last - first, q + 1, q + 1)), np.zeros((last - first, 2 * q + 2))
    for k in range(cells.shape[0] - 1):
        for j in range(first, last):
            add_annotator(
                j, cells[k, j], cells[k + 1, j], item, y, x, q, b, load, mean, a, c, s2, nu, gram[j - first],
                right[j - first],
            )  # fmt: skip
    for j in range(first, last):
        if cells[0, j] < cells[-1, j]:
            solve_annotator(j, q, prior, a, c, s2, gram[j - first], right[j - first], bend)


@kernel
def sweep(
    first,
    last,
    cells,
    item,
    y,
    x,
    q,
    b,
    held,
    made_with,
    known,
    load,
    with_load,
    mean,
    prior,
    least,
    a,
    c,
    doubt,
    s2,
    nu,
    sums,
    noise,
    bend,
    pull,
    hist,
):
    """Update annotators ``first`` to ``last`` given the items, then add up what their trials say of the items.

    cells (n_blocks + 1, n_annotators): where each annotator's trials of every block of items begin. Blocks follow each
    other, so that what is known of a block's items stays in the processor's cache.
    prior (1 + q, 2) holds mean and variance of the intercepts and of each course's slopes; least: 1 / variance between
    items. load: (n_annotators,) how strongly an item's effect shows in their times. doubt: variance of
    each annotator's intercept, seen from one of their trials (from all the others). known (n_items,): what is known
    of each item (1 / variance); held: the precisions that ``b`` was made with; made_with (n_annotators, 2): noise
    variances and loads of that time.

    Filled: sums (n_items, 5): weighted residuals, weights, what they are expected to tell, squared scores at b = 0,
    squares of what each tells. noise (n_annotators, 4): squares of residuals from what the other trials say, what those
    leave open, trials, weights. bend: what the trials tell of each slope. pull (n_annotators, 5), for the loads:
    regression of responses on what the other judgments say of the item (products, precision), squares of observed
    responses and of their scores, censored trials.
    hist: counts of |residual| / s.
    """
    update_annotators(first, last, cells, item, y, x, q, b, load, mean, prior, a, c, s2, nu, bend)
    for k in range(cells.shape[0] - 1):
        for j in range(first, last):
            if cells[k, j] < cells[k + 1, j]:
                add_trials(
                    j, cells[k, j], cells[k + 1, j], item, y, x, q, b, held, made_with, known, load, with_load, mean,
                    least, a, c, doubt, s2, nu, sums, noise, pull, hist,
                )  # fmt: skip


@kernel
def add_trials(
    j, lo, hi, item, y, x, q, b, held, made_with, known, load, with_load, mean, least, a, c, doubt, s2, nu, sums, noise,
    pull, hist,
):  # fmt: skip
    """Add what trials ``lo`` to ``hi``, all of annotator j, say of the items and of the annotator; see `sweep`."""
    # expected information of a t-distributed trial, against a normal one (Lange, Little & Taylor 1989)
    kappa = (nu + 1.0) / (nu + 3.0)
    precision, s = 1.0 / s2[j], math.sqrt(s2[j])
    base, stretch = mean + a[j], load[j]
    square, weight, vague, observed = 0.0, 0.0, 0.0, 0.0
    product, told_load, total, seen, lost = 0.0, 0.0, 0.0, 0.0, 0.0
    each = stretch * stretch / (s2[j] + doubt[j])
    expected = kappa * each
    s2_before, load_before = made_with[j, 0], made_with[j, 1]
    own, expected_before = load_before / s2_before, kappa * load_before * load_before / (s2_before + doubt[j])
    for t in range(lo, hi):
        i = item[t]
        code = i if i >= 0 else ~i
        r = y[t] - base - stretch * b[code]
        for d in range(q):
            r -= c[j, d] * x[d, t]
        if i >= 0:
            w = (nu + 1.0) / (nu + r * r * precision)
            # what the other trials leave open; the residual from them alone is longer by its share
            open_ = doubt[j] + stretch * stretch / max(known[code] - expected_before, least)
            longer = r * (1.0 + open_ / s2_before)
            square += w * longer * longer
            vague += open_
            observed += 1.0
            hist[min(int(abs(r) / s * BINS_PER_SD), HISTOGRAM_BINS - 1)] += 1
            if with_load:
                response = r + stretch * b[code]
                rest = max(held[code] - w * own * load_before, least)
                others = (b[code] * held[code] - w * own * response) / rest
                v = w / (s2[j] + stretch * stretch / rest)
                product += v * others * response
                told_load += v * others * others
                total += response * response
                seen += y[t] * y[t]
        else:
            bound = r
            r, w = censored_residual(bound, s)
            if w > 0.0:
                # r w / s is the hazard: E[(y - mean)^2 | y > bound] = s^2 + s bound hazard
                open_ = doubt[j] + stretch * stretch / max(known[code], least)
                square += s2[j] + bound * r * w + open_
                vague += open_
                observed += 1.0
                if with_load:
                    # the expected response in the place of the one that nobody waited for
                    response = r * w + stretch * b[code]
                    rest = max(held[code] - w * own * load_before, least)
                    others = (b[code] * held[code] - w * own * (r + stretch * b[code])) / rest
                    v = 1.0 / (s2[j] + stretch * stretch / rest)
                    product += v * others * response
                    told_load += v * others * others
                    lost += 1.0
        weight += w
        loaded = w * precision * stretch
        sums[code, 0] += loaded * (r + stretch * b[code])
        sums[code, 1] += loaded * stretch
        told = expected if i >= 0 else w * each
        score = loaded * r + told * b[code]
        sums[code, 2] += told
        sums[code, 3] += score * score
        sums[code, 4] += told * told
    noise[j, 0] += square
    noise[j, 1] += vague
    noise[j, 2] += observed
    noise[j, 3] += weight
    pull[j, 0] += product
    pull[j, 1] += told_load
    pull[j, 2] += total
    pull[j, 3] += seen
    pull[j, 4] += lost


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
def foresee(first, last, starts, order, item, who, rest, load, s2, nu, least, b, held, out):
    """Fill ``out`` (n_trials,) with the effect that the other trials of items ``first`` to ``last`` foretell.

    The weights of the others must not know the trial: those of a t distribution, made with it, are larger where the
    others agree with it, and it would seem to be foretold. Where trials are many, it has no say in them.

    starts (n_items + 1,), order (n_trials,): where the trials of each item are. who, rest (n_trials,): annotators, and
    responses less what is not the item's. held (n_items,): the precisions that ``b`` was made with.
    """
    for i in range(first, last):
        lo, hi = starts[i], starts[i + 1]
        for at in range(lo, hi):
            t = order[at]
            if item[t] < 0 or hi - lo < 2:
                continue
            if hi - lo > MANY_TRIALS:
                stretch, precision = load[who[t]], 1.0 / s2[who[t]]
                r = rest[t] - stretch * b[i]
                w = precision * stretch * (nu + 1.0) / (nu + r * r * precision)
                out[t] = (b[i] * held[i] - w * rest[t]) / max(held[i] - w * stretch, least)
                continue
            effect = 0.0
            for _ in range(FORESEE_STEPS):
                total, weight = 0.0, least
                for other in range(lo, hi):
                    u = order[other]
                    if u == t:
                        continue
                    stretch, precision = load[who[u]], 1.0 / s2[who[u]]
                    r = rest[u] - stretch * effect
                    if item[u] >= 0:
                        w = (nu + 1.0) / (nu + r * r * precision)
                    else:
                        r, w = censored_residual(r, math.sqrt(s2[who[u]]))
                    loaded = w * precision * stretch
                    total += loaded * (r + stretch * effect)
                    weight += loaded * stretch
                before, effect = effect, total / weight
                if abs(effect - before) * abs(effect - before) * least < 1e-6:
                    break
            if weight > least:
                out[t] = effect


@kernel
def add_weights(first, last, offsets, item, each, trust, out):
    """Add up (n_items, 2): ``each`` annotator's weight over the item's trials, plain and times ``trust``."""
    for j in range(first, last):
        for t in range(offsets[j], offsets[j + 1]):
            i = item[t]
            code = i if i >= 0 else ~i
            out[code, 0] += each[j]
            out[code, 1] += each[j] * trust[j]
