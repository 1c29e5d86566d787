"""Whole rounds on a small project, all stages for real."""

import json

import altair
import numpy as np
import pytest
from django.core.files.storage import default_storage

from annotations.models import Annotator, Image, Trial
from mining.artifacts import Folder
from mining.models import HardSet, Round
from mining.prediction_checks import PredictionTable
from mining.selectors import hard_sets as hard_set_reads
from mining.selectors import rounds as reads
from mining.services import rounds
from mining.services.predictions import store_predictions
from mining.stages import comparison
from tests.mining.small_project import QUICK, make_striped_project

FITTED = comparison._time_scores


def mean_log_times(item, annotator, times, label, n_items):
    """Score of items that costs nothing, for the resamples of tests that are not about them."""
    known = ~np.isnan(times)
    count = np.bincount(item[known], minlength=n_items)
    total = np.bincount(item[known], np.log(times[known]), minlength=n_items)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


@pytest.fixture(autouse=True)
def _quick_bootstrap(monkeypatch):
    """Score resamples of people at no cost: what is tested here is not their precision."""
    monkeypatch.setattr("mining.stages.comparison._time_scores", mean_log_times)


def run_round(project, **options):
    params = {**QUICK, **options.pop("params", {})}
    round_ = rounds.start_round(project=project, params=params, in_process=True, **options)
    for _ in rounds.run_round_here(round_):
        pass
    return round_


def missing(round_):
    return {(stage.name, entry["what"]) for stage in reads.stages_of(round_) for entry in stage.result["missing"]}


def test_a_round_from_pictures_and_trials_to_its_report(db, monkeypatch):
    monkeypatch.setattr("mining.stages.comparison._time_scores", FITTED)
    project, truth = make_striped_project(kind=Annotator.Kind.SYNTHETIC)

    round_ = run_round(project)

    assert round_.status == "succeeded", [stage.result for stage in reads.stages_of(round_)]
    assert round_.has_synthetic
    measures, total = reads.measures_page(round_, order_by="ordinal", descending=False, limit=100)
    assert total == 60
    time = np.array([row["time_hardness"] for row in measures])
    assert np.corrcoef(time, truth)[0, 1] > 0.85
    assert {"hog_svm.loss", "hog_svm.entropy", "hog_svm.predicted", "kdn"} <= set(measures[0])
    learner = Folder(round_.folder).read_json("predictions.json")["learners"][0]
    assert learner["accuracy"] > 0.7

    comparison = reads.comparison_of(round_)
    assert comparison["main"] == "hog_svm.loss"
    assert comparison["human"]["reliability"]["value"] > 0.7
    loss = next(pair for pair in comparison["pairs"] if pair["measure"] == "hog_svm.loss")
    assert loss["spearman"]["low"] <= loss["spearman"]["value"] <= loss["spearman"]["high"]
    assert sum(cell["count"] for cell in comparison["quadrants"]["cells"]) == 60

    report = reads.report_of(round_)
    assert [section["name"] for section in report["sections"]] == [
        "people", "model", "agreement", "hard_sets", "retraining",
    ]  # fmt: skip
    assert report["has_synthetic"] is True
    assert "Synthetic annotators took part" in " ".join(report["sections"][0]["text"])
    for chart in report["charts"]:
        spec = reads.chart_of(round_, chart["name"])
        assert spec["$schema"].startswith("https://vega.github.io/schema/vega-lite/")
        altair.Chart.from_dict(spec)  # raises where Vega-Lite's schema does not allow it
        assert chart["alt"]
    assert {one["name"] for one in round_.summary["headline"]} >= {"judged", "reliability", "accuracy", "agreement"}


