"""Intervals over people from a sample of items: the spread for all of them is the true one."""

import numpy as np
import pytest

from mining.comparison.rank_correlation import spearman_value
from mining.comparison.sampled_people import Halves, sampled_items, spread_for_all


def test_few_trials_are_taken_whole():
    assert sampled_items(np.arange(100), np.zeros(100, dtype=int), 100, most_trials=100, seed=0) is None


def test_a_sample_has_about_the_trials_that_were_asked_for():
    item, annotator = np.repeat(np.arange(10_000), 5), np.tile(np.arange(10), 5_000)
    kept = sampled_items(item, annotator, 10_000, most_trials=10_000, seed=0)
    assert len(kept) == 2000
    assert (np.diff(kept) > 0).all()
    assert (kept == sampled_items(item, annotator, 10_000, most_trials=10_000, seed=0)).all()


def test_annotators_keep_enough_trials():
    item, annotator = np.repeat(np.arange(10_000), 5), np.arange(50_000) % 125
    # 400 trials each: half of the items leave the typical annotator 200.
    assert len(sampled_items(item, annotator, 10_000, most_trials=1_000, seed=0)) == 5000
    assert sampled_items(item, np.arange(50_000) % 500, 10_000, most_trials=1_000, seed=0) is None


def test_halves_are_halves():
    assert Halves.of(11, 0).in_first.sum() == 5


def test_what_moves_both_halves_stays_and_the_rest_shrinks():
    generator = np.random.default_rng(0)
    draws = generator.normal(0, 0.03, (20_000, 1)) + generator.normal(0, 0.1, (20_000, 2))
    assert spread_for_all(draws, 1000, 10_000) == pytest.approx(np.sqrt(0.03**2 + 0.1**2 / 10), rel=0.02)
    assert spread_for_all(draws, 1000, 500) == pytest.approx(np.sqrt(0.03**2 + 0.1**2), rel=0.02)
    assert spread_for_all(draws[:5], 1000, 10_000) is None


def test_the_spread_is_that_of_really_asking_others():
    """Annotators who see 4,000 items each with a slant of their own; the sample has 400 of the items."""
    n_items, n_people, n_kept = 4000, 12, 400
    truth, slant = (np.random.default_rng(9).normal(size=n_items) for _ in range(2))

    def ratings(generator):
        return (
            truth + 1.5 * generator.normal(size=(n_people, 1)) * slant + 2 * generator.normal(size=(n_people, n_items))
        )

    real = [spearman_value(ratings(np.random.default_rng(seed)).mean(axis=0), truth) for seed in range(200)]
    generator = np.random.default_rng(1)
    found = []
    for seed in range(8):
        seen = ratings(np.random.default_rng(1000 + seed))[:, :n_kept]
        halves = Halves.of(n_kept, seed)
        draws = np.empty((60, 2))
        for number in range(60):
            score = seen[generator.integers(0, n_people, n_people)].mean(axis=0)
            items = generator.integers(0, n_kept, n_kept)
            for place, half in enumerate((halves.in_first, ~halves.in_first)):
                part = items[half[items]]
                draws[number, place] = spearman_value(score[part], truth[:n_kept][part])
        found.append(spread_for_all(draws, n_kept // 2, n_items))
    assert np.mean(found) == pytest.approx(np.std(real), rel=0.5)
