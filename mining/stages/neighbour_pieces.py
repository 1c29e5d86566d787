"""Neighbours as pieces of work: which labels lie around some of the items."""

from __future__ import annotations

from typing import Any

import numpy as np

from mining.hardness.neighbours import MOST_REFERENCES, N_NEIGHBOURS, kdn
from mining.services.pieces import Piece, do_pieces

from .context import PieceRun, StageRun
from .fold_pieces import have_features, kept_features
from .groups import is_held_out

PIECES_WANTED, FEWEST_A_PIECE, MOST_A_PIECE = 8, 512, 4096


def disagreeing_neighbours(stage: StageRun) -> np.ndarray:
    """Return kDN of the round's items, (n,), by all workers there are; NaN without a label or features."""
    given = _labels_with_features(stage)
    scores = np.full(len(given), np.nan)
    asked = np.flatnonzero(given >= 0)
    n_references = int((~is_held_out(stage)[asked]).sum())
    if n_references <= N_NEIGHBOURS:
        return scores
    if n_references > MOST_REFERENCES:
        stage.run.note(f"Neighbours were looked for among {MOST_REFERENCES:,} random items of {n_references:,}.")
    size = int(np.clip(-(-len(asked) // PIECES_WANTED), FEWEST_A_PIECE, MOST_A_PIECE))
    pieces = [
        Piece(
            key=f"neighbours:{start}:{size}",
            title=f"{stage.round}: neighbours of items {start + 1:,} to {min(start + size, len(asked)):,}",
            params={"start": start, "count": size, "file": f"neighbours-{start}.npz"},
        )
        for start in range(0, len(asked), size)
    ]
    do_pieces(stage, pieces, doing="Looking at neighbours")
    for piece in pieces:
        part = stage.folder.read_arrays(piece.params["file"])
        scores[part["items"]] = part["scores"]
        stage.folder.delete(piece.params["file"])
    return scores


def do_neighbours(piece: PieceRun, *, start: int, count: int, file: str) -> dict[str, Any]:
    """Write kDN of some of the items that have a label and features."""
    given = _labels_with_features(piece)
    items = np.flatnonzero(given >= 0)[start : start + count]
    found = kdn(
        kept_features(piece), given, most_references=MOST_REFERENCES, seed=piece.params["seed"],
        barred=is_held_out(piece), rows=items,
    )  # fmt: skip
    piece.folder.write_arrays(file, {"items": items, "scores": found[items]})
    return {}


def _labels_with_features(stage: StageRun) -> np.ndarray:
    """Return (n,) label codes, -1 where there is no label or are no features."""
    label = stage.folder.read_table("people.parquet", ["label"])["label"].fill_null(-1).to_numpy().astype(np.int64)
    return np.where(have_features(kept_features(stage)), label, -1)
