"""Awkward designs: an estimate that makes sense, and the words that go with it."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from mining.hardness.timing import fit_response_times

from .simulated_trials import names, simulate


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
    assert mixed.warnings[0].message.startswith("Annotator 3 typically answers within 1 ms")
    assert "look like seconds" in mixed.warnings[0].message
    quick = fit_response_times(item, annotator, np.where(annotator == 3, times / 20, times))
    assert "nobody sees and answers an image so fast; another unit was imported" in quick.warnings[0].message
    several = fit_response_times(item, annotator, np.where(annotator < 2, times / 1000, times))
    assert several.warnings[0].message.startswith("2 annotators (first: 0) typically answer within")
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


@pytest.mark.parametrize(("n_annotators", "per_item"), [(4, 4), (30, 6)])
def test_a_drifting_annotator_is_said_and_nobody_else(n_annotators, per_item):
    item, annotator, times, _, _ = simulate(n_annotators=n_annotators, per_item=per_item)
    position = np.empty(item.size)
    for j in range(n_annotators):
        own = np.flatnonzero(annotator == j)
        position[np.random.default_rng(j).permutation(own)] = np.arange(1, own.size + 1)
    times = np.where(annotator == 3, times * position**-1.0, times)
    fit = fit_response_times(item, annotator, times, position=position)
    said = next(caution.message for caution in fit.warnings if caution.name == "drifting_times")
    assert said.startswith("Annotator 3 changes in speed more than 3-fold")


def crowd_in_moods(seed, n_annotators=10, n_each=40):
    """Nobody drifts, but attention comes and goes (a fifth of the noise) and people learn differently."""
    rng = np.random.default_rng(seed)
    item = np.concatenate([rng.permutation(100)[:n_each] for _ in range(n_annotators)])
    annotator = np.repeat(np.arange(n_annotators), n_each)
    position = np.tile(np.arange(1, n_each + 1), n_annotators)
    mood, left = np.empty(item.size), np.exp(-1 / 20)
    for t in range(item.size):
        kept = 0.0 if position[t] == 1 else left
        mood[t] = kept * mood[t - 1] + np.sqrt(1 - kept**2) * rng.standard_normal()
    noise = np.sqrt(0.2) * mood + np.sqrt(0.8) * rng.standard_normal(item.size)
    learning = rng.normal(-0.1, 0.05, n_annotators)
    y = 7 + rng.normal(0, 0.25, 100)[item] + rng.uniform(0.3, 0.7, n_annotators)[annotator] * noise
    return item, annotator, np.exp(y + learning[annotator] * np.log(position)), position


def test_nobody_is_said_to_drift_where_all_slopes_scatter():
    named = 0
    for seed in range(40):
        item, annotator, times, position = crowd_in_moods(seed)
        named += "drifting_times" in names(fit_response_times(item, annotator, times, position=position))
    assert named <= 2  # one crowd in twenty


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


@pytest.mark.parametrize("seed", range(4))
def test_a_time_limit_is_known_by_the_items_on_which_it_was_met(seed):
    rng = np.random.default_rng(seed)
    item, annotator, _, b, _ = simulate(seed, n_annotators=5, per_item=4, item_sd=0.5)
    # ex-Gaussian times: their longest are longer than those of a normal distribution that is cut off
    times = 450 + 100 * b[item] + 50 * rng.standard_normal(item.size)
    times += rng.exponential(150 * np.exp(1.5 * b[item]))
    limited = np.where(times > np.quantile(times, 0.96), np.nan, times)
    assert "censored_without_bound" not in names(fit_response_times(item, annotator, limited))
    lost = np.where(rng.random(item.size) < 0.1, np.nan, times)
    assert "censored_without_bound" in names(fit_response_times(item, annotator, lost))
