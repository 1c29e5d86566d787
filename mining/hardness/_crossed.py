"""Crossed effects of items and annotators: sweeps until nothing moves.

Given the variances, a sweep is one round of block Gauss-Seidel on Henderson's mixed-model equations (backfitting:
Ghosh, Hastie & Owen 2022), so its fixed point is the best linear unbiased predictor. Between sweeps the variances
follow:

- between items: products of different judgments of the same item, free of what the noise is (`variance_between`);
- of every annotator: squares of residuals over the degrees of freedom the effects leave them, shrunken to the pool;
- degrees of freedom of the t distribution: maximum likelihood on the histogram of standardised residuals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, log_ndtr

from mining.hardness import _kernels as kernels
from mining.hardness._layout import Layout

if TYPE_CHECKING:
    from mining.hardness._label_prior import LabelPrior

Array = NDArray[np.float64]
MAX_SWEEPS = 300
MOST_ADOPTING = 12
MOST_MOVING = 60
"""Sweeps after which the variances stay as they are."""
STRENGTH = 6.0
"""Every annotator's noise is shrunken to the pooled noise as by this many trials. In simulations 2 to 3 are best where
noise differs fourfold and endlessly many where it does not differ; between 5 and 8 little is lost in either case."""
SETTLED = 1e-3
FEW_ITEMS = 20
TOLERANCE = 1e-6
DEGREES = np.array([2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 25.0, 50.0, 200.0])


@dataclass(slots=True)
class Crossed:
    """Everything the sweeps move."""

    y: NDArray[np.floating]
    mean: float
    variance: float
    """of all observed responses: the yardstick for tolerances and floors."""
    b: Array
    a: Array
    c: Array
    known: Array
    """(n_items,) precision of the item effects, the doubt about annotators taken off."""
    doubt: Array
    """(n_annotators,) variance of an annotator's effect as seen from one of their trials."""
    s2: Array
    sd_b2: float
    sd_a2: float
    slope: float
    sd_c2: float
    nu: float
    borrow: bool = False
    """Whether an annotator's speed is shrunken to that of the others, or is their own affair."""
    n_sweeps: int = 0
    converged: bool = False
    identified: bool = True
    """Whether repeated judgments of items tell item and noise apart."""


