"""What is mined, and so what retraining tries, knows nothing of the labels that it is judged by."""

from __future__ import annotations

import numpy as np
import pytest

from annotations.models import Item
from mining.artifacts import Folder
from mining.models import HardSet, HardSetMember
from tests.mining.small_project import make_striped_project
from tests.mining.stages.test_whole_round import mean_log_times, run_round

LEARNERS = ["hog_svm", {"name": "mlp", "params": {"epochs": 5}}]
STRATEGIES = ["hard_negatives", "hard_positives", {"name": "class_balanced", "params": {"per_class": 6}}]


@pytest.fixture(autouse=True)
def _quick_bootstrap(monkeypatch):
    monkeypatch.setattr("mining.stages.comparison._time_scores", mean_log_times)


def mined(round_):
    """Return the members with scores and reasons of every hard set, and the measures of the items that may be mined."""
    assert round_.status == "succeeded"
    heldout = Folder(round_.folder).read_json("retraining.json")["heldout"]
    assert heldout["n_test"] >= 5 and heldout["words"].startswith("Two people or more agree with ")
    sets = {
        one.strategy: list(HardSetMember.objects.filter(hard_set=one).order_by("rank").values_list(
            "item_id", "score", "reason"))
        for one in HardSet.objects.filter(round=round_)
    }  # fmt: skip
    measures = Folder(round_.folder).read_table("measures.parquet")
    return sets, measures


def test_other_labels_in_the_held_out_test_change_nothing_of_what_is_mined(db):
    project, _ = make_striped_project(n_annotators=2)
    options = {"learners": LEARNERS, "strategies": STRATEGIES, "params": {"label_source": "given"}}
    before, first = mined(run_round(project, **options))
    held = first.filter(first["split"] == "test")["item"].to_list()
    codes = {label.code: label for label in project.classes.all()}
    for item in Item.objects.filter(pk__in=held).select_related("given"):
        item.given = codes[(item.given.code + 1) % len(codes)]
        item.save()

    after, second = mined(run_round(project, **options))

    assert len(held) >= 5 and sum(map(len, before.values())) >= 12
    assert after == before
    mine = first["split"] == "train"
    model = [name for name in first.columns if name == "kdn" or name.startswith(("hog_svm.", "mlp."))]
    assert {"kdn", "hog_svm.loss", "mlp.forgetting"} <= set(model)
    for name in model:
        assert first[name].filter(mine).equals(second[name].filter(mine)), name
    # The held-out items are judged all the same, by models that have not seen them, and by their new labels.
    loss = [table["hog_svm.loss"].filter(~mine).to_numpy() for table in (first, second)]
    assert np.isfinite(loss).all() and (loss[0] < loss[1]).mean() > 0.6
