"""Describe every image once, a piece of the work a part; what an earlier round described is used again."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import polars as pl

from mining.artifacts import Folder
from mining.describers import SourceRefused, describer_of, settings_of
from mining.feature_files import FEATURE_FILE, folder_of_file
from mining.feature_keys import BOX, WORDS, bytes_of_words, words_of_ids, words_of_regions
from mining.feature_parts import MOST_REASONS, describe_part, part_sizes
from mining.feature_store import known_keys, read_features, read_hashes
from mining.services.pieces import Piece, do_pieces

from .context import PieceRun, StageRun

NO_IMAGES = "Import the images again; the rest of the round goes on without these items."
PLAN_COLUMNS = (*WORDS, "file", *BOX)


def run(stage: StageRun) -> dict[str, Any]:
    """Write the parts that are missing, and features.json: settings, folder, and which items have none."""
    items = stage.folder.read_table("items.parquet")
    try:
        settings = settings_of(stage.round.project, stage.params, items)
    except SourceRefused as reason:
        stage.lack(f"There are no features: {reason}", "Start a round with other features.")
        return _write(stage, {"settings": None, "folder": "", "n_images": 0, "n_unreadable": 0})
    if settings["kind"] == FEATURE_FILE:
        return _from_file(stage, items, settings)
    parts = Folder(f"features/{stage.round.project_id}/{settings['key']}")
    wanted = regions_of(items)
    todo = wanted.join(known_keys(parts), on=list(WORDS), how="anti").sort(WORDS)
    unreadable = _describe(stage, todo, parts, settings)
    if unreadable:
        stage.run.notes([("warning", "", reason) for reason in unreadable[:MOST_REASONS]])
        count = "1 image cannot" if len(unreadable) == 1 else f"{len(unreadable):,} images cannot"
        stage.lack(f"{count} be read or described: {unreadable[0]}.", NO_IMAGES)
    facts = {"settings": settings, "folder": parts.name, "n_images": len(wanted), "n_unreadable": len(unreadable)}
    # What was described now and what was there before depends on history, and must not enter a reproducible file.
    return _write(stage, facts) | {"n_described": len(todo), "n_reused": len(wanted) - len(todo)}


def _write(stage: StageRun, facts: dict[str, Any]) -> dict[str, Any]:
    stage.write_json("features.json", facts)
    return stage.result(**facts, n_described=0, n_reused=0)


def _describe(stage: StageRun, todo: pl.DataFrame, parts: Folder, settings: dict[str, Any]) -> list[str]:
    """Have all of `todo` described, part by part, by all workers there are; return what could not be read."""
    if todo.is_empty():
        do_pieces(stage, [], doing="Describing images")
        return []
    plan = f"plan-{hashlib.sha256(bytes_of_words(todo).tobytes()).hexdigest()[:16]}.parquet"
    stage.folder.write_table(plan, todo.select(PLAN_COLUMNS))
    sizes = part_sizes(len(todo))
    starts = np.cumsum([0, *sizes[:-1]]).tolist()
    pieces = [
        Piece(
            key=f"{plan}:{start}:{size}",
            title=f"{stage.round}: images {start + 1:,} to {start + size:,}",
            params={"plan": plan, "start": start, "count": size, "folder": parts.name, "settings": settings},
            cost=size,
        )
        for start, size in zip(starts, sizes, strict=True)
    ]
    results = do_pieces(stage, pieces, doing="Describing images")
    stage.folder.delete(plan)
    return [reason for result in results for reason in result["unreadable"]]


def do_piece(
    piece: PieceRun, *, plan: str, start: int, count: int, folder: str, settings: dict[str, Any]
) -> dict[str, Any]:
    """Describe some of the images of a plan and write them as one part."""
    regions = piece.folder.scan_table(plan).slice(start, count).collect()
    with describer_of(settings) as describer:
        return {"unreadable": describe_part(Folder(folder), regions, describer, on_batch=piece.check)}


def regions_of(items: pl.DataFrame) -> pl.DataFrame:
    """Return what there is to describe, as a plan has it: items that show the same image and box share a row."""
    regions = pl.concat([words_of_regions(items), items.select("file", *BOX)], how="horizontal")
    return regions.unique(WORDS, keep="first", maintain_order=True)


def _from_file(stage: StageRun, items: pl.DataFrame, settings: dict[str, Any]) -> dict[str, Any]:
    folder = folder_of_file(stage.round.project_id, settings["sha256"])
    known = words_of_ids(items["item"].to_numpy()).join(known_keys(folder), on=list(WORDS), how="semi")
    without = len(items) - len(known)
    if without:
        stage.lack(
            f"The features {settings['name']} have {len(known):,} of {len(items):,} items.",
            "The rest of the round goes on without the others; import features for them too.",
        )
    return _write(stage, {"settings": settings, "folder": folder.name, "n_images": len(items), "n_unreadable": without})


def features_of(stage: StageRun, items: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the features of the items (n, d) and (n,) bool where there are any."""
    facts = stage.folder.read_json("features.json")
    if not facts["folder"]:
        return np.zeros((len(items), 0), dtype=np.float32), np.zeros(len(items), dtype=bool)
    return read_features(Folder(facts["folder"]), _words(facts, items))


def hashes_of(stage: StageRun, items: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the difference hashes of the items (n,) and (n,) bool where there are any: features may have none."""
    facts = stage.folder.read_json("features.json")
    if not facts["folder"]:
        return np.zeros(len(items), dtype=np.uint64), np.zeros(len(items), dtype=bool)
    return read_hashes(Folder(facts["folder"]), _words(facts, items))


def _words(facts: dict[str, Any], items: pl.DataFrame) -> pl.DataFrame:
    if facts["settings"]["kind"] == FEATURE_FILE:
        return words_of_ids(items["item"].to_numpy())
    return words_of_regions(items)
