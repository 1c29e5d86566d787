"""Features of images, computed once for a project: parts of some hundred images, found again by image and settings.

A part is an NPZ file named after what is in it, so that describing the same images twice writes the same file.
Parts are independent of each other: each is one piece of a stage's work, and may be done on another machine.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import polars as pl
from django.core.files.storage import storages
from PIL import Image, ImageOps

from mining.artifacts import Folder
from mining.feature_keys import BOX, bytes_of_words
from mining.feature_store import write_part
from mining.hardness.near_duplicates import difference_hash
from mining.learners.features import FeatureSettings, describe_images, image_array

FEWEST_A_PART, MOST_A_PART, PARTS_WANTED = 256, 2048, 16
HALVED = 4
IMAGES_AT_ONCE = 256
CONTEXT = 0.1
"""Objects are cropped with a tenth of their size around them on each side."""
HASH_SIZE = (9, 8)
MOST_REASONS = 200


class Describer(Protocol):
    """What turns opened images into numbers; the same numbers whatever other images are described beside them."""

    def prepare(self, image: Image.Image) -> np.ndarray: ...

    def describe(self, prepared: np.ndarray) -> np.ndarray:
        """Describe (n, …) prepared images: (n, d) float32."""


class PixelDescriber:
    """HOG, pixels and statistics of colour and texture, by `mining.learners.features`."""

    def __init__(self, settings: FeatureSettings) -> None:
        self.settings = settings

    def prepare(self, image: Image.Image) -> np.ndarray:
        return image_array(image, self.settings)

    def describe(self, prepared: np.ndarray) -> np.ndarray:
        return describe_images(prepared, self.settings)


def part_sizes(n_images: int) -> list[int]:
    """Return how many images each part holds: small enough for several workers, large enough to be worth a task.

    The last parts of many are halves, so that who is done first waits less for the others.
    """
    size = int(np.clip(-(-n_images // PARTS_WANTED), FEWEST_A_PART, MOST_A_PART))
    whole, rest = divmod(n_images, size)
    sizes = [size] * whole + [rest] * (rest > 0)
    if len(sizes) <= HALVED:
        return sizes
    halves = [half for one in sizes[-HALVED:] for half in (one - one // 2, one // 2) if half]
    return sizes[:-HALVED] + halves


def describe_part(folder: Folder, regions: pl.DataFrame, describer: Describer, *, on_batch: Any = None) -> list[str]:
    """Describe the regions (columns of `feature_keys`, `file` and the box) and store them as one part.

    Returns, for those that could not be read, "file: reason". `on_batch()` is called after each 256 images and may
    raise to stop; then nothing is stored.
    """
    unreadable: list[str] = []
    described, hashes, places = [], [], []
    columns = [regions[name].to_list() for name in ("file", *BOX)]
    for start in range(0, len(regions), IMAGES_AT_ONCE):
        prepared, seen, rows = [], [], []
        for row in range(start, min(start + IMAGES_AT_ONCE, len(regions))):
            file_name, *box = (column[row] for column in columns)
            try:
                image = open_region(file_name, tuple(box))
                prepared.append(describer.prepare(image))
                seen.append(np.asarray(image.convert("L").resize(HASH_SIZE, Image.Resampling.BILINEAR)))
                rows.append(row)
            except (OSError, ValueError, Image.DecompressionBombError) as reason:
                unreadable.append(f"{file_name}: {type(reason).__name__}: {reason}")
        if rows:
            numbers = describer.describe(np.stack(prepared))
            finite = np.isfinite(numbers).all(axis=1)
            unreadable += [f"{columns[0][rows[bad]]}: features that are not finite" for bad in np.flatnonzero(~finite)]
            described.append(numbers[finite])
            hashes.append(difference_hash(np.stack(seen))[finite])
            places.append(np.array(rows)[finite])
        if on_batch is not None:
            on_batch()
    kept = np.concatenate(places) if places else np.zeros(0, dtype=np.int64)
    if len(kept):
        write_part(folder, bytes_of_words(regions)[kept], np.concatenate(described), np.concatenate(hashes))
    return unreadable


def open_region(file_name: str, box: tuple[float | None, ...]) -> Image.Image:
    """Read an image, turn it as its EXIF says, and cut the box out with some context."""
    with storages["default"].open(file_name, "rb") as file, Image.open(file) as opened:
        image: Image.Image = opened
        ImageOps.exif_transpose(image, in_place=True)  # a copy of every image otherwise
        if box[0] is not None:
            return image.crop(box_in_pixels(box, image.size))
        image.load()
        return image


def box_in_pixels(box: tuple[float | None, ...], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of a box given as shares, with context, inside the image."""
    x, y, width, height = (float(side or 0.0) for side in box)
    left = max(0, round((x - CONTEXT * width) * size[0]))
    top = max(0, round((y - CONTEXT * height) * size[1]))
    right = min(size[0], round((x + (1 + CONTEXT) * width) * size[0]))
    bottom = min(size[1], round((y + (1 + CONTEXT) * height) * size[1]))
    return left, top, max(right, left + 1), max(bottom, top + 1)
