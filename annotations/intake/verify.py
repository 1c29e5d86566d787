"""Whether bytes are an image that people can be shown, and what is made of it: size, thumbnail, display copy."""

from __future__ import annotations

import hashlib
import io
import threading
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from .source import Refused

# Pillow's name: (extension, media type)
FORMATS = {
    "JPEG": ("jpg", "image/jpeg"),
    "PNG": ("png", "image/png"),
    "WEBP": ("webp", "image/webp"),
    "GIF": ("gif", "image/gif"),
    "BMP": ("bmp", "image/bmp"),
    "TIFF": ("tif", "image/tiff"),
}
SHOWN_BY_BROWSERS = frozenset({"JPEG", "PNG", "WEBP", "GIF"})
THUMBNAIL_SIDE = 256
# A file this small with sides no longer than that is sent as its own thumbnail: nothing is made, nothing stored twice.
OWN_THUMBNAIL_BYTES = 32 * 2**10
# Pillow's own limit; it warns at this and raises at twice as much.
MAX_PIXELS = 89_478_485
LARGE_PIXELS = 16_000_000
_one_large_image_at_a_time = threading.Lock()
_WIDE_MODES = frozenset({"I", "F", "I;16", "I;16B", "I;16L", "I;16N"})


@dataclass(frozen=True)
class VerifiedImage:
    """An image that decodes to its last pixel. `width` and `height` are pixels after the EXIF orientation.

    `is_own_thumbnail`: the file is small enough to be shown as it is, and `thumbnail` holds its own bytes.
    """

    sha256: str
    n_bytes: int
    extension: str
    media_type: str
    width: int
    height: int
    thumbnail: bytes
    thumbnail_extension: str
    display: bytes | None  # PNG, where a browser would not show the file itself as one upright still image
    is_own_thumbnail: bool = False


def sha256_of(data: bytes) -> str:
    """Return the hexadecimal sha256 of the bytes."""
    return hashlib.sha256(data).hexdigest()


def verify_image(data: bytes, *, sha256: str | None = None) -> VerifiedImage:
    """Decode the bytes and return what was learned. Raises Refused with the reason for anything else.

    Of an animated or many-page image the first frame counts.
    """
    name, size = _identify(data)
    # Two very large images at once would be the most memory the whole import takes.
    with _one_large_image_at_a_time if size[0] * size[1] > LARGE_PIXELS else nullcontext():
        try:
            return _decode(data, name, size, sha256 or sha256_of(data))
        # Decoders raise whatever broken bytes lead them to; one bad file must never stop the others.
        except Exception as error:
            raise Refused(f"A broken {name} image: {_in_words(error)}.") from error


def _identify(data: bytes) -> tuple[str, tuple[int, int]]:
    try:
        with Image.open(io.BytesIO(data), formats=list(FORMATS)) as image:
            # MPO is what phones with two lenses write: a JPEG with others behind it.
            name, size = ("JPEG" if image.format == "MPO" else str(image.format)), image.size
            n_pixels = size[0] * size[1]
            if n_pixels <= MAX_PIXELS:
                image.verify()
    except Image.DecompressionBombError:
        raise Refused(f"More than {MAX_PIXELS / 1e6:.0f} megapixels.") from None
    except UnidentifiedImageError:
        raise Refused("Not a JPEG, PNG, WebP, GIF, BMP or TIFF image.") from None
    except Exception as error:
        raise Refused(f"A broken image: {_in_words(error)}.") from error
    if n_pixels > MAX_PIXELS:
        raise Refused(f"{n_pixels / 1e6:,.0f} megapixels; {MAX_PIXELS / 1e6:.0f} is the most.")
    return name, size


def _decode(data: bytes, name: str, size: tuple[int, int], sha256: str) -> VerifiedImage:
    with Image.open(io.BytesIO(data), formats=[name]) as image:
        n_frames = 1 if name == "JPEG" else getattr(image, "n_frames", 1)
        # A JPEG can be decoded at an eighth of its size; every byte of it is read all the same.
        image.draft(image.mode, (2 * THUMBNAIL_SIDE, 2 * THUMBNAIL_SIDE))
        image.load()
        orientation = _orientation(image)
        extension, media_type = FORMATS[name]
        needs_display = name not in SHOWN_BY_BROWSERS or n_frames > 1 or (orientation != 1 and name != "JPEG")
        small = max(size) <= THUMBNAIL_SIDE and len(data) <= OWN_THUMBNAIL_BYTES
        own = small and orientation == 1 and not needs_display
        thumbnail, thumbnail_extension, display = data, extension, None
        if not own:
            upright = ImageOps.exif_transpose(image) if orientation != 1 else image
            shown = eight_bit(upright, stretch=name == "TIFF")
            display = _saved(shown, "PNG", compress_level=4) if needs_display else None
            thumbnail, thumbnail_extension = _thumbnail(shown)
    width, height = (size[1], size[0]) if orientation >= 5 else size
    return VerifiedImage(
        sha256=sha256,
        n_bytes=len(data),
        extension=extension,
        media_type=media_type,
        width=width,
        height=height,
        thumbnail=thumbnail,
        thumbnail_extension=thumbnail_extension,
        display=display,
        is_own_thumbnail=own,
    )


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 where there is none or it cannot be read, which is no reason to refuse."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:
        return 1
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def eight_bit(image: Image.Image, *, stretch: bool) -> Image.Image:
    """Return the image as L, RGB or RGBA. Grey levels of 16 or 32 bits are cut to 8.

    `stretch` maps the darkest to black and the brightest to white: instruments write TIFF files that use a small
    part of the range and would look black.
    """
    if image.mode in _WIDE_MODES:
        levels = np.nan_to_num(np.asarray(image, dtype=np.float64))
        low, high = (float(levels.min()), float(levels.max())) if stretch else (0.0, 65_535.0)
        scaled = (levels - low) * (255.0 / (high - low)) if high > low else np.zeros_like(levels)
        return Image.fromarray(np.clip(np.rint(scaled), 0, 255).astype(np.uint8))
    if image.mode in ("L", "RGB", "RGBA"):
        transparent = "transparency" in image.info and image.mode != "RGBA"
        return image.convert("RGBA") if transparent else image
    if image.mode == "1":
        return image.convert("L")
    has_alpha = image.mode in ("LA", "La", "PA", "RGBa") or "transparency" in image.info
    return image.convert("RGBA" if has_alpha else "RGB")


def _thumbnail(image: Image.Image) -> tuple[bytes, str]:
    """Return the thumbnail as a file and its extension. The image itself becomes the thumbnail."""
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.BICUBIC, reducing_gap=2.0)
    if image.mode == "RGBA":
        return _saved(image, "WEBP", quality=80, method=0), "webp"
    return _saved(image, "JPEG", quality=85), "jpg"  # ten times faster to write than WebP


def _saved(image: Image.Image, name: str, **options: int) -> bytes:
    out = io.BytesIO()
    image.info = {}  # no profiles, no EXIF: their size may exceed the thumbnail's
    image.save(out, name, **options)
    return out.getvalue()


def _in_words(error: Exception) -> str:
    words = str(error).strip().rstrip(".")
    return words[:200] if words else type(error).__name__
