import json

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st

from annotations.models import ItemAlias
from mining.artifacts import Folder, project_folder
from mining.prediction_checks import PredictionsRefused, PredictionTable
from mining.prediction_files import read_predictions
from mining.predictions import aligned_epochs, aligned_predictions
from mining.selectors.choices import imported_predictions
from mining.services.predictions import drop_predictions, store_predictions
from tests import factories

PATHS = ["image-0000.png", "image-0001.png", "image-0002.png"]
GOOD = [[0.9, 0.1], [0.25, 0.75], [0.5, 0.5]]


@pytest.fixture
def items(project):
    return factories.make_items(project, 3)


def store(project, values, *, paths=PATHS, classes=("cat", "dog"), name="mine", **options):
    table = PredictionTable(list(paths), list(classes), np.array(values, dtype=float))
    return store_predictions(project=project, name=name, tables=[table], **{"out_of_fold": True, **options})


def problems(project, values, **options):
    with pytest.raises(PredictionsRefused) as refused:
        store(project, values, **options)
    assert imported_predictions(project) == []
    assert project_folder("predictions", project.pk).names() == []
    assert Folder(f"predictions/{project.pk}/mine").names() == []
    return [(one.row, one.text) for one in refused.value.problems]


def aligned(project, items):
    cube, about = aligned_predictions(project, "file:mine", np.array([item.pk for item in items]), 2)
    assert cube.shape[0] == 1
    return cube[0], about


def test_predictions_become_a_learner(project, items):
    stored = store(project, GOOD)

    assert (stored.learner, stored.n_items, stored.n_without, stored.out_of_fold) == ("file:mine", 3, 0, True)
    assert [entry["learner"] for entry in imported_predictions(project)] == ["file:mine"]
    probabilities, about = aligned(project, items[::-1])
    assert probabilities == pytest.approx(np.array(GOOD)[::-1])
    assert about["out_of_fold"] is True


def test_columns_may_come_in_any_order_and_items_be_missing(project, items):
    stored = store(project, [[0.1, 0.9]], paths=PATHS[1:2], classes=("dog", "cat"))

    assert stored.n_without == 2
    probabilities, _ = aligned(project, items)
    assert probabilities[1] == pytest.approx([0.9, 0.1])
    assert np.isnan(probabilities[[0, 2]]).all()


def test_other_paths_of_the_same_image_are_known(project, items):
    ItemAlias.objects.create(project=project, item=items[2], path="copy.png")

    store(project, [[0.2, 0.8]], paths=["copy.png"])

    probabilities, _ = aligned(project, items)
    assert probabilities[2] == pytest.approx([0.2, 0.8])
    assert np.isnan(probabilities[:2]).all()


def test_logits_become_probabilities(project, items):
    store(project, [[0.0, np.log(3)], [1000.0, 0.0], [5.0, 5.0]], logits=True)

    probabilities, _ = aligned(project, items)
    assert probabilities == pytest.approx(np.array([[0.25, 0.75], [1, 0], [0.5, 0.5]]), abs=1e-6)


def test_every_bad_row_is_named_and_nothing_stored(project, items):
    values = [[0.9, 0.2], [np.nan, 0.75], [1.5, -0.5], [0.5, 0.5], [0.5, 0.5]]

    assert problems(project, values, paths=[*PATHS, "nowhere.png", PATHS[0]]) == [
        (1, "the probabilities sum to 1.1, not to 1 (if they are logits, say so)"),
        (2, "the value of 'cat' is not a number, or not finite"),
        (3, "the value of 'cat' is 1.5, no probability (if they are logits, say so)"),
        (4, "'nowhere.png' is no item of pets: use the path given at import."),
        (5, "'image-0000.png' is the item of row 1 again."),
    ]


def test_the_columns_must_be_the_classes(project, items):
    assert problems(project, GOOD, classes=("cat", "cow")) == [
        (0, "The column 'cow' is no class of pets."),
        (0, "There is no column for the class 'dog'."),
    ]


def test_a_name_is_a_name(project, items):
    assert "'../../etc' is no name" in problems(project, GOOD, name="../../etc")[0][1]


def test_importing_again_replaces(project, items):
    store(project, GOOD)
    store(project, GOOD, out_of_fold=False)

    assert [entry["out_of_fold"] for entry in imported_predictions(project)] == [False]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
