"""Descriptions of annotators, and EZ-diffusion."""

import numpy as np
import pytest

from mining.hardness.annotators import describe_annotators, null_reasons, practice_curve
from mining.hardness.diffusion import ez_diffusion
from mining.hardness.timing import BadTrials


def test_speed_noise_nulls_and_fast_guesses():
    times = [400.0, 600.0, 900.0, np.nan, 100.0, 500.0]
    table = describe_annotators([0, 0, 0, 0, 1, 1], times, n_annotators=3)
    np.testing.assert_allclose(table.median_ms, [600, np.sqrt(100 * 500), np.nan])
    np.testing.assert_allclose(table.null_share, [0.25, 0, np.nan])
    np.testing.assert_allclose(table.fast_guess_share, [0, 0.5, np.nan])
    assert table.noise[0] == pytest.approx(1.4826 * np.log(1.5))
    assert table.n_trials.tolist() == [4, 2, 0]


def test_gold_and_retest():
    item = [0, 1, 2, 0, 1, 2, 3]
    times = [400.0, 500.0, 800.0, 410.0, 520.0, 790.0, 300.0]
    table = describe_annotators([0] * 7, times, item=item, label=[1, 0, 1, 1, 1, 1, -1], gold=[1, 1, -1, -1, -1, -1, 0])
    assert table.gold_accuracy.tolist() == [0.5] and table.n_gold.tolist() == [2]
    assert table.n_retests.tolist() == [3]
    assert table.retest_agreement[0] == pytest.approx(2 / 3)
    assert table.retest_correlation[0] > 0.99


def test_practice_and_drift_are_slopes():
    position = np.arange(1, 401)
    table = describe_annotators(np.zeros(400, int), 1000 * position**-0.2, position=position)
    assert table.practice[0] == pytest.approx(-0.2)
    session = np.arange(400) // 100
    slower = 500 * np.exp(0.001 * (np.arange(400) % 100) - 0.3 * session)
    table = describe_annotators(np.zeros(400, int), slower, position=position, session=session)
    assert table.drift[0] == pytest.approx(0.1)
    where, times = practice_curve(position, 1000 * position**-0.2)
    np.testing.assert_allclose(times, 1000 * where**-0.2, rtol=1e-6)


def test_null_reasons_are_counted():
    assert null_reasons([0, 0, 1, 1], [1, -1, 0, 1], 3, 2).tolist() == [[0, 1], [1, 1], [0, 0]]


def test_ez_diffusion_of_the_published_example():
    found = ez_diffusion(0.802, 0.112, 0.723, n_trials=1000)
    assert found.drift == pytest.approx(0.0999, abs=5e-5)
    assert found.boundary == pytest.approx(0.1400, abs=5e-5)
    assert found.non_decision_s == pytest.approx(0.300, abs=5e-4)
    assert ez_diffusion(0.198, 0.112, 0.723, n_trials=1000).drift == pytest.approx(-0.0999, abs=5e-5)
    for share in (0.0, 0.5, 1.0):
        assert np.isfinite(ez_diffusion(share, 0.1, 0.7, n_trials=50).boundary)
    with pytest.raises(BadTrials, match="too_few_trials"):
        ez_diffusion(0.8, 0.1, 0.7, n_trials=5)
