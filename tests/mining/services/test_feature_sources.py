"""Networks and vectors that describe items: checked, stored, and used by a round."""

import numpy as np
import polars as pl
import pytest

from mining.artifacts import Folder
from mining.feature_files import open_feature_file
from mining.models import FeatureSource
from mining.networks.process import NetworkRefused
from mining.prediction_checks import PredictionsRefused
from mining.selectors import rounds as reads
from mining.services import rounds
from mining.services.feature_sources import drop_source, store_features, store_network
from tests.mining.networks import tiny_network
from tests.mining.small_project import QUICK, make_striped_project

LEARNERS = [{"name": "logistic", "params": {}}]


@pytest.fixture
def stripes(db):
    project, _ = make_striped_project(n_items=30, trials=False)
    return project, list(project.items.order_by("ordinal"))


def run(project, **params):
    round_ = rounds.start_round(
        project=project, params={**QUICK, **params}, learners=LEARNERS, strategies=["suspicious"], in_process=True
    )
    for _ in rounds.run_round_here(round_):
        pass
    assert round_.status == "succeeded", [stage.result for stage in reads.stages_of(round_)]
    return round_


def said(round_):
    return [entry["what"] for stage in reads.stages_of(round_) for entry in stage.result["missing"]]


def telling(items, generator):
    """Vectors that give the class away."""
    return np.eye(3)[[i % 3 for i in range(len(items))]] + generator.normal(0, 0.1, (len(items), 3))


def write_all(folder, items, vectors):
    paths = [item.path for item in items]
    np.save(folder / "v.npy", vectors.astype(np.float32))
    (folder / "v.txt").write_text("\n".join(paths) + "\n")
    np.savez(folder / "v.npz", item=np.array(paths), features=vectors)
    pl.DataFrame({"item": paths, "v": vectors.tolist()}).write_parquet(folder / "lists.parquet")
    columns = {f"x{place}": vectors[:, place] for place in range(vectors.shape[1])}
    pl.DataFrame({"item": paths, **columns}).write_parquet(folder / "columns.parquet")


def test_every_kind_of_file_stores_the_same(stripes, tmp_path):
    project, items = stripes
    write_all(tmp_path, items, telling(items, np.random.default_rng(0)).astype(np.float32))
    found = {}
    for name, listed in [("v.npy", "v.txt"), ("v.npz", None), ("lists.parquet", None), ("columns.parquet", None)]:
        table = open_feature_file(tmp_path / name, tmp_path / listed if listed else None)
        source = store_features(project=project, name="mine", table=table)
        found[name] = (source.sha256, source.n_items, source.dimension)
    assert len(set(found.values())) == 1
    assert found["v.npy"][1:] == (30, 3)
    assert FeatureSource.objects.count() == 1


def test_a_round_uses_features_of_a_file_and_goes_on_with_half_the_items(stripes, tmp_path):
    project, items = stripes
    write_all(tmp_path, items[:15], telling(items[:15], np.random.default_rng(0)))
    store_features(project=project, name="half", table=open_feature_file(tmp_path / "lists.parquet"))

    round_ = run(project, feature_kind="file:half")

    assert "The features half have 15 of 30 items." in said(round_)
    rows, _ = reads.measures_page(round_, order_by="ordinal", descending=False, limit=30)
    assert [row["logistic.loss"] is not None for row in rows] == [True] * 15 + [False] * 15
    assert Folder(round_.folder).read_json("features.json")["settings"]["name"] == "half"
    assert Folder(round_.folder).read_json("predictions.json")["learners"][0]["accuracy"] == 1.0
    assert len(round_.params["feature_sha256"]) == 64


def test_problems_are_listed_with_their_rows(stripes, tmp_path):
    project, items = stripes
    vectors = np.ones((4, 2))
    vectors[3, 1] = np.nan
    paths = [items[0].path, "nobody.png", items[0].path, items[1].path]
    np.savez(tmp_path / "bad.npz", item=np.array(paths), features=vectors)

    with pytest.raises(PredictionsRefused) as refused:
        store_features(project=project, name="bad", table=open_feature_file(tmp_path / "bad.npz"))

    assert [(one.row, one.text) for one in refused.value.problems] == [
        (2, "'nobody.png' is no item of stripes: use the path given at import."),
        (3, f"'{items[0].path}' is the item of row 1 again."),
        (4, "number 2 is nan, not finite"),
    ]
    assert not FeatureSource.objects.exists()
    assert Folder(f"features/{project.pk}").names() == []


