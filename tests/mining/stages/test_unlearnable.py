"""Input that nothing can be learnt from: named in plain words, and the rest of the round goes on."""

import numpy as np
import polars as pl
import pytest

from annotations.models import Item
from mining.feature_files import open_feature_file
from mining.prediction_checks import PredictionsRefused
from mining.prediction_files import read_predictions
from mining.selectors import rounds as reads
from mining.services import rounds
from mining.services.feature_sources import store_features
from mining.services.predictions import store_predictions
from tests.mining.small_project import CLASSES, QUICK, make_striped_project

pytestmark = pytest.mark.django_db


def run(project, learners=("logistic",), **params):
    round_ = rounds.start_round(
        project=project, params={**QUICK, **params}, learners=list(learners), strategies=["suspicious"],
        in_process=True,
    )  # fmt: skip
    for _ in rounds.run_round_here(round_):
        pass
    assert round_.status == "succeeded", [stage.result for stage in reads.stages_of(round_)]
    assert reads.report_of(round_) is not None
    return round_


def said(round_, stage="predictions"):
    return [entry["what"] for entry in round_.stages.get(name=stage).result["missing"]]


def notes(round_, stage="predictions"):
    return [line.text for line in round_.stages.get(name=stage).job.messages.all()]


def labelled(project, counts):
    """Leave so many items of each class with their label."""
    items = list(project.items.order_by("ordinal"))
    for code, count in enumerate(counts):
        own = [item.pk for item in items if item.given.code == code]
        Item.objects.filter(pk__in=own[count:]).update(given=None)


@pytest.fixture
def project():
    return make_striped_project(n_items=30, trials=False)[0]


def test_a_class_with_one_item_is_named_and_left_out_of_training(project):
    labelled(project, (10, 10, 1))
    round_ = run(project)
    (what,) = said(round_)
    assert what.startswith(f"The class {CLASSES[2]!r} has one separate image only")
    rows, _ = reads.measures_page(round_, limit=30)
    assert sum(row["logistic.loss"] is not None for row in rows) == 21


def test_a_small_class_makes_fewer_folds_and_is_named(project):
    labelled(project, (10, 10, 2))
    round_ = run(project, n_folds=5, test_share=0.0)
    assert f"The class {CLASSES[2]!r} has 2 separate labelled images only; 5 folds became 2." in notes(round_)
    assert said(round_) == []


def test_a_class_of_which_the_held_out_test_has_most_is_named(project):
    labelled(project, (10, 10, 2))  # one of the two is held out
    (what,) = said(run(project))
    assert what.startswith(f"The class {CLASSES[2]!r} has one separate image only outside the held-out test")
    items = list(project.items.order_by("ordinal"))
    Item.objects.filter(pk=items[2].pk).update(given=None)
    (what,) = said(run(project))
    assert what == (
        f"The class {CLASSES[2]!r} has labelled images in the held-out test only: no model that judges them has "
        "learnt it."
    )


def test_a_project_with_labels_of_one_class_says_which(project):
    labelled(project, (10, 0, 0))
    round_ = run(project)
    assert "All labels are of one class." in said(round_)
    remedy = round_.stages.get(name="predictions").result["missing"][0]["remedy"]
    assert remedy.startswith(f"All are {CLASSES[0]!r}.")


def test_no_labels_at_all(project):
    labelled(project, (0, 0, 0))
    assert "No item has a label." in said(run(project))


def test_a_learner_that_cannot_be_trained_leaves_the_others(project):
    labelled(project, (10, 10, 2))
    round_ = run(project, [{"name": "logistic", "params": {"resampling": "smote"}}, "knn"], test_share=0.0)
    assert said(round_) == [
        "Logistic regression could not be trained: SMOTE needs two items or more in every class of a fold; use "
        "oversampling instead."
    ]
    assert "knn.loss" in reads.measure_columns(round_)
    assert "logistic.loss" not in reads.measure_columns(round_)


def features(project, tmp_path, vectors):
    paths = [item.path for item in project.items.order_by("ordinal")]
    np.savez(tmp_path / "v.npz", item=np.array(paths), features=vectors)
    return store_features(project=project, name="v", table=open_feature_file(tmp_path / "v.npz"))


def test_features_with_nan_are_refused_by_row_before_any_round(project, tmp_path):
    vectors = np.ones((30, 3))
    vectors[4, 2] = np.inf
    with pytest.raises(PredictionsRefused, match=r"row 5: number 3 is inf, not finite"):
        features(project, tmp_path, vectors)


def test_a_constant_feature_is_named_and_does_no_harm(project, tmp_path):
    vectors = np.random.default_rng(0).normal(size=(30, 3))
    vectors[:, 1] = 7.0
    stored = features(project, tmp_path, vectors)
    assert stored.facts["constant"] == [1]
    round_ = run(project, ["logistic", "hog_svm", "boosting"], feature_kind="file:v")
    assert any("1 of 3 features are the same for every item (number 2)" in line for line in notes(round_))
    assert said(round_) == []


def test_features_that_are_all_constant_are_said(project, tmp_path):
    features(project, tmp_path, np.ones((30, 3)))
    round_ = run(project, feature_kind="file:v")
    assert "All features are the same for every item: no learner can tell items apart." in said(round_)


def test_predictions_for_half_the_items_are_counted_and_the_others_go_on(project, tmp_path):
    items = list(project.items.order_by("ordinal"))[:15]
    belief = np.full((15, 3), 0.1)
    belief[np.arange(15), [item.given.code for item in items]] = 0.8
    columns = {"item": [item.path for item in items], **dict(zip(CLASSES, belief.T, strict=True))}
    pl.DataFrame(columns).write_csv(tmp_path / "half.csv")
    tables = [read_predictions(tmp_path / "half.csv")]
    store_predictions(project=project, name="half", tables=tables, out_of_fold=True)

    round_ = run(project, learners=("file:half", "knn"))

    assert said(round_) == ["half has predictions for 15 of 30 items."]
    rows, _ = reads.measures_page(round_, order_by="ordinal", descending=False, limit=30)
    assert [row["file:half.loss"] is not None for row in rows] == [True] * 15 + [False] * 15
    assert all(row["knn.loss"] is not None for row in rows)
