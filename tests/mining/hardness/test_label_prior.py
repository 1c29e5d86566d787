"""The regression of items on their answers: compiled for few classes, by sparse matrices for many."""

import numpy as np
import pytest

from mining.hardness import _label_prior
from mining.hardness.timing import fit_response_times


@pytest.mark.parametrize("n_classes", [2, 12])
def test_both_ways_come_to_the_same(monkeypatch, n_classes):
    generator = np.random.default_rng(4)
    item, annotator = np.repeat(np.arange(80), 6), np.tile(np.arange(6), 80)
    truth, hard = generator.integers(0, n_classes, 80), generator.normal(0, 0.4, 80)
    wrong = generator.random(480) < 0.15 + 0.2 * (hard[item] > 0)
    label = np.where(wrong, generator.integers(0, n_classes, 480), truth[item])
    times = 900 * np.exp(hard[item] + 0.3 * (truth[item] == 0) + generator.normal(0, 0.3, 480))
    compiled = fit_response_times(item, annotator, times, label=label)
    monkeypatch.setattr(_label_prior, "MOST_COMPILED_COLUMNS", 0)
    sparse = fit_response_times(item, annotator, times, label=label)
    np.testing.assert_allclose(compiled.item_effect, sparse.item_effect, rtol=0, atol=1e-9)
    np.testing.assert_allclose(compiled.item_se, sparse.item_se, rtol=0, atol=1e-9)
    without = fit_response_times(item, annotator, times)
    assert np.abs(without.item_effect - compiled.item_effect).max() > 0.01, "answers tell something"
