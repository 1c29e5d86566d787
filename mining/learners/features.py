"""Features of images: one fixed-length description an image, the same for the same bytes and settings."""

import hashlib
import json
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from mining.learners.errors import LearnerError
from mining.learners.hog import hog_features

ByteArray = npt.NDArray[np.uint8]
Float32Array = npt.NDArray[np.float32]

KINDS = ("hog", "pixels")
FORMULA_VERSION = 2
"""Raised when the numbers change for the same settings, so that no cache serves old ones."""
COLOUR_BINS = 8


@dataclass(frozen=True)
class FeatureSettings:
    """How an image becomes numbers. `key()` names cached features: equal settings, equal key, on every
    machine.
    """

    kind: str = "hog"
    """"hog", or "pixels" for tiny images."""
    size: int = 64
    """Images are resized to size x size pixels; a multiple of `pixels_per_cell`."""
    orientations: int = 9
    pixels_per_cell: int = 8
    cells_per_block: int = 2
    colour_statistics: bool = False
    """Append mean, SD and an 8-bin histogram of each colour channel."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise LearnerError(f"features are {' or '.join(KINDS)}, not {self.kind!r}")
        if not 4 <= self.size <= 1024:
            raise LearnerError(f"the size of features must be 4 to 1024 pixels, not {self.size}")
        if self.kind == "hog" and self.size < self.pixels_per_cell * self.cells_per_block:
            raise LearnerError(
                f"HOG with {self.pixels_per_cell}-pixel cells in blocks of {self.cells_per_block} needs "
                "images of "
                f"{self.pixels_per_cell * self.cells_per_block} pixels or more, not {self.size}"
            )

    def key(self) -> str:
        """Return 16 hex digits that stand for these settings and for the version of the formula."""
        text = json.dumps({**asdict(self), "version": FORMULA_VERSION}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def sensible_settings(
    shorter_sides: npt.ArrayLike, *, kind: str = "hog", colour_statistics: bool = False
) -> FeatureSettings:
    """Choose a size for images whose shorter sides are these, in pixels: 32 for tiny images, 64 for
    others.
    """
    sides = np.asarray(shorter_sides, dtype=np.float64)
    size = 32 if sides.size and float(np.median(sides)) < 48 else 64
    return FeatureSettings(kind=kind, size=size, colour_statistics=colour_statistics)


def image_array(image: Image.Image, settings: FeatureSettings) -> ByteArray:
    """Resize an opened image to what `describe_images` expects: (size, size), or (size, size, 3) with colour
    statistics.

    Transparent images are laid on white; 16-bit ones are scaled to 8 bits. Orientation is left as it is.
    """
    mode = "RGB" if settings.colour_statistics else "L"
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, dtype=np.float64)
        top = 65535.0 if values.max(initial=0.0) > 255.0 else 255.0
        image = Image.fromarray((np.clip(values / top, 0.0, 1.0) * 255.0).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(paper, image)
    side = (settings.size, settings.size)
    return np.asarray(image.convert(mode).resize(side, Image.Resampling.BILINEAR), dtype=np.uint8)


def describe_images(images: npt.NDArray[np.generic], settings: FeatureSettings | None = None) -> Float32Array:
    """Describe (n, size, size) or (n, size, size, 3) images, as `image_array` makes them: (n, d) float32."""
    chosen = settings or FeatureSettings()
    if images.ndim not in (3, 4) or images.shape[1:3] != (chosen.size, chosen.size):
        raise LearnerError(
            f"images must have shape (n, {chosen.size}, {chosen.size}) or that and 3 channels, not {images.shape}"
        )
    if chosen.kind == "pixels":
        parts = [images.reshape(len(images), -1).astype(np.float32) / np.float32(255.0)]
    else:
        grey = images if images.ndim == 3 else _luma(images)
        cell, block = chosen.pixels_per_cell, chosen.cells_per_block
        parts = [
            hog_features(
                grey,
                orientations=chosen.orientations,
                pixels_per_cell=(cell, cell),
                cells_per_block=(block, block),
            )
        ]
    if chosen.colour_statistics:
        if images.ndim != 4:
            raise LearnerError("colour statistics need images with three channels, shape (n, h, w, 3)")
        parts.append(colour_statistics(images))
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def colour_statistics(images: npt.NDArray[np.generic]) -> Float32Array:
    """Mean, SD and 8-bin histogram of each channel of 8-bit (n, h, w, c) images, all in [0, 1]: (n, 10 c)."""
    n_images, height, width, n_channels = images.shape
    flat = images.reshape(n_images, height * width, n_channels)
    scaled = flat.astype(np.float32) / np.float32(255.0)
    slot = np.minimum(scaled * COLOUR_BINS, COLOUR_BINS - 1).astype(np.int64)
    slot += np.arange(n_channels) * COLOUR_BINS
    slot += (np.arange(n_images) * n_channels * COLOUR_BINS)[:, None, None]
    counts = np.bincount(slot.ravel(), minlength=n_images * n_channels * COLOUR_BINS)
    shares = counts.reshape(n_images, -1) / (height * width)
    return np.concatenate([scaled.mean(axis=1), scaled.std(axis=1), shares], axis=1).astype(np.float32)


def _luma(images: npt.NDArray[np.generic]) -> ByteArray:
    """Pillow's own "L": the same image described with and without colour statistics has the same HOG."""
    red, green, blue = (images[..., channel].astype(np.uint32) for channel in range(3))
    return ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16).astype(np.uint8)
