"""Features of items, read from the parts in which they were described."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from mining.artifacts import Folder
from mining.feature_keys import WORDS, words_of_bytes

LARGEST_IN_MEMORY = 512 * 1024 * 1024
PLACES = {**dict.fromkeys(WORDS, pl.UInt64), "part": pl.UInt32, "row": pl.UInt32}


def part_names(folder: Folder) -> list[str]:
    return [name for name in folder.names() if name.endswith(".npz")]


def known_keys(folder: Folder) -> pl.DataFrame:
    """Return where every described region lies: its key, `part` (its place among `part_names`) and `row`."""
    tables = [pl.DataFrame(schema=PLACES)]
    for number, name in enumerate(part_names(folder)):
        with open_part(folder, name) as part:
            words = words_of_bytes(part["key"])
        tables.append(
            words.with_columns(
                part=pl.lit(number, dtype=pl.UInt32), row=pl.int_range(len(words), dtype=pl.UInt32, eager=True)
            )
        )
    # Two rounds may have described the same image: either part will do, but always the same one.
    return pl.concat(tables).unique(WORDS, keep="first", maintain_order=True)


@contextmanager
def open_part(folder: Folder, name: str) -> Iterator[Any]:
    """Open a part; only the arrays that are asked for are read where the storage is on this machine."""
    path = folder.local_path(name)
    source = path if path is not None else io.BytesIO(folder.read_bytes(name))
    with np.load(source, allow_pickle=False) as part:
        yield part


def read_features(folder: Folder, words: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the features (n, d) float32 of these keys, NaN where unknown, and (n,) bool where they are known.

    More than half a gigabyte is laid into a temporary file and mapped, so that memory holds only what is in use.
    """
    matrix, known = _read(folder, words, "features")
    return (np.zeros((len(words), 0), dtype=np.float32) if matrix is None else matrix), known


def read_hashes(folder: Folder, words: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the difference hashes (n,) uint64 of these keys, and (n,) bool where they are known."""
    column, known = _read(folder, words, "difference_hash")
    return (np.zeros(len(words), dtype=np.uint64) if column is None else column), known


def _read(folder: Folder, words: pl.DataFrame, what: str) -> tuple[np.ndarray | None, np.ndarray]:
    wanted = words.select(WORDS).with_columns(place=pl.int_range(len(words), dtype=pl.Int64, eager=True))
    places = wanted.join(known_keys(folder), on=list(WORDS), how="inner").sort("part", "row")
    known = np.zeros(len(words), dtype=bool)
    names = part_names(folder)
    found: np.ndarray | None = None
    for (number,), rows in places.group_by("part", maintain_order=True):
        with open_part(folder, names[int(str(number))]) as part:
            if what not in part.files:
                continue
            values = part[what]
        if found is None:
            found = _room_for((len(words), *values.shape[1:]), values.dtype)
        place = rows["place"].to_numpy()
        found[place] = values[rows["row"].to_numpy()]
        known[place] = True
    if found is not None and not known.all():
        found[~known] = np.nan if found.dtype.kind == "f" else 0
    return found, known


def _room_for(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    if int(np.prod(shape)) * np.dtype(dtype).itemsize <= LARGEST_IN_MEMORY:
        return np.empty(shape, dtype=dtype)
    with tempfile.NamedTemporaryFile(suffix=".npy", delete=False) as file:
        room = np.lib.format.open_memmap(file.name, mode="w+", dtype=dtype, shape=shape)
    # The mapping stays valid without the name, and nothing is left behind when the process is killed.
    Path(file.name).unlink()
    return room
