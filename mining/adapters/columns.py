"""Rows of the database as columns, chunk by chunk: no object is ever made for a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import polars as pl

CHUNK = 20_000
OnChunk = Callable[[int], None]


def read_columns(
    rows: Iterable[tuple[Any, ...]], schema: dict[str, Any], *, on_chunk: OnChunk | None = None
) -> pl.DataFrame:
    """Turn tuples, as `values_list(...).iterator()` gives them, into a table with this schema.

    `on_chunk(rows so far)` is called after each 20,000 rows and may raise to stop.
    """
    parts: list[pl.DataFrame] = []
    count = 0
    for chunk in _chunks(iter(rows)):
        parts.append(pl.DataFrame(chunk, schema=schema, orient="row", strict=False))
        count += len(chunk)
        if on_chunk is not None:
            on_chunk(count)
    return pl.concat(parts, rechunk=True) if parts else pl.DataFrame(schema=schema)


def _chunks(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk
