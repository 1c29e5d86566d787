"""What items have that may be why they are hard: attributes, their association with hardness, and near-duplicates.

reasons.json, see docs/rounds.md. Association, not cause: dark images are not hard because they are dark where
they are of the hard class.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from mining.comparison.explanations import explain_hardness
from mining.feature_parts import open_region
from mining.hardness.attributes import (
    ATTRIBUTE_TITLES,
    centre_distance,
    class_frequency,
    image_attributes,
)
from mining.hardness.near_duplicates import near_duplicate_groups

from .context import StageRun
from .features import features_of, hashes_of

MOST_ITEMS = 10_000
"""Attributes are worked out of a random sample: an interval of +-.02 says what there is to say."""
LONGEST_SIDE = 128
N_RESAMPLES = 200
NEAR_BITS = 2
LARGEST_SHARE, SMALLEST_LARGE = 0.02, 10
GROUPS_SHOWN, ITEMS_OF_A_GROUP = 30, 8
FEWEST_ITEMS = 20
BOX = ("box_x", "box_y", "box_width", "box_height")


def write_reasons(stage: StageRun, table: pl.DataFrame, targets: dict[str, str]) -> None:
    """Write reasons.json. `targets`: column of measures.parquet -> its title, people's first."""
    items = stage.folder.read_table("items.parquet")
    groups, duplicates = _near_duplicates(stage, items)
    known = {name: title for name, title in targets.items() if name in table.columns}
    scored = np.zeros(len(table), dtype=bool)
    for name in known:
        scored |= table[name].is_not_null().to_numpy()
    rows = np.flatnonzero(scored)
    n_scored = len(rows)
    if n_scored > MOST_ITEMS:
        rows = np.sort(np.random.default_rng(stage.params["seed"]).choice(rows, MOST_ITEMS, replace=False))
    found: list[dict[str, Any]] = []
    if n_scored >= FEWEST_ITEMS:
        attributes = _attributes(stage, items, table, rows, groups)
        for name, title in known.items():
            score = table[name].cast(pl.Float64).fill_null(np.nan).to_numpy()[rows]
            if np.isfinite(score).sum() >= FEWEST_ITEMS:
                found.append(
                    {"measure": name, "title": title, "attributes": _explained(stage, score, attributes, name)}
                )
    else:
        stage.lack(
            f"{n_scored} items have a score; what may explain hardness needs {FEWEST_ITEMS}.",
            "Let people label, or train a learner, and start the next round.",
        )
    stage.write_json(
        "reasons.json",
        {"version": 1, "n_items": len(rows), "n_scored": n_scored, "targets": found, "duplicates": duplicates},
    )


def _explained(
    stage: StageRun, score: np.ndarray, attributes: dict[str, np.ndarray], name: str
) -> list[dict[str, Any]]:
    stage.run.progress(0, 1, stage=f"What goes with {name}")
    explained = explain_hardness(score, attributes, n_resamples=N_RESAMPLES, seed=stage.params["seed"])
    return [
        {"name": one.attribute, "title": ATTRIBUTE_TITLES[one.attribute], "alone": one.alone.as_dict(),
         "beside_others": one.beside_others.as_dict()}
        for one in explained
    ]  # fmt: skip


def _attributes(
    stage: StageRun, items: pl.DataFrame, table: pl.DataFrame, rows: np.ndarray, groups: np.ndarray
) -> dict[str, np.ndarray]:
    """Return every attribute of the chosen rows (m,); NaN where it cannot be known."""
    chosen = items[rows]
    label = table["label"].fill_null(-1).to_numpy().astype(np.int64)
    columns = _of_pixels(stage, chosen)
    width, height = (chosen[side].cast(pl.Float64).to_numpy() for side in ("width", "height"))
    columns["image_size"] = np.log(width * height)
    if chosen["box_width"].null_count() < len(chosen):
        share = (chosen["box_width"] * chosen["box_height"]).fill_null(1.0).to_numpy()
        columns["object_size"] = np.log(np.maximum(share * width * height, 1.0))
        columns["object_share"] = share
    columns["class_frequency"] = class_frequency(label)[rows]
    sizes = np.bincount(groups[groups >= 0], minlength=1)
    columns["copies"] = np.where(groups >= 0, sizes[np.maximum(groups, 0)] - 1, 0)[rows].astype(np.float64)
    features, described = features_of(stage, chosen)
    if described.any():
        columns["centre_distance"] = centre_distance(features, np.where(described, label[rows], -1))
    return columns


def _of_pixels(stage: StageRun, items: pl.DataFrame) -> dict[str, np.ndarray]:
    """Brightness, contrast, sharpness and clutter of grey pictures, at most 128 pixels long; (m,) NaN if unreadable."""
    names = ("brightness", "contrast", "sharpness", "clutter")
    columns = {name: np.full(len(items), np.nan) for name in names}
    pictures: dict[tuple[int, int], tuple[list[int], list[np.ndarray]]] = {}
    for row, (file, *box) in enumerate(items.select("file", *BOX).iter_rows()):
        if row % 100 == 0:
            stage.run.progress(row, len(items), stage="Looking at brightness, contrast, sharpness and clutter")
        try:
            image = open_region(file, tuple(box)).convert("L")
        except (OSError, ValueError, Image.DecompressionBombError):
            continue  # the features stage has named it
        if min(image.size) < 3:
            continue
        if max(image.size) > LONGEST_SIDE:
            scale = LONGEST_SIDE / max(image.size)
            width, height = (max(3, round(side * scale)) for side in image.size)
            image = image.resize((width, height), Image.Resampling.BILINEAR)
        members = pictures.setdefault(image.size, ([], []))
        members[0].append(row)
        members[1].append(np.asarray(image))
    for places, batch in pictures.values():
        for name, values in image_attributes(np.stack(batch)).items():
            columns[name][places] = values
    return columns


def _near_duplicates(stage: StageRun, items: pl.DataFrame) -> tuple[np.ndarray, dict[str, Any]]:
    """Return (n,) group numbers, -1 for none, and the groups with most items."""
    hashes, known = hashes_of(stage, items)
    groups = np.full(len(items), -1, dtype=np.int64)
    if not known.any():
        return groups, {"n_groups": 0, "n_items": 0, "groups": []}
    groups[known] = near_duplicate_groups(hashes[known], NEAR_BITS)
    size = np.bincount(groups[known])
    # Plain and tiny pictures are chained into huge groups that are no copies of each other.
    too_large = np.flatnonzero(size > max(SMALLEST_LARGE, LARGEST_SHARE * known.sum()))
    groups[np.isin(groups, too_large)] = -1
    size[too_large] = 0
    several = np.flatnonzero(size > 1)
    several = several[np.argsort(-size[several], kind="stable")]
    ids = items["item"].to_numpy()
    shown = [
        {"size": int(size[group]), "items": ids[np.flatnonzero(groups == group)[:ITEMS_OF_A_GROUP]].tolist()}
        for group in several[:GROUPS_SHOWN].tolist()
    ]
    return groups, {"n_groups": len(several), "n_items": int(size[several].sum()), "groups": shown}
