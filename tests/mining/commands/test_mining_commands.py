"""Commands of rounds: what they print, write, and how they fail."""

import json
from io import StringIO

import polars as pl
import pytest
from django.core.management import CommandError, call_command

from hardness_site.jobs.running import JobFailed
from mining.artifacts import Folder
from mining.models import HardSet, HardSetMember, Round
from mining.services import rounds
from mining.stages import STAGES
from tests import factories
from tests.mining.small_project import make_striped_project


def run(*words):
    """Return the lines of standard output and the text of standard error."""
    out, error = StringIO(), StringIO()
    call_command(*map(str, words), stdout=out, stderr=error)
    return out.getvalue().splitlines(), error.getvalue()


def refused(*words):
    with pytest.raises(CommandError) as reason:
        run(*words)
    return str(reason.value), reason.value.returncode


@pytest.fixture
def idle_stages(monkeypatch):
    """Stages that do nothing, but for those that the test names."""
    from types import SimpleNamespace

    does = {}

    def stand_in(module):
        name = module.rpartition(".")[2]
        return SimpleNamespace(run=does.get(name, lambda stage: stage.result()))

    monkeypatch.setattr("mining.jobs.import_module", stand_in)
    return does


@pytest.mark.parametrize("command", [("run_round",), ("hardness", "--out", "x.csv"), ("compare",)])
def test_an_unknown_project_is_named_beside_those_there_are(project, command):
    says, status = refused(command[0], "dogs", *command[1:])

    assert says == "There is no project 'dogs'. There are: pets."
    assert status == 1


def test_run_round_says_each_stage_and_the_number_last(project, idle_stages):
    factories.make_items(project, 2)

    out, error = run("run_round", "pets", "--wait")

    assert out == ["1"]
    assert error.splitlines()[0] == "1/9 Take down labels and times"
    assert len(error.splitlines()) == 9
    assert Round.objects.get().status == "succeeded"


def test_run_round_takes_learners_strategies_and_settings(project, idle_stages):
    factories.make_items(project, 2)

    run("run_round", "pets", "--wait", "--learner", "knn", "--learner", "logistic", "--strategy", "suspicious",
        "--set", "seed=7", "--set", "test_share=0.3", "--set", "label_source=given")  # fmt: skip

    params = Round.objects.get().params
    assert [entry["name"] for entry in params["learners"]] == ["knn", "logistic"]
    assert [entry["name"] for entry in params["strategies"]] == ["suspicious"]
    assert (params["seed"], params["test_share"], params["label_source"]) == (7, 0.3, "given")


def test_run_round_that_fails_says_why_and_resumes(project, idle_stages):
    factories.make_items(project, 2)

    def fail(stage):
        raise JobFailed("The disk is full.")

    idle_stages["features"] = fail
    says, status = refused("run_round", "pets", "--wait")
    assert says == "Round 1: describe the images failed. The disk is full. --resume runs it again."
    assert status == 1

    del idle_stages["features"]
    out, error = run("run_round", "pets", "--wait", "--resume")
    assert out == ["1"]
    assert error.splitlines()[0] == "3/9 Describe the images"


def test_an_interrupted_round_is_cancelled_and_resumes(project, idle_stages):
    factories.make_items(project, 2)

    def interrupt(stage):
        raise KeyboardInterrupt

    idle_stages["measures"] = interrupt
    says, _ = refused("run_round", "pets", "--wait")
    assert says == "Round 1 was cancelled. --resume goes on with it."
    assert Round.objects.get().status == "cancelled"

    del idle_stages["measures"]
    out, _ = run("run_round", "pets", "--wait", "--resume")
    assert out == ["1"]
    assert Round.objects.get().status == "succeeded"


def test_run_round_without_a_broker_says_what_to_do(project, settings, monkeypatch):
    factories.make_items(project, 2)
    monkeypatch.setattr("hardness_site.celery.app.connection_for_write", _no_broker)

    says, status = refused("run_round", "pets")

    assert "The broker cannot be reached (nobody answers)" in says
    assert "--wait" in says
    assert status == 1
    assert not Round.objects.exists()


def _no_broker():
    raise OSError("nobody answers")


