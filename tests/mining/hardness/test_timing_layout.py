"""How trials are laid out and sampled is the machine's affair: estimates stay the same."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from mining.hardness import _crossed, _layout
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


@pytest.mark.parametrize("scale", ["log-seconds", "annotator SDs"])
def test_what_a_sample_tells_of_annotators_shortens_the_way_and_leads_to_the_same_place(monkeypatch, scale):
    item, annotator, times, _, _ = simulate(3, n_items=600, per_item=20)
    if scale == "annotator SDs":
        times = 1000 * (times / 1000) ** np.exp(np.random.default_rng(0).normal(0, 0.8, 30))[annotator]
    times[::31] = np.nan
    monkeypatch.setattr("mining.hardness._scales.PILOT_TRIALS", 6000)
    ahead = fit_response_times(item, annotator, times)
    monkeypatch.setattr(
        _crossed, "start_from", lambda pilot, *rest: _crossed.start(*rest[:2], squares=(*rest, None)[2])
    )
    whole = fit_response_times(item, annotator, times)
    assert ahead.scale == whole.scale == scale
    assert ahead.converged and ahead.n_sweeps < whole.n_sweeps
    assert np.sqrt(np.mean(((ahead.item_effect - whole.item_effect) / whole.item_se) ** 2)) < 0.01
    np.testing.assert_allclose(ahead.annotator_sd, whole.annotator_sd, rtol=0.01)


def test_trials_lie_by_annotator_and_by_item():
    item = np.array([2, 0, 1, 2, 0, 2])
    annotator = np.array([1, 1, 0, 0, 1, 2])
    times = np.array([1000.0, np.nan, 3000.0, 4000.0, 5000.0, 6000.0])
    for n_parts in (1, 3):
        parts = _layout.Parts(6)
        parts.n_parts = n_parts
        layout = _layout.lay_out(item, annotator, times, np.zeros(0), [np.arange(6.0)], 4, parts)
        assert layout.offsets.tolist() == [0, 2, 5, 6]
        assert layout.item.tolist() == [1, 2, 2, ~0, 0, 2]
        np.testing.assert_allclose(np.exp(layout.log_times), [3, 4, 1, 5, 5, 6])  # the bound is the annotator's longest
        np.testing.assert_allclose(layout.courses, [[-0.5, 0.5, -5 / 3, -2 / 3, 7 / 3, 0]])
        assert layout.count_items().sum(axis=0).tolist() == [[2, 1], [1, 0], [3, 0], [0, 0]]
        assert layout.again == 1
        order = layout.by_item()
        assert order.starts.tolist() == [0, 2, 3, 6, 6]
        assert order.annotator.tolist() == [~1, 1, 0, 0, 1, 2]
        np.testing.assert_allclose(np.exp(layout.turned(layout.log_times)), [5, 5, 3, 4, 1, 6])
        np.testing.assert_allclose(order.courses, [[-2 / 3, 7 / 3, -0.5, 0.5, -5 / 3, 0]])
        sample = layout.sample(2)
        assert (sample.item.tolist(), sample.offsets.tolist()) == ([1, 1, ~0, 0, 1], [0, 1, 4, 5])
        np.testing.assert_allclose(np.exp(sample.log_times), [4, 1, 5, 5, 6])
