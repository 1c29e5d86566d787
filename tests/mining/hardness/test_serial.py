"""Neighbouring trials of an annotator are alike: their state is told from hardness, against known truth."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from mining.hardness import _scales, _serial_kernels
from mining.hardness.timing import fit_response_times

N_ITEMS, N_ANNOTATORS = 160, 6


def simulate(seed, share, lasting=15.0, block=1):
    """Everybody judges everything, in an order of their own (of blocks of items that are alike, with ``block``)."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(N_ITEMS // block), block)
    b = 0.25 * (rng.normal(size=N_ITEMS // block)[group] + (block > 1) * 0.5 * rng.normal(size=N_ITEMS))
    item, annotator, position, state = [], [], [], []
    left = np.exp(-1 / lasting)
    for j in range(N_ANNOTATORS):
        item.append(np.argsort(rng.permutation(group.max() + 1)[group] + 0.9 * rng.random(N_ITEMS)))
        annotator.append(np.full(N_ITEMS, j))
        position.append(np.arange(1, N_ITEMS + 1))
        own = np.empty(N_ITEMS)
        own[0] = rng.standard_normal()
        for t in range(1, N_ITEMS):
            own[t] = left * own[t - 1] + np.sqrt(1 - left * left) * rng.standard_normal()
        state.append(own)
    item, annotator, position, state = (np.concatenate(each) for each in (item, annotator, position, state))
    noise = np.sqrt(share) * state + np.sqrt(1 - share) * rng.standard_normal(item.size)
    sd = rng.uniform(0.3, 0.7, N_ANNOTATORS)
    times = np.exp(7 + b[item] + rng.normal(0, 0.4, N_ANNOTATORS)[annotator] + sd[annotator] * noise)
    return item, annotator, times, position, b


def without_states(monkeypatch, *trials):
    with monkeypatch.context() as patch:
        patch.setattr(_scales, "take_states_off", lambda *_: False)
        return fit_response_times(*trials[:3], position=trials[3])


def test_states_that_come_and_go_are_taken_off(monkeypatch):
    gains, held, doubt = [], [], []
    for seed in range(6):
        *trials, b = simulate(seed, share=0.4)
        fit, plain = fit_response_times(*trials[:3], position=trials[3]), without_states(monkeypatch, *trials)
        gains.append(spearmanr(fit.item_effect, b)[0] - spearmanr(plain.item_effect, b)[0])
        truth = b - b.mean()
        if fit.scale != "log-seconds":
            truth = truth * fit.item_sd / truth.std()
        held.append(np.mean(np.abs(fit.item_effect - truth) < 1.645 * fit.item_se))
        doubt.append(np.median(fit.item_se / fit.item_sd) / np.median(plain.item_se / plain.item_sd))
    assert np.mean(gains) > 0.015
    assert 0.85 <= np.mean(held) <= 0.95
    assert np.mean(doubt) < 0.98


def test_where_trials_are_independent_nothing_is_taken_off(monkeypatch):
    for seed in range(4):
        *trials, _ = simulate(seed, share=0.0)
        fit, plain = fit_response_times(*trials[:3], position=trials[3]), without_states(monkeypatch, *trials)
        apart = (fit.item_effect - plain.item_effect) / plain.item_se
        assert np.sqrt(np.mean(apart**2)) < 0.1


def test_hardness_of_items_shown_beside_their_like_is_not_taken_for_a_state(monkeypatch):
    for seed in range(4):
        *trials, _ = simulate(seed, share=0.0, block=20)
        fit, plain = fit_response_times(*trials[:3], position=trials[3]), without_states(monkeypatch, *trials)
        np.testing.assert_array_equal(fit.item_effect, plain.item_effect)


def test_rows_names_and_units_do_not_matter():
    *trials, _ = simulate(0, share=0.4)
    item, annotator, times, position = trials
    fit = fit_response_times(item, annotator, times, position=position)
    rng = np.random.default_rng(1)
    order, renamed = rng.permutation(item.size), rng.permutation(N_ANNOTATORS)
    faster = np.where(annotator == 2, 0.5, 1.0)
    other = fit_response_times(
        item[order], renamed[annotator[order]], (times * faster)[order], position=position[order]
    )
    np.testing.assert_allclose(other.item_effect, fit.item_effect, atol=1e-4)


@pytest.fixture
def course():
    """Ten trials in odd order with gaps, one without a time; the covariance of states and the whole one."""
    rng = np.random.default_rng(0)
    position = rng.permutation(np.array([1.0, 2, 3, 5, 6, 9, 10, 11, 30, 31]))
    r, open_ = rng.normal(size=10), rng.uniform(1, 2, 10)
    r[4], open_[4] = 0.0, np.inf
    share, phi = 0.3, 0.8
    states = share * phi ** np.abs(position[:, None] - position)
    seen = np.isfinite(open_)
    whole = states[np.ix_(seen, seen)] + np.diag(open_[seen] - share)
    return position, r, open_, share, phi, states, seen, whole


def filtered(course, share, phi):
    position, r, open_ = course[:3]
    mean, spread = np.empty(10), np.empty(10)
    order = np.argsort(position)
    height = _serial_kernels.filter_forward(order, position, r, open_, share, phi, mean, spread)
    return order, mean, spread, height


def test_the_likelihood_is_that_of_the_normal_distribution_with_its_size_free(course):
    _, r, open_, share, phi, _, seen, whole = course
    found = filtered(course, share, phi)[3] - filtered(course, 0.0, 0.0)[3]

    def height(covariance):
        square = r[seen] @ np.linalg.solve(covariance, r[seen])
        return -0.5 * (np.linalg.slogdet(covariance)[1] + seen.sum() * np.log(square / seen.sum()))

    assert found == pytest.approx(height(whole) - height(np.diag(open_[seen])), abs=1e-9)


def test_each_trial_loses_what_all_others_tell_of_its_state(course):
    position, r, open_, share, phi, states, seen, _ = course
    order, mean, spread, _ = filtered(course, share, phi)
    out = np.zeros(10)
    _serial_kernels.add_states(order, position, r, open_, share, phi, 1.0, mean, spread, out)
    for t in range(10):
        others = seen & (np.arange(10) != t)
        covariance = states[np.ix_(others, others)] + np.diag(open_[others] - share)
        assert out[t] == pytest.approx(states[t, others] @ np.linalg.solve(covariance, r[others]), abs=1e-9)