def test_a_round_that_is_not_over_is_in_the_way_until_it_is_cancelled(project, idle_stages):
    factories.make_items(project, 2)
    rounds.start_round(project=project)

    assert "Round 1 of pets is not over yet" in refused("run_round", "pets", "--wait")[0]

    assert run("run_round", "pets", "--cancel")[0] == ["1"]
    assert run("run_round", "pets", "--wait")[0] == ["2"]


def test_wrong_usage_has_status_two(project):
    assert refused("run_round", "pets", "--set", "seed", "--wait")[1] == 2
    assert refused("hardness", "pets", "--out", "hardness.xlsx")[1] == 2


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_hardness_writes_every_item_without_a_round(db, tmp_path, suffix):
    project, truth = make_striped_project(n_items=20, n_annotators=4)
    path = tmp_path / f"hardness.{suffix}"

    out, error = run("hardness", project.slug, "--out", path)

    table = pl.read_csv(path) if suffix == "csv" else pl.read_parquet(path)
    assert out == [project.slug]
    assert "20 items, 80 trials by 4 annotators" in error
    assert len(table) == 20
    assert table["path"][0] == "across/000.png"
    assert table["people_label"][0] == "across"
    assert table["n_judgments"].to_list() == [4] * 20
    assert table["time_se"].null_count() == 0
    assert pl.DataFrame({"a": table["time_hardness"], "b": truth}).select(pl.corr("a", "b")).item() > 0.8


@pytest.mark.parametrize("measure", ["mean_rank_time", "disagreement", "time"])
def test_hardness_writes_the_measure_that_was_asked_for(db, tmp_path, measure):
    project, truth = make_striped_project(n_items=30)
    path = tmp_path / "hardness.csv"
    out, _ = run("hardness", project.slug, "--measure", measure, "--out", path)

    table = pl.read_csv(path)
    assert out == ["stripes"]
    assert table.columns[:4] == ["item", "path", measure, "time_hardness"]
    if measure == "disagreement":
        assert table[measure].is_between(0, 1).all()
    else:
        assert pl.DataFrame({"a": table[measure], "b": truth}).select(pl.corr("a", "b")).item() > 0.8


def test_hardness_by_answers_needs_no_times_and_times_no_answers(db, tmp_path):
    project, _ = make_striped_project(n_items=12, times=False)
    run("hardness", project.slug, "--measure", "label_entropy", "--out", tmp_path / "h.csv")
    assert pl.read_csv(tmp_path / "h.csv")["label_entropy"].null_count() == 0
    assert "No response time can be used" in refused("hardness", project.slug, "--out", tmp_path / "n.csv")[0]


def test_an_unknown_measure_is_named_beside_those_there_are(project, tmp_path):
    says, status = refused("hardness", "pets", "--measure", "speed", "--out", tmp_path / "h.csv")
    assert says.startswith("No measure is called 'speed'. There are: time, time_and_labels, ")
    assert status == 2


def test_hardness_without_times_says_what_is_missing(project, tmp_path):
    factories.make_items(project, 2)

    says, _ = refused("hardness", "pets", "--out", tmp_path / "h.csv")

    assert says.startswith("No response time can be used")
    assert not (tmp_path / "h.csv").exists()


def test_a_folder_that_is_not_there_is_named(db, tmp_path):
    project, _ = make_striped_project(n_items=6, n_annotators=2)

    says, _ = refused("hardness", project.slug, "--out", tmp_path / "no" / "h.csv")

    assert "h.csv cannot be written: No such file or directory" in says


@pytest.fixture
def compared(project):
    """Return a finished round with a comparison of one measure."""
    round_ = Round.objects.create(project=project, number=3, folder="rounds/1/3", status="succeeded")
    between = {"value": 0.5, "low": 0.25, "high": 0.75, "n": 9, "reason": ""}
    pair = {
        "measure": "hog_svm.loss", "spearman": between, "within_classes": between, "between_classes": {"value": None},
        "disattenuated": between, "overlap": {"k": 1, "share": 0.4, "chance": 0.1},
    }  # fmt: skip
    comparison = {
        "human": {"n_items": 9, "n_trials": 90, "n_annotators": 10, "reliability": {"value": 0.64}, "ceiling": 0.8},
        "main": "hog_svm.loss", "pairs": [pair], "quadrants": None, "missing": [],
    }  # fmt: skip
    Folder(round_.folder).write_json("comparison.json", comparison)
    return round_


