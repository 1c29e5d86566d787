"""Compiled passes over each annotator's trials in the order in which they saw them; see `_serial`."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import math

import numpy as np

from mining.hardness._kernels import kernel


@kernel
def fade(phi, gap):
    """Return what is left of a state after so many trials."""
    return phi if gap == 1.0 else phi**gap


@kernel
def filter_forward(order, position, r, open_, share, phi, mean, spread):
    """Fill what the trials before each one say of the state at it: (n,) mean and variance; return ln likelihood, with
    the size of all variances free: were it wrong, a state would seem to be there that is not.

    order (n,): trials as they came. r, open_ (n,): residuals and their variances with share 0, in units of the noise;
    variances are infinite where nothing was observed. The state has variance ``share``, which the noise then lacks.
    """
    m, v, before = 0.0, share, 0.0
    logs, square, n = 0.0, 0.0, 0
    for at in range(order.shape[0]):
        t = order[at]
        if at > 0:
            left = fade(phi, position[t] - before)
            m *= left
            v = share + left * left * (v - share)
        before = position[t]
        mean[t], spread[t] = m, v
        if open_[t] < math.inf:
            total = v + open_[t] - share
            surprise = r[t] - m
            logs += math.log(total)
            square += surprise * surprise / total
            n += 1
            m += v / total * surprise
            v -= v * v / total
    return -0.5 * (logs + n * math.log(max(square, 1e-300) / max(n, 1)))


@kernel
def add_states(order, position, r, open_, share, phi, weight, mean, spread, out):
    """Add to ``out`` (n,) ``weight`` times the state at each trial as all *others* tell it; ``mean`` and ``spread``
    are those of `filter_forward`.
    """
    m, v, after = 0.0, share, 0.0
    for back in range(order.shape[0]):
        t = order[order.shape[0] - 1 - back]
        if back > 0:
            left = fade(phi, after - position[t])
            m *= left
            v = share + left * left * (v - share)
        after = position[t]
        # both know that the state has mean 0 and variance `share`: it is counted once
        precision = 1.0 / spread[t] + 1.0 / v - 1.0 / share
        out[t] += weight * (mean[t] / spread[t] + m / v) / precision
        if open_[t] < math.inf:
            total = v + open_[t] - share
            surprise = r[t] - m
            m += v / total * surprise
            v -= v * v / total


@kernel
def weigh_courses(first, last, offsets, position, r, open_, shares, phis, heights):
    """Fill (n_annotators, n_courses) ln likelihoods of every kind of course, none at all (share 0) among them."""
    for j in range(first, last):
        lo, hi = offsets[j], offsets[j + 1]
        order = np.argsort(position[lo:hi])
        mean, spread = np.empty(hi - lo), np.empty(hi - lo)
        for g in range(shares.shape[0]):
            heights[j, g] = filter_forward(
                order, position[lo:hi], r[lo:hi], open_[lo:hi], shares[g], phis[g], mean, spread
            )


@kernel
def follow_states(first, last, offsets, position, r, open_, shares, phis, likely, least, out):
    """Fill (n_trials,) states, the mean over kinds of courses as ``likely`` (n_annotators, n_courses) as each is."""
    for j in range(first, last):
        lo, hi = offsets[j], offsets[j + 1]
        order = np.argsort(position[lo:hi])
        mean, spread = np.empty(hi - lo), np.empty(hi - lo)
        for g in range(shares.shape[0]):
            if shares[g] > 0.0 and likely[j, g] > least:
                at = position[lo:hi], r[lo:hi], open_[lo:hi]
                filter_forward(order, at[0], at[1], at[2], shares[g], phis[g], mean, spread)
                add_states(order, at[0], at[1], at[2], shares[g], phis[g], likely[j, g], mean, spread, out[lo:hi])


@kernel
def observe(first, last, offsets, item, y, x, q, foretold, mean, a, c, load, known, least, s2, nu, r, open_):
    """Fill residuals from what *other* judgments foretell, and their variances, both in units of the noise.

    foretold (n_trials,): the item's effect without the trial, NaN for unknown. known (n_items,): precisions.
    """
    kappa = (nu + 1.0) / (nu + 3.0)
    for j in range(first, last):
        s = math.sqrt(s2[j])
        told = kappa * load[j] * load[j] / s2[j]
        for t in range(offsets[j], offsets[j + 1]):
            if item[t] < 0:
                r[t], open_[t] = 0.0, math.inf
                continue
            effect, doubt = 0.0, 1.0 / least
            if not math.isnan(foretold[t]):
                effect, doubt = foretold[t], 1.0 / max(known[item[t]] - told, least)
            rest = y[t] - mean - a[j] - load[j] * effect
            for d in range(q):
                rest -= c[j, d] * x[d, t]
            total = 1.0 + load[j] * load[j] * doubt / s2[j]
            # a lapse says little of the state: what moves the mean of a t distribution, in the place of a residual;
            # its variance must not know it
            rest /= s
            r[t] = rest * (nu + 3.0) / (nu + rest * rest / total)
            open_[t] = total / kappa
