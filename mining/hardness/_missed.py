"""How much a trial without an answer says of its item.

A model of censored times takes every miss for a slow answer that the limit cut off. Some are: others are slow on the
same item. Some are not: now and then somebody looks away, on any item. A trial is missed with a probability of
``lapses + slow``, and the miss is a slow answer with that of::

    share = slow / (lapses + slow),    slow = P(time > bound) for the annotator's times

so that a miss says little where the annotator hardly ever comes near the bound. Those who did answer tell how frequent
lapses are: what they say of the items that were missed is to be what the shares let expect. A miss then vouches for a
shorter time, beyond which its share of what was expected is expected::

    hazard(z') = share hazard(z),    z: the bound in SDs of the annotator's responses
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr

from mining.hardness._crossed import Crossed
from mining.hardness._kernels import NO_BOUND
from mining.hardness._layout import Layout

Array = NDArray[np.float64]
LAPSES = np.append(0.0, np.geomspace(0.001, 0.3, 16))
PRIOR = np.append(0.5, np.full(16, 0.5 / 16))
"""Half on no lapses, which is the plain model, and half even in the logarithm."""
LEAST = 1e-6
"""Below this share a miss says nothing."""
ALMOST_NONE = 0.98
BLOCK = 100_000
Z = np.linspace(-30.0, 8.0, 3801)
LOG_HAZARD = -0.5 * Z * Z - 0.5 * np.log(2 * np.pi) - log_ndtr(-Z)


def learn_lapses(layout: Layout, state: Crossed) -> bool:
    """Set how probable each frequency of lapses is, after a fit; return whether there may be any.

    With few misses, or few answers beside them, the plain model keeps half of its weight.
    """
    missed = np.flatnonzero((layout.item < 0) & (state.y > NO_BOUND))
    if missed.size == 0 or not state.identified:
        return False
    effect, variance = _said_by_answers(layout, state)
    code, who = ~layout.item[missed], _annotators_of(layout, missed)
    known = variance[code] > 0
    code, who, missed = code[known], who[known], missed[known]
    z, spread = _in_sds(layout, state, state, missed, who)
    # E[effect | slow] = cov(effect, y) / sd(y) hazard(z); the effect is a mean given what is known: cov = variance
    expected = state.load[who] * variance[code] / spread * np.exp(np.interp(z, Z, LOG_HAZARD))
    left = effect[code] - expected * _shares(z)
    # what is said of an item is one piece of news, however often it was missed
    height = -0.5 * (left**2 / (variance * np.bincount(code, minlength=variance.size))[code]).sum(axis=1)
    likely = PRIOR * np.exp(height - height.max())
    likely /= likely.sum()
    state.lapses = likely if likely[0] < ALMOST_NONE else None
    return state.lapses is not None


def _shares(z: Array) -> Array:
    """Return (n_lapses, n) the share of misses at bounds ``z`` that are slow answers, for each of `LAPSES`."""
    slow = ndtr(-z)
    return np.asarray(slow / (LAPSES[:, None] + np.maximum(slow, 1e-300)))


def lower_bounds(layout: Layout, state: Crossed, learnt: Crossed) -> None:
    """Let the censored trials of ``state.y`` vouch for less, in place, by what was ``learnt`` of annotators."""
    if learnt.lapses is None:
        return
    missed = np.flatnonzero((layout.item < 0) & (state.y > NO_BOUND))
    total = 0.0
    for first in range(0, missed.size, BLOCK):
        some = missed[first : first + BLOCK]
        z, spread = _in_sds(layout, state, learnt, some, _annotators_of(layout, some))
        share = learnt.lapses @ _shares(z)
        total += float(share.sum())
        lowered = np.interp(np.interp(z, Z, LOG_HAZARD) + np.log(np.maximum(share, LEAST)), LOG_HAZARD, Z)
        state.y[some] += ((lowered - z) * spread).astype(state.y.dtype)
    state.missed_as_slow = total / max(missed.size, 1)


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
