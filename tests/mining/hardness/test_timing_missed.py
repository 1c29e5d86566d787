"""Trials without an answer: slow answers that a limit cut off, or somebody who looked away."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from mining.hardness import _missed, _scales
from mining.hardness.timing import fit_response_times

from .simulated_trials import names, simulate


def limited(seed, lapses, n_items=600):
    """Times under a limit that 6 % of answers do not meet, and lapses on any item; item effects, slow share."""
    item, annotator, times, b, _ = simulate(seed, n_items=n_items)
    limit = np.quantile(times, 0.94)
    away = np.random.default_rng(seed + 100).random(times.size) < lapses
    missed = away | (times > limit)
    share = np.mean((times > limit)[missed])
    return item, annotator, np.where(missed, np.nan, times), limit, b, share


def plain(monkeypatch, *trials, **more):
    """The fit in which every miss is a slow answer."""
    with monkeypatch.context() as patch:
        patch.setattr(_scales, "learn_lapses", lambda layout, state: False)
        return fit_response_times(*trials, **more)


def test_lapses_are_told_from_slow_answers(monkeypatch):
    gains, found, true = [], [], []
    for seed in range(4):
        *trials, limit, b, share = limited(seed, lapses=0.06)
        fit = fit_response_times(*trials, censored_at_ms=limit)
        other = plain(monkeypatch, *trials, censored_at_ms=limit)
        gains.append(spearmanr(fit.item_effect, b)[0] - spearmanr(other.item_effect, b)[0])
        found.append(fit.missed_as_slow)
        true.append(share)
        assert other.missed_as_slow == 1.0
        inside = np.abs(fit.item_effect - (b - b.mean()) * fit.item_sd / b.std()) < 1.645 * fit.item_se
        assert 0.85 < inside.mean() < 0.95
    assert min(gains) > 0.01
    assert np.mean(found) == pytest.approx(np.mean(true), abs=0.12)


def test_without_lapses_misses_stay_slow_answers(monkeypatch):
    slow = []
    for seed in range(6):
        *trials, limit, b, _ = limited(seed, lapses=0.0)
        fit = fit_response_times(*trials, censored_at_ms=limit)
        other = plain(monkeypatch, *trials, censored_at_ms=limit)
        slow.append(fit.missed_as_slow)
        assert spearmanr(fit.item_effect, b)[0] > spearmanr(other.item_effect, b)[0] - 0.004
    # one crowd by itself tells little of lapses
    assert np.mean(slow) > 0.9 and min(slow) > 0.8


def test_a_miss_says_little_where_the_annotator_never_comes_near_the_bound():
    shares = _missed._shares(np.array([1.0, 4.0]))
    at = int(np.argmin(np.abs(_missed.LAPSES - 0.01)))
    # P(z > 1) = .1587 and P(z > 4) = .0000317, beside lapses about .01
    rate = _missed.LAPSES[at]
    assert shares[at] == pytest.approx([0.158655 / (rate + 0.158655), 3.1671e-5 / (rate + 3.1671e-5)], rel=1e-4)
    assert shares[0].tolist() == [1.0, 1.0]
    # more lapses, fewer slow answers
    assert (np.diff(shares, axis=0) < 0).all()


def test_what_a_sample_tells_of_lapses_holds_for_all(monkeypatch):
    *trials, limit, b, share = limited(5, lapses=0.06, n_items=2000)
    whole = fit_response_times(*trials, censored_at_ms=limit)
    monkeypatch.setattr(_scales, "PILOT_TRIALS", 4000)
    sampled = fit_response_times(*trials, censored_at_ms=limit)
    assert sampled.missed_as_slow == pytest.approx(share, abs=0.2)
    assert spearmanr(sampled.item_effect, b)[0] > spearmanr(whole.item_effect, b)[0] - 0.01
    without = plain(monkeypatch, *trials, censored_at_ms=limit)
    assert spearmanr(sampled.item_effect, b)[0] > spearmanr(without.item_effect, b)[0] + 0.01


def test_the_share_is_zero_where_misses_are_left_aside_and_unknown_where_there_are_none():
    item, annotator, times, _, _ = simulate(2, per_item=10)
    lost = np.random.default_rng(5).random(times.size) < 0.1
    fit = fit_response_times(item, annotator, np.where(lost, np.nan, times))
    assert "censored_without_bound" in names(fit) and fit.missed_as_slow == 0.0
    assert np.isnan(fit_response_times(item, annotator, times).missed_as_slow)
