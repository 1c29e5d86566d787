"""Scan a linear HOG window over every place and size of an image.

A window's HOG is that of `skimage.feature.hog` on the cut-out window, in which the gradient across the window's own
edge is zero. So the cells along a window's edges differ from the same cells inside another window, and one grid of
blocks does not serve. Nine do: a cell is the first, an inner or the last one in its row of the window, and likewise in
its column. They are made once for a level of the pyramid and serve all its windows, and the score of all windows is a
sum of products of whole grids.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mining.learners.errors import LearnerError
from mining.learners.hog import direction_bins, normalised_blocks, sum_cells

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FIRST, INNER, LAST, ONLY = range(4)


@dataclass(frozen=True)
class Window:
    """The detector's window: its size in pixels must be whole cells; windows are scanned a cell apart."""

    height: int
    width: int
    pixels_per_cell: int = 5
    cells_per_block: int = 2
    orientations: int = 9

    def __post_init__(self) -> None:
        if self.height % self.pixels_per_cell or self.width % self.pixels_per_cell:
            raise LearnerError(f"a window of {self.width} x {self.height} pixels is no whole number of cells")
        if min(self.cell_rows, self.cell_columns) < max(2, self.cells_per_block):
            raise LearnerError(f"a window of {self.width} x {self.height} pixels has too few cells")

    @property
    def cell_rows(self) -> int:
        return self.height // self.pixels_per_cell

    @property
    def cell_columns(self) -> int:
        return self.width // self.pixels_per_cell

    @property
    def block_rows(self) -> int:
        return self.cell_rows - self.cells_per_block + 1

    @property
    def block_columns(self) -> int:
        return self.cell_columns - self.cells_per_block + 1

    @property
    def block_length(self) -> int:
        return self.cells_per_block**2 * self.orientations

    @property
    def n_features(self) -> int:
        return self.block_rows * self.block_columns * self.block_length


@dataclass(frozen=True)
class Level:
    """One size of the image and the nine grids of blocks that serve all windows on it."""

    scale: float
    """Pixels of the image per pixel of the level."""
    rows: int
    """Places of a window, down."""
    columns: int
    grids: dict[tuple[int, int], npt.NDArray[np.float64]]


def scan_levels(image: npt.NDArray[np.generic], window: Window, *, step: float = 1.25) -> Iterator[Level]:
    """Yield the levels of the pyramid of a grey (h, w) image, full size first, each `step` times smaller than the
    last.
    """
    from skimage import transform

    resize: Callable[..., FloatArray] = transform.resize

    if step <= 1.0:
        raise LearnerError(f"the pyramid's step must be above 1, not {step}")
    pixels = np.asarray(image, dtype=np.float64)
    scale = 1.0
    while True:
        height, width = round(pixels.shape[0] / scale), round(pixels.shape[1] / scale)
        if height < window.height or width < window.width:
            return
        level = pixels if scale == 1.0 else resize(pixels, (height, width), order=1, anti_aliasing=True)
        yield make_level(level, window, scale)
        scale *= step


