"""Read predictions from CSV, Parquet, NPZ or JSON: a column `item` and one column a class."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from mining.prediction_checks import PredictionsRefused, PredictionTable, refused

READERS = (".csv", ".parquet", ".npz", ".json")
MOST_NUMBERS = 500_000_000
"""Numbers in one file: 4 GB while they are checked. A small file can unpack to any size, so this is asked first."""


def read_predictions(path: Path, *, name: str = "", among_several: bool = False) -> PredictionTable:
    """Read a file by its suffix; raises `PredictionsRefused` for what is no such file.

    CSV and Parquet: the column `item` (path given at import) and one column a class. NPZ: the arrays `item` (n,) and
    `classes` (K,) of text and `probabilities` (n, K) of numbers, or `logits`; JSON: an object of the same names.
    `name` is what the user calls the file; with `among_several` problems name it.
    """
    name = name or path.name
    suffix = Path(name).suffix.lower()
    shown = name if among_several else ""
    if suffix not in READERS:
        raise refused(f"{name} must end in {', '.join(READERS)}.")
    if not path.is_file():
        raise refused(f"There is no file {path}.")
    try:
        if suffix == ".npz":
            return _from_npz(path, name, shown)
        if suffix == ".json":
            return _from_json(json.loads(path.read_bytes()), name, shown)
        table = _csv(path) if suffix == ".csv" else _parquet(path, name)
        # A spreadsheet's row 1 is the header; Parquet has none.
        return _from_table(table, first_row=2 if suffix == ".csv" else 1, shown=shown)
    except (pl.exceptions.PolarsError, OSError, ValueError, EOFError, RecursionError, zipfile.BadZipFile) as reason:
        raise refused(f"{name} cannot be read as {suffix[1:].upper()}: {reason}") from None


def _csv(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False)


def _parquet(path: Path, name: str) -> pl.DataFrame:
    lazy = pl.scan_parquet(path)
    _check_size(int(lazy.select(pl.len()).collect().item()) * len(lazy.collect_schema()), name)
    return lazy.collect()


def _check_size(n_numbers: int, name: str) -> None:
    if n_numbers > MOST_NUMBERS:
        raise refused(
            f"{name} holds {n_numbers:,} numbers; {MOST_NUMBERS:,} is the most in one file: split it by items."
        )


def _from_table(table: pl.DataFrame, *, first_row: int, shown: str) -> PredictionTable:
    if "item" not in table.columns:
        raise refused(f"There is no column 'item'; there are {', '.join(map(repr, table.columns[:10]))}.", shown)
    classes = [name for name in table.columns if name != "item"]
    # What is no number becomes NaN here and is named with its row afterwards.
    values = table.select(pl.col(classes).cast(pl.Float64, strict=False).fill_null(float("nan"))).to_numpy()
    paths = table["item"].cast(pl.String).fill_null("").to_list()
    return PredictionTable(paths, classes, values.reshape(len(paths), len(classes)), first_row, shown)


def _from_npz(path: Path, name: str, shown: str) -> PredictionTable:
    with zipfile.ZipFile(path) as archive:
        _check_size(sum(entry.file_size for entry in archive.infolist()) // 8, name)
    with np.load(path, allow_pickle=False) as file:
        values_name = next((one for one in ("probabilities", "logits") if one in file.files), None)
        if values_name is None or "item" not in file.files or "classes" not in file.files:
            have = ", ".join(file.files) or "none"
            raise refused(f"{name} needs the arrays item, classes and probabilities (or logits); it has {have}.")
        item, classes, values = file["item"], file["classes"], file[values_name]
    return _from_arrays(item, classes, values, values_name, shown)


def _from_json(content: Any, name: str, shown: str) -> PredictionTable:
    values_name = next(
        (one for one in ("probabilities", "logits") if isinstance(content, dict) and one in content), None
    )
    if values_name is None or "item" not in content or "classes" not in content:
        raise refused(f"{name} needs the keys item, classes and probabilities (or logits).")
    try:
        values = np.array(content[values_name], dtype=np.float64)  # null becomes NaN
    except (TypeError, ValueError):
        raise refused(f"{values_name} must be a list of rows of numbers, all of the same length.", shown) from None
    columns = []
    for key in ("item", "classes"):
        if not isinstance(content[key], list) or not all(isinstance(one, str) for one in content[key]):
            raise refused(f"{key} must be a list of text.", shown)
        columns.append(np.array(content[key], dtype=object))
    if not len(columns[0]):
        raise refused("The file has no rows.", shown)
    return _from_arrays(columns[0], columns[1], values, values_name, shown)


def _from_arrays(item: np.ndarray, classes: np.ndarray, values: np.ndarray, name: str, shown: str) -> PredictionTable:
    if values.ndim != 2 or item.shape != values.shape[:1] or classes.shape != values.shape[1:]:
        raise refused(
            f"The shapes do not fit: item {item.shape}, classes {classes.shape}, {name} {values.shape}; "
            "they must be (n,), (K,) and (n, K).",
            shown,
        )
    if values.dtype.kind not in "fiu":
        raise refused(f"{name} must hold numbers, not {values.dtype}.", shown)
    texts = [[one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in column.tolist()]
             for column in (item, classes)]  # fmt: skip
    return PredictionTable(texts[0], texts[1], values, 1, shown, logits=name == "logits" or None)


__all__ = ["READERS", "PredictionsRefused", "read_predictions"]
