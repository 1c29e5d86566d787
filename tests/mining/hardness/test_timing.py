"""Hardness from response times against known truth."""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from mining.hardness.timing import BadTrials, fit_response_times

from .simulated_trials import inside, names, simulate

SPEEDED = Path(__file__).parents[4] / "shared" / "data" / "speeded_recognition"


def test_recovers_a_known_truth_with_honest_intervals():
    item, annotator, times, b, sd = simulate()
    fit = fit_response_times(item, annotator, times)
    assert fit.scale == "log-seconds" and fit.converged and fit.warnings == ()
    assert spearmanr(fit.item_effect, b)[0] > 0.8
    assert spearmanr(fit.annotator_sd, sd)[0] > 0.9
    assert 0.85 <= inside(fit, b).mean() <= 0.95
    assert fit.item_sd == pytest.approx(0.25, abs=0.04)
    assert abs(fit.item_effect.mean()) < 1e-9


def test_beats_mean_rank_and_mean_log_where_noise_differs():
    gain_rank, gain_log = [], []
    for seed in range(5):
        item, annotator, times, b, _ = simulate(seed)
        effect = spearmanr(fit_response_times(item, annotator, times).item_effect, b)[0]
        rank = np.empty(times.size)
        for j in range(30):
            rank[annotator == j] = rankdata(times[annotator == j])
        gain_rank.append(effect - spearmanr(np.bincount(item, rank), b)[0])
        gain_log.append(effect - spearmanr(np.bincount(item, np.log(times)), b)[0])
    assert np.mean(gain_rank) > 0.015
    assert np.mean(gain_log) > 0.08


@pytest.mark.parametrize("per_item", [2, 3, 10])
def test_coverage_with_few_and_with_many_judgments(per_item):
    shares = []
    for seed in range(6):
        item, annotator, times, b, _ = simulate(seed, per_item=per_item)
        shares.append(inside(fit_response_times(item, annotator, times), b).mean())
    assert 0.85 <= np.mean(shares) <= 0.95


def test_heavy_tails_and_lapses_hardly_move_the_estimate():
    item, annotator, times, b, _ = simulate(3)
    clean = spearmanr(fit_response_times(item, annotator, times).item_effect, b)[0]
    rng = np.random.default_rng(0)
    lapse = rng.random(times.size) < 0.05
    times = np.where(lapse, times * np.exp(rng.choice([-2.0, 3.0], times.size)), times)
    fit = fit_response_times(item, annotator, times)
    assert spearmanr(fit.item_effect, b)[0] > clean - 0.05
    assert fit.noise_degrees < 10
    assert 0.85 <= inside(fit, b).mean() <= 0.96


def test_an_answer_that_never_came_is_evidence_of_hardness():
    item, annotator, times, b, _ = simulate(1)
    limit = np.quantile(times, 0.85)
    cut = np.where(times > limit, np.nan, times)
    censored = fit_response_times(item, annotator, cut, censored_at_ms=limit)
    dropped = fit_response_times(item[times <= limit], annotator[times <= limit], times[times <= limit], n_items=300)
    full = spearmanr(fit_response_times(item, annotator, times).item_effect, b)[0]
    found = spearmanr(censored.item_effect, b)[0]
    known = ~np.isnan(dropped.item_effect)
    assert found > spearmanr(dropped.item_effect[known], b[known])[0] + 0.02
    assert found > full - 0.03
    assert censored.n_censored.sum() == np.isnan(cut).sum()
    by_longest = fit_response_times(item, annotator, cut)
    assert spearmanr(by_longest.item_effect, b)[0] > full - 0.03


def test_times_lost_at_random_are_left_aside_and_said():
    item, annotator, times, b, _ = simulate(2, per_item=10)
    lost = np.random.default_rng(5).random(times.size) < 0.1
    fit = fit_response_times(item, annotator, np.where(lost, np.nan, times))
    assert "censored_without_bound" in names(fit)
    assert (
        spearmanr(fit.item_effect, b)[0]
        > spearmanr(fit_response_times(item, annotator, times).item_effect, b)[0] - 0.03
    )


def test_practice_is_taken_out_and_a_fixed_order_is_not():
    item, annotator, times, b, _ = simulate(4)
    rng, position = np.random.default_rng(0), np.empty(item.size)
    for j in range(30):
        own = rng.permutation(np.flatnonzero(annotator == j))
        position[own] = np.arange(1, own.size + 1)
    slower = times * position**-0.3
    plain = fit_response_times(item, annotator, slower)
    fit = fit_response_times(item, annotator, slower, position=position)
    assert np.nanmean(fit.practice) == pytest.approx(-0.3, abs=0.05)
    assert spearmanr(fit.item_effect, b)[0] > spearmanr(plain.item_effect, b)[0] + 0.01
    fixed = fit_response_times(item, annotator, slower, position=item + 1)
    assert "fixed_order" in names(fixed)
    assert (fixed.practice == 0).all()


