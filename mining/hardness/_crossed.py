"""Crossed effects of items and annotators: sweeps until nothing moves.

Given the variances, a sweep is one round of block Gauss-Seidel on Henderson's mixed-model equations (backfitting:
Ghosh, Hastie & Owen 2022), so its fixed point is the best linear unbiased predictor. Between sweeps the variances
follow:

- between items: products of different judgments of the same item, free of what the noise is (`variance_between`);
- of every annotator: squares of residuals over the degrees of freedom the effects leave them, partly pooled;
- degrees of freedom of the t distribution: maximum likelihood on the histogram of standardised residuals;
- loads, on the scale of ranks: regression of an annotator's responses on what the *other* judgments say of the item,
  partly pooled. An annotator whose times have little to do with the items counts little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mining.hardness import _annotator_kernels, _sweep_kernels
from mining.hardness._annotator_kernels import LOADS, NOISE, NOTHING
from mining.hardness._kernels import HISTOGRAM_BINS
from mining.hardness._label_prior import LabelPrior
from mining.hardness._layout import Layout
from mining.hardness._variances import degrees_of_freedom, pool, slopes_by_moments, variance_between

Array = NDArray[np.float64]
MAX_SWEEPS = 300
MOST_ADOPTING = 12
MOST_MOVING = 60
"""Sweeps after which the variances stay as they are."""
SETTLED = 1e-3
TOLERANCE = 1e-6
NOISE_SPREAD = 0.7
"""Scale of the prior of how far ln(noise variance) differs between annotators: noise of .2 to .8 in one project."""
LOAD_SPREAD = 0.2
"""The same for loads, whose mean is 1."""
LEAST_LOAD, MOST_LOAD, LEAST_NOISE = 0.2, 3.0, 0.1
NORMAL = 200.0
CERTAIN = 0.98
"""From this trust on what is left out of the standard errors is below a hundredth."""
MOST_LOOKED_AT = 1_000_000
"""Trials that tell the spread of responses before the first sweep."""
EFFECT_SUMS = 2
"""Columns of a sweep's sums of which item effects are made; the others say how much the trials tell."""
FIRST_WITH_LOADS = 3
"""What the other judgments say of an item can be told only when its effect is made of them, not of the start."""


@dataclass(slots=True)
class Crossed:
    """Everything the sweeps move."""

    y: NDArray[np.floating]
    mean: float
    variance: float
    """of all observed responses: the yardstick for tolerances and floors."""
    b: Array
    held: Array
    """(n_items,) precisions that `b` was made with."""
    made_with: Array
    """(n_annotators, 2) noise variances and loads that `b` was made with."""
    a: Array
    c: Array
    """(n_annotators, n_courses) slopes."""
    load: Array
    """(n_annotators,) how strongly an item's effect shows in their responses; 1 on average."""
    known: Array
    """(n_items,) precision of the item effects, the doubt about annotators taken off."""
    doubt: Array
    """(n_annotators,) variance of an annotator's effect as seen from one of their trials."""
    s2: Array
    trust: Array
    """(n_annotators,) share of what a trial would tell if `s2` were known for certain."""
    sd_b2: float
    sd_a2: float
    slope: Array
    """(n_courses,) mean slopes; `sd_c2` their variances between annotators."""
    sd_c2: Array
    nu: float
    squares: Array
    """(n_annotators,) sums of squares of all their scores, also of the censored trials; 0 on ln seconds."""
    turned: tuple[NDArray[np.floating], NDArray[np.floating]] | None = None
    """`y` as it was, and the same in the order of items; see `_by_item`."""
    with_load: bool = False
    borrow: bool = False
    """Whether an annotator's speed is shrunken to that of the others, or is their own affair."""
    told_before: bool = False
    """Whether variances and loads were learnt from a sample of the items; the effects start from nothing still."""
    n_sweeps: int = 0
    converged: bool = False
    identified: bool = True
    """Whether repeated judgments of items tell item and noise apart."""
    lapses: Array | None = None
    """How probable each frequency of lapses is; see `_missed`. None: there are none, every miss is a slow answer."""
    missed_as_slow: float = 1.0
    """Share of the trials without an answer that are slow answers."""


