"""A whole round by the measure that the project chose: its table, comparison, report, hard sets and exports name it."""

from __future__ import annotations

import json

import numpy as np

from annotations.models import Project
from mining.artifacts import Folder
from mining.exports.records import export_columns, manifest_of, records_of
from mining.management.commands.compare import table_lines
from mining.models import HardSet
from mining.services.human_measure import choose_measure
from mining.services.rounds import run_round_here, start_round
from tests.mining.small_project import QUICK, make_striped_project


def test_a_round_by_mean_rank(db, monkeypatch):
    monkeypatch.setattr("mining.stages.comparison.RESAMPLED_TRIALS", 1)
    project, truth = make_striped_project(n_items=60, n_annotators=5)
    Project.objects.filter(pk=project.pk).update(human_measure="mean_rank_time")
    project.refresh_from_db()
    round_ = start_round(project=project, params=QUICK, strategies=["time_hard"], in_process=True)
    choose_measure(project=project, name="raw_mean_time")  # too late for this round
    for _ in run_round_here(round_):
        pass
    assert round_.status == "succeeded", [stage.result for stage in round_.stages.all()]
    folder = Folder(round_.folder)
    table, comparison = folder.read_table("measures.parquet"), folder.read_json("comparison.json")
    assert np.corrcoef(table["mean_rank_time"], truth)[0, 1] > 0.8
    human = comparison["human"]
    assert (human["name"], human["measure"], human["unit"]) == ("mean_rank_time", "mean_rank_time", "rank from 0 to 1")
    assert human["reliability"]["value"] > 0.5
    assert comparison["quadrants"]["x"] == "mean_rank_time"
    assert "time_hardness" in {pair["measure"] for pair in comparison["pairs"]}
    assert table_lines(comparison)[0].startswith("Mean rank of time of 60 items")
    report = json.dumps(folder.read_json("report.json"))
    assert "Hardest items by mean rank of time" in report
    assert "Every measure beside mean rank of time" in report
    hard_set = HardSet.objects.get(round=round_)
    assert "(mean rank of time 0." in hard_set.members.first().reason
    assert manifest_of(hard_set)["human_measure"] == {
        "measure": "mean_rank_time", "column": "mean_rank_time", "title": "Mean rank of time",
        "unit": "rank from 0 to 1",
    }  # fmt: skip
    columns = export_columns(hard_set)
    record = next(records_of(hard_set, columns))
    assert {"mean_rank_time", "people_label_confidence"} <= set(columns)
    assert 0.5 < record["people_label_confidence"] <= 1
    assert "consensus_confidence" not in record
