"""Practice and fatigue told apart by breaks, against known truth."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from mining.hardness.timing import BadTrials, fit_response_times

N_ITEMS, N_ANNOTATORS, PER_ITEM, LENGTH = 300, 15, 8, 40


def simulate(seed=0, practice=-0.2, fatigue=0.5, spread=0.0):
    """Sittings of 40 trials; times fall with ln(position) and rise by ``fatigue`` ln units over 100 trials."""
    rng = np.random.default_rng(seed)
    b = rng.normal(0, 0.25, N_ITEMS)
    item = np.repeat(np.arange(N_ITEMS), PER_ITEM)
    annotator = np.argsort(rng.random((N_ITEMS, N_ANNOTATORS)), axis=1)[:, :PER_ITEM].ravel()
    position = np.empty(item.size)
    for j in range(N_ANNOTATORS):
        own = rng.permutation(np.flatnonzero(annotator == j))
        position[own] = np.arange(1, own.size + 1)
    session = ((position - 1) // LENGTH).astype(int)
    own_fatigue = fatigue + spread * rng.normal(0, 1, N_ANNOTATORS)
    y = 7 + b[item] + rng.normal(0, 0.4, N_ANNOTATORS)[annotator] + practice * np.log(position)
    y += own_fatigue[annotator] * ((position - 1) % LENGTH) / 100 + 0.3 * rng.standard_normal(item.size)
    return item, annotator, np.exp(y), position, session, b, own_fatigue


def test_practice_and_fatigue_are_both_recovered():
    found = []
    for seed in range(4):
        item, annotator, times, position, session, _, _ = simulate(seed)
        fit = fit_response_times(item, annotator, times, position=position, session=session)
        assert fit.scale == "log-seconds" and fit.converged
        found.append([np.mean(fit.practice), np.mean(fit.fatigue)])
    assert np.mean(found, axis=0) == pytest.approx([-0.2, 0.5], abs=0.04)


def test_annotators_tire_differently():
    item, annotator, times, position, session, _, own = simulate(1, spread=0.6)
    fit = fit_response_times(item, annotator, times, position=position, session=session)
    assert spearmanr(fit.fatigue, own)[0] > 0.85


def test_hardness_is_better_known_when_fatigue_is_taken_out():
    gains, inside = [], []
    for seed in range(4):
        item, annotator, times, position, session, b, _ = simulate(seed, fatigue=2.0)
        plain = fit_response_times(item, annotator, times, position=position)
        fit = fit_response_times(item, annotator, times, position=position, session=session)
        gains.append(spearmanr(fit.item_effect, b)[0] - spearmanr(plain.item_effect, b)[0])
        if fit.scale == "log-seconds":  # the unit of the truth
            inside.append(np.mean(np.abs(fit.item_effect - (b - b.mean())) < 1.645 * fit.item_se))
    assert 0.85 <= np.mean(inside) <= 0.95
    assert np.mean(gains) > 0.01


def test_nobody_tires_where_there_is_no_fatigue():
    item, annotator, times, position, session, b, _ = simulate(2, fatigue=0.0)
    plain = fit_response_times(item, annotator, times, position=position)
    fit = fit_response_times(item, annotator, times, position=position, session=session)
    assert np.abs(fit.fatigue).max() < 0.15
    assert spearmanr(fit.item_effect, b)[0] == pytest.approx(spearmanr(plain.item_effect, b)[0], abs=0.003)


def test_names_of_sittings_do_not_matter_and_without_a_break_there_is_no_fatigue():
    item, annotator, times, position, session, _, _ = simulate(3)
    one = fit_response_times(item, annotator, times, position=position, session=session)
    other = fit_response_times(item, annotator, times, position=position, session=1000 - 7 * session + annotator)
    np.testing.assert_allclose(other.item_effect, one.item_effect, atol=1e-9)
    plain = fit_response_times(item, annotator, times, position=position)
    unbroken = fit_response_times(item, annotator, times, position=position, session=annotator)
    np.testing.assert_array_equal(unbroken.item_effect, plain.item_effect)
    assert not unbroken.fatigue.any()


def test_an_order_that_is_the_same_for_all_leaves_both_in():
    item, annotator, times, _, _, _, _ = simulate(4)
    fit = fit_response_times(item, annotator, times, position=item + 1, session=item // LENGTH)
    assert [caution.name for caution in fit.warnings].count("fixed_order") == 1
    assert not fit.practice.any() and not fit.fatigue.any()


def test_sittings_need_positions_and_one_code_a_trial():
    with pytest.raises(BadTrials, match="session_without_position"):
        fit_response_times([0, 1], [0, 0], [500.0, 600.0], session=[0, 0])
    with pytest.raises(BadTrials, match="length_mismatch"):
        fit_response_times([0, 1], [0, 0], [500.0, 600.0], position=[1, 2], session=[0])
    with pytest.raises(BadTrials, match="code_out_of_range"):
        fit_response_times([0, 1], [0, 0], [500.0, 600.0], position=[1, 2], session=[0, -1])
