"""Rank scores, loads and partial pooling: what they find where the truth is known."""

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import spearmanr

from mining.hardness import _crossed, _curve, _scales, _variances
from mining.hardness._layout import Parts, lay_out
from mining.hardness.timing import fit_response_times
from mining.hardness.timing_rivals import mean_by_item, within_annotator_rank

N_ITEMS, N_ANNOTATORS = 800, 8


def ranks(seed, loads, kind="normal"):
    """Times of which an annotator's load says how much of the variance of ln times is the item's."""
    rng = np.random.default_rng(seed)
    b = rng.standard_normal(N_ITEMS)
    item, annotator = np.repeat(np.arange(N_ITEMS), N_ANNOTATORS), np.tile(np.arange(N_ANNOTATORS), N_ITEMS)
    keep = rng.permuted(np.tile(np.arange(N_ANNOTATORS) < 4, (N_ITEMS, 1)), axis=1).ravel()
    item, annotator = item[keep], annotator[keep]
    noise = {"normal": rng.standard_normal, "late": lambda n: rng.exponential(1.6, n)}[kind](item.size)
    load = np.asarray(loads)[annotator]
    y = load * b[item] + np.sqrt(1 - load**2) * noise
    stretch = np.exp(rng.normal(0, 0.8, N_ANNOTATORS))[annotator]  # so that ranks are the better scale
    return item, annotator, 1000 * np.exp(0.3 * stretch * y), b


def test_annotators_whose_times_follow_the_items_count_more():
    loads = np.array([0.2, 0.3, 0.4, 0.5, 0.5, 0.6, 0.7, 0.8])
    item, annotator, times, b = ranks(0, loads)
    fit = fit_response_times(item, annotator, times)
    assert fit.scale == "annotator SDs" and fit.converged
    assert spearmanr(fit.annotator_loading, loads)[0] > 0.9
    # partly pooled: no more spread out than they are, and not all the same
    assert 0.6 < np.polyfit(loads / loads.mean(), fit.annotator_loading, 1)[0] < 1.1
    rank = mean_by_item(item, within_annotator_rank(annotator, times), N_ITEMS)
    assert spearmanr(fit.item_effect, b)[0] > spearmanr(rank, b)[0] + 0.02


def test_equal_annotators_stay_equal():
    item, annotator, times, _ = ranks(1, np.full(8, 0.5))
    fit = fit_response_times(item, annotator, times)
    assert fit.annotator_loading == pytest.approx(np.ones(8), abs=0.12)


def test_slow_answers_count_less_where_they_have_many_causes():
    gains = []
    for seed in range(3):
        item, annotator, times, b = ranks(seed, np.full(8, 0.6), kind="late")
        fit = fit_response_times(item, annotator, times)
        assert fit.score_curve[0] < -0.1
        rank = mean_by_item(item, within_annotator_rank(annotator, times), N_ITEMS)
        gains.append(spearmanr(fit.item_effect, b)[0] - spearmanr(rank, b)[0])
    assert np.mean(gains) > 0.005


@pytest.mark.parametrize("curve", [(0.0, 0.0), (-0.42, 0.0), (0.3, -0.25), (-0.6, 0.3), (0.0, 0.4)])
def test_a_slower_answer_never_scores_lower(curve):
    z = np.linspace(-4, 4, 801)
    score = _curve.bend(z, np.array(curve))
    assert (np.diff(score) >= -1e-12).all()
    assert score[-1] > score[0]


def test_a_curve_without_bend_changes_nothing_and_has_the_spread_of_one():
    z = ndtri((np.arange(1, 4001) - 0.5) / 4000)
    np.testing.assert_allclose(_curve.bend(z, np.zeros(2)), z)
    assert _curve.bend(z, np.array([-0.3, -0.1])).std() == pytest.approx(1, abs=0.03)


def test_pooling_lets_much_evidence_stand_alone_and_little_go_together():
    rng = np.random.default_rng(0)
    same, _, _ = _variances.pool(rng.normal(2, 0.5, 200), np.full(200, 4.0), 1.0)
    assert same.std() < 0.15
    true = rng.normal(2, 1, 200)
    noisy = true + rng.normal(0, 0.5, 200)
    apart, mean, left = _variances.pool(noisy, np.full(200, 4.0), 1.0)
    assert mean == pytest.approx(2, abs=0.2)
    # with variances 1 and .25 the best estimate keeps .8 of the way from the mean
    assert np.polyfit(noisy, apart, 1)[0] == pytest.approx(0.8, abs=0.06)
    assert np.mean((apart - true) ** 2) < np.mean((noisy - true) ** 2)
    # 1 / (1 / 1 + 1 / .25)
    assert left == pytest.approx(np.full(200, 0.2), abs=0.03)


def test_pooling_one_annotator_leaves_them_alone():
    out, mean, _ = _variances.pool(np.array([1.5]), np.array([3.0]), 1.0)
    assert out.tolist() == [pytest.approx(1.5)] and mean == pytest.approx(1.5)


def foretelling(seed, n=600, gap=0.0):
    """Ranks, and two effects of 3 trials' items that foretell them with correlations about .4 and .4 + gap."""
    rng = np.random.default_rng(seed)
    item = np.arange(n) // 3
    ranks = rng.standard_normal(n)
    plain, by_rank = (r * ranks + np.sqrt(1 - r * r) * rng.standard_normal(n) for r in (0.4, 0.4 + gap))
    return ranks, plain, by_rank, item.astype(np.int32), np.arange(n) % 3


