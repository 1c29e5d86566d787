"""Trials of a known truth, for tests of the fit of response times."""

import numpy as np


def simulate(seed=0, n_items=300, n_annotators=30, per_item=6, item_sd=0.25, noise=(0.2, 0.8)):
    """Trials of a known truth: (item, annotator, response_ms, item effects, noise of annotators)."""
    rng = np.random.default_rng(seed)
    b = rng.normal(0, item_sd, n_items)
    item = np.repeat(np.arange(n_items), per_item)
    annotator = np.argsort(rng.random((n_items, n_annotators)), axis=1)[:, :per_item].ravel()
    slow, sd = rng.normal(0, 0.4, n_annotators), rng.uniform(*noise, n_annotators)
    times = np.exp(7 + b[item] + slow[annotator] + sd[annotator] * rng.standard_normal(item.size))
    return item, annotator, times, b, sd


def names(fit):
    return {caution.name for caution in fit.warnings}


def inside(fit, truth):
    return np.abs(fit.item_effect - (truth - truth.mean())) < 1.645 * fit.item_se
