"""Predictions of a model from elsewhere: stored by item, lined up with the items of a round."""

from __future__ import annotations

from typing import Any

import numpy as np

from annotations.models import Project
from mining.artifacts import project_folder
from mining.selectors.choices import FILE_PREFIX


def aligned_predictions(
    project: Project, learner: str, item_ids: np.ndarray, n_classes: int
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return (n, K) float32 probabilities in the order of `item_ids`, NaN where the file had none, and what is known.

    `learner` is `file:<name>`. Raises `ArtifactMissing` when no such predictions were imported.
    """
    folder = project_folder("predictions", project.pk)
    name = learner.removeprefix(FILE_PREFIX)
    about = folder.read_json(f"{name}.json")
    stored = folder.read_arrays(f"{name}.npz")
    aligned = np.full((len(item_ids), n_classes), np.nan, dtype=np.float32)
    order = np.argsort(stored["item"], kind="stable")
    known = stored["item"][order]
    place = np.searchsorted(known, item_ids)
    found = (place < len(known)) & (known[np.minimum(place, len(known) - 1)] == item_ids)
    aligned[found, : stored["probabilities"].shape[1]] = stored["probabilities"][order][place[found]]
    return aligned, about