def test_hard_sets_leave_the_held_out_test_alone(db):
    project, _ = make_striped_project()

    round_ = run_round(project, strategies=[{"name": "time_hard", "params": {"share": 0.2}}, "suspicious"])

    measures, _ = reads.measures_page(round_, limit=100)
    test = {row["item"] for row in measures if row["split"] == "test"}
    time = {row["item"]: row["time_hardness"] for row in measures}
    hard_set = HardSet.objects.get(round=round_, strategy="time_hard")
    members, total = hard_set_reads.members_page(hard_set, limit=100)
    ids = [row.member.item_id for row in members]
    assert total == hard_set.n_members == len(ids)
    assert 5 <= total <= 12
    assert test and not test & set(ids)
    assert [row.member.rank for row in members] == list(range(1, total + 1))
    hardest = sorted((item for item in time if item not in test), key=lambda item: -time[item])
    assert ids == hardest[:total]
    assert members[0].measures["time_hardness"] == time[ids[0]]
    assert [one.strategy for one in hard_set_reads.hard_sets_of(round_)] == ["time_hard", "suspicious"]


def test_the_same_round_again_has_the_same_bytes(db):
    project, _ = make_striped_project()

    first, second = run_round(project), run_round(project)

    one, two = (Folder(round_.folder).read_json("manifest.json") for round_ in (first, second))
    assert one["versions"] == two["versions"]
    assert one["params"] == two["params"]
    for stage in ("snapshot", "time_hardness", "features", "predictions", "measures", "comparison"):
        assert one["files"][stage] == two["files"][stage], stage
        assert one["files"][stage]
    assert [stage.result["n_described"] for stage in _features(first, second)] == [60, 0]
    assert [stage.result["n_reused"] for stage in _features(first, second)] == [0, 60]


def _features(*rounds_):
    return [round_.stages.get(name="features") for round_ in rounds_]


def test_a_stage_that_runs_again_writes_the_same_and_doubles_nothing(db):
    from unittest.mock import MagicMock

    from hardness_site.jobs.models import Job
    from hardness_site.jobs.running import JobRun
    from hardness_site.jobs.services import claim_job
    from mining.stages import hard_sets, measures
    from mining.stages.context import StageRun

    project, _ = make_striped_project()
    round_ = run_round(project)
    before = {one.pk: one.sha256 for one in HardSet.objects.filter(round=round_)}
    stage = round_.stages.get(name="measures")
    files = stage.result["files"]

    stage.job = Job.objects.create(kind="round_stage", scope=project.scope, params={"stage_id": stage.pk})
    stage.status = "running"
    stage.save()
    again = StageRun(JobRun(claim_job(stage.job.pk)), round_)  # its pieces want a stage that runs
    measures.run(again)
    hard_sets.run(StageRun(MagicMock(), round_))

    assert again.files == files
    assert {one.pk: one.sha256 for one in HardSet.objects.filter(round=round_)} == before


def test_without_response_times_the_model_side_works(db):
    project, _ = make_striped_project(times=False)

    round_ = run_round(project)

    assert round_.status == "succeeded"
    says = {what for _, what in missing(round_)}
    assert "No response time can be used, so there is no time hardness." in says
    assert any(what.startswith("0 items have a time hardness") for what in says)
    assert any(what.startswith("Time-hard needs time_hardness") for what in says)
    assert reads.comparison_of(round_)["pairs"] == []
    assert "hog_svm.loss" in reads.measure_columns(round_)
    assert reads.report_of(round_)["missing"][0]["remedy"]


def test_without_any_label_people_and_report_remain(db):
    project, _ = make_striped_project(given=False, trials=False)

    round_ = run_round(project)

    assert round_.status == "succeeded"
    assert ("predictions", "No item has a label.") in missing(round_)
    assert not any(name.startswith("hog_svm") for name in reads.measure_columns(round_))
    assert reads.report_of(round_)["headline"][0]["value"] == "0 of 60"


def test_one_class_alone_teaches_nothing_and_says_so(db):
    project, _ = make_striped_project(classes=("across",), n_items=20, n_annotators=3)

    round_ = run_round(project)

    assert round_.status == "succeeded"
    assert ("predictions", "The project has one class only: there is nothing to tell apart.") in missing(round_)
    assert reads.comparison_of(round_)["human"]["n_items"] == 20


