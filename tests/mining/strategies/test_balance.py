"""Balance of classes as an experiment: it helps where classes are unequal, and the control shows that it is balance."""

import warnings
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from mining.learners.catalogue import get_learner
from mining.learners.errors import LearnerError
from mining.learners.resampling import smote_keeping_shares
from mining.strategies.balance import BALANCE_STRATEGIES, balance_experiment
from mining.strategies.retraining import BETTER, paired_difference


@pytest.fixture(scope="module")
def unequal():
    """Two overlapping classes, nineteen to one in training and equal in the test."""
    generator = np.random.default_rng(0)
    given = np.r_[np.arange(800) % 20 == 0, np.arange(400) % 2 == 0].astype(int)
    features = generator.normal(size=(1200, 4)) + 1.5 * given[:, None] * np.eye(1, 4)
    return features, given, np.arange(1200) < 800


def seen_by(name, arm, learner, unequal):
    """Return the training sets that the learner itself gets in one arm."""
    features, given, train = unequal
    seen = []

    def watched(data):
        seen.append(data)
        return learner.train(data)

    watching = replace(learner, train=watched)
    balance_experiment(name, features, given, train=train, heldout=~train, learner=watching, n_classes=2, seeds=(3,))
    return seen[("baseline", "hard_set", "random_control").index(arm)]


@pytest.mark.parametrize("name", list(BALANCE_STRATEGIES))
def test_balance_raises_the_mean_recall_and_as_much_at_random_does_not(name, unequal):
    features, given, train = unequal
    seen = []
    found = balance_experiment(
        name, features, given, train=train, heldout=~train, learner=get_learner("logistic", c=1.0), n_classes=2,
        seeds=(0, 1), on_progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert (found.verdict, found.judged_by) == (BETTER, "mean_recall")
    assert found.hard_minus_baseline.value > 0.1
    arms = found.arms
    assert arms["hard_set"].mean_recall > arms["random_control"].mean_recall + 0.1
    assert found.hard_minus_baseline.value == pytest.approx(arms["hard_set"].mean_recall - arms["baseline"].mean_recall)
    low, high = arms["hard_set"].intervals.mean_recall
    assert low <= arms["hard_set"].mean_recall <= high
    assert (found.n_train, found.n_test, found.n_seeds, seen[-1]) == (800, 400, 2, (6, 6))


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("oversampling", {"baseline": (760, 40), "hard_set": (760, 760), "random_control": 1520}),
        ("undersampling", {"baseline": (760, 40), "hard_set": (40, 40), "random_control": 80}),
        ("smote", {"baseline": (760, 40), "hard_set": (760, 760), "random_control": (1444, 76)}),
    ],
)
def test_the_control_sees_as_many_items_in_the_shares_they_had(name, sizes, unequal):
    learner = get_learner("logistic")
    for arm, size in sizes.items():
        codes = seen_by(name, arm, learner, unequal).codes
        if isinstance(size, int):
            assert len(codes) == size
            assert 0.0 < (codes == 1).mean() < 0.12  # one in twenty, but for chance
        else:
            assert tuple(np.bincount(codes)) == size


def test_class_weights_are_dealt_at_random_in_the_control(unequal):
    learner = get_learner("logistic")
    balanced, control = (seen_by("class_weights", arm, learner, unequal) for arm in ("hard_set", "random_control"))
    assert Counter(balanced.weight.round(6)) == Counter(control.weight.round(6)) == {0.526316: 760, 10.0: 40}
    assert (balanced.weight[balanced.codes == 1] == 10.0).all()
    assert (control.weight[control.codes == 1] == 10.0).mean() < 0.5


def test_a_balance_that_the_learner_had_is_taken_out_of_the_baseline(unequal):
    learner = get_learner("logistic", class_weight="balanced", resampling="over")
    assert tuple(np.bincount(seen_by("smote", "baseline", learner, unequal).codes)) == (760, 40)
    assert seen_by("undersampling", "hard_set", learner, unequal).weight is None


@pytest.mark.parametrize("name", list(BALANCE_STRATEGIES))
def test_a_learner_that_is_calibrated_and_more_classes(name):
    generator = np.random.default_rng(1)
    given = np.repeat([0, 1, 2, 0, 1, 2], [120, 40, 9, 20, 20, 20])
    features = generator.normal(size=(len(given), 6)) + 2.0 * np.eye(3, 6)[given]
    train = np.arange(len(given)) < 169
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        found = balance_experiment(
            name, features, given, train=train, heldout=~train, learner=get_learner("hog_svm"), n_classes=3, seeds=(0,)
        )
    assert all(0.3 < arm.mean_recall <= 1.0 for arm in found.arms.values())


def test_a_class_too_small_for_smote_is_named(unequal):
    features, given, train = unequal
    codes = given.copy()
    codes[train & (given == 1)] = 0
    codes[0] = 1
    with pytest.raises(LearnerError, match="SMOTE needs two items or more in every class"):
        balance_experiment(
            "smote", features, codes, train=train, heldout=~train, learner=get_learner("logistic"), n_classes=2
        )


def test_items_are_invented_in_every_class_and_shares_stay():
    features = np.random.default_rng(0).normal(size=(60, 2))
    made, codes = smote_keeping_shares(features, np.repeat([0, 1], [50, 10]), 0)
    assert tuple(np.bincount(codes)) == (83, 17) and len(made) == 100
    np.testing.assert_array_equal(made[:60], features)


def test_a_difference_of_mean_recalls_by_hand():
    # Class 0: 3 of 4 items gained; class 1: 1 of 2 lost.
    first = np.array([[1.0, 1.0, 1.0, 0.0, 0.0, 1.0]])
    second = np.array([[0.0, 0.0, 0.0, 0.0, 1.0, 1.0]])
    classes = np.array([0, 0, 0, 0, 1, 1])
    assert paired_difference(first, second, classes=classes).value == pytest.approx((0.75 - 0.5) / 2)
    assert paired_difference(first, second).value == pytest.approx(2 / 6)