def start(layout: Layout, y: NDArray[np.floating], *, borrow: bool = False) -> Crossed:
    """Return the state before the first sweep."""
    seen = y[layout.item >= 0]
    if seen.size > 1_000_000:
        seen = seen[:: seen.size // 500_000]
    mean = float(np.median(seen)) if seen.size else 0.0
    variance = float(np.mean((seen.astype(np.float64) - mean) ** 2)) if seen.size else 1.0
    variance = max(variance, 1e-18)
    n_items, n_ann = layout.n_items, layout.n_annotators
    return Crossed(
        y=y, mean=mean, variance=variance,
        b=np.zeros(n_items), a=np.zeros(n_ann), c=np.zeros(n_ann),
        known=np.full(n_items, 10 / variance), doubt=np.zeros(n_ann), s2=np.full(n_ann, 0.6 * variance),
        sd_b2=0.2 * variance, sd_a2=variance if borrow else 1e4 * variance,
        slope=0.0, sd_c2=0.01 * variance, nu=10.0, borrow=borrow,
    )  # fmt: skip


def settle(layout: Layout, state: Crossed, *, with_slope: bool, max_sweeps: int = MAX_SWEEPS) -> None:
    """Sweep until the item effects move less than a millionth of their spread."""
    judged = np.bincount(np.where(layout.item >= 0, layout.item, ~layout.item), minlength=layout.n_items)
    on = judged > 0
    state.identified = bool((judged > 1).any() and np.count_nonzero(on) > 1)
    moving, state.converged = True, False
    for turn in range(max_sweeps):
        b, t = state.b, state.sd_b2
        sums, ss, info, free, bend, hist = sweep(layout, state, with_slope)
        new = _shrink_items(state, sums, on)
        if moving:
            if state.identified:
                state.sd_b2 = variance_between(sums, b, t, state.variance)
            noise = float(state.s2.mean())
            _update_annotators(state, ss, info, free, judged, bend, with_slope)
            state.nu = _degrees(hist)
            moved = max(abs(state.sd_b2 / t - 1), abs(float(state.s2.mean()) / noise - 1))
            moving = moved > SETTLED and turn < MOST_MOVING
        state.known = sums[:, 2] + 1 / state.sd_b2
        state.b = new
        state.n_sweeps += 1
        change = float(np.max(np.abs(new - b), initial=0.0))
        if not moving and change <= TOLERANCE * np.sqrt(state.variance):
            state.converged = True
            break


def sweep(
    layout: Layout, state: Crossed, with_slope: bool
) -> tuple[Array, Array, Array, Array, Array, NDArray[np.int64]]:
    parts, n_ann = layout.parts, layout.n_annotators
    sums = np.zeros((parts.n_parts, layout.n_items, 5))
    hist = np.zeros((parts.n_parts, kernels.HISTOGRAM_BINS), np.int64)
    ss, info, free, bend = (np.zeros(n_ann) for _ in range(4))
    prior = np.array([state.sd_a2, state.slope, state.sd_c2, state.sd_b2])
    parts.run(
        lambda k: kernels.sweep(
            layout.splits[k], layout.splits[k + 1], layout.offsets, layout.item, state.y, layout.slope, with_slope,
            state.b, state.known, state.mean, prior, state.a, state.c, state.doubt, state.s2, state.nu,
            sums[k], ss, info, free, bend, hist[k],
        )
    )  # fmt: skip
    return sums.sum(axis=0), ss, info, free, bend, hist.sum(axis=0)


def _shrink_items(state: Crossed, sums: Array, on: NDArray[np.bool_]) -> Array:
    b = sums[:, 0] / (sums[:, 1] + 1 / state.sd_b2)
    shift = float(b[on].mean()) if on.any() else 0.0
    state.mean += shift
    return np.asarray(b - shift)


def variance_between(sums: Array, b: Array, t: float, variance: float) -> float:
    """Variance t between items, from products of different judgments of the same item.

    The score of item i at b = 0 is S = sum of psi; judgments share nothing but the item, so that
    E[S^2 - sum psi^2] = t (I^2 - sum I_j^2): whatever the noise, it drops out. Weights are those of the maximum
    likelihood. The estimate is the mean of t given that it cannot be negative: never zero, where every item would look
    alike, and on the safe side where the evidence is weak.

    Args:
        sums: (n_items, 5) of `_kernels.sweep`.
        b: (n_items,) item effects that go with them.
        t: the estimate so far.
        variance: of all responses; items cannot differ by more than twice that.
    """
    information = sums[:, 2]
    pairs = information**2 - sums[:, 4]
    on = pairs > 1e-12 * information**2
    if not on.any():
        return t
    information, pairs = information[on], pairs[on]
    product = (sums[on, 0] + b[on] * (information - sums[on, 1])) ** 2 - sums[on, 3]
    for _ in range(4):
        weight = 1 / (1 + t * information) ** 2
        total = float(weight @ pairs)
        raw = float(weight @ product) / total
        spread = float(np.sqrt((weight * weight) @ (product - raw * pairs) ** 2)) / total
        if product.size < FEW_ITEMS:
            # too few items to see how products scatter: take what normal noise would give
            spread = max(spread, float(np.sqrt(2 * weight @ pairs)) / total)
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


def _update_annotators(
    state: Crossed, ss: Array, info: Array, free: Array, judged: NDArray[np.int64], bend: Array, with_slope: bool
) -> None:
    on = free > 0
    if not on.any():
        return
    floor = 1e-9 * state.variance
    mean_square = np.maximum(ss[on] / free[on], floor)
    pooled = float(np.average(mean_square, weights=free[on]))
    s2 = state.s2.copy()
    s2[on] = (free[on] * mean_square + STRENGTH * pooled) / (free[on] + STRENGTH)
    state.s2 = np.maximum(s2, floor)
    left = state.known[judged > 0]
    noise = state.s2[on] + (float(np.mean(1 / left)) if left.size else 0.0)
    shift = float(state.a[on].mean())
    state.a[on] -= shift
    state.mean += shift
    weight = info[on]
    if state.borrow:
        state.sd_a2 = max(float(np.mean(state.a[on] ** 2 + 1 / (weight / noise + 1 / state.sd_a2))), floor)
    state.doubt[on] = 1 / (np.maximum(weight - 1 - with_slope, 0) / noise + 1 / state.sd_a2)
    if with_slope:
        _update_slopes(state, on & (bend > 0), bend)


def _update_slopes(state: Crossed, on: NDArray[np.bool_], bend: Array) -> None:
    """Mean and variance of the slopes of practice by moments, as in a meta-analysis (DerSimonian & Laird 1986)."""
    told = bend[on]
    if told.size == 0:
        return
    pull = 1 / state.sd_c2
    own = state.c[on] + (state.c[on] - state.slope) * pull / told
    centre = float(np.average(own, weights=told))
    excess = float(told @ (own - centre) ** 2) - (told.size - 1)
    scale = float(told.sum() - (told @ told) / told.sum())
    # never quite none: the equations divide by it
    state.sd_c2 = max(excess / scale if scale > 0 else 0.0, 1e-5 * state.variance)
    state.slope = float(np.average(own, weights=1 / (1 / told + state.sd_c2)))


def _degrees(hist: NDArray[np.int64]) -> float:
    """Degrees of freedom of the t distribution, by likelihood over a grid with the scale free."""
    total = float(hist.sum())
    if total < 100:
        return 10.0
    r2 = ((np.arange(hist.size) + 0.5) / kernels.BINS_PER_SD) ** 2
    best = []
    for nu in DEGREES:
        scale2 = 1.0
        for _ in range(15):
            scale2 = float(np.sum(hist * (nu + 1) * r2 / (nu + r2 / scale2)) / total)
        density = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * scale2)
        best.append(total * density - float(np.sum(hist * (nu + 1) / 2 * np.log1p(r2 / (nu * scale2)))))
    # a parabola through the best three, on the axis 1/nu, keeps the estimate continuous
    k = int(np.argmax(best))
    if k in (0, len(best) - 1):
        return float(DEGREES[k])
    at, height = 1 / DEGREES[k - 1 : k + 2], np.array(best[k - 1 : k + 2])
    fit = np.polyfit(at, height - height.max(), 2)
    top = -fit[1] / (2 * fit[0]) if fit[0] < 0 else at[1]
    return float(1 / np.clip(top, at.min(), at.max()))