def test_an_image_that_is_gone_costs_only_itself(db):
    project, _ = make_striped_project()
    default_storage.delete(Image.objects.order_by("pk").first().file)

    round_ = run_round(project)

    assert round_.status == "succeeded"
    (said,) = [what for stage, what in missing(round_) if stage == "features"]
    assert said.startswith("1 image cannot be read or described: images/")
    rows, _ = reads.measures_page(round_, order_by="ordinal", descending=False, limit=60)
    assert rows[0]["hog_svm.loss"] is None
    assert all(row["hog_svm.loss"] is not None for row in rows[1:])


def test_imported_predictions_are_a_learner_and_a_warning_where_in_sample(db):
    project, _ = make_striped_project()
    items = list(project.items.order_by("ordinal"))
    belief = np.full((60, 3), 0.05)
    belief[np.arange(60), np.arange(60) % 3] = 0.9
    table = PredictionTable([item.path for item in items], ["across", "down", "slanted"], belief)
    store_predictions(project=project, name="mine", tables=[table], out_of_fold=False)

    round_ = run_round(project)

    assert [entry["name"] for entry in round_.params["learners"]] == ["hog_svm", "file:mine"]
    columns = reads.measure_columns(round_)
    assert "file:mine.loss" in columns
    assert "instance_hardness" not in columns, "a mean over learners needs two that are out of fold"
    assert any("The predictions mine are in-sample" in what for _, what in missing(round_))
    assert "mine is in-sample" in json.dumps(reads.report_of(round_)["sections"])


def test_hard_sets_of_the_round_before_weigh_more_in_the_next(db):
    project, _ = make_striped_project()
    first = run_round(project, strategies=["time_hard"])
    hard_set = HardSet.objects.get(round=first)

    second = run_round(project, strategies=["time_hard"], params={"include_hard_sets": [hard_set.pk]})

    assert second.params["include_hard_sets"] == [{"id": hard_set.pk, "weight": 2.0, "sha256": hard_set.sha256}]
    one, two = (Folder(round_.folder).read_arrays("predictions.npz")["hog_svm"] for round_ in (first, second))
    assert not np.array_equal(one, two)


def test_too_few_items_for_anything_still_end_in_a_report(db):
    project, _ = make_striped_project(n_items=3, n_annotators=1)

    round_ = run_round(project)

    assert round_.status == "succeeded"
    assert reads.report_of(round_)["missing"]
    assert Round.objects.get().summary["n_missing"] > 0


def test_trials_that_come_during_the_round_do_not_change_it(db, monkeypatch):
    project, _ = make_striped_project(n_items=20, n_annotators=3)
    round_ = rounds.start_round(project=project, params=QUICK, in_process=True)
    for stage in rounds.run_round_here(round_):
        if stage.name == "time_hardness":
            Trial.objects.filter(project=project).delete()

    assert reads.comparison_of(round_)["human"]["n_trials"] == 60


def test_neighbours_of_many_items_come_in_pieces_and_from_a_sample(db, monkeypatch):
    from mining.stages import neighbour_pieces

    def kdn_of(round_):
        return Folder(round_.folder).read_table("measures.parquet", ["kdn"])["kdn"]

    project, _ = make_striped_project(trials=False)
    whole = kdn_of(run_round(project))
    monkeypatch.setattr(neighbour_pieces, "FEWEST_A_PIECE", 7)
    monkeypatch.setattr(neighbour_pieces, "PIECES_WANTED", 1000)
    parted = run_round(project)
    assert kdn_of(parted).to_list() == whole.to_list()
    assert not [name for name in Folder(parted.folder).names() if name.startswith("neighbours")]

    monkeypatch.setattr(neighbour_pieces, "MOST_REFERENCES", 12)
    sampled = run_round(project)
    notes = [line.text for line in sampled.stages.get(name="measures").job.messages.all()]
    assert any(text.startswith("Neighbours were looked for among 12 random items of ") for text in notes)
    assert kdn_of(sampled).null_count() == whole.null_count()
