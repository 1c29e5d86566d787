"""Histograms of oriented gradients for a whole batch of images at once.

Dalal & Triggs 2005, with the values of `skimage.feature.hog`, to rounding. Gradients of 8-bit images are
whole numbers, so their size and direction come from a table of 511 x 511 entries instead of an arc tangent
for each pixel.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from mining.learners.errors import LearnerError

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]

PIXELS_AT_ONCE = 1 << 19
EPSILON = 1e-5
CLIP = 0.2


def hog_features(
    images: npt.NDArray[np.generic],
    *,
    orientations: int = 9,
    pixels_per_cell: tuple[int, int] = (8, 8),
    cells_per_block: tuple[int, int] = (2, 2),
) -> Float32Array:
    """Describe (n, h, w) grey or (n, h, w, 3) colour images, 8-bit or float, by unsigned HOG with L2-Hys
    blocks.

    Returns (n, d) float32, d = block rows x block columns x cells in a block x orientations, in the order of
    `skimage.feature.hog`. Of colour images each pixel takes the channel with the largest gradient. Raises
    `LearnerError` for images smaller than one block.
    """
    grid = hog_block_grid(
        images, orientations=orientations, pixels_per_cell=pixels_per_cell, cells_per_block=cells_per_block
    )
    return grid.reshape(len(grid), -1)


def hog_block_grid(
    images: npt.NDArray[np.generic],
    *,
    orientations: int = 9,
    pixels_per_cell: tuple[int, int] = (8, 8),
    cells_per_block: tuple[int, int] = (2, 2),
) -> Float32Array:
    """As `hog_features`, kept as a grid: (n, block rows, block columns, values in a block). What a scan
    cuts windows from.
    """
    if images.ndim not in (3, 4):
        raise LearnerError(f"images must have shape (n, h, w) or (n, h, w, channels), not {images.shape}")
    n_images, height, width = images.shape[:3]
    cell_rows, cell_columns = height // pixels_per_cell[0], width // pixels_per_cell[1]
    block_rows, block_columns = cell_rows - cells_per_block[0] + 1, cell_columns - cells_per_block[1] + 1
    if block_rows < 1 or block_columns < 1:
        raise LearnerError(
            f"images of {width} x {height} pixels are too small for HOG: one block needs "
            f"{cells_per_block[1] * pixels_per_cell[1]} x {cells_per_block[0] * pixels_per_cell[0]} pixels"
        )
    length = cells_per_block[0] * cells_per_block[1] * orientations
    grid = np.empty((n_images, block_rows, block_columns, length), dtype=np.float32)
    step = max(1, PIXELS_AT_ONCE // (height * width))
    for start in range(0, n_images, step):
        cells = _cell_histograms(images[start : start + step], orientations, pixels_per_cell)
        grid[start : start + step] = _normalised_blocks(cells, cells_per_block)
    return grid


def _cell_histograms(
    images: npt.NDArray[np.generic], orientations: int, pixels_per_cell: tuple[int, int]
) -> FloatArray:
    """Return (n, cell rows, cell columns, orientations): mean gradient size per direction, of whole cells only."""
    height = images.shape[1] // pixels_per_cell[0] * pixels_per_cell[0]
    width = images.shape[2] // pixels_per_cell[1] * pixels_per_cell[1]
    size, direction = _gradients(images, orientations)
    return sum_cells(size[:, :height, :width], direction[:, :height, :width], orientations, pixels_per_cell)


def sum_cells(
    size: FloatArray, direction: npt.NDArray[np.intp], orientations: int, pixels_per_cell: tuple[int, int]
) -> FloatArray:
    """Sum gradient sizes (n, h, w) of whole cells by direction: (n, cell rows, cell columns, orientations), per
    pixel.
    """
    n_images, height, width = size.shape
    cell_rows, cell_columns = height // pixels_per_cell[0], width // pixels_per_cell[1]
    row_cell = np.repeat(np.arange(cell_rows), pixels_per_cell[0]) * cell_columns
    column_cell = np.repeat(np.arange(cell_columns), pixels_per_cell[1])
    # One bin more than there are orientations: it takes what rounds to 180 degrees, which scikit-image drops as well.
    cell = (row_cell[:, None] + column_cell[None, :]) * (orientations + 1)
    first = np.arange(n_images) * (cell_rows * cell_columns * (orientations + 1))
    slot = direction + cell[None] + first[:, None, None]
    total = np.bincount(
        slot.ravel(), weights=size.ravel(), minlength=n_images * cell_rows * cell_columns * (orientations + 1)
    )
    total = total.reshape(n_images, cell_rows, cell_columns, orientations + 1)[..., :orientations]
    return np.asarray(total / (pixels_per_cell[0] * pixels_per_cell[1]))


def _gradients(images: npt.NDArray[np.generic], orientations: int) -> tuple[FloatArray, npt.NDArray[np.intp]]:
    """Return the size and the direction's bin of the gradient of each pixel, both (n, h, w)."""
    eight_bit = images.dtype == np.uint8
    values = images.astype(np.int16 if eight_bit else np.float64)
    down, across = np.zeros_like(values), np.zeros_like(values)
    np.subtract(values[:, 2:], values[:, :-2], out=down[:, 1:-1])
    np.subtract(values[:, :, 2:], values[:, :, :-2], out=across[:, :, 1:-1])
    if values.ndim == 4:
        wide_down, wide_across = down.astype(np.float64), across.astype(np.float64)
        strongest = np.hypot(wide_down, wide_across).argmax(axis=3)[..., None]
        down = np.take_along_axis(down, strongest, axis=3)[..., 0]
        across = np.take_along_axis(across, strongest, axis=3)[..., 0]
    if eight_bit:
        sizes, bins = _gradient_table(orientations)
        entry = (down.astype(np.int32) + 255) * 511 + (across + 255)
        return sizes[entry], bins[entry]
    return np.hypot(across, down), direction_bins(down, across, orientations)


