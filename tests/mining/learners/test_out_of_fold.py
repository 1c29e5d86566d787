"""Learners out of fold: known accuracies on digits, planted errors, honesty, bad input."""

import subprocess
import sys

import numpy as np
import pytest

from mining.hardness.neighbours import kdn
from mining.hardness.registry import compute_measures
from mining.learners.calibration import SigmoidCalibration, fit_sigmoid
from mining.learners.catalogue import LEARNERS, get_learner
from mining.learners.errors import Cancelled, LearnerError
from mining.learners.folds import group_folds
from mining.learners.hog import hog_features
from mining.learners.out_of_fold import join_folds, out_of_fold_probabilities, score_fold
from mining.learners.parameters import Parameter, ParameterError
from mining.learners.resampling import balanced_weight, resampled


@pytest.fixture(scope="module")
def digits():
    from sklearn.datasets import load_digits

    return load_digits()


@pytest.fixture(scope="module")
def blobs():
    generator = np.random.default_rng(0)
    given = np.arange(240) % 3
    return generator.normal(size=(240, 5)) + 2.0 * np.eye(3, 5)[given], given


def _accuracy(probabilities, given):
    return (probabilities.argmax(axis=1) == given).mean()


@pytest.mark.parametrize(("name", "known"), [("logistic", 0.967), ("knn", 0.986), ("random_forest", 0.977)])
def test_digits_accuracy_is_the_published_one(digits, name, known):
    judged = out_of_fold_probabilities(get_learner(name), digits.data, digits.target, n_classes=10)
    assert _accuracy(judged.probabilities, digits.target) == pytest.approx(known, abs=0.005)


def test_digits_accuracy_of_hog_and_svm(digits):
    features = hog_features(digits.images, pixels_per_cell=(2, 2), cells_per_block=(1, 1))
    judged = out_of_fold_probabilities(get_learner("hog_svm"), features, digits.target, n_classes=10)
    assert _accuracy(judged.probabilities, digits.target) == pytest.approx(0.953, abs=0.005)