def foresight(layout: Layout, state: Crossed, ranks: NDArray[np.floating], with_slope: bool) -> float:
    """Return the correlation of every trial's rank score with the effect of its item without that trial.

    The target is the same whatever the scale of the fit, so that fits on different scales can be compared.
    """
    sums = sweep(layout, state, with_slope)[0]
    precision = sums[:, 1] + 1 / state.sd_b2
    out = np.zeros((layout.parts.n_parts, 3))
    layout.parts.run(
        lambda k: kernels.foresight(
            layout.splits[k], layout.splits[k + 1], layout.offsets, layout.item, state.y, layout.slope, with_slope,
            state.b, precision, state.mean, state.a, state.c, state.s2, state.nu, ranks, out[k],
        )
    )  # fmt: skip
    products, other, own = out.sum(axis=0)
    return float(products / np.sqrt(other * own)) if other > 0 and own > 0 else 0.0


def adopt_prior(layout: Layout, state: Crossed, prior: LabelPrior, with_slope: bool, on: NDArray[np.bool_]) -> Array:
    """Sweep on with the prior means that labels give; return (n_items,) information of the items' own judgments."""
    floor = 1e-9 * state.variance
    information = np.zeros(layout.n_items)
    for _ in range(MOST_ADOPTING):
        sums = sweep(layout, state, with_slope)[0]
        information = sums[:, 2]
        score = sums[:, 0] + state.b * (information - sums[:, 1])
        prior.fit(score, information, sums[:, 3], information**2 - sums[:, 4], state.sd_b2, floor)
        b = (sums[:, 0] + prior.mean / prior.rest) / (sums[:, 1] + 1 / prior.rest)
        shift = float(b[on].mean())
        change = float(np.max(np.abs(b - shift - state.b), initial=0.0))
        state.b = b - shift
        state.mean += shift
        state.n_sweeps += 1
        if change <= 1e-4 * np.sqrt(state.variance):
            break
    return np.asarray(information)