def test_three_kinds_of_files_say_the_same(tmp_path, suffix):
    path = tmp_path / f"predictions{suffix}"
    table = pl.DataFrame({"item": PATHS, "cat": [0.9, 0.25, 0.5], "dog": [0.1, 0.75, 0.5]})
    if suffix == ".csv":
        table.write_csv(path)
    elif suffix == ".parquet":
        table.write_parquet(path)
    else:
        np.savez(path, item=np.array(PATHS), classes=np.array(["cat", "dog"]), probabilities=np.array(GOOD))

    read = read_predictions(path)

    assert (read.paths, read.classes) == (PATHS, ["cat", "dog"])
    assert read.values == pytest.approx(np.array(GOOD))
    assert read.first_row == (2 if suffix == ".csv" else 1)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("p.txt", b"", "p.txt must end in .csv, .parquet, .npz, .json"),
        ("p.csv", b"path,cat\nx,1\n", "There is no column 'item'; there are 'path', 'cat'"),
        ("p.csv", b"", "p.csv cannot be read as CSV"),
        ("p.parquet", b"no parquet", "p.parquet cannot be read as PARQUET"),
        ("p.npz", b"no zip", "p.npz cannot be read as NPZ"),
    ],
)
def test_what_is_no_such_file_is_said(tmp_path, name, content, says):
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(PredictionsRefused, match=says):
        read_predictions(path)


def test_a_pickle_in_an_npz_is_not_opened(tmp_path):
    path = tmp_path / "p.npz"
    np.savez(path, item=np.array([{"a": 1}], dtype=object), classes=np.array(["cat"]), probabilities=np.ones((1, 1)))

    with pytest.raises(PredictionsRefused, match="cannot be read as NPZ"):
        read_predictions(path)


def test_words_among_numbers_are_named_by_row(project, items, tmp_path):
    path = tmp_path / "p.csv"
    path.write_text(f"item,cat,dog\n{PATHS[0]},0.9,0.1\n{PATHS[1]},much,0.1\n")

    with pytest.raises(PredictionsRefused, match="row 3: the value of 'cat' is not a number"):
        store_predictions(project=project, name="mine", tables=[read_predictions(path)], out_of_fold=True)


def several(project, tables, kind, **options):
    made = [
        PredictionTable(list(paths), ["cat", "dog"], np.array(values, dtype=float), file=f"{number}.csv")
        for number, (paths, values) in enumerate(tables)
    ]
    return store_predictions(
        project=project, name="mine", tables=iter(made), files_are=kind, **{"out_of_fold": True, **options}
    )


def test_folds_are_parts_of_one_prediction(project, items):
    stored = several(project, [(PATHS[:1], GOOD[:1]), (PATHS[1:], GOOD[1:])], "folds")

    assert (stored.n_items, stored.n_files) == (3, 2)
    assert aligned(project, items)[0] == pytest.approx(np.array(GOOD))


def test_an_item_in_two_folds_is_named_with_both_places(project, items):
    with pytest.raises(PredictionsRefused) as refused:
        several(project, [(PATHS[:2], GOOD[:2]), (PATHS[1:], GOOD[1:])], "folds")

    assert [tuple(one) for one in refused.value.problems] == [
        (1, "'image-0001.png' is the item of 0.csv, row 2 again.", "1.csv")
    ]


def test_seeds_make_a_cube(project, items):
    several(project, [(PATHS, GOOD), (PATHS[::-1], GOOD)], "seeds")

    cube, about = aligned_predictions(project, "file:mine", np.array([item.pk for item in items]), 2)
    assert cube == pytest.approx(np.array([GOOD, GOOD[::-1]]))
    assert (about["files_are"], about["n_files"], about["n_items"]) == ("seeds", 2, 3)
    assert aligned_epochs(project, "file:mine", np.array([item.pk for item in items]), 2) is None


def test_of_epochs_the_last_counts_and_all_can_be_followed(project, items):
    flat = [[0.5, 0.5]] * 3
    several(project, [(PATHS, flat), (PATHS, GOOD)], "epochs")

    assert aligned(project, items)[0] == pytest.approx(np.array(GOOD))
    followed = list(aligned_epochs(project, "file:mine", np.array([item.pk for item in items]), 2))
    assert np.stack(followed) == pytest.approx(np.array([flat, GOOD]))


def test_epochs_must_have_the_same_items(project, items):
    with pytest.raises(PredictionsRefused) as refused:
        several(project, [(PATHS[:2], GOOD[:2]), (PATHS[1:], GOOD[1:])], "epochs")

    assert [tuple(one) for one in refused.value.problems] == [
        (0, "there is no row for 'image-0000.png', which the first file has", "1.csv"),
        (0, "'image-0002.png' is not in the first file", "1.csv"),
    ]
    assert imported_predictions(project) == []
    assert Folder(f"predictions/{project.pk}/mine").names() == []


