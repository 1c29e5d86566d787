"""Texture: which local patterns an image is made of, and how strong its contrast is at several scales."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]
ByteArray = npt.NDArray[np.uint8]

N_PATTERNS = 10
"""Uniform patterns of eight neighbours by their number of brighter ones, 0 to 8, and all others together."""
SCALES = (1, 2, 4)
IMAGES_AT_ONCE = 256
NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))


def texture_statistics(grey: ByteArray) -> Float32Array:
    """Describe (n, h, w) 8-bit grey images: (n, 13) shares of local binary patterns and contrast at three scales.

    Patterns are rotation-invariant and uniform, of the eight pixels around each inner one (Ojala, Pietikäinen &
    Mäenpää 2002). Contrast is the mean absolute difference of pixels that lie 1, 2 and 4 apart, in [0, 1].
    """
    found = np.empty((len(grey), N_PATTERNS + len(SCALES)), dtype=np.float32)
    for start in range(0, len(grey), IMAGES_AT_ONCE):
        rows = slice(start, start + IMAGES_AT_ONCE)
        found[rows, :N_PATTERNS] = _pattern_shares(grey[rows])
        wide = grey[rows].astype(np.float32) / np.float32(255.0)
        for place, step in enumerate(SCALES):
            across = np.abs(wide[:, :, step:] - wide[:, :, :-step]).mean(axis=(1, 2))
            down = np.abs(wide[:, step:] - wide[:, :-step]).mean(axis=(1, 2))
            found[rows, N_PATTERNS + place] = (across + down) / 2.0
    return found


def _pattern_shares(grey: ByteArray) -> npt.NDArray[np.float64]:
    n_images, height, width = grey.shape
    centre = grey[:, 1:-1, 1:-1]
    code = np.zeros(centre.shape, dtype=np.uint8)
    for bit, (down, across) in enumerate(NEIGHBOURS):
        around = grey[:, 1 + down : height - 1 + down, 1 + across : width - 1 + across]
        code |= (around >= centre).astype(np.uint8) << np.uint8(bit)
    slot = _patterns()[code].astype(np.int64) + (np.arange(n_images) * N_PATTERNS)[:, None, None]
    counts = np.bincount(slot.ravel(), minlength=n_images * N_PATTERNS).reshape(n_images, N_PATTERNS)
    return np.asarray(counts / max(1, (height - 2) * (width - 2)))


@lru_cache(maxsize=1)
def _patterns() -> ByteArray:
    """Return which of the ten patterns each of the 256 codes is."""
    codes = np.arange(256, dtype=np.uint16)
    bits = (codes[:, None] >> np.arange(8)) & 1
    turns = (bits != np.roll(bits, 1, axis=1)).sum(axis=1)
    return np.where(turns <= 2, bits.sum(axis=1), N_PATTERNS - 1).astype(np.uint8)
