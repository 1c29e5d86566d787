"""What a round says of models beside the measures, on a project with planted label errors and copies."""

from __future__ import annotations

import numpy as np
import pytest

from annotations.models import Item
from mining.artifacts import Folder
from mining.prediction_checks import PredictionTable
from mining.selectors import rounds as reads
from mining.services.predictions import store_predictions
from tests.mining.small_project import make_striped_project
from tests.mining.stages.test_whole_round import run_round

CLASSES = ["across", "down", "slanted"]


@pytest.fixture
def facts(db):
    """A round with a model of the user's own, epoch by epoch: sure of all but two planted errors and six torn items."""
    project, _ = make_striped_project(trials=False)
    items = list(project.items.order_by("ordinal"))
    for place in (0, 3):  # given a wrong label
        Item.objects.filter(pk=items[place].pk).update(given=project.classes.get(code=1))
    sure = np.full((60, 3), 0.05)
    sure[np.arange(60), np.arange(60) % 3] = 0.9
    sure[54:] = [0.4, 0.35, 0.25]
    flat = np.full((60, 3), 1 / 3)
    tables = [PredictionTable([item.path for item in items], CLASSES, belief) for belief in (flat, sure, sure)]
    store_predictions(project=project, name="mine", tables=tables, out_of_fold=True, files_are="epochs")
    round_ = run_round(project, learners=["file:mine"], params={"label_source": "given"})
    return round_, items


def test_a_round_with_planted_errors(facts):
    round_, items = facts
    folder = Folder(round_.folder)
    (mine,) = folder.read_json("model.json")["learners"]

    assert mine["suspicious"]["n"] == 6
    assert {one["item"] for one in mine["suspicious"]["items"]} == {item.pk for item in items[54:]}
    assert mine["suspicious"]["accuracy_argmax"] == pytest.approx(2 / 6)
    assert {one["item"] for one in mine["label_errors"]["items"]} >= {items[0].pk, items[3].pk}

    classes = {row["code"]: row for row in folder.read_json("model.json")["classes"]["rows"]}
    assert [classes[code]["n_items"] for code in range(3)] == [18, 22, 20]
    # Of class 1 the two wrong labels and the two torn items are taken for class 0.
    assert classes[1]["wrong"]["value"] == pytest.approx(4 / 22)
    pair = folder.read_json("model.json")["classes"]["pairs"][0]
    assert (pair["first"], pair["second"]) == (0, 1)
    assert pair["model"]["value"] == pytest.approx(4 / 40)
    assert pair["people"]["reason"] == "nobody has labelled"

    rows = reads.measures_of(round_, [items[0].pk, items[1].pk, items[54].pk])
    wrong, right, torn = (rows[items[place].pk] for place in (0, 1, 54))
    assert right["file:mine.inverse_confidence"] == pytest.approx(1 - (1 / 3 + 0.9 + 0.9) / 3, abs=1e-6)
    assert wrong["file:mine.forgetting"] == 3.0  # never learnt
    assert torn["file:mine.forgetting"] == 0.0
    assert wrong["file:mine.negated_aum"] > 0 > right["file:mine.negated_aum"]

    reasons = folder.read_json("reasons.json")
    assert [target["measure"] for target in reasons["targets"]] == ["file:mine.loss"]
    names = {one["name"] for one in reasons["targets"][0]["attributes"]}
    assert {"brightness", "contrast", "sharpness", "clutter", "image_size", "class_frequency", "copies"} <= names
    charts = {chart["name"] for chart in reads.report_of(round_)["charts"]}
    assert {"loss_and_gradient", "training_map_mine"} <= charts