def test_compare_is_a_table(compared):
    out, _ = run("compare", "pets")

    assert "split-half reliability 0.64, ceiling of a correlation 0.80" in out[0]
    assert out[3].split() == ["hog_svm.loss", "0.50", "0.25", "to", "0.75", "0.50", "-", "0.50", "0.40"]
    assert out[-1] == "pets"


def test_compare_as_json_is_the_whole_comparison(compared):
    out, _ = run("compare", "pets", "--json")

    whole = json.loads("\n".join(out))
    assert (whole["project"], whole["round"], whole["synthetic"]) == ("pets", 3, False)
    assert whole["pairs"][0]["spearman"]["value"] == 0.5


def test_compare_without_a_round_says_how_to_make_one(project):
    says, _ = refused("compare", "pets")

    assert says == "pets has no finished round yet: run_round pets --wait makes one."


@pytest.fixture
def hard_set(project):
    (item,) = factories.make_items(project, 1)
    round_ = Round.objects.create(project=project, number=1, folder="rounds/1/1", status="succeeded")
    made = HardSet.objects.create(round=round_, strategy="time_hard", sha256="0" * 64, n_members=1)
    HardSetMember.objects.create(hard_set=made, item=item, rank=1, score=1.0, reason="slow")
    return made


def test_export_hard_set_writes_the_file_and_prints_the_id(hard_set, tmp_path):
    path = tmp_path / "set.jsonl"

    out, error = run("export_hard_set", hard_set.pk, "--format", "jsonl", "--out", path)

    assert out == [str(hard_set.pk)]
    assert error.strip() == f"1 members written to {path}."
    assert [json.loads(line).get("rank") for line in path.read_text().splitlines()] == [None, 1]


def test_export_of_no_hard_set_names_the_latest(hard_set, tmp_path):
    says, status = refused("export_hard_set", 999, "--format", "csv", "--out", tmp_path / "x.csv")

    assert says == f"There is no hard set 999. The latest are: {hard_set.pk} (pets, time_hard)"
    assert status == 1


def test_import_predictions_prints_the_learner_and_warns_of_training_data(project, tmp_path):
    factories.make_items(project, 2)
    path = tmp_path / "p.csv"
    path.write_text("item,cat,dog\nimage-0000.png,0.9,0.1\n")

    out, error = run("import_predictions", "pets", path, "--name", "resnet", "--in-sample")

    assert out == ["file:resnet"]
    assert "Warning: predictions of items the model was trained on make every item look easier than it is" in error
    assert "1 items of pets have no prediction" in error


def test_import_predictions_lists_every_problem_and_stores_nothing(project, tmp_path):
    factories.make_items(project, 2)
    path = tmp_path / "p.csv"
    path.write_text("item,cat,dog\nimage-0000.png,0.9,0.2\nelsewhere.png,0.5,0.5\n")

    error = StringIO()
    with pytest.raises(CommandError, match=r"Nothing was stored: 2 problems in p\.csv"):
        call_command("import_predictions", "pets", str(path), "--name", "resnet", "--out-of-fold", stderr=error)

    assert error.getvalue().splitlines() == [
        "row 2: the probabilities sum to 1.1, not to 1 (if they are logits, say so)",
        "row 3: 'elsewhere.png' is no item of pets: use the path given at import.",
    ]


def test_import_predictions_wants_to_know_whether_they_are_out_of_fold(project, tmp_path):
    with pytest.raises(CommandError, match="one of the arguments --out-of-fold --in-sample is required"):
        run("import_predictions", "pets", tmp_path / "p.csv", "--name", "resnet")


def test_import_predictions_takes_epochs_and_wants_to_know_that_they_are(project, tmp_path):
    factories.make_items(project, 2)
    paths = [tmp_path / f"epoch-{number}.csv" for number in range(2)]
    for path in paths:
        path.write_text("item,cat,dog\nimage-0000.png,2,1\nimage-0001.png,-1,1\n")
    words = ("import_predictions", "pets", *paths, "--name", "resnet", "--out-of-fold", "--logits")

    says, status = refused(*words)
    assert says == "What are the 2 files? Say --files-are folds, seeds, epochs."
    assert status == 2
    out, error = run(*words, "--files-are", "epochs")
    assert out == ["file:resnet"]
    assert error == "2 predictions stored.\n"


def test_every_stage_has_a_file():
    from importlib import import_module

    for name in STAGES:
        assert callable(import_module(f"mining.stages.{name}").run), name
