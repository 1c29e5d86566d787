"""Features of images, computed once for a project: parts of a few thousand, found again by image and settings.

A part is an NPZ file named after what is in it, so that describing the same images twice writes the same file.
Parts are independent of each other: each could be the work of another machine.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from django.core.files.storage import storages
from PIL import Image, ImageOps

from mining.artifacts import Folder
from mining.learners.features import FeatureSettings, describe_images, image_array

IMAGES_A_PART = 2048
IMAGES_AT_ONCE = 256
LARGEST_IN_MEMORY = 512 * 1024 * 1024
CONTEXT = 0.1
"""Objects are cropped with a tenth of their size around them on each side."""

Region = tuple[str, tuple[float | None, ...]]
"""File of the image in the image storage, and the box as shares of width and height (None: whole image)."""


def known_keys(folder: Folder) -> dict[bytes, tuple[str, int]]:
    """Return where every described region lies: key -> (part, row)."""
    places: dict[bytes, tuple[str, int]] = {}
    for name in folder.names():
        with open_part(folder, name) as part:
            for row, key in enumerate(part["key"]):
                places[key.tobytes()] = (name, row)
    return places


@contextmanager
def open_part(folder: Folder, name: str) -> Iterator[Any]:
    """Open a part; only the arrays that are asked for are read where the storage is on this machine."""
    path = folder.local_path(name)
    source = path if path is not None else io.BytesIO(folder.read_bytes(name))
    with np.load(source, allow_pickle=False) as part:
        yield part


def describe_part(
    folder: Folder, keys: Sequence[str], regions: Sequence[Region], settings: FeatureSettings
) -> dict[str, str]:
    """Describe the regions and store them as one part; return key -> reason of those that could not be read."""
    unreadable: dict[str, str] = {}
    done: list[str] = []
    described: list[np.ndarray] = []
    for start in range(0, len(keys), IMAGES_AT_ONCE):
        pixels = []
        for key, region in zip(
            keys[start : start + IMAGES_AT_ONCE], regions[start : start + IMAGES_AT_ONCE], strict=True
        ):
            try:
                pixels.append(region_array(region, settings))
                done.append(key)
            except (OSError, ValueError) as reason:
                unreadable[key] = f"{type(reason).__name__}: {reason}"
        if pixels:
            described.append(describe_images(np.stack(pixels), settings))
    if done:
        key_bytes = np.frombuffer(bytes.fromhex("".join(done)), dtype=np.uint8).reshape(len(done), 32)
        name = hashlib.sha256(key_bytes.tobytes()).hexdigest()[:24]
        folder.write_arrays(f"{name}.npz", {"key": key_bytes, "features": np.concatenate(described)})
    return unreadable


def region_array(region: Region, settings: FeatureSettings) -> np.ndarray:
    """Read an image, turn it as its EXIF says, cut the box out with some context, and resize it."""
    file_name, box = region
    with storages["default"].open(file_name, "rb") as file, Image.open(file) as opened:
        image = ImageOps.exif_transpose(opened)
        if box[0] is not None:
            image = image.crop(box_in_pixels(box, image.size))
        return image_array(image, settings)


def box_in_pixels(box: tuple[float | None, ...], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of a box given as shares, with context, inside the image."""
    x, y, width, height = (float(side or 0.0) for side in box)
    left = max(0, round((x - CONTEXT * width) * size[0]))
    top = max(0, round((y - CONTEXT * height) * size[1]))
    right = min(size[0], round((x + (1 + CONTEXT) * width) * size[0]))
    bottom = min(size[1], round((y + (1 + CONTEXT) * height) * size[1]))
    return left, top, max(right, left + 1), max(bottom, top + 1)


def read_features(folder: Folder, keys: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the features (n, d) float32 of these keys, NaN where unknown, and (n,) bool where they are known.

    More than half a gigabyte is laid into a temporary file and mapped, so that memory holds only what is in use.
    """
    places = known_keys(folder)
    rows_of: dict[str, list[tuple[int, int]]] = {}
    known = np.zeros(len(keys), dtype=bool)
    for row, key in enumerate(keys):
        place = places.get(bytes.fromhex(key))
        if place is not None:
            rows_of.setdefault(place[0], []).append((row, place[1]))
            known[row] = True
    matrix: np.ndarray | None = None
    for name in sorted(rows_of):
        with open_part(folder, name) as part:
            features = part["features"]
        if matrix is None:
            matrix = _room_for(len(keys), features.shape[1])
        pairs = np.array(rows_of[name])
        matrix[pairs[:, 0]] = features[pairs[:, 1]]
    if matrix is None:
        return np.zeros((len(keys), 0), dtype=np.float32), known
    matrix[~known] = np.nan
    return matrix, known


def _room_for(n_items: int, dimension: int) -> np.ndarray:
    if n_items * dimension * 4 <= LARGEST_IN_MEMORY:
        return np.empty((n_items, dimension), dtype=np.float32)
    with tempfile.NamedTemporaryFile(suffix=".npy", delete=False) as file:
        room = np.lib.format.open_memmap(file.name, mode="w+", dtype=np.float32, shape=(n_items, dimension))
    # The mapping stays valid without the name, and nothing is left behind when the process is killed.
    Path(file.name).unlink()
    return room
