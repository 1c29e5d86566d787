"""Scores of ranks: how much a fast and a slow answer each tell about the item.

The normal quantile z of a time among those of its annotator is bent by Hermite polynomials of degree 2 and 3::

    score = (z + c2 (z^2 - 1)/sqrt(2) + c3 (z^3 - 3 z)/sqrt(6)) / sqrt(1 + c2^2 + c3^2)

Where the long times have many causes besides the item (waiting, lapses), slow answers tell less than fast ones
(c2 < 0); lapses on both sides flatten both ends (c3 < 0). On Gaussian ranks judgments of the same item have
``E[H_m(z) H_n(z')] = rho^m`` for m = n and 0 otherwise, so that products of different judgments tell c2 and c3; the
best score is the one with the largest correlation between two judgments of an item.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mining.hardness import _kernels as kernels
from mining.hardness._layout import Layout

Array = NDArray[np.float64]
STRAIGHT: Array = np.zeros(2)
PRIOR_MEAN = np.array([0.0, -0.1])
"""c2 has either sign in theory (ex-Gaussian and lapses: negative; gamma and Weibull noise: positive), c3 is negative
wherever there are lapses: -.2 is the plain rank, 0 the normal quantile, this lies between them."""
PRIOR_SD = 0.1
LEAST_CORRELATION = 0.02


def fit_curve(layout: Layout, z: NDArray[np.floating]) -> Array:
    """Return (c2, c3) from (n_trials,) normal quantiles, shrunken to `PRIOR_MEAN` as their standard errors say."""
    known = z > kernels.NO_BOUND
    code = np.where(layout.item >= 0, layout.item, ~layout.item)[known]
    one = z[known].astype(np.float64)
    n = np.bincount(code, minlength=layout.n_items)
    pairs = float(n @ (n - 1))
    if pairs <= 0:
        return STRAIGHT
    # The scores of few ranks are less spread out than a normal distribution, which would be taken for lapses: the
    # polynomials are made orthogonal on the scores that there are.
    one /= max(float(np.sqrt(np.mean(one * one))), 1e-9)
    total = np.bincount(code, one, layout.n_items)
    square = one * one
    rho = max(float(total @ total - square.sum()) / pairs, LEAST_CORRELATION)
    found = np.empty(2)
    skewed, peaked = float(np.mean(square * one)), float(np.mean(square * square))
    bends = ((square - 1 - skewed * one) / np.sqrt(2), 3), ((square - peaked) * one / np.sqrt(6), 4)
    for at, (bent, power) in enumerate(bends):
        product = total * np.bincount(code, bent, layout.n_items) - np.bincount(code, one * bent, layout.n_items)
        gap = max(rho - rho**power, LEAST_CORRELATION)
        raw = float(product.sum()) / pairs / gap
        doubt = float(product @ product) / pairs**2 / gap**2
        found[at] = (raw * PRIOR_SD**2 + PRIOR_MEAN[at] * doubt) / (PRIOR_SD**2 + doubt)
    return found


def limits(curve: Array) -> tuple[float, float]:
    """Return between which z the curve rises; beyond them it is held level, so that slower never counts as easier."""
    c2, c3 = (float(c) for c in curve)
    # derivative: 1 - c3 sqrt(3/2) + sqrt(2) c2 z + c3 sqrt(3/2) z^2
    roots = np.roots([c3 * np.sqrt(1.5), np.sqrt(2) * c2, 1 - c3 * np.sqrt(1.5)])
    real = roots[np.isreal(roots)].real
    return max(real[real < 0], default=-np.inf), min(real[real > 0], default=np.inf)


def bend(z: Array, curve: Array) -> Array:
    """Return scores of normal quantiles ``z`` on a curve."""
    c2, c3 = (float(c) for c in curve)
    low, high = limits(curve)
    out = np.empty_like(z)
    kernels.bend_scores(0, z.shape[0], np.ascontiguousarray(z), c2, c3, low, high, out)
    return out


def bend_in_place(layout: Layout, z: NDArray[np.floating], curve: Array) -> NDArray[np.floating]:
    """Turn (n_trials,) normal quantiles of a layout into scores, and return them."""
    c2, c3 = (float(c) for c in curve)
    low, high = limits(curve)
    layout.parts.run(
        lambda k: kernels.bend_scores(
            layout.offsets[layout.splits[k]], layout.offsets[layout.splits[k + 1]], z, c2, c3, low, high, z
        )
    )
    return z


def squares_of_all(layout: Layout, curve: Array) -> Array:
    """Return (n_annotators,) sums of squares of scores, those of censored trials with them: ranks leave no choice."""
    out = np.zeros(layout.n_annotators)
    layout.parts.run(
        lambda k: kernels.square_scores(
            layout.splits[k], layout.splits[k + 1], layout.offsets, layout.log_times, *curve, *limits(curve), out
        )
    )
    return out