def start(layout: Layout, y: NDArray[np.floating], *, borrow: bool = False, squares: Array | None = None) -> Crossed:
    """Return the state before the first sweep; ``squares``, of rank scores, means that annotators have loads."""
    step = max(y.size // MOST_LOOKED_AT, 1)
    seen = y[::step][layout.item[::step] >= 0]
    mean = float(np.median(seen)) if seen.size else 0.0
    variance = float(np.mean((seen.astype(np.float64) - mean) ** 2)) if seen.size else 1.0
    variance = max(variance, 1e-18)
    n_items, n_ann, q = layout.n_items, layout.n_annotators, layout.courses.shape[0]
    return Crossed(
        y=y, mean=mean, variance=variance,
        b=np.zeros(n_items), held=np.full(n_items, 10 / variance),
        made_with=np.tile([0.6 * variance, 1.0], (n_ann, 1)), a=np.zeros(n_ann), c=np.zeros((n_ann, q)),
        load=np.ones(n_ann), known=np.full(n_items, 10 / variance), doubt=np.zeros(n_ann),
        s2=np.full(n_ann, 0.6 * variance), trust=np.ones(n_ann), sd_b2=0.2 * variance,
        sd_a2=variance if borrow else 1e4 * variance,
        slope=np.zeros(q), sd_c2=np.full(q, 0.01 * variance), nu=10.0,
        squares=np.zeros(n_ann) if squares is None else squares, with_load=squares is not None, borrow=borrow,
    )  # fmt: skip


def start_from(pilot: Crossed, layout: Layout, y: NDArray[np.floating], squares: Array | None = None) -> Crossed:
    """Return the state before the first sweep of all trials, after the fit of a sample of the items."""
    state = start(layout, y, borrow=pilot.borrow, squares=squares)
    state.s2, state.load, state.doubt = pilot.s2.copy(), pilot.load.copy(), pilot.doubt.copy()
    state.made_with = np.stack([state.s2, state.load], axis=1)
    state.sd_b2, state.slope, state.sd_c2, state.nu = pilot.sd_b2, pilot.slope.copy(), pilot.sd_c2.copy(), pilot.nu
    state.told_before = True
    return state


def settle(layout: Layout, state: Crossed, *, max_sweeps: int = MAX_SWEEPS, roughly: bool = False) -> None:
    """Sweep until the item effects move less than a millionth of their spread; ``roughly``: until variances stay."""
    judged = np.diff(layout.by_item().starts)
    on = judged > 0
    # anew each time: responses may have been changed in place
    state.turned = state.y, layout.turned(state.y)
    state.identified = bool((judged > 1).any() and np.count_nonzero(on) > 1)
    state.with_load &= state.identified
    censored = bool(layout.item.min(initial=0) < 0)
    moving, whole, state.converged, change = True, True, False, np.inf
    for turn in range(max_sweeps):
        b, t = state.b, state.sd_b2
        waiting = state.told_before and turn == 0
        learn = NOTHING if waiting or not moving else LOADS if state.with_load else NOISE
        sums, told = sweep(layout, state, learn=learn, whole=whole)
        new = _shrink_items(state, sums, on)
        state.made_with = np.stack([state.s2, state.load], axis=1)
        if whole:
            # what observed trials are expected to tell stays as it is from here on, when the variances do
            whole = moving or censored
        if moving and not waiting:
            if state.identified:
                state.sd_b2 = variance_between(sums, b, t, state.variance)
            noise, load = float(state.s2.mean()), state.load.copy()
            _update_annotators(state, told, judged)
            # bent ranks are bounded, and their tails are the curve's affair
            state.nu = NORMAL if state.with_load else degrees_of_freedom(told.hist)
            moved = max(abs(state.sd_b2 / t - 1), abs(float(state.s2.mean()) / noise - 1))
            moved = max(moved, float(np.abs(state.load - load).mean()))
            moving = (moved > SETTLED or turn <= _first_with_loads(state)) and turn < MOST_MOVING
        if sums.shape[1] > EFFECT_SUMS:
            state.known = sums[:, 2] + 1 / state.sd_b2
        state.b = new
        state.n_sweeps += 1
        before, change = change, float(np.max(np.abs(new - b), initial=0.0))
        # changes fall from sweep to sweep by about the same factor: this is what the next one would be
        enough = TOLERANCE * np.sqrt(state.variance)
        if not moving and (roughly or change <= enough or change * change <= enough * before):
            state.converged = True
            break


def _first_with_loads(state: Crossed) -> int:
    return 1 if state.told_before else FIRST_WITH_LOADS


@dataclass(slots=True)
class Told:
    """What a sweep tells of annotators; see `_sweep_kernels.sweep`."""

    noise: Array
    bend: Array
    pull: Array
    hist: NDArray[np.int64]


def sweep(layout: Layout, state: Crossed, *, learn: int = NOTHING, whole: bool = True) -> tuple[Array, Told]:
    """Update annotators given the items; return what their trials then say of the items, and of the annotators.

    Returns:
        sums of every item, see `_sweep_kernels.add_up` (its columns for ``whole``), and what was learnt of annotators.
    """
    parts, n_ann, q = layout.parts, layout.n_annotators, layout.courses.shape[0]
    order, number = layout.by_item(), state.y.dtype
    b, held, known = (values.astype(number, copy=False) for values in (state.b, state.held, state.known))
    hist = np.zeros((parts.n_parts, HISTOGRAM_BINS), np.int64)
    noise, bend, pull = (np.zeros((n_ann, width)) for width in (4, q, 5))
    prior = np.empty((1 + q, 2))
    prior[0] = 0.0, state.sd_a2
    prior[1:, 0], prior[1:, 1] = state.slope, state.sd_c2
    parts.run(
        lambda k: _annotator_kernels.update_annotators(
            layout.splits[k], layout.splits[k + 1], layout.cells, layout.item, state.y, layout.courses, b, held,
            state.made_with, known, state.load, learn, state.mean, prior, 1 / state.sd_b2, state.a, state.c,
            state.doubt, state.s2, state.nu, noise, bend, pull, hist[k],
        )
    )  # fmt: skip
    y, tells = _by_item(layout, state), (state.nu + 1) / (state.nu + 3) * state.load**2 / (state.s2 + state.doubt)
    annotators = np.stack([state.mean + state.a, state.load, 1 / state.s2, tells], axis=1).astype(number)
    slopes = state.c.astype(number)
    sums = np.empty((layout.n_items, 5 if whole else EFFECT_SUMS))
    parts.run(
        lambda k: _sweep_kernels.add_up(
            order.splits[k], order.splits[k + 1], order.starts, order.annotator, y, order.courses, b, annotators,
            slopes, state.nu, whole, sums,
        )
    )  # fmt: skip
    return sums, Told(noise, bend, pull, hist.sum(axis=0))


def _by_item(layout: Layout, state: Crossed) -> NDArray[np.floating]:
    """Return the state's ``y`` in the order of items, which is made once."""
    if state.turned is None or state.turned[0] is not state.y:
        state.turned = state.y, layout.turned(state.y)
    return state.turned[1]


def _shrink_items(state: Crossed, sums: Array, on: NDArray[np.bool_]) -> Array:
    state.held = sums[:, 1] + 1 / state.sd_b2
    b = sums[:, 0] / state.held
    shift = float(b[on].mean()) if on.any() else 0.0
    state.mean += shift
    return np.asarray(b - shift)


def _update_annotators(state: Crossed, told: Told, judged: NDArray[np.int64]) -> None:
    square, vague, n, weight = told.noise.T
    on = n > 0
    if not on.any():
        return
    square, vague, n, weight = square[on], vague[on] / n[on], n[on], weight[on]
    floor = 1e-9 * state.variance
    left = state.known[judged > 0]
    noise = state.s2[on] + (float(np.mean(1 / left)) if left.size else 0.0)
    if state.with_load:
        _update_loads(state, told.pull, on, n, learn=state.n_sweeps >= _first_with_loads(state))
    else:
        _update_noise(state, square / n, vague, n, on, floor)
    shift = float(state.a[on].mean())
    state.a[on] -= shift
    state.mean += shift
    if state.borrow:
        state.sd_a2 = max(float(np.mean(state.a[on] ** 2 + 1 / (weight / noise + 1 / state.sd_a2))), floor)
    state.doubt[on] = 1 / (np.maximum(weight - 1 - state.slope.size, 0) / noise + 1 / state.sd_a2)
    for d in range(state.slope.size):
        _update_slopes(state, on & (told.bend[:, d] > 0), told.bend[:, d], d)


def _update_noise(state: Crossed, square: Array, vague: Array, n: Array, on: NDArray[np.bool_], floor: float) -> None:
    """Noise variances: mean squares of residuals from the other trials, less what those leave open."""
    own = np.maximum(square - vague, np.maximum(0.1 * square, floor))
    typical = max(float(np.average(square - vague, weights=n)), 0.1 * float(np.average(square, weights=n)), floor)
    # what n trials of a t distribution tell of ln s^2 (Lange, Little & Taylor 1989; n/2 for a normal one), times the
    # share of their squares that is noise
    told = n / 2 * state.nu / (state.nu + 3) * (typical / (typical + vague)) ** 2
    log_s2, middle, left = pool(np.log(own), told, NOISE_SPREAD)
    state.s2 = np.full(state.s2.size, max(np.exp(middle), floor))
    state.s2[on] = np.maximum(np.exp(log_s2), floor)
    # ln s^2 known up to a variance of v is s^2 known from 2/v trials: noise then has a t distribution
    state.trust[on] = (2 + left) / (2 + 3 * left)


def _update_loads(state: Crossed, pull: Array, on: NDArray[np.bool_], n: Array, *, learn: bool) -> None:
    """Loads and noise on the scale of ranks, where each annotator's variance is that of the items plus the noise."""
    told, late = pull[on, 1], pull[on, 4] > 0
    if learn and np.count_nonzero(on) > 1 and (told > 1e-9).all():
        own, _, _ = pool(pull[on, 0] / told, told, LOAD_SPREAD)
        common = float(np.average(own, weights=n))
        if common > LEAST_LOAD:
            # the mean load is 1: what is common to all is the spread of the items
            state.load[on] = np.clip(own / common, LEAST_LOAD, MOST_LOAD)
    # scores of ranks have the same spread for everybody: what is not seen of it is that of the censored trials
    squares = pull[on, 2] + np.where(late, np.maximum(state.squares[on] - pull[on, 3], 0), 0)
    total = np.maximum(squares / np.maximum(n - 1 - state.slope.size, 1), 0.1 * state.variance)
    state.s2[:] = float(np.average(np.maximum(total - state.sd_b2, LEAST_NOISE * total), weights=n))
    state.s2[on] = np.maximum(total - state.load[on] ** 2 * state.sd_b2, LEAST_NOISE * total)


def _update_slopes(state: Crossed, on: NDArray[np.bool_], bend: Array, d: int) -> None:
    told = bend[on]
    if told.size == 0:
        return
    c = state.c[on, d]
    # what the annotator's own trials say, without the pull to the others
    own = c + (c - state.slope[d]) / state.sd_c2[d] / told
    state.slope[d], state.sd_c2[d] = slopes_by_moments(own, told, 1e-5 * state.variance)


def foresight(layout: Layout, state: Crossed) -> Array:
    """Return (n_trials,) the effect of every trial's item without that trial; NaN where nothing else tells it."""
    sums = sweep(layout, state, whole=False)[0]
    code, who = layout.codes, layout.annotators
    rest = state.y - state.mean - state.a[who] - np.einsum("td,dt->t", state.c[who], layout.courses)
    order = np.argsort(code, kind="stable")
    starts = np.searchsorted(code[order], np.arange(layout.n_items + 1))
    edges = np.linspace(0, layout.n_items, layout.parts.n_parts + 1).astype(np.int64)
    out = np.full(layout.n_trials, np.nan)
    layout.parts.run(
        lambda k: _sweep_kernels.foresee(
            edges[k], edges[k + 1], starts, order, layout.item, who, rest, state.load, state.s2, state.nu,
            1 / state.sd_b2, state.b, sums[:, 1] + 1 / state.sd_b2, out,
        )
    )  # fmt: skip
    return out


def share_told(layout: Layout, state: Crossed) -> Array:
    """Return (n_items,) the share of their information that is left when the noise of annotators is not certain."""
    if state.trust.min(initial=1.0) > CERTAIN:
        return np.ones(layout.n_items)
    out, order = np.ones(layout.n_items), layout.by_item()
    each = state.load**2 / (state.s2 + state.doubt)
    layout.parts.run(
        lambda k: _sweep_kernels.add_trust(
            order.splits[k], order.splits[k + 1], order.starts, order.annotator, each, state.trust, out
        )
    )
    return out


def adopt_prior(layout: Layout, state: Crossed, prior: LabelPrior, on: NDArray[np.bool_]) -> Array:
    """Sweep on with the prior means that labels give; return (n_items,) information of the items' own judgments."""
    floor = 1e-9 * state.variance
    information = np.zeros(layout.n_items)
    for _ in range(MOST_ADOPTING):
        sums = sweep(layout, state)[0]
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
