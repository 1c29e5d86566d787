"""Rank correlations, overlap and partial correlations against scipy, published vectors and known truth."""

import numpy as np
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from scipy import stats

from mining.comparison.intervals import bootstrap_items_and_annotators, percentile_interval
from mining.comparison.overlap import overlap_at, rank_biased_overlap
from mining.comparison.partial import partial_spearman
from mining.comparison.rank_correlation import (
    MOST_ITEMS_BY_PAIRS,
    PAIRS_AT_A_TIME,
    kendall,
    mean_ranks,
    spearman,
    spearman_value,
    taus,
    tied_share,
)
from mining.comparison.within_between import within_and_between


@settings(max_examples=50, deadline=None)
@for_all(st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=4, max_size=60))
def test_values_are_scipys_ties_and_all(pairs):
    x, y = np.array(pairs, dtype=float).T
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert spearman(x, y, n_resamples=0).value is None
        return
    assert spearman(x, y, n_resamples=0).value == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    assert kendall(x, y, n_resamples=0).value == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-12)
    np.testing.assert_allclose(mean_ranks(x), stats.rankdata(x))


@pytest.mark.parametrize("n", [2, 17, MOST_ITEMS_BY_PAIRS, MOST_ITEMS_BY_PAIRS + 1])
def test_taus_of_many_resamples_are_scipys(n):
    generator = np.random.default_rng(n)
    m = PAIRS_AT_A_TIME // n**2 + 3 if n > 2 else 9  # more than one turn
    x, y = generator.integers(0, max(n // 3, 2), (m, n)), generator.integers(0, n, (m, n))
    x[0] = 1  # nothing to tell apart
    by_scipy = [stats.kendalltau(*pair).statistic for pair in zip(x[:20], y[:20], strict=True)]
    found = taus(x, y)
    assert found.shape == (m,) and np.isnan(found[0])
    np.testing.assert_allclose(found[:20], by_scipy, atol=1e-12)
    np.testing.assert_allclose(found[-2:], [stats.kendalltau(x[k], y[k]).statistic for k in (-2, -1)], atol=1e-12)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    truth = 6 / np.pi * np.arcsin(0.5 / 2)
    generator = np.random.default_rng(0)
    covered = 0
    for trial in range(120):
        pair = generator.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=150)
        estimate = spearman(pair[:, 0], pair[:, 1], n_resamples=200, seed=trial)
        covered += estimate.low <= truth <= estimate.high
    assert 0.88 <= covered / 120 <= 0.99


def test_unknown_items_do_not_count_and_reasons_are_given():
    x = np.array([1.0, 2.0, np.nan, 4.0, 5.0])
    estimate = spearman(x, [2.0, 1.0, 9.0, 3.0, np.nan])
    assert estimate.n == 3 and estimate.value == pytest.approx(0.5)
    assert "first score is the same" in spearman(np.ones(9), np.arange(9)).reason
    assert "second score is the same" in kendall(np.arange(9), np.ones(9)).reason
    assert spearman([1.0, 2.0], [1.0, 2.0]).reason == "only 2 items have both scores; 3 are needed"
    assert np.isnan(spearman_value([1.0], [2.0]))
    with pytest.raises(ValueError, match=r"both must be \(n,\)"):
        spearman([1, 2, 3], [1, 2])


def test_same_seed_same_interval():
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(2, 80))
    assert spearman(x, y) == spearman(x, y)
    assert spearman(x, y).low < spearman(x, y).value < spearman(x, y).high


def test_the_interval_of_many_items_comes_from_fewer_and_is_as_wide(monkeypatch):
    pair = np.random.default_rng(0).multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=4000)
    whole = spearman(*pair.T)
    monkeypatch.setattr("mining.comparison.rank_correlation.MOST_ITEMS_A_RESAMPLE", 1000)
    fewer = spearman(*pair.T)
    assert fewer.value == whole.value
    assert fewer.high - fewer.low == pytest.approx(whole.high - whole.low, rel=0.15)


