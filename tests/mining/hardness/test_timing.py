"""Hardness from response times against known truth, in awkward designs and with bad input."""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from mining.hardness import _layout
from mining.hardness.timing import BadTrials, fit_response_times

SPEEDED = Path(__file__).parents[4] / "shared" / "data" / "speeded_recognition"


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


# Awkward designs: an estimate that makes sense, and the words that go with it


def test_one_annotator_one_look_each():
    rng = np.random.default_rng(0)
    times = np.exp(rng.normal(7, 0.4, 40))
    fit = fit_response_times(np.arange(40), np.zeros(40, int), times)
    assert {"one_annotator", "noise_not_identified", "too_few_judgments"} <= names(fit)
    assert spearmanr(fit.item_effect, times)[0] > 0.999
    assert np.isnan(fit.reliability) and np.isnan(fit.item_sd)
    assert np.isfinite(fit.item_se).all()
    assert (fit.judgments_needed(0.8) == -1).all()


def test_one_item():
    fit = fit_response_times([0, 0, 0], [0, 1, 2], [500.0, 700.0, 900.0])
    assert "noise_not_identified" in names(fit)
    assert fit.item_effect.tolist() == [0.0]


def test_an_annotator_with_one_trial():
    item, annotator, times, _, _ = simulate()
    fit = fit_response_times(np.append(item, 0), np.append(annotator, 30), np.append(times, 1e6))
    alone = fit_response_times(item, annotator, times)
    assert np.isfinite(fit.annotator_effect[30])
    np.testing.assert_allclose(fit.item_effect, alone.item_effect, atol=0.05)


def test_unconnected_groups_are_said():
    item, annotator, times, _, _ = simulate()
    fit = fit_response_times(
        np.concatenate([item, item + 300]), np.concatenate([annotator, annotator + 30]), np.concatenate([times, times])
    )
    assert "unconnected_groups" in names(fit)
    np.testing.assert_allclose(fit.item_effect[:300], fit.item_effect[300:], atol=1e-6)


def test_all_times_equal():
    item, annotator, times, _, _ = simulate()
    fit = fit_response_times(item, annotator, np.full(times.size, 700.0))
    assert "no_variation" in names(fit)
    assert np.abs(fit.item_effect).max() < 1e-6
    assert np.isnan(fit.reliability)


def test_no_trials_and_no_times():
    assert names(fit_response_times([], [], [], n_items=3)) == {"too_few_judgments", "no_times"}
    fit = fit_response_times([0, 1], [0, 0], [np.nan, np.nan])
    assert "no_times" in names(fit)
    assert fit.n_censored.tolist() == [1, 1]


def test_seconds_imported_as_milliseconds_are_said_and_harmless():
    item, annotator, times, _, _ = simulate()
    plain = fit_response_times(item, annotator, times)
    mixed = fit_response_times(item, annotator, np.where(annotator == 3, times / 1000, times))
    assert "seconds_as_milliseconds" in names(mixed)
    assert "first: 3" in mixed.warnings[0].message
    np.testing.assert_allclose(mixed.item_effect, plain.item_effect, atol=0.02)


def test_dominant_annotator_and_repeats_are_said():
    item, annotator, times, _, _ = simulate(per_item=3)
    rng = np.random.default_rng(0)
    more = rng.permutation(np.arange(300).repeat(5))
    fit = fit_response_times(
        np.concatenate([item, more]),
        np.concatenate([annotator, np.zeros(1500, int)]),
        np.concatenate([times, np.exp(rng.normal(7, 0.3, 1500))]),
    )
    assert {"dominant_annotator", "repeated_judgments"} <= names(fit)


