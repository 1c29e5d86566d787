"""Neighbours and committees against imbalanced-learn, which knows both under other names; confident learning against
cleanlab.
"""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from mining.hardness.confident_learning import probable_label_errors
from mining.hardness.neighbours import instance_hardness, kdn


@pytest.fixture(scope="module")
def blobs():
    return make_classification(
        400, 6, n_informative=4, n_classes=3, weights=[0.6, 0.25, 0.15], flip_y=0.1, class_sep=0.8, random_state=0
    )


def test_instance_hardness_keeps_what_imbalanced_learn_keeps(blobs):
    from imblearn.under_sampling import InstanceHardnessThreshold

    features, given = blobs
    folds = StratifiedKFold(5, shuffle=True, random_state=3)
    model = LogisticRegression(max_iter=500)
    belief = cross_val_predict(model, features, given, cv=folds, method="predict_proba")
    scores = instance_hardness([belief], given)
    np.testing.assert_allclose(scores, 1 - belief[np.arange(400), given], atol=1e-12)

    theirs = InstanceHardnessThreshold(estimator=model, cv=5, random_state=3, sampling_strategy={0: 120, 1: 80})
    theirs.fit_resample(features, given)
    kept = [np.flatnonzero(given == 2)]
    for code, wanted in ((0, 120), (1, 80)):
        members = np.flatnonzero(given == code)
        easy = 1 - scores[members]
        kept.append(members[easy >= np.percentile(easy, (1 - wanted / len(members)) * 100)])
    assert set(theirs.sample_indices_) == set(np.concatenate(kept))


def test_kdn_is_zero_where_edited_nearest_neighbours_keeps_an_item(blobs):
    from imblearn.under_sampling import EditedNearestNeighbours

    features, given = blobs
    scores = kdn(features, given, n_neighbours=10)
    every = EditedNearestNeighbours(sampling_strategy="all", n_neighbors=10, kind_sel="all")
    every.fit_resample(features, given)
    assert set(every.sample_indices_) == set(np.flatnonzero(scores == 0.0))


def test_label_errors_are_cleanlabs(blobs):
    from cleanlab.filter import find_label_issues

    features, given = blobs
    belief = cross_val_predict(LogisticRegression(max_iter=500), features, given, cv=5, method="predict_proba")
    np.testing.assert_array_equal(probable_label_errors(belief, given), find_label_issues(given, belief, n_jobs=1))
    # Items without a label or a prediction, and a class that nobody was given, change nothing for the others.
    wider = np.vstack([np.c_[belief, np.zeros(400)], np.full((2, 4), 0.25), np.full((1, 4), np.nan)])
    marked = probable_label_errors(wider, np.r_[given, -1, -1, 0])
    np.testing.assert_array_equal(marked[:400], probable_label_errors(belief, given))
    assert not marked[400:].any()
