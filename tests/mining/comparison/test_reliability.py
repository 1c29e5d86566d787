"""Reliability, attenuation and quadrants: known truth from simulation."""

from itertools import combinations

import numpy as np
import pytest

from mining.comparison.attenuation import disattenuate
from mining.comparison.quadrants import QUADRANT_TITLES, QUADRANTS, quadrants
from mining.comparison.rank_correlation import spearman_value
from mining.comparison.reliability import first_halves, spearman_brown, split_half_reliability


def _mean_log(item, annotator, response_ms, label, n_items):
    known = ~np.isnan(response_ms)
    count = np.bincount(item[known], minlength=n_items)
    total = np.bincount(item[known], weights=np.log(response_ms[known]), minlength=n_items)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _trials(n_items, n_annotators, noise, seed=0):
    generator = np.random.default_rng(seed)
    truth = generator.normal(size=n_items)
    item, annotator = np.tile(np.arange(n_items), n_annotators), np.repeat(np.arange(n_annotators), n_items)
    times = np.exp(6.5 + 0.3 * (truth[item] + noise * generator.normal(size=len(item))))
    return truth, item, annotator, times, np.zeros(len(item), dtype=int)


def test_split_half_finds_the_known_reliability():
    _, *trials = _trials(800, 10, noise=2.0)
    found = split_half_reliability(*trials, score=_mean_log, n_items=800, n_splits=40)
    # Variance 1 of the truth against 4 / 10 of the mean's noise; rank correlations lie a little lower.
    assert found.reliability == pytest.approx(1 / 1.4, abs=0.03)
    assert found.low <= found.reliability <= found.high
    assert (found.n_annotators, found.n_splits) == (10, 40)


@pytest.mark.parametrize(
    ("n_annotators", "halves"),
    [
        (2, [{0}]),
        (3, [{0}, {1}, {2}]),
        (4, [{0, 1}, {0, 2}, {0, 3}]),
        (5, [{0, 1}, {0, 2}, {0, 3}, {0, 4}, {1, 2}, {1, 3}, {1, 4}, {2, 3}, {2, 4}, {3, 4}]),
    ],
)
def test_few_annotators_are_parted_in_every_way_once(n_annotators, halves):
    assert [set(half.tolist()) for half in first_halves(np.arange(n_annotators), 10)] == halves


def test_many_annotators_are_parted_at_random():
    assert len(list(first_halves(np.arange(8), 35))) == 35
    drawn = [tuple(sorted(half)) for half in first_halves(np.arange(10), 100, seed=1)]
    assert len(drawn) == 100 and {len(set(half)) for half in drawn} == {5}
    assert 50 < len(set(drawn)) < 100  # of 252


def test_every_way_is_the_mean_that_random_ways_come_to():
    _, *trials = _trials(60, 5, noise=2.0)
    every = split_half_reliability(*trials, score=_mean_log, n_items=60)
    assert every.n_splits == 10
    by_hand = [
        spearman_value(*(_mean_log(*(column[half] for column in trials), 60) for half in (first, ~first)))
        for first in (np.isin(trials[1], chosen) for chosen in combinations(range(5), 2))
    ]
    assert every.half == pytest.approx(np.mean(by_hand))


def test_spearman_brown_by_hand():
    assert float(spearman_brown(0.5)) == pytest.approx(2 / 3)
    assert float(spearman_brown(0.5, factor=4)) == pytest.approx(0.8)


def test_no_reliability_without_two_annotators_or_common_items():
    _, *trials = _trials(20, 1, noise=1.0)
    assert "two annotators" in split_half_reliability(*trials, score=_mean_log, n_items=20).reason
    item, annotator = np.arange(10), np.arange(10) % 2
    lonely = split_half_reliability(item, annotator, np.ones(10), annotator, score=_mean_log, n_items=10)
    assert lonely.reliability is None and "share too few" in lonely.reason


def test_correction_recovers_the_correlation_without_noise():
    truth, *trials = _trials(3000, 6, noise=2.0)
    score = _mean_log(*trials, 3000)
    measured = spearman_value(score, truth)
    reliability = split_half_reliability(*trials, score=_mean_log, n_items=3000, n_splits=20).reliability
    corrected = disattenuate(measured, reliability)
    assert measured < 0.8 and corrected.value == pytest.approx(1.0, abs=0.03)
    assert corrected.ceiling == pytest.approx(np.sqrt(reliability))


def test_more_than_one_is_shown_and_not_clipped():
    corrected = disattenuate(0.6, 0.25, 0.5, interval=(0.5, 0.7))
    assert corrected.value == pytest.approx(0.6 / np.sqrt(0.125))
    assert corrected.exceeds_one
    assert (corrected.low, corrected.high) == pytest.approx((0.5 / np.sqrt(0.125), 0.7 / np.sqrt(0.125)))


def test_the_interval_counts_the_reliabilities_too():
    generator = np.random.default_rng(0)
    draws = np.c_[generator.normal(0.4, 0.02, 2000), generator.normal(0.5, 0.1, 2000), np.ones(2000)]
    wide = disattenuate(0.4, 0.5, draws=draws)
    narrow = disattenuate(0.4, 0.5, interval=(0.36, 0.44))
    assert wide.high - wide.low > narrow.high - narrow.low


def test_what_cannot_be_corrected_says_why():
    assert "correlation is not known" in disattenuate(None, 0.5).reason
    assert "reliability of the first score is not known" in disattenuate(0.3, None).reason
    assert (
        disattenuate(0.3, 0.5, -0.1).reason == "the reliability of the second score is -0.10: it measures nothing yet"
    )


def test_quadrants_by_hand():
    people = np.array([1.0, 9.0, 8.0, 2.0, np.nan, 5.0])
    model = np.array([1.0, 8.0, 2.0, 9.0, 9.0, 5.0])
    parted = quadrants(people, model)
    assert (parted.people_cut, parted.model_cut) == (5.0, 5.0)
    assert {name: rows.tolist() for name, rows in parted.members.items()} == {
        "both_hard": [1],
        "people_only": [2],
        "model_only": [3],
        "both_easy": [0, 5],
    }
    assert parted.counts()["both_easy"] == 2
    assert set(QUADRANT_TITLES) == set(QUADRANTS)


def test_quadrants_of_nothing_are_empty():
    parted = quadrants([np.nan], [1.0])
    assert set(parted.counts().values()) == {0}
    with pytest.raises(ValueError, match=r"both must be \(n,\)"):
        quadrants([1.0], [1.0, 2.0])