def test_tied_share():
    assert tied_share([1, 1, 2, 3, np.nan]) == 0.5
    assert tied_share([]) == 0.0


def test_overlap_beside_its_chance():
    x = np.arange(10.0)
    assert overlap_at(x, x, 3).share == 1.0
    opposite = overlap_at(x, -x, 3)
    assert (opposite.share, opposite.chance) == (0.0, 0.3)
    assert overlap_at(x, x, 99).k == 10
    assert np.isnan(overlap_at([], [], 3).share)


def test_rank_biased_overlap_by_its_definition():
    x, y = np.array([5.0, 4, 3, 2, 1]), np.array([4.0, 5, 3, 1, 2])
    agreement = [0, 1, 1, 3 / 4, 1]
    p = 0.9
    expected = (1 - p) * sum(p**d * a for d, a in enumerate(agreement)) + 1.0 * p**5
    assert rank_biased_overlap(x, y, p=p) == pytest.approx(expected, abs=1e-12)
    assert rank_biased_overlap(x, x, p=0.7) == pytest.approx(1.0)
    assert rank_biased_overlap(np.arange(100.0), -np.arange(100.0), depth=50) == 0.0
    with pytest.raises(ValueError, match="between 0 and 1"):
        rank_biased_overlap(x, y, p=1.0)


def test_between_classes_and_within_them_are_told_apart():
    generator = np.random.default_rng(0)
    group = np.repeat(np.arange(12), 30)
    level = generator.normal(size=12)[group] * 3
    split = within_and_between(level + generator.normal(size=360), level + generator.normal(size=360), group)
    assert split.between.value > 0.9 and abs(split.within.value) < 0.12
    assert split.within.low < 0 < split.within.high
    assert set(split.by_class) == set(range(12))
    few = within_and_between([1.0, 2, 3], [1.0, 2, 3], [0, 0, 1])
    assert few.within.value is None and "only 2 classes" in few.between.reason


def test_partial_with_one_number_is_the_textbook_formula():
    generator = np.random.default_rng(0)
    nuisance = generator.normal(size=300)
    x, y = nuisance + generator.normal(size=300), nuisance + generator.normal(size=300)
    rho = stats.spearmanr(np.stack([x, y, nuisance], axis=1)).statistic
    expected = (rho[0, 1] - rho[0, 2] * rho[1, 2]) / np.sqrt((1 - rho[0, 2] ** 2) * (1 - rho[1, 2] ** 2))
    estimate = partial_spearman(x, y, numbers=[nuisance])
    assert estimate.value == pytest.approx(expected, abs=1e-12)
    assert estimate.low < estimate.value < estimate.high
    assert spearman(x, y).value > 0.4 > abs(estimate.value)


def test_partial_takes_out_classes_and_says_when_nothing_is_left():
    generator = np.random.default_rng(1)
    group = np.repeat(np.arange(5), 60)
    level = generator.normal(size=5)[group] * 4
    x, y = level + generator.normal(size=300), level + generator.normal(size=300)
    assert abs(partial_spearman(x, y, categories=[group]).value) < 0.15
    assert "nuisances explain all" in partial_spearman(x, y, numbers=[x]).reason
    assert "too few" in partial_spearman([1.0, 2, 3], [1.0, 2, 3]).reason


def test_resampling_annotators_counts_who_was_asked():
    generator = np.random.default_rng(0)
    item, annotator = np.tile(np.arange(50), 6), np.repeat(np.arange(6), 50)
    value = generator.normal(size=300) + 2.0 * generator.normal(size=6)[annotator]

    def score(trials):
        return np.bincount(item[trials], weights=value[trials], minlength=50) / np.bincount(item[trials], minlength=50)

    draws = bootstrap_items_and_annotators(
        item, annotator, 50, score, lambda scores, items: scores[items].mean(), n_resamples=300
    )
    # Six annotators who differ by 2: the mean is uncertain by 2 / sqrt 6, not by the items' 1 / sqrt 50.
    assert 0.4 < draws.std() < 1.4
    assert percentile_interval([1.0, 2.0]) == (None, None)
