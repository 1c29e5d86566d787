"""Under which 32 bytes the features of an item are kept: its image's sha256, or that of image and box, or its id.

A key is four columns of unsigned 64-bit numbers, so that a million of them are joined without an object for each.
"""

from __future__ import annotations

from itertools import islice

import numpy as np
import polars as pl

from mining.people import region_key

BOX = ("box_x", "box_y", "box_width", "box_height")
WORDS = ("key_0", "key_1", "key_2", "key_3")
CHUNK = 20_000


def words_of_hex(keys: pl.Series) -> pl.DataFrame:
    """Return the words of keys written as 64 hex digits."""
    return pl.DataFrame({"hex": keys}).select(
        pl.col("hex").str.slice(16 * place, 16).str.to_integer(base=16, dtype=pl.UInt64).alias(name)
        for place, name in enumerate(WORDS)
    )


def words_of_regions(items: pl.DataFrame) -> pl.DataFrame:
    """Return the words of what each item shows; items with the same image and box have the same."""
    if items["box_x"].null_count() == len(items):
        return words_of_hex(items["sha256"])
    rows = items.select("sha256", *BOX).iter_rows()
    parts = []
    while chunk := [region_key(row[0], row[1:]) for row in islice(rows, CHUNK)]:
        parts.append(words_of_hex(pl.Series(chunk, dtype=pl.String)))
    return pl.concat(parts)


def words_of_ids(item_ids: np.ndarray) -> pl.DataFrame:
    """Return the words of features that are known by item, not by image."""
    nothing = np.zeros(len(item_ids), dtype=np.uint64)
    return pl.DataFrame(dict(zip(WORDS, (nothing, nothing, nothing, item_ids.astype(np.uint64)), strict=True)))


def words_of_bytes(key: np.ndarray) -> pl.DataFrame:
    """Return the words of keys (n, 32) uint8."""
    words = np.ascontiguousarray(key).view(">u8").astype(np.uint64).reshape(-1, len(WORDS))
    return pl.DataFrame({name: words[:, place] for place, name in enumerate(WORDS)})


def bytes_of_words(words: pl.DataFrame) -> np.ndarray:
    """Return the keys (n, 32) uint8 of a table with the columns `WORDS`."""
    stacked = np.stack([words[name].to_numpy() for name in WORDS], axis=1)
    return np.ascontiguousarray(stacked.astype(">u8")).view(np.uint8).reshape(-1, 32)