def make_level(pixels: FloatArray, window: Window, scale: float = 1.0) -> Level:
    """Compute the nine grids of one level of a grey (h, w) image."""
    cell = window.pixels_per_cell
    height, width = pixels.shape[0] // cell * cell, pixels.shape[1] // cell * cell
    # A pixel more than the whole cells, where there is one: it has a part in the gradient of the last cells.
    down, across = _gradients(pixels)
    down, across = down[:height, :width], across[:height, :width]
    cells = _cell_grids(down, across, window)
    grids = {}
    for vertical in _kinds(window.block_rows):
        for horizontal in _kinds(window.block_columns):
            grids[vertical, horizontal] = _blocks(cells, vertical, horizontal, window)
    return Level(scale, height // cell - window.cell_rows + 1, width // cell - window.cell_columns + 1, grids)


def score_level(level: Level, window: Window, weights: FloatArray, offset: float) -> FloatArray:
    """Score every window of a level: (rows, columns) of weights . HOG + offset; `weights` (n_features,)."""
    by_block = weights.reshape(window.block_rows, window.block_columns, window.block_length)
    scores = np.full((level.rows, level.columns), offset)
    for row in range(window.block_rows):
        for column in range(window.block_columns):
            grid = level.grids[_kind(row, window.block_rows), _kind(column, window.block_columns)]
            scores += grid[row : row + level.rows, column : column + level.columns] @ by_block[row, column]
    return scores


def window_features(level: Level, window: Window, rows: IntArray, columns: IntArray) -> npt.NDArray[np.float32]:
    """Return the HOG of the windows at these places of a level: (m, n_features) float32."""
    features = np.empty((len(rows), window.block_rows, window.block_columns, window.block_length), dtype=np.float32)
    for row in range(window.block_rows):
        for column in range(window.block_columns):
            grid = level.grids[_kind(row, window.block_rows), _kind(column, window.block_columns)]
            features[:, row, column] = grid[rows + row, columns + column]
    return features.reshape(len(rows), -1)


def window_box(level: Level, window: Window, row: int, column: int) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of a window in pixels of the image."""
    left, top = column * window.pixels_per_cell * level.scale, row * window.pixels_per_cell * level.scale
    return left, top, left + window.width * level.scale, top + window.height * level.scale


def _kinds(n_blocks: int) -> tuple[int, ...]:
    return tuple(sorted({_kind(place, n_blocks) for place in range(n_blocks)}))


def _kind(place: int, n_blocks: int) -> int:
    """Which edge of the window a block touches; where there is one block only it touches both: `ONLY`."""
    if n_blocks == 1:
        return ONLY
    return FIRST if place == 0 else LAST if place == n_blocks - 1 else INNER


def _gradients(pixels: FloatArray) -> tuple[FloatArray, FloatArray]:
    down, across = np.zeros_like(pixels), np.zeros_like(pixels)
    down[1:-1] = pixels[2:] - pixels[:-2]
    across[:, 1:-1] = pixels[:, 2:] - pixels[:, :-2]
    return down, across


def _cell_grids(down: FloatArray, across: FloatArray, window: Window) -> dict[tuple[int, int], FloatArray]:
    """Cell histograms (cell rows, cell columns, orientations) for each kind of edge that a cell may lie at."""
    cell = window.pixels_per_cell
    grids = {}
    for vertical in (FIRST, INNER, LAST):
        steep = down
        if vertical != INNER:
            steep = down.copy()
            steep[(0 if vertical == FIRST else cell - 1) :: cell] = 0.0
        for horizontal in (FIRST, INNER, LAST):
            flat = across
            if horizontal != INNER:
                flat = across.copy()
                flat[:, (0 if horizontal == FIRST else cell - 1) :: cell] = 0.0
            size, bins = np.hypot(flat, steep), direction_bins(steep, flat, window.orientations)
            grids[vertical, horizontal] = sum_cells(size[None], bins[None], window.orientations, (cell, cell))[0]
    return grids


def _blocks(cells: dict[tuple[int, int], FloatArray], vertical: int, horizontal: int, window: Window) -> FloatArray:
    """Normalised blocks (block rows, block columns, length) of blocks that touch these edges of their window."""
    size = window.cells_per_block
    down, across = _cell_kinds(vertical, size), _cell_kinds(horizontal, size)
    height, width = cells[INNER, INNER].shape[:2]
    parts = [
        cells[down[row], across[column]][row : height - size + 1 + row, column : width - size + 1 + column]
        for row in range(size)
        for column in range(size)
    ]
    blocks: FloatArray = normalised_blocks(np.concatenate(parts, axis=2)[None])[0]
    return blocks


def _cell_kinds(block: int, size: int) -> list[int]:
    kinds = [INNER] * size
    if block in (FIRST, ONLY):
        kinds[0] = FIRST
    if block in (LAST, ONLY):
        kinds[-1] = LAST
    return kinds
