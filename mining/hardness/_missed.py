"""How much a trial without an answer says of its item.

A model of censored times takes every miss for a slow answer that the limit cut off. Some are: others are slow on the
same item. Some are not: somebody looked away, which happens on any item, or the tails are heavier than the model's.
Those who did answer tell the two apart: what they say of the items that were missed, over what it would be if all
misses were slow answers, is the share that counts. A miss then vouches for a shorter time, beyond which this share of
what was expected is expected::

    hazard(z') = share hazard(z),    z: the bound in SDs of the annotator's responses
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from mining.hardness._crossed import Crossed
from mining.hardness._kernels import NO_BOUND
from mining.hardness._layout import Layout

Array = NDArray[np.float64]
SHARES = np.linspace(0.0, 1.0, 41)
PRIOR = np.append(np.full(40, 0.5 / 40), 0.5)
"""Half on the plain model, in which all misses are slow answers, and half even."""
ALL, LEAST = 0.98, 1e-6
"""From the first on bounds stay as they are; below the second a miss says nothing."""
BLOCK = 1_000_000
Z = np.linspace(-30.0, 8.0, 3801)
LOG_HAZARD = -0.5 * Z * Z - 0.5 * np.log(2 * np.pi) - log_ndtr(-Z)


def learn_share(layout: Layout, state: Crossed) -> bool:
    """Set how large a share of the misses are slow answers, after a fit; return whether any are not.

    The mean over the posterior: with few misses, or few answers beside them, they stay near the plain model.
    """
    missed = np.flatnonzero((layout.item < 0) & (state.y > NO_BOUND))
    if missed.size == 0 or not state.identified:
        return False
    effect, variance = _said_by_answers(layout, state)
    code, who = ~layout.item[missed], _annotators_of(layout, missed)
    z, spread = _in_sds(layout, state, state, missed, who)
    # E[effect | missed] = cov(effect, y) / sd(y) hazard(z); the effect is a mean given what is known: cov = variance
    expected = state.load[who] * variance[code] / spread * np.exp(np.interp(z, Z, LOG_HAZARD))
    total = float(expected.sum())
    if total <= 0:
        return False
    share = float(effect[code].sum()) / total
    left = np.bincount(code, effect[code] - min(max(share, 0.0), 1.0) * expected)
    height = -0.5 * (share - SHARES) ** 2 / max(float(left @ left) / total**2, 1e-12)
    likely = PRIOR * np.exp(height - height.max())
    state.slow_share = max(float(likely @ SHARES / likely.sum()), LEAST)
    return state.slow_share < ALL


def lower_bounds(layout: Layout, state: Crossed, learnt: Crossed) -> None:
    """Let the censored trials of ``state.y`` vouch for less, in place, by what was ``learnt`` of annotators."""
    missed = np.flatnonzero((layout.item < 0) & (state.y > NO_BOUND))
    state.slow_share = learnt.slow_share
    for first in range(0, missed.size, BLOCK):
        some = missed[first : first + BLOCK]
        z, spread = _in_sds(layout, state, learnt, some, _annotators_of(layout, some))
        lowered = np.interp(np.interp(z, Z, LOG_HAZARD) + np.log(learnt.slow_share), LOG_HAZARD, Z)
        state.y[some] += ((lowered - z) * spread).astype(state.y.dtype)


def _annotators_of(layout: Layout, trials: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.searchsorted(layout.offsets, trials, side="right") - 1


def _in_sds(
    layout: Layout, state: Crossed, learnt: Crossed, trials: NDArray[np.int64], who: NDArray[np.int64]
) -> tuple[Array, Array]:
    """Return bounds of ``trials``, less what is the annotators', in SDs of the annotators' responses; and the SDs."""
    course = np.einsum("td,dt->t", learnt.c[who], layout.courses[:, trials])
    spread = np.sqrt(learnt.load[who] ** 2 * learnt.sd_b2 + learnt.s2[who])
    return (state.y[trials] - learnt.mean - learnt.a[who] - course) / spread, spread


def _said_by_answers(layout: Layout, state: Crossed) -> tuple[Array, Array]:
    """Return (n_items,) what those who answered say of each item, centred, and the variance that this should have."""
    seen = np.flatnonzero(layout.item >= 0)
    code, who = layout.item[seen], _annotators_of(layout, seen)
    rest = state.y[seen] - state.mean - state.a[who] - np.einsum("td,dt->t", state.c[who], layout.courses[:, seen])
    load, s2 = state.load[who], state.s2[who]
    weight = (state.nu + 1) / (state.nu * s2 + (rest - load * state.b[code]) ** 2)
    told = np.bincount(code, weight * load**2, layout.n_items)
    effect = np.bincount(code, weight * load * rest, layout.n_items) / (told + 1 / state.sd_b2)
    effect -= effect[told > 0].mean()
    return effect, state.sd_b2 * told / (told + 1 / state.sd_b2)
