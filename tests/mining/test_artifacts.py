import json

import numpy as np
import polars as pl
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import Storage

from mining.artifacts import ArtifactMissing, Folder, plain


class StorageWithoutPaths(Storage):
    """Object stores have no path on this machine and no folders, and replace what has the same name."""

    file_overwrite = True

    def __init__(self):
        self.objects = {}

    def get_available_name(self, name, max_length=None):
        return name

    def _save(self, name, content):
        self.objects[name] = content.read()
        return name

    def _open(self, name, mode="rb"):
        if name not in self.objects:
            raise FileNotFoundError(name)
        return ContentFile(self.objects[name])

    def exists(self, name):
        return name in self.objects

    def delete(self, name):
        self.objects.pop(name, None)

    def listdir(self, path):
        return [], [name.removeprefix(f"{path}/") for name in self.objects if name.startswith(f"{path}/")]


@pytest.fixture(params=["files", "elsewhere"])
def folder(request, settings):
    """Return a folder on this machine, and one in a storage that has no paths (as S3)."""
    if request.param == "elsewhere":
        memory = {"BACKEND": "tests.mining.test_artifacts.StorageWithoutPaths"}
        settings.STORAGES = {**settings.STORAGES, "artifacts": memory}
    return Folder("rounds/1/1")


def test_tables_arrays_and_json_come_back_as_they_were_written(folder):
    table = pl.DataFrame({"item": [3, 1], "loss": [0.5, None]})
    folder.write_table("measures.parquet", table)
    folder.write_arrays("cube.npz", {"svm": np.arange(6, dtype=np.float32).reshape(1, 2, 3)})
    folder.write_json("report.json", {"rho": np.float64(0.5), "n": np.int64(3), "low": float("nan")})

    assert folder.read_table("measures.parquet").equals(table)
    assert folder.scan_table("measures.parquet").filter(pl.col("item") == 1).collect()["item"].to_list() == [1]
    assert folder.read_arrays("cube.npz")["svm"].tolist() == [[[0, 1, 2], [3, 4, 5]]]
    assert folder.read_json("report.json") == {"rho": 0.5, "n": 3, "low": None}


def test_writing_again_replaces_and_leaves_nothing_beside(folder):
    folder.write_json("report.json", {"a": 1})
    folder.write_json("report.json", {"a": 2})

    assert folder.read_json("report.json") == {"a": 2}
    assert folder.names() == ["report.json"]


def test_equal_content_has_equal_bytes(folder):
    table = pl.DataFrame({"x": list(range(1000))})
    arrays = {"b": np.ones(3), "a": np.zeros((2, 2))}

    assert folder.write_table("one.parquet", table) == folder.write_table("two.parquet", table.clone())
    assert folder.write_arrays("one.npz", arrays) == folder.write_arrays("two.npz", dict(arrays))
    assert folder.write_json("one.json", {"b": 1, "a": 2}) == folder.write_json("two.json", {"a": 2, "b": 1})
    assert folder.sha256("one.npz") == folder.sha256("two.npz")


def test_a_missing_file_is_named_with_the_remedy(folder):
    for read in (folder.read_json, folder.read_table, folder.scan_table, folder.read_arrays):
        with pytest.raises(ArtifactMissing, match=r"rounds/1/1/measures\.parquet .*run the stage"):
            read("measures.parquet")


def test_a_writer_that_dies_leaves_the_old_file(settings, monkeypatch):
    folder = Folder("rounds/1/1")
    folder.write_json("report.json", {"a": 1})

    def die(fd):
        raise KeyboardInterrupt

    monkeypatch.setattr("mining.artifacts.os.fsync", die)
    with pytest.raises(KeyboardInterrupt):
        folder.write_json("report.json", {"a": 2})

    assert folder.read_json("report.json") == {"a": 1}
    assert folder.names() == ["report.json"]


def test_plain_numbers_are_what_json_can_hold():
    value = {"a": (np.float32(1.5), float("inf")), 2: np.array([1, 2]), "none": None, "word": "x", "yes": True}

    assert plain(value) == {"a": [1.5, None], "2": [1, 2], "none": None, "word": "x", "yes": True}
    assert json.dumps(plain(value))
