"""Predictions of a model from elsewhere: stored by item, lined up with the items of a round."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from annotations.models import Project
from mining.artifacts import Folder, project_folder
from mining.selectors.choices import FILE_PREFIX


def aligned_predictions(
    project: Project, learner: str, item_ids: np.ndarray, n_classes: int
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return a cube (seeds, n, K) of float32 probabilities in the order of `item_ids`, and what is known of it.

    NaN where there is no prediction. `learner` is `file:<name>`; of epochs the last counts. Raises `ArtifactMissing`
    when no such predictions were imported.
    """
    folder, about, files = _stored(project, learner)
    if about.get("files_are") == "epochs":
        files = files[-1:]
    return np.stack([_aligned(folder, file, item_ids, n_classes) for file in files]), about


def aligned_epochs(project: Project, learner: str, item_ids: np.ndarray, n_classes: int) -> Iterator[np.ndarray] | None:
    """Return the (n, K) probabilities of every epoch in order, one at a time; None where there is one state only."""
    folder, about, files = _stored(project, learner)
    if about.get("files_are") != "epochs" or len(files) < 2:
        return None
    return (_aligned(folder, file, item_ids, n_classes) for file in files)


def _stored(project: Project, learner: str) -> tuple[Folder, dict[str, Any], list[str]]:
    folder = project_folder("predictions", project.pk)
    name = learner.removeprefix(FILE_PREFIX)
    about = folder.read_json(f"{name}.json")
    return folder, about, about.get("files") or [f"{name}.npz"]


def _aligned(folder: Folder, file: str, item_ids: np.ndarray, n_classes: int) -> np.ndarray:
    stored = folder.read_arrays(file)
    aligned = np.full((len(item_ids), n_classes), np.nan, dtype=np.float32)
    order = np.argsort(stored["item"], kind="stable")
    known = stored["item"][order]
    place = np.searchsorted(known, item_ids)
    found = (place < len(known)) & (known[np.minimum(place, len(known) - 1)] == item_ids)
    probabilities = stored["probabilities"]
    aligned[found] = 0.0  # of classes that were added to the project since then
    aligned[found, : probabilities.shape[1]] = probabilities[order][place[found]]
    return aligned
