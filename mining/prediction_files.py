"""Read predictions from CSV, Parquet or NPZ: a column `item` and one column a class."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import polars as pl

from mining.services.predictions import PredictionsRefused, PredictionTable

READERS = (".csv", ".parquet", ".npz")


def read_predictions(path: Path) -> PredictionTable:
    """Read a file by its suffix; raises `PredictionsRefused` for what is no such file.

    CSV and Parquet: the column `item` (path given at import) and one column a class. NPZ: the arrays `item` (n,) and
    `classes` (K,) of text and `probabilities` (n, K) of numbers (or `logits`).
    """
    if path.suffix not in READERS:
        raise _refused(f"{path.name} must end in {', '.join(READERS)}.")
    if not path.is_file():
        raise _refused(f"There is no file {path}.")
    try:
        if path.suffix == ".npz":
            return _from_npz(path)
        table = pl.read_csv(path, infer_schema=False) if path.suffix == ".csv" else pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError, ValueError, zipfile.BadZipFile) as reason:
        raise _refused(f"{path.name} cannot be read as {path.suffix[1:].upper()}: {reason}") from None
    # A spreadsheet's row 1 is the header; Parquet has none.
    return _from_table(table, first_row=2 if path.suffix == ".csv" else 1)


def _from_table(table: pl.DataFrame, *, first_row: int) -> PredictionTable:
    if "item" not in table.columns:
        raise _refused(f"There is no column 'item'; there are {', '.join(map(repr, table.columns[:10]))}.")
    classes = [name for name in table.columns if name != "item"]
    # What is no number becomes NaN here and is named with its row afterwards.
    values = table.select(pl.col(classes).cast(pl.Float64, strict=False).fill_null(float("nan"))).to_numpy()
    paths = table["item"].cast(pl.String).fill_null("").to_list()
    return PredictionTable(paths, classes, values.reshape(len(paths), len(classes)), first_row)


def _from_npz(path: Path) -> PredictionTable:
    with np.load(path, allow_pickle=False) as file:
        name = next((name for name in ("probabilities", "logits") if name in file.files), None)
        if name is None or "item" not in file.files or "classes" not in file.files:
            have = ", ".join(file.files) or "none"
            raise _refused(f"{path.name} needs the arrays item, classes and probabilities; it has {have}.")
        item, classes, values = file["item"], file["classes"], file[name]
    if values.ndim != 2 or item.shape != values.shape[:1] or classes.shape != values.shape[1:]:
        raise _refused(
            f"The shapes do not fit: item {item.shape}, classes {classes.shape}, {name} {values.shape}; "
            "they must be (n,), (K,) and (n, K)."
        )
    if values.dtype.kind not in "fiu":
        raise _refused(f"{name} must hold numbers, not {values.dtype}.")
    return PredictionTable([str(one) for one in item], [str(one) for one in classes], values)


def _refused(reason: str) -> PredictionsRefused:
    return PredictionsRefused([(0, reason)])