def test_lists_of_different_length_are_named(stripes, tmp_path):
    project, items = stripes
    paths = [item.path for item in items[:3]]
    pl.DataFrame({"item": paths, "v": [[1.0, 2.0], [1.0], [0.0, 1.0]]}).write_parquet(tmp_path / "w.parquet")
    with pytest.raises(PredictionsRefused) as refused:
        store_features(project=project, name="w", table=open_feature_file(tmp_path / "w.parquet"))
    assert [(one.row, one.text) for one in refused.value.problems] == [(2, "it has 1 numbers; the first row has 2")]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.npy", b"no array", "cannot be read as NPY"),
        ("a.parquet", b"PAR1", "cannot be read as PARQUET"),
        ("a.npz", b"PK", "cannot be read as NPZ"),
        ("a.pkl", b"", "must end in .npy, .npz, .parquet"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    (tmp_path / "list.txt").write_text("a\n")
    with pytest.raises(PredictionsRefused, match=says):
        open_feature_file(tmp_path / name, tmp_path / "list.txt" if name == "a.npy" else None)


def test_pickles_are_never_read(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    (tmp_path / "list.txt").write_text("a\n")
    with pytest.raises(PredictionsRefused, match="cannot be read"):
        open_feature_file(tmp_path / "a.npy", tmp_path / "list.txt")


def test_a_list_of_items_must_fit(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((2, 2)))
    (tmp_path / "list.txt").write_text("a\n")
    with pytest.raises(PredictionsRefused, match=r"2 vectors in .* and 1 items in the list"):
        open_feature_file(tmp_path / "a.npy", tmp_path / "list.txt")
    with pytest.raises(PredictionsRefused, match="needs a list of its items"):
        open_feature_file(tmp_path / "a.npy")


def test_a_round_uses_a_network_and_the_next_one_its_cached_features(stripes):
    project, _ = stripes
    data = tiny_network(dimension=24).SerializeToString()
    source = store_network(project=project, name="tiny", data=data, declared={"normalisation": "unit"})
    assert (source.choice, source.dimension, source.facts["width"]) == ("network:tiny", 24, 16)

    first, second = run(project, feature_kind="network:tiny"), run(project, feature_kind="network:tiny")

    one, two = (Folder(round_.folder).read_json("manifest.json")["files"] for round_ in (first, second))
    assert one["predictions"] == two["predictions"]
    described = [round_.stages.get(name="features").result["n_described"] for round_ in (first, second)]
    assert described == [30, 0]
    assert Folder(first.folder).read_json("features.json")["settings"]["name"] == "tiny"

    drop_source(source=source)
    with pytest.raises(rounds.RoundRefused, match="feature_kind is one of hog, pixels, not 'network:tiny'"):
        run(project, feature_kind="network:tiny")


def test_a_refused_network_leaves_nothing(stripes):
    project, _ = stripes
    with pytest.raises(NetworkRefused):
        store_network(project=project, name="bad", data=b"no network", declared={"normalisation": "unit"})
    assert not FeatureSource.objects.exists()
    assert Folder(f"networks/{project.pk}").names() == []


def test_a_source_that_was_replaced_under_a_round_is_said(stripes, tmp_path):
    project, items = stripes
    write_all(tmp_path, items, telling(items, np.random.default_rng(0)))
    table = open_feature_file(tmp_path / "lists.parquet")
    store_features(project=project, name="mine", table=table)
    round_ = rounds.start_round(
        project=project, params={**QUICK, "feature_kind": "file:mine"}, learners=LEARNERS, in_process=True
    )
    FeatureSource.objects.all().delete()
    for _ in rounds.run_round_here(round_):
        pass
    assert round_.status == "succeeded"
    assert any("the file mine was removed or replaced" in what for what in said(round_))
