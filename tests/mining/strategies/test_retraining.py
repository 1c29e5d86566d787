"""Retraining says better, worse or neither, and is right about it."""

import dataclasses

import numpy as np
import pytest

from mining.learners.catalogue import get_learner
from mining.learners.errors import Cancelled, LearnerError
from mining.strategies.quality import expected_calibration_error, measure_quality
from mining.strategies.retraining import (
    ARMS,
    BETTER,
    NO_DIFFERENCE,
    WORSE,
    overall_verdict,
    paired_difference,
    random_control,
    retraining_experiment,
)


@pytest.fixture(scope="module")
def digits():
    from sklearn.datasets import load_digits

    data = load_digits()
    heldout = np.random.default_rng(0).random(len(data.target)) < 0.3
    return data.data, data.target, heldout


def test_weighing_wrong_labels_is_worse(digits):
    features, truth, heldout = digits
    generator = np.random.default_rng(1)
    wrong = ~heldout & (generator.random(len(truth)) < 0.2)
    given = np.where(wrong, (truth + generator.integers(1, 10, len(truth))) % 10, truth)
    result = retraining_experiment(
        features,
        given,
        train=~heldout,
        heldout=heldout,
        hard=np.flatnonzero(wrong),
        learner=get_learner("logistic"),
        n_classes=10,
        seeds=(0, 1),
        weight=5.0,
    )
    assert result.verdict == WORSE
    assert result.hard_minus_baseline.high < 0
    assert result.arms["random_control"].accuracy > result.arms["hard_set"].accuracy + 0.03


def test_new_items_of_a_class_that_was_missing_are_better(digits):
    features, truth, heldout = digits
    few = (
        ~heldout & ((truth != 3) | (np.arange(len(truth)) % 40 == 0)) & ((truth == 3) | (np.arange(len(truth)) % 4 < 3))
    )
    hard = np.flatnonzero(~heldout & ~few & (truth == 3))[:90]
    result = retraining_experiment(
        features,
        truth,
        train=few,
        heldout=heldout,
        hard=hard,
        learner=get_learner("logistic"),
        n_classes=10,
        seeds=(0, 1, 2),
        weight=1.0,
    )
    assert result.arms["baseline"].worst_class == 3
    assert result.hard_minus_baseline.verdict == BETTER
    assert result.arms["hard_set"].worst_recall > result.arms["baseline"].worst_recall + 0.2
    assert (result.n_hard, result.n_test, result.n_seeds) == (len(hard), int(heldout.sum()), 3)


