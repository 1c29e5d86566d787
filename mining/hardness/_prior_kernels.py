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
    """Turn regression and variances into each other until they stand; see `LabelPrior.fit`. Return both variances."""
    n, width = design.shape
    alone = score / told
    mean = np.empty(n)
    for _ in range(MOST_TURNS):
        regress(design, alone, told, rest, spread, inverse, coefficients)
        for i in range(n):
            mean[i] = 0.0
            for d in range(width):
                mean[i] += design[i, d] * coefficients[d]
        squared = 0.0
        for d in range(N_FIXED, width):
            squared += coefficients[d] ** 2 + inverse[d, d]
        new_spread = max(squared / (width - N_FIXED), 1e-4 * t)
        raw, doubt = left_over(mean, score, told, squares, pairs, rest)
        new_rest = max(min(mean_above_zero(raw, doubt), 2.0 * t), floor)
        still = abs(new_rest - rest) < 1e-4 * rest and abs(new_spread - spread) < 1e-3 * spread
        rest, spread = new_rest, new_spread
        if still:
            break
    return rest, spread