@lru_cache(maxsize=8)
def _gradient_table(orientations: int) -> tuple[FloatArray, npt.NDArray[np.intp]]:
    step = np.arange(-255, 256, dtype=np.float64)
    down, across = np.meshgrid(step, step, indexing="ij")
    return np.hypot(across, down).ravel(), direction_bins(down, across, orientations).ravel()


def direction_bins(down: FloatArray, across: FloatArray, orientations: int) -> npt.NDArray[np.intp]:
    """Number the unsigned direction of each gradient: 0 .. orientations - 1, or `orientations` for what rounds to
    180 degrees.
    """
    degrees = np.rad2deg(np.arctan2(down, across)) % 180.0
    return np.asarray(np.floor(degrees * (orientations / 180.0)).astype(np.intp))


def _normalised_blocks(cells: FloatArray, cells_per_block: tuple[int, int]) -> FloatArray:
    cell_rows, cell_columns = cells.shape[1:3]
    block_rows, block_columns = cell_rows - cells_per_block[0] + 1, cell_columns - cells_per_block[1] + 1
    parts = [
        cells[:, row : row + block_rows, column : column + block_columns]
        for row in range(cells_per_block[0])
        for column in range(cells_per_block[1])
    ]
    return normalised_blocks(np.concatenate(parts, axis=3))


def normalised_blocks(blocks: FloatArray) -> FloatArray:
    """Normalise blocks (..., values) by L2-Hys, in place."""
    blocks /= np.sqrt(np.einsum("...i,...i->...", blocks, blocks) + EPSILON**2)[..., None]
    np.minimum(blocks, CLIP, out=blocks)
    blocks /= np.sqrt(np.einsum("...i,...i->...", blocks, blocks) + EPSILON**2)[..., None]
    return blocks