def test_random_items_make_no_difference(digits):
    features, truth, heldout = digits
    hard = np.random.default_rng(5).choice(np.flatnonzero(~heldout), 120, replace=False)
    seen = []
    result = retraining_experiment(
        features,
        truth,
        train=~heldout,
        heldout=heldout,
        hard=hard,
        learner=get_learner("logistic"),
        n_classes=10,
        seeds=(0, 1),
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert result.verdict == NO_DIFFERENCE
    assert seen[-1] == (6, 6) and len(seen) == 6
    assert set(result.arms) == set(ARMS)


def test_copies_of_an_item_calibrate_no_model_that_saw_it():
    generator = np.random.default_rng(0)
    given = np.arange(150) % 2
    features = np.c_[np.arange(150.0), generator.normal(size=(150, 3)) + given[:, None]]
    learner = get_learner("hog_svm")
    seen = []

    def watched(data):
        seen.append(data.features[:, 0])
        return learner.train(data)

    retraining_experiment(
        features, given, train=np.arange(150) < 90, heldout=np.arange(150) >= 90, hard=np.arange(30),
        learner=dataclasses.replace(learner, train=watched), n_classes=2, seeds=(0,), oversample=True,
    )  # fmt: skip
    whole, *inner = seen[4:8]  # the arm of the hard set: one model on all, three to calibrate it
    assert (len(whole), len(inner)) == (90 + 2 * 30, 3)
    for row in range(90):
        times = [int((one == row).sum()) for one in inner]
        assert sorted(times) == ([0, 3, 3] if row < 30 else [0, 1, 1])


def test_several_sets_share_one_baseline_and_come_out_the_same():
    features, given = _blobs()
    learner, trained = get_learner("logistic"), []

    def watched(data):
        trained.append(data.seed)
        return learner.train(data)

    settings = {
        "train": np.arange(120) < 80, "heldout": np.arange(120) >= 80, "n_classes": 2, "seeds": (5, 6),
        "learner": dataclasses.replace(learner, train=watched),
    }  # fmt: skip
    alone = [retraining_experiment(features, given, hard=np.arange(n), **settings) for n in (20, 40)]
    assert trained == [5, 5, 5, 6, 6, 6] * 2
    trained.clear()
    shared = {}
    together = [
        retraining_experiment(features, given, hard=np.arange(n), baselines=shared, **settings) for n in (20, 40)
    ]
    assert trained == [5, 5, 5, 6, 6, 6, 5, 5, 6, 6]
    assert repr(together) == repr(alone)


def test_the_control_is_as_large_and_comes_from_the_same_places():
    train = np.arange(100) < 60
    barred = np.arange(100) >= 90
    codes = np.zeros(100, dtype=int)
    hard = np.r_[np.arange(10), np.arange(60, 75)]
    control = random_control(hard, train, barred, codes, seed=3)
    assert len(np.unique(control)) == 25 and (control < 60).sum() == 10 and (control < 90).all()
    np.testing.assert_array_equal(control, random_control(hard, train, barred, codes, seed=3))
    assert not np.array_equal(control, random_control(hard, train, barred, codes, seed=4))


def _blobs():
    generator = np.random.default_rng(0)
    given = np.arange(120) % 2
    return generator.normal(size=(120, 3)) + given[:, None], given


@pytest.mark.parametrize(
    ("hard", "heldout", "message"),
    [
        ([], slice(80, 120), "hard set holds no labelled item"),
        ([90], slice(80, 120), "1 items of the hard set are in the held-out test"),
        ([3], slice(70, 120), "10 items are in the training set and in the held-out test"),
        ([3], slice(115, 120), "held-out test has 5 labelled items; at least 10"),
    ],
)
def test_what_is_no_experiment_is_refused(hard, heldout, message):
    features, given = _blobs()
    marked = np.zeros(120, dtype=bool)
    marked[heldout] = True
    with pytest.raises(LearnerError, match=message):
        retraining_experiment(
            features,
            given,
            train=np.arange(120) < 80,
            heldout=marked,
            hard=hard,
            learner=get_learner("logistic"),
            n_classes=2,
        )


def test_a_test_without_a_class_and_a_cancel():
    features, given = _blobs()
    settings = {
        "train": np.arange(120) < 80,
        "heldout": np.arange(120) >= 80,
        "hard": [1, 2],
        "learner": get_learner("logistic"),
        "n_classes": 3,
    }
    result = retraining_experiment(features, given, seeds=(0,), **settings)
    assert result.warnings == ("the held-out test has no item of class 2: nothing is known of it",)
    assert np.isnan(result.arms["baseline"].recall_by_class[2])

    def stop(done, total):
        raise Cancelled

    with pytest.raises(Cancelled):
        retraining_experiment(features, given, on_progress=stop, **settings)


def test_verdicts_of_two_comparisons():
    assert overall_verdict(BETTER, BETTER) == BETTER
    assert overall_verdict(BETTER, NO_DIFFERENCE) == NO_DIFFERENCE
    assert overall_verdict(BETTER, WORSE) == NO_DIFFERENCE
    assert overall_verdict(NO_DIFFERENCE, WORSE) == WORSE
    assert overall_verdict(WORSE, BETTER) == WORSE


def test_an_interval_that_holds_zero_is_no_improvement():
    generator = np.random.default_rng(0)
    wrongly = 0
    for trial in range(60):
        first, second = (generator.random((2, 3, 200)) < 0.8).astype(float)
        wrongly += paired_difference(first, second, n_resamples=300, seed=trial).verdict != NO_DIFFERENCE
    assert wrongly <= 8


def test_quality_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
    quality = measure_quality(probabilities, np.array([0, 0, 1, 1]))
    assert quality.accuracy == 0.75
    assert quality.recall_by_class.tolist() == [1.0, 0.5]
    assert (quality.worst_class, quality.worst_recall) == (1, 0.5)
    # Four bins of one item: |1 - .9|, |1 - .8|, |1 - .7|, |0 - .6|.
    assert quality.calibration_error == pytest.approx((0.1 + 0.2 + 0.3 + 0.6) / 4)
    assert expected_calibration_error(np.array([[1.0, 0.0]] * 4), np.array([0, 0, 0, 0])) == 0.0
