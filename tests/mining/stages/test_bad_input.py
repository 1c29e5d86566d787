"""Rounds that are asked for too much, or have too little: they say so and end."""

from __future__ import annotations

import pytest

from annotations.models import Item
from mining.artifacts import Folder
from mining.models import HardSet
from mining.people import split_of
from tests.mining.small_project import make_striped_project
from tests.mining.stages.test_whole_round import mean_log_times, run_round


@pytest.fixture(autouse=True)
def _quick_bootstrap(monkeypatch):
    monkeypatch.setattr("mining.stages.comparison._time_scores", mean_log_times)


def test_a_budget_above_the_items_and_a_test_without_a_class(db):
    project, _ = make_striped_project(n_annotators=2)
    labels = list(project.classes.order_by("code"))
    items = list(Item.objects.filter(project=project).select_related("image").order_by("ordinal"))
    held = split_of([item.image.sha256 for item in items], 0.2) == "test"
    # Nothing in the held-out test is slanted.
    Item.objects.filter(pk__in=[item.pk for item, out in zip(items, held, strict=True) if out], given=labels[2]).update(
        given=labels[0]
    )
    strategies = [
        {"name": "class_balanced", "params": {"per_class": 100_000, "limit": 1_000_000}},
        {"name": "suspicious", "params": {"threshold": 0.0}},
        "curriculum",
    ]

    params = {
        "label_source": "given", "online_strategies": ["focal"], "online_hidden": 4,
        "balance_strategies": "class_weights,smote",
    }  # fmt: skip
    round_ = run_round(project, strategies=strategies, params=params)

    assert round_.status == "succeeded"
    sets = {one.strategy: one for one in HardSet.objects.filter(round=round_)}
    assert sets["class_balanced"].n_members == sum(~held) == sets["curriculum"].n_members
    assert sets["suspicious"].n_members == 0
    tried = {one["strategy"]: one for one in Folder(round_.folder).read_json("retraining.json")["experiments"]}
    assert {name: one["kind"] for name, one in tried.items()} == {
        "class_balanced": "oversample", "focal": "online", "curriculum": "online",
        "class_weights": "balance", "smote": "balance",
    }  # fmt: skip
    assert {one["judged_by"] for one in tried.values() if one["kind"] == "balance"} == {"mean_recall"}
    for one in tried.values():
        assert "the held-out test has no item of class slanted: nothing is known of it" in one["warnings"]
        for arm in one["arms"]:
            assert arm["recall_by_class"][2] is None and arm["recall_intervals"][2] == [None, None]
            low, high = arm["accuracy_interval"]
            assert low <= arm["accuracy"] <= high
    assert any("more than half of the training set" in text for text in tried["class_balanced"]["warnings"])
