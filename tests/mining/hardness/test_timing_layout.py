"""How trials are laid out and sampled is the machine's affair: estimates stay the same."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from mining.hardness import _layout
from mining.hardness.timing import fit_response_times

from .simulated_trials import simulate


def test_parts_and_single_precision_change_nothing_that_matters(monkeypatch):
    item, annotator, times, _, _ = simulate()
    one = fit_response_times(item, annotator, times)
    monkeypatch.setattr(_layout, "TRIALS_A_PART", 300)
    many = fit_response_times(item, annotator, times)
    np.testing.assert_allclose(many.item_effect, one.item_effect, atol=1e-6)
    monkeypatch.setattr(_layout, "LARGE", 0)
    single = fit_response_times(item, annotator, times)
    np.testing.assert_allclose(single.item_effect, one.item_effect, atol=1e-4)
    np.testing.assert_array_equal(fit_response_times(item, annotator, times).item_effect, single.item_effect)


@pytest.mark.parametrize("scale", ["log-seconds", "annotator SDs"])
def test_blocks_of_items_change_nothing_but_the_order_of_sums(monkeypatch, scale):
    item, annotator, times, _, _ = simulate(4, n_items=500, per_item=8)
    if scale == "annotator SDs":
        times = 1000 * (times / 1000) ** np.exp(np.random.default_rng(0).normal(0, 0.8, 30))[annotator]
    times[::23] = np.nan
    position = np.empty(item.size)
    for j in range(30):
        own = np.flatnonzero(annotator == j)
        position[np.random.default_rng(j).permutation(own)] = np.arange(1, own.size + 1)
    one = fit_response_times(item, annotator, times, position=position)
    monkeypatch.setattr(_layout, "BLOCK_BITS", 4)
    monkeypatch.setattr(_layout, "TRIALS_A_CELL", 2)
    blocks = []
    sort = _layout.Layout.sort_by_blocks
    monkeypatch.setattr(_layout.Layout, "sort_by_blocks", lambda self: (sort(self), blocks.append(len(self.cells) - 1)))
    other = fit_response_times(item, annotator, times, position=position)
    assert blocks == [500 // 16 + 1]
    assert other.scale == one.scale == scale
    np.testing.assert_allclose(other.item_effect, one.item_effect, atol=1e-5)
    np.testing.assert_allclose(other.item_se, one.item_se, rtol=1e-5)
    np.testing.assert_allclose(other.practice, one.practice, atol=1e-5)


def test_the_scale_of_large_data_is_chosen_on_a_sample(monkeypatch):
    item, annotator, times, b, _ = simulate(n_items=600)
    monkeypatch.setattr("mining.hardness._scales.PILOT_TRIALS", 900)
    fit = fit_response_times(item, annotator, times)
    assert fit.scale == "log-seconds"
    assert spearmanr(fit.item_effect, b)[0] > 0.75
