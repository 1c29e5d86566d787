"""Synthetic annotators: what is put in can be found again in what comes out."""

from __future__ import annotations

import numpy as np
import pytest

from annotations.simulation import SyntheticAnnotator, difficulty_from_features, make_annotators, simulate

RNG = np.random.default_rng(7)
DIFFICULTY = RNG.normal(size=400)
TRUTH = RNG.integers(0, 3, 400)
RIVAL = (TRUTH + 1) % 3


def trials(annotators, **options):
    return simulate(difficulty=DIFFICULTY, truth=TRUTH, rival=RIVAL, annotators=annotators, **options)


def test_the_same_seed_gives_the_same_trials_and_another_gives_others() -> None:
    first, again, other = (trials(make_annotators(3), seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.response_ms, again.response_ms) and np.array_equal(first.label, again.label)
    assert not np.array_equal(first.response_ms, other.response_ms)


def test_an_annotator_does_not_change_with_the_company() -> None:
    alone, together = trials(make_annotators(1)), trials(make_annotators(4))
    assert np.array_equal(alone.response_ms, together.response_ms[together.annotator == 0])


def test_each_item_is_judged_once_by_each_in_an_order_of_their_own() -> None:
    found = trials(make_annotators(2), judged=np.arange(50))
    for annotator in (0, 1):
        mine = found.annotator == annotator
        assert sorted(found.item[mine]) == list(range(50))
        assert list(found.position[mine]) == list(range(1, 51))
    assert list(found.item[:50]) != list(found.item[50:])


def test_difficulty_slowness_and_practice_are_in_the_times() -> None:
    quiet = {"noise_sd": 0.05, "lapse_rate": 0.0}
    found = trials([SyntheticAnnotator("a", **quiet), SyntheticAnnotator("b", slowness=0.5, **quiet)], time_sd=0.4)
    log_ms = np.log(found.response_ms)
    a, b = found.annotator == 0, found.annotator == 1
    late = found.position > 200
    slope, intercept = np.polyfit(DIFFICULTY[found.item[a & late]], log_ms[a & late], 1)
    assert slope == pytest.approx(0.4, abs=0.02)
    assert intercept == pytest.approx(np.log(900), abs=0.02)
    left = log_ms - 0.4 * DIFFICULTY[found.item]
    assert (left[b & late]).mean() - (left[a & late]).mean() == pytest.approx(0.5, abs=0.02)
    assert left[a & (found.position <= 5)].mean() - left[a & late].mean() == pytest.approx(0.3, abs=0.06)


def test_errors_grow_with_difficulty_and_go_to_the_rival() -> None:
    found = trials(make_annotators(20, seed=3))
    wrong = found.label != TRUTH[found.item]
    assert np.array_equal(found.label[wrong], RIVAL[found.item[wrong]])
    hard, easy = DIFFICULTY[found.item] > 1, DIFFICULTY[found.item] < -1
    assert wrong[easy].mean() < 0.03 < wrong[hard].mean()


def test_lapses_are_as_frequent_as_said_and_long() -> None:
    found = trials([SyntheticAnnotator("a", lapse_rate=0.25)], time_sd=0.0)
    assert found.lapsed.mean() == pytest.approx(0.25, abs=0.06)
    assert np.median(found.response_ms[found.lapsed]) > 3 * np.median(found.response_ms[~found.lapsed])


def test_shapes_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValueError, match=r"difficulty \(400,\), truth \(3,\)"):
        simulate(difficulty=DIFFICULTY, truth=TRUTH[:3], rival=RIVAL, annotators=make_annotators(1))
    assert len(trials([]).item) == 0


def test_difficulty_comes_from_how_close_an_item_is_to_another_class() -> None:
    features = np.array([[0.0], [0.1], [0.9], [2.0], [2.1], [1.95]])
    truth = np.array([0, 0, 0, 1, 1, 1])
    difficulty, rival = difficulty_from_features(features, truth, own_share=1.0)
    assert difficulty.argmax() == 2
    assert list(rival) == [1, 1, 1, 0, 0, 0]
    assert (difficulty.mean(), difficulty.std()) == (pytest.approx(0, abs=1e-12), pytest.approx(1))
