"""Gradient boosting: learns what it should, the same for a seed, with weights."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from mining.learners.catalogue import get_learner
from mining.learners.out_of_fold import out_of_fold_probabilities


@pytest.fixture(scope="module")
def digits():
    found = load_digits()
    keep = np.flatnonzero(found.target < 3)[:300]
    return found.data[keep], found.target[keep]


def test_digits_are_told_apart_out_of_fold(digits):
    features, given = digits
    found = out_of_fold_probabilities(get_learner("boosting", n_rounds=30), features, given, n_classes=3, folds=3)
    assert (found.probabilities.argmax(axis=1) == given).mean() > 0.95
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1.0)


def test_the_same_seed_gives_the_same_and_another_seed_another(digits):
    features, given = digits
    learner = get_learner("boosting", n_rounds=5)
    first, again, other = (
        learner.fit(features, given, n_classes=3, seed=seed).probabilities(features) for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_class_that_weighs_nothing_is_not_believed_in(digits):
    features, given = digits
    weight = np.where(given == 2, 1e-6, 1.0)
    found = get_learner("boosting", n_rounds=10).fit(features, given, n_classes=3, sample_weight=weight)
    assert found.probabilities(features)[:, 2].mean() < 0.2
