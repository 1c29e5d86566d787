"""How much items, annotators and judgments differ: the variances between the sweeps of `_crossed`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from mining.hardness import _kernels as kernels

Array = NDArray[np.float64]
FEW_ITEMS = 20
DEGREES = np.array([2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 25.0, 50.0, 200.0])
GRID = np.linspace(0.0, 3.0, 19)
"""Spreads that `pool` weighs, in units of the scale of their prior."""


def variance_between(sums: Array, b: Array, t: float, variance: float) -> float:
    """Variance t between items, from products of different judgments of the same item.

    The score of item i at b = 0 is S = sum of psi; judgments share nothing but the item, so that
    E[S^2 - sum psi^2] = t (I^2 - sum I_j^2): whatever the noise, it drops out. Weights are those of the maximum
    likelihood. The estimate is the mean of t given that it cannot be negative: never zero, where every item would look
    alike, and on the safe side where the evidence is weak.

    Args:
        sums: (n_items, 5) of `_sweep_kernels.add_up`.
        b: (n_items,) item effects that go with them.
        t: the estimate so far.
        variance: of all responses; items cannot differ by more than twice that.
    """
    pairs = np.empty((sums.shape[0], 3))
    n = kernels.products_of_others(sums, b, pairs)
    if n == 0:
        return t
    for _ in range(4):
        total, raw, spread = kernels.weigh_products(pairs[:n], t)
        if n < FEW_ITEMS:
            # too few items to see how products scatter: take what normal noise would give
            spread = max(spread, float(np.sqrt(2 * total)) / total)
        new = min(max(mean_above_zero(raw, spread), 1e-9 * variance), 2 * variance)
        done = abs(new - t) <= 1e-6 * t
        t = new
        if done:
            break
    return t


def mean_above_zero(mean: float, sd: float) -> float:
    """Mean of a normal distribution cut off below zero."""
    if sd <= 0:
        return max(mean, 0.0)
    z = mean / sd
    if z < -30:
        return -sd / z
    return mean + sd * float(np.exp(-0.5 * z * z - log_ndtr(z))) / float(np.sqrt(2 * np.pi))


def pool(own: Array, told: Array, scale: float) -> tuple[Array, float, Array]:
    """Shrink estimates of single annotators to their mean, as far as the data say that annotators differ at all.

    ``own_j ~ N(true_j, 1 / told_j)``, ``true_j ~ N(mean, sd^2)``, ``sd ~ half-normal(scale)`` (Gelman 2006). The answer
    is averaged over the posterior of sd on a grid, zero included: few annotators with little evidence stay together,
    many with much evidence stand alone.

    Args:
        own: (n,) estimates, one an annotator.
        told: (n,) their precisions, above zero.
        scale: of the half-normal prior, in the unit of ``own``.

    Returns:
        (n,) shrunken estimates, the mean, and (n,) variances that remain.
    """
    noise = 1 / told
    weight = 1 / ((scale * GRID[:, None]) ** 2 + noise)
    total = weight.sum(axis=1)
    mean = weight @ own / total
    fit = weight * (own - mean[:, None]) ** 2
    height = 0.5 * (np.log(weight).sum(axis=1) - np.log(total) - fit.sum(axis=1) - GRID**2)
    likely = np.exp(height - height.max())
    likely /= likely.sum()
    shrunken = own + (mean[:, None] - own) * weight * noise
    best = likely @ shrunken
    # within and between what each spread would say
    left = noise * (1 - likely @ (weight * noise)) + likely @ (shrunken - best) ** 2
    return best, float(likely @ mean), left


def slopes_by_moments(own: Array, told: Array, least: float) -> tuple[float, float]:
    """Return mean and variance of slopes by moments, as in a meta-analysis (DerSimonian & Laird 1986)."""
    centre = float(np.average(own, weights=told))
    excess = float(told @ (own - centre) ** 2) - (told.size - 1)
    scale = float(told.sum() - (told @ told) / told.sum())
    # never quite none: the equations divide by it
    variance = max(excess / scale if scale > 0 else 0.0, least)
    return float(np.average(own, weights=1 / (1 / told + variance))), variance


def degrees_of_freedom(hist: NDArray[np.int64]) -> float:
    """Degrees of freedom of the t distribution, by likelihood over a grid with the scale free."""
    total = float(hist.sum())
    if total < 100:
        return 10.0
    best = np.empty(DEGREES.size)
    kernels.t_likelihoods(hist, total, DEGREES, best)
    # a parabola through the best three, on the axis 1/nu, keeps the estimate continuous
    k = int(np.argmax(best))
    if k in (0, best.size - 1):
        return float(DEGREES[k])
    at, height = 1 / DEGREES[k - 1 : k + 2], best[k - 1 : k + 2]
    fit = np.polyfit(at, height - height.max(), 2)
    top = -fit[1] / (2 * fit[0]) if fit[0] < 0 else at[1]
    return float(1 / np.clip(top, at.min(), at.max()))