def test_the_scale_that_foretells_better_is_the_probable_one():
    assert _scales.probability_of_ranks(*foretelling(0, n=60_000, gap=0.1)) > 0.999
    assert _scales.probability_of_ranks(*foretelling(0, n=60_000, gap=-0.1)) < 0.001
    ranks, plain, _, item, annotator = foretelling(1)
    # nothing to choose between them: and no doubt about that
    assert _scales.probability_of_ranks(ranks, plain, plain, item, annotator) == pytest.approx(0.5, abs=0.01)
    few = _scales.probability_of_ranks(*foretelling(2, n=30))
    # ranks are expected to be .003 (SD .01) ahead: Phi(.3)
    assert few == pytest.approx(0.618, abs=0.05)
    unknown = np.full(ranks.size, np.nan)
    assert _scales.probability_of_ranks(ranks, unknown, unknown, item, annotator) == pytest.approx(0.618, abs=0.001)


def test_what_ranks_gain_by_foretelling_what_they_were_learnt_from_is_taken_off():
    ranks, plain, _, item, annotator = foretelling(1, n=60_000)
    each = annotator.size / np.unique(annotator).size
    # as good as the other scale, but a hundredth of that is flattery: probably worse
    assert _scales.probability_of_ranks(ranks, plain, plain, item, annotator, flattery=0.01 * each) < 0.01
    # with very many trials an annotator nothing is left of it
    assert _scales.probability_of_ranks(ranks, plain, plain, item, annotator, flattery=1e-9) > 0.49


def test_an_annotator_who_is_easy_to_foretell_does_not_speak_for_the_scale_that_trusts_the_others():
    """Two annotators judge with a third who is all noise: what counts is how well each one's own trials are told."""
    rng = np.random.default_rng(3)
    n = 30_000
    annotator, truth = np.arange(n) % 3, rng.standard_normal(n)
    validity = np.array([0.8, 0.8, 0.0])[annotator]
    ranks = validity * truth + np.sqrt(1 - validity**2) * rng.standard_normal(n)
    plain = truth + rng.standard_normal(n)
    # the same, but larger where the trial can be foretold: no better for anybody
    by_rank = plain * np.array([2.0, 2.0, 0.5])[annotator]
    share = _scales.probability_of_ranks(ranks, plain, by_rank, np.arange(n) // 3, annotator)
    assert share == pytest.approx(0.5, abs=1e-3)


def test_effects_on_two_scales_are_a_mean_in_the_unit_of_the_more_probable_one():
    class Fitted:
        def __init__(self, b):
            self.b = np.array(b)

    log, ranks = Fitted([-0.2, 0.0, 0.2]), Fitted([-1.0, 1.0, 0.0])
    on = np.ones(3, bool)
    alone = _scales.Scale("log-seconds", log, np.zeros(2))
    assert alone.effects(on).tolist() == [-0.2, 0.0, 0.2]
    both = _scales.Scale("log-seconds", log, np.zeros(2), ranks, 0.75)
    # the other scale is stretched to the spread of the first: .2 against 1
    assert both.effects(on) == pytest.approx([-0.2, 0.05, 0.15])
    level = _scales.Scale("log-seconds", log, np.zeros(2), Fitted([0.0, 0.0, 0.0]), 0.75)
    assert level.effects(on).tolist() == [-0.2, 0.0, 0.2]


def test_what_other_trials_foretell_does_not_know_the_trial():
    rng = np.random.default_rng(0)
    item, annotator = (
        np.repeat(np.arange(3000), 2),
        rng.permuted(np.tile(np.arange(6), (3000, 1)), axis=1)[:, :2].ravel(),
    )
    times = 1000 * np.exp(0.5 * rng.standard_t(3, item.size))  # the items do not differ
    layout = lay_out(item, annotator, times, np.zeros(0), [], 3000, Parts(item.size))
    state = _crossed.start(layout, layout.log_times)
    _crossed.settle(layout, state)
    state.sd_b2, state.nu = 0.2, 3.0  # shrunken little, so that it is seen; weights of heavy tails
    for _ in range(50):
        sums, _ = _crossed.sweep(layout, state)
        state.b = sums[:, 0] / (sums[:, 1] + 1 / state.sd_b2)
    foretold = _crossed.foresight(layout, state)
    assert not np.isnan(foretold).any()
    # chance is .013; weights that know the trial make it .1
    assert abs(spearmanr(foretold, layout.log_times)[0]) < 0.04


def test_an_annotator_who_often_runs_out_of_time_is_no_better_for_it():
    rng = np.random.default_rng(1)
    item, annotator, _, b = ranks(0, np.full(N_ANNOTATORS, 0.6))
    y = 0.6 * b[item] + 0.8 * rng.standard_normal(item.size)
    stretch = np.exp(rng.normal(0, 0.8, N_ANNOTATORS))[annotator]
    limit = np.where(annotator < 4, 0.7, 3.0)  # a quarter of the trials of four annotators, none of the others'
    fit = fit_response_times(item, annotator, np.where(y > limit, np.nan, 1000 * np.exp(0.3 * stretch * y)))
    assert fit.scale == "annotator SDs"
    late, early = fit.annotator_sd[:4].mean(), fit.annotator_sd[4:].mean()
    assert late == pytest.approx(early, rel=0.1)
    assert fit.annotator_loading[:4].mean() == pytest.approx(fit.annotator_loading[4:].mean(), abs=0.1)
