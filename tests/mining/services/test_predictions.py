import numpy as np
import polars as pl
import pytest

from annotations.models import ItemAlias
from mining.artifacts import project_folder
from mining.prediction_files import read_predictions
from mining.predictions import aligned_predictions
from mining.selectors.choices import imported_predictions
from mining.services.predictions import PredictionsRefused, PredictionTable, store_predictions
from tests import factories

PATHS = ["image-0000.png", "image-0001.png", "image-0002.png"]
GOOD = [[0.9, 0.1], [0.25, 0.75], [0.5, 0.5]]


@pytest.fixture
def items(project):
    return factories.make_items(project, 3)


def store(project, values, *, paths=PATHS, classes=("cat", "dog"), name="mine", **options):
    table = PredictionTable(list(paths), list(classes), np.array(values, dtype=float))
    return store_predictions(project=project, name=name, table=table, **{"out_of_fold": True, **options})


def problems(project, values, **options):
    with pytest.raises(PredictionsRefused) as refused:
        store(project, values, **options)
    assert imported_predictions(project) == []
    return refused.value.problems


def test_predictions_become_a_learner(project, items):
    stored = store(project, GOOD)

    assert (stored.learner, stored.n_items, stored.n_without, stored.out_of_fold) == ("file:mine", 3, 0, True)
    assert [entry["learner"] for entry in imported_predictions(project)] == ["file:mine"]
    ids = np.array([item.pk for item in items])
    probabilities, about = aligned_predictions(project, "file:mine", ids[::-1], 2)
    assert probabilities == pytest.approx(np.array(GOOD)[::-1])
    assert about["out_of_fold"] is True


def test_columns_may_come_in_any_order_and_items_be_missing(project, items):
    stored = store(project, [[0.1, 0.9]], paths=PATHS[1:2], classes=("dog", "cat"))

    assert stored.n_without == 2
    probabilities, _ = aligned_predictions(project, "file:mine", np.array([item.pk for item in items]), 2)
    assert probabilities[1] == pytest.approx([0.9, 0.1])
    assert np.isnan(probabilities[[0, 2]]).all()


def test_other_paths_of_the_same_image_are_known(project, items):
    ItemAlias.objects.create(project=project, item=items[2], path="copy.png")

    store(project, [[0.2, 0.8]], paths=["copy.png"])

    assert project_folder("predictions", project.pk).read_arrays("mine.npz")["item"].tolist() == [items[2].pk]


def test_logits_become_probabilities(project, items):
    store(project, [[0.0, np.log(3)], [1000.0, 0.0], [5.0, 5.0]], logits=True)

    probabilities, _ = aligned_predictions(project, "file:mine", np.array([item.pk for item in items]), 2)
    assert probabilities == pytest.approx(np.array([[0.25, 0.75], [1, 0], [0.5, 0.5]]), abs=1e-6)


def test_every_bad_row_is_named_and_nothing_stored(project, items):
    values = [[0.9, 0.2], [np.nan, 0.75], [1.5, -0.5], [0.5, 0.5], [0.5, 0.5]]

    assert problems(project, values, paths=[*PATHS, "nowhere.png", PATHS[0]]) == [
        (1, "the probabilities sum to 1.1, not to 1 (for logits say --logits)"),
        (2, "cat is not a number or not finite"),
        (3, "cat is 1.5, no probability"),
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
        ("p.txt", b"", "p.txt must end in .csv, .parquet, .npz"),
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

    with pytest.raises(PredictionsRefused, match="row 3: cat is not a number"):
        store_predictions(project=project, name="mine", table=read_predictions(path), out_of_fold=True)
