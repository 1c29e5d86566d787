"""The whole loop by commands on real people's times on real images. The data lie outside the project."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import polars as pl
import pytest
from django.core.management import call_command

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "speeded_recognition" / "silhouettes"

QUICK = ("--set", "retraining_seeds=2", "--set", "n_resamples=200")
"""The figures are the same, their intervals coarser."""

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"NOT TESTED: the silhouettes are not at {DATA}"),
]


def run(*words):
    out = StringIO()
    call_command(*map(str, words), stdout=out, stderr=StringIO())
    return out.getvalue().splitlines()


@pytest.mark.long(seconds=60)
def test_from_a_folder_and_a_file_of_trials_to_a_comparison(db, tmp_path):
    classes = sorted(folder.name for folder in (DATA / "images").iterdir())
    assert run("create_project", "Silhouettes", "--classes", ",".join(classes), "--overlap", 10)[-1] == "silhouettes"
    run("import_images", "silhouettes", DATA / "images", "--labels-from-folders")
    run("import_trials", "silhouettes", DATA / "trials.csv")

    assert run("run_round", "silhouettes", "--wait", *QUICK)[-1] == "1"

    path = tmp_path / "hardness.csv"
    assert run("hardness", "silhouettes", "--out", path)[-1] == "silhouettes"
    table = pl.read_csv(path)
    assert (len(table), table["n_judgments"].sum(), table["n_censored"].sum()) == (160, 1600, 22)
    comparison = json.loads("\n".join(run("compare", "silhouettes", "--json")))
    assert comparison["human"]["n_trials"] == 1600
    assert comparison["human"]["reliability"]["value"] > 0.6
    pairs = {pair["measure"]: pair for pair in comparison["pairs"]}
    # People slow down where they disagree; single models agree with people in part (METHODS: .2 to .4).
    assert pairs["disagreement"]["spearman"]["value"] > 0.5
    assert 0.1 < pairs["hog_svm.loss"]["spearman"]["value"] < 0.6
    assert pairs["hog_svm.loss"]["spearman"]["low"] > 0
    assert sum(cell["count"] for cell in comparison["quadrants"]["cells"]) == 160