def test_one_epoch_is_no_training(project, items):
    with pytest.raises(PredictionsRefused, match="one file an epoch"):
        several(project, [(PATHS, GOOD)], "epochs")


def test_a_refused_import_leaves_the_one_before(project, items):
    store(project, GOOD)
    with pytest.raises(PredictionsRefused):
        store(project, [[0.9, 0.3]], paths=PATHS[:1])

    assert aligned(project, items)[0] == pytest.approx(np.array(GOOD))


def test_a_new_import_removes_the_files_of_the_one_before(project, items):
    several(project, [(PATHS, GOOD)] * 3, "seeds")
    store(project, GOOD)

    assert len(Folder(f"predictions/{project.pk}/mine").names()) == 1


def test_dropped_predictions_are_gone(project, items):
    store(project, GOOD)

    assert drop_predictions(project=project, name="mine") is True
    assert imported_predictions(project) == []
    assert Folder(f"predictions/{project.pk}/mine").names() == []
    assert drop_predictions(project=project, name="mine") is False
    assert drop_predictions(project=project, name="../1/other") is False


def test_classes_added_since_have_probability_zero(project, items):
    store(project, GOOD)

    cube, _ = aligned_predictions(project, "file:mine", np.array([items[0].pk, 10**9]), 3)
    assert cube[0, 0] == pytest.approx([0.9, 0.1, 0.0])
    assert np.isnan(cube[0, 1]).all()


def test_a_file_of_logits_says_so_itself(project, items, tmp_path):
    path = tmp_path / "p.npz"
    np.savez(path, item=np.array(PATHS), classes=np.array(["cat", "dog"]), logits=np.array([[0, np.log(3)]] * 3))

    store_predictions(project=project, name="mine", tables=[read_predictions(path)], out_of_fold=True)

    assert aligned(project, items)[0] == pytest.approx(np.array([[0.25, 0.75]] * 3))


def test_json_says_the_same_as_a_table(tmp_path):
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"item": PATHS, "classes": ["cat", "dog"], "probabilities": GOOD}))

    read = read_predictions(path)

    assert (read.paths, read.classes, read.first_row) == (PATHS, ["cat", "dog"], 1)
    assert read.values == pytest.approx(np.array(GOOD))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([], "needs the keys item, classes and probabilities"),
        ({"item": PATHS, "classes": ["cat"]}, "needs the keys item, classes and probabilities"),
        ({"item": PATHS, "classes": ["cat"], "probabilities": [[1], [1, 2], [1]]}, "rows of numbers, all of the same"),
        ({"item": [1, 2, 3], "classes": ["cat"], "probabilities": [[1]] * 3}, "item must be a list of text"),
        ({"item": PATHS, "classes": ["cat"], "probabilities": [[1]] * 2}, "The shapes do not fit"),
        ({"item": [], "classes": ["cat"], "probabilities": []}, "The file has no rows"),
    ],
)
def test_json_of_another_shape_is_said(tmp_path, content, says):
    path = tmp_path / "p.json"
    path.write_text(json.dumps(content))

    with pytest.raises(PredictionsRefused, match=says):
        read_predictions(path)


def test_a_small_file_that_unpacks_to_very_much_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("mining.prediction_files.MOST_NUMBERS", 1000)
    zeros = np.zeros((2000, 2), dtype=np.float32)
    np.savez_compressed(tmp_path / "p.npz", item=np.array(PATHS), classes=np.array(["cat", "dog"]), probabilities=zeros)
    pl.DataFrame({"item": ["a"] * 2000, "cat": [0.0] * 2000}).write_parquet(tmp_path / "p.parquet")

    for name in ("p.npz", "p.parquet"):
        with pytest.raises(PredictionsRefused, match="is the most in one file"):
            read_predictions(tmp_path / name)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@for_all(suffix=st.sampled_from([".csv", ".parquet", ".npz", ".json"]), content=st.binary(max_size=300))
def test_no_bytes_bring_a_reader_down(tmp_path, suffix, content):
    path = tmp_path / f"p{suffix}"
    path.write_bytes(content)
    try:
        read = read_predictions(path)
    except PredictionsRefused as reason:
        assert reason.problems[0].text
    else:
        assert read.values.shape == (len(read.paths), len(read.classes))
