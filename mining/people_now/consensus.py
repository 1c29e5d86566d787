"""The consensus label of every item as of now, with how sure it is, kept for the pages of items."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import polars as pl

from mining.artifacts import Folder, plain
from mining.hardness.agreement import Consensus
from mining.people import consensus_of

ROWS_AT_ONCE = 8_192
"""A page of items decodes one or two groups of rows of the file, whatever its length."""


def keep_consensus(
    folder: Folder, items: pl.DataFrame, labelled: pl.DataFrame, n_classes: int, stamp: dict[str, Any]
) -> Consensus | None:
    """Weigh the labels that count, write consensus.parquet and consensus.json; None while there is no label."""
    if labelled.is_empty() or not n_classes:
        folder.write_json("consensus.json", plain({**stamp, "n_labels": 0, "method": "", "n_items": 0}))
        return None
    view = consensus_of(labelled, len(items), n_classes)
    known = np.flatnonzero(view.n_labels > 0)
    table = pl.DataFrame({
        "item": items["item"].to_numpy()[known], "label": view.label[known].astype(np.int16),
        "confidence": view.confidence[known].astype(np.float32), "n_labels": view.n_labels[known].astype(np.int32),
    })  # fmt: skip
    buffer = io.BytesIO()
    table.write_parquet(buffer, compression="lz4", row_group_size=ROWS_AT_ONCE, statistics=True)
    folder.write_bytes("consensus.parquet", buffer.getvalue())
    facts = {"n_labels": len(labelled), "method": view.method, "n_items": len(table), "converged": view.converged}
    folder.write_json("consensus.json", plain({**stamp, **facts}))
    return view
