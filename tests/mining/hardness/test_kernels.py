"""The compiled passes against what they stand for in NumPy and SciPy."""

import itertools

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import rankdata

from mining.hardness import _kernels, _label_prior
from mining.hardness._label_prior import read_answers, wrong_answer_effect
from mining.hardness._layout import Parts


@pytest.mark.parametrize("n", [0, 1, 2, 39, 40, 41, 300, 5000])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sort_of_digits_is_a_stable_sort(n, dtype):
    rng = np.random.default_rng(n)
    for values in (rng.normal(size=n), np.round(rng.normal(size=n), 1) + 0.0, -np.exp(20 * rng.normal(size=n))):
        values = values.astype(dtype).astype(np.float64)
        by_sort, places = values.copy(), np.arange(n, dtype=np.int32)
        _kernels.sort_with_places(by_sort, places, n)
        order = np.argsort(values, kind="stable")
        np.testing.assert_array_equal(by_sort, values[order])
        np.testing.assert_array_equal(places, order)


@pytest.mark.parametrize("n", [1, 2, 7, 25, 26, 1000])
def test_normal_scores_are_quantiles_of_ranks(n):
    np.testing.assert_allclose(_kernels.normal_scores(n), ndtri((np.arange(1, n + 1) - 0.375) / (n + 0.25)), atol=1e-8)


def test_rank_scores_share_ties_and_put_bounds_between_times():
    rng = np.random.default_rng(0)
    sizes = [0, 5, 400]
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    times = np.round(rng.normal(size=405), 1)
    item = np.arange(405, dtype=np.int32)
    score = np.empty(405)
    _kernels.score_by_rank(0, 3, offsets, item, times, score)
    for lo, hi in itertools.pairwise(offsets):
        n = hi - lo
        expected = ndtri((rankdata(times[lo:hi]) - 0.375) / (n + 0.25)) if n else np.zeros(0)
        np.testing.assert_allclose(score[lo:hi], expected, atol=1e-8)
    # of five trials one has a bound of 2.5 s and one a bound that tells nothing
    times, item = np.array([1.0, 2.5, 2.0, -40.0, 3.0]), np.array([0, ~1, 2, ~3, 4], np.int32)
    score = np.empty(5)
    _kernels.score_by_rank(0, 1, np.array([0, 5]), item, times, score)
    np.testing.assert_allclose(score, [*ndtri((np.array([1, 2.5, 2]) - 0.375) / 4.25), -40, ndtri(2.625 / 4.25)])


def test_answers_are_counted_alike_in_a_table_and_in_rows(monkeypatch):
    rng = np.random.default_rng(1)
    item, label = rng.integers(0, 50, 2000), rng.integers(-1, 6, 2000)
    label[label == 3] = 4
    label[item == 7] = -1
    table = read_answers(item, label, 50)
    monkeypatch.setattr(_label_prior, "FEWEST_TRIALS_A_CELL", 100)
    rows = read_answers(item, label, 50)
    np.testing.assert_array_equal(table.plurality, rows.plurality)
    np.testing.assert_array_equal(table.disagreement, rows.disagreement)
    np.testing.assert_array_equal(table.share.toarray(), rows.share.toarray())
    counts = np.array([np.bincount(label[(item == i) & (label >= 0)], minlength=6) for i in range(50)])
    np.testing.assert_array_equal(table.plurality, np.where(counts.any(axis=1), counts.argmax(axis=1), -1))
    np.testing.assert_allclose(table.share.toarray(), counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def test_wrong_answers_are_compared_within_items_and_annotators():
    rng = np.random.default_rng(2)
    item, annotator, label = rng.integers(0, 40, 3000), rng.integers(0, 9, 3000), rng.integers(0, 3, 3000)
    label[rng.random(3000) < 0.6] = 0
    answers = read_answers(item, label, 40)
    y = rng.normal(0, 0.3, 3000) + rng.normal(size=9)[annotator] + 0.5 * (label != answers.plurality[item])
    times = 1000 * np.exp(y)
    times[::17], label[::19] = np.nan, -1
    use = ~np.isnan(times) & (label >= 0)
    i, j, y, wrong = item[use], annotator[use], y[use], (label != answers.plurality[item])[use].astype(float)
    y = y - (np.bincount(j, y) / np.bincount(j))[j]
    wrong -= (np.bincount(i, wrong) / np.bincount(i))[i]
    for n_parts in (1, 4):
        parts = Parts(3000)
        parts.n_parts = n_parts
        found = wrong_answer_effect(item, annotator, times, label, answers, parts)
        assert found == pytest.approx(wrong @ y / (wrong @ wrong), rel=1e-9)
    assert found == pytest.approx(0.5, abs=0.05)
