"""Where the features of a round come from: HOG, pixels, a network that was uploaded, or a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from annotations.models import Project
from mining.artifacts import Folder
from mining.feature_files import FEATURE_FILE
from mining.feature_parts import Describer, PixelDescriber
from mining.learners.features import FeatureSettings, opaque, sensible_settings
from mining.models import FeatureSource
from mining.networks.process import NetworkProcess

NETWORK = "network"


class SourceRefused(ValueError):
    """The features that were chosen cannot be had; the message says why."""


def settings_of(project: Project, params: dict[str, Any], items: pl.DataFrame) -> dict[str, Any]:
    """Return everything that decides the numbers: `kind`, `key` (the name of their folder) and the settings.

    Raises SourceRefused when the network or file that was chosen is no longer there.
    """
    kind, _, name = str(params["feature_kind"]).partition(":")
    if kind not in (NETWORK, FEATURE_FILE):
        chosen = chosen_settings(params, items)
        return {**chosen.__dict__, "key": chosen.key()}
    source = FeatureSource.objects.filter(project=project, kind=kind, name=name).first()
    if source is None or source.sha256 != params.get("feature_sha256"):
        raise SourceRefused(f"the {kind} {name} was removed or replaced after the round began.")
    settings: dict[str, Any] = {"kind": kind, "name": name, "sha256": source.sha256, "dimension": source.dimension}
    if kind == FEATURE_FILE:
        return {**settings, "key": source.sha256}
    settings |= {"network": source.facts, "file": source.network_file, "onnxruntime": version("onnxruntime")}
    # The name is the user's own: the same network under another one gives the same numbers.
    decides = json.dumps({**settings, "name": ""}, sort_keys=True)
    return {**settings, "key": f"network-{hashlib.sha256(decides.encode()).hexdigest()[:16]}"}


def chosen_settings(params: dict[str, Any], items: pl.DataFrame) -> FeatureSettings:
    """Return the settings of features made of pixels: as asked, or a size that suits the items."""
    kind, colour = params["feature_kind"], params["colour_statistics"]
    texture = bool(params.get("texture_statistics"))
    if params["feature_size"]:
        return FeatureSettings(
            kind=kind, size=params["feature_size"], colour_statistics=colour, texture_statistics=texture
        )
    width = items["width"].to_numpy() * items["box_width"].fill_null(1.0).to_numpy()
    height = items["height"].to_numpy() * items["box_height"].fill_null(1.0).to_numpy()
    return sensible_settings(np.minimum(width, height), kind=kind, colour_statistics=colour, texture_statistics=texture)


@contextmanager
def describer_of(settings: dict[str, Any]) -> Iterator[Describer]:
    """Open what describes images by these settings; a network's process ends with the context."""
    if settings["kind"] == NETWORK:
        folder, _, file = settings["file"].rpartition("/")
        data = Folder(folder).read_bytes(file)
        with NetworkProcess(data, settings["network"]["declared"]) as network:
            yield NetworkDescriber(network)
        return
    yield PixelDescriber(FeatureSettings(**{name: value for name, value in settings.items() if name != "key"}))


class NetworkDescriber:
    """The output of an uploaded network."""

    def __init__(self, network: NetworkProcess) -> None:
        self.network = network

    def prepare(self, image: Image.Image) -> np.ndarray:
        facts = self.network.facts
        mode = "RGB" if facts["channels"] == 3 else "L"
        sized = opaque(image).convert(mode).resize((facts["width"], facts["height"]), Image.Resampling.BILINEAR)
        return np.asarray(sized, dtype=np.uint8).reshape(facts["height"], facts["width"], facts["channels"])

    def describe(self, prepared: np.ndarray) -> np.ndarray:
        return self.network.embed(prepared)