def test_times_of_pages_are_refused():
    page = np.random.default_rng(0).uniform(3000, 9000, 50).repeat(6)
    with pytest.raises(BadTrials) as error:
        fit_response_times(np.arange(300), np.arange(300) // 60, page)
    assert error.value.name == "page_level_times"


def test_times_in_whole_seconds_repeat_by_chance_and_are_no_pages():
    item, annotator, times, b, _ = simulate()
    seconds = np.maximum(np.round(times / 1000), 1) * 1000
    by_annotator = np.argsort(annotator, kind="stable")
    repeats = np.diff(seconds[by_annotator])[np.diff(annotator[by_annotator]) == 0] == 0
    assert repeats.mean() > 0.45  # what the rule went by alone
    fit = fit_response_times(item, annotator, seconds)
    assert spearmanr(fit.item_effect, b)[0] > 0.55


def test_pages_in_whole_seconds_are_still_refused():
    page = np.random.default_rng(0).integers(3, 9, 50).repeat(6) * 1000.0
    with pytest.raises(BadTrials) as error:
        fit_response_times(np.arange(300), np.arange(300) // 60, page)
    assert error.value.name == "page_level_times"
    # the same times in another order say nothing about pages
    assert (
        fit_response_times(
            np.arange(300),
            np.arange(300) // 60,
            np.random.default_rng(1).permutation(page.reshape(5, 60), axis=1).ravel(),
        ).n_judgments.tolist()
        == [1] * 300
    )


def test_a_drifting_annotator_is_said():
    item, annotator, times, _, _ = simulate()
    position = np.empty(item.size)
    for j in range(30):
        own = np.flatnonzero(annotator == j)
        position[np.random.default_rng(j).permutation(own)] = np.arange(1, own.size + 1)
    times = np.where(annotator == 7, times * position**-0.8, times)
    fit = fit_response_times(item, annotator, times, position=position)
    assert "drifting_times" in names(fit)


def test_a_shift_is_taken_off():
    item, annotator, times, _, _ = simulate()
    shifted = fit_response_times(item, annotator, times + 250, shift_ms=250)
    np.testing.assert_allclose(shifted.item_effect, fit_response_times(item, annotator, times).item_effect, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"response_ms": [0.0, 500.0]}, "response_ms_not_positive"),
        ({"response_ms": [-3.0, 500.0]}, "response_ms_not_positive"),
        ({"response_ms": [-np.inf, 500.0]}, "response_ms_not_positive"),
        ({"response_ms": [np.inf, 500.0]}, "infinite_response_ms"),
        ({"response_ms": [[400.0, 500.0]]}, "length_mismatch"),
        ({"response_ms": ["fast", "slow"]}, "not_numbers"),
        ({"response_ms": [500.0]}, "length_mismatch"),
        ({"item": [0, -1]}, "code_out_of_range"),
        ({"item": [0, 7], "n_items": 5}, "code_out_of_range"),
        ({"item": [[0, 1]]}, "not_one_dimensional"),
        ({"item": ["cat", "dog"]}, "not_codes"),
        ({"item": [0, np.nan]}, "not_codes"),
        ({"item": [0, 1, 2]}, "length_mismatch"),
        ({"annotator": [0]}, "length_mismatch"),
        ({"annotator": [0, -2]}, "code_out_of_range"),
        ({"annotator": [0.5, 1.0]}, "not_codes"),
        ({"position": [1]}, "length_mismatch"),
        ({"position": [0, 1]}, "position_out_of_range"),
        ({"position": [np.nan, 1]}, "position_out_of_range"),
        ({"position": [np.inf, 1]}, "position_out_of_range"),
        ({"position": ["first", "second"]}, "not_numbers"),
        ({"session": [0, 1]}, "session_without_position"),
        ({"session": [0], "position": [1, 2]}, "length_mismatch"),
        ({"session": [0, -1], "position": [1, 2]}, "code_out_of_range"),
        ({"label": [1]}, "length_mismatch"),
        ({"label": [0.5, 1.0]}, "not_codes"),
        ({"censored_at_ms": [1.0]}, "length_mismatch"),
        ({"censored_at_ms": 0.0}, "bound_not_positive"),
        ({"shift_ms": 450.0}, "shift_out_of_range"),
    ],
)
def test_bad_input_is_refused_by_name(change, name):
    arguments = {"item": [0, 1], "annotator": [0, 0], "response_ms": [400.0, 500.0]} | change
    with pytest.raises(BadTrials) as error:
        fit_response_times(**arguments)
    assert error.value.name == name
    assert str(error.value).startswith(f"{name}: ")


def test_two_answers_of_an_annotator_to_one_item_are_two_judgments_and_are_said():
    item, annotator, times, _, _ = simulate(2, per_item=3)
    once = fit_response_times(item, annotator, times)
    fit = fit_response_times(np.append(item, item[0]), np.append(annotator, annotator[0]), np.append(times, times[0]))
    assert fit.n_judgments[item[0]] == once.n_judgments[item[0]] + 1
    assert "repeated_judgments" in names(fit)
    assert "repeated_judgments" not in names(once)
    assert fit.item_se[item[0]] < once.item_se[item[0]]


def test_a_missing_time_is_a_censored_trial_and_milliseconds_of_hours_are_said():
    item, annotator, times, _, _ = simulate(2)
    fit = fit_response_times(item, annotator, np.where(np.arange(times.size) % 50 == 0, np.nan, times))
    assert fit.n_censored.sum() == times.size // 50
    assert "times_too_long" in names(fit_response_times(item, annotator, np.where(annotator == 5, times * 1e4, times)))


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
