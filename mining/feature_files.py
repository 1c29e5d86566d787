"""Where the vectors of a file lie, and reading such files: NPY with a list of items, NPZ, Parquet."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from mining.artifacts import Folder
from mining.prediction_checks import MOST_PROBLEMS, PredictionsRefused, Problem, refused

FEATURE_FILE = "file"
ROWS_AT_ONCE = 16_384
SUFFIXES = (".npy", ".npz", ".parquet")
LIST_SUFFIXES = (".txt", ".csv")
MOST_DIMENSION = 16_384


def folder_of_file(project_id: int, sha256: str) -> Folder:
    """Return the folder in which the vectors of a file lie, in parts as described ones do."""
    return Folder(f"features/{project_id}/file-{sha256[:16]}")


@dataclass(frozen=True)
class FeatureTable:
    """An opened file: paths of items (a column), and vectors that are read some rows at a time."""

    paths: pl.Series
    source: Path
    array: np.ndarray | None
    """(n, d), mapped; None for Parquet."""
    columns: tuple[str, ...]
    """Parquet: one list column, or the vector's columns."""
    first_row: int
    name: str

    def __len__(self) -> int:
        return len(self.paths)

    def vectors(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (first row, vectors (m, d) float32) in order; a list of another length than the first is refused."""
        width = 0
        for start in range(0, len(self), ROWS_AT_ONCE):
            some = self._rows(start, width)
            width = some.shape[1]
            yield start, some

    def _rows(self, start: int, width: int) -> np.ndarray:
        if self.array is not None:
            return np.asarray(self.array[start : start + ROWS_AT_ONCE], dtype=np.float32)
        table = pl.scan_parquet(self.source).select(self.columns).slice(start, ROWS_AT_ONCE).collect()
        if len(self.columns) > 1 or table.dtypes[0].is_numeric():
            filled = table.select(pl.all().cast(pl.Float32, strict=False).fill_null(float("nan")))
            return np.ascontiguousarray(filled.to_numpy())
        column = table.to_series()
        if isinstance(column.dtype, pl.Array):
            column = column.cast(pl.List(pl.Float32))
        lengths = column.list.len().fill_null(0).to_numpy()
        wanted = width or int(lengths[0])
        wrong = np.flatnonzero(lengths != wanted)
        if len(wrong):
            raise PredictionsRefused(
                [
                    Problem(start + int(row) + self.first_row,
                            f"it has {lengths[row]} numbers; the first row has {wanted}", self.name)
                    for row in wrong[:MOST_PROBLEMS]
                ],
                len(wrong),
            )  # fmt: skip
        flat = column.explode(empty_as_null=False, keep_nulls=False) if wanted else pl.Series([], dtype=pl.Float32)
        return flat.cast(pl.Float32, strict=False).fill_null(float("nan")).to_numpy().reshape(len(column), wanted)


def open_feature_file(path: Path, items: Path | None = None, *, name: str = "") -> FeatureTable:
    """Open a file by its suffix; raises `PredictionsRefused` for what is no such file. Nothing pickled is ever read.

    NPY: vectors (n, d), with `items`, a text file with a path a line (or CSV with the column item). NPZ: the arrays
    `item` (n,) of text and `features` (n, d). Parquet: the column `item`, and one of lists or one a number.
    """
    name = name or path.name
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise refused(f"{name} must end in {', '.join(SUFFIXES)}.")
    if (suffix == ".npy") != (items is not None):
        raise refused(
            "An NPY file needs a list of its items beside it: a text file with a path a line, in the same order."
            if suffix == ".npy"
            else f"{name} names its items itself: leave the list of items out."
        )
    try:
        if suffix == ".parquet":
            return _from_parquet(path, name)
        if suffix == ".npz":
            return _from_npz(path, name)
        assert items is not None
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        return _of_array(_read_list(items), array, path, name)
    except (pl.exceptions.PolarsError, OSError, ValueError, EOFError, zipfile.BadZipFile) as reason:
        raise refused(f"{name} cannot be read as {suffix[1:].upper()}: {reason}") from None


def _read_list(path: Path) -> pl.Series:
    if path.suffix.lower() == ".csv":
        table = pl.read_csv(path, infer_schema=False)
        if "item" not in table.columns:
            raise refused("The list of items is CSV without a column 'item'.")
        return table["item"].fill_null("")
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return pl.Series(lines, dtype=pl.String)


def _of_array(paths: pl.Series, array: np.ndarray, source: Path, name: str) -> FeatureTable:
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        raise refused(f"{name} must hold numbers of shape (items, numbers), not {array.dtype} {array.shape}.")
    if len(paths) != len(array):
        raise refused(f"There are {len(array):,} vectors in {name} and {len(paths):,} items in the list.")
    return FeatureTable(paths, source, array, (), 1, name)


def _from_npz(path: Path, name: str) -> FeatureTable:
    with np.load(path, allow_pickle=False) as file:
        if not {"item", "features"} <= set(file.files):
            raise refused(f"{name} needs the arrays item and features; it has {', '.join(file.files) or 'none'}.")
        item, features = file["item"], file["features"]
    return _of_array(pl.Series(item.astype(str).tolist(), dtype=pl.String), features, path, name)


def _from_parquet(path: Path, name: str) -> FeatureTable:
    schema = pl.scan_parquet(path).collect_schema()
    if "item" not in schema:
        raise refused(f"There is no column 'item' in {name}; there are {', '.join(map(repr, list(schema)[:10]))}.")
    lists = [column for column, kind in schema.items() if isinstance(kind, pl.List | pl.Array)]
    columns = lists or [column for column in schema if column != "item"]
    if len(lists) > 1:
        raise refused(f"{name} has {len(lists)} columns of lists ({', '.join(lists[:10])}); one is needed.")
    words = [column for column in columns if not (lists or schema[column].is_numeric())]
    if words or not columns:
        raise refused(
            f"The column {words[0]!r} of {name} holds no numbers." if words else f"{name} has no columns of numbers."
        )
    paths = pl.scan_parquet(path).select(pl.col("item").cast(pl.String).fill_null("")).collect()["item"]
    return FeatureTable(paths, path, None, tuple(columns), 1, name)
