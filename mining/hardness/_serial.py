"""The state that an annotator is in: attention that comes and goes makes neighbouring times alike.

What the items, practice and fatigue leave of an annotator's times is correlated from trial to trial (by about .1 in
speeded tasks: Gilden 2001; Baayen & Milin 2010). That part is not the items', and the neighbours tell it::

    e_ij = u_j(position) + noise,    u_j: mean 0, variance share_j s_j^2, correlation exp(-gap / lasting_j)

Share and duration are weighed on a grid by the likelihood of every annotator's own trials (Kalman filter), with
weights of the grid that all annotators make together (empirical Bayes), no state at all among them. Each trial then
loses the mean state that the annotator's *other* trials tell.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mining.hardness import _crossed as crossed
from mining.hardness import _serial_kernels as kernels
from mining.hardness._layout import Layout

Array = NDArray[np.float64]
SHARES = np.array([0.02, 0.05, 0.1, 0.2, 0.4])
LASTING = np.array([2.0, 8.0, 32.0, 128.0])
"""Trials after which 1/e of a state is left."""
NO_STATE = 0.5
"""Share of the prior that says there is none. All the prior counts as one annotator."""
TURNS = 20
LEAST_LIKELY = 0.01
CLUSTERED_SDS = 2.0
"""Items whose neighbours are like them by more than so many standard errors were not shown in random order."""


def take_states_off(layout: Layout, state: crossed.Crossed, foretold: Array) -> bool:
    """Take off `state.y` the states that annotators were in; return whether anything changed.

    Args:
        foretold: (n_trials,) what the other judgments of the trial's item foretell (`_crossed.foresight`).
    """
    position = layout.positions()
    if position is None or order_clusters(layout, position, foretold):
        return False
    r, open_ = np.zeros(layout.n_trials), np.full(layout.n_trials, np.inf)
    layout.parts.run(
        lambda k: kernels.observe(
            layout.splits[k], layout.splits[k + 1], layout.offsets, layout.item, state.y, layout.courses,
            layout.courses.shape[0], foretold, state.mean, state.a, state.c, state.load, state.known,
            1 / state.sd_b2, state.s2, state.nu, r, open_,
        )
    )  # fmt: skip
    shares = np.concatenate([[0.0], np.repeat(SHARES, LASTING.size)])
    phis = np.concatenate([[0.0], np.tile(np.exp(-1 / LASTING), SHARES.size)])
    heights = np.zeros((layout.n_annotators, shares.size))
    layout.parts.run(
        lambda k: kernels.weigh_courses(
            layout.splits[k], layout.splits[k + 1], layout.offsets, position, r, open_, shares, phis, heights
        )
    )
    present = np.diff(layout.offsets) > 0
    likely = np.zeros_like(heights)
    likely[present] = posterior(heights[present])
    if likely[present, 0].min(initial=1.0) > 1 - LEAST_LIKELY:
        return False
    states = np.zeros(layout.n_trials)
    layout.parts.run(
        lambda k: kernels.follow_states(
            layout.splits[k], layout.splits[k + 1], layout.offsets, position, r, open_, shares, phis, likely,
            LEAST_LIKELY, states,
        )
    )  # fmt: skip
    states *= np.sqrt(state.s2)[layout.annotators]
    _take(layout, state, states)
    return True


def _take(layout: Layout, state: crossed.Crossed, states: Array) -> None:
    seen, who = layout.item >= 0, layout.annotators

    def squares() -> Array:
        return np.asarray(
            np.bincount(who[seen], state.y[seen].astype(np.float64) ** 2, layout.n_annotators), np.float64
        )

    before = squares()
    state.y = np.where(seen, state.y - states, state.y).astype(state.y.dtype)
    state.squares = state.squares * np.divide(squares(), before, out=np.ones(before.size), where=before > 0)


def posterior(heights: Array) -> Array:
    """Return (n_annotators, n_courses) how probable each kind of course is for each, by empirical Bayes."""
    prior = np.full(heights.shape[1], (1 - NO_STATE) / (heights.shape[1] - 1))
    prior[0] = NO_STATE
    odds = np.exp(heights - heights.max(axis=1, keepdims=True))
    weight = prior
    for _ in range(TURNS):
        likely = odds * weight
        likely /= likely.sum(axis=1, keepdims=True)
        weight = (likely.sum(axis=0) + prior) / (heights.shape[0] + 1)
    return np.asarray(likely)


def order_clusters(layout: Layout, position: Array, foretold: Array) -> bool:
    """Whether hard items were shown beside hard ones: a state could not be told from hardness then.

    What others say of an item does not know the annotator's state. Each is compared with the mean of those before.
    """
    place = np.lexsort((position, layout.annotators))
    known = place[~np.isnan(foretold[place])]
    who, f = layout.annotators[known], foretold[known]
    f = f - f.mean() if f.size else f
    total, squares = 0.0, 0.0
    for lag in (1, 2, 3, 4):
        same = who[lag:] == who[:-lag]
        product = np.where(same, f[lag:] * f[:-lag], 0.0)
        total += float(product.sum())
        squares += float(product @ product)
    return bool(total > CLUSTERED_SDS * np.sqrt(squares))
