"""The second half of a sweep: what the trials of every item, less the annotators, say of the item.

Trials lie in the order of items here (`_layout.ByItem`), so that the sums of an item never leave the processor, and
every item belongs to one thread.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import math

from mining.hardness._annotator_kernels import censored_residual
from mining.hardness._kernels import kernel

MANY_TRIALS, FORESEE_STEPS = 16, 15
BASE, LOAD, PRECISION, TELLS = range(4)
"""Columns of what is held of annotators: level, load, 1 / noise variance, what a trial is expected to tell."""


@kernel
def add_up(first, last, starts, who, y, x, b, held, c, nu, whole, sums):
    """Add up what their trials say of items ``first`` to ``last``.

    starts (n_items + 1,): where each item's trials begin. who (n_trials,): annotator codes, ~code for a censored trial;
    y, x (n_courses, n_trials): in the same order. b (n_items,), held (n_annotators, 4): `BASE`, ...; c (n_annotators,
    n_courses): slopes; all as precise as ``y``.

    Filled: sums (n_items, 2): weighted residuals, weights; with ``whole`` (n_items, 5): what they are expected to tell,
    squared scores at b = 0, squares of what each tells.
    """
    number = y.dtype.type
    degrees, degrees_and_one = number(nu), number(nu + 1.0)
    # expected information of a t-distributed trial, against a normal one (Lange, Little & Taylor 1989)
    certain = number((nu + 3.0) / (nu + 1.0))
    for i in range(first, last):
        effect = b[i]
        total, weight, tells, scores, squares = 0.0, 0.0, 0.0, 0.0, 0.0
        for t in range(starts[i], starts[i + 1]):
            j = who[t]
            seen = j >= 0
            j = j if seen else ~j
            stretch, precision = held[j, LOAD], held[j, PRECISION]
            r = y[t] - held[j, BASE] - stretch * effect
            for d in range(x.shape[0]):
                r -= c[j, d] * x[d, t]
            told = held[j, TELLS]
            if seen:
                w = degrees_and_one / (degrees + r * r * precision)
            else:
                long, share = censored_residual(float(r), 1.0 / math.sqrt(precision))
                r, w = number(long), number(share)
                told *= w * certain
            loaded = w * precision * stretch
            total += loaded * (r + stretch * effect)
            weight += loaded * stretch
            if whole:
                score = loaded * r + told * effect
                tells += told
                scores += score * score
                squares += told * told
        sums[i, 0], sums[i, 1] = total, weight
        if whole:
            sums[i, 2], sums[i, 3], sums[i, 4] = tells, scores, squares


@kernel
def add_trust(first, last, starts, who, each, trust, out):
    """Fill (n_items,) the share that is left of ``each`` annotator's weight over the item's trials, times ``trust``."""
    for i in range(first, last):
        whole, part = 0.0, 0.0
        for t in range(starts[i], starts[i + 1]):
            j = who[t]
            j = j if j >= 0 else ~j
            whole += each[j]
            part += each[j] * trust[j]
        out[i] = part / whole if whole > 0.0 else 1.0


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