def test_labels_help_where_judgments_are_few():
    gains, shares = [], []
    for seed in range(5):
        item, annotator, times, b, _ = simulate(seed, per_item=3)
        rng = np.random.default_rng(seed)
        kind = rng.integers(0, 5, 300)
        wrong = rng.random(item.size) < 1 / (1 + np.exp(1.5 - 6 * b))[item]
        label = np.where(wrong, rng.integers(0, 5, item.size), kind[item])
        with_label = fit_response_times(item, annotator, times, label=label)
        alone = fit_response_times(item, annotator, times)
        gains.append(spearmanr(with_label.item_effect, b)[0] - spearmanr(alone.item_effect, b)[0])
        shares.append(inside(with_label, b).mean())
        assert with_label.reliability > alone.reliability
    assert np.mean(gains) > 0.02
    assert 0.85 <= np.mean(shares) <= 0.95


def test_unusual_answers_that_take_longer_are_found():
    item, annotator, times, _, _ = simulate(0, noise=(0.2, 0.3))
    wrong = np.random.default_rng(1).random(item.size) < 0.2
    fit = fit_response_times(item, annotator, np.where(wrong, times * 2, times), label=wrong.astype(int))
    assert fit.wrong_answer_effect == pytest.approx(np.log(2), abs=0.1)


def test_rank_scale_wins_where_annotators_stretch_time_differently():
    rng = np.random.default_rng(0)
    item, annotator, _, b, _ = simulate(0, per_item=8)
    stretch = np.exp(rng.normal(0, 0.8, 30))
    times = np.exp(7 + stretch[annotator] * (b[item] + 0.3 * rng.standard_normal(item.size)))
    fit = fit_response_times(item, annotator, times)
    assert fit.scale == "annotator SDs"
    assert spearmanr(fit.item_effect, b)[0] > 0.85


def test_judgments_needed_reach_the_target():
    item, annotator, times, _, _ = simulate(0, noise=(0.5, 0.5))
    fit = fit_response_times(item, annotator, times, n_items=301)
    need = fit.judgments_needed(0.8)
    # 1 / (1 - .8) = 1 + n item_sd^2 / noise^2: with .25 and .5 that is 16 judgments; 6 are there
    assert 6 <= np.median(need[:300]) <= 16
    assert need[300] == pytest.approx(np.median(need[:300]) + 6, abs=2)
    assert (fit.judgments_needed(0.9) >= need).all()
    assert (fit.judgments_needed(0.1)[:300] == 0).all()
    with pytest.raises(BadTrials, match="target_out_of_range"):
        fit.judgments_needed(1.0)


def test_more_judgments_of_an_item_never_raise_its_error():
    item, annotator, times, _, _ = simulate(0, noise=(0.5, 0.5))
    keep = np.random.default_rng(0).random(item.size) < 0.6
    fit = fit_response_times(item[keep], annotator[keep], times[keep], n_items=300)
    n = fit.n_judgments
    worst = [fit.item_se[n == k].max() for k in range(1, 7)]
    best = [fit.item_se[n == k].min() for k in range(1, 7)]
    assert all(best[k] > worst[k + 2] for k in range(4))


def test_items_never_judged_are_nan():
    item, annotator, times, _, _ = simulate()
    fit = fit_response_times(item, annotator, times, n_items=302)
    assert np.isnan(fit.item_effect[300:]).all() and np.isnan(fit.item_se[300:]).all()
    assert fit.n_judgments[300:].tolist() == [0, 0]


def test_a_shift_is_taken_off():
    item, annotator, times, _, _ = simulate()
    shifted = fit_response_times(item, annotator, times + 250, shift_ms=250)
    np.testing.assert_allclose(shifted.item_effect, fit_response_times(item, annotator, times).item_effect, atol=1e-6)


@pytest.mark.skipif(not SPEEDED.exists(), reason="the speeded_recognition trials are not at ../shared/data")
def test_real_trials_have_the_known_reliability():
    with (SPEEDED / "silhouettes" / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    codes = [np.unique([row[key] for row in rows], return_inverse=True)[1] for key in ("item", "annotator")]
    times = np.array([float(row["response_ms"] or "nan") for row in rows])
    answers = np.unique([row["label"] for row in rows], return_inverse=True)[1] - 1
    fit = fit_response_times(*codes, times)
    assert fit.reliability == pytest.approx(0.72, abs=0.05)
    wrong = np.array([row["label"] != row["reference"] for row in rows])
    assert spearmanr(fit.item_effect, np.bincount(codes[0], wrong))[0] > 0.55
    joint = fit_response_times(*codes, times, label=answers)
    assert (
        spearmanr(joint.item_effect, np.bincount(codes[0], wrong))[0]
        > spearmanr(fit.item_effect, np.bincount(codes[0], wrong))[0]
    )
