"""The softmax head: its gradients, its repeatability, and the training that can be followed."""

import numpy as np
import pytest

from mining.learners.errors import LearnerError
from mining.learners.mlp import follow_training
from mining.learners.softmax_head import HeadSettings, softmax, train_epochs


def _blobs(n=300, seed=0):
    generator = np.random.default_rng(seed)
    given = np.arange(n) % 3
    return generator.normal(size=(n, 4)) + 2.5 * np.eye(3, 4)[given], given


@pytest.mark.parametrize("hidden", [0, 6])
def test_gradients_are_those_of_the_loss(hidden):
    features, given = _blobs(20)
    (head,) = train_epochs(features, given, n_classes=3, settings=HeadSettings(hidden=hidden, epochs=1, l2=0.0))
    scaled = (features - head.mean) / head.scale

    def loss():
        belief = softmax(head.forward(scaled)[-1])
        return -np.log(belief[np.arange(20), given]).mean()

    values = head.forward(scaled)
    slope = softmax(values[-1])
    slope[np.arange(20), given] -= 1
    for layer, gradient in zip(head.layers, head.backward(values, slope / 20, 0.0), strict=True):
        for place in list(np.ndindex(layer.shape))[:12]:
            before = layer[place]
            layer[place] = before + 1e-6
            above = loss()
            layer[place] = before - 1e-6
            below = loss()
            layer[place] = before
            assert gradient[place] == pytest.approx((above - below) / 2e-6, abs=1e-6)


def test_a_linear_head_ends_where_logistic_regression_does():
    from sklearn.linear_model import LogisticRegression

    features, given = _blobs()
    settings = HeadSettings(epochs=300, batch_size=300, learning_rate=0.05, l2=0.01)
    *_, head = train_epochs(features, given, n_classes=3, settings=settings)
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    # Mean loss + l2/2 |w|^2 is scikit-learn's sum of losses times C with C = 1 / (n l2).
    reference = LogisticRegression(C=1 / (300 * 0.01), tol=1e-8, max_iter=1000).fit(scaled, given)
    np.testing.assert_allclose(head.probabilities(features), reference.predict_proba(scaled), atol=2e-3)


def test_the_same_seed_gives_the_same_bytes():
    features, given = _blobs()
    settings = HeadSettings(hidden=5, epochs=3)
    for same, seed in ((True, 4), (False, 5)):
        *_, first = train_epochs(features, given, n_classes=3, settings=settings, seed=4)
        *_, second = train_epochs(features, given, n_classes=3, settings=settings, seed=seed)
        assert np.array_equal(first.layers[0], second.layers[0]) is same


def test_an_item_of_weight_zero_teaches_nothing():
    features, given = _blobs()
    wrong = given.copy()
    wrong[:60] = (wrong[:60] + 1) % 3
    weight = np.r_[np.zeros(60), np.ones(240)]
    settings = HeadSettings(epochs=40)
    *_, head = train_epochs(features, wrong, n_classes=3, settings=settings, weight=weight)
    assert (head.probabilities(features[:60]).argmax(axis=1) == given[:60]).mean() > 0.9


def test_following_a_training_finds_what_is_learnt_late():
    features, given = _blobs()
    wrong = given.copy()
    wrong[:15] = (wrong[:15] + 1) % 3
    wrong[-5:] = -1
    seen = []
    dynamics = follow_training(
        features, wrong, n_classes=3, epochs=12, on_progress=lambda done, total: seen.append((done, total))
    )
    assert dynamics.n_epochs == 12 and seen[-1] == (12, 12)
    for name, column in dynamics.as_columns().items():
        assert np.isnan(column[-5:]).all()
        if name != "variability":
            assert np.median(column[:15]) > np.median(column[15:-5]), name


def test_lengths_that_differ_are_refused():
    with pytest.raises(LearnerError, match="do not belong together"):
        next(train_epochs(np.zeros((3, 2)), [0, 1], n_classes=2, settings=HeadSettings()))