def test_surprise_finds_planted_errors_and_ambiguity_does_not(digits):
    from sklearn.metrics import roc_auc_score

    generator = np.random.default_rng(1)
    wrong = np.zeros(len(digits.target), dtype=bool)
    wrong[generator.choice(len(wrong), len(wrong) // 20, replace=False)] = True
    given = np.where(wrong, (digits.target + generator.integers(1, 10, len(wrong))) % 10, digits.target)
    judged = out_of_fold_probabilities(get_learner("logistic"), digits.data, given, n_classes=10)
    scores = compute_measures(judged.probabilities, given)
    for name in ("loss", "normalized_margin", "el2n"):
        assert roc_auc_score(wrong, scores[name]) >= 0.995, name
    assert roc_auc_score(wrong, kdn(digits.data, given)) >= 0.995
    for name in ("least_confidence", "margin", "entropy"):
        assert roc_auc_score(wrong, scores[name]) == pytest.approx(0.5, abs=0.08), name


@pytest.mark.parametrize("name", list(LEARNERS))
def test_every_learner_gives_probabilities_of_all_classes_and_repeats_itself(blobs, name):
    features, given = blobs
    learner = get_learner(name, **({"n_trees": 30} if name == "random_forest" else {}))
    # Class 3 exists in the project but nobody has used it yet.
    first, again = (out_of_fold_probabilities(learner, features, given, n_classes=4, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first.probabilities, again.probabilities)
    np.testing.assert_allclose(first.probabilities.sum(axis=1), 1.0, atol=1e-9)
    assert (first.probabilities >= 0).all()
    assert _accuracy(first.probabilities, given) > 0.75
    fitted = learner.fit(features, given, n_classes=4, seed=5).probabilities(features[:7])
    assert fitted.shape == (7, 4)
    np.testing.assert_allclose(fitted.sum(axis=1), 1.0, atol=1e-9)


@pytest.mark.parametrize("name", ["hog_svm", "logistic"])
def test_a_weight_of_two_is_an_item_twice(blobs, name):
    features, given = blobs
    generator = np.random.default_rng(0)
    twice = generator.random(240) < 0.3
    learner = get_learner(name, max_iter=5000)
    weighed = learner.fit_scores(features, given, n_classes=3, sample_weight=1.0 + twice)
    doubled = learner.fit_scores(np.r_[features, features[twice]], np.r_[given, given[twice]], n_classes=3)
    if name == "hog_svm":
        np.testing.assert_allclose(weighed.scores(features), doubled.scores(features), atol=0.05)
    else:
        # The scaler sees the doubled items and not the weights: equal but for the scale.
        np.testing.assert_allclose(weighed.scores(features), doubled.scores(features), atol=0.03)


def test_labels_that_are_noise_cannot_be_predicted(blobs):
    # In-sample probabilities would be right far above chance here; out of fold they must not be.
    features = np.random.default_rng(3).normal(size=(300, 200))
    given = np.random.default_rng(4).integers(0, 2, 300)
    for name in ("hog_svm", "logistic", "knn"):
        judged = out_of_fold_probabilities(get_learner(name), features, given, n_classes=2)
        assert _accuracy(judged.probabilities, given) < 0.6


def test_calibrated_probabilities_mean_what_they_say():
    generator = np.random.default_rng(0)
    features = generator.normal(size=(4000, 4))
    truth = 1 / (1 + np.exp(-1.5 * features[:, 0]))
    given = (generator.random(4000) < truth).astype(int)
    judged = out_of_fold_probabilities(get_learner("hog_svm"), features, given, n_classes=2)
    assert np.abs(judged.probabilities[:, 1] - truth).mean() < 0.03


def test_the_sigmoid_is_scikit_learns():
    from sklearn.calibration import _SigmoidCalibration

    generator = np.random.default_rng(0)
    score = generator.normal(size=500) * 3
    positive = generator.random(500) < 1 / (1 + np.exp(-score + 0.5))
    slope, offset = fit_sigmoid(score, positive)
    theirs = _SigmoidCalibration().fit(score, positive).predict(score)
    np.testing.assert_allclose(1 / (1 + np.exp(-(slope * score + offset))), theirs, atol=1e-4)


def test_calibration_survives_perfect_separation_and_classes_never_seen():
    scores = np.c_[np.r_[np.full(50, 9.0), np.full(50, -9.0)], np.r_[np.full(50, -9.0), np.full(50, 9.0)]]
    scores = np.c_[scores, np.full(100, np.nan)]
    given = np.repeat([0, 1], 50)
    belief = SigmoidCalibration.fitted(scores, given).probabilities(scores)
    assert belief[0, 0] > 0.95 and (belief[:, 2] == 0).all()
    np.testing.assert_allclose(belief.sum(axis=1), 1.0)


def test_items_without_a_label_get_the_mean_of_the_fold_models(blobs):
    features, given = blobs
    given = given.copy()
    given[:10] = -1
    judged = out_of_fold_probabilities(get_learner("logistic"), features, given, n_classes=3)
    assert (judged.predicted_by[:10] == -1).all() and (judged.predicted_by[10:] >= 0).all()
    parts = []
    for number in range(5):
        rows = (judged.fold != number) & (judged.fold >= 0)
        model = get_learner("logistic").fit(features[rows], given[rows], n_classes=3)
        parts.append(model.probabilities(features[:10]))
    np.testing.assert_allclose(judged.probabilities[:10], np.mean(parts, axis=0), atol=1e-9)


def test_folds_done_elsewhere_in_any_order_join_to_the_same_bytes(blobs):
    features, given = blobs
    fold = group_folds(given, n_folds=4)
    learner = get_learner("hog_svm")
    parts = [score_fold(learner, features, given, n_classes=3, fold=fold, number=number) for number in (2, 0, 3, 1)]
    joined = join_folds(learner, parts, given, n_classes=3, fold=fold)
    whole = out_of_fold_probabilities(learner, features, given, n_classes=3, fold=fold)
    np.testing.assert_array_equal(joined.probabilities, whole.probabilities)


def test_badly_scaled_features_fall_back_to_the_sure_solver(blobs):
    features, given = blobs
    scaled = features * np.array([1.0, 1e4, 1.0, 1e-3, 1.0])
    judged = out_of_fold_probabilities(get_learner("hog_svm"), scaled, given, n_classes=3)
    assert _accuracy(judged.probabilities, given) > 0.6


def test_weights_reach_the_fold_models(blobs):
    features, given = blobs
    wrong = given.copy()
    wrong[::4] = (wrong[::4] + 1) % 3
    weight = np.where(np.arange(240) % 4 == 0, 1e-6, 1.0)
    learner = get_learner("logistic")
    light = out_of_fold_probabilities(learner, features, wrong, n_classes=3, sample_weight=weight)
    even = out_of_fold_probabilities(learner, features, wrong, n_classes=3)
    own = np.arange(240), given
    assert light.probabilities[own].mean() > even.probabilities[own].mean() + 0.1


def test_progress_is_told_and_may_cancel(blobs):
    features, given = blobs
    seen = []

    def watch(done, total):
        seen.append((done, total))
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        out_of_fold_probabilities(get_learner("knn"), features, given, n_classes=3, on_progress=watch)
    assert seen == [(1, 5), (2, 5)]


def test_a_class_with_one_item_is_a_stranger_to_its_judge_and_said(blobs):
    features, given = blobs
    given = given.copy()
    given[0] = 3
    judged = out_of_fold_probabilities(get_learner("logistic"), features, given, n_classes=4)
    assert any("[3]" in note for note in judged.warnings)
    assert judged.probabilities[0, 3] == 0 and np.flatnonzero(judged.stranger).tolist() == [0]
    assert _accuracy(judged.probabilities[1:], given[1:]) > 0.75


@pytest.mark.parametrize(
    ("features", "given", "message"),
    [
        (np.zeros((6, 2)), [-1] * 6, "no item has a label"),
        (np.zeros((6, 2)), [1] * 6, "all labels are of one class"),
        (np.full((6, 2), np.nan), [0, 1] * 3, "not finite in row 0, column 0"),
        (np.zeros(6), [0, 1] * 3, r"shape \(items, numbers\)"),
        (np.zeros((6, 2)), [0, 9] * 3, "must be -1 to 1; found 0 to 9"),
        (np.zeros((6, 2)), [0.5] * 6, "integer codes"),
    ],
)
def test_bad_input_is_named(features, given, message):
    with pytest.raises(LearnerError, match=message):
        out_of_fold_probabilities(get_learner("logistic"), features, np.array(given), n_classes=2, folds=2)


@pytest.mark.parametrize("name", list(LEARNERS))
def test_constant_features_are_no_reason_to_fall(name):
    learner = get_learner(name, **({"n_trees": 10} if name == "random_forest" else {}))
    judged = out_of_fold_probabilities(learner, np.ones((40, 3)), np.arange(40) % 2, n_classes=2)
    assert np.isfinite(judged.probabilities).all()


def test_resampling_evens_classes_inside_the_training_set(blobs):
    features, _ = blobs
    given = np.repeat([0, 1], [220, 20])
    over = resampled(features, given, None, "over", 0)
    assert np.bincount(over[1]).tolist() == [220, 220]
    under = resampled(features, given, np.arange(240.0), "under", 0)
    assert np.bincount(under[1]).tolist() == [20, 20]
    assert under[2].shape == (40,)
    made = resampled(features, given, None, "smote", 0)
    assert np.bincount(made[1]).tolist() == [220, 220]
    with pytest.raises(LearnerError, match="invented items have no weight"):
        resampled(features, given, np.arange(240.0), "smote", 0)
    with pytest.raises(LearnerError, match="two items or more"):
        resampled(features[:5], np.array([0, 0, 0, 0, 1]), None, "smote", 0)


def test_smote_is_imbalanced_learns(blobs):
    from imblearn.over_sampling import SMOTE

    features, _ = blobs
    given = np.repeat([0, 1], [220, 20])
    theirs = SMOTE(random_state=7, k_neighbors=5).fit_resample(features, given)
    mine = resampled(features, given, None, "smote", 7)
    np.testing.assert_allclose(mine[0], theirs[0], atol=1e-9)


def test_balanced_weights_are_scikit_learns():
    from sklearn.utils.class_weight import compute_sample_weight

    given = np.array([0, 0, 0, 2, 2, 5])
    np.testing.assert_allclose(balanced_weight(given), compute_sample_weight("balanced", given))


def test_class_weights_help_the_rare_class():
    generator = np.random.default_rng(0)
    given = (np.arange(600) % 20 == 0).astype(int)
    features = generator.normal(size=(600, 3)) + 1.2 * given[:, None]
    plain, even = (
        out_of_fold_probabilities(get_learner("logistic", class_weight=weight), features, given, n_classes=2)
        for weight in ("none", "balanced")
    )
    rare = given == 1
    assert (even.probabilities[rare, 1] > 0.5).mean() > (plain.probabilities[rare, 1] > 0.5).mean() + 0.2


def test_parameters_are_checked_by_name_type_and_range():
    assert get_learner("knn", n_neighbours="7").values["n_neighbours"] == 7
    for values, message in (
        ({"k": 3}, "knn has no parameter 'k'; it has class_weight, n_neighbours"),
        ({"n_neighbours": 0}, "n_neighbours must be at least 1, not 0"),
        ({"n_neighbours": 2.5}, "whole number"),
        ({"n_neighbours": "many"}, "must be a number"),
        ({"prior": float("nan")}, "finite"),
        ({"class_weight": "heavy"}, "one of none, balanced"),
    ):
        with pytest.raises(ParameterError, match=message):
            get_learner("knn", **values)
    with pytest.raises(LearnerError, match="no learner is called 'oracle'"):
        get_learner("oracle")
    assert Parameter("flag", False, "").check("yes") is True
    assert Parameter("limit", None, "", kind="int").check("") is None


def test_the_catalogues_load_no_scikit_learn():
    code = (
        "import sys, mining.learners.catalogue, mining.learners.out_of_fold, mining.learners.features, "
        "mining.strategies.catalogue, mining.strategies.retraining, mining.hardness.registry, "
        "mining.hardness.neighbours, mining.comparison.rank_correlation\n"
        "heavy = {'sklearn', 'scipy', 'skimage', 'numba', 'imblearn', 'cleanlab'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
