"""Groups never straddle folds, whatever ties them."""

import numpy as np
import polars as pl
import pytest

from mining.artifacts import Folder
from mining.prediction_checks import PredictionsRefused
from mining.selectors import rounds as reads
from mining.services import rounds
from mining.services.groups import read_groups, store_groups
from mining.stages.groups import tied_together
from tests.mining.small_project import QUICK, make_striped_project


def test_ties_are_chained_and_numbered_by_first_appearance():
    image = np.array([5, 5, 6, 7, 8, 9])
    patient = np.array([-1, 3, 3, -1, 4, -1])
    assert tied_together([image, patient]).tolist() == [0, 0, 0, 1, 2, 3]
    assert tied_together([image]).tolist() == [0, 0, 1, 2, 3, 4]


def test_items_of_a_named_group_are_held_out_together(db):
    project, _ = make_striped_project(n_items=36, trials=False)
    items = list(project.items.order_by("ordinal"))
    patient = [f"p{place // 3}" for place in range(36)]  # one of each class
    store_groups(project=project, name="patient", paths=pl.Series([i.path for i in items]), values=pl.Series(patient))

    round_ = rounds.start_round(project=project, params={**QUICK, "groups": "patient"}, in_process=True)
    for _ in rounds.run_round_here(round_):
        pass

    folder = Folder(round_.folder)
    held = {}
    for name in Folder(f"{round_.folder}/folds").names():
        for item in folder.read_arrays(f"folds/{name}")["items"].tolist():
            held[item] = name
    assert len(held) == 36
    assert len(set(held.values())) == 3
    for start in range(0, 36, 3):
        assert len({held[start], held[start + 1], held[start + 2]}) == 1


def test_groups_with_problems_are_refused_by_row(db, tmp_path):
    project, _ = make_striped_project(n_items=3, trials=False)
    (tmp_path / "g.csv").write_text("item,a,b\nnobody,1,2\n")
    with pytest.raises(PredictionsRefused, match="several columns"):
        read_groups(tmp_path / "g.csv")
    items, values, first_row = read_groups(tmp_path / "g.csv", column="b")
    with pytest.raises(PredictionsRefused, match="row 2: 'nobody' is no item of stripes"):
        store_groups(project=project, name="x", paths=items, values=values, first_row=first_row)


def test_unknown_groups_are_refused_before_anything_starts(db):
    project, _ = make_striped_project(n_items=3, trials=False)
    with pytest.raises(rounds.RoundRefused, match="No groups are called 'gone'"):
        rounds.start_round(project=project, params={"groups": "gone"})
    assert not list(reads.rounds_of(project))
