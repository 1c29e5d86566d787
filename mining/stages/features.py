"""Describe every image once, in parts; what an earlier round described is used again."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from mining.artifacts import Folder
from mining.feature_parts import IMAGES_A_PART, Region, describe_part, known_keys, read_features
from mining.learners.features import FeatureSettings, sensible_settings
from mining.people import region_key

from .context import StageRun

NO_IMAGES = "Import the images again; the rest of the round goes on without these items."
BOX = ("box_x", "box_y", "box_width", "box_height")


def run(stage: StageRun) -> dict[str, Any]:
    """Write the parts that are missing, and features.json: settings, folder, and which items have none."""
    items = stage.folder.read_table("items.parquet")
    settings = chosen_settings(stage.params, items)
    parts = Folder(f"features/{stage.round.project_id}/{settings.key()}")
    wanted = keys_and_regions(items)
    present = known_keys(parts)
    todo = sorted(key for key in wanted if bytes.fromhex(key) not in present)
    doing = "Describing images"
    stage.run.progress(0, max(1, len(todo)), stage=doing)
    unreadable: dict[str, str] = {}
    for start in range(0, len(todo), IMAGES_A_PART):
        keys = todo[start : start + IMAGES_A_PART]
        unreadable |= describe_part(parts, keys, [wanted[key] for key in keys], settings)
        stage.run.progress(start + len(keys), len(todo), stage=doing)
    if unreadable:
        stage.run.notes([("warning", wanted[key][0], reason) for key, reason in list(unreadable.items())[:200]])
        stage.lack(f"{len(unreadable)} images cannot be read.", NO_IMAGES)
    facts = {
        "settings": settings.__dict__, "folder": parts.name, "n_images": len(wanted), "n_described": len(todo),
        "n_reused": len(wanted) - len(todo), "n_unreadable": len(unreadable),
    }  # fmt: skip
    # What was described now and what was there before depends on history, and must not enter a reproducible file.
    lasting = ("settings", "folder", "n_images", "n_unreadable")
    stage.write_json("features.json", {name: facts[name] for name in lasting})
    return stage.result(**facts)


def chosen_settings(params: dict[str, Any], items: pl.DataFrame) -> FeatureSettings:
    """Return the settings of the round: as asked, or a size that suits the items."""
    kind, colour = params["feature_kind"], params["colour_statistics"]
    if params["feature_size"]:
        return FeatureSettings(kind=kind, size=params["feature_size"], colour_statistics=colour)
    width = items["width"].to_numpy() * items["box_width"].fill_null(1.0).to_numpy()
    height = items["height"].to_numpy() * items["box_height"].fill_null(1.0).to_numpy()
    return sensible_settings(np.minimum(width, height), kind=kind, colour_statistics=colour)


def keys_and_regions(items: pl.DataFrame) -> dict[str, Region]:
    """Return key -> region of all items; items with the same image and box share one."""
    rows = items.select("sha256", "file", *BOX).iter_rows()
    return {region_key(row[0], row[2:]): (row[1], row[2:]) for row in rows}


def features_of(stage: StageRun, items: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the features of the items (n, d) and (n,) bool where there are any."""
    facts = stage.folder.read_json("features.json")
    keys = [region_key(row[0], row[1:]) for row in items.select("sha256", *BOX).iter_rows()]
    return read_features(Folder(facts["folder"]), keys)
