"""Small images in every format, whole and broken."""

from __future__ import annotations

import io

import numpy as np
from PIL import ExifTags, Image


def noise(width: int = 48, height: int = 32, *, seed: int = 0) -> Image.Image:
    """Return a picture that no format can squeeze to nothing."""
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def encoded(image: Image.Image | None = None, name: str = "PNG", **options) -> bytes:
    """Return the image as a file."""
    out = io.BytesIO()
    (image if image is not None else noise()).save(out, name, **options)
    return out.getvalue()


def turned(orientation: int, name: str = "JPEG") -> bytes:
    """Return a picture 48 wide and 32 high, red at its left edge, that says it was taken with the camera turned."""
    image = Image.new("RGB", (48, 32), "white")
    image.paste("red", (0, 0, 12, 32))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return encoded(image, name, exif=exif)
