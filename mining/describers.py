"""Where the features of a round come from: HOG, pixels, a network that was uploaded, or a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import polars as pl

from annotations.models import Project
from mining.feature_files import FEATURE_FILE, stored_feature_file
from mining.feature_parts import Describer, PixelDescriber
from mining.learners.features import FeatureSettings, sensible_settings

NETWORK = "network"


class SourceRefused(ValueError):
    """The features that were chosen cannot be had; the message says why."""


def settings_of(project: Project, params: dict[str, Any], items: pl.DataFrame) -> dict[str, Any]:
    """Return everything that decides the numbers: `kind`, `key` (the name of their folder) and the settings.

    Raises SourceRefused when the network or file that was chosen is no longer there.
    """
    kind, _, name = str(params["feature_kind"]).partition(":")
    if kind == FEATURE_FILE:
        about = stored_feature_file(project.pk, name)
        asked = params.get("feature_sha256")
        if about is None or (asked and about["sha256"] != asked):
            raise SourceRefused(f"the features {name} were removed or replaced after the round began.")
        return {"kind": FEATURE_FILE, "name": name, "sha256": about["sha256"], "key": about["sha256"]}
    chosen = chosen_settings(params, items)
    return {**chosen.__dict__, "key": chosen.key()}


def chosen_settings(params: dict[str, Any], items: pl.DataFrame) -> FeatureSettings:
    """Return the settings of features made of pixels: as asked, or a size that suits the items."""
    kind, colour = params["feature_kind"], params["colour_statistics"]
    if params["feature_size"]:
        return FeatureSettings(kind=kind, size=params["feature_size"], colour_statistics=colour)
    width = items["width"].to_numpy() * items["box_width"].fill_null(1.0).to_numpy()
    height = items["height"].to_numpy() * items["box_height"].fill_null(1.0).to_numpy()
    return sensible_settings(np.minimum(width, height), kind=kind, colour_statistics=colour)


@contextmanager
def describer_of(project: Project, settings: dict[str, Any]) -> Iterator[Describer]:
    """Open what describes images by these settings; a network's process ends with the context."""
    wanted = {name: value for name, value in settings.items() if name != "key"}
    yield PixelDescriber(FeatureSettings(**wanted))
